"""What differs between two stored scans: changes of which only the span of time is known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from infrascan.model import JSON, Evidence
from infrascan.reason.change import Change, What, quoted
from infrascan.reason.happened import clouds, planes
from infrascan.reason.happened.kubernetes import WRITTEN
from infrascan.store.diff import Thing, diff
from infrascan.store.scans import resolve

SHOWN = 3  # fields that a sentence names
# Of the path of a field: what moves without anyone changing anything.
RESTLESS = (
    *("status.", "metadata.resourceVersion", "metadata.generation", "usage", "metrics", "changed"),
    *("monthly_cost", "used_share", "StateUpdatedTimestamp", "StateReason", "state", "latest_runs"),
)
# Kinds that are reports of something, and not things.
REPORTS = frozenset(
    {
        *("k8s.event", "k8s.pod", "k8s.replica_set", "k8s.job", "aws.cloudtrail.event"),
        *("aws.cloudwatch.alarm", "github.deployment", "github.workflow_run"),
        *clouds.BY_KIND,
        *planes.STATES,
    }
)


def between(home: Path, before: str, after: str) -> list[Change]:
    """The changes from one stored scan to a later one. Raises `InputError`."""
    earlier, later = resolve(home, before), resolve(home, after)
    things = diff(home, earlier.id, later.id).resources
    found: list[Change] = []
    span = (earlier.started, later.started)
    for verb, group in (("appeared", things.added), ("is gone", things.removed)):
        found += [made(thing, verb, span) for thing in group if thing.kind not in REPORTS]
    for thing in things.changed:
        if thing.kind not in REPORTS and (paths := list(moved(thing))):
            found.append(written(thing, paths, span))
    return found


def moved(thing: Thing) -> Iterator[tuple[str, Any, Any]]:
    for path, was, now in thing.paths:
        if not path.startswith(RESTLESS):
            yield path, was, now


def made(thing: Thing, verb: str, span: tuple[str, str]) -> Change:
    return Change(
        time=span[1],
        earliest=span[0],
        kind=sort(thing.kind),
        resource=thing.key,
        name=thing.name,
        what=f"{thing.kind} {quoted(thing.name, 80)} {verb} between two scans",
        source="diff",
        evidence=(Evidence(resource=thing.key, path="@id", value=thing.key.split("/", 3)[-1]),),
        facets=frozenset({"created" if verb == "appeared" else "deleted"}),
    )


def written(thing: Thing, paths: list[tuple[str, Any, Any]], span: tuple[str, str]) -> Change:
    said = [f"{path} {shown(was)} → {shown(now)}" for path, was, now in paths[:SHOWN]]
    more = f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
    first = paths[0]
    return Change(
        time=span[1],
        earliest=span[0],
        kind=sort(thing.kind),
        resource=thing.key,
        name=thing.name,
        what=f"{thing.kind} {quoted(thing.name, 80)} differs between two scans: "
        f"{'; '.join(said)}{more}",
        before=shown(first[1]),
        after=shown(first[2]),
        source="diff",
        evidence=tuple(
            Evidence(resource=thing.key, path=path, value=json(now)) for path, _, now in paths[:20]
        ),
        facets=frozenset(facet for path, _, _ in paths for facet in facets(path)),
    )


def facets(path: str) -> Iterator[str]:
    for word in ("image", "memory", "cpu", "command", "args", "probe", "replicas", "volumes"):
        if word in path.lower():
            yield word


def json(value: Any) -> JSON:
    found: JSON = value
    return found


def shown(value: Any) -> str:
    return quoted(value, 60) if not isinstance(value, list | dict) else "other"


def sort(kind: str) -> What:
    if kind in WRITTEN:
        return WRITTEN[kind]
    if kind == "k8s.deployment" or kind in {"aws.ecs.task_definition", "aws.lambda.function"}:
        return What.ROLLOUT
    if any(word in kind for word in ("security_group", "route", "listener", "dns", "firewall")):
        return What.NETWORK
    if any(word in kind for word in ("iam", "role", "policy")):
        return What.ACCESS
    if any(word in kind for word in ("node", "instance")) and "db_" not in kind:
        return What.MACHINE
    return What.CONFIG
