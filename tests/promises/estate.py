"""Not read is not absent, held over the whole pipeline: each call of the demo estate fails in turn.

What a scan says with a call missing may be less than what it says with everything read, and never
something else: what was flagged is flagged or unknown, and nothing is flagged that passed.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import trio
import trio.testing

from infrascan.collect.engine import Collected, Collection
from infrascan.collect.provider import Call
from infrascan.collect.recording import Replay, lines
from infrascan.evaluate import RuleSet
from infrascan.model import Kind, ReadError, Reason, Scan
from infrascan.pipeline import DEMO, Request, all_kinds, chosen_rules, judged, replayed
from infrascan.providers import load
from infrascan.shipped import shipped

# Where regions were named, their list is a convenience; who we are changes no verdict.
ABOVE = ("organizations/", "folders/")  # a scope that holds the accounts
NO_LOSS = {
    "ec2.DescribeRegions",
    "POST /apis/authentication.k8s.io/v1/selfsubjectreviews",
    "GET /user/tokens/verify",
}


@dataclass(eq=False)
class Failing(Replay):
    """A recording in which every call of one API is denied."""

    api: str = ""

    def answer(self, call: Call) -> Any:
        if named(call.api) == self.api:
            raise ReadError(Reason.DENIED, "denied for the test", code="Made")
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


@cache
def read_well(provider: str) -> bytes:
    """What one provider gives when nothing fails, as bytes: judging changes resources."""
    return pickle.dumps(read(provider, recording()))


def read(provider: str, replay: Replay) -> Collected:
    async def collected() -> Collected:
        selection = replayed(recording())
        providers = [load(provider)(selection)]
        return await Collection(providers=providers, replay=replay, live=True).run()

    return trio.run(collected, clock=trio.testing.MockClock(autojump_threshold=0))


def scanned(failing: str = "", replay: Replay | None = None) -> Scan:
    """The whole estate judged, with one provider read from another recording. What the others
    give does not depend on it, so they are read once."""
    kinds, rules = known()
    everything = Collection(providers=[])
    for name in recording().manifest["providers"]:
        part = read(name, replay) if replay and name == failing else pickle.loads(read_well(name))
        everything.result.identities += part.identities
        everything.result.resources += part.resources
        everything.result.gaps += part.gaps
        everything.result.coverage += part.coverage
    everything.put_in_order()
    return judged(everything.result, rules, kinds, replayed(recording()).observed)


@cache
def whole() -> Scan:
    return scanned()


def apis(*providers: str) -> Sequence[tuple[str, str]]:
    """The APIs of these providers, as the recording spells them."""
    found = {
        (name, named(line["api"]))
        for name in providers
        for line in lines(recording().folder / f"answers-{name}.jsonl.gz")
    }
    return sorted(pair for pair in found if not pair[1].startswith("local."))


def flagged(scan: Scan) -> dict[tuple[str, str], Any]:
    return {(f.rule, f.resource): f for f in scan.findings}


def unexplained(missing: Iterator[Any], scan: Scan) -> list[str]:
    """The findings that are neither there nor unknown."""
    by_resource = {(u.rule, u.resource) for u in scan.unknowns if u.resource}
    by_place = {(u.rule, u.provider, u.account) for u in scan.unknowns if not u.resource}
    above = {(rule, name) for rule, name, account in by_place if account.startswith(ABOVE)}
    return [
        f"{f.rule} on {f.resource}"
        for f in missing
        if (f.rule, f.resource) not in by_resource
        and (f.rule, f.provider, f.account) not in by_place
        and (f.rule, f.provider, "") not in by_place
        and (f.rule, f.provider) not in above
    ]


def check(provider: str, api: str) -> None:
    """Deny every call of one API, and hold each verdict to what it was with nothing denied."""
    replay = recording()
    scan = scanned(provider, Failing(replay.folder, replay.manifest, replay.answers, api=api))
    before, after = flagged(whole()), flagged(scan)
    # A list denied over a cluster is read namespace by namespace, so its gap may say otherwise.
    new = set(scan.gaps) - set(whole().gaps)
    made = [gap for gap in new if "for the test" in gap.detail]

    assert [] == [gap for gap in scan.gaps if gap.reason is Reason.BUG]
    assert new or api in NO_LOSS
    assert [] == [gap for gap in made if gap.kind and not gap.call]
    assert [] == [gap for gap in made if gap.provider == "aws" and not gap.permission]
    assert [] == sorted(set(after) - set(before)), "flagged only because a call failed"
    lost = (before[key] for key in set(before) - set(after))
    assert [] == unexplained(lost, scan), "a finding vanished without a word"
