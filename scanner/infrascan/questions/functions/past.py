"""Answers from stored scans: how a thing was, and what the latest scan did not see."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import trio

from infrascan.model import InputError
from infrascan.queries import get_gaps
from infrascan.questions.answer import Item, counted, listed, name
from infrascan.questions.seeing import Context, Result, nearest, unnamed
from infrascan.reason.change import spelled
from infrascan.store.scans import read, scans

MOST_SCANS = 20


async def history_of(context: Context) -> Result:
    """What differed of a thing from each stored scan to the next."""
    return await trio.to_thread.run_sync(compared, context)


def compared(context: Context) -> Result:
    stored = [one for one in scans(context.home) if not one.problem][-MOST_SCANS:]
    wanted = context.names() or (str(context.previous.get("subject", {}).get("name", "")),)
    if not any(wanted):
        return unnamed(context, "resource")
    seen: list[tuple[str, str, dict[str, Any]]] = []  # scan, observed, data
    key = ""
    for one in sorted(stored, key=lambda one: one.started):
        scan = read(context.home, one.id)
        pool = {r.name: r for r in scan.resources} if not key else {}
        if not key:
            found = nearest(wanted[0], pool)
            key = pool[found[0]].key if found and found[0] in (*wanted, *found[:1]) else ""
        resource = next((r for r in scan.resources if r.key == key), None)
        if key and resource is not None:
            seen.append((one.id, scan.observed, dict(leaf_paths(resource.data))))
    if len(seen) < 2:
        said = f"{counted(len(seen), 'stored scan')} hold it" if key else "no stored scan holds it"
        return Result(
            sentence=f"Unknown: the history of {name(wanted[0])} needs two stored scans; {said}.",
            evidence=[context.computed("count(scans)", len(seen)), context.computed("needed", 2)],
            status="unknown",
            needs=[context.question.needs],
        )
    rows, evidence = [], []
    for (_, _, old), (scan_id, observed, new) in pairwise(seen):
        for path in sorted({*old, *new}):
            before, after = old.get(path), new.get(path)
            if before == after:
                continue
            rows.append({"resource": key, "name": path, "before": before, "after": after, "first_seen": observed, "scan": scan_id, "observed_at": observed})  # fmt: skip
            evidence.append(
                Item(resource=key, path=path, value=[before, after], observed_at=observed)
            )
    evidence += [
        context.computed("count(changes)", len(rows)),
        context.computed("count(scans)", len(seen)),
        context.computed("count(not named)", max(0, len(rows) - 8)),
        context.computed("resource", key),
    ]
    parts = [f"{row['name']} {name(row['before'])} → {name(row['after'])}" for row in rows]
    sentence = f"{name(wanted[0])} changed in {counted(len(rows), 'place')} over {counted(len(seen), 'scan')}: {listed(parts)}."
    if not rows:
        sentence = f"{name(wanted[0])} is the same in {counted(len(seen), 'stored scan')}."
    return Result(
        sentence=sentence,
        rows=rows,
        more={"scans": [one for one, _, _ in seen]},
        evidence=evidence,
        subject={"name": key.rpartition("/")[2], "resource": key},
    )


RESTLESS = frozenset({"resourceVersion", "usage", "metrics", "observedGeneration", "managedFields", "monthly_cost"})  # fmt: skip


def leaf_paths(data: Any, steps: tuple[str | int, ...] = ()) -> list[tuple[str, Any]]:
    if isinstance(data, dict):
        return [
            found
            for key, value in data.items()
            if key not in RESTLESS
            for found in leaf_paths(value, (*steps, key))
        ]
    if isinstance(data, list):
        return [f for at, value in enumerate(data) for f in leaf_paths(value, (*steps, at))]
    return [(spelled(steps), data)]


async def blind_spots(context: Context) -> Result:
    """The gaps of the latest stored scan, the most frequent first."""
    try:
        found = await trio.to_thread.run_sync(lambda: get_gaps(context.home, limit=50))
    except InputError as error:
        return Result(
            sentence="Unknown: no scan is stored, so what it did not see is not known.",
            status="unknown",
            needs=[context.question.needs, str(error)],
        )
    rows = [
        {
            "resource": f"gap/{one['provider']}/{one['account']}/{one['call'] or one['kind']}",
            "name": one["call"] or one["kind"],
            "provider": one["provider"],
            "account": one["account"],
            "reason": one["reason"],
            "count": one["count"],
            "permission": one["permission"],
            "detail": one["detail"],
        }
        for one in found["gaps"]
    ]
    evidence = [
        Item(
            resource=row["resource"], path="gap", value=[row["reason"], row["count"], row["detail"]]
        )
        for row in rows
    ]
    evidence += [
        context.computed("count(causes)", found["total"]),
        context.computed("count(not named)", max(0, len(rows) - 6)),
        context.computed("scan", found["scan"]),
    ]
    parts = [f"{name(row['name'])} ({row['reason']})" for row in rows]
    sentence = (
        f"Scan {found['scan']} has gaps of {counted(found['total'], 'cause')}: {listed(parts, 6)}."
    )
    if not rows:
        sentence = f"Scan {found['scan']} has no gap."
    needs = list(dict.fromkeys(row["permission"] for row in rows if row["permission"]))
    return Result(
        sentence=sentence,
        rows=rows,
        more={"scan": found["scan"]},
        evidence=evidence,
        ok=not rows,
        needs=needs,
        state={row["resource"]: {"reason": row["reason"]} for row in rows},
    )
