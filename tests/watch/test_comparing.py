"""What turned, told from what stood: laws over any history, and each turn by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infrascan.model import Category, Evidence, Finding, Resource, Scan, Severity
from infrascan.questions import Answer
from infrascan.store.inventory import InMemory
from infrascan.watch.asking import result
from infrascan.watch.comparing import Look, Outcome, compare, nothing, nothing_seen
from infrascan.watch.degraded import degraded, workload
from infrascan.watch.news import Check, Result, Stand, Standings, Subject, Turn, finding_of, kept
from tests.store.estate import clone
from tests.watch.lab import blind, seen, shut_out

AT = "2026-11-21T08:30:00Z"


def follow(scans: list[Scan | None], on: Severity = Severity.INFO) -> list[Outcome]:
    """What each look of a history came to; None is a scan that failed."""
    standings: Standings = {}
    last: Scan | None = None
    found = []
    for scan in scans:
        look = Look(at=AT, scan=scan, failure="" if scan else "it failed")
        sight = InMemory(last, last).before if last else nothing_seen
        before = nothing(last) if last else None
        if last and before:
            before = replace(last, resources=[])
        outcome = compare(standings, look, before, sight, first=last is None, on=on)
        standings, last = outcome.standings, scan or last
        found.append(outcome)
    return found


groups = st.sets(st.integers(0, 5))
steps = st.lists(
    st.one_of(
        groups.map(lambda some: ("seen", some)),
        groups.map(lambda some: ("blind", some)),
        st.just(("shut", set())),
        st.just(("failed", set())),
    ),
    min_size=1,
    max_size=10,
)


def scan_of(number: int, how: str, some: set[int]) -> Scan | None:
    match how:
        case "seen":
            return seen(number, open_groups=sorted(some))
        case "blind":
            return blind(number, open_groups=sorted(some))
        case "shut":
            return shut_out(number)
    return None


@settings(max_examples=60, deadline=None)
@given(steps)
def test_nothing_is_fixed_unseen_and_nothing_that_stands_is_forgotten(
    history: list[tuple[str, set[int]]],
):
    """Against a plain model: a group is open as it was last seen, and unknown while it is not."""
    outcomes = follow([scan_of(n, how, some) for n, (how, some) in enumerate(history)])
    open_now: set[str] = set()
    begun = False
    for (how, some), outcome in zip(history, outcomes, strict=True):
        if how != "failed" and not begun:
            begun = True
            open_now = {f"sg-{n}" for n in some} if how == "seen" else set()
            continue
        turned = {
            (t.turn, t.about["resource_id"])
            for t in outcome.transitions
            if t.subject is Subject.FINDING
        }
        fixed = {name for turn, name in turned if turn is Turn.FIXED}
        new = {name for turn, name in turned if turn is Turn.NEW}
        if how == "seen":
            now = {f"sg-{n}" for n in some}
            assert (fixed, new) == (open_now - now, now - open_now)
            open_now = now
        else:
            assert (fixed, new) == (set(), set())
        standing = {
            s.said["resource_id"]: s.stand
            for (subject, _), s in outcome.standings.items()
            if subject is Subject.FINDING
        }
        assert set(standing) == open_now
        if how in ("blind", "shut"):
            assert set(standing.values()) <= {Stand.UNKNOWN}
        if how == "seen":
            assert set(standing.values()) <= {Stand.OPEN}


@settings(max_examples=30, deadline=None)
@given(steps)
def test_the_same_look_again_turns_nothing(history: list[tuple[str, set[int]]]):
    scans = [scan_of(n, how, some) for n, (how, some) in enumerate(history)]
    twice = [scan for scan in scans for _ in range(2)]

    assert all(not outcome.transitions for outcome in follow(twice)[1::2])


def test_a_finding_is_kept_as_much_as_comparing_needs():
    for finding in seen(1, open_groups=[1], plain_volumes=[2]).findings:
        back = finding_of(kept(finding))
        assert back.id == finding.id
        assert kept(back) == kept(finding)


@pytest.mark.parametrize(
    ("severity", "turn"), [(Severity.MEDIUM, Turn.BETTER), (Severity.CRITICAL, None)]
)
def test_a_finding_that_is_more_or_less_severe_says_so(severity: Severity, turn: Turn | None):
    before = seen(1, open_groups=[1])
    after = clone(before, id="scan-2", findings=[replace(before.findings[0], severity=severity)])
    there, back = follow([before, after, before], on=Severity.HIGH)[1:]

    assert [t.turn for t in there.transitions] == ([turn] if turn else [])
    assert [t.turn for t in back.transitions] == ([Turn.WORSE] if turn else [])


# Pods.


def pod(name: str, *, owner: str = "web-6d4", hashed: str = "6d4", **status: Any) -> Resource:
    return Resource(
        kind="k8s.pod",
        id=f"shop/{name}",
        name=name,
        provider="k8s",
        account="lab",
        data={
            "metadata": {
                "name": name,
                "namespace": "shop",
                "labels": {"pod-template-hash": hashed},
                "ownerReferences": [{"kind": "ReplicaSet", "name": owner, "controller": True}],
            },
            "status": status,
        },
    )


def crash(*pods: Resource, id: str) -> Scan:
    empty = seen(1)
    (coverage, *_) = empty.coverage
    partition = replace(
        coverage.partition, provider="k8s", account="lab", region="", kind="k8s.pod"
    )
    findings = [
        Finding(
            rule="k8s.pod.crash-looping",
            title="Container crashes again and again",
            category=Category.RELIABILITY,
            severity=Severity.HIGH,
            kind="k8s.pod",
            resource=one.key,
            resource_id=one.id,
            name=one.name,
            provider="k8s",
            account="lab",
            region="",
            evidence=(Evidence(resource=one.key, path="status.phase", value="Running"),),
            why="",
            fix="",
        )
        for one in pods
    ]
    return clone(
        empty,
        id=id,
        scope={"providers": []},
        resources=list(pods),
        edges=[],
        findings=findings,
        coverage=[replace(coverage, partition=partition, resources=len(pods))],
    )


def test_a_pod_that_crashes_as_the_one_it_replaced_is_no_news():
    first = crash(pod("web-6d4-a"), id="1")
    second = crash(pod("web-77f-b", owner="web-77f", hashed="77f"), id="2")
    other = crash(pod("cart-1-a", owner="cart-1", hashed="1"), id="3")
    _, replaced, another = follow([first, second, other])

    assert replaced.transitions == []
    (stood,) = replaced.standings.values()
    assert stood.said["name"] == "web-77f-b"
    assert [t.turn for t in another.transitions] == [Turn.NEW, Turn.FIXED]


def test_what_a_pod_belongs_to_does_not_change_with_a_rollout():
    assert workload(pod("web-6d4-a")) == "lab/shop/ReplicaSet/web"
    assert workload(pod("x", owner="db", hashed="")) == "lab/shop/ReplicaSet/db"
    assert workload(None) == ""


READY = {"type": "Ready", "status": "False", "reason": "ContainersNotReady",
         "lastTransitionTime": "2026-11-21T08:00:00Z"}  # fmt: skip
UNWELL: dict[str, dict[str, Any]] = {
    "CrashLoopBackOff": {
        "conditions": [READY],
        "containerStatuses": [{"state": {"waiting": {"reason": "CrashLoopBackOff"}}}],
    },
    "OOMKilled": {
        "conditions": [READY],
        "containerStatuses": [{"state": {"terminated": {"reason": "OOMKilled", "exitCode": 137}}}],
    },
    "ContainersNotReady": {"conditions": [READY]},
    "Evicted": {"reason": "Evicted", "startTime": "2026-11-21T08:00:00Z"},
}


@pytest.mark.parametrize(("reason", "status"), UNWELL.items())
def test_what_is_wrong_with_a_pod_is_in_its_own_words(reason: str, status: dict[str, Any]):
    one = pod("web-6d4-a", **status)
    owner = Resource(
        kind="k8s.service", id="shop/web", name="web", provider="k8s", account="lab", data={}
    )
    owner.links["pods"] = [pod("web-6d4-0"), one]

    for found in (degraded(one), degraded(owner)):
        assert found is not None
        assert (found["pod"], found["namespace"]) == ("web-6d4-a", "shop")
        assert (found["reason"], found["since"]) == (reason, "2026-11-21T08:00:00Z")


def test_nothing_is_degraded_where_no_pod_is():
    assert degraded(None) is None
    assert degraded(seen(1).resources[0]) is None


# Checks.

CHECK = Check(question="Is all well?", name="well")


def asked(ok: bool | None, *names: str) -> Result:
    rows = [{"resource": f"k8s.pod/lab/global/shop/{name}", "name": name} for name in names]
    answer = Answer(question="", answer="said", status="answered", ok=ok, data={"rows": rows})
    return result(CHECK, answer)


def turns_of(*results: Result) -> list[Turn | None]:
    standings: Standings = {}
    found: list[Turn | None] = []
    for number, one in enumerate(results):
        look = Look(at=AT, scan=seen(number), results=(one,))
        outcome = compare(standings, look, None, first=not number, on=Severity.HIGH)
        standings = outcome.standings
        turned = [t for t in outcome.transitions if t.subject is Subject.CHECK]
        found.append(turned[0].turn if turned else None)
    return found


def test_a_check_turns_when_its_answer_does():
    yes, no, unsure = asked(True), asked(False, "a"), asked(None)

    assert turns_of(yes, no, no, yes, yes) == [None, Turn.NEW, None, Turn.RECOVERED, None]
    assert turns_of(yes, unsure, unsure, yes) == [None, Turn.UNKNOWN, None, Turn.RECOVERED]
    assert turns_of(yes, no, unsure, no) == [None, Turn.NEW, Turn.UNKNOWN, Turn.KNOWN]
    assert turns_of(no, no, yes) == [None, None, Turn.RECOVERED]


def test_a_check_that_fails_for_more_is_worse_and_for_fewer_better():
    one, two, other = asked(False, "a"), asked(False, "a", "b"), asked(False, "c")

    assert turns_of(one, two, two, one) == [None, Turn.WORSE, None, Turn.BETTER]
    assert turns_of(one, other) == [None, Turn.WORSE]


def test_a_yes_on_half_of_what_is_there_is_no_yes():
    answer = Answer(question="", answer="all 3 seen are well", status="partial", ok=True)
    assert result(CHECK, answer).ok is None
    assert result(CHECK, replace(answer, ok=False)).ok is False
    assert result(CHECK, replace(answer, status="answered")).ok is True
