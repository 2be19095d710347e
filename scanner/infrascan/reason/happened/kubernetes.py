"""What a cluster tells: rollouts, restarts, writes to its objects, nodes that come and go.

A rollout is a ReplicaSet, compared with the one before it. Of other objects Kubernetes keeps the
time of the latest write and the client that made it, so an earlier write is not seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from infrascan.model import Evidence, Resource
from infrascan.reason.change import (
    Change,
    Step,
    What,
    at,
    cite,
    cited,
    dicts,
    mapping,
    moment,
    quoted,
    stamp,
)

REVISION = ("metadata", "annotations", "deployment.kubernetes.io/revision")
HISTORY = ("metadata", "annotations", "deployment.kubernetes.io/revision-history")
TEMPLATE: tuple[Step, ...] = ("spec", "template", "spec")
# Kinds whose latest write is a change of its own: what is written, and what it can do to others.
WRITTEN: Mapping[str, What] = {
    "k8s.config_map": What.CONFIG,
    "k8s.secret": What.CONFIG,
    "k8s.stateful_set": What.ROLLOUT,
    "k8s.daemon_set": What.ROLLOUT,
    "k8s.cron_job": What.CONFIG,
    "k8s.service": What.NETWORK,
    "k8s.ingress": What.NETWORK,
    "k8s.network_policy": What.NETWORK,
    "k8s.horizontal_pod_autoscaler": What.SCALING,
    "k8s.resource_quota": What.CONFIG,
    "k8s.limit_range": What.CONFIG,
    "k8s.persistent_volume_claim": What.CONFIG,
    "k8s.service_account": What.ACCESS,
    "k8s.role": What.ACCESS,
    "k8s.role_binding": What.ACCESS,
    "k8s.cluster_role": What.ACCESS,
    "k8s.cluster_role_binding": What.ACCESS,
    "k8s.validating_webhook_configuration": What.CONFIG,
    "k8s.mutating_webhook_configuration": What.CONFIG,
}
# Controllers that write to objects in the course of their work: no one changed anything.
CONTROLLERS = frozenset(
    {
        *("kube-controller-manager", "kube-scheduler", "kubelet", "kube-apiserver"),
        *("cloud-controller-manager", "aws-cloud-controller-manager", "leader-election"),
        *("cluster-autoscaler", "karpenter", "cert-manager-cainjector"),
    }
)


def changes(by_kind: Mapping[str, Sequence[Resource]]) -> Iterator[Change]:
    """Every change and symptom that the objects themselves show. Events are in `events.py`."""
    sets: dict[str, list[Resource]] = {}
    for replica_set in by_kind.get("k8s.replica_set", ()):
        for owner in replica_set.links.get("deployment", ()):
            sets.setdefault(owner.key, []).append(replica_set)
    for deployment in by_kind.get("k8s.deployment", ()):
        yield from rollouts(deployment, sets.get(deployment.key, []))
    for kind, what in WRITTEN.items():
        for resource in by_kind.get(kind, ()):
            yield from written(resource, what)
    for pod in by_kind.get("k8s.pod", ()):
        yield from restarts(pod)
    for node in by_kind.get("k8s.node", ()):
        yield from machine(node)


def rollouts(deployment: Resource, sets: Sequence[Resource]) -> Iterator[Change]:
    """One for each ReplicaSet but the first, and for the first where the deployment began."""
    ordered = sorted(sets, key=revision)
    writer = mapping(deployment.data.get("changed"))
    for place, replica_set in enumerate(ordered):
        when = rolled(replica_set, deployment, latest=place == len(ordered) - 1)
        if not when:
            continue
        before = ordered[place - 1] if place else None
        wrote = moment(writer.get("at"))
        by = str(writer.get("by") or "")
        began = moment(when)
        close = bool(wrote and began and abs((wrote - began).total_seconds()) <= 120)
        yield rollout(deployment, replica_set, before, when, by if close else "")


def revision(replica_set: Resource) -> tuple[int, str]:
    text = str(at(replica_set.data, REVISION) or "")
    created = str(at(replica_set.data, ("metadata", "creationTimestamp")) or "")
    return (int(text) if text.isdigit() else 0, created)


def rolled(replica_set: Resource, deployment: Resource, *, latest: bool) -> str:
    """When its pods were rolled out. One that came back has an old creation time: for it, the time
    of the deployment's progress is taken, which is known only of the latest."""
    if at(replica_set.data, HISTORY) is None:
        return str(at(replica_set.data, ("metadata", "creationTimestamp")) or "")
    if not latest:
        return ""
    for _, condition in dicts(at(deployment.data, ("status", "conditions"))):
        if condition.get("type") == "Progressing":
            return str(condition.get("lastTransitionTime") or "")
    return ""


