"""Databases and caches: what they are, how they are, how busy they are."""

from __future__ import annotations

import json
from typing import Any

from infrascan.model import Resource
from infrascan.questions.answer import Item, counted, listed, name
from infrascan.questions.functions.health import HEALTHY, health, managed
from infrascan.questions.functions.memory import subject
from infrascan.questions.seeing import Context, Result, meant, only_own_gaps, unnamed

ENGINES = ("Engine", "databaseVersion", "properties.version", "engine")
SIZES = ("DBInstanceClass", "settings.tier", "sku.name", "size")
STATUSES = ("DBInstanceStatus", "state", "properties.state", "status")
# Our names for a metric, the path of its mean or sum, and what it takes to be in percent, or a second.
METRICS = (
    ("cpu_percent", ("metrics.cpu.last", "metrics.cpu.average")),
    ("connections", ("metrics.connections.last", "metrics.connections.average")),
    ("read_iops", ("metrics.read_iops.last", "metrics.read_operations.last")),
)  # fmt: skip
BUSY = 80.0
CACHES = ("aws.elasticache.replication_group", "aws.elasticache.cluster", "gcp.redis.instance", "azure.cache.redis")  # fmt: skip
CACHE_WORDS = ("redis", "cache", "memcache", "valkey")


def first(context: Context, resource: Resource, paths: tuple[str, ...]) -> Item | None:
    for path in paths:
        if items := context.cite(resource, path):
            return items[0]
    return None


def load_of(context: Context, resource: Resource) -> tuple[dict[str, Any], list[Item]]:
    """What the metrics of a database say; CPU in percent, whichever way its vendor counts."""
    found: dict[str, Any] = {}
    facts: list[Item] = []
    for column, paths in METRICS:
        item = first(context, resource, paths)
        if item is None:
            continue
        value = float(item.value)
        if column == "cpu_percent" and resource.provider == "gcp":
            value *= 100  # a share there
        found[column] = round(value, 1)
        facts.append(item)
    return found, facts


def rates_of(context: Context, database: Resource) -> tuple[dict[str, float], list[Item]]:
    """What alarms on this database measured last, of rates such as queries a second.

    CloudWatch puts the points it judged into the alarm, so no further call is needed.
    """
    found: dict[str, float] = {}
    facts: list[Item] = []
    for alarm in context.everywhere("aws.cloudwatch.alarm"):
        where = {str(one.get("Value")) for one in alarm.data.get("Dimensions") or ()}
        metric = str(alarm.data.get("MetricName", ""))
        if database.name not in where or alarm.account != database.account or metric not in RATES:
            continue
        try:
            points = json.loads(str(alarm.data.get("StateReasonData", ""))).get("recentDatapoints")
            value = float([point for point in points if point is not None][-1])
        except (AttributeError, IndexError, TypeError, ValueError):
            continue
        found[RATES[metric]] = value
        given = context.cite(alarm, "AlarmName", "MetricName", "StateReasonData", "StateValue")
        facts += [
            *given,
            Item(resource=alarm.key, path="StateReasonData.recentDatapoints[-1]", value=value, observed_at=context.scan.observed, of=tuple(item.id for item in given)),
            context.computed("rounded", f"{value:,.0f}"),
        ]  # fmt: skip
    return found, facts


RATES = {
    "QueriesPerSecond": "queries a second",
    "Queries": "queries",
    "TransactionsPerSecond": "transactions a second",
}


async def databases(context: Context) -> Result:
    """Databases, those that are meant or all, with engine, size, state and load."""
    pool = context.of(*(kind for kind in context.question.reads if kind != "aws.cloudwatch.alarm"))
    names = set(meant(context, {r.name for r in pool}))
    if not names and context.slots.names:
        return unnamed(context, "database")
    if names:
        pool = [r for r in pool if r.name in names]
        only_own_gaps(context, *pool)
    rows, evidence, parts = [], [], []
    for one in sorted(pool, key=lambda r: (r.provider, r.account, r.name, r.key)):
        load, facts = load_of(context, one)
        engine, size, state = (first(context, one, paths) for paths in (ENGINES, SIZES, STATUSES))
        given = [item for item in (engine, size, state) if item]
        rows.append(
            context.row(
                one,
                engine=str(engine.value) if engine else "",
                size=str(size.value) if size else "",
                state=str(state.value) if state else "",
                **load,
                monthly_cost=one.data.get("monthly_cost"),
            )
        )
        evidence += [*context.cite(one, "name"), *given, *facts]
        rates, told = rates_of(context, one)
        evidence += told
        rows[-1] |= {rate.replace(" ", "_"): value for rate, value in rates.items()}
        said = [
            *((name(size.value),) if size else ()),
            *((f"{load['cpu_percent']:g} % CPU",) if "cpu_percent" in load else ()),
            *((f"{load['connections']:g} connections",) if "connections" in load else ()),
            *(f"{value:,.0f} {rate}" for rate, value in rates.items()),
        ]  # fmt: skip
        parts.append((load.get("cpu_percent", -1.0), f"{name(one.name)} ({', '.join(said)})"))
        evidence += [
            Item(resource=one.key, path=column, value=value, observed_at=context.scan.observed, of=tuple(f.id for f in facts))
            for column, value in load.items()
        ]  # fmt: skip
    parts.sort(key=lambda pair: -pair[0])
    shown = [text for _, text in parts]
    evidence += [
        context.computed("count(databases)", len(rows)),
        context.computed("count(not named)", max(0, len(rows) - 8)),
    ]
    sentence = (
        f"{counted(len(rows), 'database')}{context.where}, the busiest first: {listed(shown)}."
    )
    if len(rows) == 1:
        sentence = f"{shown[0]}."
    return Result(
        sentence=sentence if rows else f"No database{context.where} was found.",
        rows=rows,
        evidence=evidence,
        subject=subject(pool[0]) if len(pool) == 1 else {},
        state={r["resource"]: {"size": r["size"], "state": r["state"], "engine": r["engine"]} for r in rows},
    )  # fmt: skip


