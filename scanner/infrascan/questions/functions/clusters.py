"""What a cluster runs on: machine types, how many nodes, and how busy they were."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from infrascan.collect.provider import Call
from infrascan.model import Gap, InputError, ReadError, Reason, Resource
from infrascan.pipeline import live, stamp
from infrascan.questions.answer import Item, counted, listed, name
from infrascan.questions.functions.memory import memory
from infrascan.questions.seeing import Context, Result, missing, nearest, unnamed

TYPE = "node.kubernetes.io/instance-type"
DAY = 86_400


@dataclass(slots=True)
class Machines:
    """What was found of one cluster."""

    name: str
    types: Counter[str] = field(default_factory=Counter)
    nodes: int | None = None
    cpu: float | None = None
    memory: float | None = None
    evidence: list[Item] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    groups: list[tuple[str, str, str]] = field(default_factory=list)  # account, region, ASG
    gaps: list[Gap] = field(default_factory=list)


async def cluster_nodes(context: Context) -> Result:
    """The clusters meant; their machine types, node counts, and CPU over the window from
    CloudWatch where they run on AWS."""
    names = known(context)
    wanted = context.slots.cluster or (context.names() or ("",))[0]
    chosen = names if not wanted else nearest(wanted, names)
    if wanted and not chosen:
        missing(context, f"cluster {name(wanted)}", names, [])
        return unnamed(context, "cluster")
    if wanted and len(chosen) == 1 and chosen[0] != wanted and not context.notes:
        context.notes.append(
            f"no cluster is named {name(wanted)}; {name(chosen[0])} is the one like it"
        )
    seconds = context.seconds(7 * 24 * 60)
    found = [machines(context, one) for one in chosen]
    for one in found:
        if one.groups and asks_for_cpu(context):
            await measured(context, one, seconds)
    sentences = [said(context, one, seconds) for one in found]
    evidence = [item for one in found for item in one.evidence]
    evidence.append(Item(resource="", path="question.window_days", value=seconds / DAY))
    single = found[0] if len(found) == 1 else None
    return Result(
        sentence=" ".join(sentences) or "Unknown: no cluster was found.",
        rows=[row for one in found for row in one.rows],
        more={"clusters": [summary(one, seconds) for one in found]},
        evidence=evidence,
        gaps=[gap for one in found for gap in one.gaps],
        status="" if found else "unknown",
        needs=[] if found else [context.question.needs],
        subject={"name": single.name, "kind": "cluster"} if single else {},
        state={one.name: {"types": dict(one.types), "nodes": one.nodes} for one in found},
    )


def asks_for_cpu(context: Context) -> bool:
    return "cpu" in context.text.lower() or bool(context.slots.window)


def known(context: Context) -> list[str]:
    kinds = ("k8s.cluster", "aws.eks.cluster", "gcp.container.cluster", "azure.containerservice.managed_cluster", "digitalocean.kubernetes_cluster")  # fmt: skip
    return sorted({r.name for r in context.of(*kinds)})


def machines(context: Context, cluster: str) -> Machines:
    found = Machines(cluster)
    nodes = [r for r in context.of("k8s.node") if r.account == cluster]
    shares = [(node, share) for node in nodes if (share := of_allocatable(node)) is not None]
    for node in nodes:
        kind = str((node.data.get("tags") or {}).get(TYPE, ""))
        if kind:
            found.types[kind] += 1
        found.evidence += context.cite(node, "name", f'tags["{TYPE}"]')
        found.rows.append(context.row(node, cluster=cluster, instance_type=kind))
    if nodes:
        found.nodes = len(nodes)
        found.evidence.append(
            context.computed(f"count(nodes of {cluster})", len(nodes), found.evidence)
        )
        for kind, count in found.types.items():
            found.evidence.append(context.computed(f"count(nodes of type {kind})", count))
    if shares and len(shares) == len(nodes):
        facts = [
            i
            for node, _ in shares
            for i in context.cite(node, "usage.memory", "allocatable.memory")
        ]
        total = sum(float(node.data["allocatable"]["memory"]) for node, _ in shares)
        found.memory = round(
            100 * sum(memory(node, "usage") or 0.0 for node, _ in shares) / total, 1
        )
        found.evidence += [*facts, context.computed("100 * sum(usage.memory) / sum(allocatable.memory)", found.memory, facts)]  # fmt: skip
    for group in context.of("aws.eks.nodegroup"):
        if group.data.get("clusterName") == cluster:
            nodegroup(context, found, group, bool(nodes))
    if not nodes:
        pools(context, found)
    return found


def pools(context: Context, found: Machines) -> None:
    """The pools that clouds declare of a cluster whose nodes were not read."""
    for pool in context.of("gcp.container.node_pool"):
        if any(r.name == found.name for r in pool.links.get("cluster", [])):
            counted_in(context, found, pool, "config.machineType", "initialNodeCount", pool.name)
    inside = (
        ("azure.containerservice.managed_cluster", "properties.agentPoolProfiles", "vmSize"),
        ("digitalocean.kubernetes_cluster", "node_pools", "size"),
    )
    for kind, path, size in inside:
        for managed in context.of(kind):
            if managed.name != found.name:
                continue
            for item in context.cite(managed, f"{path}[].name"):
                at = item.path.removesuffix(".name")
                counted_in(context, found, managed, f"{at}.{size}", f"{at}.count", str(item.value))


def of_allocatable(node: Resource) -> float | None:
    usage = node.data.get("usage")
    share = usage.get("of_allocatable", {}).get("memory") if isinstance(usage, dict) else None
    allocatable = memory(node, "allocatable")
    return float(share) if isinstance(share, int | float) and allocatable else None


def nodegroup(context: Context, found: Machines, group: Resource, nodes: bool) -> None:
    """A node group of EKS: what it asks for; its autoscaling groups are what CloudWatch measures."""
    types = [str(kind) for kind in group.data.get("instanceTypes") or ()]
    size = (group.data.get("scalingConfig") or {}).get("desiredSize")
    for one in (group.data.get("resources") or {}).get("autoScalingGroups") or ():
        found.groups.append((group.account, group.region, str(one.get("name", ""))))
    facts = context.cite(group, "name", "instanceTypes[]", "scalingConfig.desiredSize")
    found.evidence += facts
    found.rows.append(context.row(group, cluster=found.name, instance_types=types, desired=size))
    if not nodes:
        for kind in types:
            found.types[kind] += size or 0
        if isinstance(size, int):
            found.nodes = (found.nodes or 0) + size
            found.evidence.append(context.computed(f"nodes of {found.name}", found.nodes, facts))


def counted_in(
    context: Context, found: Machines, owner: Resource, kind: str, count: str, pool: str
) -> None:
    """A pool that its owner's document declares."""
    types, counts = context.cite(owner, kind), context.cite(owner, count)
    found.evidence += [*types, *counts]
    size = int(counts[0].value) if counts else 0
    if types:
        found.types[str(types[0].value)] += size
    if counts:
        found.nodes = (found.nodes or 0) + size
        found.evidence.append(context.computed(f"nodes of {found.name}", found.nodes, counts))
    found.rows.append(
        context.row(owner, cluster=found.name, pool=pool, instance_type=types[0].value if types else "", desired=size)
    )  # fmt: skip


