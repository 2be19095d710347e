"""What changed between two scans, as text, Markdown or JSON: in goes the diff's JSON shape."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from infrascan.model import InputError
from infrascan.render.inert import code, markdown, visible

FINDINGS_SHOWN = 200  # of a bucket
RESOURCES_SHOWN = 50
PATHS_SHOWN = 5

# Bucket, its heading, and what it means to the reader.
FINDINGS = (
    ("new", "New", ""),
    ("became_unknown", "Became unknown", "flagged before, and now not read; this is not a fix"),
    ("changed", "Changed", ""),
    ("became_known", "Became known", "could not be judged before"),
    ("fixed", "Fixed", ""),
    ("no_longer_scanned", "No longer scanned", "left the scope; this is not a fix"),
)
RESOURCES = (
    ("added", "added"),
    ("removed", "removed"),
    ("changed", "changed"),
    ("became_unknown", "became unknown"),
    ("became_known", "became known"),
    ("no_longer_scanned", "no longer scanned"),
)
SIGNS = {"new": "+", "fixed": "-", "changed": "~"}

Diff = Mapping[str, Any]


def render(diff: Diff, form: str = "text") -> str:
    """The diff in one of `FORMS`. Raises `InputError` for another."""
    if form not in FORMS:
        raise InputError(f"unknown format {form!r} (formats: {', '.join(FORMS)})")
    return FORMS[form](diff)


def as_json(diff: Diff) -> str:
    return json.dumps(diff, indent=2) + "\n"


def as_text(diff: Diff) -> str:
    return "\n".join(text_lines(diff)) + "\n"


def as_markdown(diff: Diff) -> str:
    return "\n".join(markdown_lines(diff)) + "\n"


def text_lines(diff: Diff) -> Iterator[str]:
    yield f"{visible(diff['before'])} → {visible(diff['after'])}: {headline(diff)}"
    for bucket, heading, meaning in FINDINGS:
        if not (found := diff["findings"][bucket]):
            continue
        yield ""
        yield f"{heading} ({len(found)})" + (f": {meaning}" if meaning else "")
        for one in found[:FINDINGS_SHOWN]:
            name = visible(one["name"] or one["resource_id"])
            yield f"  {SIGNS.get(bucket, '?')} {one['severity']:<8} {visible(one['title'])}: {name}"
            yield f"      {visible(place(one))}; {visible(one['detail'])}{blame(one)}"
        if len(found) > FINDINGS_SHOWN:
            yield f"  and {len(found) - FINDINGS_SHOWN:,} more"
    yield from text_resources(diff)
    if lost := worse(diff):
        yield ""
        yield f"Read less than before ({len(lost)})"
        for one in lost[:RESOURCES_SHOWN]:
            yield f"  {visible(place(one))}/{visible(one['kind'])}: {states(one)}"


def text_resources(diff: Diff) -> Iterator[str]:
    yield ""
    yield f"Resources: {resources_line(diff)}"
    for one in diff["resources"]["changed"][:RESOURCES_SHOWN]:
        yield f"  ~ {visible(one['key'])}"
        for change in one["changed"][:PATHS_SHOWN]:
            before, after = short(change["before"]), short(change["after"])
            yield f"      {visible(change['path'])}: {visible(before)} → {visible(after)}"
        if (more := one["changed_paths"] - PATHS_SHOWN) > 0:
            yield f"      and {more:,} more"


def markdown_lines(diff: Diff) -> Iterator[str]:
    yield f"## Changes from {code(diff['before'])} to {code(diff['after'])}"
    yield ""
    yield f"**{headline(diff)}**"
    for bucket, heading, meaning in FINDINGS:
        if not (found := diff["findings"][bucket]):
            continue
        yield ""
        yield f"### {heading} ({len(found)})"
        yield ""
        if meaning:
            yield f"{meaning[0].upper()}{meaning[1:]}."
            yield ""
        yield "| Severity | Finding | Resource | Where | Why |"
        yield "| --- | --- | --- | --- | --- |"
        for one in found[:FINDINGS_SHOWN]:
            cells = (
                one["severity"],
                markdown(one["title"]),
                code(one["name"] or one["resource_id"]),
                code(place(one)),
                markdown(one["detail"]) + blame(one),
            )
            yield f"| {' | '.join(cells)} |"
        if len(found) > FINDINGS_SHOWN:
            yield ""
            yield f"And {len(found) - FINDINGS_SHOWN:,} more."
    yield from markdown_resources(diff)
    if lost := worse(diff):
        yield ""
        yield f"### Read less than before ({len(lost)})"
        yield ""
        for one in lost[:RESOURCES_SHOWN]:
            yield f"- {code(place(one) + '/' + one['kind'])}: {states(one)}"


def markdown_resources(diff: Diff) -> Iterator[str]:
    yield ""
    yield "### Resources"
    yield ""
    yield f"{resources_line(diff)}."
    if changed := diff["resources"]["changed"]:
        yield ""
        yield "| Resource | Field | Before | After |"
        yield "| --- | --- | --- | --- |"
        for one in changed[:RESOURCES_SHOWN]:
            for change in one["changed"][:PATHS_SHOWN]:
                before, after = code(short(change["before"])), code(short(change["after"]))
                yield f"| {code(one['key'])} | {code(change['path'])} | {before} | {after} |"


def headline(diff: Diff) -> str:
    """The counts in one line, the empty ones left out."""
    counts = diff["summary"]["findings"]
    said = [
        f"{counts[bucket]:,} {heading.lower()}" for bucket, heading, _ in FINDINGS if counts[bucket]
    ]
    return ", ".join([*said, f"{counts['unchanged']:,} unchanged"])


def resources_line(diff: Diff) -> str:
    counts = diff["summary"]["resources"]
    said = [f"{counts[bucket]:,} {words}" for bucket, words in RESOURCES if counts[bucket]]
    return ", ".join([*said, f"{counts['unchanged']:,} unchanged"])


def place(one: Mapping[str, Any]) -> str:
    return f"{one['provider']}/{one['account']}/{one['region'] or 'global'}"


def blame(one: Mapping[str, Any]) -> str:
    """Who is to blame when it is not the infrastructure."""
    return "" if one["cause"] == "infrastructure" else f" ({one['cause']} change)"


def worse(diff: Diff) -> Sequence[Mapping[str, Any]]:
    """The places of which the later scan read less than the earlier one."""
    ranks = {"read": 2, "partial": 1, "unread": 0, "": 0}
    return [one for one in diff["coverage"] if ranks[one["after"]] < ranks[one["before"]]]


def states(one: Mapping[str, Any]) -> str:
    return f"{one['before']} → {one['after'] or 'not scanned'}"


def short(value: Any) -> str:
    text = "absent" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:60]}…{text[-19:]}"


FORMS: Mapping[str, Callable[[Diff], str]] = {
    "text": as_text,
    "markdown": as_markdown,
    "json": as_json,
}
