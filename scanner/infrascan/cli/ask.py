"""`infrascan ask` and `infrascan history`."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import trio

from infrascan import cli
from infrascan.cli import selection
from infrascan.cli.models import model_choice
from infrascan.model import InputError
from infrascan.pipeline import Request, all_kinds
from infrascan.questions import Answer, Router, Who, entries, load, shipped_catalogue
from infrascan.questions import ask as asked
from infrascan.render.inert import short, visible
from infrascan.store.home import home

ROWS = 20
WIDTH = 44
HIDDEN = frozenset({"resource", "observed_at", "provider", "evidence"})
EVIDENCE = 12


def ask(options: argparse.Namespace) -> int:
    """Answer on stdout: the sentence, a small table, evidence, what was not seen."""
    if options.list:
        return catalogue(options)
    question = " ".join(options.question).strip()
    if not question:
        raise InputError('give a question, such as "which pods are failing?", or --list')
    if options.namespace:
        question = f"{question} in namespace {options.namespace}"
    answer = trio.run(
        partial(
            asked,
            home(),
            question,
            request=request_of(options),
            model=model_choice(options),
            who=Who(client="cli", session=options.session),
            router=router(options.rules),
        )
    )
    if options.json:
        sys.stdout.write(json.dumps(answer.said(), indent=2, ensure_ascii=True) + "\n")
    else:
        sys.stdout.write(text(answer))
    return cli.CLEAN


def router(own: list[str]) -> Router | None:
    """What understands the user's questions besides the shipped ones; None for these alone.
    Raises `RuleErrors`."""
    if not own:
        return None
    from infrascan.questions.functions import FUNCTIONS
    from infrascan.reason.connect import folders

    if missing := [folder for folder in own if not Path(folder).is_dir()]:
        raise InputError(f"there is no folder of rules {missing[0]!r}")
    places = folders("questions", [Path(folder) for folder in own])
    return Router(load(places, all_kinds(), FUNCTIONS))


def request_of(options: argparse.Namespace) -> Request:
    """What to read. Raises `InputError` for options that contradict one another."""
    return replace(
        selection.request(options, selection.recording(options)),
        call_seconds=options.call_timeout,
        deadline_seconds=options.deadline,
    )


def text(answer: Answer) -> str:
    """The answer for a terminal."""
    lines = [visible(answer.answer)]
    if answer.ok is not None:
        lines.append(f"ok: {'yes' if answer.ok else 'no'}")
    rows = answer.data.get("rows") or []
    if rows:
        lines += ["", *table(rows)]
    lines += facts(answer)
    for title, items in (
        ("changed since it was last asked", [changed(change) for change in answer.changes[:ROWS]]),
        ("not seen", [gap(one) for one in answer.gaps[:ROWS]]),
        ("needs", answer.needs[:ROWS]),
        ("note", answer.notes),
    ):
        if items:
            lines += ["", f"{title}:", *(f"  {visible(str(item))}" for item in items)]
    read = f", read from {', '.join(answer.providers)}" if answer.providers else ""
    lines += ["", f"{answer.status}, as of {answer.observed_at}{read} [{answer.route or 'none'}]"]
    return "\n".join(lines) + "\n"


def facts(answer: Answer) -> list[str]:
    """The first lines of evidence: what the APIs gave."""
    given = [item for item in answer.evidence if not item.get("of") and item["resource"]]
    if not given:
        return []
    lines = ["", "evidence:"]
    for item in given[:EVIDENCE]:
        value = short(json.dumps(item["value"], ensure_ascii=False), 60)
        lines.append(f"  {item['id']}  {short(item['resource'], 70)}  {item['path']} = {value}")
    if len(given) > EVIDENCE:
        lines.append(f"  … and {len(given) - EVIDENCE} more lines (--json)")
    return [visible(line) for line in lines]


def table(rows: list[dict[str, Any]]) -> list[str]:
    """Rows in columns, as wide as they need to be; columns without a value are left out."""
    columns = [
        name
        for name in dict.fromkeys(key for row in rows for key in row)
        if name not in HIDDEN and any(row.get(name) not in (None, "", [], {}) for row in rows)
    ]
    shown = [[cell(row.get(name)) for name in columns] for row in rows[:ROWS]]
    widths = [
        max(len(name), *(len(row[place]) for row in shown)) for place, name in enumerate(columns)
    ]
    lines = [
        "  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip()
        for row in ([name.upper() for name in columns], *shown)
    ]
    more = len(rows) - ROWS
    return [*lines, f"… and {more} more rows (--json shows all)"] if more > 0 else lines


def cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"
    if isinstance(value, list | dict):
        value = ", ".join(map(str, value)) if isinstance(value, list) else json.dumps(value)
    return short(visible(str(value)), WIDTH)


def changed(change: dict[str, Any]) -> str:
    field = f" {change['field']}" if change["field"] else ""
    return f"{change['resource']}{field}: {change['before']} → {change['after']}"


def gap(one: dict[str, Any]) -> str:
    place = "/".join(part for part in (one["provider"], one["account"], one["region"]) if part)
    closing = f"; to close: {one['permission']}" if one["permission"] else ""
    return f"{place} {one['call'] or one['kind']} ({one['reason']}): {short(one['detail'], 120)}{closing}"


def catalogue(options: argparse.Namespace) -> int:
    """What can be asked."""
    known = shipped_catalogue().questions
    if options.json:
        listed = [
            {"id": q.id, "answers": q.answers, "examples": q.examples, "reads": list(q.reads)}
            for q in known
        ]
        sys.stdout.write(json.dumps(listed, indent=2) + "\n")
        return cli.CLEAN
    for question in known:
        example = question.examples[0].replace("{", "").replace("}", "")
        sys.stdout.write(f"{question.id:32} {question.answers}\n{'':32}   {example}\n")
    return cli.CLEAN


def history(options: argparse.Namespace) -> int:
    """What was asked, the newest first."""
    found = entries(home(), limit=options.limit, session=options.session)
    if options.json:
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
        return cli.CLEAN
    for one in found:
        model = f" by {one['model']}" if one["model"] else ""
        news = f", {one['changes']} changed" if one["changes"] else ""
        sys.stdout.write(
            f"{one['time']}  {one['client']}{model}  {one['answer_hash']}  {one['status']}{news}"
            f"  {visible(one['question'])}\n"
        )
    return cli.CLEAN
