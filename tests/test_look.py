"""Reading a few kinds now, outside a scan."""

from __future__ import annotations

from functools import partial

import pytest
import trio

from infrascan.model import InputError, State
from infrascan.pipeline import DEMO, Request, live, look
from infrascan.shipped import shipped

ACME = Request(replay=shipped("estates") / DEMO)


def test_only_the_kinds_named_are_read_and_linked():
    seen = trio.run(look, ACME, ("k8s.pod", "k8s.node"))
    assert {r.kind for r in seen.resources} == {"k8s.pod", "k8s.node"}
    assert {c.partition.kind for c in seen.coverage} == {"k8s.pod", "k8s.node"}
    states = {(c.partition.account, c.state) for c in seen.coverage}
    assert states >= {("acme-prod", State.READ), ("acme-staging", State.PARTIAL)}
    assert {g.field for g in seen.gaps} == {"usage"}  # staging has no metrics server
    assert {i.provider for i in seen.identities} == {"k8s"}
    assert any(edge.name == "node" for edge in seen.edges)
    assert (seen.findings, seen.unknowns, seen.id) == ([], [], "")


def test_a_kind_that_does_not_exist_is_one_line():
    with pytest.raises(InputError, match=r"unknown kind 'k8s\.moon'"):
        trio.run(look, ACME, ("k8s.moon",))


def test_one_provider_answers_single_calls():
    async def ask() -> tuple[str, int]:
        async with live(ACME, "k8s") as (provider, ask):
            return provider.name, len(await provider.partitions(ask))

    name, partitions = trio.run(ask)
    assert (name, partitions > 10) == ("k8s", True)


def test_a_provider_that_is_not_in_the_recording_says_so(tmp_path):
    only = partial(look, Request(providers=("moon",)), ("k8s.pod",))
    with pytest.raises(InputError, match="unknown provider 'moon'"):
        trio.run(only)
