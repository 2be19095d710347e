"""Paths, cuts, issues and claims as rows of the JSON report, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from infrascan.model import (
    Category,
    Claim,
    Cut,
    Evidence,
    Fix,
    Issue,
    Path,
    Research,
    Severity,
    Step,
    Usage,
)
from infrascan.proof import fact_id


def cites(evidence: Iterable[Evidence]) -> list[str]:
    """The ids under which the ledger has these facts."""
    return [fact_id(e.resource, e.path, e.value) for e in evidence]


def fix_row(fix: Fix) -> dict[str, Any]:
    return {
        "id": fix.id,
        "resource": fix.resource,
        "text": fix.text,
        "command": fix.command,
        "rule": fix.rule,
    }


def step_row(step: Step) -> dict[str, Any]:
    return {
        "source": step.source,
        "target": step.target,
        "relation": step.relation,
        "stage": step.stage,
        "says": step.says,
        "evidence": cites(step.evidence),
        "fix": fix_row(step.fix) if step.fix else None,
    }


def path_row(path: Path) -> dict[str, Any]:
    return {
        "id": path.id,
        "title": path.title,
        "severity": path.severity,
        "steps": [step_row(step) for step in path.steps],
        "findings": list(path.findings),
        "blast": list(path.blast),
        "unsure": path.unsure,
    }


def cut_row(cut: Cut) -> dict[str, Any]:
    return {
        "fixes": [fix_row(fix) for fix in cut.fixes],
        "paths": list(cut.paths),
        "exact": cut.exact,
    }


def issue_row(issue: Issue) -> dict[str, Any]:
    return {
        "id": issue.id,
        "title": issue.title,
        "category": issue.category,
        "severity": issue.severity,
        "resource": issue.resource,
        "why": issue.why,
        "findings": list(issue.findings),
        "paths": list(issue.paths),
        "monthly_saving": issue.saving,
    }


def claim_row(claim: Claim) -> dict[str, Any]:
    return {
        "id": claim.id,
        "title": claim.title,
        "severity": claim.severity,
        "confirmed": claim.confirmed,
        "resources": list(claim.resources),
        "evidence": cites(claim.evidence),
        "findings": list(claim.findings),
        "says": claim.says,
        "next_check": claim.next_check,
    }


def research_row(research: Research) -> dict[str, Any]:
    """What a model cost and what was not believed; its claims are rows of their own."""
    return {
        "model": research.model,
        "banner": research.banner,
        "summary": research.summary,
        "usage": [
            {
                "step": usage.step,
                "model": usage.model,
                "calls": usage.calls,
                "input_tokens": usage.input_tokens,
                "output_tokens": usage.output_tokens,
                "usd": usage.usd,
                "cached": usage.cached,
            }
            for usage in research.usage
        ],
        "accepted": research.accepted,
        "repaired": research.repaired,
        "dropped": dict(sorted(research.dropped.items())),
    }


Facts = Mapping[str, Evidence]


def fix(row: Mapping[str, Any]) -> Fix:
    return Fix(
        resource=str(row["resource"]),
        text=str(row["text"]),
        command=str(row["command"]),
        rule=str(row["rule"]),
    )


def step(row: Mapping[str, Any], facts: Facts) -> Step:
    return Step(
        **{name: str(row[name]) for name in ("source", "target", "relation", "stage", "says")},
        evidence=tuple(facts[fact] for fact in row["evidence"]),
        fix=fix(row["fix"]) if row["fix"] else None,
    )


def path(row: Mapping[str, Any], facts: Facts) -> Path:
    return Path(
        title=str(row["title"]),
        severity=Severity(row["severity"]),
        steps=tuple(step(one, facts) for one in row["steps"]),
        findings=tuple(row["findings"]),
        blast=tuple(row["blast"]),
        unsure=str(row["unsure"]),
    )


def cut(row: Mapping[str, Any]) -> Cut:
    fixes = tuple(fix(one) for one in row["fixes"])
    return Cut(fixes=fixes, paths=tuple(row["paths"]), exact=bool(row["exact"]))


def issue(row: Mapping[str, Any]) -> Issue:
    return Issue(
        **{name: str(row[name]) for name in ("title", "resource", "why")},
        category=Category(row["category"]),
        severity=Severity(row["severity"]),
        findings=tuple(row["findings"]),
        paths=tuple(row["paths"]),
        saving=float(row["monthly_saving"]),
    )


def claim(row: Mapping[str, Any], facts: Facts) -> Claim:
    return Claim(
        **{name: str(row[name]) for name in ("title", "says", "next_check")},
        severity=Severity(row["severity"]),
        confirmed=bool(row["confirmed"]),
        resources=tuple(row["resources"]),
        evidence=tuple(facts[fact] for fact in row["evidence"]),
        findings=tuple(row["findings"]),
    )


def research(row: Mapping[str, Any], claims: Iterable[Mapping[str, Any]], facts: Facts) -> Research:
    return Research(
        **{name: str(row[name]) for name in ("model", "banner", "summary")},
        claims=tuple(claim(one, facts) for one in claims),
        usage=tuple(Usage(**one) for one in row["usage"]),
        accepted=int(row["accepted"]),
        repaired=int(row["repaired"]),
        dropped={str(name): int(count) for name, count in row["dropped"].items()},
    )
