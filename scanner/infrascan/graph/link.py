"""Resources joined by the relations of their kinds, in linear time.

A target that was not found is either not there or not read. Only when everything was read where
it could be is it not there; otherwise the relation is unread, and says why.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, TypeAlias

from infrascan.graph.holes import Holes, named_place
from infrascan.graph.labels import Labels
from infrascan.model import Coverage, Edge, Gap, Kind, Relation, Resource
from infrascan.packing import repacked
from infrascan.paths import values

Place: TypeAlias = tuple[str, ...]
OWN = {"id": "id", "name": "name", "@id": "id", "@name": "name"}
WIDE = frozenset({"anywhere", "estate"})
PLACES = {"@account": "account", "@region": "region"}


@dataclass(slots=True)
class Linker:
    """The state of one linking: indexes are built when first asked for."""

    holes: Holes
    by_kind: dict[str, list[Resource]]
    rank: dict[int, int]
    keyed: dict[tuple[str, str, str, bool], dict[tuple[Place, Any], list[Resource]]] = field(
        default_factory=dict
    )
    labelled: dict[tuple[str, str, str], dict[Place, Labels]] = field(default_factory=dict)
    forward: dict[int, dict[str, dict[int, Resource]]] = field(default_factory=dict)
    back: dict[int, dict[str, dict[int, Resource]]] = field(default_factory=dict)

    def join(self, source: Resource, relation: Relation, target: Resource) -> None:
        here, there = self.rank[id(source)], self.rank[id(target)]
        self.forward.setdefault(here, {}).setdefault(relation.name, {})[there] = target
        if relation.reverse:
            self.back.setdefault(there, {}).setdefault(relation.reverse, {})[here] = source

    def keys(self, relation: Relation) -> dict[tuple[Place, Any], list[Resource]]:
        """Targets of a relation by place and key."""
        name = (relation.to, relation.by, relation.within, relation.folded)
        if name not in self.keyed:
            index: dict[tuple[Place, Any], list[Resource]] = {}
            for target in repacked(self.by_kind.get(relation.to, ())):
                where = place(target, relation.within)
                for key in at(target, relation.by, own=True):
                    index.setdefault((where, spelled(relation, key)), []).append(target)
            self.keyed[name] = index
        return self.keyed[name]

    def labels(self, relation: Relation) -> dict[Place, Labels]:
        """Targets of a selector by place and label."""
        name = (relation.to, relation.by, relation.within)
        if name not in self.labelled:
            index: dict[Place, Labels] = {}
            for target in repacked(self.by_kind.get(relation.to, ())):
                where = place(target, relation.within)
                index.setdefault(where, Labels()).add(target, relation.by)
            self.labelled[name] = index
        return self.labelled[name]


def link(
    resources: Sequence[Resource],
    kinds: Mapping[str, Kind],
    gaps: Sequence[Gap],
    coverage: Sequence[Coverage] = (),
) -> list[Edge]:
    """Fill `links` of every resource, and `unread` for relations that may be incomplete.

    Returns the edges, in order of source, name and target. Without coverage, what no gap
    mentions counts as read.
    """
    ranked = sorted(resources, key=lambda resource: resource.key)
    by_kind: dict[str, list[Resource]] = {}
    for resource in ranked:
        resource.links.clear()
        by_kind.setdefault(resource.kind, []).append(resource)
    holes = Holes.of(kinds, ranked, gaps, coverage)
    linker = Linker(holes, by_kind, {id(resource): i for i, resource in enumerate(ranked)})
    for kind in sorted(kinds.values(), key=lambda kind: kind.name):
        ordered = sorted(kind.relations, key=lambda relation: relation.name)
        named = groupby(ordered, key=lambda relation: relation.name)
        groups = [list(alternatives) for _, alternatives in named]
        for source in repacked(by_kind.get(kind.name, ())) if groups else ():
            for alternatives in groups:
                lead(linker, source, alternatives)
        for relation in kind.relations:
            if relation.reverse:
                open_reverse(linker, kind, relation)
    found = edges(linker, ranked)
    for kind in kinds.values():
        for relation in kind.relations:
            if relation.sums and relation.reverse:
                add_up(by_kind.get(relation.to, ()), relation, kind.name, kinds)
    return found


def lead(linker: Linker, source: Resource, alternatives: Sequence[Relation]) -> None:
    """Join a source with all that one name leads to. A key that one alternative finds is not
    missing from the others: a role binding names a role or a cluster role."""
    missing: dict[Any, list[Relation]] = {}
    found: set[Any] = set()
    for relation in alternatives:
        if relation.missing:
            source.data.pop(relation.missing, None)
        if gap := unread(source, relation):
            mark(source, relation, gap)
        if relation.selector:
            select(linker, source, relation)
            continue
        index = linker.keys(relation)
        where = place(source, relation.within)
        for key in sought(source, relation):
            spelling = spelled(relation, key)
            targets = index.get((where, spelling)) or elsewhere(index, relation, spelling)
            for target in targets:
                linker.join(source, relation, target)
            if targets:
                found.add(key)
            else:
                missing.setdefault(key, []).append(relation)
    for key, relations in missing.items():
        if key not in found:
            absent(linker.holes, source, relations, key)


def absent(holes: Holes, source: Resource, relations: Sequence[Relation], key: Any) -> None:
    """Note that no resource has this key: it is not there, unless some alternative was not read."""
    hiding = [(relation, hidden(holes, source, relation, key)) for relation in relations]
    unseen = [(relation, gap) for relation, gap in hiding if gap]
    for relation, gap in unseen:
        mark(source, relation, gap)
    for name in {relation.missing for relation in relations if relation.missing and not unseen}:
        known = source.data.get(name) or []
        if key not in known:
            source.data[name] = [*known, key]


def mark(source: Resource, relation: Relation, gap: Gap) -> None:
    source.unread.setdefault(relation.name, gap)
    if relation.missing:
        source.unread.setdefault(relation.missing, gap)


def select(linker: Linker, source: Resource, relation: Relation) -> None:
    labels = linker.labels(relation).get(place(source, relation.within))
    for selector in values(source.data, relation.path):
        for target in labels.selected(selector) if labels else ():
            linker.join(source, relation, target)
        region = source.region if relation.within == "region" else None
        account = None if relation.within in WIDE else source.account
        if gap := linker.holes.find(relation.to, account, region):
            source.unread.setdefault(relation.name, gap)


def unread(source: Resource, relation: Relation) -> Gap | None:
    """The gap in the field that holds the relation's keys."""
    if not source.unread:
        return None
    return source.unread.get(relation.path.partition(".")[0].removesuffix("[]"))


