"""Whether a fact stands in a resource: what is there, at the path that the fact names."""

from __future__ import annotations

import json
import re
from typing import Any

from infrascan.model import Evidence, Resource
from infrascan.proof.facts import canonical

TOKEN = re.compile(r"""\[(?P<place>\d+)\]|\["(?P<quoted>[^"]*)"\]|\.?(?P<name>[^.\[\]]+)""")
COUNT = re.compile(r"(?:(?P<at>.*)\.)?count\((?P<path>.*)\)")
OWN = frozenset({"id", "name", "kind", "provider", "account", "region"})
CUT = "…"  # at the end of a value that is longer than a fact shows


def stands(fact: Evidence, resource: Resource) -> bool:
    """Whether the resource has this value at this path; nothing there is the same as null.

    A long value is cut in a fact: then its beginning must be the same. `count(path)` is how many
    there are. A path may also name a relation, or the resource's own `id`, `name` and the like.
    """
    wanted = fact.value
    if counted := COUNT.fullmatch(fact.path):
        where = at(resource.data, counted["at"]) if counted["at"] else resource
        return count(where, counted["path"]) == wanted
    if fact.path in resource.links or wanted == []:
        return [to.key for to in resource.links.get(fact.path, ())] == wanted
    if fact.path in OWN and getattr(resource, fact.path) == wanted:
        return True
    found = at(resource.data, fact.path)
    if canonical(found) == canonical(wanted):
        return True
    return isinstance(wanted, str) and wanted.endswith(CUT) and begins(found, wanted)


def count(value: Any, path: str) -> int:
    """How many there are at a path: the elements of a list or map, or what a relation leads to."""
    spots = [value]
    for name in path.split("."):
        plain = name.removesuffix("[]")
        spots = [item for spot in spots for item in below(spot, plain, each=plain != name)]
    if path.endswith("[]"):
        return len(spots)
    return sum(len(spot) if isinstance(spot, list | dict) else 1 for spot in spots)


def below(spot: Any, name: str, *, each: bool) -> list[Any]:
    """What is one step on; with `each`, the elements of a list."""
    if isinstance(spot, Resource):
        if name in spot.links:
            return list(spot.links[name])
        spot = spot.data
    found = spot.get(name) if isinstance(spot, dict) else None
    if found is None:
        return []
    return found if each and isinstance(found, list) else [found]


def at(data: Any, path: str) -> Any:
    """The value at a path such as `spec.containers[0]["a.b"]`; None where there is none."""
    value, place = data, 0
    while place < len(path) and value is not None:
        token = TOKEN.match(path, place)
        if not token:
            return None
        place = token.end()
        if token["place"] is not None:
            index = int(token["place"])
            value = value[index] if isinstance(value, list) and index < len(value) else None
        else:
            name = token["quoted"] if token["quoted"] is not None else token["name"]
            value = value.get(name) if isinstance(value, dict) else None
    return value


def begins(found: Any, shown: str) -> bool:
    """Whether a value that was cut for a fact is the beginning of the one found."""
    whole = found if isinstance(found, str) else json.dumps(found, ensure_ascii=False, default=str)
    start = shown.removesuffix(CUT)
    return bool(start) and whole.startswith(start)
