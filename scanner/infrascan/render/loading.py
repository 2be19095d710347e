"""Reads a JSON report back into a `Scan`, to render it again in any format.

The scan has what reports need: its resources carry their price and tags, and what the bundle has
of them; its edges are gone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
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
    Spent,
    State,
    Unknown,
)
from infrascan.proof import rebuilt
from infrascan.proof.ledger import head
from infrascan.render import research
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
    facts = {row["id"]: fact(row) for row in report["ledger"]}
    texts = {row["rule"]: row for row in report["rules"]}
    return Scan(
        id=run["id"],
        version=report["generator"]["version"],
        started=run["started"],
        finished=run["finished"],
        observed=run["observed"],
        scope=run["scope"],
        identities=[identity(row) for row in report["identities"]],
        resources=resources(report, gaps),
        edges=[],
        findings=[finding(row, texts[row["rule"]], facts) for row in report["findings"]],
        unknowns=[unknown(row, gaps) for row in report["unknowns"]],
        gaps=gaps,
        coverage=[coverage(row) for row in report["coverage"]],
        rules=[rule(row) for row in report["rules"] if row["flagged"] is not None],
        monthly_cost=report["summary"]["monthly_cost"],
        unpriced=dict(report["summary"]["unpriced"]),
        interrupted=run["interrupted"],
        question=run["question"],
        paths=[research.path(row, facts) for row in report["paths"]],
        cuts=[research.cut(row) for row in report["cuts"]],
        issues=[research.issue(row) for row in report["issues"]],
        path_notes=[str(note) for note in report["path_notes"]],
        research=research.research(report["research"], report["claims"], facts),
        spending=tuple(spent(row) for row in report["spending"]),
        calls=calls(report["ledger"]),
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
        definition=str(row["definition"]),
        reads=tuple(row["reads"]),
    )


def finding(row: dict[str, Any], texts: dict[str, Any], facts: Mapping[str, Evidence]) -> Finding:
    why, fix, references, controls = (row.get(name, texts.get(name)) for name in SHARED)
    place = ("kind", "resource", "resource_id", "name", "provider", "account", "region")
    return Finding(
        **strings(row, "rule", "title", *place, "command", "saving_note"),
        category=Category(row["category"]),
        severity=Severity(row["severity"]),
        evidence=tuple(facts[cited] for cited in row["evidence"]),
        why=why or "",
        fix=fix or "",
        references=tuple(references or ()),
        controls={name: tuple(ids) for name, ids in (controls or {}).items()},
        cost=price(row["cost"]),
        saving=price(row["saving"]),
        saving_counted=bool(row["saving_counted"]),
    )


def fact(row: dict[str, Any]) -> Evidence:
    return Evidence(**strings(row, "resource", "path"), value=row["value"])


def calls(rows: Iterable[dict[str, Any]]) -> dict[str, dict[str, str]]:
    """Which operation gave each field that a fact is about: kind -> field -> operation."""
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        if row["path"] != "monthly_cost":
            kind = str(row["resource"]).partition("/")[0]
            found.setdefault(kind, {})[head(row["path"])] = str(row["call"])
    return found


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


def spent(row: dict[str, Any]) -> Spent:
    return Spent(
        **strings(row, "by", "name"),
        cost=float(row["monthly_cost"]),
        saving=float(row["monthly_saving"]),
        resources=int(row["resources"]),
        unpriced=int(row["unpriced"]),
        told=tuple(row["told"]),
        unsure=int(row["unsure"]),
    )


def resources(report: dict[str, Any], gaps: list[Gap]) -> list[Resource]:
    """The resources of a report, with what the bundle has of their documents, links and gaps."""
    found = {row["key"]: resource(row) for row in report["resources"]}
    for row in report["bundle"]:
        one = found[row["resource"]]
        one.data = {**row["data"], **one.data}
        one.unread = {
            name: gap(at) if isinstance(at, dict) else gaps[at]
            for name, at in row.get("unread", {}).items()
        }
    rebuilt(found, {row["resource"]: row.get("links", {}) for row in report["bundle"]})
    return list(found.values())


def resource(row: dict[str, Any]) -> Resource:
    names = ("monthly_cost", "tags")
    return Resource(
        **strings(row, "kind", "id", "name", "provider", "account", "region"),
        data={name: row[name] for name in names if row[name] is not None},
    )
