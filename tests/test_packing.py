"""Packed or not, a resource is the same, and so is what a scan says of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from infrascan.collect import engine
from infrascan.collect.engine import Collection
from infrascan.collect.recording import Replay
from infrascan.model import Resource
from infrascan.packing import repacked
from infrascan.pipeline import DEMO, Request, all_kinds, chosen_rules, judged, replayed
from infrascan.providers import load
from infrascan.shipped import shipped

TEXT = st.text(st.characters())  # lone surrogates too: APIs send them
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
)


def bucket(data: dict[str, Any]) -> Resource:
    return Resource(
        kind="aws.s3.bucket", id="b", name="b", provider="aws", account="1", data=data
    )  # fmt: skip


@given(st.dictionaries(TEXT, JSON))
def test_what_is_packed_comes_back(data: dict[str, Any]):
    resource = bucket(data)
    resource.pack()

    assert resource.packed
    assert replace(resource).data == data
    assert not resource.packed


def test_a_change_to_packed_data_is_kept():
    resource = bucket({"a": 1})
    resource.pack()
    for one in repacked([resource]):
        one.data["b"] = 2

    assert resource.packed
    assert {"a": 1, "b": 2} == resource.data


def test_what_came_unpacked_stays_so():
    resource = bucket({"a": 1})
    assert [{"a": 1}] == [one.data for one in repacked([resource])]
    assert not resource.packed


def test_another_missing_attribute_is_still_missing():
    with pytest.raises(AttributeError):
        bucket({}).dta  # type: ignore[attr-defined]  # noqa: B018


def test_a_scan_says_the_same_in_little_memory(monkeypatch: pytest.MonkeyPatch):
    replay = Replay.open(shipped("estates") / DEMO)
    selection, names = replayed(replay), replay.manifest["providers"]
    kinds = all_kinds(names)
    rules = chosen_rules(Request(), kinds)

    def scanned(packed_from: int) -> Any:
        monkeypatch.setattr(engine, "PACKED_FROM", packed_from)
        run = Collection(providers=[load(name)(selection) for name in names], replay=replay).run
        collected = trio.run(run, clock=trio.testing.MockClock(autojump_threshold=0))
        assert (packed_from == 0) == any(resource.packed for resource in collected.resources)
        return judged(collected, rules, kinds, selection.observed)

    plain, packed = scanned(10**9), scanned(0)

    assert plain.findings == packed.findings
    assert plain.unknowns == packed.unknowns
    assert plain.edges == packed.edges
    assert plain.monthly_cost == packed.monthly_cost
    assert [r.data for r in plain.resources] == [r.data for r in packed.resources]
    assert [r.links.keys() for r in plain.resources] == [r.links.keys() for r in packed.resources]