def rollout(
    deployment: Resource, replica_set: Resource, before: Resource | None, when: str, by: str
) -> Change:
    number = str(at(replica_set.data, REVISION) or "")
    differing = list(differences(before, replica_set)) if before else []
    evidence = list(cited(replica_set, ("metadata", "creationTimestamp"), REVISION))
    for _, _, _, facts in differing:
        evidence += facts
    said = "; ".join(f"{name} {old} → {new}" for name, old, new, _ in differing)
    returned = at(replica_set.data, HISTORY) is not None
    verb = "was rolled back to" if returned else "was rolled out as"
    label = f"revision {number}" if number else f"ReplicaSet {replica_set.name}"
    if before is None:
        said = "the first that is kept"
    elif not said:
        said = "nothing that is kept differs; values of variables are not kept"
    image = next(((old, new) for name, old, new, _ in differing if name.startswith("image")), None)
    return Change(
        time=when,
        kind=What.ROLLOUT,
        resource=deployment.key,
        name=deployment.name,
        what=f"{deployment.name} {verb} {label}: {said}",
        before=image[0] if image else "; ".join(old for _, old, _, _ in differing),
        after=image[1] if image else "; ".join(new for _, _, new, _ in differing),
        actor=by,
        source="k8s.replica_set",
        touches=(replica_set.key,),
        evidence=tuple(evidence),
        facets=frozenset(name.partition(" ")[0] for name, *_ in differing),
    )


def differences(
    before: Resource, after: Resource
) -> Iterator[tuple[str, str, str, tuple[Evidence, ...]]]:
    """(what, before, after, evidence) of the templates' containers, replicas aside."""
    old, new = (containers(found) for found in (before, after))
    for name in sorted({*old, *new}):
        if name not in old or name not in new:
            side = after if name in new else before
            place = (new if name in new else old)[name]
            here_before, here_after = ("absent", "there") if name in new else ("there", "absent")
            fact = cited(side, (*place, "name"))
            yield f"container {quoted(name)}", here_before, here_after, fact
            continue
        for facet, steps in FACETS:
            here, there = (*old[name], *steps), (*new[name], *steps)
            was, now = at(before.data, here), at(after.data, there)
            if was != now:
                facts = (*cited(before, here), *cited(after, there))
                names = facet == "environment"
                sides = variables(was, now) if names else (shown(was), shown(now))
                yield facet, *sides, facts
    for facet, steps in POD_FACETS:
        was, now = at(before.data, (*TEMPLATE, *steps)), at(after.data, (*TEMPLATE, *steps))
        if was != now:
            facts = (*cited(before, (*TEMPLATE, *steps)), *cited(after, (*TEMPLATE, *steps)))
            yield facet, shown(was), shown(now), facts


FACETS: tuple[tuple[str, tuple[Step, ...]], ...] = (
    ("image", ("image",)),
    ("memory limit", ("resources", "limits", "memory")),
    ("memory request", ("resources", "requests", "memory")),
    ("cpu limit", ("resources", "limits", "cpu")),
    ("cpu request", ("resources", "requests", "cpu")),
    ("command", ("command",)),
    ("args", ("args",)),
    ("environment", ("env",)),
    ("environment from", ("envFrom",)),
    ("probe liveness", ("livenessProbe",)),
    ("probe readiness", ("readinessProbe",)),
    ("probe startup", ("startupProbe",)),
    ("mounts", ("volumeMounts",)),
    ("security", ("securityContext",)),
    ("ports", ("ports",)),
)
POD_FACETS: tuple[tuple[str, tuple[Step, ...]], ...] = (
    ("volumes", ("volumes",)),
    ("account", ("serviceAccountName",)),
    ("placement", ("nodeSelector",)),
    ("placement affinity", ("affinity",)),
    ("security", ("securityContext",)),
    ("pull-secrets", ("imagePullSecrets",)),
)


def containers(replica_set: Resource) -> dict[str, tuple[Step, ...]]:
    """Where each container of the template is, by name."""
    found: dict[str, tuple[Step, ...]] = {}
    for name in ("containers", "initContainers"):
        place = (*TEMPLATE, name)
        for index, container in dicts(at(replica_set.data, place)):
            found[str(container.get("name") or index)] = (*place, index)
    return found


def variables(was: Any, now: Any) -> tuple[str, str]:
    """The names of the variables that only one side has; values are not kept of either."""
    old, new = ({str(entry.get("name")) for _, entry in dicts(side)} for side in (was, now))
    if old == new:
        return "other", "other"
    return only(old - new), only(new - old)


def only(names: set[str]) -> str:
    return f"with {', '.join(quoted(name, 60) for name in sorted(names)[:5])}" if names else "none"


