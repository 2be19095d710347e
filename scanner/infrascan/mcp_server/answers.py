"""What the tools answer, as typed models: their JSON Schemas are the tools' output schemas."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from infrascan.model import (
    SEVERITIES,
    Connection,
    Cut,
    Finding,
    Gap,
    Identity,
    Issue,
    Path,
    Reason,
    Scan,
)
from infrascan.render.gaps import remedy
from infrascan.store.changes import as_dict
from infrascan.store.diff import Diff

CONTEXTS = frozenset({"k8s", "docker"})  # whose accounts are names that people gave
CALLED = {"k8s": "kubernetes"}  # what agents know a provider as
PATHS = 10  # in an answer about a scan; get_paths has the rest


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


class VersionAnswer(BaseModel):
    """The version, and the connection of each provider."""

    version: str
    providers: dict[str, str] = Field(
        description='"connected", "connected (context)", "not configured" or "error: why"; '
        "k8s as kubernetes"
    )
    accounts: dict[str, list[str]] = Field(default={}, description="Those that are open")
    details: dict[str, str] = Field(default={}, description="Of errors: what came back, what to do")


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


def research_answer(
    scan: Scan, findings: list[Finding], limit: int, job: str = ""
) -> ResearchAnswer:
    """The scan in brief, with the first `limit` of `findings`."""
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
        gaps=gaps[:limit],
        gaps_left_out=max(0, len(gaps) - limit),
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
        lines.append(f"These {len(first.changes)} changes end {first.paths_ended} of them.")
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
    answer = VersionAnswer(version=version, providers={})
    for name in names:
        called = CALLED.get(name, name)
        mine = [identity for identity in identities if identity.provider == name]
        good = sorted({i.account for i in mine if i.state is Connection.CONNECTED})
        bad = [identity for identity in mine if identity.state is Connection.ERROR]
        if good:
            contexts = ", ".join(good) if name in CONTEXTS else ""
            answer.providers[called] = f"connected ({contexts})" if contexts else "connected"
            answer.accounts[called] = [account for account in good if account]
        elif bad:
            reason = bad[0].reason
            why = "timeout" if reason is Reason.TIMED_OUT else str(reason or "misconfigured")
            answer.providers[called] = f"error: {why}"
        else:
            answer.providers[called] = "not configured"
        if bad:
            answer.details[called] = "; ".join(filter(None, (bad[0].detail, bad[0].remedy)))
    return answer
