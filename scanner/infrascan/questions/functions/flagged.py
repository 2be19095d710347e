"""Answers that rules give: what they flag of what was just read, and what they could not tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import trio

from infrascan.evaluate import RuleSet, evaluate, load
from infrascan.evaluate.condition import Needs
from infrascan.evaluate.path import Relations, relations
from infrascan.model import Finding
from infrascan.pipeline import all_kinds
from infrascan.pricing import saving
from infrascan.questions.answer import Item, listed
from infrascan.questions.seeing import Context, Result
from infrascan.questions.selecting import SHOWN, filled
from infrascan.shipped import shipped


@cache
def rules_of(names: tuple[str, ...]) -> RuleSet:
    """The shipped rules of these names; a name that none has is left out."""
    from dataclasses import replace

    wanted = frozenset(names)
    folders = sorted({name.partition(".")[0] for name in names})
    bare = {name: replace(kind, fields=None) for name, kind in all_kinds().items()}
    found = load([shipped("rules") / folder for folder in folders], bare, partial=True)
    return found.only(lambda rule: rule.id in wanted)


@cache
def reads_of(names: tuple[str, ...]) -> Mapping[str, tuple[str, ...]]:
    """What these rules read: their kinds, and those that their relations lead to."""
    kinds = all_kinds()
    leads = relations(kinds)
    found: dict[str, set[str]] = {}
    for rule in rules_of(names):
        for kind in rule.kinds:
            for reached, field in reached_by(kind, rule.needs, leads):
                found.setdefault(reached, set()).update({field} - {""})
    return {kind: tuple(sorted(fields)) for kind, fields in sorted(found.items())}


def reached_by(kind: str, needs: Needs, leads: Relations) -> Iterator[tuple[str, str]]:
    yield kind, ""
    for name in needs.names:
        yield kind, name
        for target in leads[kind].get(name, ()):  # a count of what it leads to
            yield target, ""
    for name, further in needs.links:
        for target in leads[kind].get(name, ()):
            yield from reached_by(target, further, leads)


async def flagged(context: Context) -> Result:
    """What the question's rules flag in its scope. What they cannot tell is a gap."""
    rules = await trio.to_thread.run_sync(rules_of, context.question.rules)
    verdicts = await trio.to_thread.run_sync(
        lambda: evaluate(
            rules, context.scan.resources, context.scan.gaps, now=context.now, price=saving
        )
    )
    in_scope = {resource.key for resource in context.resources}
    found: dict[str, list[Finding]] = {}
    for finding in verdicts.findings:
        if finding.resource in in_scope:
            found.setdefault(finding.resource, []).append(finding)
    accounts = {(r.provider, r.account) for r in context.resources} | (context.accounts or set())
    context.gaps = [
        gap
        for gap in dict.fromkeys(unknown.gap for unknown in verdicts.unknowns)
        if not context.where or (gap.provider, gap.account) in accounts
    ]
    rows, evidence = [], []
    for key, about in found.items():
        first = about[0]
        rows.append(row(context, key, about))
        for one in about:
            evidence += [
                Item(
                    resource=e.resource,
                    path=e.path,
                    value=e.value,
                    observed_at=context.scan.observed,
                )
                for e in one.evidence
            ]
        evidence.append(
            Item(resource=key, path="name", value=first.name, observed_at=context.scan.observed)
        )
    evidence.append(context.computed("count(flagged)", len(rows), evidence[:50]))
    evidence.append(context.computed("count(not named)", max(0, len(rows) - SHOWN)))
    evidence += [context.computed("rule", rule.title) for rule in rules]
    form = "none" if not rows else "one" if len(rows) == 1 else "some"
    question = context.question
    template = question.says.get(form) or question.says["some"]
    values = {
        "count": len(rows),
        "where": context.where,
        "each": listed([filled(question.each, one) for one in rows], SHOWN),
    }
    judged = sum(rule.flagged + rule.passed for rule in verdicts.rules)
    unknown = not rows and not judged and bool(context.gaps)
    only = rows[0] if len(rows) == 1 else {}
    return Result(
        sentence=filled(template, values, quote=False) if not unknown else "Unknown: nothing that this asks about could be read.",
        rows=rows,
        more={"rules": [rule.id for rule in rules], "judged": judged},
        evidence=evidence,
        ok=None if unknown or not question.ok else (question.ok == "none") == (not rows),
        status="unknown" if unknown else "",
        needs=[question.needs] if unknown else [],
        subject={"name": only.get("name", ""), "resource": only.get("resource", "")},
    )  # fmt: skip


def row(context: Context, key: str, about: list[Finding]) -> dict[str, Any]:
    first = about[0]
    return {
        "resource": key,
        "name": first.name,
        "provider": first.provider,
        "account": first.account,
        "region": first.region,
        "titles": [one.title for one in about],
        "severity": min(about, key=lambda one: one.severity.rank).severity.value,
        "rules": [one.rule for one in about],
        "fix": first.fix,
        "observed_at": context.scan.observed,
    }
