"""What does not serve, in the words that whoever is woken needs: pod, namespace, reason, since."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from infrascan.model import Resource

LISTS = ("initContainerStatuses", "containerStatuses")
OWNED = ("pods", "replica_sets")  # relations from what runs or selects pods
OWNERS = frozenset(
    {
        *("k8s.deployment", "k8s.stateful_set", "k8s.daemon_set", "k8s.replica_set"),
        *("k8s.job", "k8s.service"),
    }
)


def degraded(resource: Resource | None) -> dict[str, str] | None:
    """Of a pod, or of the first pod that is not well behind something that runs or selects pods.

    None where no pod is concerned, or none is known to be unwell.
    """
    if resource is None:
        return None
    if resource.kind == "k8s.pod":
        return told(resource)
    if resource.kind not in OWNERS:
        return None
    unwell = (pod for pod in pods(resource, 2) if reason(pod)[0])
    first = min(unwell, key=lambda pod: pod.key, default=None)
    return told(first) if first else None


def pods(resource: Resource, depth: int) -> Iterator[Resource]:
    for name in OWNED:
        for target in resource.links.get(name, ()):
            if target.kind == "k8s.pod":
                yield target
            elif depth:
                yield from pods(target, depth - 1)


def told(pod: Resource) -> dict[str, str]:
    why, since = reason(pod)
    services = sorted(one.name for one in pod.links.get("services", ()))
    said = {
        "pod": pod.name,
        "namespace": text(pod.data.get("metadata"), "namespace"),
        "cluster": pod.account,
        "reason": why or "unknown",
        "since": since,
    }
    if services:
        said["services"] = ", ".join(services)
    return said


def workload(pod: Resource | None) -> str:
    """What a pod belongs to, the same for the pod that will replace it; "" where nothing will.

    Pods of a Deployment are owned by a ReplicaSet, which each rollout names anew: the hash in that
    name, which the pod's labels tell, is left out.
    """
    if pod is None or pod.kind != "k8s.pod":
        return ""
    metadata = pod.data.get("metadata") or {}
    for owner in metadata.get("ownerReferences") or ():
        if isinstance(owner, Mapping) and owner.get("controller"):
            hashed = text(metadata.get("labels"), "pod-template-hash")
            name = text(owner, "name")
            if hashed:
                name = name.removesuffix(f"-{hashed}")
            return f"{pod.account}/{text(metadata, 'namespace')}/{text(owner, 'kind')}/{name}"
    return ""


def reason(pod: Resource) -> tuple[str, str]:
    """Why a pod is not well and since when, in Kubernetes' own words; "" where it says nothing."""
    status = pod.data.get("status") or {}
    since = unready(status)
    for container in containers(status):
        state = container.get("state") or {}
        if waiting := text(state.get("waiting"), "reason"):
            return waiting, since or text(last_end(container), "finishedAt")
        ended = state.get("terminated") or {}
        if ended.get("exitCode"):
            return text(ended, "reason") or "Error", since or text(ended, "finishedAt")
    if said := text(status, "reason"):  # Evicted, NodeLost
        return said, since or text(status, "startTime")
    if since:
        ready = next(c for c in conditions(status) if text(c, "type") == "Ready")
        return text(ready, "reason") or "NotReady", since
    return "", ""


def unready(status: Mapping[str, Any]) -> str:
    """Since when the pod is not ready; "" where it is, or is not said to be."""
    for condition in conditions(status):
        if (
            text(condition, "type") == "Ready"
            and text(condition, "status") == "False"
            and text(condition, "reason") != "PodCompleted"
        ):
            return text(condition, "lastTransitionTime")
    return ""


def containers(status: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for name in LISTS:
        yield from (one for one in status.get(name) or () if isinstance(one, Mapping))


def conditions(status: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from (one for one in status.get("conditions") or () if isinstance(one, Mapping))


def last_end(container: Mapping[str, Any]) -> Any:
    return (container.get("lastState") or {}).get("terminated")


def text(value: Any, name: str) -> str:
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, str) else ""


ROW = ("pod", "namespace", "cluster", "service", "reason", "since")


def rows(data: Any) -> list[Mapping[str, Any]]:
    """The rows of a check's answer that are why it does not hold.

    A row says by `healthy` or `above` whether it is one of them; where none says, all are.
    """
    found = data.get("rows") if isinstance(data, Mapping) else None
    return [
        row
        for row in (found if isinstance(found, list) else ())
        if isinstance(row, Mapping)
        and row.get("healthy") is not True
        and row.get("above") is not False
    ]


def failing(data: Any) -> list[str]:
    """What a check does not hold for, by key or name."""
    return sorted({str(row.get("resource") or row.get("name") or "") for row in rows(data)} - {""})


def pod_in(data: Any) -> dict[str, str] | None:
    """The first pod that an answer names, with namespace, reason and since."""
    for row in rows(data):
        key = str(row.get("resource", ""))
        said = dict(row)
        if key.startswith("k8s.pod/"):
            said["pod"] = row.get("pod") or row.get("name")
        elif key.startswith("k8s.service/"):
            said["service"] = row.get("name")
        if said.get("pod"):
            return {name: str(said[name]) for name in ROW if said.get(name)}
    return None
