"""Reads a JSON report back into a `Scan`, to render it again in any format.

The scan has what reports need: its resources carry their price and tags, its edges are gone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from infrascan.model import (
    Category,
    Connection,
    Coverage,
    Evidence,
    Finding,
    Gap,
    Identity,
    InputError,
    Partition,
    Price,
    Reason,
    Resource,
    RuleSummary,
    Scan,
    Severity,
    State,
    Unknown,
)
from infrascan.render.document import SCHEMA, SHARED


def load(text: str | bytes, source: str = "the report") -> Scan:
    """The scan in a JSON report; `InputError` names `source` and what is wrong with it."""
    try:
        report = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{source} is not JSON: {error}") from error
    schema = report.get("schema") if isinstance(report, dict) else None
    if schema != SCHEMA:
        found = f"its schema is {schema!r}" if schema else "it has no schema"
        raise InputError(f"{source} is not an {SCHEMA} report: {found}")
    try:
        return scan(report)
    except KeyError as error:
        raise InputError(f"{source} is incomplete: no {error}") from error
    except (TypeError, ValueError, AttributeError, IndexError) as error:
        raise InputError(f"{source} is damaged: {error}") from error


def scan(report: dict[str, Any]) -> Scan:
    run = report["scan"]
    gaps = [gap(row) for row in report["gaps"]]
    texts = {row["rule"]: row for row in report["rules"]}
    return Scan(
        id=run["id"],
        version=report["generator"]["version"],
        started=run["started"],
        finished=run["finished"],
        observed=run["observed"],
        scope=run["scope"],
        identities=[identity(row) for row in report["identities"]],
        resources=[resource(row) for row in report["resources"]],
        edges=[],
        findings=[finding(row, texts[row["rule"]]) for row in report["findings"]],
        unknowns=[unknown(row, gaps) for row in report["unknowns"]],
        gaps=gaps,
        coverage=[coverage(row) for row in report["coverage"]],
        rules=[rule(row) for row in report["rules"] if row["flagged"] is not None],
        monthly_cost=report["summary"]["monthly_cost"],
        unpriced=dict(report["summary"]["unpriced"]),
        interrupted=run["interrupted"],
        question=run["question"],
    )


def strings(row: dict[str, Any], *names: str) -> dict[str, Any]:
    """These members, each a string."""
    for name in names:
        if not isinstance(row[name], str):
            raise TypeError(f"{name} is {type(row[name]).__name__}, not a string")
    return {name: row[name] for name in names}


def identity(row: dict[str, Any]) -> Identity:
    return Identity(
        **strings(row, "provider", "source", "account", "who", "detail", "remedy"),
        state=Connection(row["state"]),
        reason=Reason(row["reason"]),
    )


def gap(row: dict[str, Any]) -> Gap:
    names = ("provider", "account", "region", "kind", "call", "detail", "permission")
    return Gap(**strings(row, *names, "resource", "field"), reason=Reason(row["reason"]))


def coverage(row: dict[str, Any]) -> Coverage:
    return Coverage(
        partition=Partition(**strings(row, "provider", "account", "region", "kind")),
        state=State(row["state"]),
        resources=int(row["resources"]),
        calls=int(row["calls"]),
        failed=int(row["failed"]),
    )


def rule(row: dict[str, Any]) -> RuleSummary:
    return RuleSummary(
        **strings(row, "rule", "title", "kind"),
        category=Category(row["category"]),
        severity=Severity(row["severity"]),
        flagged=int(row["flagged"]),
        passed=int(row["passed"]),
        unknown=int(row["unknown"]),
    )


def finding(row: dict[str, Any], texts: dict[str, Any]) -> Finding:
    why, fix, references, controls = (row.get(name, texts[name]) for name in SHARED)
    place = ("kind", "resource", "resource_id", "name", "provider", "account", "region")
    return Finding(
        **strings(row, "rule", "title", *place, "command", "saving_note"),
        category=Category(row["category"]),
        severity=Severity(row["severity"]),
        evidence=tuple(evidence(row["evidence"])),
        why=why or "",
        fix=fix or "",
        references=tuple(references or ()),
        controls={name: tuple(ids) for name, ids in (controls or {}).items()},
        cost=price(row["cost"]),
        saving=price(row["saving"]),
        saving_counted=bool(row["saving_counted"]),
    )


def evidence(items: Iterable[dict[str, Any]]) -> Iterable[Evidence]:
    for item in items:
        yield Evidence(**strings(item, "resource", "path"), value=item["value"])


def price(row: dict[str, Any] | None) -> Price | None:
    if row is None:
        return None
    monthly = float(row["monthly"])
    return Price(monthly=monthly, **strings(row, "currency", "source", "date", "basis"))


def unknown(row: dict[str, Any], gaps: list[Gap]) -> Unknown:
    place = ("kind", "resource", "name", "provider", "account", "region")
    if row["gap"] < 0:
        raise ValueError(f"there is no gap {row['gap']}")
    return Unknown(**strings(row, "rule", *place), gap=gaps[row["gap"]])


def resource(row: dict[str, Any]) -> Resource:
    names = ("monthly_cost", "tags")
    return Resource(
        **strings(row, "kind", "id", "name", "provider", "account", "region"),
        data={name: row[name] for name in names if row[name] is not None},
    )
