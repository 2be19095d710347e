"""The arguments of `infrascan mcp`."""

from __future__ import annotations

import argparse

from infrascan.cli.parser import (
    Commands,
    command,
)

CLIENTS = ("claude", "codex", "cursor", "gemini", "hermes", "openclaw", "vscode", "windsurf")


def add(commands: Commands) -> None:
    mcp = command(commands, "mcp", "serve the Model Context Protocol to agents", "mcp:serve")
    serving(mcp)
    inner = mcp.add_subparsers(dest="mcp_command", metavar="COMMAND")

    config = command(inner, "config", "what a client needs to find the server", "mcp:config")
    config.add_argument("--client", choices=CLIENTS, required=True)
    config.add_argument(
        "--url", metavar="URL", help="of a server that runs, instead of one the client starts"
    )
    config.add_argument("--token", action="store_true", help="the server asks for a token")

    schema = command(inner, "schema", "every tool, with its schemas, as JSON", "mcp:schema")
    offered(schema)


def serving(mcp: argparse.ArgumentParser) -> None:
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
        help="holds the token that clients must send; needed beyond loopback",
    )
    mcp.add_argument("--tls-cert", metavar="FILE", help="certificate, PEM; with --tls-key")
    mcp.add_argument("--tls-key", metavar="FILE", help="its private key, PEM")
    mcp.add_argument(
        "--allow-remote",
        action="store_true",
        help="listen beyond loopback without TLS: it ends in front of us",
    )
    mcp.add_argument(
        "--server-name",
        metavar="NAME",
        action="append",
        default=[],
        help="a further name under which clients address the server",
    )
    offered(mcp)
    mcp.add_argument(
        "--terraform-root",
        metavar="DIR",
        action="append",
        default=[],
        help="a folder below which agents may ask for terraform plan",
    )
    mcp.add_argument(
        "--allow-plan",
        action="store_true",
        help="run terraform plan there without an approval; it runs programs the folder names",
    )
    mcp.add_argument("--model", metavar="VENDOR/MODEL", help="for questions that name none")
    mcp.add_argument("--demo", action="store_true", help="serve the recorded demo estate")


def offered(parser: argparse.ArgumentParser) -> None:
    """Which tools there are."""
    parser.add_argument(
        "--toolsets",
        metavar="NAMES",
        default="",
        help="only these, comma-separated: stored, questions, k8s, aws, docker, planes, terraform, commands",
    )
    parser.add_argument(
        "--read-only", action="store_true", help="without the tools that propose changes"
    )
    parser.add_argument(
        "--compat", choices=("clanker",), default="", help="also the tool names of that server"
    )
