"""`infrascan verify`."""

from __future__ import annotations

from infrascan.cli.parser import Commands, command


def add(commands: Commands) -> None:
    added = command(
        commands,
        "verify",
        "check a JSON report against itself, offline: lines, findings, paths, claims",
        "verify:verify",
        epilog=(
            "Every hash is made again, every finding judged again by its rule from the report's\n"
            "bundle. What is broken is named, with what differs.\n\n"
            "exit codes: 0 all verified, 1 broken, 2 not a report,\n"
            "            3 nothing broken, but rules are missing or others than the report's"
        ),
    )
    added.add_argument(
        "report", metavar="REPORT.json", help="a report of --format json; - for stdin"
    )
    added.add_argument(
        "--rules",
        metavar="DIR",
        action="append",
        default=[],
        help="folder of your own rules that the report was made with (repeatable)",
    )
    added.add_argument("--json", action="store_true", help="print what was checked as JSON")
