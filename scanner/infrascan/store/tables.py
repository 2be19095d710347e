"""The tables of a stored scan: which columns each has, and how its rows become nouns again.

Columns that people ask for are typed; whatever is a tree is JSON text. Vendor's data are kept as
they came, save for two fields of ours, `metrics` and `monthly_cost`, which have columns of their
own: they move with every scan, and a resource has not changed because its load has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from typing import Any

from infrascan.model import Edge, Evidence, Finding, Resource, Scan, Unknown
from infrascan.packing import repacked
from infrascan.store.connected import (
    ISSUES,
    PATHS,
    fill_issues,
    fill_paths,
    issue_rows,
    path_rows,
)
from infrascan.store.records import (
    CATEGORY,
    GAP,
    SEVERITY,
    Gaps,
    coverage_json,
    coverage_of,
    decoded,
    encoded,
    gap_row,
    price_json,
    price_of,
    unread_json,
    unread_of,
)

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One Parquet file of a scan.

    `columns` maps each name to its type: text, number, count, flag, or word, which is text that
    repeats from row to row and is kept as a dictionary.
    """

    name: str
    columns: Mapping[str, str]
    rows: Callable[[Scan], Iterator[Row]]
    fill: Callable[[Scan, Iterable[Row]], None]  # puts rows that were read into the scan


RESOURCES = {
    "key": "text",
    "kind": "word",
    "id": "text",
    "name": "text",
    "provider": "word",
    "account": "word",
    "region": "word",
    "tags": "text",
    "monthly_cost": "number",
    "metrics": "text",
    "unread": "word",
    "digest": "text",
    "links": "text",
    "data": "text",
}


def resource_rows(scan: Scan) -> Iterator[Row]:
    position = {id(resource): row for row, resource in enumerate(scan.resources)}
    for resource in repacked(scan.resources):
        data = resource.data
        cost, metrics = data.get("monthly_cost"), data.get("metrics")
        text = encoded(kept(data))
        tags = data.get("tags")
        yield (
            resource.key,
            resource.kind,
            resource.id,
            resource.name,
            resource.provider,
            resource.account,
            resource.region,
            encoded(tags) if isinstance(tags, dict) and tags else None,
            cost if isinstance(cost, float) else None,
            encoded(metrics) if isinstance(metrics, dict) else None,
            encoded(unread_json(resource.unread)) if resource.unread else None,
            digest(text),
            encoded(positions(resource, position)) if resource.links else None,
            text,
        )


def kept(data: dict[str, Any]) -> dict[str, Any]:
    """The document without the fields that have columns of their own."""
    cost = isinstance(data.get("monthly_cost"), float)
    metrics = isinstance(data.get("metrics"), dict)
    if not cost and not metrics:
        return data
    return {
        name: value
        for name, value in data.items()
        if not (cost and name == "monthly_cost") and not (metrics and name == "metrics")
    }


