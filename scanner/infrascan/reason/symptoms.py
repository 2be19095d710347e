"""What is wrong with a resource and its parts, since when, and by which fields.

The sort of a symptom decides which changes could have brought it about.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from infrascan.model import Evidence, Resource
from infrascan.reason.change import Change, What, at, cited, dicts, mapping, moment, quoted
from infrascan.reason.happened import planes
from infrascan.reason.happened.aws import is_latency, onset
from infrascan.reason.upstream import Graph


class Sort(StrEnum):
    CRASH = "crash"
    OOM = "out of memory"
    IMAGE = "image pull"
    CONFIG = "missing configuration"
    SCHEDULE = "not scheduled"
    PROBE = "failing probe"
    MOUNT = "volume not mounted"
    EVICTED = "evicted"
    LATENCY = "latency"
    ERRORS = "errors"
    SATURATED = "saturated"
    UNAVAILABLE = "unavailable"
    REPORTED = "reported"  # somebody says so: there is only a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    sort: Sort
    resource: str
    name: str
    since: str  # ISO 8601; the earliest time at which it is known to have been there
    says: str
    evidence: tuple[Evidence, ...] = ()
    began: bool = True  # False where `since` is the latest of many times, and it began earlier

    @property
    def when(self) -> datetime:
        found = moment(self.since)
        assert found is not None
        return found


IMAGE = frozenset({"ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull"})
CONFIG = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError"})
FACETS: Mapping[str, Sort] = {
    "crash": Sort.CRASH,
    "exit": Sort.CRASH,
    "oom": Sort.OOM,
    "image": Sort.IMAGE,
    "start": Sort.CONFIG,
    "probe": Sort.PROBE,
    "mount": Sort.MOUNT,
    "evicted": Sort.EVICTED,
    "schedule": Sort.SCHEDULE,
    "quota": Sort.SCHEDULE,
    "network": Sort.UNAVAILABLE,
}
ERRORS = ("5xx", "4xx", "error", "fault", "failed", "unhealthy", "rejected", "backlog")
FULL = ("cpu", "memory", "connections", "disk", "storage", "queue", "iops", "credit")


# Words of an alert's name or summary -> what is wrong, the first that fits.
TOLD: tuple[tuple[tuple[str, ...], Sort], ...] = (
    (("oomkill", "out of memory"), Sort.OOM),
    (("crashloop", "crash"), Sort.CRASH),
    (("latency", "slow", "p99", "p95", "duration"), Sort.LATENCY),
    (("error", "5xx", "failing"), Sort.ERRORS),
    (("down", "unavailable", "absent", "notready", "not ready", "unreachable"), Sort.UNAVAILABLE),
    (("cpu", "memory", "disk", "saturat", "queue", "connections"), Sort.SATURATED),
)


def symptoms(graph: Graph, keys: Sequence[str], changes: Sequence[Change]) -> list[Symptom]:
    """All that is wrong with these resources, first to last."""
    own = set(keys)
    found: list[Symptom] = []
    for key in keys:
        resource = graph.resources.get(key)
        if resource is not None:
            found += of_state(resource, graph.observed)
            found += of_alarms(graph, resource)
    for change in changes:
        if change.is_symptom and own & set(change.keys) and (sort := sort_of(change)):
            found.append(
                Symptom(
                    sort=sort,
                    resource=change.resource,
                    name=change.name,
                    since=change.time,
                    says=change.what,
                    evidence=change.evidence,
                    began=change.kind is not What.RESTART,
                )
            )
    unique = {(s.sort, s.resource, s.since, s.says): s for s in found if moment(s.since)}
    return sorted(unique.values(), key=lambda s: (s.when, s.sort, s.resource, s.says))


def sort_of(change: Change) -> Sort | None:
    for facet in sorted(change.facets):
        if facet in FACETS:
            return FACETS[facet]
    return None


def of_state(resource: Resource, observed: str) -> Iterator[Symptom]:
    if resource.kind == "k8s.pod":
        yield from of_pod(resource)
    elif resource.kind == "k8s.deployment":
        yield from of_deployment(resource)
    elif resource.kind == "k8s.stateful_set":
        yield from of_stateful_set(resource)
    elif resource.kind == "aws.cloudwatch.alarm" and resource.data.get("StateValue") == "ALARM":
        yield of_alarm(resource, ())
    elif planes.fires(resource):
        yield of_alert(resource, ())
    elif resource.kind == "aws.elbv2.target_group":
        yield from of_targets(resource, observed)
    elif resource.kind == "aws.rds.db_instance":
        yield from of_database(resource, observed)


def of_pod(pod: Resource) -> Iterator[Symptom]:
    """Containers that wait, and a pod without a node; since the pod stopped being ready."""
    made = str(at(pod.data, ("metadata", "creationTimestamp")) or "")
    since, fact = unready(pod)
    for index, status in dicts(at(pod.data, ("status", "containerStatuses"))):
        waiting = mapping(mapping(status.get("state")).get("waiting"))
        reason = str(waiting.get("reason") or "")
        sort = (
            Sort.IMAGE if reason in IMAGE
            else Sort.CONFIG if reason in CONFIG
            else killed(status) if reason == "CrashLoopBackOff"
            else None
        )  # fmt: skip
        if sort:
            place = ("status", "containerStatuses", index)
            yield Symptom(
                sort=sort,
                resource=pod.key,
                name=pod.name,
                since=since or made,
                says=f"container {quoted(status.get('name'))} of pod {pod.name} waits: {reason}",
                evidence=(
                    *cited(
                        pod,
                        (*place, "state", "waiting", "reason"),
                        (*place, "state", "waiting", "message"),
                        (*place, "restartCount"),
                    ),
                    *fact,
                ),
            )
    for index, condition in dicts(at(pod.data, ("status", "conditions"))):
        if condition.get("type") == "PodScheduled" and condition.get("reason") == "Unschedulable":
            place_ = ("status", "conditions", index)
            yield Symptom(
                sort=Sort.SCHEDULE,
                resource=pod.key,
                name=pod.name,
                since=str(condition.get("lastTransitionTime") or made),
                says=f"pod {pod.name} has no node: {quoted(condition.get('message') or '')}",
                evidence=cited(
                    pod, (*place_, "reason"), (*place_, "message"), (*place_, "lastTransitionTime")
                ),
            )
    if at(pod.data, ("status", "reason")) == "Evicted":
        yield Symptom(
            sort=Sort.EVICTED,
            resource=pod.key,
            name=pod.name,
            since=since or made,
            says=f"pod {pod.name} was evicted: {quoted(at(pod.data, ('status', 'message')) or '')}",
            evidence=(*cited(pod, ("status", "reason"), ("status", "message")), *fact),
        )


def killed(status: Mapping[str, object]) -> Sort:
    ended = mapping(mapping(status.get("lastState")).get("terminated"))
    return Sort.OOM if ended.get("reason") == "OOMKilled" else Sort.CRASH


def unready(pod: Resource) -> tuple[str, tuple[Evidence, ...]]:
    for index, condition in dicts(at(pod.data, ("status", "conditions"))):
        if condition.get("type") == "Ready" and condition.get("status") == "False":
            place = ("status", "conditions", index)
            facts = cited(pod, (*place, "type"), (*place, "status"), (*place, "lastTransitionTime"))
            return str(condition.get("lastTransitionTime") or ""), facts
    return "", ()


def of_deployment(found: Resource) -> Iterator[Symptom]:
    for index, condition in dicts(at(found.data, ("status", "conditions"))):
        kind, state = condition.get("type"), condition.get("status")
        wrong = (kind in {"Available", "Progressing"} and state == "False") or (
            kind == "ReplicaFailure" and state == "True"
        )
        if wrong and moment(condition.get("lastTransitionTime")):
            place = ("status", "conditions", index)
            sort = Sort.SCHEDULE if kind == "ReplicaFailure" else Sort.UNAVAILABLE
            yield Symptom(
                sort=sort,
                resource=found.key,
                name=found.name,
                since=str(condition["lastTransitionTime"]),
                says=f"deployment {found.name}: {kind} = {state}"
                f" ({quoted(condition.get('reason') or 'no reason given', 60)})",
                evidence=cited(
                    found,
                    (*place, "type"),
                    (*place, "status"),
                    (*place, "reason"),
                    (*place, "message"),
                    (*place, "lastTransitionTime"),
                    ("spec", "replicas"),
                    ("status", "readyReplicas"),
                ),
            )


def of_stateful_set(found: Resource) -> Iterator[Symptom]:
    """Fewer ready than wanted; since when, its pods tell."""
    wanted = at(found.data, ("spec", "replicas"))
    ready = at(found.data, ("status", "readyReplicas")) or 0
    if not isinstance(wanted, int) or not isinstance(ready, int) or ready >= wanted:
        return
    pods = found.links.get("pods", ())
    times = [(when, fact) for pod in pods for when, fact in [unready(pod)] if when]
    if times:
        when, fact = min(times, key=lambda t: t[0])
        yield Symptom(
            sort=Sort.UNAVAILABLE,
            resource=found.key,
            name=found.name,
            since=when,
            says=f"stateful set {found.name}: {ready} of {wanted} ready",
            evidence=(
                *cited(found, ("spec", "replicas"), ("status", "readyReplicas")),
                *fact,
            ),
        )


def of_alarms(graph: Graph, resource: Resource) -> Iterator[Symptom]:
    for alarm, fact in graph.alarms.get(resource.key, ()):
        if alarm.data.get("StateValue") == "ALARM" and moment(onset(alarm)):
            yield of_alarm(alarm, (fact,))
        elif planes.fires(alarm):
            yield of_alert(alarm, (fact,))


def of_alert(alert: Resource, facts: tuple[Evidence, ...]) -> Symptom:
    """An alert of Prometheus or Alertmanager, or an incident of PagerDuty."""
    folded = planes.words(alert).lower()
    return Symptom(
        sort=next((sort for words, sort in TOLD if any(w in folded for w in words)), Sort.REPORTED),
        resource=alert.key,
        name=alert.name,
        since=planes.since(alert),
        says=planes.says(alert),
        evidence=(*planes.evidence(alert), *facts),
    )


def of_alarm(alarm: Resource, facts: tuple[Evidence, ...]) -> Symptom:
    metric = str(alarm.data.get("MetricName") or "")
    folded = metric.lower()
    sort = (
        Sort.LATENCY if is_latency(metric)
        else Sort.ERRORS if any(word in folded for word in ERRORS)
        else Sort.UNAVAILABLE if "healthyhost" in folded or "statuscheck" in folded
        else Sort.SATURATED if any(word in folded for word in FULL)
        else Sort.REPORTED
    )  # fmt: skip
    return Symptom(
        sort=sort,
        resource=alarm.key,
        name=alarm.name,
        since=onset(alarm),
        says=f"alarm {quoted(alarm.name, 80)} is on: {quoted(alarm.data.get('StateReason') or '')}",
        evidence=(
            *cited(
                alarm,
                ("StateValue",),
                ("StateTransitionedTimestamp",),
                ("StateUpdatedTimestamp",),
                ("StateReason",),
                ("MetricName",),
                ("Threshold",),
            ),
            *facts,
        ),
    )


SICK = frozenset({"unhealthy", "unavailable"})
# How RDS begins to say that an instance does not serve; while it is modified, it does.
DOWN = (
    *("failed", "storage-full", "incompatible", "inaccessible", "restore-error", "rebooting"),
    *("insufficient-capacity", "starting"),
)


def of_targets(group: Resource, observed: str) -> Iterator[Symptom]:
    """Targets that fail the checks. AWS does not say since when: they do so when the scan looks."""
    for index, entry in dicts(group.data.get("target_health")):
        health = mapping(entry.get("TargetHealth"))
        if health.get("State") not in SICK:
            continue
        place = ("target_health", index)
        target = quoted(mapping(entry.get("Target")).get("Id"), 60)
        yield Symptom(
            sort=Sort.PROBE,
            resource=group.key,
            name=group.name,
            since=observed,
            says=f"target {target} of {group.name} is {health['State']}:"
            f" {quoted(health.get('Description') or health.get('Reason') or '')}",
            evidence=cited(
                group,
                (*place, "TargetHealth", "State"),
                (*place, "TargetHealth", "Reason"),
                (*place, "TargetHealth", "Description"),
                (*place, "Target", "Id"),
            ),
            began=False,
        )


def of_database(found: Resource, observed: str) -> Iterator[Symptom]:
    """A database that says it does not serve, when the scan looks."""
    status = found.data.get("DBInstanceStatus")
    if isinstance(status, str) and status.startswith(DOWN):
        yield Symptom(
            sort=Sort.UNAVAILABLE,
            resource=found.key,
            name=found.name,
            since=observed,
            says=f"database {found.name} is {quoted(status, 60)}",
            evidence=cited(found, ("DBInstanceStatus",)),
            began=False,
        )
