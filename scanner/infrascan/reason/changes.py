"""The timeline: what changed in a window, from every source of a scan, each entry with evidence.

A source that was not read is said beside it: a quiet timeline is no proof that nothing happened.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeAlias

from infrascan.model import Connection, InputError, Reason, Resource, Scan, State
from infrascan.packing import repacked
from infrascan.reason.change import Change, What, at, moment, stamp
from infrascan.reason.happened import aws, clouds, docker, events, github, kubernetes, planes

__all__ = ["Blind", "Change", "What", "blind", "everything", "timeline"]

# What must have been read for a provider's changes to be known, and what each source tells.
SOURCES: Mapping[str, Mapping[str, str]] = {
    "k8s": {
        "k8s.event": "what controllers and kubelets reported",
        "k8s.replica_set": "rollouts",
        "k8s.pod": "restarts",
        "k8s.config_map": "writes to ConfigMaps",
    },
    "aws": {
        "aws.cloudtrail.event": "writes to AWS",
        "aws.cloudwatch.alarm": "alarms",
    },
    "github": {
        "github.deployment": "deployments",
        "github.workflow_run": "runs of workflows",
    },
    "gcp": {"gcp.logging.activity": "writes to Google Cloud"},
    "azure": {"azure.insights.activity": "writes to Azure"},
    "cloudflare": {"cloudflare.audit_log": "changes of the account and its zones"},
    "digitalocean": {"digitalocean.action": "actions on Droplets, volumes and images"},
    "docker": {"docker.container": "containers that were made, started and stopped"},
    "prometheus": {"prometheus.alert": "alerts that fire"},
    "alertmanager": {"alertmanager.alert": "alerts that fire"},
    "pagerduty": {"pagerduty.incident": "incidents that are open"},
    **{name: {} for name in ("loki", "grafana", "jaeger", "ollama")},  # they change nothing
}
# What no source of a provider tells, however well it was read.
UNTOLD: Mapping[str, str] = {
    "digitalocean": "edits of firewalls, load balancers, databases and apps",
}
SHORT = frozenset({"k8s.event"})  # sources that forget: how far they reach is in what they hold
# Logs of which the newest come first: where one is cut, the oldest are missing. And when each was.
NEWEST_FIRST: Mapping[str, tuple[str, ...]] = {
    "aws.cloudtrail.event": ("EventTime",),
    "gcp.logging.activity": ("timestamp",),
    "azure.insights.activity": ("eventTimestamp",),
    "cloudflare.audit_log": ("action", "time"),
}
DAILY = timedelta(days=1)  # how far back those are asked for
DEPLOYMENTS = 20  # that are read of each repository: `providers.github.deploying.NEWEST`
ACTIONS = 200  # that are read of an account: `providers.digitalocean.account.NEWEST`
FORGETS: Mapping[str, str] = {
    "k8s.event": "Kubernetes keeps events for an hour unless told otherwise",
    "github.deployment": f"the newest {DEPLOYMENTS} of each repository are read",
    "digitalocean.action": f"the newest {ACTIONS} are read",
}
COUNTED: Mapping[str, int] = {"github.deployment": DEPLOYMENTS, "digitalocean.action": ACTIONS}
Reach: TypeAlias = tuple[str, str, str]
"""Kind, account (or repository), region."""
TOGETHER = timedelta(minutes=15)  # a rollout and the scaling of its ReplicaSets


@dataclass(frozen=True, slots=True, kw_only=True)
class Blind:
    """A source that tells nothing, or not all, of the window."""

    source: str  # kind: "k8s.event"; or the provider, where no source of it is known
    place: str  # account, or "" for all
    tells: str  # what it would have told
    why: str  # one sentence
    closes: str = ""  # permission, or what to do
    forgets: bool = False  # it was read, and does not reach back so far

    @property
    def sentence(self) -> str:
        where = f" of {self.place}" if self.place else ""
        if self.forgets:
            return f"{self.source}{where} does not reach back so far: {self.why}"
        if "." not in self.source:  # the platform itself tells of it nowhere
            return f"{self.source} does not tell of {self.tells}: {self.why}"
        closing = f" (to close: {self.closes})" if self.closes else ""
        return f"{self.source}{where} was not read, so {self.tells} may be missing: {self.why}{closing}"


def timeline(
    scan: Scan,
    since: datetime | str,
    until: datetime | str | None = None,
    *,
    extra: Iterable[Change] = (),
) -> list[Change]:
    """What happened from `since` to `until` (the time of the scan), in order of time.

    `extra` are changes from elsewhere, such as those between two stored scans.
    """
    start, end = instant(since), instant(until if until is not None else scan.observed)
    found = [
        change
        for change in everything(scan, extra=extra)
        if (when := moment(change.time)) and start <= when <= end
    ]
    return sorted(found, key=order)


def order(change: Change) -> tuple[datetime, bool, str, str]:
    when = moment(change.time)
    assert when is not None  # `everything` gives only what has a time
    return (when, change.is_symptom, change.resource, change.what)


def instant(when: datetime | str) -> datetime:
    found = when if isinstance(when, datetime) else moment(when)
    if found is None or found.tzinfo is None:
        raise InputError(f"'{when}' is no time: write it as 2026-11-20T06:00:00Z")
    return found


def everything(scan: Scan, *, extra: Iterable[Change] = ()) -> list[Change]:
    """Every change and symptom a scan tells of, whenever it was."""
    by_kind: dict[str, list[Resource]] = {}
    for resource in scan.resources:
        by_kind.setdefault(resource.kind, []).append(resource)
    told = list(events.changes(by_kind.get("k8s.event", ())))
    found = [
        *with_sizes(list(kubernetes.changes(by_kind)), told),
        *github.changes(by_kind),
        *aws.changes(by_kind, names(scan)),
        *clouds.changes(by_kind, scan.resources),
        *docker.changes(by_kind),
        *planes.changes(by_kind),
        *extra,
    ]
    return [change for change in found if moment(change.time)]


def names(scan: Scan) -> dict[str, list[Resource]]:
    """The resources of AWS by id, name, and the last part of an ARN."""
    found: dict[str, list[Resource]] = {}
    for resource in scan.resources:
        if resource.provider == "aws" and not resource.kind.startswith("aws.cloudtrail.event"):
            keys = {resource.id, resource.name, resource.id.rpartition("/")[2]}
            keys.add(resource.id.rpartition(":")[2])
            for key in keys - {""}:
                found.setdefault(key, []).append(resource)
    return found


def with_sizes(changes: Sequence[Change], told: Sequence[Change]) -> list[Change]:
    """The changes with what the events tell of rollouts: how many pods there were, and are.

    The scaling of ReplicaSets that a rollout consists of is marked as an answer to it.
    """
    scalings = [c for c in told if c.kind is What.SCALING and c.source == "k8s.event"]
    used: set[int] = set()
    result: list[Change] = []
    for change in changes:
        if change.kind is not What.ROLLOUT or change.source != "k8s.replica_set":
            result.append(change)
            continue
        result.append(with_size(change, scalings, used))
    result += [replace(c, reaction=True) if id(c) in used or c.reaction else c for c in told]
    return result


def with_size(rollout: Change, scalings: Sequence[Change], used: set[int]) -> Change:
    began = moment(rollout.time)
    assert began is not None
    own = {key.rpartition("/")[2] for key in rollout.touches}
    near = [
        c
        for c in scalings
        if c.resource == rollout.resource
        and (when := moment(c.time))
        and -timedelta(minutes=1) <= when - began <= TOGETHER
    ]
    if not near:
        return rollout
    used.update(id(c) for c in near)
    new = [c for c in near if own & sets(c)]
    old = [c for c in near if not own & sets(c)]
    now = max((int(c.after) for c in new if c.after.isdigit()), default=None)
    was = max((int(c.before) for c in old if c.before.isdigit()), default=None)
    if now is None or was is None or now == was:
        return rollout
    facts = tuple(e for c in near for e in c.evidence if e.path == "message")
    return replace(
        rollout,
        what=f"{rollout.what}; replicas {was} → {now}",
        evidence=(*rollout.evidence, *facts),
        facets=rollout.facets | {"replicas", "up" if now > was else "down"},
    )


def sets(change: Change) -> set[str]:
    return {facet[4:] for facet in change.facets if facet.startswith("set:")}


def blind(scan: Scan, since: datetime | str | None = None) -> list[Blind]:
    """The sources that do not tell all: not read, read in part, or not reaching back that far."""
    found: list[Blind] = []
    start = instant(since) if since is not None else None
    reach = reaches(scan)
    providers = sorted({entry.partition.provider for entry in scan.coverage})
    connected = {i.provider for i in scan.identities if i.state is Connection.CONNECTED}
    for provider in dict.fromkeys((*providers, *sorted(connected))):
        if provider not in SOURCES:
            tells = "what was changed there"
            why = f"infrascan knows no source of changes for {provider}"
            found.append(Blind(source=provider, place="", tells=tells, why=why))
            continue
        if provider in UNTOLD and provider in connected:
            why = f"{provider} keeps no log of them that can be read"
            found.append(Blind(source=provider, place="", tells=UNTOLD[provider], why=why))
        for kind, tells in SOURCES[provider].items():
            found += unseen(scan, kind, tells, reach, start)
    if start is not None:
        found += too_short(scan, reach, start)
    return [*found, *closed(scan)]


def closed(scan: Scan) -> Iterator[Blind]:
    """The sources of what could not be opened at all: an account, a cluster, a whole provider."""
    for gap in scan.gaps:
        if gap.kind or gap.field or gap.resource:
            continue
        every = SOURCES.get(gap.provider) or {gap.provider: "what was changed there"}
        for source, tells in every.items():
            why = f"{gap.reason}: {gap.detail}"
            yield Blind(
                source=source, place=gap.account, tells=tells, why=why, closes=gap.permission
            )


def unseen(
    scan: Scan,
    kind: str,
    tells: str,
    reach: Mapping[Reach, datetime],
    start: datetime | None,
) -> Iterator[Blind]:
    """The partitions of a source that were not read, or not to the beginning of the window."""
    entries = [entry for entry in scan.coverage if entry.partition.kind == kind]
    if not entries:
        why = "it is read only when asked for, and was not"
        yield Blind(source=kind, place="", tells=tells, why=why, closes="read it live")
    for entry in entries:
        if entry.state is State.READ:
            continue
        partition = entry.partition
        gaps = [
            gap
            for gap in scan.gaps
            if gap.kind == kind
            and gap.account in {"", partition.account}
            and gap.region in {"", partition.region}
        ]
        gap = next((gap for gap in gaps if not gap.field), None)
        if gaps and gap is None:
            continue  # all were listed; only a detail of theirs is missing
        oldest = reach.get((kind, partition.account, partition.region))
        cut = gap is not None and gap.reason is Reason.TRUNCATED and kind in NEWEST_FIRST
        if cut and start and oldest and oldest <= start:
            continue  # what was cut off is older than the window
        yield Blind(
            source=kind,
            place="/".join(part for part in (partition.account, partition.region) if part),
            tells=tells,
            why=f"{gap.reason}: {gap.detail}" if gap else "it was not read to its end",
            closes=gap.permission if gap else "",
        )


def reaches(scan: Scan) -> dict[Reach, datetime]:
    """How far back each source goes: the time of the oldest entry, by kind and place.

    Of deployments the newest of each repository are read: there the place is the repository, and
    only those are here of which there may be older ones.
    """
    found: dict[Reach, datetime] = {}
    counts: dict[Reach, int] = {}
    for resource in repacked(scan.resources):
        place = (resource.kind, resource.account, resource.region)
        if resource.kind in SHORT:
            when = moment(events.times(resource)[0])
        elif resource.kind in NEWEST_FIRST:
            when = moment(at(resource.data, NEWEST_FIRST[resource.kind]))
        elif resource.kind in COUNTED:
            when = moment(resource.data.get("created_at") or resource.data.get("started_at"))
            whose = str(resource.data.get("repository") or resource.account)
            place = (resource.kind, whose, "")
            counts[place] = counts.get(place, 0) + 1
        else:
            continue
        if when and when < found.get(place, when + timedelta(1)):
            found[place] = when
    return {
        place: when
        for place, when in found.items()
        if place[0] not in COUNTED or counts[place] >= COUNTED[place[0]]
    }


def too_short(scan: Scan, reach: Mapping[Reach, datetime], since: datetime) -> Iterator[Blind]:
    """Sources that were read and do not reach back to the window's beginning."""
    read = {
        (entry.partition.kind, entry.partition.account, entry.partition.region)
        for entry in scan.coverage
        if entry.partition.kind in SHORT and entry.state is not State.UNREAD
    }
    more = {found for found in reach if found[0] in COUNTED}
    observed = moment(scan.observed)
    if observed and since < observed - DAILY:
        for entry in scan.coverage:
            part = entry.partition
            if part.kind in NEWEST_FIRST and entry.state is not State.UNREAD:
                place = "/".join(name for name in (part.account, part.region) if name)
                why = "what it told in the last day is read"
                yield Blind(
                    source=part.kind, place=place, tells="what was before", why=why, forgets=True
                )
    for source in sorted(read | more):
        oldest = reach.get(source)
        if oldest is not None and oldest <= since:
            continue
        back = f"the oldest one is of {stamp(oldest)}" if oldest else "there is none"
        why = f"{back}; {FORGETS[source[0]]}"
        yield Blind(
            source=source[0], place=source[1], tells="what was before", why=why, forgets=True
        )
