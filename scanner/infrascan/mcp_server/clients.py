"""What each agent needs to find this server, as its own configuration spells it."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from infrascan.model import InputError

NAME = "infrascan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """How a client reaches the server: by a command it starts, or by a URL."""

    command: str = ""
    arguments: tuple[str, ...] = ()
    url: str = ""
    token: bool = False  # the URL wants one


def started(extra: tuple[str, ...] = ()) -> Place:
    """The server as a program that the client starts, by its absolute path."""
    found = shutil.which("infrascan")
    if found:
        return Place(command=found, arguments=("mcp", "--transport", "stdio", *extra))
    run = ("-m", "infrascan", "mcp", "--transport", "stdio", *extra)
    return Place(command=sys.executable, arguments=run)


def servers(place: Place) -> str:
    """The `mcpServers` object that most clients read."""
    return spelled({"mcpServers": {NAME: entry(place)}})


def entry(place: Place) -> dict[str, object]:
    if place.url:
        headers = {"headers": {"Authorization": "Bearer TOKEN"}} if place.token else {}
        return {"type": "http", "url": place.url, **headers}
    return {"command": place.command, "args": list(place.arguments)}


def codex(place: Place) -> str:
    """~/.codex/config.toml"""
    lines = [f"[mcp_servers.{NAME}]"]
    if place.url:
        lines.append(f"url = {json.dumps(place.url)}")
        if place.token:
            lines.append('bearer_token_env_var = "INFRASCAN_MCP_TOKEN"')
    else:
        lines += [
            f"command = {json.dumps(place.command)}",
            f"args = {json.dumps(list(place.arguments))}",
        ]
    return "\n".join(lines) + "\n"


def vscode(place: Place) -> str:
    """.vscode/mcp.json"""
    kind = {} if place.url else {"type": "stdio"}
    return spelled({"servers": {NAME: {**kind, **entry(place)}}})


def gemini(place: Place) -> str:
    """~/.gemini/settings.json"""
    if not place.url:
        return servers(place)
    headers = {"headers": {"Authorization": "Bearer TOKEN"}} if place.token else {}
    return spelled({"mcpServers": {NAME: {"httpUrl": place.url, **headers}}})


def openclaw(place: Place) -> str:
    """A line for a shell."""
    url = place.url or "http://127.0.0.1:39393"
    return f"openclaw mcp set {NAME} --url {url}\n"


def hermes(place: Place) -> str:
    """~/.hermes/config.yaml"""
    lines = ["mcp_servers:", f"  {NAME}:"]
    if place.url:
        lines.append(f"    url: {json.dumps(place.url)}")
        if place.token:
            lines += ["    headers:", "      Authorization: Bearer TOKEN"]
    else:
        lines += [
            f"    command: {json.dumps(place.command)}",
            f"    args: {json.dumps(list(place.arguments))}",
        ]
    return "\n".join(lines) + "\n"


def spelled(value: object) -> str:
    return json.dumps(value, indent=2) + "\n"


# client -> (where it goes, what stands there)
CLIENTS: Mapping[str, tuple[str, Callable[[Place], str]]] = {
    "claude": ("claude_desktop_config.json, or .mcp.json of a project", servers),
    "codex": ("~/.codex/config.toml", codex),
    "cursor": ("~/.cursor/mcp.json", servers),
    "gemini": ("~/.gemini/settings.json", gemini),
    "hermes": ("~/.hermes/config.yaml", hermes),
    "openclaw": ("a shell; start infrascan mcp --transport http before", openclaw),
    "vscode": (".vscode/mcp.json", vscode),
    "windsurf": ("~/.codeium/windsurf/mcp_config.json", servers),
}


def configuration(client: str, place: Place) -> str:
    """The text for a client. Raises `InputError`."""
    if client not in CLIENTS:
        raise InputError(f"unknown client {client!r}: {', '.join(CLIENTS)}")
    return CLIENTS[client][1](place)
