"""`infrascan watch` as it is run: a cluster that falls ill and recovers, signals, and mistakes."""

from __future__ import annotations

import json
import signal
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import CLEAN, COVERAGE, USAGE, Command, ended
from tests.servers.kubernetes import ApiServer
from tests.servers.webhook import Receiver

LABELS = {"app": "redis-cache"}
SINCE = "2026-11-21T09:12:00Z"
HEARTBEAT = """\
- [ ] Are all services in the shop namespace healthy?
- [ ] Is any pod in CrashLoopBackOff?
- [ ] Is memory utilization above 85% on any node?
"""


def cluster(*, ill: bool) -> list[dict[str, Any]]:
    """A Service with one pod, which runs, or crashes again and again; and a node."""
    state: dict[str, Any] = {"running": {"startedAt": "2026-11-21T08:00:00Z"}}
    if ill:
        state = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s"}}
    ready: dict[str, Any] = {"type": "Ready", "status": "True", "lastTransitionTime": SINCE}
    if ill:
        ready |= {"status": "False", "reason": "ContainersNotReady"}
    container = {"name": "redis", "image": "redis:8.2.1", "ready": not ill, "restartCount": 9 * ill}
    owner = {"kind": "StatefulSet", "name": "redis-cache", "controller": True, "uid": "1",
             "apiVersion": "apps/v1"}  # fmt: skip
    place = {"name": "redis-cache-0", "namespace": "shop", "labels": LABELS}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**place, "ownerReferences": [owner]},
        "spec": {"containers": [{"name": "redis", "image": "redis:8.2.1"}], "nodeName": "one"},
        "status": {
            "phase": "Running",
            "conditions": [ready],
            "containerStatuses": [{**container, "state": state}],
        },
    }
    place = {"name": "redis-cache", "namespace": "shop"}
    slices = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": "redis-cache-x",
            "namespace": "shop",
            "labels": {"kubernetes.io/service-name": "redis-cache"},
        },
        "addressType": "IPv4",
        "endpoints": [
            {
                "addresses": ["10.0.0.9"],
                "conditions": {"ready": not ill},
                "targetRef": {"kind": "Pod", "name": "redis-cache-0", "namespace": "shop"},
            }
        ],
        "ports": [{"port": 6379}],
    }
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}},
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": "one"},
            "status": {
                "allocatable": {"memory": "8Gi", "cpu": "4"},
                "capacity": {"memory": "8Gi", "cpu": "4"},
                "conditions": [{"type": "Ready", "status": "True"}],
            },
        },
        pod,
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": place,
            "spec": {"selector": LABELS, "ports": [{"port": 6379}]},
        },
        slices,
    ]


@pytest.fixture
def told(infrascan: Command, k8s: Callable[..., ApiServer]) -> Any:
    """Runs one look at the cluster in some state; gives what the webhook then got."""
    server = k8s()

    def look(receiver: Receiver, *more: object, ill: bool) -> list[Any]:
        for one in cluster(ill=ill):
            server.add(one)
        before = len(receiver.posts)
        done = infrascan(
            *("watch", "--once", "--providers", "k8s", "--notify", "webhook:env:HOOK", *more),
            env={"HOOK": receiver.url},
        )
        assert done.code == CLEAN, done.err
        return [post.body for post in receiver.posts[before:]]

    return look


def test_a_service_that_degrades_is_told_once_with_its_pod_and_so_is_its_recovery(told: Any):
    with Receiver() as receiver:
        (baseline,) = told(receiver, ill=False)
        (alert,) = told(receiver, ill=True)
        persistent = told(receiver, ill=True)
        (recovery,) = told(receiver, ill=False)

    assert (baseline["kind"], baseline["transitions"], persistent) == ("baseline", [], [])
    crashed = [t for t in alert["transitions"] if t["rule"] == "k8s.pod.crash-looping"]
    (one,) = crashed
    assert (one["turn"], one["severity"]) == ("new", "high")
    assert one["degraded"] == {
        "pod": "redis-cache-0",
        "namespace": "shop",
        "cluster": "lab",
        "reason": "CrashLoopBackOff",
        "since": SINCE,
        "services": "redis-cache",
    }
    assert {fact["value"] for fact in one["evidence"]} >= {"CrashLoopBackOff"}
    assert {(t["rule"], t["turn"]) for t in recovery["transitions"]} >= {
        ("k8s.pod.crash-looping", "fixed")
    }
    assert recovery["transitions"][0]["since"] == alert["at"]


def test_what_may_help_is_proposed_and_not_run(told: Any, infrascan: Command):
    marker = infrascan.folder / "it-ran"
    tools = infrascan.folder / "tools"
    tools.mkdir()
    kubectl = tools / "kubectl"
    kubectl.write_text(f"#!/bin/sh\ntouch {marker}\n")
    kubectl.chmod(0o755)
    infrascan.environment["PATH"] = f"{tools}:/usr/bin:/bin"
    with Receiver() as receiver:
        told(receiver, "--propose", ill=False)
        (alert,) = told(receiver, "--propose", ill=True)
        assert told(receiver, "--propose", ill=True) == []

    (one,) = [t for t in alert["transitions"] if t.get("rule") == "k8s.pod.crash-looping"]
    proposal = one["closer"]["proposal"]
    assert one["closer"]["verdict"]
    assert proposal["status"] == "pending_approval"
    assert proposal["vector"] == [
        *("kubectl", "--context", "lab", "-n", "shop"),
        *("rollout", "restart", "statefulset/redis-cache"),
    ]
    waiting = infrascan("approvals", "list").out
    assert proposal["approval_id"] in waiting
    assert not marker.exists()


