"""The arguments of `infrascan why` and `infrascan timeline`."""

from __future__ import annotations

import argparse

from infrascan.cli.parser import Commands, add_providers, add_selection, command


def add(commands: Commands) -> None:
    why = command(
        commands,
        "why",
        "say which changes may be why something is unwell, with evidence and the next check",
        "why:why",
        epilog="Nothing is changed: a way back is shown as a command that needs an approval.",
    )
    why.add_argument(
        "resource", help="its name, namespace/name, id or key, such as shop/checkout-api"
    )
    why.add_argument(
        "--at", metavar="TIME", help="when it was unwell: 14:38 or 2026-11-20T14:38Z (default: now)"
    )
    why.add_argument(
        "--since",
        metavar="SPAN",
        default="2h",
        help="how long before that to look for changes: 30m, 2h, 1d (default: %(default)s)",
    )
    why.add_argument(
        "--format",
        choices=("text", "markdown", "json"),
        default="text",
        help="markdown is the record of the incident (default: %(default)s)",
    )
    why.add_argument(
        "--propose",
        action="store_true",
        help="queue the way back as a command that waits for an operator; nothing is run",
    )
    why.add_argument("--json", action="store_true", help="the same as --format json")
    source(why)
    timeline = command(
        commands, "timeline", "list what changed, from every source, in order of time",
        "why:timeline",
    )  # fmt: skip
    timeline.add_argument(
        "--since",
        metavar="SPAN",
        default="30m",
        help="how far back: 30m, 2h, 1d, or a time (default: %(default)s)",
    )
    timeline.add_argument("--until", metavar="TIME", help="up to when (default: now)")
    timeline.add_argument(
        "--about", metavar="NAME", help="only what this resource depends on, and itself"
    )
    timeline.add_argument("--json", action="store_true", help="as JSON")
    source(timeline)


def source(of: argparse.ArgumentParser) -> None:
    """Where to read: now, from a recording, or from a stored scan."""
    what = of.add_argument_group("what to read")
    add_providers(what)
    what.add_argument("--demo", action="store_true", help="read the recorded demo estate")
    what.add_argument("--replay", metavar="DIR", help="read a recorded folder, not the network")
    what.add_argument(
        "--scan",
        metavar="ID",
        help="read a stored scan, and what differs from the one before it; nothing is read now",
    )
    add_selection(what)
    of.add_argument("--quiet", "-q", action="store_true", help="no progress")
