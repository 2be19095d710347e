"""What a scan found, as the typed answer of deep_research: findings, paths, cuts, issues, gaps."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from infrascan.mcp_server.answers import (
    Fact,
    FindingAnswer,
    GapAnswer,
    finding_answer,
    gap_answers,
    quoted,
)
from infrascan.model import SEVERITIES, Cut, Finding, Issue, Path, Scan
from infrascan.store.changes import as_dict
from infrascan.store.diff import Diff

PATHS = 5  # in an answer about a scan; get_paths has the rest
GAPS = 15
ROOM = 70_000  # characters: what more findings would take is left to get_findings


class StepAnswer(BaseModel):
    """One edge of a path, as an attacker would go it."""

    source: str
    target: str
    relation: str
    stage: str
    says: str
    evidence: list[Fact]
    fix: str = ""


class PathAnswer(BaseModel):
    """A way from the internet over identities to data."""

    id: str
    title: str
    severity: str
    entry: str
    target: str
    steps: list[StepAnswer]
    findings: list[str]
    blast: list[str] = Field(description="Keys of what its last identity reaches, the first 20")
    blast_size: int
    unsure: str = ""


class CutAnswer(BaseModel):
    """A small set of changes, and the paths that it ends."""

    changes: list[str]
    resources: list[str]
    paths_ended: int
    paths: list[str]
    smallest: bool = Field(description="False where a smaller set may exist")


class IssueAnswer(BaseModel):
    """Findings that belong together."""

    id: str
    title: str
    category: str
    severity: str
    resource: str
    why: str
    findings: list[str]
    paths: list[str]
    monthly_saving_usd: float


class ModelAnswer(BaseModel):
    """What a model added, what of it was believed, and what it cost."""

    model: str = ""
    banner: str = ""
    summary: str = ""
    claims: list[str] = []
    accepted: int = 0
    repaired: int = 0
    dropped: dict[str, int] = {}
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float | None = Field(default=None, description="None where the model has no known price")


class ResearchAnswer(BaseModel):
    """What a scan found, worst and most relevant first, and what it could not see."""

    job: str = Field(default="", description="Id under which get_job finds it again")
    state: str = Field(default="done", description="running, for research in the background")
    scan: str = Field(default="", description="Id of the stored scan")
    report: str = Field(default="", description="Resource URI of the whole report")
    observed_at: str = ""
    question: str = ""
    providers: list[str] = []
    resources: int = 0
    coverage_percent: float = Field(
        default=0.0, description="Share of what was asked for that could be read"
    )
    findings_by_severity: dict[str, int] = {}
    unknown_verdicts: int = Field(
        default=0, description="Rules without a verdict, for what was not read"
    )
    monthly_cost_usd: float = Field(
        default=0.0, description="Of the resources that have a known price"
    )
    monthly_saving_usd: float = 0.0
    findings: list[FindingAnswer] = []
    findings_left_out: int = 0
    issues: list[IssueAnswer] = []
    paths: list[PathAnswer] = []
    paths_left_out: int = 0
    cuts: list[CutAnswer] = []
    gaps: list[GapAnswer] = []
    gaps_left_out: int = 0
    interrupted: bool = False
    since: str = ""
    changes: dict[str, Any] = Field(
        default={}, description="With since: how many findings came, went, changed; which are fixed"
    )
    research: ModelAnswer | None = None


def research_answer(
    scan: Scan, findings: list[Finding], limit: int, job: str = ""
) -> ResearchAnswer:
    """The scan in brief, with the first `limit` of `findings`, or as many as fit in an answer."""
    answer = whole_answer(scan, findings, limit, job)
    while len(answer.findings) > 1 and len(answer.model_dump_json()) > ROOM:
        answer = whole_answer(scan, findings, len(answer.findings) * 2 // 3, job)
    return answer


def whole_answer(scan: Scan, findings: list[Finding], limit: int, job: str) -> ResearchAnswer:
    gaps = gap_answers(scan.gaps)
    return ResearchAnswer(
        job=job,
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
        issues=[issue_answer(issue) for issue in scan.issues[:PATHS]],
        paths=[path_answer(path) for path in scan.paths[:PATHS]],
        paths_left_out=max(0, len(scan.paths) - PATHS),
        cuts=[cut_answer(cut) for cut in scan.cuts[:PATHS]],
        gaps=gaps[:GAPS],
        gaps_left_out=max(0, len(gaps) - GAPS),
        interrupted=scan.interrupted,
        research=model_answer(scan) if scan.research.model or scan.research.banner else None,
    )


def path_answer(path: Path) -> PathAnswer:
    return PathAnswer(
        id=path.id,
        title=path.title,
        severity=str(path.severity),
        entry=path.entry,
        target=path.target,
        steps=[
            StepAnswer(
                source=step.source,
                target=step.target,
                relation=step.relation,
                stage=step.stage,
                says=step.says,
                evidence=[
                    Fact(resource=e.resource, path=e.path, value=e.value) for e in step.evidence
                ],
                fix=step.fix.text if step.fix else "",
            )
            for step in path.steps
        ],
        findings=list(path.findings),
        blast=list(path.blast[:20]),
        blast_size=len(path.blast),
        unsure=path.unsure,
    )


def cut_answer(cut: Cut) -> CutAnswer:
    return CutAnswer(
        changes=[fix.text for fix in cut.fixes],
        resources=[fix.resource for fix in cut.fixes],
        paths_ended=len(cut.paths),
        paths=list(cut.paths[:50]),
        smallest=cut.exact,
    )


def issue_answer(issue: Issue) -> IssueAnswer:
    return IssueAnswer(
        id=issue.id,
        title=issue.title,
        category=str(issue.category),
        severity=str(issue.severity),
        resource=issue.resource,
        why=issue.why,
        findings=list(issue.findings),
        paths=list(issue.paths[:50]),
        monthly_saving_usd=round(issue.saving, 2),
    )


def model_answer(scan: Scan) -> ModelAnswer:
    found = scan.research
    prices = [usage.usd for usage in found.usage]
    return ModelAnswer(
        model=found.model,
        banner=found.banner,
        summary=found.summary,
        claims=[claim.title for claim in found.claims],
        accepted=found.accepted,
        repaired=found.repaired,
        dropped=dict(found.dropped),
        input_tokens=sum(usage.input_tokens for usage in found.usage),
        output_tokens=sum(usage.output_tokens for usage in found.usage),
        usd=None if None in prices else round(sum(p for p in prices if p is not None), 6),
    )


def differences(changes: Diff) -> dict[str, Any]:
    """How many findings came, went and changed since, and those that went, in brief."""
    said = as_dict(changes)
    brief = ("id", "rule", "title", "severity", "resource", "cause", "detail")
    return {
        "before": said["before"],
        "after": said["after"],
        "findings": said["summary"]["findings"],
        "resources": said["summary"]["resources"],
        **{
            name: [{key: one.get(key) for key in brief} for one in said["findings"][name][:50]]
            for name in ("fixed", "became_unknown", "no_longer_scanned")
        },
    }


def in_words(answer: ResearchAnswer) -> str:
    """The answer in a few lines, for a reader rather than a program."""
    counts = ", ".join(f"{n} {name}" for name, n in answer.findings_by_severity.items() if n)
    if answer.since:
        moved = answer.changes["findings"]
        said = ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in moved.items() if n)
        counts = f"since {answer.since}: {said or 'no findings'}"
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
    if answer.paths:
        ways = len(answer.paths) + answer.paths_left_out
        lines.append(f"{ways} paths lead from the internet to data.")
    if answer.cuts:
        first = answer.cuts[0]
        which = (
            "This change ends"
            if len(first.changes) == 1
            else f"These {len(first.changes)} changes end"
        )
        lines.append(f"{which} {first.paths_ended} of them: {'; '.join(first.changes)}")
    if answer.gaps:
        lines.append(
            f"Not everything could be read ({answer.coverage_percent:g} % was): "
            f"{answer.unknown_verdicts} verdicts are unknown, which is not a pass. "
            f"First gap: {answer.gaps[0].place}, {answer.gaps[0].reason}. {answer.gaps[0].remedy}"
        )
    lines.append(f"The whole report: {answer.report}")
    return "\n".join(lines)
