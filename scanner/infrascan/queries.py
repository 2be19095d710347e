"""Read-only questions on stored scans: one set for the command line, MCP and models.

Every function takes the home first and answers in JSON values. Scans do not change, so a cursor
continues exactly where the page before it ended. An empty answer says what was not read: nothing
found where nobody looked is no good news.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from infrascan.model import SEVERITIES, Category, InputError, Reason, Severity
from infrascan.store.changes import as_dict
from infrascan.store.cursor import decoded, following, offset
from infrascan.store.diff import diff
from infrascan.store.manifest import ScanInfo
from infrascan.store.manifest import opened as opened_manifest
from infrascan.store.scans import resolve, scans
from infrascan.store.sql import Limits, asked
from infrascan.store.sql import query as run_query

Answer = dict[str, Any]

MOST = 500  # rows of a page
BY = ("owner", "service", "provider")
PLACES = ("provider", "account", "region", "kind")
FINDING = (
    "id, rule, title, category, severity, kind, resource, resource_id, name, provider, account,"
    " region, evidence, fix, command, monthly_cost, monthly_saving, saving_counted, saving_note"
)
WORST_FIRST = "severity_rank, coalesce(monthly_saving, 0) DESC, rule, resource"
TREES = ("tags", "metrics", "unread", "data", "evidence", "controls", "cost", "saving")


def list_scans(home: Path, *, limit: int = 20, cursor: str = "") -> Answer:
    """The stored scans, the latest first: when, of what, how many findings, how much was read.

    A scan that cannot be used has a `problem`.
    """
    known = scans(home)
    start = offset(cursor, "scans", {})
    page = known[start : start + bounded(limit)]
    return {
        "total": len(known),
        "scans": [described(one) for one in page],
        "cursor": following("scans", {}, start, len(page), len(known)),
    }


def get_findings(
    home: Path,
    *,
    scan: str = "latest",
    severity: str = "",
    category: str = "",
    provider: str = "",
    account: str = "",
    region: str = "",
    kind: str = "",
    rule: str = "",
    text: str = "",
    limit: int = 50,
    cursor: str = "",
) -> Answer:
    """What is wrong, the worst first: findings with evidence, fix and dollars saved a month.

    `severity` means this one and worse. `text` is looked for in names, ids, titles and rules. Ask
    for the next page with the `cursor` of this one. `unknown` counts the rules that could not be
    judged on a resource or a place, for the same filters: those may hide findings.
    """
    filters = {
        "severity": choice(severity, [one.value for one in SEVERITIES], "severity"),
        "category": choice(category, [one.value for one in Category], "category"),
        "provider": provider,
        "account": account,
        "region": region,
        "kind": kind,
        "rule": rule,
        "text": text,
    }
    found, start = opened(home, scan, cursor, filters)
    where = Where()
    if filters["severity"]:
        where.add("severity_rank <= ?", Severity(filters["severity"]).rank)
    where.equal(filters, ("category", "rule", *PLACES))
    where.containing(text, ("name", "resource_id", "title", "rule", "resource"))
    answer = page(found, "findings", FINDING, where, WORST_FIRST, start, limit, filters)
    unknown = Where()
    unknown.equal(filters, ("rule", *PLACES))
    (counted,) = asked(found, f"SELECT count(*) AS n FROM unknowns {unknown}", unknown.values)  # noqa: S608
    return answer | {"unknown": counted["n"]} | seen(found, filters)


def get_finding(home: Path, id: str, *, scan: str = "latest") -> Answer:
    """One finding in full, with the resource it is about: evidence, why it matters, the fix, what
    else is wrong with the resource, what it is connected to, and what of it was not read.

    `id` is the finding's id or the beginning of it.
    """
    found = resolve(home, scan)
    rows = asked(
        found,
        "SELECT * EXCLUDE (scan) FROM findings WHERE starts_with(id, ?) ORDER BY id LIMIT 5",
        [id],
    )
    if not rows or not id:
        raise InputError(f"scan {found.id} has no finding {id[:100]!r}")
    if len(rows) > 1:
        several = ", ".join(row["id"] for row in rows)
        raise InputError(f"{id!r} begins the ids of several findings: {several}")
    (finding,) = map(parsed, rows)
    finding["reference_urls"] = json.loads(finding["reference_urls"])
    key = finding["resource"]
    resources = asked(found, "SELECT * EXCLUDE (scan) FROM resources WHERE key = ?", [key])
    return {
        "scan": found.id,
        "finding": finding,
        "resource": parsed(resources[0]) if resources else None,
        "also": asked(
            found,
            "SELECT id, rule, title, severity FROM findings WHERE resource = ? AND id <> ?"
            " ORDER BY severity_rank, rule",
            [key, finding["id"]],
        ),
        "connected": asked(
            found,
            "SELECT name AS relation, target AS resource, 'to' AS direction FROM edges"
            " WHERE source = $1 UNION ALL SELECT name, source, 'from' FROM edges WHERE target = $1"
            " ORDER BY ALL LIMIT 100",
            [key],
        ),
        "unread": asked(
            found,
            "SELECT field, call, reason, permission, detail FROM gaps WHERE resource = ?"
            " ORDER BY ALL",
            [key],
        ),
    }


def get_gaps(
    home: Path,
    *,
    scan: str = "latest",
    provider: str = "",
    account: str = "",
    reason: str = "",
    limit: int = 50,
    cursor: str = "",
) -> Answer:
    """What could not be read and what to grant for it, the most frequent first.

    Gaps with the same cause are one row with a `count`. Rules that need what is missing are
    unknown, never passed.
    """
    filters = {
        "provider": provider,
        "account": account,
        "reason": choice(reason, [one.value for one in Reason], "reason"),
    }
    found, start = opened(home, scan, cursor, filters)
    where = Where()
    where.equal(filters, ("provider", "account", "reason"))
    columns = (
        "provider, account, reason, call, kind, permission, count(*) AS count,"
        " list(DISTINCT region ORDER BY region) AS regions, min(detail) AS detail"
    )
    source = f"(SELECT {columns} FROM gaps {where} GROUP BY ALL)"  # noqa: S608
    order = "count DESC, provider, account, reason, call, kind, permission"
    return page(found, "gaps", "*", where, order, start, limit, filters, source=source)


def coverage(home: Path, *, scan: str = "latest") -> Answer:
    """How much of the estate was read: percent, partitions by state, and each that is not whole."""
    found = resolve(home, scan)
    states = asked(found, "SELECT state, count(*) AS n FROM coverage GROUP BY ALL ORDER BY ALL")
    return {
        "scan": found.id,
        "percent": found.coverage_percent,
        "partitions": {row["state"]: row["n"] for row in states},
        "accounts": asked(
            found,
            "SELECT provider, account, count(*) AS partitions, count(*) FILTER (state = 'read')"
            " AS read, sum(resources)::BIGINT AS resources, sum(calls)::BIGINT AS calls,"
            " sum(failed)::BIGINT AS failed FROM coverage GROUP BY ALL ORDER BY ALL",
        ),
        "not_whole": asked(
            found,
            "SELECT * EXCLUDE (scan) FROM coverage WHERE state <> 'read' ORDER BY ALL LIMIT 500",
        ),
        "unknown": found.unknowns,
        "gaps": found.gaps,
    }


def get_resources(
    home: Path,
    *,
    scan: str = "latest",
    provider: str = "",
    account: str = "",
    region: str = "",
    kind: str = "",
    text: str = "",
    documents: bool = False,
    limit: int = 50,
    cursor: str = "",
) -> Answer:
    """What there is, in order of kind and place; with `documents`, all that the vendor says of it."""
    filters = {
        "provider": provider,
        "account": account,
        "region": region,
        "kind": kind,
        "text": text,
        "documents": str(documents),
    }
    found, start = opened(home, scan, cursor, filters)
    where = Where()
    where.equal(filters, PLACES)
    where.containing(text, ("name", "id", "tags"))
    columns = "key, kind, id, name, provider, account, region, tags, monthly_cost, unread"
    if documents:
        columns += ", metrics, data"
    answer = page(found, "resources", columns, where, "key", start, limit, filters)
    return answer | seen(found, filters)


def top_savings(home: Path, *, scan: str = "latest", limit: int = 20) -> Answer:
    """Where the money is: findings by dollars saved a month, each resource counted once.

    `monthly_saving` is the sum over all of them, not only over those shown.
    """
    found = resolve(home, scan)
    rows = asked(
        found,
        f"SELECT {FINDING} FROM findings WHERE monthly_saving > 0 AND saving_counted"  # noqa: S608
        " ORDER BY monthly_saving DESC, rule, resource LIMIT ?",
        [bounded(limit)],
    )
    rules = (
        "SELECT rule, min(title) AS title, count(*) AS findings, sum(monthly_saving) AS"
        " monthly_saving FROM findings WHERE monthly_saving > 0 AND saving_counted GROUP BY rule"
        " ORDER BY 4 DESC, 1"
    )
    return {
        "scan": found.id,
        "monthly_cost": found.monthly_cost,
        "monthly_saving": found.monthly_saving,
        "findings": [parsed(row) for row in rows],
        "rules": asked(found, rules),
    }


def spending(home: Path, *, by: str = "owner", scan: str = "latest") -> Answer:
    """Who spends what a month, the dearest first: by owner, service or provider, with what could be
    saved of it, each dollar counted once.

    The name "" is what has no owner; `unsure` counts of those whose tags were not read. `unpriced`
    costs money and has no known price, so it is in no sum.
    """
    choice(by, BY, "grouping")
    found = resolve(home, scan)
    rows = (row for row in opened_manifest(found.path).get("spending", ()) if row["by"] == by)
    return {
        "scan": found.id,
        "monthly_cost": found.monthly_cost,
        "monthly_saving": found.monthly_saving,
        "spending": [{name: row[name] for name in row if name != "by"} for row in rows],
        "coverage_percent": found.coverage_percent,
    }


def diff_scans(home: Path, *, before: str = "latest~1", after: str = "latest") -> Answer:
    """What changed between two scans: findings new, fixed, changed, became unknown or known, no
    longer scanned, each with its cause; the same for resources. What was not read is never fixed.
    """
    return as_dict(diff(home, before, after))


def query(
    home: Path, sql: str, *, scan: str = "latest", untrusted: bool = True, rows: int = 1_000
) -> Answer:
    """One SELECT over a stored scan, or over all with scan="all".

    Tables: resources (data, tags, metrics and unread are JSON text: `data->>'InstanceType'`),
    edges, findings, unknowns, gaps, coverage, each with a column `scan`; and scans. DESCRIBE a
    table for its columns. Nothing can be written, and no file read.
    """
    limits = Limits(rows=max(1, min(rows, 10_000)))
    return asdict(run_query(home, sql, scan=scan, untrusted=untrusted, limits=limits))


class Where:
    """The conditions of a SELECT and their parameters."""

    def __init__(self) -> None:
        self.conditions: list[str] = []
        self.values: list[Any] = []

    def add(self, condition: str, *values: Any) -> None:
        self.conditions.append(condition)
        self.values += values

    def equal(self, filters: Mapping[str, str], names: Iterable[str]) -> None:
        for name in names:
            if value := filters[name]:
                self.add(f"{name} = ?", "" if value == "global" else value)

    def containing(self, text: str, columns: Sequence[str]) -> None:
        if text:
            parts = " OR ".join(f"contains(lower({name}), lower(?))" for name in columns)
            self.add(f"({parts})", *[text] * len(columns))

    def __str__(self) -> str:
        return f"WHERE {' AND '.join(self.conditions)}" if self.conditions else ""


def page(
    scan: ScanInfo,
    name: str,
    columns: str,
    where: Where,
    order: str,
    start: int,
    limit: int,
    filters: Mapping[str, str],
    *,
    source: str = "",
) -> Answer:
    """Some rows, how many there are in all, and the cursor of those that follow."""
    rest = f"FROM {source}" if source else f"FROM {name} {where}"
    (counted,) = asked(scan, f"SELECT count(*) AS n {rest}", where.values)
    rows = asked(
        scan,
        f"SELECT {columns} {rest} ORDER BY {order} LIMIT {bounded(limit)} OFFSET {start}",
        where.values,
    )
    return {
        "scan": scan.id,
        "total": counted["n"],
        name: [parsed(row) for row in rows],
        "cursor": following(scan.id, filters, start, len(rows), counted["n"]),
    }


def seen(scan: ScanInfo, filters: Mapping[str, str]) -> Answer:
    """How far the answer can be trusted: the coverage, and filters that name what was not scanned."""
    notes = []
    for name in PLACES:
        if value := filters[name]:
            rows = asked(scan, f"SELECT DISTINCT {name} AS it FROM coverage")  # noqa: S608
            known = sorted(row["it"] or "global" for row in rows)
            if value not in known:
                near = get_close_matches(value, known, n=1)
                hint = f"; did you mean {near[0]}?" if near else ""
                notes.append(f"no {name} {value[:100]!r} was scanned{hint}")
    return {"coverage_percent": scan.coverage_percent, "notes": notes}


def parsed(row: dict[str, Any]) -> dict[str, Any]:
    """The row with its trees as values instead of text."""
    return {
        name: json.loads(value) if name in TREES and isinstance(value, str) else value
        for name, value in row.items()
    }


def described(scan: ScanInfo) -> Answer:
    return {name: value for name, value in asdict(scan).items() if name != "path"}


def choice(value: str, known: Sequence[str], what: str) -> str:
    """The value, when it is one of those known or empty. Raises `InputError`."""
    if value and value not in known:
        raise InputError(f"unknown {what} {value[:100]!r}: one of {', '.join(known)}")
    return value


def bounded(limit: int) -> int:
    if limit < 1:
        raise InputError(f"a page has at least 1 row, not {limit}")
    return min(limit, MOST)


def opened(home: Path, scan: str, cursor: str, filters: Mapping[str, str]) -> tuple[ScanInfo, int]:
    """The scan and the row to start at: a cursor stays with its scan, whatever is the latest."""
    if not cursor:
        return resolve(home, scan), 0
    name = decoded(cursor)[0]
    return resolve(home, name), offset(cursor, name, filters)