def test_each_check_of_a_heartbeat_turns_with_what_it_asks(told: Any, infrascan: Command):
    checks = infrascan.folder / "HEARTBEAT.md"
    checks.write_text(HEARTBEAT)

    def turns(body: Any) -> dict[str, str]:
        return {t["id"]: t["turn"] for t in body["transitions"] if t["subject"] == "check"}

    with Receiver() as receiver:
        told(receiver, "--checks", checks, ill=False)
        (alert,) = told(receiver, "--checks", checks, ill=True)
        assert told(receiver, "--checks", checks, ill=True) == []
        (recovery,) = told(receiver, "--checks", checks, ill=False)

    services, crashing, _ = (line[6:] for line in HEARTBEAT.splitlines())
    assert turns(alert) == {services: "new", crashing: "new"}
    assert turns(recovery) == {services: "recovered", crashing: "recovered"}
    about = next(t for t in alert["transitions"] if t["id"] == services)
    assert about["degraded"]["pod"] == "redis-cache-0"
    assert about["degraded"]["namespace"] == "shop"
    assert about["degraded"]["reason"] == "CrashLoopBackOff"
    assert about["degraded"]["since"]
    assert about["evidence"]


def test_a_cluster_that_is_gone_is_a_transition_and_no_recovery(told: Any, infrascan: Command):
    with Receiver() as receiver:
        told(receiver, ill=True)
        config = infrascan.folder / "kubeconfig"
        whole = config.read_text()
        config.write_text(whole.replace("127.0.0.1:", "127.0.0.1:1", 1))
        words = ("watch", "--once", "--providers", "k8s", "--notify", "webhook:env:HOOK")
        done = infrascan(*words, env={"HOOK": receiver.url})
        again = infrascan(*words, env={"HOOK": receiver.url})
        config.write_text(whole)
        (back,) = told(receiver, ill=True)

    assert (done.code, again.code) == (COVERAGE, COVERAGE)
    failed = receiver.posts[1].body
    assert [t["turn"] for t in failed["transitions"]] == ["failed"]
    assert failed["transitions"][0]["subject"] == "provider"
    assert failed["standing"]["unknown"] > 0
    assert [t["turn"] for t in back["transitions"]] == ["recovered"]
    assert len(receiver.posts) == 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_watch_at_once(infrascan: Command, number: signal.Signals):
    with infrascan.start("watch", "--demo", "--json-logs", "--json") as process:
        assert process.stderr is not None
        assert json.loads(process.stderr.readline())["event"] == "run"
        sent = time.monotonic()
        process.send_signal(number)
        done = ended(process)

    assert time.monotonic() - sent < 5
    assert done.code == CLEAN
    (body,) = map(json.loads, done.out.splitlines())
    assert (body["format"], body["kind"]) == ("infrascan.watch/1", "baseline")
    assert body["usage"] == {"model_calls": 0, "usd": 0}


def test_the_same_is_watched_by_one_process_at_a_time(infrascan: Command):
    with infrascan.start("watch", "--demo", "--json-logs", "--json") as process:
        assert process.stderr is not None
        process.stderr.readline()
        second = infrascan("watch", "--demo", "--once")
        process.send_signal(signal.SIGTERM)
        ended(process)

    assert second.code == USAGE
    assert "watched by another infrascan watch" in second.complaint


def test_the_first_look_at_the_demo_tells_what_stands_and_the_second_is_silent(infrascan: Command):
    first, second = (infrascan("watch", "--demo", "--once") for _ in range(2))

    assert (first.code, second.code, second.out, second.err) == (CLEAN, CLEAN, "", "")
    assert "baseline: " in first.out.splitlines()[0]
    assert " critical" in first.out
    (state,) = (infrascan.kept / "state").glob("watch.sqlite")
    assert stat.S_IMODE(state.stat().st_mode) == 0o600


def test_without_credentials_the_watch_says_so_and_goes_on(infrascan: Command, tmp_path: Path):
    file = tmp_path / "news.jsonl"
    done = infrascan("watch", "--once", "--notify", f"file:{file}")

    (body,) = map(json.loads, file.read_text().splitlines())
    assert done.code == COVERAGE
    assert [t["turn"] for t in body["transitions"]] == ["failed"]
    assert "no provider has credentials here" in body["transitions"][0]["detail"]


WRONG = {
    "watch --every 5": "not a time such as 30m",
    "watch --every 1s": "not between",
    "watch --notify webhook:ftp://example.com/SECRETSECRET": "--notify takes",
    "watch --notify slack:env:NO_SUCH": "NO_SUCH is not set",
    "watch --quiet-hours tonight": "are not like",
    "watch --loud critical": "give --quiet-hours too",
    "watch --once --runs 3": "give one of them",
    "watch --demo --region eu-west-1": "leave out --region",
    "watch --checks none.yaml": "No such file",
    "watch --runs x": "not a number of runs",
    "watch --keep 1": "neither 0 nor at least 2",
}


@pytest.mark.parametrize("words", WRONG)
def test_a_wrong_word_is_one_line_that_says_what_is_right(infrascan: Command, words: str):
    done = infrascan(*words.split())

    assert (done.code, done.out) == (USAGE, "")
    assert WRONG[words] in done.complaint
    assert "SECRETSECRET" not in done.err
