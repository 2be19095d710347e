"""Rules over resources: findings with evidence, and unknowns where something was not read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeAlias

from infrascan.evaluate.command import filled
from infrascan.evaluate.compile import flags
from infrascan.evaluate.condition import Needs
from infrascan.evaluate.interpret import Answer, interpret
from infrascan.evaluate.rule import Rule, RuleSet
from infrascan.model import JSON, Finding, Gap, Price, Resource, RuleSummary, Unknown
from infrascan.packing import repacked

Pricing: TypeAlias = Callable[[Resource, JSON], tuple[Price | None, Price | None, str]]
"""(resource, saving of the rule or None) -> what it costs a month, what the fix saves, and why
either is missing. `saving` is "all", {"share": 0.5} or {"to": {...}}."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What came of the rules, in a stable order."""

    findings: list[Finding]
    unknowns: list[Unknown]
    rules: list[RuleSummary]


@dataclass(slots=True)
class Tally:
    """What is being gathered while rules run."""

    now: float
    price: Pricing
    findings: list[Finding] = field(default_factory=list)
    unknowns: list[Unknown] = field(default_factory=list)
    flagged: Counter[str] = field(default_factory=Counter)
    open: Counter[str] = field(default_factory=Counter)  # resources without a verdict
    unknown: Counter[str] = field(default_factory=Counter)  # the same, and partitions
    resources: Counter[str] = field(default_factory=Counter)


def unpriced(_resource: Resource, _saving: JSON) -> tuple[Price | None, Price | None, str]:
    """The pricing of a scan without prices."""
    return None, None, ""


def evaluate(
    rules: RuleSet,
    resources: Sequence[Resource],
    gaps: Sequence[Gap],
    *,
    now: datetime,
    price: Pricing = unpriced,
) -> Evaluation:
    """Every rule on every resource of its kind, at the time `now`.

    `resources` have been linked, so that `links` and `unread` are filled.
    """
    tally = Tally(now.timestamp(), price)
    unread = unread_names(resources)
    by_kind = rules.by_kind()
    for kind, found in grouped(resources).items():
        tally.resources[kind] = len(found)
        if kind in by_kind:
            judge_all(by_kind[kind], found, unread, tally)
    tally.unknowns += unread_partitions(rules, gaps)
    for unknown in tally.unknowns:
        tally.unknown[unknown.rule] += 1
    findings = counted_once(tally.findings)
    return Evaluation(
        sorted(findings, key=order),
        sorted(tally.unknowns, key=lambda u: (u.rule, u.account, u.region, u.resource)),
        [summary(rule, tally) for rule in rules],
    )


def unread_names(resources: Iterable[Resource]) -> frozenset[str]:
    """Every name that is unread on a resource, or on one that its relations lead to."""
    names: set[str] = set()
    seen: set[int] = set()
    pending = list(resources)
    while pending:
        resource = pending.pop()
        if id(resource) in seen:
            continue
        seen.add(id(resource))
        names.update(resource.unread)
        for targets in resource.links.values():
            pending += targets
    return frozenset(names)


def grouped(resources: Iterable[Resource]) -> dict[str, list[Resource]]:
    found: dict[str, list[Resource]] = {}
    for resource in resources:
        found.setdefault(resource.kind, []).append(resource)
    return found


def judge_all(
    rules: Sequence[Rule], resources: Sequence[Resource], unread: frozenset[str], tally: Tally
) -> None:
    """The rules of one kind on its resources: compiled ones find what the interpreter judges.

    It judges what they flag, for the evidence, and where something a rule reads was not read.
    """
    flagging = flags([rule.condition for rule in rules], tally.now)
    doubtful = [
        (position, rule) for position, rule in enumerate(rules) if touches(rule.needs, unread)
    ]
    for resource in repacked(resources):
        flagged = flagging(resource)
        open_here = [position for position, rule in doubtful if is_open(resource, rule.needs)]
        for position in sorted({*flagged, *open_here}) if open_here else flagged:
            judge(rules[position], resource, tally)


def touches(needs: Needs, unread: frozenset[str]) -> bool:
    """Whether any name the rule reads is unread anywhere, so that its resources need a look."""
    return not needs.names.isdisjoint(unread) or any(touches(n, unread) for _, n in needs.links)


def is_open(resource: Resource, needs: Needs) -> bool:
    """Whether something the rule reads of the resource, or along its relations, was not read."""
    if resource.unread and not needs.names.isdisjoint(resource.unread):
        return True
    return any(
        is_open(target, further)
        for name, further in needs.links
        for target in resource.links.get(name, ())
    )