def shown(value: Any) -> str:
    """A value in a sentence: a scalar quoted, a structure only said to differ."""
    if value is None:
        return "none"
    return quoted(value) if not isinstance(value, list | dict) else "other"


def written(resource: Resource, what: What) -> Iterator[Change]:
    """The latest write to an object, or its making where nothing was written since."""
    made = str(at(resource.data, ("metadata", "creationTimestamp")) or "")
    changed = mapping(resource.data.get("changed"))
    when, by = str(changed.get("at") or ""), str(changed.get("by") or "")
    created = not when or when == made
    if by in CONTROLLERS and not created:
        return
    when = when or made
    if not moment(when):
        return
    verb = "was created" if created else "was written"
    facets = ("unready",) if resource.kind in {"k8s.stateful_set", "k8s.daemon_set"} else ()
    yield Change(
        time=when,
        kind=what,
        resource=resource.key,
        name=resource.name,
        what=f"{word(resource.kind)} {resource.name} {verb}{f' by {quoted(by)}' if by else ''}",
        actor=by,
        source=resource.kind,
        evidence=cited(
            resource, ("changed", "at"), ("changed", "by"), ("metadata", "creationTimestamp")
        ),
        facets=frozenset({"created" if created else "written", *facets}),
    )


def word(kind: str) -> str:
    return kind.partition(".")[2].replace("_", " ")


def restarts(pod: Resource) -> Iterator[Change]:
    """The latest end of each container, and pods whose container waits for something."""
    for index, status in dicts(at(pod.data, ("status", "containerStatuses"))):
        place: tuple[Step, ...] = ("status", "containerStatuses", index)
        for which in ("lastState", "state"):
            ended = mapping(mapping(status.get(which)).get("terminated"))
            if moment(ended.get("finishedAt")):
                yield ended_container(pod, place, which, ended, status)


def ended_container(
    pod: Resource,
    place: tuple[Step, ...],
    which: str,
    ended: Mapping[str, Any],
    status: Mapping[str, Any],
) -> Change:
    reason = str(ended.get("reason") or "ended")
    count = int(status.get("restartCount") or 0)
    facets = {"oom"} if reason == "OOMKilled" else {"exit"}
    return Change(
        time=str(ended["finishedAt"]),
        kind=What.RESTART if which == "lastState" else What.FAILURE,
        resource=pod.key,
        name=pod.name,
        what=f"container {quoted(status.get('name'))} of pod {pod.name} ended: {quoted(reason)},"
        f" exit code {ended.get('exitCode')}; {count} restarts",
        source="k8s.pod",
        evidence=cited(
            pod,
            (*place, which, "terminated", "finishedAt"),
            (*place, which, "terminated", "reason"),
            (*place, which, "terminated", "exitCode"),
            (*place, "restartCount"),
        ),
        facets=frozenset(facets),
        count=max(count, 1),
    )


def machine(node: Resource) -> Iterator[Change]:
    """A node that joined, was cordoned, or has a condition it should not have."""
    made = at(node.data, ("metadata", "creationTimestamp"))
    if moment(made):
        yield Change(
            time=str(made),
            kind=What.MACHINE,
            resource=node.key,
            name=node.name,
            what=f"node {node.name} joined",
            source="k8s.node",
            evidence=cited(node, ("metadata", "creationTimestamp")),
            facets=frozenset({"joined"}),
            reaction=True,
        )
    for index, condition in dicts(at(node.data, ("status", "conditions"))):
        kind, state = str(condition.get("type")), str(condition.get("status"))
        wrong = state != "True" if kind == "Ready" else state == "True"
        if wrong and moment(condition.get("lastTransitionTime")):
            place = ("status", "conditions", index)
            yield Change(
                time=str(condition["lastTransitionTime"]),
                kind=What.MACHINE,
                resource=node.key,
                name=node.name,
                what=f"node {node.name} got condition {kind} = {state}",
                source="k8s.node",
                evidence=cited(
                    node,
                    (*place, "type"),
                    (*place, "status"),
                    (*place, "reason"),
                    (*place, "lastTransitionTime"),
                ),
                facets=frozenset({"memory" if "Memory" in kind else "node"}),
            )
    for index, taint in dicts(at(node.data, ("spec", "taints"))):
        when = moment(taint.get("timeAdded"))
        if when and taint.get("key") == "node.kubernetes.io/unschedulable":
            place = ("spec", "taints", index)
            fact = cite(node, *place, "timeAdded")
            yield Change(
                time=stamp(when),
                kind=What.MACHINE,
                resource=node.key,
                name=node.name,
                what=f"node {node.name} was cordoned",
                source="k8s.node",
                evidence=(fact,) if fact else (),
                facets=frozenset({"cordon"}),
            )
