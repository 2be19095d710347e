"""Whether services are healthy: by their endpoints, their workloads and the pods behind them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from infrascan.model import Resource
from infrascan.questions.answer import Item, counted, listed, name
from infrascan.questions.functions.memory import subject
from infrascan.questions.seeing import Context, Result, meant, namespace_of, unnamed

HEALTHY, DEGRADED, DOWN, IDLE, UNSEEN = "healthy", "degraded", "down", "idle", "unknown"
WAITING_IS_BAD = frozenset(
    {
        "CrashLoopBackOff",
        "ImagePullBackOff",
        "ErrImagePull",
        "InvalidImageName",
        "CreateContainerConfigError",
        "CreateContainerError",
        "RunContainerError",
        "ErrImageNeverPull",
    }
)


@dataclass(slots=True)
class Trouble:
    """What is wrong with a pod."""

    pod: Resource
    reason: str
    container: str = ""
    since: str = ""
    restarts: int = 0
    evidence: list[Item] = field(default_factory=list)


@dataclass(slots=True)
class Health:
    """A service, and why it is as it is."""

    service: Resource
    state: str
    ready: int = 0
    wanted: int | None = None
    why: str = ""
    troubles: list[Trouble] = field(default_factory=list)
    evidence: list[Item] = field(default_factory=list)


def trouble(context: Context, pod: Resource) -> Trouble | None:
    """The first thing that is wrong with a pod, by what its containers and conditions say."""
    status = pod.data.get("status") or {}
    phase = status.get("phase", "")
    if phase == "Succeeded":
        return None
    restarts = sum(int(c.get("restartCount") or 0) for c in statuses(status))
    for where, place, one in each_status(status):
        state = one.get("state") or {}
        waiting, ended = state.get("waiting") or {}, state.get("terminated") or {}
        path = f"status.{where}[{place}]"
        reason = at = ""
        if waiting.get("reason") in WAITING_IS_BAD:
            reason, at = str(waiting["reason"]), f"{path}.state.waiting.reason"
        elif ended and ended.get("exitCode") not in (0, None) and phase != "Running":
            reason, at = str(ended.get("reason") or "Error"), f"{path}.state.terminated.reason"
        if reason:
            last = (one.get("lastState") or {}).get("terminated") or {}
            since = last.get("finishedAt") or ended.get("finishedAt") or ready_since(status)
            paths = (at, f"{path}.restartCount", f"{path}.lastState.terminated.reason", f"{path}.lastState.terminated.exitCode", f"{path}.lastState.terminated.finishedAt")  # fmt: skip
            return Trouble(pod, reason, str(one.get("name", "")), str(since or ""), restarts, context.cite(pod, "name", *paths))  # fmt: skip
    if phase == "Failed":
        return Trouble(pod, str(status.get("reason") or "Failed"), "", ready_since(status), restarts, context.cite(pod, "name", "status.phase", "status.reason"))  # fmt: skip
    for place, condition in enumerate(status.get("conditions") or ()):
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return Trouble(pod, str(condition.get("reason") or "Unschedulable"), "", str(condition.get("lastTransitionTime") or ""), restarts, context.cite(pod, "name", f"status.conditions[{place}].reason", f"status.conditions[{place}].message"))  # fmt: skip
    return None


def unready(context: Context, pod: Resource) -> Trouble | None:
    """A pod that runs and is not ready."""
    status = pod.data.get("status") or {}
    for place, condition in enumerate(status.get("conditions") or ()):
        if condition.get("type") == "Ready" and condition.get("status") == "False":
            reason = str(condition.get("reason") or "NotReady")
            if reason == "PodCompleted" or status.get("phase") == "Succeeded":
                return None
            at = f"status.conditions[{place}]"
            return Trouble(pod, reason, "", str(condition.get("lastTransitionTime") or ""), 0, context.cite(pod, "name", f"{at}.status", f"{at}.reason", f"{at}.lastTransitionTime"))  # fmt: skip
    return None


def statuses(status: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for _, _, one in each_status(status)]


def each_status(status: dict[str, Any]) -> Iterator[tuple[str, int, dict[str, Any]]]:
    for where in ("initContainerStatuses", "containerStatuses"):
        for place, one in enumerate(status.get(where) or ()):
            if isinstance(one, dict):
                yield where, place, one


def ready_since(status: dict[str, Any]) -> str:
    for condition in status.get("conditions") or ():
        if condition.get("type") == "Ready":
            return str(condition.get("lastTransitionTime") or "")
    return ""


def ready_places(found: Resource) -> list[int]:
    """The places of the ready endpoints of a slice, one for each of their addresses."""
    places: list[int] = []
    endpoints: list[dict[str, Any]] = found.data.get("endpoints") or []
    for place, endpoint in enumerate(endpoints):
        conditions: dict[str, Any] = endpoint.get("conditions") or {}
        if conditions.get("ready") is not False:
            places += [place] * len(endpoint.get("addresses") or ())
    return places


def health(context: Context, service: Resource) -> Health | None:
    """None for a service that selects nothing: one of type ExternalName, or kept by hand."""
    if not (service.data.get("spec") or {}).get("selector"):
        return None
    unread = {"endpoint_slices", "pods"} & service.unread.keys()
    slices = service.links.get("endpoint_slices", [])
    pods = service.links.get("pods", [])
    ready = [(one, place) for one in slices for place in ready_places(one)]
    evidence = context.cite(service, "name")
    for one, place in ready[:5]:
        evidence += context.cite(one, f"endpoints[{place}].conditions.ready")
    evidence.append(context.computed(f"ready endpoints of {service.id}", len(ready), evidence))
    workloads = {w.key: w for kind in ("deployments", "stateful_sets", "daemon_sets") for w in (*service.links.get(kind, []), *(w for pod in pods for w in pod.links.get(kind, [])))}  # fmt: skip
    wanted = 0
    known = False
    for workload in workloads.values():
        replicas = (workload.data.get("spec") or {}).get("replicas")
        if isinstance(replicas, int):
            wanted, known = wanted + replicas, True
            evidence += context.cite(workload, "spec.replicas", "status.readyReplicas")
    troubles = [t for pod in pods if (t := trouble(context, pod) or unready(context, pod))]
    for one_trouble in troubles:
        evidence += one_trouble.evidence
    found = Health(service, HEALTHY, len(ready), wanted if known else None, "", troubles, evidence)
    if unread:
        found.state, found.why = UNSEEN, f"{listed(sorted(unread))} not read"
    elif known and wanted == 0 and not ready:
        found.state, found.why = IDLE, "scaled to 0"
    elif not ready:
        found.state, found.why = DOWN, "no ready endpoint"
    elif troubles or (known and len(ready) < wanted):
        found.state = DEGRADED
        found.why = (
            f"{len(ready)} ready of {wanted}"
            if known and len(ready) < wanted
            else f"{len(ready)} ready"
        )
        evidence.append(context.computed(f"replicas wanted of {service.id}", wanted))
    return found


async def services_healthy(context: Context) -> Result:
    """Each Kubernetes service with its ready endpoints; the cloud's caches and databases beside it
    where no namespace is named."""
    services = context.of("k8s.service")
    others = [] if context.slots.namespace else managed(context)
    wanted = set(meant(context, {s.name for s in services} | {row["name"] for row in others}))
    if context.slots.names and not wanted:
        return unnamed(context, "service")
    if wanted:
        services = [s for s in services if s.name in wanted]
        others = [row for row in others if row["name"] in wanted]
        asked = {s.provider for s in services} | {row["provider"] for row in others}
        context.gaps = [gap for gap in context.gaps if gap.provider in asked]
    found = [h for service in services if (h := health(context, service))]
    judged = [h for h in found if h.state is not IDLE]
    if not judged and not others:
        return Result(
            sentence=f"Unknown: no service with pods behind it was found{context.where}.",
            evidence=[context.computed("count(services)", len(judged))],
            status="unknown",
            needs=[context.question.needs],
        )
    bad = [h for h in judged if h.state in (DOWN, DEGRADED)]
    unseen = [h for h in judged if h.state == UNSEEN]
    sick = [row for row in others if row["state"] != HEALTHY]
    rows = [row for h in found for row in rows_of(context, h)] + others
    evidence = [
        item for h in (*bad, *[h for h in judged if h not in bad][:20]) for item in h.evidence
    ]
    for row in others:
        evidence += row.pop("evidence")
    total = len(judged) + len(others)
    good = total - len(bad) - len(sick) - len(unseen)
    evidence += [
        context.computed("count(services judged)", total),
        context.computed("count(services healthy)", good),
        context.computed("count(services not healthy)", len(bad) + len(sick)),
        context.computed("count(services not seen)", len(unseen)),
        context.computed("count(services that are not named)", max(0, len(bad) + len(sick) - 8)),
    ]
    parts = [phrase(h) for h in bad] + [
        f"{name(r['name'])} {r['state'].upper()} ({r['reason']})" for r in sick
    ]
    said = counted(total, "service")
    if parts:
        verb = "is" if len(parts) == 1 else "are"
        rest = f"; all {good} others nominal" if not unseen else f"; {good} others nominal"
        sentence = f"{len(parts)} of {said}{context.where} {verb} not healthy: {listed(parts)}{rest if good else ''}."
    elif unseen:
        sentence = f"Unknown for {len(unseen)} of {said}{context.where}; {good} are healthy."
    else:
        sentence = f"{'The' if total == 1 else 'All'} {said}{context.where} {'is' if total == 1 else 'are'} healthy."
    first = bad[0] if len(bad) == 1 else None
    pod = first.troubles[0].pod if first and first.troubles else None
    about = subject(pod or first.service) if first else {}
    return Result(
        sentence=sentence,
        rows=rows,
        more={"healthy": good, "not_healthy": len(bad) + len(sick), "unknown": len(unseen), "total": total},
        evidence=evidence,
        ok=False if parts else None if unseen else True,
        subject=about,
        state={r["resource"]: {"state": r["state"], "reason": r.get("reason", "")} for r in rows},
    )  # fmt: skip


def phrase(found: Health) -> str:
    where = namespace_of(found.service)
    said = f"{name(found.service.name)} in {name(where)} DEGRADED ({found.why}"
    if found.troubles:
        first = found.troubles[0]
        said += f"; pod {name(first.pod.name)} {name(first.reason)}"
    return said + ")"


def rows_of(context: Context, found: Health) -> Iterator[dict[str, Any]]:
    first = found.troubles[0] if found.troubles else None
    yield context.row(
        found.service,
        state=found.state,
        healthy=None if found.state == UNSEEN else found.state in (HEALTHY, IDLE),
        ready=found.ready,
        wanted=found.wanted,
        reason=(first.reason if first else "") or found.why,
        pod=first.pod.name if first else "",
        container=first.container if first else "",
        since=first.since if first else "",
        restarts=first.restarts if first else 0,
    )


# kind -> field that says its state, the values of a healthy one, and those of one on its way.
STATES: dict[str, tuple[str, tuple[str, ...]]] = {
    "aws.elasticache.replication_group": ("Status", ("available", "creating")),
    "aws.elasticache.cluster": ("CacheClusterStatus", ("available", "creating")),
    "aws.rds.db_instance": ("DBInstanceStatus", ("available", "backing-up", "storage-optimization", "stopped", "stopping", "starting", "creating", "configuring-enhanced-monitoring")),
    "aws.ecs.service": ("status", ("ACTIVE", "INACTIVE", "DRAINING")),
    "azure.cache.redis": ("properties.provisioningState", ("Succeeded", "Creating", "Updating", "Scaling")),
    "gcp.redis.instance": ("state", ("READY", "CREATING", "UPDATING", "MAINTENANCE")),
    "gcp.sqladmin.instance": ("state", ("RUNNABLE", "PENDING_CREATE", "MAINTENANCE")),
    "digitalocean.database_cluster": ("status", ("online", "creating", "resizing", "migrating")),
}  # fmt: skip


def managed(context: Context, *kinds: str) -> list[dict[str, Any]]:
    """Services that a cloud runs, by the state it says they are in; each row with its evidence."""
    rows = []
    for resource in context.of(*(kinds or STATES)):
        path, good = STATES[resource.kind]
        items = context.cite(resource, path)
        if not items:
            continue
        said = str(items[0].value)
        state, reason = (HEALTHY if said in good else DEGRADED), said
        running, wanted = resource.data.get("runningCount"), resource.data.get("desiredCount")
        if isinstance(running, int) and isinstance(wanted, int) and running < wanted:
            state, reason = (DEGRADED if running else DOWN), f"{running} of {wanted} tasks run"
            items += context.cite(resource, "runningCount", "desiredCount")
        rows.append(
            context.row(
                resource,
                state=state,
                healthy=state == HEALTHY,
                reason="" if state == HEALTHY else reason,
                evidence=[*context.cite(resource, "name"), *items],
            )
        )
    return rows
