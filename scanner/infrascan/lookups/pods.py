"""Pods, deployments and events of the clusters at hand, in the words that kubectl uses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from infrascan.lookups.connections import Connections, Seen
from infrascan.model import Gap, InputError, Resource

POD, DEPLOYMENT, EVENT = "k8s.pod", "k8s.deployment", "k8s.event"
EVERYWHERE = "*"
# States of a pod in which a container does not run as it should and will not by waiting.
FAILING = frozenset(
    {
        *("Failed", "CrashLoopBackOff", "OOMKilled", "Error", "ImagePullBackOff", "ErrImagePull"),
        *("InvalidImageName", "ErrImageNeverPull", "CreateContainerConfigError"),
        *("CreateContainerError", "RunContainerError", "StartError", "ContainerCannotRun"),
        *("DeadlineExceeded", "Evicted", "NodeLost", "UnexpectedAdmissionError"),
    }
)
EVENTS = 20  # of one pod


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """One container of a pod, and how it fares."""

    name: str
    image: str
    ready: bool
    restarts: int
    state: str  # "running", "waiting: CrashLoopBackOff", "terminated: OOMKilled (137)"
    last: str = ""  # how it ended the time before
    command: tuple[str, ...] = ()
    requests: Mapping[str, Any] = field(default_factory=dict)
    limits: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """One row of `kubectl get pods`."""

    resource: str  # key
    cluster: str
    namespace: str
    name: str
    status: str
    ready: str  # "1/2"
    restarts: int
    age_seconds: int | None
    node: str
    reason: str = ""  # what the state says besides its name
    containers: tuple[Container, ...] = ()

    @property
    def failing(self) -> bool:
        return self.status.removeprefix("Init:") in FAILING


@dataclass(frozen=True, slots=True, kw_only=True)
class Pods:
    pods: tuple[Pod, ...]
    seen: Seen

    @property
    def gaps(self) -> Sequence[Gap]:
        return self.seen.gaps


async def pods(
    connections: Connections, *, namespace: str = EVERYWHERE, contexts: Sequence[str] = ()
) -> Pods:
    """Every pod of a namespace, or of all. Raises `InputError` for a context that is not there."""
    seen = await connections.look(connections.narrowed(contexts=contexts), [POD])
    seen = seen.regardless_of("usage")
    found = [pod_of(each, seen.observed) for each in within(seen.of(POD), namespace)]
    return Pods(pods=tuple(found), seen=seen)


def within(resources: Iterable[Resource], namespace: str) -> list[Resource]:
    if namespace in {EVERYWHERE, ""}:
        return list(resources)
    return [each for each in resources if namespace_of(each) == namespace]


def namespace_of(resource: Resource) -> str:
    return str((resource.data.get("metadata") or {}).get("namespace") or "")


def pod_of(resource: Resource, observed: str) -> Pod:
    """The pod in kubectl's words; what a half-told pod leaves out is empty, never an error."""
    data = resource.data
    status = data.get("status") or {}
    spec = data.get("spec") or {}
    said = {each.get("name"): each for each in listed(status.get("containerStatuses"))}
    containers = tuple(
        container_of(each, said.get(each.get("name")) or {})
        for each in listed(spec.get("containers"))
    )
    state, reason = state_of(data)
    return Pod(
        resource=resource.key,
        cluster=resource.account,
        namespace=namespace_of(resource),
        name=resource.name,
        status=state,
        ready=f"{sum(c.ready for c in containers)}/{len(containers)}",
        restarts=sum(int(each.get("restartCount") or 0) for each in said.values()),
        age_seconds=age((data.get("metadata") or {}).get("creationTimestamp"), observed),
        node=str(spec.get("nodeName") or ""),
        reason=reason,
        containers=containers,
    )


