"""The arguments of the commands on stored scans."""

from __future__ import annotations

from infrascan.cli.parser import (
    EXIT_CODES,
    SEVERITIES,
    Commands,
    add_output,
    command,
)


def add(commands: Commands) -> None:
    scans = command(commands, "scans", "list the stored scans", "scans:listing")
    scans.add_argument("--json", action="store_true", help="as JSON")
    scans.add_argument("--prune", metavar="N", type=int, help="delete all but the newest N")
    report = command(commands, "report", "render a stored scan again", "scans:report")
    report.add_argument("scan", nargs="?", default="latest", help="scan id, its beginning, latest")
    add_output(report)  # type: ignore[arg-type]
    diff = command(
        commands,
        "diff",
        "compare two stored scans: new, fixed, changed, became unknown",
        "scans:diff",
        epilog=EXIT_CODES,
    )
    diff.add_argument("before", nargs="?", default="latest~1")
    diff.add_argument("after", nargs="?", default="latest")
    diff.add_argument("--format", choices=("text", "markdown", "json"), default="text")
    diff.add_argument(
        "--fail-on", choices=SEVERITIES, help="exit 1 for a new finding of this severity or worse"
    )
    sql = command(commands, "sql", "ask stored scans in read-only SQL", "scans:sql")
    sql.add_argument("query", help="one SELECT; tables: resources findings gaps edges coverage")
    sql.add_argument("--scan", default="latest", help="scan id, latest, or all")
    sql.add_argument("--json", action="store_true", help="rows as JSON")
