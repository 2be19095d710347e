"""The questions of the documents about clusters, asked of an API server on loopback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.questions.lab import (
    MIB,
    Lab,
    ago,
    backed,
    deployment,
    event,
    lab,
    namespace,
    node,
    pod,
    pod_usage,
    service,
)

MEMORY = "which pods are using more than 80% of their memory limit right now?"
HEALTH = "are all services in the production namespace healthy?"


def forty_pods() -> list[dict[str, Any]]:
    """Three of forty above 80 %: 90, 95 and 81 %; one at 80 % exactly; two without a limit."""
    shares = {3: 0.90, 17: 0.95, 30: 0.81, 31: 0.80}
    objects = [namespace("production"), namespace("shop")]
    for number in range(40):
        space = "production" if number % 2 else "shop"
        limit = None if number in (5, 6) else 512
        objects.append(pod(f"pod-{number:02}", space, limit=limit))
        objects.append(pod_usage(f"pod-{number:02}", 512 * shares.get(number, 0.3), space))
    return objects


def test_pods_above_their_memory_limit_are_exactly_those(tmp_path, monkeypatch):
    with lab(forty_pods(), tmp_path, monkeypatch) as found:
        answer = found.ask(MEMORY)
        top = found.ask("top 2 pods above 80% of memory limit in all namespaces")
        lower = found.ask("which pods use more than 25 % of their memory limit in namespace shop?")
    rows = answer.data["rows"]
    assert [(r["name"], r["percent"]) for r in rows] == [
        ("pod-17", 95.0),
        ("pod-03", 90.0),
        ("pod-30", 81.0),
    ]
    assert rows[0]["limit_bytes"] == 512 * MIB
    assert {r["name"] for r in answer.data["without_limit"]} == {"pod-05", "pod-06"}
    assert (answer.status, answer.ok, answer.route) == ("answered", False, "k8s.memory-above-limit")
    assert "pod-17 in production (95.0 %)" in answer.answer
    assert "2 pods without a limit stand apart" in answer.answer
    assert [r["name"] for r in top.data["rows"]] == ["pod-17", "pod-03"]
    assert lower.data["percent"] == 25
    assert {r["namespace"] for r in lower.data["rows"]} == {"shop"}
    for one in (answer, top, lower):
        backed(one)


def test_without_a_metrics_server_nothing_is_said_of_memory(tmp_path, monkeypatch):
    with lab(forty_pods(), tmp_path, monkeypatch, metrics=False) as found:
        answer = found.ask(MEMORY)
    assert (answer.status, answer.ok) == ("unknown", None)
    assert answer.data["rows"] == []
    assert len(answer.data["unmeasured"]) == 38
    assert any("metrics" in need for need in answer.needs)


def production(*, broken: bool) -> list[dict[str, Any]]:
    objects = [namespace("production"), *service("checkout-api", ready=2, replicas=2)]
    objects += [
        pod("checkout-api-1", app="checkout-api"),
        pod("checkout-api-2", app="checkout-api"),
    ]
    objects += service("session-cache", ready=0 if broken else 1)
    objects.append(
        pod("session-cache-0", app="session-cache", waiting="CrashLoopBackOff" if broken else "", restarts=7 if broken else 0)
    )  # fmt: skip
    return objects


def test_a_service_without_ready_endpoints_is_named(tmp_path, monkeypatch):
    with lab(production(broken=True), tmp_path, monkeypatch) as found:
        answer = found.ask(HEALTH)
    assert (answer.ok, answer.status) == (False, "answered")
    assert "session-cache in production DEGRADED" in answer.answer
    assert answer.answer.endswith("all 1 others nominal.")
    (row,) = [r for r in answer.data["rows"] if r["healthy"] is False]
    assert (row["pod"], row["namespace"], row["reason"]) == (
        "session-cache-0",
        "production",
        "CrashLoopBackOff",
    )
    assert (row["since"], row["restarts"]) == (ago(4), 7)
    backed(answer)


def test_all_services_ready_is_healthy(tmp_path, monkeypatch):
    with lab(production(broken=False), tmp_path, monkeypatch) as found:
        answer = found.ask(HEALTH)
        also = found.ask("Are all services in production healthy?")
    assert (answer.ok, answer.answer) == (
        True,
        "All 2 services in namespace production are healthy.",
    )
    assert also.ok is True
    backed(answer)


@pytest.mark.parametrize("broken", [True, False])
def test_a_namespace_that_is_not_there_is_unknown_not_healthy(tmp_path, monkeypatch, broken):
    with lab(production(broken=broken), tmp_path, monkeypatch) as found:
        answer = found.ask("are all services in the payments namespace healthy?")
    assert (answer.ok, answer.status) == (None, "unknown")
    assert "no namespace payments was found" in answer.answer
    assert "production" in answer.data["candidates"]


DENIALS = [
    ("services", ""),
    ("pods", ""),
    ("endpointslices", "discovery.k8s.io"),
    ("deployments", "apps"),
]


@pytest.mark.parametrize(("resource", "group"), DENIALS)
def test_a_denied_read_is_never_healthy(tmp_path, monkeypatch, resource, group):
    denied = frozenset({(group, resource)})
    with lab(production(broken=False), tmp_path, monkeypatch, denied=denied) as found:
        answer = found.ask(HEALTH)
    assert answer.ok is not True
    assert answer.status in ("partial", "unknown")
    assert any(gap["reason"] == "denied" for gap in answer.gaps)
    assert any(resource in need for need in answer.needs)


HEARTBEAT = {
    "Are all services in the production namespace healthy?": "services",
    "Is any pod in CrashLoopBackOff?": "pods",
    "Is memory utilization above 85% on any node?": "nodes",
}


@pytest.mark.parametrize("flipped", ["services", "pods", "nodes", "nothing"])
def test_each_heartbeat_check_turns_by_itself(tmp_path, monkeypatch, flipped):
    objects = [
        namespace("production"),
        *service("api", ready=0 if flipped == "services" else 1),
        pod("api-1", app="api", ready=flipped != "services"),
        pod("worker-1", waiting="CrashLoopBackOff" if flipped == "pods" else "", restarts=9),
        *node("node-1", used=0.9 if flipped == "nodes" else 0.5),
        *node("node-2", used=0.4),
    ]
    with lab(objects, tmp_path, monkeypatch) as found:
        answers = {what: found.ask(question) for question, what in HEARTBEAT.items()}
    assert {what: one.ok for what, one in answers.items()} == {
        what: what != flipped for what in HEARTBEAT.values()
    }
    for one in answers.values():
        assert one.evidence
        backed(one)


@pytest.mark.parametrize(
    ("resource", "group", "question"),
    [
        ("pods", "", "Is any pod in CrashLoopBackOff?"),
        ("nodes", "metrics.k8s.io", "Is memory utilization above 85% on any node?"),
        ("pods", "", "which pods are failing?"),
    ],
)
def test_a_check_that_could_not_look_is_neither_yes_nor_no(
    tmp_path, monkeypatch, resource, group, question
):
    objects = [namespace("production"), pod("a"), *node("node-1", used=0.2)]
    denied = frozenset({(group, resource)})
    with lab(objects, tmp_path, monkeypatch, denied=denied) as found:
        answer = found.ask(question)
    assert (answer.ok, answer.status) == (None, "unknown")


def test_only_changes_within_the_window_are_told_in_order(tmp_path, monkeypatch):
    objects = [namespace("production"), deployment("api")]
    objects += [
        event(f"api.{minutes}", minutes, reason="ScalingReplicaSet", object_kind="Deployment",
              object_name="api", message=f"Scaled up replica set api-{minutes} from 0 to {minutes}")
        for minutes in (10, 29, 31)
    ]  # fmt: skip
    with lab(objects, tmp_path, monkeypatch) as found:
        answer = found.ask("what changed in production in the last 30 minutes?")
    rows = answer.data["rows"]
    assert [r["time"] for r in rows] == [ago(29), ago(10)]
    known = {item["id"] for item in answer.evidence}
    assert all(set(r["evidence"]) <= known and r["evidence"] for r in rows)
    assert answer.route == "estate.changes"


def test_two_kinds_of_machines_are_both_told(tmp_path, monkeypatch):
    objects = [
        *node("n1", used=0.5),
        *node("n2", used=0.7),
        *node("n3", used=0.6, type="r6g.2xlarge"),
    ]
    with lab(objects, tmp_path, monkeypatch) as found:
        answer = found.ask("what is the current instance type for prod-cluster?")
    (cluster,) = answer.data["clusters"]
    assert cluster["by_type"] == {"m5.xlarge": 2, "r6g.2xlarge": 1}
    assert (cluster["nodes"], cluster["memory_percent"]) == (3, 60.0)
    assert answer.answer == (
        "prod-cluster runs m5.xlarge (2) and r6g.2xlarge (1), 3 nodes, 60 % memory utilization."
    )
    backed(answer)


def test_a_deployment_is_told_with_what_it_ran_before(tmp_path, monkeypatch):
    image = "registry.example/checkout-api:v1.4.2"
    objects = [
        namespace("production"),
        deployment("checkout-api", replicas=3, ready=3, image=image),
        *[replica_set(f"checkout-api-{tag}", tag, age) for tag, age in (("v1.4.1", 900), ("v1.4.2", 8))],
    ]  # fmt: skip
    with lab(objects, tmp_path, monkeypatch) as found:
        answer = found.ask("what image is checkout-api running and how many replicas?")
    (row,) = answer.data["rows"]
    assert (row["replicas"], row["ready"], row["images"]) == (3, 3, [image])
    assert row["before"] == ["registry.example/checkout-api:v1.4.1"]
    backed(answer)


def replica_set(name: str, tag: str, age: float) -> dict[str, Any]:
    containers = [{"name": "main", "image": f"registry.example/checkout-api:{tag}"}]
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "checkout-api", "uid": "uid-of-checkout-api", "controller": True}  # fmt: skip
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": name,
            "namespace": "production",
            "creationTimestamp": ago(age),
            "ownerReferences": [owner],
        },
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"app": "checkout-api"}},
            "template": {
                "metadata": {"labels": {"app": "checkout-api"}},
                "spec": {"containers": containers},
            },
        },
    }


def test_reading_answers_only_reads(tmp_path, monkeypatch):
    with lab(production(broken=True), tmp_path, monkeypatch) as found:
        for question in (HEALTH, MEMORY, "which pods are failing?", "list deployments"):
            found.ask(question)
        methods = {
            (request.method, request.path.partition("?")[0]) for request in found.server.requests
        }
    reviews = {path for method, path in methods if method != "GET"}
    assert all(path.startswith(("/apis/authorization", "/apis/authentication")) for path in reviews)


@pytest.fixture
def crashing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    with lab(production(broken=True), tmp_path, monkeypatch) as found:
        yield found


def test_what_follows_is_about_what_came_before(crashing: Lab):
    first = crashing.ask(HEALTH, session="s1")
    second = crashing.ask("and its logs?", session="s1")
    other = crashing.ask("and its logs?", session="s2")
    assert first.ok is False
    assert second.route == "k8s.logs"
    assert second.routing["follows"] is True
    assert any("/pods/session-cache-0/log" in path for path in crashing.server.paths())
    assert other.status == "unknown"
    assert "session-cache" not in other.answer


def test_another_place_is_asked_the_same(tmp_path, monkeypatch):
    objects = [*production(broken=True), namespace("staging"), *service("web", "staging"), pod("web-1", "staging", app="web")]  # fmt: skip
    with lab(objects, tmp_path, monkeypatch) as found:
        first = found.ask(HEALTH, session="s")
        second = found.ask("what about staging?", session="s")
    assert (first.ok, second.ok, second.route) == (False, True, "k8s.services-healthy")
    assert "namespace staging" in second.answer
