"""Answers that a SELECT gives: rows, the sentence made from them, and what they stand on."""

from __future__ import annotations

import re
from typing import Any

import trio

from infrascan.questions.answer import Item, cite, listed, name
from infrascan.questions.seeing import Context, Result, meant
from infrascan.store.fresh import ask_fresh

SHOWN = 8
PLACE = re.compile(r"\{([a-z_]+)(?::([^{}]*))?\}")


async def selected(context: Context) -> Result:
    """Run the question's SELECT over what was read, and say what it gave."""
    question = context.question
    window = context.slots.window
    parameters: dict[str, Any] = {
        "percent": context.number("percent", 0.0),
        "limit": context.limit() or 1_000,
        "seconds": context.seconds(0.0),
        "now": context.scan.observed,
        "name": named(context),
    }
    found = await trio.to_thread.run_sync(
        ask_fresh, context.resources, context.scan, question.sql, parameters
    )
    by_key = {resource.key: resource for resource in context.resources}
    evidence: list[Item] = []
    for row in found.rows:
        resource = by_key[row["resource"]]
        for path in question.evidence:
            evidence += cite(resource, path, context.scan.observed)
        row.setdefault("name", resource.name)
        row["observed_at"] = context.scan.observed
        evidence += [
            Item(
                resource=resource.key,
                path=column,
                value=value,
                observed_at=context.scan.observed,
                of=tuple(item.id for item in evidence if item.resource == resource.key),
            )
            for column, value in row.items()
            if column not in {"resource", "observed_at"} and isinstance(value, int | float)
        ]
    count = context.computed("count(rows)", len(found.rows))
    evidence.append(count)
    values = {
        "count": len(found.rows),
        "where": context.where,
        "each": listed([filled(question.each, row) for row in found.rows], SHOWN),
        "percent": plain(parameters["percent"]),
        "limit": parameters["limit"],
        "window": window.said if window else minutes(parameters["seconds"]),
        "name": name(parameters["name"]),
    }
    for slot in ("percent", "limit", "window"):
        if f"{{{slot}}}" in "".join(question.says.values()):
            evidence.append(Item(resource="", path=f"question.{slot}", value=values[slot]))
    form = "none" if not found.rows else "one" if len(found.rows) == 1 else "some"
    template = question.says.get(form) or question.says["some"]
    notes = ["there are more rows than are shown"] if found.truncated else []
    if len(found.rows) > SHOWN and "{each}" in template:
        evidence.append(context.computed("count(rows not named)", len(found.rows) - SHOWN))
    ok = None if not question.ok else (question.ok == "none") == (not found.rows)
    first = found.rows[0] if len(found.rows) == 1 else {}
    return Result(
        sentence=filled(template, values, quote=False),
        rows=found.rows,
        evidence=evidence,
        ok=ok,
        notes=notes,
        subject={"name": first.get("name", ""), "resource": first.get("resource", "")},
    )


def named(context: Context) -> str:
    """The name to look for: one that is surely meant as one, or that something here has."""
    if "name" not in context.question.slots:
        return ""
    if context.slots.names:
        return context.slots.names[0]
    found = meant(context, {resource.name for resource in context.resources})
    if found and context.slots.maybe:
        return next((word for word in context.slots.maybe if word in found[0].lower()), found[0])
    return found[0] if found else ""


def filled(template: str, values: dict[str, Any], *, quote: bool = True) -> str:
    """The template with values for its braces: numbers short, text of the estate as a name."""

    def put(found: re.Match[str]) -> str:
        key, form = found.groups()
        value = values.get(key)
        if value is None:
            return "unknown"
        if form and isinstance(value, int | float):
            return format(value, form)
        if isinstance(value, str):
            return name(value) if quote else value
        if isinstance(value, list):
            return listed([name(item) for item in value])
        return plain(value)

    return PLACE.sub(put, template)


def plain(value: Any) -> str:
    """A number without a needless fraction."""
    if isinstance(value, float):
        return f"{value:.0f}" if value == int(value) else f"{value:.1f}"
    return str(value)


def minutes(seconds: float) -> str:
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"
