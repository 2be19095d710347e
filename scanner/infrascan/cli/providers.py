"""`infrascan providers` and `infrascan permissions`."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from functools import partial

import trio

from infrascan import cli
from infrascan.cli.run import names
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
        regions=names(options.region),
        contexts=tuple(options.context or ()),
    )
    found = trio.run(partial(identities, request))
    if options.json:
        print(json.dumps([asdict(identity) for identity in found], indent=2))
    else:
        table(found)
    failed = any(identity.state is Connection.ERROR for identity in found)
    return cli.COVERAGE if failed else cli.CLEAN


def table(found: list[Identity]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("provider", "state", "as whom", "credentials", ""):
        shown.add_column(title, overflow="fold")
    for identity in found:
        trouble = ". ".join(part for part in (identity.detail, identity.remedy) if part)
        shown.add_row(
            identity.provider,
            Text(identity.state, style=STYLES[identity.state]),
            Text(identity.who or identity.account),
            Text(identity.source),
            Text(trouble),
        )
    Console(file=sys.stdout, highlight=False).print(shown)


def permissions(options: argparse.Namespace) -> int:
    """Print the least privilege for a provider, generated from its tables."""
    provider = load(options.provider)(Selection(observed=now()))
    print(json.dumps(provider.permissions(), indent=2))
    return cli.CLEAN
