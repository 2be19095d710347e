"""`infrascan providers` and `infrascan permissions`."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from functools import partial

import trio

from infrascan import cli
from infrascan.cli.selection import names, scopes
from infrascan.collect.provider import Selection
from infrascan.model import Connection, Identity
from infrascan.pipeline import Request, identities, now
from infrascan.providers import load

STYLES = {
    Connection.CONNECTED: "green",
    Connection.NOT_CONFIGURED: "dim",
    Connection.ERROR: "red",
}


def show(options: argparse.Namespace) -> int:
    """Say of each provider as whom it is connected, or why it is not and what to do."""
    request = Request(
        profiles=tuple(options.profile or ()),
        regions=names(options.region, "--region"),
        contexts=tuple(options.context or ()),
        scopes=scopes(options.scopes),
    )
    found = trio.run(partial(identities, request))
    if options.json:
        print(json.dumps([asdict(identity) for identity in found], indent=2))
    else:
        table(found)
    failed = any(identity.state is Connection.ERROR for identity in found)
    return cli.COVERAGE if failed else cli.CLEAN


def table(found: list[Identity]) -> None:
    """A line per identity, and under it what is wrong and what to try."""
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    console = Console(file=sys.stdout, highlight=False)
    width = max((len(identity.provider) for identity in found), default=0) + 2
    for identity in found:
        line = Text(f"{identity.provider:<{width}}")
        line.append(f"{identity.state:<15}", style=STYLES[identity.state])
        line.append("  ".join(part for part in (identity.who, identity.source) if part))
        console.print(line, soft_wrap=True)
        for part in filter(None, (identity.detail, identity.remedy)):
            console.print(Padding(Text(part), (0, 0, 0, width + 15)))


def permissions(options: argparse.Namespace) -> int:
    """Print the least privilege for a provider, generated from its tables."""
    provider = load(options.provider)(Selection(observed=now()))
    print(json.dumps(provider.permissions(), indent=2))
    return cli.CLEAN
