"""Kubernetes events: what controllers and kubelets reported of an object.

Kubernetes keeps them for an hour where nobody set another time. The reason decides what an event
is; its message is text, and only numbers and names in forms of Kubernetes' own are taken from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from infrascan.model import Resource
from infrascan.reason.change import Change, What, at, cited, moment, quoted, stamp

SCALED = re.compile(
    r"Scaled (?P<way>up|down) replica set (?P<set>\S+) (?:from (?P<was>\d+) )?to (?P<now>\d+)"
    r"(?: from (?P<before>\d+))?"
)
RESCALED = re.compile(r"New size: (?P<now>\d+); reason: (?P<why>.+)")

# reason -> (sort, facet, whether it answers to something rather than starts it).
REASONS: Mapping[str, tuple[What, str, bool]] = {
    "SuccessfulRescale": (What.SCALING, "replicas", True),
    "NodeNotReady": (What.MACHINE, "node", False),
    "NodeNotSchedulable": (What.MACHINE, "cordon", False),
    "NodeHasDiskPressure": (What.MACHINE, "node", False),
    "NodeHasInsufficientMemory": (What.MACHINE, "memory", False),
    "EvictionThresholdMet": (What.MACHINE, "memory", False),
    "SystemOOM": (What.MACHINE, "memory", False),
    "Rebooted": (What.MACHINE, "node", False),
    "RemovingNode": (What.MACHINE, "node", False),
    "TerminatingEvictedPod": (What.MACHINE, "node", False),
    "Preempted": (What.MACHINE, "preempted", False),
    "TaintManagerEviction": (What.MACHINE, "node", False),
    "Evicted": (What.FAILURE, "evicted", False),
    "BackOff": (What.FAILURE, "crash", False),
    "CrashLoopBackOff": (What.FAILURE, "crash", False),
    "OOMKilling": (What.FAILURE, "oom", False),
    "Unhealthy": (What.FAILURE, "probe", False),
    "ProbeWarning": (What.FAILURE, "probe", False),
    "Failed": (What.FAILURE, "start", False),
    "ErrImagePull": (What.FAILURE, "image", False),
    "ImagePullBackOff": (What.FAILURE, "image", False),
    "InspectFailed": (What.FAILURE, "image", False),
    "FailedMount": (What.FAILURE, "mount", False),
    "FailedAttachVolume": (What.FAILURE, "mount", False),
    "FailedCreate": (What.FAILURE, "quota", False),
    "FailedScheduling": (What.FAILURE, "schedule", False),
    "FailedCreatePodSandBox": (What.FAILURE, "network", False),
    "FailedGetResourceMetric": (What.FAILURE, "metrics", False),
}
PULLING = re.compile(r"(?i)pull(?:ing)? image|ErrImagePull|ImagePullBackOff")


def changes(events: Sequence[Resource]) -> Iterator[Change]:
    """What each event with a reason of this table says; others are passed over."""
    for event in events:
        reason = str(event.data.get("reason") or "")
        first, last = times(event)
        if not first:
            continue
        about = subject(event)
        if reason == "ScalingReplicaSet":
            if found := scaled(event, about, first):
                yield found
        elif reason in REASONS:
            yield reported(event, about, reason, first, last)


def subject(event: Resource) -> Resource | None:
    """The object an event is about, where it was read."""
    for name, targets in event.links.items():
        if name.startswith("involved_") and targets:
            return targets[0]
    return None


def times(event: Resource) -> tuple[str, str]:
    """When it was first and last seen."""
    data = event.data
    found = [
        when
        for when in (
            moment(data.get("firstTimestamp")),
            moment(data.get("eventTime")),
            moment(at(data, ("series", "lastObservedTime"))),
            moment(data.get("lastTimestamp")),
        )
        if when
    ]
    if not found and (made := moment(at(data, ("metadata", "creationTimestamp")))):
        found = [made]
    return (stamp(min(found)), stamp(max(found))) if found else ("", "")


def facts(event: Resource) -> tuple[tuple[str, ...], ...]:
    return (
        ("reason",),
        ("message",),
        ("firstTimestamp",) if event.data.get("firstTimestamp") else ("eventTime",),
        ("lastTimestamp",),
        ("count",),
        ("involvedObject", "kind"),
        ("involvedObject", "name"),
    )


def scaled(event: Resource, about: Resource | None, when: str) -> Change | None:
    """A deployment's controller set a ReplicaSet's size."""
    match = SCALED.search(str(event.data.get("message") or ""))
    if not match:
        return None
    was = match["was"] or match["before"] or ""
    name = str(at(event.data, ("involvedObject", "name")) or "")
    sizes = f"from {was} to {match['now']}" if was else f"to {match['now']}"
    return Change(
        time=when,
        kind=What.SCALING,
        resource=about.key if about else event.key,
        name=name,
        what=f"{name}: ReplicaSet {match['set']} was scaled {match['way']} {sizes}",
        before=was,
        after=match["now"],
        actor="deployment-controller",
        source="k8s.event",
        evidence=cited(event, *facts(event)),
        facets=frozenset({"replicas", match["way"], f"set:{match['set']}"}),
    )


def reported(event: Resource, about: Resource | None, reason: str, first: str, last: str) -> Change:
    what, facet, reaction = REASONS[reason]
    message = str(event.data.get("message") or "")
    kind = str(at(event.data, ("involvedObject", "kind")) or "object")
    name = str(at(event.data, ("involvedObject", "name")) or "")
    count = event.data.get("count") or at(event.data, ("series", "count")) or 1
    if reason in {"Failed", "BackOff"} and PULLING.search(message):
        facet = "image"
    facets = {facet}
    if match := RESCALED.search(message):
        facets |= {"replicas"}
        after = match["now"]
    else:
        after = ""
    times_said = f" ({count} times, last at {last[11:16]})" if count != 1 else ""
    return Change(
        time=first,
        kind=what,
        resource=about.key if about else event.key,
        name=name,
        what=f"{kind} {name}: {reason}{times_said}: {quoted(message)}",
        after=after,
        actor=str(at(event.data, ("source", "component")) or ""),
        source="k8s.event",
        evidence=cited(event, *facts(event)),
        facets=frozenset(facets),
        count=count if isinstance(count, int) else 1,
        reaction=reaction,
    )
