"""The arguments of `infrascan ask` and `infrascan history`."""

from __future__ import annotations

import argparse

from infrascan.cli.parser import (
    Commands,
    add_call_timeout,
    add_model,
    add_providers,
    add_selection,
    command,
    seconds,
)


def add(commands: Commands) -> None:
    ask = command(
        commands, "ask", "answer a question about the estate, read now", "ask:ask", epilog=EXAMPLES
    )
    ask.add_argument("question", nargs="*", help="the question, in plain words")
    ask.add_argument("--json", action="store_true", help="the whole answer as JSON")
    ask.add_argument("--list", action="store_true", help="what can be asked, with an example each")
    ask.add_argument("--session", default="", metavar="NAME", help="for questions that follow")
    ask.add_argument("--namespace", "-n", default="", metavar="NAME", help="Kubernetes namespace")
    ask.add_argument(
        "--rules",
        metavar="DIR",
        action="append",
        default=[],
        help="a folder of your own rules; its questions/ can be asked too (repeatable)",
    )
    add_reading(ask)
    add_model(ask.add_argument_group("with a model of yours, for what the catalogue does not know"))
    history = command(
        commands, "history", "list the questions that were asked, the newest first", "ask:history"
    )
    history.add_argument("--json", action="store_true", help="as JSON")
    history.add_argument("--limit", type=int, default=50, metavar="N", help="default: 50")
    history.add_argument("--session", default="", metavar="NAME", help="of this session only")


def add_reading(parser: argparse.ArgumentParser) -> None:
    """What to read, for a command that reads a part of the estate now."""
    what = parser.add_argument_group("what to read")
    add_providers(what)
    what.add_argument("--demo", action="store_true", help="ask the recorded demo estate")
    what.add_argument("--replay", metavar="DIR", help="read a recorded folder, not the network")
    add_selection(what)
    add_call_timeout(what)
    what.add_argument(
        "--deadline",
        type=seconds,
        default=float("inf"),
        metavar="SECONDS",
        help="how long reading may take in all; the rest is reported as gaps (default: no limit)",
    )


EXAMPLES = """\
examples:
  infrascan ask --demo "which pods use more than 80% of their memory limit?"
  infrascan ask "are all services in the production namespace healthy?" --json
  infrascan ask --list
"""