def listed(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def container_of(spec: Mapping[str, Any], status: Mapping[str, Any]) -> Container:
    resources = spec.get("resources") or {}
    return Container(
        name=str(spec.get("name") or ""),
        image=str(spec.get("image") or ""),
        ready=bool(status.get("ready")),
        restarts=int(status.get("restartCount") or 0),
        state=worded(status.get("state")),
        last=worded(status.get("lastState")),
        command=tuple(map(str, [*(spec.get("command") or ()), *(spec.get("args") or ())])),
        requests=resources.get("requests") or {},
        limits=resources.get("limits") or {},
    )


def worded(state: Any) -> str:
    """A container's state in a few words; "" where it is not said."""
    if not isinstance(state, dict):
        return ""
    if isinstance(state.get("running"), dict):
        return "running"
    if isinstance(waiting := state.get("waiting"), dict):
        return f"waiting: {waiting.get('reason') or 'unknown'}"
    if isinstance(ended := state.get("terminated"), dict):
        return f"terminated: {ended.get('reason') or 'unknown'} ({ended.get('exitCode')})"
    return ""


def state_of(data: Mapping[str, Any]) -> tuple[str, str]:
    """(STATUS as kubectl shows it, what is said of it)."""
    status = data.get("status") or {}
    name = str(status.get("reason") or status.get("phase") or "Unknown")
    said = str(status.get("message") or "")
    for prefix, field_name in (("Init:", "initContainerStatuses"), ("", "containerStatuses")):
        for each in listed(status.get(field_name)):
            state = each.get("state") or {}
            waiting, ended = state.get("waiting") or {}, state.get("terminated") or {}
            reason = waiting.get("reason") or ""
            if not reason and ended and (ended.get("exitCode") or not prefix):
                reason = ended.get("reason") or f"ExitCode:{ended.get('exitCode')}"
            if reason and reason not in {"PodInitializing", "Completed"}:
                return f"{prefix}{reason}", str(
                    waiting.get("message") or ended.get("message") or ""
                )
    if (data.get("metadata") or {}).get("deletionTimestamp"):
        return "Terminating", said
    return ("Completed" if name == "Succeeded" else name), said


def age(created: Any, observed: str) -> int | None:
    try:
        then = datetime.fromisoformat(str(created))
        return max(0, int((datetime.fromisoformat(observed) - then).total_seconds()))
    except ValueError:
        return None


def spelled(seconds: int | None) -> str:
    """An age as kubectl writes it: 45s, 12m, 5h, 17d."""
    if seconds is None:
        return "unknown"
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds >= size * (2 if unit != "d" else 1):
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A pod with its conditions and the latest events about it."""

    pod: Pod
    labels: Mapping[str, str]
    service_account: str
    owner: str
    conditions: tuple[Mapping[str, str], ...]
    events: tuple[Mapping[str, Any], ...]  # the latest first
    evidence: tuple[tuple[str, Any], ...]  # (path in the pod's data, value)
    seen: Seen


async def described(
    connections: Connections, name: str, *, namespace: str = "default", contexts: Sequence[str] = ()
) -> Described:
    """One pod in full. Raises `InputError` when there is none of that name, with those alike."""
    seen = await connections.look(connections.narrowed(contexts=contexts), [POD, EVENT])
    seen = seen.regardless_of("usage")
    resource = one(seen, name, namespace)
    data = resource.data
    metadata, spec, status = (data.get(part) or {} for part in ("metadata", "spec", "status"))
    about = [e for e in seen.of(EVENT) if concerns(e, resource)]
    about.sort(key=lambda e: moment(e.data), reverse=True)
    owners = listed(metadata.get("ownerReferences"))
    return Described(
        pod=pod_of(resource, seen.observed),
        labels={str(k): str(v) for k, v in (metadata.get("labels") or {}).items()},
        service_account=str(spec.get("serviceAccountName") or "default"),
        owner=f"{owners[0].get('kind')}/{owners[0].get('name')}" if owners else "",
        conditions=tuple(
            {key: str(each.get(key) or "") for key in ("type", "status", "reason", "message")}
            for each in listed(status.get("conditions"))
        ),
        events=tuple(event_of(each) for each in about[:EVENTS]),
        evidence=tuple(facts(data)),
        seen=seen,
    )


def one(seen: Seen, name: str, namespace: str) -> Resource:
    """The pod of that name, or the only one whose name begins so. Raises `InputError`."""
    inside = within(seen.of(POD), namespace)
    exact = [each for each in inside if each.name == name]
    if len(exact) == 1:
        return exact[0]
    if len(exact) > 1:
        where = ", ".join(f"{each.account}:{each.id}" for each in exact[:10])
        raise InputError(
            f"several pods are named {name!r}: {where}; name the context and namespace"
        )
    near = [each for each in inside if each.name.startswith(f"{name}-")]
    if len(near) == 1:
        return near[0]
    if near:
        names = ", ".join(each.name for each in near[:10])
        raise InputError(f"several pods begin with {name!r}: {names}; name one of them")
    others = sorted({namespace_of(each) for each in seen.of(POD) if each.name.startswith(name)})
    hint = f"; in other namespaces there are some: {', '.join(others[:10])}" if others else ""
    if not seen.whole:
        hint += f"; not everything could be read: {seen.gaps[0].detail}"
    raise InputError(f"there is no pod {name!r} in namespace {namespace!r}{hint}")


def concerns(event: Resource, pod: Resource) -> bool:
    about = event.data.get("involvedObject") or event.data.get("regarding") or {}
    return (
        event.account == pod.account
        and about.get("kind") == "Pod"
        and about.get("name") == pod.name
        and about.get("namespace") == namespace_of(pod)
    )


def moment(event: Mapping[str, Any]) -> str:
    times = ("lastTimestamp", "eventTime", "firstTimestamp")
    return next((str(event[name]) for name in times if event.get(name)), "")


def event_of(resource: Resource) -> dict[str, Any]:
    data = resource.data
    return {
        "time": moment(data),
        "type": str(data.get("type") or ""),
        "reason": str(data.get("reason") or ""),
        "message": str(data.get("message") or data.get("note") or ""),
        "count": int(data.get("count") or 1),
        "resource": resource.key,
    }


def facts(data: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    """What the state of a pod rests on: paths in its data, and the values there."""
    status = data.get("status") or {}
    if "phase" in status:
        yield "status.phase", status["phase"]
    for number, each in enumerate(listed(status.get("containerStatuses"))):
        for part in ("restartCount", "state", "lastState"):
            if each.get(part):
                yield f"status.containerStatuses[{number}].{part}", each[part]


BAD_COMMANDS = {
    "0": "ends at once without an error, so it has nothing long-running to do",
    "126": "cannot be executed",
    "127": "is not in the image",
}


async def past_mending(
    connections: Connections, deployment: str, *, namespace: str, contexts: Sequence[str] = ()
) -> list[str]:
    """What a restart of a deployment would not mend: an image that does not come, a command that
    ends at once. Empty where nothing speaks against it, or where pods cannot be read.
    """
    found = await pods(connections, namespace=namespace, contexts=contexts)
    said = []
    for pod in found.pods:
        if not re.fullmatch(rf"{re.escape(deployment)}-[a-z0-9]+-[a-z0-9]+", pod.name):
            continue
        for container in pod.containers:
            which = f"pod {pod.name}, container {container.name}"
            state = container.state.removeprefix("waiting: ")
            code = re.search(r"\((\d+)\)$", container.last)
            if "Image" in state:
                said.append(
                    f"{which} is in {state}: a restart uses the same image {container.image} and "
                    "will not fix the root cause"
                )
            elif state == "CrashLoopBackOff" and code and code[1] in BAD_COMMANDS:
                said.append(
                    f"{which}: its command {BAD_COMMANDS[code[1]]}; a restart runs the same command "
                    "and will not fix the root cause"
                )
    if not found.seen.whole:
        said.append(f"pods could not all be read: {found.seen.gaps[0].detail}")
    return said[:10]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One row of `kubectl get deployments`."""

    resource: str
    cluster: str
    namespace: str
    name: str
    desired: int
    ready: int
    updated: int
    available: int
    images: tuple[str, ...]
    healthy: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployments:
    deployments: tuple[Deployment, ...]
    seen: Seen


async def deployments(
    connections: Connections, *, namespace: str = EVERYWHERE, contexts: Sequence[str] = ()
) -> Deployments:
    """Every deployment of a namespace, or of all, with its images and replicas."""
    seen = await connections.look(connections.narrowed(contexts=contexts), [DEPLOYMENT])
    found = [deployment_of(each) for each in within(seen.of(DEPLOYMENT), namespace)]
    return Deployments(deployments=tuple(found), seen=seen)


def deployment_of(resource: Resource) -> Deployment:
    spec, status = resource.data.get("spec") or {}, resource.data.get("status") or {}
    replicas = spec.get("replicas")
    desired = 1 if replicas is None else int(replicas)
    ready = int(status.get("readyReplicas") or 0)
    updated = int(status.get("updatedReplicas") or 0)
    pod = resource.data.get("pod_spec") or {}
    return Deployment(
        resource=resource.key,
        cluster=resource.account,
        namespace=namespace_of(resource),
        name=resource.name,
        desired=desired,
        ready=ready,
        updated=updated,
        available=int(status.get("availableReplicas") or 0),
        images=tuple(str(each.get("image") or "") for each in listed(pod.get("containers"))),
        healthy=ready >= desired and updated >= desired,
    )