async def measured(context: Context, found: Machines, seconds: float) -> None:
    """The mean CPU of the cluster's autoscaling groups over the window, from CloudWatch."""
    end = context.now.replace(minute=0, second=0, microsecond=0)
    begin = end - timedelta(seconds=seconds)
    points: list[float] = []
    places: dict[tuple[str, str], list[str]] = {}
    for account, region, group in found.groups:
        places.setdefault((account, region), []).append(group)
    try:
        async with live(context.request, "aws") as (_, ask):
            for (account, region), groups in places.items():
                call = statistics(account, region, groups, begin, end)
                given = await ask(call)
                for result in given.get("MetricDataResults") or ():
                    points += [float(value) for value in result.get("Values") or ()]
                    found.evidence.append(
                        Item(
                            resource=f"aws.autoscaling.group/{account}/{region}/{result.get('Label') or result.get('Id')}",
                            path="cloudwatch.CPUUtilization.Average",
                            value=result.get("Values"),
                            observed_at=stamp(context.now),
                        )
                    )
    except (ReadError, InputError) as error:
        reason = error.reason if isinstance(error, ReadError) else Reason.UNAUTHENTICATED
        (account, region), *_ = places
        found.gaps.append(
            Gap(
                provider="aws",
                account=account,
                region=region,
                call="cloudwatch.GetMetricData",
                kind="aws.autoscaling.group",
                field="cpu",
                reason=reason,
                detail=f"average CPU of {found.name}: {error}",
                permission="cloudwatch:GetMetricData",
            )
        )
        return
    if points:
        found.cpu = round(sum(points) / len(points), 1)
        found.evidence.append(
            context.computed("mean(CPUUtilization)", found.cpu, found.evidence[-len(places) :])
        )


def statistics(
    account: str, region: str, groups: list[str], begin: datetime, end: datetime
) -> Call:
    queries = [
        {
            "Id": f"m{place}",
            "Label": group,
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/EC2",
                    "MetricName": "CPUUtilization",
                    "Dimensions": [{"Name": "AutoScalingGroupName", "Value": group}],
                },
                "Period": DAY,
                "Stat": "Average",
            },
        }
        for place, group in enumerate(sorted(groups))
    ]
    return Call(
        provider="aws",
        account=account,
        region=region,
        api="cloudwatch.GetMetricData",
        params={
            "MetricDataQueries": queries,
            "StartTime": stamp(begin),
            "EndTime": stamp(end),
            "ScanBy": "TimestampAscending",
        },
    )


def said(context: Context, found: Machines, seconds: float) -> str:
    if found.nodes is None and not found.types:
        return f"Of cluster {name(found.name)} neither nodes nor node groups could be seen."
    types = [f"{name(kind)} ({count})" for kind, count in sorted(found.types.items())]
    if len(types) == 1:
        types = [name(kind) for kind in found.types]
    text = f"{name(found.name)} runs {listed(types) or 'machines of unknown type'}"
    if found.nodes is not None:
        text += f", {counted(found.nodes, 'node')}"
    if found.memory is not None:
        text += f", {found.memory:.0f} % memory utilization"
    if found.cpu is not None:
        text += f", {found.cpu:g} % average CPU over {seconds / DAY:g} days"
    elif asks_for_cpu(context):
        denied = any(gap.reason is Reason.DENIED for gap in found.gaps)
        text += "; average CPU is unknown" + (" (permission denied)" if denied else "")
    return text + "."


def summary(found: Machines, seconds: float) -> dict[str, Any]:
    return {
        "cluster": found.name,
        "instance_types": sorted(found.types),
        "by_type": dict(sorted(found.types.items())),
        "nodes": found.nodes,
        "cpu_percent": found.cpu,
        "cpu_window_days": seconds / DAY,
        "memory_percent": found.memory,
    }
