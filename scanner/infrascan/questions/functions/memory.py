"""Memory of pods against their limits, and of nodes against what they have."""

from __future__ import annotations

from typing import Any

from infrascan.model import Resource
from infrascan.questions.answer import Item, counted, listed, name
from infrascan.questions.seeing import Context, Result, namespace_of

GIB = 2**30


async def memory_above_limit(context: Context) -> Result:
    """Pods whose memory is above a share of their limit; those without a limit apart.

    A pod has a limit when each of its containers has one. Pods that do not run use none.
    """
    percent = context.number("percent", 80.0)
    above: list[tuple[float, Resource]] = []
    unlimited: list[Resource] = []
    unmeasured: list[Resource] = []
    running = [
        r for r in context.of("k8s.pod") if r.data.get("status", {}).get("phase") == "Running"
    ]
    for pod in running:
        usage, limit = memory(pod, "usage"), memory(pod, "limited")
        if limit is None:
            unlimited.append(pod)
        elif usage is None:
            unmeasured.append(pod)
        elif 100 * usage / limit > percent:
            above.append((100 * usage / limit, pod))
    # What does not run uses none: a sample that is missing of it is no gap.
    missed = {pod.unread["usage"] for pod in unmeasured if runs(pod) and "usage" in pod.unread}
    context.gaps = [gap for gap in context.gaps if not gap.field or gap in missed]
    above.sort(key=lambda pair: (-pair[0], pair[1].key))
    shown = above[: context.limit() or len(above)]
    rows = [
        context.row(
            pod,
            usage_bytes=memory(pod, "usage"),
            limit_bytes=memory(pod, "limited"),
            percent=round(share, 1),
        )
        for share, pod in shown
    ]
    evidence: list[Item] = [Item(resource="", path="question.percent", value=percent)]
    for share, pod in shown:
        facts = context.cite(pod, "name", "usage.memory", "limited.memory")
        percentage = Item(
            resource=pod.key,
            path="100 * usage.memory / limited.memory",
            value=round(share, 1),
            observed_at=context.scan.observed,
            of=tuple(fact.id for fact in facts),
        )
        evidence += [*facts, percentage]
    parts = [
        f"{name(pod.name)} in {name(namespace_of(pod))} ({share:.1f} %)" for share, pod in shown
    ]
    measured = len(running) - len(unlimited) - len(unmeasured)
    evidence += [
        context.computed("count(pods above)", len(above)),
        context.computed("count(pods above that are not named)", max(0, len(shown) - 8)),
        context.computed("count(pods with a limit and a measurement)", measured),
        context.computed("count(pods without a limit)", len(unlimited)),
        context.computed("count(pods without a measurement)", len(unmeasured)),
    ]
    head = f"of {counted(measured, 'running pod')} with a memory limit{context.where}"
    least = f"{percent:g} % of it"
    sentence = f"{len(above)} {head} {'uses' if len(above) == 1 else 'use'} more than {least}"
    sentence = f"{sentence}: {listed(parts)}." if above else f"None {head} uses more than {least}."
    if unlimited:
        sentence += f" {counted(len(unlimited), 'pod')} without a limit stand apart."
    unknown = not measured and bool(unmeasured or not running)
    if unknown:
        sentence = f"Unknown: no memory of a pod with a limit was measured{context.where}."
    return Result(
        sentence=sentence,
        rows=rows,
        more={
            "without_limit": [context.row(pod, usage_bytes=memory(pod, "usage")) for pod in unlimited],
            "unmeasured": [context.row(pod) for pod in unmeasured],
            "percent": percent,
            "measured": measured,
        },
        evidence=evidence,
        ok=None if unknown else not above,
        status="unknown" if unknown else "",
        needs=[context.question.needs] if unknown else [],
        subject=subject(shown[0][1]) if len(shown) == 1 else {},
        state={pod.key: {"above": percent} for _, pod in above},
    )  # fmt: skip


async def node_memory(context: Context) -> Result:
    """Nodes by the share of their memory that is used; a check where a threshold is named."""
    percent = context.number("percent", 85.0)
    nodes = context.of("k8s.node")
    known = [(100 * share, node) for node in nodes if (share := used(node)) is not None]
    known.sort(key=lambda pair: (-pair[0], pair[1].key))
    above = [pair for pair in known if pair[0] > percent]
    evidence: list[Item] = [Item(resource="", path="question.percent", value=percent)]
    for _, node in known:
        evidence += context.cite(node, "name", "usage.memory", "usage.of_allocatable.memory")
    evidence += [
        context.computed("count(nodes)", len(nodes)),
        context.computed("count(nodes measured)", len(known)),
        context.computed("count(nodes above)", len(above)),
        context.computed("count(nodes above that are not named)", max(0, len(above) - 8)),
    ]
    rows = [
        context.row(
            node,
            percent=round(share, 1),
            above=share > percent,
            instance_type=node.data.get("tags", {}).get("node.kubernetes.io/instance-type", ""),
        )
        for share, node in known
    ]
    if not known:
        return Result(
            sentence=f"Unknown: the memory of {counted(len(nodes), 'node')}{context.where} was not measured.",
            more={"percent": percent},
            evidence=evidence,
            status="unknown",
            needs=[context.question.needs],
        )
    parts = [f"{name(node.name)} ({share:.0f} %)" for share, node in above]
    measured = counted(len(known), "measured node")
    sentence = f"{len(above)} of {measured}{context.where} {'is' if len(above) == 1 else 'are'} above {percent:g} % of memory: {listed(parts)}."
    if not above:
        top, node = known[0]
        sentence = f"None of {measured}{context.where} is above {percent:g} % of memory; the highest is {name(node.name)} at {top:.0f} %."
    unmeasured = len(nodes) - len(known)
    if unmeasured:
        evidence.append(context.computed("count(nodes not measured)", unmeasured))
        sentence += f" {counted(unmeasured, 'node')} could not be measured."
    return Result(
        sentence=sentence,
        rows=rows,
        more={"percent": percent, "unmeasured": unmeasured},
        evidence=evidence,
        ok=False if above else None if unmeasured else True,
        state={node.key: {"above": percent} for _, node in above},
    )


def memory(resource: Resource, field: str) -> float | None:
    found: Any = resource.data.get(field)
    value = found.get("memory") if isinstance(found, dict) else None
    return float(value) if isinstance(value, int | float) and value > 0 else None


def runs(pod: Resource) -> bool:
    statuses = (pod.data.get("status") or {}).get("containerStatuses") or ()
    return any((one.get("state") or {}).get("running") for one in statuses)


def used(node: Resource) -> float | None:
    usage = node.data.get("usage")
    share = usage.get("of_allocatable", {}).get("memory") if isinstance(usage, dict) else None
    return float(share) if isinstance(share, int | float) else None


def subject(resource: Resource) -> dict[str, Any]:
    return {
        "name": resource.name,
        "resource": resource.key,
        "kind": resource.kind,
        "namespace": namespace_of(resource),
        "account": resource.account,
    }
