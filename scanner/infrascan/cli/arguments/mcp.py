"""The arguments of `infrascan mcp`."""

from __future__ import annotations

from infrascan.cli.parser import (
    Commands,
    command,
)


def add(commands: Commands) -> None:
    mcp = command(commands, "mcp", "serve the Model Context Protocol to agents", "mcp:serve")
    mcp.add_argument("--transport", choices=("stdio", "http"), default="stdio")
    mcp.add_argument(
        "--listen",
        metavar="HOST:PORT",
        default="127.0.0.1:39393",
        help="for http (default: %(default)s)",
    )
    mcp.add_argument(
        "--token-file",
        metavar="FILE",
        help="holds the bearer token that clients must send; needed beyond loopback",
    )
