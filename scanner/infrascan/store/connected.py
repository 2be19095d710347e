"""What connects findings, as rows and JSON and back: paths, cuts, issues, a model's claims."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from infrascan.model import (
    Claim,
    Cut,
    Evidence,
    Fix,
    Issue,
    Path,
    Research,
    Scan,
    Step,
    Usage,
)
from infrascan.store.records import CATEGORY, SEVERITY, decoded, encoded

Row = tuple[Any, ...]

PATHS = {
    "id": "text",
    "title": "text",
    "severity": "word",
    "entry": "text",
    "target": "text",
    "steps": "text",
    "findings": "text",
    "blast": "text",
    "unsure": "word",
}
ISSUES = {
    "id": "text",
    "title": "text",
    "category": "word",
    "severity": "word",
    "resource": "text",
    "why": "text",
    "findings": "text",
    "paths": "text",
    "monthly_saving": "number",
}


def path_rows(scan: Scan) -> Iterator[Row]:
    for path in scan.paths:
        yield (
            path.id,
            path.title,
            path.severity.value,
            path.entry,
            path.target,
            encoded([asdict(step) for step in path.steps]),
            encoded(path.findings),
            encoded(path.blast),
            path.unsure,
        )


def fill_paths(scan: Scan, rows: Iterable[Row]) -> None:
    for _, title, severity, _, _, steps, findings, blast, unsure in rows:
        scan.paths.append(
            Path(
                title=title,
                severity=SEVERITY[severity],
                steps=tuple(map(step_of, decoded(steps))),
                findings=tuple(decoded(findings)),
                blast=tuple(decoded(blast)),
                unsure=unsure,
            )
        )


def issue_rows(scan: Scan) -> Iterator[Row]:
    for issue in scan.issues:
        yield (
            issue.id,
            issue.title,
            issue.category.value,
            issue.severity.value,
            issue.resource,
            issue.why,
            encoded(issue.findings),
            encoded(issue.paths),
            float(issue.saving),
        )


def fill_issues(scan: Scan, rows: Iterable[Row]) -> None:
    for _, title, category, severity, resource, why, findings, paths, saving in rows:
        scan.issues.append(
            Issue(
                title=title,
                category=CATEGORY[category],
                severity=SEVERITY[severity],
                resource=resource,
                why=why,
                findings=tuple(decoded(findings)),
                paths=tuple(decoded(paths)),
                saving=saving,
            )
        )


def step_of(value: Mapping[str, Any]) -> Step:
    return Step(
        **{
            **value,
            "evidence": evidence_of(value["evidence"]),
            "fix": Fix(**value["fix"]) if value["fix"] else None,
        }
    )


def evidence_of(values: Iterable[Mapping[str, Any]]) -> tuple[Evidence, ...]:
    return tuple(Evidence(**value) for value in values)


def cut_json(cut: Cut) -> dict[str, Any]:
    return plain(cut)


def cut_of(value: Mapping[str, Any]) -> Cut:
    fixes = tuple(Fix(**fix) for fix in value["fixes"])
    return Cut(fixes=fixes, paths=tuple(value["paths"]), exact=value["exact"])


def research_json(research: Research) -> dict[str, Any]:
    return plain(research)


def research_of(value: Mapping[str, Any]) -> Research:
    return Research(
        **{
            **value,
            "claims": tuple(map(claim_of, value["claims"])),
            "usage": tuple(Usage(**usage) for usage in value["usage"]),
        }
    )


def claim_of(value: Mapping[str, Any]) -> Claim:
    return Claim(
        **{
            **value,
            "severity": SEVERITY[value["severity"]],
            "resources": tuple(value["resources"]),
            "evidence": evidence_of(value["evidence"]),
            "findings": tuple(value["findings"]),
        }
    )


def plain(value: Cut | Research) -> dict[str, Any]:
    """As JSON gives it back: lists where there were tuples."""
    given: dict[str, Any] = decoded(encoded(asdict(value)))
    return given