async def caches(context: Context) -> Result:
    """Caches of the clouds by the state they say, and services of Kubernetes that hold one."""
    rows = managed(context, *(kind for kind in CACHES if kind != "aws.elasticache.cluster"))
    grouped = {str(r.data.get("ReplicationGroupId")) for r in context.of("aws.elasticache.cluster")}
    groups = {r["name"] for r in rows}
    alone = {
        r.key
        for r in context.of("aws.elasticache.cluster")
        if str(r.data.get("ReplicationGroupId")) not in groups & grouped
    }
    rows += [r for r in managed(context, "aws.elasticache.cluster") if r["resource"] in alone]
    evidence: list[Item] = [item for row in rows for item in row.pop("evidence")]
    for service in context.of("k8s.service"):
        if not is_cache(service):
            continue
        if found := health(context, service):
            first_trouble = found.troubles[0] if found.troubles else None
            rows.append(
                context.row(
                    service,
                    state=found.state,
                    healthy=found.state == HEALTHY,
                    reason=(first_trouble.reason if first_trouble else "") or found.why,
                    pod=first_trouble.pod.name if first_trouble else "",
                    since=first_trouble.since if first_trouble else "",
                )
            )
            evidence += found.evidence
    names = set(meant(context, {r["name"] for r in rows}))
    if not names and context.slots.names:
        return unnamed(context, "cache")
    rows = [r for r in rows if r["name"] in names] if names else rows
    if not rows:
        return Result(
            sentence=f"Unknown: no cache{context.where} was found.",
            status="unknown",
            needs=[context.question.needs],
        )
    bad = [r for r in rows if r["healthy"] is False]
    parts = [f"{name(r['name'])} DEGRADED ({r['reason']})" for r in bad]
    evidence += [
        context.computed("count(caches)", len(rows)),
        context.computed("count(not healthy)", len(bad)),
        context.computed("count(healthy)", len(rows) - len(bad)),
        context.computed("count(not named)", max(0, len(bad) - 8)),
        *[context.computed("reason", r["reason"]) for r in bad],
    ]
    sentence = f"{len(bad)} of {counted(len(rows), 'cache')}{context.where} {'is' if len(bad) == 1 else 'are'} not healthy: {listed(parts)}."
    if not bad:
        sentence = f"{'The' if len(rows) == 1 else 'All'} {counted(len(rows), 'cache')}{context.where} {'is' if len(rows) == 1 else 'are'} healthy: {listed([name(r['name']) for r in rows])}."
        evidence.append(context.computed("count(not named)", max(0, len(rows) - 8)))
    only = bad[0] if len(bad) == 1 else rows[0] if len(rows) == 1 else {}
    return Result(
        sentence=sentence,
        rows=rows,
        evidence=evidence,
        ok=not bad,
        subject={"name": only.get("pod") or only.get("name", ""), "resource": only.get("resource", "")},
        state={r["resource"]: {"state": r["state"]} for r in rows},
    )  # fmt: skip


def is_cache(service: Resource) -> bool:
    """Whether a service holds a cache, by its name or the images behind it."""
    if any(word in service.name.lower() for word in CACHE_WORDS):
        return True
    images = [
        str(container.get("image", "")).rpartition("/")[2].lower()
        for pod in service.links.get("pods", [])
        for container in (pod.data.get("spec") or {}).get("containers") or ()
    ]
    return any(image.startswith(CACHE_WORDS) for image in images)
