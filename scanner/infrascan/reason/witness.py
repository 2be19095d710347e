"""The evidence of an edge: the value in the one end that names the other, and where it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from infrascan.evaluate.interpret import joined, trimmed
from infrascan.graph.link import OWN, PLACES, keyed, spelled
from infrascan.model import Evidence, Kind, Relation, Resource

STEP = re.compile(r'\["([^"]+)"\]|([^.\[\]]+)|(\[\])')
FACT = tuple[str, Any]


def witness(
    source: Resource, name: str, target: Resource, kinds: Mapping[str, Kind]
) -> tuple[Evidence, ...]:
    """Why `target` is among `source.links[name]`; () when no table says so."""
    for relation in kinds[source.kind].relations:
        leads = relation.name == name and relation.to == target.kind
        if leads and (found := named(source, relation, target)):
            return found
    for relation in kinds[target.kind].relations:
        leads = relation.reverse == name and relation.to == source.kind
        if leads and (found := named(target, relation, source)):
            return found
    return ()


def named(source: Resource, relation: Relation, target: Resource) -> tuple[Evidence, ...]:
    """The fact in the source, and the one in the target that it equals."""
    theirs = list(spots(target, relation.by, own=True))
    for path, value in spots(source, relation.path):
        if relation.selector:
            here = next(iter(theirs), ("metadata", None))
            return fact(source, path, value), fact(target, *here)
        key = spelled(relation, keyed(relation, value))
        for there, held in theirs:
            if key is not None and key == spelled(relation, held):
                return fact(source, path, value), fact(target, there, held)
    return ()


def fact(resource: Resource, path: str, value: Any) -> Evidence:
    return Evidence(resource=resource.key, path=path, value=trimmed(value))


def spots(resource: Resource, path: str, *, own: bool = False) -> Iterator[FACT]:
    """(path with indexes, value) for each value at a table's path, as the graph reads them."""
    if path in OWN and (own or path[0] == "@" or path not in resource.data):
        yield OWN[path], getattr(resource, OWN[path])
    elif path in PLACES:
        yield PLACES[path], getattr(resource, PLACES[path])
    else:
        yield from walked(resource.data, STEP.findall(path), "")


def walked(value: Any, steps: list[tuple[str, str, str]], path: str) -> Iterator[FACT]:
    if value is None:
        return
    if not steps:
        yield path, value
        return
    quoted, plain, each = steps[0]
    if each:
        for i, item in enumerate(value if isinstance(value, list) else ()):
            yield from walked(item, steps[1:], f"{path}[{i}]")
    elif isinstance(value, dict):
        name = quoted or plain
        yield from walked(value.get(name), steps[1:], joined(path, name))
