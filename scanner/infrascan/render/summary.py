"""The figures of a report, computed once and shared by every format."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from infrascan.model import (
    SEVERITIES,
    Category,
    Connection,
    Finding,
    Identity,
    Scan,
    Severity,
    State,
)
from infrascan.packing import repacked
from infrascan.render.first import CATEGORIES, Step, counted_saving, steps
from infrascan.render.gaps import GapGroup, grouped
from infrascan.render.grade import Grade, grade

OWNERLESS = "no owner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """What the resources of one provider or kind cost a month, and what could be saved."""

    name: str
    cost: float
    saving: float
    resources: int  # that have a price


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    findings: list[Finding]  # worst first
    grade: Grade
    steps: tuple[Step, ...]
    gaps: tuple[GapGroup, ...]
    severities: dict[Severity, int]
    matrix: dict[Category, dict[Severity, int]]
    providers: dict[str, dict[Severity, int]]
    spend_by_provider: tuple[Spend, ...]
    spend_by_kind: tuple[Spend, ...]
    spend_by_owner: tuple[Spend, ...]  # none where nothing that costs has an owner
    cost: float
    saving: float
    priced: int
    unpriced: int
    coverage: float
    states: dict[State, int]
    resources: int
    verdicts: int
    connected: tuple[Identity, ...]
    broken: tuple[Identity, ...]


def summarize(scan: Scan) -> Summary:
    findings = worst_first(scan.findings)
    severities = dict.fromkeys(SEVERITIES, 0)
    matrix = {category: dict.fromkeys(SEVERITIES, 0) for category in CATEGORIES}
    providers: dict[str, dict[Severity, int]] = {}
    for provider in sorted({e.partition.provider for e in scan.coverage}):
        providers[provider] = dict.fromkeys(SEVERITIES, 0)
    for f in findings:
        severities[f.severity] += 1
        matrix[f.category][f.severity] += 1
        by = providers.get(f.provider)
        if by is None:
            by = providers[f.provider] = dict.fromkeys(SEVERITIES, 0)
        by[f.severity] += 1
    by_provider, by_kind = spending(scan, findings)
    by_provider = providers_of(scan) or by_provider
    return Summary(
        findings=findings,
        grade=grade(scan),
        steps=steps(findings, scan.paths, scan.cuts, scan.issues),
        gaps=tuple(grouped(scan)),
        severities=severities,
        matrix=matrix,
        providers=providers,
        spend_by_provider=by_provider,
        spend_by_kind=by_kind,
        spend_by_owner=owners(scan),
        cost=scan.monthly_cost,
        saving=scan.monthly_saving,
        priced=sum(spend.resources for spend in by_provider),
        unpriced=sum(scan.unpriced.values()),
        coverage=scan.coverage_percent,
        states={s: sum(e.state is s for e in scan.coverage) for s in State},
        resources=sum(entry.resources for entry in scan.coverage),
        verdicts=sum(rule.flagged + rule.passed + rule.unknown for rule in scan.rules),
        connected=tuple(i for i in scan.identities if i.state is Connection.CONNECTED),
        broken=tuple(i for i in scan.identities if i.state is Connection.ERROR),
    )


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    ranks = {severity: severity.rank for severity in SEVERITIES}
    places = {category: place for place, category in enumerate(CATEGORIES)}
    return sorted(
        findings,
        key=lambda f: (
            ranks[f.severity],
            places[f.category],
            -counted_saving(f),
            f.rule,
            f.resource,
        ),
    )


def spending(scan: Scan, findings: list[Finding]) -> tuple[tuple[Spend, ...], tuple[Spend, ...]]:
    """Cost and saving by provider and by kind, the dearest first."""
    sums: tuple[dict[str, list[float]], dict[str, list[float]]] = ({}, {})
    for resource in repacked(scan.resources):
        cost = resource.data.get("monthly_cost")
        if isinstance(cost, int | float):
            for table, name in zip(sums, (resource.provider, resource.kind), strict=True):
                row = table.setdefault(name, [0.0, 0.0, 0])
                row[0] += cost
                row[2] += 1
    for finding in findings:
        saving = counted_saving(finding)
        if saving:
            for table, name in zip(sums, (finding.provider, finding.kind), strict=True):
                table.setdefault(name, [0.0, 0.0, 0])[1] += saving
    by_provider, by_kind = (
        tuple(
            Spend(name=name, cost=row[0], saving=row[1], resources=int(row[2]))
            for name, row in sorted(table.items(), key=lambda item: (-item[1][0], item[0]))
        )
        for table in sums
    )
    return by_provider, by_kind


def providers_of(scan: Scan) -> tuple[Spend, ...]:
    """The same by provider, each saving where its cost is; () for a scan without that."""
    return tuple(
        Spend(name=s.name, cost=s.cost, saving=s.saving, resources=s.resources)
        for s in scan.spending
        if s.by == "provider" and s.resources
    )


def owners(scan: Scan) -> tuple[Spend, ...]:
    """Cost and saving by owner, the dearest first; () where no resource has an owner."""
    known = [spent for spent in scan.spending if spent.by == "owner"]
    if not any(spent.name for spent in known):
        return ()
    return tuple(
        Spend(
            name=spent.name or OWNERLESS,
            cost=spent.cost,
            saving=spent.saving,
            resources=spent.resources,
        )
        for spent in known
        if spent.cost
    )


def money(amount: float) -> str:
    """US dollars for a reader: cents only where they matter."""
    sign = "-" if amount < 0 else ""
    size = abs(amount)
    return f"{sign}${size:,.0f}" if size >= 100 else f"{sign}${size:,.2f}"


def number(value: int) -> str:
    return f"{value:,}"


def counted(count: int, noun: str, nouns: str = "") -> str:
    """`1 finding`, `2 findings`."""
    return f"{count:,} {noun if count == 1 else nouns or noun + 's'}"
