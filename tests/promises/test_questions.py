"""Not read is not absent, for questions: with any of its reads denied an answer says so.

Each question of the catalogue is asked of the demo estate with kinds that it reads denied, one at
a time; what changed, and why something is unwell, with each source of changes denied.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import trio

from infrascan.collect.provider import Call
from infrascan.collect.recording import Replay
from infrascan.model import Coverage, Gap, Partition, ReadError, Reason, Scan, State
from infrascan.pipeline import DEMO, Request, look
from infrascan.pipeline.live import looked
from infrascan.providers import PLANES
from infrascan.questions import Answer, Who, ask, shipped_catalogue
from infrascan.questions.asking import resolved
from infrascan.reason import causes, changes, naming, telling
from infrascan.shipped import shipped
from tests.promises.estate import Failing, named, recording

ACME = Request(replay=shipped("estates") / DEMO)
CATALOGUE = {question.id: question for question in shipped_catalogue().questions}
KINDS_EACH = 2  # of a question's reads, denied in turn
SOURCES = [kind for kinds in changes.SOURCES.values() for kind in kinds]
ABOVE = ("k8s", "aws", "github")  # what the failing service depends on, or is deployed from
MADE = "denied for the test"


@cache
def everything() -> Scan:
    """Whatever any question reads, read once."""
    kinds = {kind for q in CATALOGUE.values() for kind in resolved(q).reads}
    return trio.run(look, ACME, tuple(sorted(kinds | set(causes.KINDS))))


def permission(kind: str) -> str:
    return f"permission to read {kind}"


def without(denied: str, kinds: Collection[str]) -> Scan:
    """These kinds as the estate has them, and every partition of one denied."""
    whole = everything()
    provider = denied.partition(".")[0]
    if provider in PLANES:  # the demo has none; one that was asked, and refused
        place = Partition(provider=provider, account="acme", region="", kind=denied)
        seen = Coverage(partition=place, state=State.UNREAD, resources=0, calls=1, failed=1)
        whole = replace(whole, coverage=[*whole.coverage, seen])
    places = [c.partition for c in whole.coverage if c.partition.kind == denied]
    made = [
        Gap(provider=place.provider, account=place.account, region=place.region, kind=denied,
            call=f"list {denied}", reason=Reason.DENIED, detail=MADE, permission=permission(denied))
        for place in places
    ]  # fmt: skip
    resources = [r for r in whole.resources if r.kind in kinds and r.kind != denied]
    keys = {r.key for r in resources}
    return replace(
        whole,
        resources=resources,
        edges=[e for e in whole.edges if e.source in keys and e.target in keys],
        gaps=[g for g in whole.gaps if (g.kind in kinds or not g.kind) and g.kind != denied] + made,
        coverage=[
            replace(c, state=State.UNREAD, resources=0, calls=1, failed=1)
            if c.partition.kind == denied
            else c
            for c in whole.coverage
            if c.partition.kind in (*kinds, denied)
        ],
    )


def asked(home: Path, question: str, denied: str = "") -> Answer:
    everything()  # reading needs an event loop of its own

    async def read(_: Request, kinds: Collection[str], *__: Any) -> Scan:
        return without(denied, frozenset(kinds))

    words = CATALOGUE[question].examples[0].replace("{", "").replace("}", "")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("infrascan.questions.asking.read", read)
        found: Answer = trio.run(
            partial(ask, home, words, request=ACME, who=Who(client="test", session=denied))
        )
    return found


@cache
def whole(question: str) -> Answer:
    """The answer with nothing denied."""
    with TemporaryDirectory() as home:
        return asked(Path(home), question)


def cases() -> list[tuple[str, str]]:
    """Each question with some of its reads; which, turns with the question."""
    found = []
    for number, question in enumerate(CATALOGUE.values()):
        reads = sorted(resolved(question).reads)
        first = number % len(reads) if reads else 0
        found += [(question.id, kind) for kind in (reads[first:] + reads[:first])[:KINDS_EACH]]
    return found


@pytest.mark.parametrize(("question", "denied"), cases())
def test_an_answer_without_what_it_reads_is_the_same_or_says_so(
    question: str, denied: str, tmp_path: Path
):
    answer, before = asked(tmp_path, question, denied), whole(question)
    places = [c for c in everything().coverage if c.partition.kind == denied]
    said = permission(denied) in answer.needs and answer.status != "answered"
    if places and not said:  # then it must not have mattered
        assert (answer.answer, answer.ok) == (before.answer, before.ok)
        assert answer.data == before.data
    if said:
        assert answer.ok is not True
        assert any(gap["kind"] == denied for gap in answer.gaps)
        assert answer.status in {"partial", "unknown", "inconclusive"}
    if said and not answer.data.get("rows"):
        assert answer.answer.startswith("Of what was read") or answer.status != "partial"


def test_nearly_every_denied_read_is_said(tmp_path: Path):
    """That an answer did not need what it reads is the exception: one thing asked by its name."""
    silent = [
        (question, denied)
        for question, denied in cases()
        if any(c.partition.kind == denied for c in everything().coverage)
        and permission(denied) not in asked(tmp_path, question, denied).needs
    ]
    print(silent)
    assert len(silent) <= len(cases()) / 8, silent


@pytest.mark.parametrize("denied", SOURCES)
def test_what_changed_says_which_source_was_denied(denied: str):
    scan = without(denied, frozenset(causes.KINDS))
    observed = changes.instant(scan.observed)
    begin = naming.since("1h", observed)
    found = changes.timeline(scan, begin, observed)
    blind = [one for one in changes.blind(scan, begin) if one.source == denied]
    assert blind
    assert any(permission(denied) in one.closes for one in blind)
    told = telling.timeline_text(found, changes.blind(scan, begin), "", "")
    assert denied in told
    assert permission(denied) in told


@pytest.mark.parametrize("denied", [kind for p in ABOVE for kind in changes.SOURCES[p]])
def test_why_names_the_source_that_was_denied_and_never_says_healthy(denied: str):
    scan = without(denied, frozenset(causes.KINDS))
    resource = naming.find(scan, "checkout-api")
    explained = causes.explain(scan, resource.key, None)
    told = telling.text(scan, explained)
    assert explained.status not in {"healthy", "well"}
    assert permission(denied) in told


LIVE = {
    "k8s.event": "/events",  # of the cluster, and of each namespace, where that is denied
    "aws.cloudtrail.event": "cloudtrail.LookupEvents",
    "github.deployment": "GET /repos/{owner}/{repo}/deployments",
    "github.workflow_run": "GET /repos/{owner}/{repo}/actions/runs",
}
PERMISSION = {  # as the platform names it
    "k8s.event": "events",
    "aws.cloudtrail.event": "cloudtrail:LookupEvents",
    "github.deployment": "deployments",
    "github.workflow_run": "actions",
}


ASKED = {"k8s": "list events"}  # where the refusal says what to grant; elsewhere the tables do


@dataclass(eq=False)
class Ending(Failing):
    """A recording in which every call is denied whose name ends so."""

    def answer(self, call: Call) -> Any:
        if named(call.api).endswith(self.api):
            raise ReadError(
                Reason.DENIED, MADE, code="Made", permission=ASKED.get(call.provider, "")
            )
        return super().answer(call)


@pytest.mark.parametrize("kind", LIVE)
def test_a_denied_call_behind_what_changed_is_named_with_its_permission(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The whole way: the API refuses, the provider says so, and the answer does."""
    provider = kind.partition(".")[0]
    made = recording()
    failing = Ending(made.folder, made.manifest, made.answers, api=LIVE[kind])
    monkeypatch.setattr(Replay, "open", lambda _: failing)
    request = replace(ACME, providers=(provider,))
    kinds = tuple(changes.SOURCES[provider])

    scan = trio.run(looked, request, kinds, None)
    begin = naming.since("1h", changes.instant(scan.observed))
    assert not [r for r in scan.resources if r.kind == kind]
    (blind, *_) = (one for one in changes.blind(scan, begin) if one.source == kind)
    assert PERMISSION[kind] in blind.closes.lower() or PERMISSION[kind] in blind.closes

    async def read(*_: Any) -> Scan:
        return scan

    monkeypatch.setattr("infrascan.questions.asking.read", read)
    words = CATALOGUE["estate.changes"].examples[0]
    answer: Answer = trio.run(partial(ask, tmp_path, words, request=request))
    assert answer.status in {"partial", "unknown", "inconclusive"}
    assert answer.ok is not True
    assert any(
        PERMISSION[kind] in need or PERMISSION[kind] in need.lower() for need in answer.needs
    )