def digest(text: str) -> str:
    """Thirty-two hex digits that differ when the text does."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def positions(resource: Resource, position: Mapping[int, int]) -> dict[str, list[int]]:
    """The links as rows of the resource table. A target outside the scan has none and is left."""
    return {
        name: [position[id(target)] for target in targets if id(target) in position]
        for name, targets in resource.links.items()
    }


def fill_resources(scan: Scan, rows: Iterable[Row]) -> None:
    gaps = Gaps()
    linked: list[tuple[Resource, str]] = []
    for row in rows:
        (
            _,
            kind,
            identifier,
            name,
            provider,
            account,
            region,
            _,
            cost,
            metrics,
            unread,
            _,
            links,
            text,
        ) = row
        data = decoded(text)
        if metrics is not None:
            data["metrics"] = decoded(metrics)
        if cost is not None:
            data["monthly_cost"] = cost
        resource = Resource(
            kind=kind,
            id=identifier,
            name=name,
            provider=provider,
            account=account,
            region=region,
            data=data,
            unread=unread_of(decoded(unread), gaps) if unread is not None else {},
        )
        scan.resources.append(resource)
        if links is not None:
            linked.append((resource, links))
    for resource, links in linked:
        resource.links = {
            name: [scan.resources[row] for row in rows] for name, rows in decoded(links).items()
        }


EDGES = {"source": "word", "name": "word", "target": "word"}


def edge_rows(scan: Scan) -> Iterator[Row]:
    return ((edge.source, edge.name, edge.target) for edge in scan.edges)


def fill_edges(scan: Scan, rows: Iterable[Row]) -> None:
    scan.edges.extend(Edge(source=source, name=name, target=to) for source, name, to in rows)


FINDINGS = {
    "id": "text",
    "rule": "word",
    "title": "word",
    "category": "word",
    "severity": "word",
    "kind": "word",
    "resource": "text",
    "resource_id": "text",
    "name": "text",
    "provider": "word",
    "account": "word",
    "region": "word",
    "monthly_cost": "number",
    "monthly_saving": "number",
    "evidence": "text",
    "why": "word",
    "fix": "word",
    "command": "text",
    "reference_urls": "word",  # REFERENCES is a word of SQL
    "controls": "word",
    "cost": "word",
    "saving": "word",
    "saving_note": "word",
    "saving_counted": "flag",
}


def finding_rows(scan: Scan) -> Iterator[Row]:
    for finding in scan.findings:
        cost, saving = finding.cost, finding.saving
        yield (
            finding.id,
            finding.rule,
            finding.title,
            finding.category.value,
            finding.severity.value,
            finding.kind,
            finding.resource,
            finding.resource_id,
            finding.name,
            finding.provider,
            finding.account,
            finding.region,
            cost.monthly if cost else None,
            saving.monthly if saving else None,
            evidence_text(finding.evidence),
            finding.why,
            finding.fix,
            finding.command,
            encoded(finding.references),
            encoded({name: list(ids) for name, ids in finding.controls.items()}),
            encoded(price_json(cost)) if cost else None,
            encoded(price_json(saving)) if saving else None,
            finding.saving_note,
            finding.saving_counted,
        )


def evidence_text(evidence: Iterable[Evidence]) -> str:
    return encoded([{"resource": e.resource, "path": e.path, "value": e.value} for e in evidence])


def evidence_of(text: str) -> tuple[Evidence, ...]:
    return tuple(Evidence(**item) for item in decoded(text))


def strings_of(text: str) -> tuple[str, ...]:
    return tuple(decoded(text))


def controls_of(text: str) -> dict[str, tuple[str, ...]]:
    return {name: tuple(ids) for name, ids in decoded(text).items()}


def fill_findings(scan: Scan, rows: Iterable[Row]) -> None:
    names = tuple(FINDINGS)
    # What the findings of one rule share is one object in memory.
    references, controls = cache(strings_of), cache(controls_of)
    for row in rows:
        value = dict(zip(names, row, strict=True))
        for derived in ("id", "monthly_cost", "monthly_saving"):
            del value[derived]
        value["category"] = CATEGORY[value["category"]]
        value["severity"] = SEVERITY[value["severity"]]
        value["evidence"] = evidence_of(value["evidence"])
        value["references"] = references(value.pop("reference_urls"))
        value["controls"] = controls(value["controls"])
        value["cost"] = price_of(decoded(value["cost"])) if value["cost"] else None
        value["saving"] = price_of(decoded(value["saving"])) if value["saving"] else None
        scan.findings.append(Finding(**value))


UNKNOWNS = {
    "rule": "word",
    "kind": "word",
    "resource": "text",
    "name": "text",
    "provider": "word",
    "account": "word",
    "region": "word",
} | {f"gap_{name}": "word" for name in GAP}


def unknown_rows(scan: Scan) -> Iterator[Row]:
    for unknown in scan.unknowns:
        yield (
            unknown.rule,
            unknown.kind,
            unknown.resource,
            unknown.name,
            unknown.provider,
            unknown.account,
            unknown.region,
            *gap_row(unknown.gap),
        )


def fill_unknowns(scan: Scan, rows: Iterable[Row]) -> None:
    gaps = Gaps()
    for rule, kind, resource, name, provider, account, region, *gap in rows:
        scan.unknowns.append(
            Unknown(
                rule=rule,
                kind=kind,
                resource=resource,
                name=name,
                provider=provider,
                account=account,
                region=region,
                gap=gaps(tuple(gap)),
            )
        )


def gap_rows(scan: Scan) -> Iterator[Row]:
    return map(gap_row, scan.gaps)


def fill_gaps(scan: Scan, rows: Iterable[Row]) -> None:
    scan.gaps.extend(map(Gaps(), rows))


COVERAGE = {
    "provider": "word",
    "account": "word",
    "region": "word",
    "kind": "word",
    "state": "word",
    "resources": "count",
    "calls": "count",
    "failed": "count",
}


def coverage_rows(scan: Scan) -> Iterator[Row]:
    return (tuple(coverage_json(entry)) for entry in scan.coverage)


def fill_coverage(scan: Scan, rows: Iterable[Row]) -> None:
    scan.coverage.extend(coverage_of(list(row)) for row in rows)


INVENTORY: tuple[Table, ...] = (
    Table(name="resources", columns=RESOURCES, rows=resource_rows, fill=fill_resources),
    Table(name="edges", columns=EDGES, rows=edge_rows, fill=fill_edges),
)
VERDICTS: tuple[Table, ...] = (
    Table(name="findings", columns=FINDINGS, rows=finding_rows, fill=fill_findings),
    Table(name="unknowns", columns=UNKNOWNS, rows=unknown_rows, fill=fill_unknowns),
    Table(name="gaps", columns=dict.fromkeys(GAP, "word"), rows=gap_rows, fill=fill_gaps),
    Table(name="coverage", columns=COVERAGE, rows=coverage_rows, fill=fill_coverage),
    Table(name="paths", columns=PATHS, rows=path_rows, fill=fill_paths),
    Table(name="issues", columns=ISSUES, rows=issue_rows, fill=fill_issues),
)
TABLES: tuple[Table, ...] = INVENTORY + VERDICTS