def sought(source: Resource, relation: Relation) -> Iterator[Any]:
    """The keys that a source leads to by this relation."""
    for value in at(source, relation.path):
        key = keyed(relation, value)
        if key is not None:
            yield key


def keyed(relation: Relation, value: Any) -> Any:
    """The key that a value at the relation's path stands for; None when it is none."""
    if not relation.matching:
        return value
    match = re.search(relation.matching, str(value))
    if not match:
        return None
    if relation.key:
        return match.expand(relation.key)
    return match[1] if match.re.groups else value


def spelled(relation: Relation, key: Any) -> Any:
    """The key as it is compared."""
    return key.lower() if relation.folded and isinstance(key, str) else key


def elsewhere(
    index: Mapping[tuple[Place, Any], list[Resource]], relation: Relation, key: Any
) -> Sequence[Resource]:
    """Targets in the account and region that an id names, which need not be the source's."""
    named = named_place(key)
    if not named or relation.within not in ("account", "region"):
        return ()
    return index.get((named if relation.within == "region" else named[:1], key), ())


def hidden(holes: Holes, source: Resource, relation: Relation, key: Any) -> Gap | None:
    """Why a target may exist although no resource has this key; None when it does not exist."""
    account: str | None = source.account
    region = source.region if relation.within == "region" else None
    named = named_place(key)
    if relation.within == "estate" and not (named and named[0]):
        return holes.find(relation.to, None, None)
    if relation.within == "anywhere" and not named:
        return holes.find(relation.to, None, None) or holes.beyond(relation.to, "")
    if named:
        account, region = named[0] or account, named[1] or region
        if named[0] and (gap := holes.out_of_scope(relation.to, named[0])):
            return gap
    return holes.find(relation.to, account, region)


