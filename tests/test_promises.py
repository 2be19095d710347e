"""Not read is not absent, held over the whole pipeline: each call of the demo estate fails in turn.

What a scan says with a call missing may be less than what it says with everything read, and never
something else: what was flagged is flagged or unknown, and nothing is flagged that passed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
import trio

from infrascan.collect.engine import Collection
from infrascan.collect.provider import Call
from infrascan.collect.recording import Replay
from infrascan.evaluate import RuleSet
from infrascan.model import Kind, ReadError, Reason, Scan
from infrascan.pipeline import DEMO, Request, all_kinds, chosen_rules, judged, replayed
from infrascan.providers import load
from infrascan.shipped import shipped

FAULTS = (Reason.DENIED, Reason.TRUNCATED)


@dataclass(eq=False)
class Failing(Replay):
    """A recording in which every call of one API fails."""

    api: str = ""
    reason: Reason = Reason.DENIED

    def answer(self, call: Call) -> Any:
        if named(call.api) == self.api:
            raise ReadError(self.reason, f"{self.reason} for the test", code="Made")
        return super().answer(call)


def named(api: str) -> str:
    """The API without the names in its path: all calls of one kind fail together."""
    return api.partition("?")[0]


@cache
def recording() -> Replay:
    return Replay.open(shipped("estates") / DEMO)


@cache
def known() -> tuple[dict[str, Kind], RuleSet]:
    kinds = all_kinds(recording().manifest["providers"])
    return kinds, chosen_rules(Request(), kinds)


def scanned(replay: Replay) -> Scan:
    kinds, rules = known()
    selection = replayed(recording())
    providers = [load(name)(selection) for name in recording().manifest["providers"]]

    async def collected() -> Any:
        return await Collection(providers=providers, replay=replay).run()

    return judged(trio.run(collected), rules, kinds, selection.observed)


@cache
def whole() -> Scan:
    return scanned(recording())


def apis() -> Sequence[str]:
    found = {named(line["api"]) for line in recording().answers.values()}
    return sorted(api for api in found if not api.startswith("local."))


def flagged(scan: Scan) -> dict[tuple[str, str], Any]:
    return {(f.rule, f.resource): f for f in scan.findings}


def unexplained(missing: Iterator[Any], scan: Scan) -> list[str]:
    """The findings that are neither there nor unknown."""
    by_resource = {(u.rule, u.resource) for u in scan.unknowns if u.resource}
    by_place = {(u.rule, u.provider, u.account) for u in scan.unknowns if not u.resource}
    return [
        f"{f.rule} on {f.resource}"
        for f in missing
        if (f.rule, f.resource) not in by_resource
        and (f.rule, f.provider, f.account) not in by_place
        and (f.rule, f.provider, "") not in by_place
    ]


@pytest.mark.parametrize("reason", FAULTS)
@pytest.mark.parametrize("api", apis())
def test_a_call_that_fails_never_turns_a_verdict_round(api: str, reason: Reason):
    replay = recording()
    failing = Failing(replay.folder, replay.manifest, replay.answers, api=api, reason=reason)
    scan = scanned(failing)
    before, after = flagged(whole()), flagged(scan)

    assert [] == [gap for gap in scan.gaps if gap.reason is Reason.BUG]
    # Where regions were named, the list of regions is a convenience.
    assert api == "ec2.DescribeRegions" or any(gap.reason is reason for gap in scan.gaps)
    assert [] == sorted(set(after) - set(before)), "flagged only because a call failed"
    if reason is Reason.DENIED:
        made = [gap for gap in scan.gaps if "for the test" in gap.detail]
        assert [] == [gap for gap in made if not gap.permission or (gap.kind and not gap.call)]
    lost = (before[key] for key in set(before) - set(after))
    assert [] == unexplained(lost, scan), "a finding vanished without a word"
