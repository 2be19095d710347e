"""What was spent, from Cost Explorer; else what the inventory costs by list price, said to be that."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from infrascan.collect.provider import Ask
from infrascan.lookups.amazon import Spend
from infrascan.lookups.amazon import spend as asked_spend
from infrascan.lookups.connections import Connections
from infrascan.model import Connection, Gap, InputError, ReadError, Reason
from infrascan.pipeline import Request, look
from infrascan.questions.answer import Item, counted, listed, name
from infrascan.questions.functions.scanning import whole
from infrascan.questions.seeing import Context, Result

DAY = 86_400
SHOWN = 8
PRICED = (
    *("aws.ec2.instance", "aws.ec2.volume", "aws.ec2.nat_gateway", "aws.ec2.address"),
    *("aws.rds.db_instance", "aws.elasticache.cluster", "aws.eks.cluster", "aws.s3.bucket"),
    *("aws.elbv2.load_balancer", "aws.redshift.cluster"),
    *("gcp.compute.instance", "gcp.compute.disk", "gcp.sqladmin.instance", "gcp.redis.instance"),
    *("azure.compute.virtual_machine", "azure.compute.disk", "azure.cache.redis"),
    *("hetzner.server", "hetzner.volume", "hetzner.load_balancer"),
    *("digitalocean.droplet", "digitalocean.database_cluster", "digitalocean.load_balancer"),
    "cloudflare.subscription",
)


async def spend(context: Context) -> Result:
    """Spend by service and account of AWS over the window; list prices for what has no bill."""
    days = max(1, math.ceil(context.seconds(30 * 24 * 60) / DAY))
    wanted = context.slots.providers
    bills: list[Spend] = []
    gaps: list[Gap] = []
    if not wanted or "aws" in wanted:
        bills, gaps = await billed(context, days)
    if bills:
        return of_bills(context, bills, gaps, days)
    return await by_list_price(context, gaps)


async def billed(context: Context, days: int) -> tuple[list[Spend], list[Gap]]:
    """What Cost Explorer says of each account that can be opened."""
    if context.request.providers and "aws" not in context.request.providers:
        return [], []
    bills: list[Spend] = []
    gaps: list[Gap] = []
    connections = context.connections or Connections(request=context.request)
    try:
        async with connections.asking(context.request, "aws") as (provider, ask):
            for account in sorted(provider.accounts.values(), key=lambda one: one.id):
                one = One(request=context.request, account=account, ask=ask)
                try:
                    bills.append(await asked_spend(one, context.home, days=days))
                except ReadError as error:
                    gaps.append(gap(account.id, error.reason, str(error)))
    except InputError as error:
        gaps.append(gap("", Reason.UNAUTHENTICATED, str(error)))
    finally:
        if connections is not context.connections:
            connections.close()
    return bills, gaps


@dataclass(eq=False)
class One(Connections):
    """An open connection seen as that of one account: a bill is asked for account by account."""

    account: Any = None
    ask: Ask | None = None

    @asynccontextmanager
    async def asking(self, request: Request, name: str) -> AsyncIterator[tuple[Any, Ask]]:  # noqa: ARG002
        assert self.ask
        yield SimpleNamespace(accounts={self.account.id: self.account}), self.ask


def gap(account: str, reason: Reason, detail: str) -> Gap:
    return Gap(
        provider="aws",
        account=account,
        call="ce.GetCostAndUsage",
        reason=reason,
        detail=detail,
        permission="ce:GetCostAndUsage",
    )


def of_bills(context: Context, bills: list[Spend], gaps: list[Gap], days: int) -> Result:
    rows: list[dict[str, Any]] = []
    evidence: list[Item] = [Item(resource="", path="question.days", value=days)]
    for bill in bills:
        for service, amount in bill.services:
            key = f"aws.account/{bill.account}/global/{bill.account}"
            evidence.append(
                Item(
                    resource=key,
                    path=f'ce.GetCostAndUsage["{service}"]',
                    value=amount,
                    observed_at=bill.observed,
                )
            )
            rows.append(
                {
                    "resource": f"{key}/{service}",
                    "name": service,
                    "provider": "aws",
                    "account": bill.account,
                    "amount": amount,
                    "currency": bill.currency,
                    "from": bill.start,
                    "to": bill.end,
                    "observed_at": bill.observed,
                }
            )
    rows.sort(key=lambda row: (-row["amount"], row["resource"]))
    total = round(sum(bill.total for bill in bills), 2)
    evidence.append(context.computed("sum(amount)", total, evidence[1:]))
    evidence.append(context.computed("services", [row["name"] for row in rows]))
    evidence.append(context.computed("count(services not named)", max(0, len(rows) - SHOWN)))
    evidence += [
        context.computed("rounded", f"{row['amount']:,.2f} {total:,.2f}") for row in rows[:SHOWN]
    ]
    accounts = listed([name(bill.account) for bill in bills])
    parts = [f"{name(row['name'])} {row['amount']:,.2f}" for row in rows]
    estimates: bool = any(bill.estimated for bill in bills)
    estimated = " The latest days are estimates." if estimates else ""
    cost = sum(bill.cost_usd for bill in bills)
    return Result(
        sentence=f"{total:,.2f} {bills[0].currency} were spent in {counted(days, 'day')} by {accounts}:"
        f" {listed(parts)}.{estimated}",
        rows=rows,
        more={"total": total, "days": days, "providers": ["aws"]},
        evidence=evidence,
        gaps=gaps,
        notes=[f"Cost Explorer charges for each request: asking cost {cost:.2f} USD"],
        status="partial" if gaps or not all(b.complete for b in bills) else "",
        state={row["resource"]: {"amount": row["amount"]} for row in rows},
    )


async def by_list_price(context: Context, gaps: list[Gap]) -> Result:
    """What the priced part of the inventory costs a month, by provider and kind."""
    kinds = [kind for kind in PRICED if not context.slots.providers or kind.partition(".")[0] in context.slots.providers]  # fmt: skip
    scan = await look(context.request, kinds)
    context.scan.observed = scan.observed
    groups: dict[tuple[str, str], list[float]] = {}
    evidence: list[Item] = []
    for resource in scan.resources:
        cost = resource.data.get("monthly_cost")
        if isinstance(cost, int | float) and cost > 0:
            groups.setdefault((resource.provider, resource.kind), []).append(float(cost))
            evidence += context.cite(resource, "monthly_cost")
    rows = [
        {
            "resource": f"list-price/{kind}",
            "name": kind,
            "provider": provider,
            "resources": len(costs),
            "monthly_cost": round(sum(costs), 2),
            "currency": "USD",
            "observed_at": scan.observed,
        }
        for (provider, kind), costs in groups.items()
    ]
    rows.sort(key=lambda row: (-float(str(row["monthly_cost"])), str(row["name"])))
    total = round(sum(float(str(row["monthly_cost"])) for row in rows), 2)
    connected = sorted({i.provider for i in scan.identities if i.state is Connection.CONNECTED})
    if not rows:
        return Result(
            sentence="Unknown: neither a bill nor a priced resource could be read.",
            gaps=[*gaps, *scan.gaps],
            status="unknown",
            needs=[context.question.needs],
        )
    parts = [f"{row['name']} {row['monthly_cost']:,.2f}" for row in rows]
    evidence = [
        *evidence[:200],
        context.computed("sum(monthly_cost)", total, evidence),
        *[
            context.computed(f"sum(monthly_cost of {row['name']})", row["monthly_cost"])
            for row in rows
        ],
        *[context.computed("rounded", f"{row['monthly_cost']:,.2f}") for row in rows[:SHOWN]],
        context.computed("rounded", f"{total:,.2f}"),
        context.computed("count(kinds not named)", max(0, len(rows) - SHOWN)),
    ]
    return Result(
        sentence=f"No bill could be read. By list price what has a known price costs {total:,.2f} USD"
        f" a month: {listed(parts)}.",
        rows=rows,
        more={"monthly_total": total, "basis": "list price", "providers": connected},
        evidence=evidence,
        gaps=gaps,
        status="partial",
        needs=[context.question.needs],
        state={str(row["resource"]): {"monthly_cost": row["monthly_cost"]} for row in rows},
    )


async def savings(context: Context) -> Result:
    """Findings that save money, the most first; what excludes another is counted once."""
    scan = await whole(context)
    wanted = set(context.slots.providers)
    found = [
        f
        for f in scan.findings
        if f.saving and f.saving_counted and f.saving.monthly > 0
        and (not wanted or f.provider in wanted)
    ]  # fmt: skip
    found.sort(key=lambda f: (-(f.saving.monthly if f.saving else 0), f.rule, f.resource))
    rows: list[dict[str, Any]] = []
    evidence: list[Item] = []
    for f in found:
        assert f.saving
        rows.append(
            {
                "resource": f.resource,
                "name": f.name,
                "provider": f.provider,
                "account": f.account,
                "saving": round(f.saving.monthly, 2),
                "title": f.title,
                "fix": f.fix,
                "observed_at": scan.observed,
            }
        )
        evidence.append(
            Item(resource=f.resource, path=f"saving of {f.rule}", value=round(f.saving.monthly, 2), observed_at=scan.observed)
        )  # fmt: skip
        evidence += [
            Item(resource=e.resource, path=e.path, value=e.value, observed_at=scan.observed)
            for e in f.evidence[:3]
        ]
    total = round(sum(row["saving"] for row in rows), 2)
    shown = rows[: min(SHOWN, context.limit() or SHOWN)]
    parts = [f"{name(row['name'])} {row['saving']:,.2f} ({row['title']})" for row in shown]
    evidence += [
        context.computed("sum(saving)", total),
        context.computed("count(savings)", len(rows)),
        context.computed("rounded", f"{total:,.2f} {scan.monthly_cost:,.2f}"),
        context.computed("sum(monthly_cost)", round(scan.monthly_cost, 2)),
        *[context.computed("rounded", f"{row['saving']:,.2f} {row['title']}") for row in shown],
    ]
    sentence = f"{total:,.2f} USD a month of {scan.monthly_cost:,.2f} could be saved by {counted(len(rows), 'change')}; the largest: {listed(parts, SHOWN)}."
    if not rows:
        sentence = "Nothing that was read would save money."
    return Result(
        sentence=sentence,
        rows=rows,
        more={"monthly_saving": total, "monthly_cost": round(scan.monthly_cost, 2), "scan": scan.id, "providers": list(scan.scope.get("providers", []))},
        evidence=evidence,
        gaps=[],
        status="partial" if scan.gaps else "",
        notes=[f"{counted(len(scan.gaps), 'gap')}: what was not read may save more"] if scan.gaps else [],
        state={f"{row['resource']}#{row['title']}": {"saving": row["saving"]} for row in rows},
    )  # fmt: skip
