"""Filling the tables' templates and taking values out of answers. Pure functions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from infrascan.paths import values

SLOT = re.compile(r"\{([^{}]*)\}")

FILTERS = {
    "base": lambda text: text.rpartition("/")[2],
    "parent": lambda text: text.split("/")[-2] if "/" in text else text,
    "tail": lambda text: text.rpartition(":")[2],
    "family": lambda text: text.rpartition(":")[0],
    "lower": lambda text: text.lower(),
    # of Google's names: from "projects/" on, and the location in "projects/p/locations/l/…"
    "address": lambda text: text[max(text.find("projects/"), 0) :],
    "location": lambda text: text.partition("/locations/")[2].partition("/")[0],
    "host": lambda text: text.lower().rstrip(".").removeprefix("dualstack."),
    "after loadbalancer/": lambda text: text.partition("loadbalancer/")[2],
}


class MissingError(LookupError):
    """A template names something that the item does not have."""


def fill(template: Any, scope: Mapping[str, Any]) -> Any:
    """The template with its slots filled from `scope`. Raises `MissingError`."""
    if isinstance(template, str):
        if "{" not in template:
            return template
        whole = SLOT.fullmatch(template)
        if whole:
            return slot(whole[1], scope)
        return SLOT.sub(lambda match: str(slot(match[1], scope)), template)
    if isinstance(template, Mapping):
        return {key: fill(value, scope) for key, value in template.items()}
    if isinstance(template, list | tuple):
        return [fill(value, scope) for value in template]
    return template


def slot(text: str, scope: Mapping[str, Any]) -> Any:
    path, _, name = text.partition("!")
    alternatives = path.split("|")
    for alternative in alternatives:
        if not alternative:
            return ""
        found = first(scope, alternative)
        if found is not None:
            return FILTERS[name](str(found)) if name else found
    raise MissingError(text)


def first(data: Any, path: str) -> Any:
    """The first value at a path, or None."""
    if "." not in path and "[" not in path and isinstance(data, Mapping):
        return data.get(path)
    return next(values(data, path), None)


def holds(condition: str, data: Any) -> bool:
    """Whether a `when` holds: its path has something, or one of the values: "engine=pg|mysql"."""
    path, equals, wanted = condition.partition("=")
    found = first(data, path)
    return str(found) in wanted.split("|") if equals else found not in (None, "", [], {})


def elements(answer: Any, path: str) -> tuple[bool, Any]:
    """Whether the key a path ends in is there, and what it holds.

    Every step above the last `[]` must be there too: an answer without the part that holds
    the items is a fault, not an empty list.
    """
    place = answer
    steps = path.split(".") if path else []
    for at, step in enumerate(steps):
        name = step.removesuffix("[]")
        if not isinstance(place, Mapping) or name not in place or place[name] is None:
            return False, None
        place = place[name]
        if step.endswith("[]"):
            if not isinstance(place, list):
                return False, None
            rest = ".".join(steps[at + 1 :])
            if not rest:
                return True, place
            return nested(place, rest)
    return True, place


def nested(items: list[Any], rest: str) -> tuple[bool, Any]:
    found: list[Any] = []
    for item in items:
        there, inside = elements(item, rest)
        if not there:
            return False, None
        found.extend(inside if isinstance(inside, list) else [inside])
    return True, found


def keys(element: Any, by: str) -> Iterator[str]:
    """What an element of a batch is about: the values at `by`, or a template filled from parts."""
    path, braced, rest = by.partition(".{")
    if not braced:
        for value in values(element, by):
            yield str(value)
        return
    for part in values(element, path):
        try:
            yield str(fill("{" + rest, part))
        except MissingError:
            continue


def tags(found: Any) -> dict[str, str]:
    """Tags as a map, from whichever of AWS's shapes."""
    if isinstance(found, Mapping):
        return {str(key): str(value) for key, value in found.items()}
    result: dict[str, str] = {}
    for pair in found or ():
        name = next((pair[k] for k in ("Key", "key", "TagKey") if k in pair), None)
        if name is not None:
            value = next((pair[k] for k in ("Value", "value", "TagValue") if k in pair), "")
            result[str(name)] = str(value)
    return result


def pairs(found: Any) -> dict[str, Any]:
    """A list of {Key, Value} as a map."""
    return {pair["Key"]: pair.get("Value", "") for pair in found}


def document(text: str) -> Any:
    """A JSON document kept in a string. Raises `ValueError`.

    API Gateway escapes the quotes of a policy once more than JSON does.
    """
    try:
        return json.loads(text)
    except ValueError:
        return json.loads(json.loads(f'"{text}"'))


def open_documents(data: Any, paths: tuple[str, ...]) -> Any:
    """The data with the strings at these paths read as JSON. Raises `ValueError`."""
    for path in paths:
        if not path:
            return document(data) if isinstance(data, str) else data
        *steps, last = path.split(".")
        for place in values(data, ".".join(steps)):
            if isinstance(place, dict) and isinstance(place.get(last), str) and place[last]:
                place[last] = document(place[last])
    return data
