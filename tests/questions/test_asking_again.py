"""What a workspace remembers: who asked what, and what changed since the last time."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from functools import partial

import trio

from infrascan.lookups.connections import Connections
from infrascan.questions import Who, ask, entries, workspace_id
from infrascan.questions.history import carried, differing
from tests.questions.lab import NOW, ONLY_K8S, deployment, lab, namespace, pod, service

HEALTH = "are all services in the production namespace healthy?"


def estate(*, broken: bool) -> list[dict]:
    return [
        namespace("production"),
        *service("session-cache", ready=0 if broken else 1),
        pod("session-cache-0", app="session-cache", waiting="CrashLoopBackOff" if broken else ""),
    ]


def put(found, objects) -> None:
    """Change what the cluster holds."""
    found.server.stored.clear()
    found.server.snapshots.clear()
    for one in objects:
        found.server.add(one)


def test_half_an_hour_later_the_same_question_tells_what_changed(tmp_path, monkeypatch):
    with lab(estate(broken=False), tmp_path, monkeypatch) as found:
        nine = found.ask(HEALTH)
        found.time = NOW + timedelta(minutes=30)
        again = found.ask(HEALTH)
        put(found, estate(broken=True))
        found.time = NOW + timedelta(minutes=60)
        later = found.ask("Are all services in the production namespace healthy")
        found.time = NOW + timedelta(minutes=90)
        still = found.ask(HEALTH)
    assert (nine.ok, nine.changes) == (True, [])
    assert (again.changes, again.state_hash) == ([], nine.state_hash)
    assert (later.ok, later.state_hash != nine.state_hash) == (False, True)
    key = "k8s.service/prod-cluster/global/production/session-cache"
    assert {
        "resource": key,
        "field": "state",
        "before": "healthy",
        "after": "down",
        "first_seen": (NOW + timedelta(minutes=60)).strftime("%Y-%m-%dT%H:%M:%SZ"),
    } in later.changes
    assert (still.changes, still.state_hash) == ([], later.state_hash)


def test_each_answer_is_read_anew(tmp_path, monkeypatch):
    """Nothing is kept between two questions: what was changed between them is in the second."""
    with lab([namespace("production"), deployment("api", replicas=2, ready=2)], tmp_path, monkeypatch) as found:  # fmt: skip
        first = found.ask("how many replicas does api have?")
        before = len(found.server.requests)
        put(found, [namespace("production"), deployment("api", replicas=5, ready=4)])
        second = found.ask("how many replicas does api have?")
    assert (first.data["rows"][0]["replicas"], second.data["rows"][0]["replicas"]) == (2, 5)
    assert len(found.server.requests) > before
    assert all(row["observed_at"] for row in second.data["rows"])
    assert all(item["observed_at"] for item in second.evidence if item["resource"])


def test_what_was_not_read_is_not_gone():
    before = {"a": {"cpu": 1}, "b": {"cpu": 2}}
    assert differing(before, carried(before, {"a": {"cpu": None}}), "t") == []
    assert differing(before, carried(before, {"a": {"cpu": 3}}), "t") == [
        {"resource": "a", "field": "cpu", "before": 1, "after": 3, "first_seen": "t"}
    ]
    assert [c["resource"] for c in differing(before, {"a": {"cpu": 1}}, "t")] == ["b"]


def test_a_denied_read_changes_nothing(tmp_path, monkeypatch):
    objects = [namespace("production"), pod("a", waiting="CrashLoopBackOff", restarts=3)]
    with lab(objects, tmp_path, monkeypatch) as found:
        first = found.ask("which pods are failing?")
        found.server.everybody = type(found.server.everybody)(
            "reader", denied=frozenset({("", "pods")})
        )
        second = found.ask("which pods are failing?")
        found.server.everybody = type(found.server.everybody)("reader")
        third = found.ask("which pods are failing?")
    assert (first.ok, second.ok, third.ok) == (False, None, False)
    assert (second.changes, third.changes) == ([], [])


def test_history_says_who_asked_what_and_survives(tmp_path, monkeypatch):
    with lab(estate(broken=False), tmp_path, monkeypatch) as found:
        found.ask(HEALTH, session="a")
        found.ask("which pods are failing?", session="b")
        found.ask("what is the meaning of life")
    kept = entries(found.home)
    assert [(e["question"], e["route"], e["status"]) for e in kept] == [
        ("what is the meaning of life", "", "unknown"),
        ("which pods are failing?", "k8s.failing-pods", "answered"),
        (HEALTH, "k8s.services-healthy", "answered"),
    ]
    assert {e["client"] for e in kept} == {"test"}
    assert [e["question"] for e in entries(found.home, session="a")] == [HEALTH]
    code = "import sys,json;from pathlib import Path;from infrascan.questions import entries,workspace_id;h=Path(sys.argv[1]);print(json.dumps([len(entries(h)),workspace_id(h)]))"
    mine = workspace_id(found.home)
    other = subprocess.run([sys.executable, "-c", code, str(found.home)], capture_output=True, check=True, text=True)  # fmt: skip
    assert json.loads(other.stdout) == [3, mine]


def test_agents_that_ask_at_once_get_their_own_answers(tmp_path, monkeypatch):
    """Three questions by eight clients, interleaved: each gets what a single one gets."""
    questions = [HEALTH, "which pods are failing?", "list deployments"]
    with lab(estate(broken=True), tmp_path, monkeypatch) as found:
        alone = {q: found.ask(q).answer for q in questions}
        got: dict[tuple[int, str], str] = {}

        async def one(number: int, question: str) -> None:
            who = Who(client=f"agent-{number}", session=f"s{number}")
            answer = await ask(found.home, question, request=ONLY_K8S, who=who)
            got[number, question] = answer.answer

        async def all_of_them() -> None:
            async with trio.open_nursery() as nursery:
                for number in range(8):
                    for question in questions:
                        nursery.start_soon(partial(one, number, question))

        trio.run(all_of_them)
    assert got == {(n, q): alone[q] for n in range(8) for q in questions}
    assert len(entries(found.home)) == len(questions) + 24


def test_over_open_connections_nobody_signs_in_again_and_all_is_read_anew(tmp_path, monkeypatch):
    question = "how many replicas does api have?"
    with lab([namespace("production"), deployment("api", replicas=2, ready=2)], tmp_path, monkeypatch) as found:  # fmt: skip

        async def twice() -> list[int]:
            connections = Connections(ONLY_K8S)
            counts = []
            for replicas in (2, 5):
                put(found, [namespace("production"), deployment("api", replicas=replicas, ready=2)])
                answer = await ask(
                    found.home, question, request=ONLY_K8S, who=Who(), connections=connections
                )
                counts.append(answer.data["rows"][0]["replicas"])
            connections.close()
            return counts

        assert trio.run(twice) == [2, 5]
        signed_in = [path for path in found.server.paths() if "selfsubjectreviews" in path]
    assert len(signed_in) <= 1
