"""`infrascan verify`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from infrascan import cli
from infrascan.model import InputError

if TYPE_CHECKING:
    from infrascan.evaluate import RuleSet
    from infrascan.reason.verify import Checked, State, Verification

UNJUDGED = 3
SHOWN = 50  # things of one state


def verify(options: argparse.Namespace) -> int:
    """Check a report and say what of it is broken."""
    from infrascan.reason.verify import State
    from infrascan.reason.verify import verify as check

    source = "standard input" if options.report == "-" else options.report
    folders = tuple(Path(folder) for folder in options.rules)
    found = check(contents(options.report), lambda names: rules_for(names, folders), source)
    if options.json:
        print(json.dumps(found.as_dict(), indent=2))
    else:
        told(found)
    if found.broken:
        return cli.FINDINGS
    return UNJUDGED if found.of(State.UNVERIFIABLE) else cli.CLEAN


def contents(name: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise InputError(f"{name} cannot be read: {error.strerror}") from error


def rules_for(names: Sequence[str], folders: tuple[Path, ...]) -> RuleSet:
    """The rules that a scan of these providers has here."""
    from infrascan.pipeline import Request, all_kinds, chosen_rules
    from infrascan.providers import PLANES, PROVIDERS

    here = tuple(name for name in (*PROVIDERS, *PLANES) if name in names)
    return chosen_rules(Request(rule_folders=folders), all_kinds(here))


def told(found: Verification) -> None:
    from infrascan.reason.verify import State

    for what, states in found.counts():
        counts = ", ".join(f"{count:,} {state}" for state, count in states.items() if count)
        print(f"{plural(what):<10} {counts}")
    for state in (State.BROKEN, State.UNVERIFIABLE):
        shown(found.of(state), state)
    print(f"\nroot {found.root}")
    if found.sound:
        print("All verified: nothing was changed, and every finding follows from the report.")


def shown(checked: list[Checked], state: State) -> None:
    from infrascan.render.inert import short, visible

    if checked:
        print(f"\n{state.value.capitalize()}:")
    for one in checked[:SHOWN]:
        name = f"  {short(visible(one.name), 100)}" if one.name else ""
        print(f"  {one.what} {visible(one.id)}{name}")
        for why in one.why[:5]:
            print(f"    {short(visible(why), 300)}")
    if len(checked) > SHOWN:
        print(f"  and {len(checked) - SHOWN:,} more; --json names all")


def plural(what: str) -> str:
    return f"{what}s"
