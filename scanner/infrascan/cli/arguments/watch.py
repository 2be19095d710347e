"""The arguments of `infrascan watch`."""

from __future__ import annotations

import argparse

from infrascan.cli.parser import (
    SEVERITIES,
    Commands,
    add_call_timeout,
    add_providers,
    add_rule_folders,
    add_selection,
    command,
    seconds,
)

EPILOG = """\
It tells what turned and nothing else: a finding that is new, worse, fixed, or cannot be judged any
more; a provider or scan that fails; a check that fails, and each recovery. The first run tells
what stands. What is known survives a restart; a notification that is not taken is tried again.

  infrascan watch --every 30m --notify slack:env:SLACK_WEBHOOK --quiet-hours "22:00-07:00 Europe/Zurich"

exit codes, at the end of --once or --runs, or at a signal:
  0    the last run read what it was to read
  2    bad usage or input
  3    the last run could not read a provider or failed, or notifications are left to deliver
  4    a defect of infrascan
"""


def add(commands: Commands) -> None:
    watch = command(
        commands, "watch", "scan again and again, and tell what turned", "watch:watch", EPILOG
    )
    when = watch.add_argument_group("when to look")
    when.add_argument(
        "--every", default="30m", metavar="TIME", help="time between two runs (default: 30m)"
    )
    when.add_argument("--once", action="store_true", help="one run, for a timer of your own")
    when.add_argument("--runs", type=runs, metavar="N", help="end after so many runs")
    when.add_argument(
        "--jitter",
        type=jitter,
        metavar="SECONDS",
        help="the most by which chance puts a run off (default: 5 %% of the time, at most 30)",
    )
    what = watch.add_argument_group("what to read")
    add_providers(what)
    what.add_argument("--demo", action="store_true", help="watch the recorded demo estate")
    what.add_argument("--replay", metavar="DIR", help="read a recorded folder, not the network")
    add_selection(what)
    add_rule_folders(what)
    what.add_argument(
        "--checks",
        metavar="FILE|QUESTION",
        action="append",
        default=[],
        help="questions that are to be answered with yes: a YAML file, a Markdown checklist "
        "such as HEARTBEAT.md, or a question (repeatable)",
    )
    add_call_timeout(what)
    what.add_argument(
        "--deadline",
        type=seconds,
        metavar="SECONDS",
        help="how long one run may read; the rest is not known then (default: the time between two)",
    )
    tell = watch.add_argument_group("what to tell, and to whom")
    tell.add_argument(
        "--on",
        choices=SEVERITIES,
        default="high",
        help="findings of this severity and worse are told (default: %(default)s)",
    )
    tell.add_argument(
        "--notify",
        metavar="WHERE",
        action="append",
        help="terminal, file:PATH, webhook:URL or slack:URL; for a URL that holds a secret, "
        "webhook:env:NAME reads it from a variable (repeatable; default: terminal)",
    )
    tell.add_argument(
        "--quiet-hours",
        metavar='"HH:MM-HH:MM [ZONE]"',
        help="keep what turns in them for one digest at their end",
    )
    tell.add_argument(
        "--loud",
        choices=SEVERITIES,
        help="what is this severe, or worse, is told in quiet hours too (default: nothing)",
    )
    tell.add_argument(
        "--propose",
        action="store_true",
        help="look closer at pods that fall ill, and queue what may help for an operator to decide",
    )
    tell.add_argument("--json", action="store_true", help="the terminal gets a JSON object a line")
    tell.add_argument(
        "--json-logs", action="store_true", help="what happens, as JSON lines on standard error"
    )
    tell.add_argument(
        "--keep",
        type=keep,
        default=96,
        metavar="N",
        help="scans of this watch to keep, 0 for all (default: %(default)s)",
    )


def runs(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of runs")
    return int(text)


def keep(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) == 1:
        raise argparse.ArgumentTypeError(f"{text!r} is neither 0 nor at least 2")
    return int(text)


def jitter(text: str) -> float:
    return 0.0 if text.strip() in {"0", "0s"} else seconds(text)
