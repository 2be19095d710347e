"""The JSON report: a shape of its own with a version, from which a scan can be read back.

`reports/json/report-2.schema.json` describes it. A finding leaves out what its rule says for all
findings (why, fix, references, controls), unless its own text differs, and cites its evidence by
the ids of the ledger. Resources are not dumped: a row each for those that a finding names or that
have a price, and in the bundle what it takes to judge each finding again. Everything but ASCII is
escaped, so that the strings, kept whole here, are inert in any viewer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from infrascan.model import (
    Coverage,
    Fact,
    Finding,
    Gap,
    Identity,
    Price,
    Resource,
    Scan,
    Spent,
    Unknown,
)
from infrascan.packing import repacked
from infrascan.proof import Kept, bundle, chosen, entries
from infrascan.render.first import Step
from infrascan.render.gaps import gaps_of
from infrascan.render.research import cites, claim_row, cut_row, issue_row, path_row, research_row
from infrascan.render.sealing import Seal, line, sealed
from infrascan.render.summary import Summary, summarize

SCHEMA = "infrascan.report/2"
SHARED = ("why", "fix", "references", "controls")


def chunks(scan: Scan) -> Iterator[str]:
    summary = summarize(scan)
    gaps = gaps_of(scan)
    firsts = {f.rule: f for f in reversed(summary.findings)}
    places = {gap: place for place, gap in enumerate(gaps)}
    wanted = chosen(scan)
    seal = Seal()
    yield "{\n"
    yield from seal.member("schema", SCHEMA)
    yield from seal.member("generator", {"name": "infrascan", "version": scan.version})
    yield from seal.member("scan", run(scan))
    yield from seal.member("summary", figures(scan, summary, len(gaps)))
    steps = (step_row(s, f) for s, f in enumerate(summary.steps, 1))
    yield from seal.rows("first", map(line, steps))
    yield from seal.rows("spending", map(line, map(spent_row, scan.spending)))
    yield from seal.rows("identities", map(line, map(identity_row, scan.identities)))
    yield from seal.rows("coverage", map(line, map(coverage_row, scan.coverage)))
    yield from seal.rows("gaps", map(line, map(gap_row, gaps)))
    yield from seal.rows("rules", map(line, rule_rows(scan, firsts)))
    findings = (finding_row(f, firsts[f.rule]) for f in summary.findings)
    yield from seal.rows("findings", map(sealed, findings))
    yield from seal.rows("paths", map(sealed, map(path_row, scan.paths)))
    yield from seal.rows("cuts", map(line, map(cut_row, scan.cuts)))
    yield from seal.rows("issues", map(line, map(issue_row, scan.issues)))
    yield from seal.member("path_notes", scan.path_notes)
    yield from seal.member("research", research_row(scan.research))
    yield from seal.rows("claims", map(sealed, map(claim_row, scan.research.claims)))
    yield from seal.rows("unknowns", (line(unknown_row(u, places[u.gap])) for u in scan.unknowns))
    yield from seal.rows("resources", map(line, resource_rows(scan, wanted)))
    yield from seal.rows("ledger", map(sealed, map(fact_row, entries(scan, summary.findings))))
    kept = (kept_row(one, places) for one in bundle(scan, wanted))
    yield from seal.rows("bundle", map(sealed, kept))
    yield seal.end()
    yield "}\n"


def run(scan: Scan) -> dict[str, Any]:
    return {
        "id": scan.id,
        "started": scan.started,
        "finished": scan.finished,
        "observed": scan.observed,
        "interrupted": scan.interrupted,
        "question": scan.question,
        "scope": scan.scope,
    }


def figures(scan: Scan, summary: Summary, gaps: int) -> dict[str, Any]:
    grade = summary.grade
    return {
        "grade": {
            "letter": grade.letter,
            "as_read": grade.as_read,
            "at_worst": grade.at_worst,
            "score": round(grade.score, 2),
            "confidence_percent": round(grade.confidence, 2),
            "because": list(grade.because),
        },
        "findings": len(summary.findings),
        "severities": dict(summary.severities),
        "categories": {name: sum(row.values()) for name, row in summary.matrix.items()},
        "providers": {name: sum(row.values()) for name, row in summary.providers.items()},
        "unknowns": len(scan.unknowns),
        "verdicts": summary.verdicts,
        "gaps": gaps,
        "coverage_percent": round(summary.coverage, 2),
        "partitions": dict(summary.states),
        "resources": summary.resources,
        "currency": "USD",
        "monthly_cost": float(scan.monthly_cost),
        "monthly_saving": round(summary.saving, 2),
        "unpriced": dict(sorted(scan.unpriced.items())),
    }


def step_row(place: int, step: Step) -> dict[str, Any]:
    return {
        "place": place,
        "title": step.title,
        "severity": step.severity,
        "rule": step.rule,
        "finding": step.finding,
        "issue": step.issue,
        "paths": list(step.paths),
        "findings": step.findings,
        "monthly_saving": round(step.saving, 2),
    }


def spent_row(spent: Spent) -> dict[str, Any]:
    return {
        "by": spent.by,
        "name": spent.name,
        "monthly_cost": spent.cost,
        "monthly_saving": spent.saving,
        "resources": spent.resources,
        "unpriced": spent.unpriced,
        "told": list(spent.told),
        "unsure": spent.unsure,
    }


def identity_row(identity: Identity) -> dict[str, Any]:
    return {
        "provider": identity.provider,
        "state": identity.state,
        "source": identity.source,
        "account": identity.account,
        "who": identity.who,
        "detail": identity.detail,
        "remedy": identity.remedy,
        "reason": identity.reason,
    }


def coverage_row(entry: Coverage) -> dict[str, Any]:
    return {
        "provider": entry.partition.provider,
        "account": entry.partition.account,
        "region": entry.partition.region,
        "kind": entry.partition.kind,
        "state": entry.state,
        "resources": entry.resources,
        "calls": entry.calls,
        "failed": entry.failed,
    }


def gap_row(gap: Gap) -> dict[str, Any]:
    return {
        "provider": gap.provider,
        "account": gap.account,
        "region": gap.region,
        "kind": gap.kind,
        "call": gap.call,
        "reason": gap.reason,
        "detail": gap.detail,
        "permission": gap.permission,
        "resource": gap.resource,
        "field": gap.field,
    }


def shared(finding: Finding) -> dict[str, Any]:
    """What a finding usually has in common with the others of its rule."""
    return {
        "why": finding.why,
        "fix": finding.fix,
        "references": list(finding.references),
        "controls": {name: list(ids) for name, ids in sorted(finding.controls.items())},
    }


def by_rule(finding: Finding) -> str:
    return finding.rule


def rule_rows(scan: Scan, firsts: dict[str, Finding]) -> Iterator[dict[str, Any]]:
    """Rules that ran, then those that only findings name; the latter have no counts."""
    for rule in scan.rules:
        yield {
            "rule": rule.rule,
            "title": rule.title,
            "category": rule.category,
            "severity": rule.severity,
            "kind": rule.kind,
            "flagged": rule.flagged,
            "passed": rule.passed,
            "unknown": rule.unknown,
            "definition": rule.definition,
            "reads": list(rule.reads) if rule.flagged else [],
            **(shared(firsts[rule.rule]) if rule.rule in firsts else {}),
        }
    ran = {rule.rule for rule in scan.rules}
    for finding in sorted((f for f in firsts.values() if f.rule not in ran), key=by_rule):
        yield {
            "rule": finding.rule,
            "title": finding.title,
            "category": finding.category,
            "severity": finding.severity,
            "kind": finding.kind,
            "flagged": None,
            "passed": None,
            "unknown": None,
            "definition": "",
            "reads": [],
            **shared(finding),
        }


def finding_row(finding: Finding, first: Finding) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": finding.id,
        "rule": finding.rule,
        "title": finding.title,
        "category": finding.category,
        "severity": finding.severity,
        "kind": finding.kind,
        "resource": finding.resource,
        "resource_id": finding.resource_id,
        "name": finding.name,
        "provider": finding.provider,
        "account": finding.account,
        "region": finding.region,
        "evidence": cites(finding.evidence),
        "command": finding.command,
        "cost": price_row(finding.cost),
        "saving": price_row(finding.saving),
        "saving_note": finding.saving_note,
        "saving_counted": finding.saving_counted,
    }
    own = [name for name in SHARED if getattr(finding, name) != getattr(first, name)]
    if own:
        texts = shared(finding)
        row.update((name, texts[name]) for name in own)
    return row


def price_row(price: Price | None) -> dict[str, Any] | None:
    if price is None:
        return None
    return {
        "monthly": float(price.monthly),
        "currency": price.currency,
        "source": price.source,
        "date": price.date,
        "basis": price.basis,
    }


def unknown_row(unknown: Unknown, gap: int) -> dict[str, Any]:
    return {
        "rule": unknown.rule,
        "kind": unknown.kind,
        "resource": unknown.resource,
        "name": unknown.name,
        "provider": unknown.provider,
        "account": unknown.account,
        "region": unknown.region,
        "gap": gap,
    }


def fact_row(fact: Fact) -> dict[str, Any]:
    return {
        "id": fact.id,
        "resource": fact.resource,
        "path": fact.path,
        "value": fact.value,
        "call": fact.call,
        "observed": fact.observed,
        "trusted": fact.trusted,
    }


def kept_row(kept: Kept, gaps: Mapping[Gap, int]) -> dict[str, Any]:
    """A gap is its place in `gaps`; one that is not among those stands here."""
    row: dict[str, Any] = {"resource": kept.resource.key, "data": kept.data}
    if kept.links:
        row["links"] = kept.links
    if kept.unread:
        row["unread"] = {
            name: gaps[gap] if gap in gaps else gap_row(gap) for name, gap in kept.unread.items()
        }
    return row


def resource_rows(scan: Scan, wanted: Collection[str]) -> Iterator[dict[str, Any]]:
    """Those that a finding names, that have a price, or that the bundle has a part of."""
    named = {finding.resource for finding in scan.findings}.union(wanted)
    for resource in repacked(scan.resources):
        if "monthly_cost" in resource.data or resource.key in named:
            yield resource_row(resource)


def resource_row(resource: Resource) -> dict[str, Any]:
    return {
        "key": resource.key,
        "kind": resource.kind,
        "id": resource.id,
        "name": resource.name,
        "provider": resource.provider,
        "account": resource.account,
        "region": resource.region,
        "monthly_cost": resource.data.get("monthly_cost"),
        "tags": resource.data.get("tags"),
    }
