"""`infrascan mcp`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from infrascan import cli
from infrascan.model import InputError
from infrascan.store.home import home

if TYPE_CHECKING:
    from infrascan.mcp_server.workspace import Options


def serve(options: argparse.Namespace) -> int:
    """Serve agents until the client ends (stdio) or a signal comes (http)."""
    where, chosen = home(), offered(options)
    if options.transport == "stdio":
        from infrascan.mcp_server.server import run_stdio

        run_stdio(where, chosen)
        return cli.CLEAN
    from infrascan.mcp_server.http import Network, run_http

    def starting(url: str) -> None:
        print(f"infrascan: MCP on {url} (Ctrl-C ends)", file=sys.stderr)

    network = Network(
        listen=options.listen,
        token_file=options.token_file,
        certificate=options.tls_cert,
        key=options.tls_key,
        allow_remote=options.allow_remote,
        names=tuple(options.server_name),
    )
    run_http(where, network, chosen, starting)
    return cli.CLEAN


def offered(options: argparse.Namespace) -> Options:
    """What the operator allows. Raises `InputError`."""
    from infrascan.mcp_server.door import chosen
    from infrascan.mcp_server.models import choice
    from infrascan.mcp_server.workspace import Options

    roots = []
    for given in options.terraform_root:
        root = Path(given).expanduser().resolve()
        if not root.is_dir():
            raise InputError(f"--terraform-root {given}: is no folder")
        roots.append(root)
    model = options.model or os.environ.get("INFRASCAN_MODEL", "")
    choice(model)
    return Options(
        toolsets=chosen(options.toolsets.split(",")),
        read_only=options.read_only,
        compat=options.compat,
        roots=tuple(roots),
        allow_plan=options.allow_plan,
        model=model,
        demo=options.demo,
    )


def config(options: argparse.Namespace) -> int:
    """Print what a client's configuration needs; where it goes stands on standard error."""
    from infrascan.mcp_server.clients import CLIENTS, Place, configuration, started

    place = Place(url=options.url, token=options.token) if options.url else started()
    sys.stdout.write(configuration(options.client, place))
    print(f"infrascan: for {CLIENTS[options.client][0]}", file=sys.stderr)
    return cli.CLEAN


def schema(options: argparse.Namespace) -> int:
    """Print every tool: name, description, schemas, annotations."""
    import trio

    from infrascan.mcp_server.door import chosen
    from infrascan.mcp_server.server import server
    from infrascan.mcp_server.workspace import Options, Workspace

    asked = Options(
        toolsets=chosen(options.toolsets.split(",")),
        read_only=options.read_only,
        compat=options.compat,
    )
    tools = trio.run(server(Workspace(home(), asked)).list_tools)
    found = [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools]
    found.sort(key=lambda tool: str(tool["name"]))
    sys.stdout.write(json.dumps(found, indent=1, sort_keys=True, ensure_ascii=True) + "\n")
    return cli.CLEAN