def open_reverse(linker: Linker, kind: Kind, relation: Relation) -> None:
    """Mark the targets that an unread source could lead to: their reverse is incomplete."""
    targets = linker.by_kind.get(relation.to, ())
    if not targets:
        return
    open_places: dict[Place, Gap] = {}
    for source in repacked(linker.by_kind.get(kind.name, ())):
        if gap := unread(source, relation):
            open_places.setdefault(place(source, relation.within), gap)
    for target in repacked(targets):
        gap = open_places.get(place(target, relation.within))
        if not gap:
            region = target.region if relation.within == "region" else None
            account = None if relation.within in WIDE else target.account
            gap = linker.holes.find(kind.name, account, region)
        if gap:
            target.unread.setdefault(relation.reverse, gap)
            if relation.sums:
                target.unread.setdefault(relation.sums, gap)


def add_up(
    targets: Sequence[Resource], relation: Relation, source: str, kinds: Mapping[str, Kind]
) -> None:
    """Put into each target the sum of its sources' numbers; a sum that may lack some is unread."""
    tree = kinds[relation.to].fields if relation.to in kinds else None
    names = tree.get(relation.sums, ()) if tree is not None else ()
    for target in repacked(targets):
        totals = dict.fromkeys((name for name in names or () if name != "*"), 0.0)
        for part in repacked(target.links.get(relation.reverse, ())):
            if part.kind != source:
                continue
            if gap := part.unread.get(relation.sums):
                target.unread.setdefault(relation.sums, gap)
            for name, amount in (part.data.get(relation.sums) or {}).items():
                totals[name] = totals.get(name, 0.0) + amount
        target.data.pop(relation.sums, None)
        if relation.sums not in target.unread:
            target.data[relation.sums] = {name: round(n, 9) for name, n in totals.items()}


def edges(linker: Linker, ranked: Sequence[Resource]) -> list[Edge]:
    """Write the links into the resources, in key order, and list the forward ones."""
    keys = [resource.key for resource in ranked]
    found: list[Edge] = []
    for position, resource in enumerate(ranked):
        for name, targets in sorted(linker.forward.get(position, {}).items()):
            order = sorted(targets)
            resource.links[name] = [targets[there] for there in order]
            found += [Edge(source=keys[position], name=name, target=keys[t]) for t in order]
        for name, sources in sorted(linker.back.get(position, {}).items()):
            merged = {**sources, **linker.forward.get(position, {}).get(name, {})}
            resource.links[name] = [merged[there] for there in sorted(merged)]
    return found


def place(resource: Resource, within: str) -> Place:
    """What a source and its target must have in common."""
    if within == "region":
        return (resource.account, resource.region)
    if within == "account":
        return (resource.account,)
    if within == "namespace":
        metadata = resource.data.get("metadata")
        namespace = metadata.get("namespace") if isinstance(metadata, dict) else None
        return (resource.account, namespace if isinstance(namespace, str) else "")
    return ()


def at(resource: Resource, path: str, *, own: bool = False) -> Iterator[Any]:
    """The keys at a path of the data, or of the resource itself: @id, @name, @account, @region.

    With `own`, plain id and name are the resource's too, even where its data has such a field.
    """
    if path in OWN and (own or path[0] == "@" or path not in resource.data):
        yield getattr(resource, OWN[path])
    elif path in PLACES:
        yield getattr(resource, PLACES[path])
    else:
        for value in values(resource.data, path):
            if isinstance(value, str | int) and value != "":
                yield value
