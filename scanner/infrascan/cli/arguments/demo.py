"""The arguments of `infrascan demo`."""

from __future__ import annotations

from infrascan.cli.parser import Commands, command


def add(commands: Commands) -> None:
    demo = command(
        commands,
        "demo",
        "show what infrascan tells, on a recorded estate: no credentials, no network",
        "demo:demo",
        epilog="To go on: infrascan run --demo, infrascan ask --demo QUESTION, infrascan mcp --demo.",
    )
    demo.add_argument("--json", action="store_true", help="as JSON")
