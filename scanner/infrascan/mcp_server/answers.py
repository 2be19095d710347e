"""What the tools answer, as typed models: their JSON Schemas are the tools' output schemas."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from infrascan.model import (
    SEVERITIES,
    Connection,
    Finding,
    Gap,
    Identity,
    Scan,
)
from infrascan.render.gaps import remedy


class Fact(BaseModel):
    """One piece of evidence: the value an API gave, and where it stands."""

    resource: str
    path: str
    value: Any = None


class FindingAnswer(BaseModel):
    """One finding with its evidence and its fix."""

    id: str
    rule: str
    severity: str
    category: str
    title: str
    provider: str
    account: str
    region: str
    resource: str = Field(description="Id of the resource: an ARN, or namespace/name")
    name: str
    evidence: list[Fact]
    why: str
    fix: str
    command: str = Field(description="For an operator to review; nothing runs it")
    monthly_cost_usd: float | None
    monthly_saving_usd: float | None


class GapAnswer(BaseModel):
    """Something that was not read; rules that need it have no verdict."""

    place: str
    reason: str
    detail: str
    permission: str = Field(description="What to grant, or to do, to close the gap")
    remedy: str = Field(description="The same, or what else to do, in one sentence")
    times: int


class ResearchAnswer(BaseModel):
    """What a scan found, worst and most relevant first, and what it could not see."""

    scan: str = Field(description="Id of the stored scan")
    report: str = Field(description="Resource URI of the whole report")
    observed_at: str
    question: str
    providers: list[str]
    resources: int
    coverage_percent: float = Field(description="Share of what was asked for that could be read")
    findings_by_severity: dict[str, int]
    unknown_verdicts: int = Field(description="Rules without a verdict, for what was not read")
    monthly_cost_usd: float = Field(description="Of the resources that have a known price")
    monthly_saving_usd: float
    findings: list[FindingAnswer]
    findings_left_out: int
    gaps: list[GapAnswer]
    gaps_left_out: int
    interrupted: bool


class VersionAnswer(BaseModel):
    """The version, and the connection of each provider."""

    version: str
    providers: dict[str, str] = Field(
        description='"connected (as whom)", "not configured" or "error: why"'
    )


class FindingsAnswer(BaseModel):
    """One page of a stored scan's findings, worst first."""

    scan: str
    total: int
    findings: list[dict[str, Any]]
    unknown: int = Field(description="Verdicts that are unknown, for the same filters: not passes")
    cursor: str = Field(description="For the next page; empty on the last")
    coverage_percent: float | None = None
    notes: list[str] = []


def finding_answer(finding: Finding) -> FindingAnswer:
    return FindingAnswer(
        id=finding.id,
        rule=finding.rule,
        severity=finding.severity,
        category=finding.category,
        title=finding.title,
        provider=finding.provider,
        account=finding.account,
        region=finding.region,
        resource=finding.resource_id,
        name=finding.name,
        evidence=[
            Fact(resource=fact.resource, path=fact.path, value=fact.value)
            for fact in finding.evidence
        ],
        why=finding.why,
        fix=finding.fix,
        command=finding.command,
        monthly_cost_usd=finding.cost.monthly if finding.cost else None,
        monthly_saving_usd=finding.saving.monthly if finding.saving else None,
    )


def gap_answers(gaps: list[Gap]) -> list[GapAnswer]:
    """Gaps of one place, reason and permission as one entry, the most frequent first."""
    groups: dict[tuple[str, str, str], list[Gap]] = {}
    for gap in gaps:
        groups.setdefault((gap.place, gap.reason, gap.permission), []).append(gap)
    answers = [
        GapAnswer(
            place=place,
            reason=reason,
            detail=group[0].detail,
            permission=permission,
            remedy=remedy(group[0]),
            times=len(group),
        )
        for (place, reason, permission), group in groups.items()
    ]
    return sorted(answers, key=lambda answer: (-answer.times, answer.place))


def research_answer(scan: Scan, findings: list[Finding], limit: int) -> ResearchAnswer:
    """The scan in brief, with the first `limit` of `findings`."""
    gaps = gap_answers(scan.gaps)
    return ResearchAnswer(
        scan=scan.id,
        report=f"infrascan://scans/{scan.id}/report.md",
        observed_at=scan.observed,
        question=scan.question,
        providers=list(scan.scope["providers"]),
        resources=len(scan.resources),
        coverage_percent=round(scan.coverage_percent, 1),
        findings_by_severity={str(s): scan.count(s) for s in SEVERITIES},
        unknown_verdicts=len(scan.unknowns),
        monthly_cost_usd=round(scan.monthly_cost, 2),
        monthly_saving_usd=round(scan.monthly_saving, 2),
        findings=[finding_answer(finding) for finding in findings[:limit]],
        findings_left_out=max(0, len(findings) - limit),
        gaps=gaps[:limit],
        gaps_left_out=max(0, len(gaps) - limit),
        interrupted=scan.interrupted,
    )


def in_words(answer: ResearchAnswer) -> str:
    """The answer in a few lines, for a reader rather than a program."""
    counts = ", ".join(f"{n} {name}" for name, n in answer.findings_by_severity.items() if n)
    lines = [
        f"{answer.resources} resources of {', '.join(answer.providers)}: {counts or 'no findings'}."
    ]
    if answer.monthly_saving_usd:
        lines.append(f"Fixes would save ${answer.monthly_saving_usd:,.2f} a month.")
    lines += [
        f"- {f.severity.upper()} {f.title}: {quoted(f.name)} ({f.rule})"
        + (f", ${f.monthly_saving_usd:,.2f} a month" if f.monthly_saving_usd else "")
        for f in answer.findings[:5]
    ]
    if answer.gaps:
        lines.append(
            f"Not everything could be read ({answer.coverage_percent:g} % was): "
            f"{answer.unknown_verdicts} verdicts are unknown, which is not a pass. "
            f"First gap: {answer.gaps[0].place}, {answer.gaps[0].reason}. {answer.gaps[0].remedy}"
        )
    lines.append(f"The whole report: {answer.report}")
    return "\n".join(lines)


def quoted(name: str) -> str:
    """A name from the estate, marked as such and without characters that could steer a reader."""
    return '"' + "".join(c if c.isprintable() else " " for c in name)[:120] + '"'


def version_answer(version: str, identities: list[Identity], names: list[str]) -> VersionAnswer:
    """One line per provider, from its identities: connected if any is, else the first error."""
    lines: dict[str, str] = {}
    for name in names:
        mine = [identity for identity in identities if identity.provider == name]
        good = [identity for identity in mine if identity.state is Connection.CONNECTED]
        bad = [identity for identity in mine if identity.state is Connection.ERROR]
        if good:
            accounts = ", ".join(sorted({i.account for i in good if i.account}))
            lines[name] = f"connected ({accounts})" if accounts else "connected"
        elif bad:
            lines[name] = f"error: {bad[0].detail}"
        else:
            lines[name] = str(Connection.NOT_CONFIGURED)
    return VersionAnswer(version=version, providers=lines)
