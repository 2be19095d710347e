"""The arguments of `infrascan paths`."""

from __future__ import annotations

from infrascan.cli.parser import SEVERITIES, Commands, command


def add(commands: Commands) -> None:
    paths = command(
        commands,
        "paths",
        "show how strangers get from the internet to data, and the fewest changes that end it",
        "paths:show",
    )
    paths.add_argument("--scan", default="latest", help="scan id, its beginning, latest")
    paths.add_argument("--severity", choices=SEVERITIES, help="this one and worse")
    paths.add_argument(
        "--limit", metavar="N", type=int, default=20, help="paths shown (default: %(default)d)"
    )
    paths.add_argument(
        "--json", action="store_true", help="as JSON, with evidence and blast radius"
    )