def judge(rule: Rule, resource: Resource, tally: Tally) -> None:
    """Note what a rule says of a resource, unless it passes."""
    answer = interpret(rule.condition, resource, tally.now)
    if answer.verdict:
        tally.flagged[rule.id] += 1
        tally.findings.append(finding(rule, resource, answer, tally.price))
    elif answer.verdict is None:
        tally.open[rule.id] += 1
        tally.unknowns.append(
            Unknown(
                rule=rule.id,
                kind=resource.kind,
                resource=resource.key,
                name=resource.name,
                provider=resource.provider,
                account=resource.account,
                region=resource.region,
                gap=answer.gaps[0],
            )
        )


def finding(rule: Rule, resource: Resource, answer: Answer, price: Pricing) -> Finding:
    cost, saving, note = price(resource, rule.saving)
    return Finding(
        rule=rule.id,
        title=rule.title,
        category=rule.category,
        severity=rule.severity,
        kind=resource.kind,
        resource=resource.key,
        resource_id=resource.id,
        name=resource.name,
        provider=resource.provider,
        account=resource.account,
        region=resource.region,
        evidence=answer.facts,
        why=rule.why,
        fix=rule.fix,
        command=filled(rule.command, resource),
        references=rule.references,
        controls=rule.controls,
        cost=cost,
        saving=bounded(saving, cost, resource),
        saving_note=note,
    )


def bounded(saving: Price | None, cost: Price | None, resource: Resource) -> Price | None:
    """The saving, no greater than what the resource costs; none where the cost is not known."""
    total = cost.monthly if cost else resource.data.get("monthly_cost")
    if saving is None or total is None or min(saving.monthly, total) <= 0:
        return None
    return saving if saving.monthly <= total else replace(saving, monthly=total)


def counted_once(findings: Iterable[Finding]) -> list[Finding]:
    """The findings, with all but the largest saving on each resource marked as not counted.

    Savings on one resource exclude each other: what is deleted cannot also be made smaller.
    """
    rows = sorted(findings, key=lambda f: (f.resource, -saved(f), f.rule))
    counted: set[str] = set()
    result: list[Finding] = []
    for row in rows:
        if row.saving and row.resource in counted:
            result.append(replace(row, saving_counted=False))
            continue
        if row.saving:
            counted.add(row.resource)
        result.append(row)
    return result


def saved(finding: Finding) -> float:
    return finding.saving.monthly if finding.saving else 0.0


def order(finding: Finding) -> tuple[int, float, str, str]:
    return (finding.severity.rank, -saved(finding), finding.rule, finding.resource)


def unread_partitions(rules: RuleSet, gaps: Sequence[Gap]) -> Iterator[Unknown]:
    """One unknown for each rule and partition that was not read, or not to its end.

    A gap in one resource's detail is not among them: it is in that resource's `unread`.
    """
    seen: set[tuple[str, str, str, str]] = set()
    for gap in gaps:
        if gap.resource:
            continue
        for rule in rules:
            place = (rule.id, gap.kind or rule.kind, gap.account, gap.region)
            if not concerns(gap, rule) or place in seen:
                continue
            seen.add(place)
            yield Unknown(
                rule=rule.id,
                kind=gap.kind or rule.kind,
                resource="",
                name="",
                provider=gap.provider,
                account=gap.account,
                region=gap.region,
                gap=gap,
            )


def concerns(gap: Gap, rule: Rule) -> bool:
    """Whether the gap hides resources that the rule is about, or a field of theirs it reads."""
    if gap.provider not in rule.providers or (gap.kind and gap.kind not in rule.kinds):
        return False
    return not gap.field or reads(rule.needs, gap.field)


def reads(needs: Needs, field: str) -> bool:
    return field.partition(".")[0] in needs.names


def summary(rule: Rule, tally: Tally) -> RuleSummary:
    """`passed` counts the resources of the kind that were neither flagged nor unknown."""
    open_here = tally.open[rule.id]
    return RuleSummary(
        rule=rule.id,
        title=rule.title,
        category=rule.category,
        severity=rule.severity,
        kind=", ".join(rule.kinds),
        flagged=tally.flagged[rule.id],
        passed=sum(tally.resources[kind] for kind in rule.kinds)
        - tally.flagged[rule.id]
        - open_here,
        unknown=tally.unknown[rule.id],
        definition=rule.digest,
        reads=tuple(rule.needs.paths()),
    )
