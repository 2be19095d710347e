"""The bundle: of each resource behind a finding, a path or a claim, what it takes to judge again.

What a rule reads of a resource, and along relations, is in `RuleSummary.reads`. Where a scan does
not say it, the bundle has the fields that evidence names: enough to see that each fact stands,
not to judge again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from infrascan.model import Gap, Resource, Scan
from infrascan.packing import repacked
from infrascan.proof.facts import finite
from infrascan.proof.ledger import cited, head

ALONG = "[]."  # in a path of `reads`: what stands before it is a relation


@dataclass(frozen=True, slots=True)
class Kept:
    """What the bundle has of one resource."""

    resource: Resource
    data: dict[str, Any]
    links: dict[str, list[str]]  # relation -> keys
    unread: dict[str, Gap]


@dataclass(slots=True)
class Wanted:
    """What is to be kept of one resource: names of fields and relations."""

    names: set[str] = field(default_factory=set)
    links: dict[str, set[str] | None] = field(default_factory=dict)  # None: every target


@dataclass(slots=True)
class Reads:
    """What a rule reads, as a tree: names here, and what it reads along relations."""

    names: set[str] = field(default_factory=set)
    links: dict[str, Reads] = field(default_factory=dict)

    @classmethod
    def of(cls, paths: Iterable[str]) -> Reads:
        found = cls()
        for path in paths:
            here = found
            *along, name = path.split(ALONG)
            for relation in along:
                here.names.add(relation)
                here = here.links.setdefault(relation, cls())
            here.names.add(head(name))
        return found


NOTHING = Reads()


def bundle(scan: Scan, wanted: Mapping[str, Wanted] | None = None) -> Iterator[Kept]:
    """What proves the scan's findings, paths and claims, in the order of its resources.

    `wanted` is what `chosen` gives, for a caller that has it already.
    """
    if wanted is None:
        wanted = chosen(scan)
    for resource in repacked(scan.resources):
        if (want := wanted.get(resource.key)) is not None:
            yield kept(resource, want)


def kept(resource: Resource, want: Wanted) -> Kept:
    data = resource.data
    return Kept(
        resource,
        finite({name: data[name] for name in sorted(want.names) if name in data}),
        {
            name: [
                target.key for target in resource.links[name] if only is None or target.key in only
            ]
            for name, only in sorted(want.links.items())
            if name in resource.links
        },
        {name: resource.unread[name] for name in sorted(want.names) if name in resource.unread},
    )


def chosen(scan: Scan) -> dict[str, Wanted]:
    """Key -> what is to be kept, for every resource that anything rests on."""
    cited_keys = keys_of(scan)
    by_key = {r.key: r for r in scan.resources if r.key in cited_keys}
    reads = {rule.rule: Reads.of(rule.reads) for rule in scan.rules if rule.reads}
    wanted: dict[str, Wanted] = {}
    for finding in scan.findings:
        if (resource := by_key.get(finding.resource)) is not None:
            follow(resource, reads.get(finding.rule, Reads()), wanted)
    for evidence in cited(scan):
        if (resource := by_key.get(evidence.resource)) is not None:
            follow(resource, shown(evidence.path), wanted)
    for path in scan.paths:
        for step in path.steps:
            connect(by_key.get(step.source), by_key.get(step.target), step.relation, wanted)
    return wanted


def keys_of(scan: Scan) -> set[str]:
    found = {finding.resource for finding in scan.findings}
    found |= {evidence.resource for evidence in cited(scan)}
    for path in scan.paths:
        for step in path.steps:
            found |= {step.source, step.target}
    return found


def follow(resource: Resource, reads: Reads, wanted: dict[str, Wanted]) -> None:
    """Keep what is read of the resource, and of all that its relations lead to."""
    want = wanted.setdefault(resource.key, Wanted())
    want.names |= reads.names
    for name in reads.names:
        if name in resource.links:  # a relation may be read for who it leads to, and no more
            want.links[name] = None
            for target in resource.links[name]:
                follow(target, reads.links.get(name, NOTHING), wanted)


def shown(path: str) -> Reads:
    """What it takes to see that a fact stands: `count(services[].pods)` counts along relations."""
    if path.startswith("count(") and path.endswith(")"):
        return Reads.of((path[len("count(") : -1],))
    return Reads.of((head(path),))


def connect(
    source: Resource | None, target: Resource | None, relation: str, wanted: dict[str, Wanted]
) -> None:
    """Keep the links that a step of a path goes along, `target_groups.instances` say, and no others.

    A step whose relation is none stands on a permission: its evidence shows that.
    """
    for one in (source, target):
        if one is not None:
            wanted.setdefault(one.key, Wanted())
    if source is None or target is None:
        return
    here = source
    for name, there in chain(source, relation.split("."), target):
        only = wanted.setdefault(here.key, Wanted()).links.setdefault(name, set())
        if only is not None:
            only.add(there.key)
        wanted.setdefault(there.key, Wanted())
        here = there


def chain(source: Resource, names: Sequence[str], target: Resource) -> list[tuple[str, Resource]]:
    """The first way from one resource to another along these relations; [] for none."""
    if not names:
        return []
    for there in source.links.get(names[0], ()):
        if len(names) == 1:
            if there is target:
                return [(names[0], there)]
        elif rest := chain(there, names[1:], target):
            return [(names[0], there), *rest]
    return []


def rebuilt(
    resources: Mapping[str, Resource],
    links: Mapping[str, Mapping[str, Iterable[str]]],
) -> None:
    """Link resources by the keys of a bundle. One that is not among them is left out."""
    for key, relations in links.items():
        if key in resources:
            resources[key].links = {
                name: [resources[to] for to in targets if to in resources]
                for name, targets in relations.items()
            }
