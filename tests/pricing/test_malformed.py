"""Answers of another form than documented cost a price, and never the scan."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import trio

from infrascan.model import Resource
from infrascan.pipeline import DEMO, Request, look
from infrascan.pricing import ENTRIES, price_all, quote
from infrascan.shipped import shipped

ODD: tuple[Any, ...] = ("n/a", "", -7, 1e999, float("nan"), [], {}, [None], {"x": 1}, True, None)


@cache
def recorded() -> bytes:
    """The demo's resources that have a price, linked; as bytes, for they are changed."""
    known = [kind for kind in sorted(ENTRIES) if kind.partition(".")[0] != "prometheus"]
    scan = trio.run(look, Request(replay=shipped("estates") / DEMO), tuple(known))
    return pickle.dumps(scan.resources)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        for place, inner in enumerate(value[:2]):
            yield from leaves(inner, (*path, place))


def one_of_each() -> list[Resource]:
    found: dict[str, Resource] = {}
    for resource in pickle.loads(recorded()):
        found.setdefault(resource.kind, resource)
    return list(found.values())


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_a_field_of_another_form_leaves_a_resource_without_a_price_at_most(odd: Any):
    for resource in one_of_each():
        whole = copy.deepcopy(resource.data)
        for path in leaves(whole):
            if len(path) > 5:
                continue
            resource.data = copy.deepcopy(whole)
            inside = resource.data
            for key in path[:-1]:
                inside = inside[key]
            inside[path[-1]] = copy.deepcopy(odd)
            found = quote(resource)
            assert found.price is None or 0 <= found.price.monthly < float("inf"), path
            assert found.price or found.reason


def test_what_others_lead_to_may_be_odd_as_well():
    resources = pickle.loads(recorded())
    for resource in resources:
        for key in list(resource.data):
            if isinstance(resource.data[key], str):
                resource.data[key] = "n/a"
    total, _ = price_all(resources)
    assert 0 <= total < float("inf")
