"""Answers that need the rules over everything: a scan now."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from infrascan.model import Category, Connection, Finding, Gap, Scan, Severity
from infrascan.pipeline import identities, look, scan
from infrascan.questions.answer import Item, counted, listed, name
from infrascan.questions.seeing import Context, Result

SHOWN = 8


async def whole(context: Context) -> Scan:
    """A scan of everything. One of the network is stored; a replay leaves no trace."""
    request = replace(context.request, question=context.text)
    if request.replay:
        with tempfile.TemporaryDirectory(prefix="infrascan-") as folder:
            found = await scan(request, Path(folder))
    else:
        found = await scan(request, context.home)
    context.scan.observed = found.observed
    context.scan.coverage = found.coverage
    return found


def of_finding(found: Finding, observed: str) -> tuple[dict[str, Any], list[Item]]:
    """A finding as a row, and its evidence."""
    row = {
        "resource": found.resource,
        "name": found.name,
        "severity": found.severity.value,
        "category": found.category.value,
        "title": found.title,
        "rule": found.rule,
        "provider": found.provider,
        "account": found.account,
        "saving": round(found.saving.monthly, 2) if found.saving else None,
        "fix": found.fix,
        "id": found.id,
        "observed_at": observed,
    }
    facts = [
        Item(resource=e.resource, path=e.path, value=e.value, observed_at=observed)
        for e in found.evidence
    ]
    said = Item(
        resource=found.resource,
        path=f"finding {found.rule}",
        value=[found.name, found.title],
        observed_at=observed,
        of=tuple(fact.id for fact in facts),
    )
    return row, [*facts, said]


async def findings(context: Context) -> Result:
    """The worst findings of a scan now."""
    found = await whole(context)
    wanted = set(context.slots.providers)
    chosen = [f for f in found.findings if not wanted or f.provider in wanted]
    limit = context.limit() or 10
    rows, evidence = [], []
    for one in chosen[:limit]:
        row, facts = of_finding(one, found.observed)
        rows.append(row)
        evidence += facts
    by_severity = Counter(one.severity.value for one in chosen)
    evidence += [context.computed(f"count({k})", n) for k, n in by_severity.items()]
    evidence.append(context.computed("count(findings)", len(chosen)))
    parts = [f"{row['severity'].upper()} {name(row['name'])}: {row['title']}" for row in rows]
    evidence.append(context.computed("count(rows not named)", max(0, len(parts) - SHOWN)))
    return Result(
        sentence=f"{counted(len(chosen), 'finding')} ({severities(by_severity)}). The worst: {'; '.join(parts[:SHOWN])}.",
        rows=rows,
        more=summary(found),
        evidence=evidence,
        status="partial" if found.gaps else "",
        gaps=[],
        notes=[unread(found)] if found.gaps else [],
        state={row["resource"] + "#" + row["rule"]: {"severity": row["severity"]} for row in rows},
    )


async def deep_research(context: Context) -> Result:
    """A whole scan: what it found of each category, what connects it, what was not seen."""
    found = await whole(context)
    rows: list[dict[str, Any]] = []
    evidence: list[Item] = []
    parts = []
    for category in Category:
        own = [f for f in found.findings if f.category is category]
        evidence.append(context.computed(f"count({category.value})", len(own)))
        for one in own[:10]:
            row, facts = of_finding(one, found.observed)
            rows.append(row)
            evidence += facts
        worst = (
            f", the worst: {own[0].severity.value.upper()} {name(own[0].name)}: {own[0].title}"
            if own
            else ""
        )
        parts.append(f"{category.value}: {counted(len(own), 'finding')}{worst}")
    saving = round(found.monthly_saving, 2)
    evidence.append(context.computed("sum(saving)", saving))
    evidence.append(context.computed("rounded", f"{saving:,.2f}"))
    evidence.append(context.computed("count(paths)", len(found.paths)))
    evidence.append(context.computed("count(findings)", len(found.findings)))
    rank = {severity.value: severity.rank for severity in Severity}
    rows.sort(key=lambda row: (rank[row["severity"]], row["rule"], row["resource"]))
    paths = (
        f" {counted(len(found.paths), 'path')} from the internet to data." if found.paths else ""
    )
    return Result(
        sentence=f"{counted(len(found.findings), 'finding')}: {'; '.join(parts)}.{paths}"
        f" {saving:,.2f} USD a month could be saved.",
        rows=rows,
        more=summary(found) | {"categories": sorted({row["category"] for row in rows})},
        evidence=evidence,
        status="partial" if found.gaps else "",
        notes=[unread(found)] if found.gaps else [],
        state={row["resource"] + "#" + row["rule"]: {"severity": row["severity"]} for row in rows},
    )


def severities(counts: Counter[str]) -> str:
    return ", ".join(f"{counts[one.value]} {one.value}" for one in Severity if counts[one.value])


def summary(found: Scan) -> dict[str, Any]:
    return {
        "scan": found.id,
        "findings": len(found.findings),
        "severities": {one.value: found.count(one) for one in Severity},
        "paths": len(found.paths),
        "issues": len(found.issues),
        "monthly_saving": round(found.monthly_saving, 2),
        "coverage_percent": round(found.coverage_percent, 1),
        "providers": list(found.scope.get("providers", [])),
    }


def unread(found: Scan) -> str:
    return (
        f"{found.coverage_percent:.1f} % was read; {counted(len(found.gaps), 'gap')} may hide more:"
        " ask for blind spots, or see the report"
    )


async def inventory(context: Context) -> Result:
    """How many resources of each kind were found, in everything that can be read."""
    from infrascan.pipeline import all_kinds

    wanted = set(context.slots.providers)
    kinds = [
        k.name for k in all_kinds().values() if not k.live and (not wanted or k.provider in wanted)
    ]
    found = await look(context.request, kinds)
    context.scan.observed, context.scan.coverage = found.observed, found.coverage
    counts = Counter(resource.kind for resource in found.resources)
    providers = Counter(resource.provider for resource in found.resources)
    rows = [
        {"resource": f"kind/{kind}", "name": kind, "provider": kind.partition(".")[0], "count": count, "observed_at": found.observed}
        for kind, count in counts.most_common()
    ]  # fmt: skip
    evidence = [context.computed(f"count({kind})", count) for kind, count in counts.items()]
    evidence += [context.computed(f"count({one})", count) for one, count in providers.items()]
    evidence.append(context.computed("count(resources)", len(found.resources)))
    evidence.append(context.computed("count(kinds)", len(counts)))
    evidence.append(context.computed("count(providers not named)", max(0, len(providers) - 12)))
    said = listed([f"{one} {count}" for one, count in providers.most_common()], 12)
    whole_kind = [gap for gap in found.gaps if not gap.resource and gap.kind]
    return Result(
        sentence=f"{counted(len(found.resources), 'resource')} of {counted(len(counts), 'kind')}: {said}.",
        rows=rows,
        more={"providers": sorted(providers), "total": len(found.resources)},
        evidence=evidence,
        gaps=whole_kind,
    )


async def connections(context: Context) -> Result:
    """As whom each provider is read, or why it is not."""
    if context.request.replay:
        found = (await look(context.request, ("aws.account", "k8s.cluster", "github.organization", "gcp.cloudresourcemanager.project", "azure.resources.subscription", "cloudflare.account", "hetzner.project", "digitalocean.account", "docker.engine", "terraform.state"))).identities  # fmt: skip
    else:
        found = await identities(context.request)
    rows = [
        {
            "resource": f"identity/{one.provider}/{one.account or one.source}",
            "name": one.account or one.provider,
            "provider": one.provider,
            "account": one.account,
            "state": one.state.value,
            "who": one.who,
            "source": one.source,
            "detail": one.detail,
            "observed_at": context.scan.observed,
        }
        for one in found
    ]
    evidence = [
        Item(resource=row["resource"], path="state", value=row["state"], observed_at=context.scan.observed)
        for row in rows
    ]  # fmt: skip
    good = sorted({one.provider for one in found if one.state is Connection.CONNECTED})
    bad = sorted({one.provider for one in found if one.state is Connection.ERROR} - set(good))
    accounts = sum(one.state is Connection.CONNECTED for one in found)
    evidence += [
        context.computed("count(providers connected)", len(good), evidence),
        context.computed("count(accounts connected)", accounts, evidence),
    ]
    sentence = f"{counted(len(good), 'provider')} with {counted(accounts, 'account')} connected: {listed(good, 12)}."
    if not good:
        sentence = "No provider is connected."
    if bad:
        sentence += f" In error: {listed(bad, 12)}."
    gaps = [
        Gap(provider=one.provider, account=one.account, reason=one.reason, detail=one.detail, permission=one.remedy)
        for one in found
        if one.state is Connection.ERROR
    ]  # fmt: skip
    return Result(
        sentence=sentence, rows=rows, more={"providers": good}, evidence=evidence, gaps=gaps
    )
