"""What the tools answer, as typed models: their JSON Schemas are the tools' output schemas."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from infrascan.model import (
    Connection,
    Finding,
    Gap,
    Identity,
    Reason,
)
from infrascan.render.gaps import remedy

CONTEXTS = frozenset({"k8s", "docker"})  # whose accounts are names that people gave
CALLED = {"k8s": "kubernetes"}  # what agents know a provider as


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
