"""The arguments of `infrascan run`."""

from __future__ import annotations

from infrascan.cli.parser import (
    EXIT_CODES,
    SEVERITIES,
    Commands,
    add_call_timeout,
    add_model,
    add_output,
    add_providers,
    add_rule_folders,
    add_selection,
    command,
    number,
    percent,
    seconds,
)


def add(commands: Commands) -> None:
    run = command(
        commands,
        "run",
        "scan, report, and store the result",
        "run:run",
        epilog=EXIT_CODES,
        aliases=("research",),
    )
    what = run.add_argument_group("what to read")
    add_providers(what)
    what.add_argument("--demo", action="store_true", help="scan the recorded demo estate")
    add_selection(what)
    add_rule_folders(what)
    what.add_argument(
        "--severity", choices=SEVERITIES, help="only rules of this severity and worse"
    )
    out = run.add_argument_group("what to write")
    add_output(out)
    out.add_argument("--quiet", "-q", action="store_true", help="no progress and no summary")
    out.add_argument(
        "--json-logs", action="store_true", help="progress as JSON lines on standard error"
    )
    gate = run.add_argument_group("when to fail")
    gate.add_argument(
        "--fail-on",
        choices=SEVERITIES,
        help="exit 1 when there are findings of this severity or worse (default: never)",
    )
    gate.add_argument(
        "--min-coverage",
        type=percent,
        metavar="PERCENT",
        help="exit 3 when less than this share was read (default: no limit)",
    )
    how = run.add_argument_group("how to read")
    how.add_argument("--record", metavar="DIR", help="keep each raw answer in a new folder")
    how.add_argument("--replay", metavar="DIR", help="read a recorded folder, not the network")
    how.add_argument(
        "--resume", action="store_true", help="go on with the latest scan that was cut off"
    )
    how.add_argument(
        "--processes",
        type=number,
        default=0,
        metavar="N",
        help="processes that read (default: one for each core, up to 4, where that is worth it)",
    )
    add_call_timeout(how)
    how.add_argument(
        "--deadline",
        type=seconds,
        default=float("inf"),
        metavar="SECONDS",
        help="how long reading may take in all; the rest is reported as gaps (default: no limit)",
    )
    add_model(run.add_argument_group("with a model of yours (a scan needs none)"))
