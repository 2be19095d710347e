"""`infrascan why` and `infrascan timeline`, against a cluster on loopback and the demo estate."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import CLEAN, USAGE, Command
from tests.servers.kubernetes import ApiServer, Fault

APPS = "apps/v1"
NAME, SPACE = "checkout-api", "shop"
DEMO = Path(__file__).parents[2] / "fixtures" / "estates" / "acme" / "manifest.json"


def ago(minutes: float) -> str:
    return (datetime.now(UTC) - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def made(api: str, kind: str, name: str, **body: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": SPACE, **body.pop("metadata", {})}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **body}


def template(version: str) -> dict[str, Any]:
    container = {"name": NAME, "image": f"r.example/{NAME}:{version}"}
    return {"metadata": {"labels": {"app": NAME}}, "spec": {"containers": [container]}}


def estate() -> list[dict[str, Any]]:
    """A rollout a quarter of an hour ago, and a pod that crashes since."""
    selector = {"matchLabels": {"app": NAME}}
    objects = [
        made("v1", "Namespace", SPACE, metadata={"namespace": ""}),
        made(APPS, "Deployment", NAME, spec={"replicas": 1, "selector": selector,
             "template": template("v2")}, metadata={"creationTimestamp": ago(9999)}),
    ]  # fmt: skip
    for revision, version, when in (("1", "v1", 9999), ("2", "v2", 15)):
        objects.append(
            made(
                APPS, "ReplicaSet", f"{NAME}-{version}",
                metadata={
                    "creationTimestamp": ago(when),
                    "annotations": {"deployment.kubernetes.io/revision": revision},
                    "ownerReferences": [{"apiVersion": APPS, "kind": "Deployment", "name": NAME,
                                         "uid": "u", "controller": True}],
                },
                spec={"replicas": 1, "selector": selector, "template": template(version)},
            )
        )  # fmt: skip
    waiting = {"reason": "CrashLoopBackOff"}
    ended = {"exitCode": 1, "reason": "Error", "finishedAt": ago(1)}
    objects.append(
        made(
            "v1", "Pod", f"{NAME}-v2-a", spec=template("v2")["spec"],
            metadata={
                "labels": {"app": NAME}, "creationTimestamp": ago(15),
                "ownerReferences": [{"apiVersion": APPS, "kind": "ReplicaSet", "name": f"{NAME}-v2",
                                     "uid": "u", "controller": True}],
            },
            status={
                "phase": "Running",
                "conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": ago(14)}],
                "containerStatuses": [{"name": NAME, "restartCount": 7, "ready": False,
                                       "state": {"waiting": waiting},
                                       "lastState": {"terminated": ended}}],
            },
        )
    )  # fmt: skip
    objects.append(
        made("v1", "ConfigMap", "other", data={"a": "b"}, metadata={"creationTimestamp": ago(14.5)})
    )
    return [
        {**found, "metadata": {k: v for k, v in found["metadata"].items() if v}}
        for found in objects
    ]


@pytest.fixture
def cluster(infrascan: Command) -> Iterator[ApiServer]:
    with ApiServer(estate()) as server:
        path = server.kubeconfig(infrascan.folder / "kubeconfig")
        infrascan.environment["KUBECONFIG"] = str(path)
        yield server


def test_a_crash_is_led_to_the_rollout_before_it(infrascan: Command, cluster: ApiServer):
    done = infrascan("why", NAME, "--providers", "k8s", "--json", "-q")
    assert done.code == CLEAN
    data = done.json
    assert data["status"] == "likely"
    best = data["hypotheses"][0]
    assert best["change"]["resource"] == f"k8s.deployment/lab/global/{SPACE}/{NAME}"
    assert "v1" in best["change"]["before"]
    assert "v2" in best["change"]["after"]
    assert data["diagnoses"][0]["code"] == "exits-with-error"
    assert data["left_out"]["unrelated"] >= 1
    assert data["incident"]["suggested_rollback"]["vector"][-1] == "--to-revision=1"
    assert {method for method, _ in methods(cluster)} <= {"GET", "POST"}


def methods(server: ApiServer) -> list[tuple[str, str]]:
    return [(request.method, request.path) for request in server.requests]


def test_only_the_kinds_that_matter_are_read_and_nothing_is_stored(
    infrascan: Command, cluster: ApiServer
):
    infrascan("why", NAME, "--providers", "k8s", "-q")
    paths = [path.partition("?")[0] for path in cluster.paths()]
    assert any(path.endswith("/events") for path in paths)
    assert not any(path.endswith("/secrets") for path in paths)
    assert not any("webhookconfigurations" in path for path in paths)
    assert infrascan("scans", "--json").json == []


def test_the_timeline_of_the_last_half_hour(infrascan: Command, cluster: ApiServer):
    data = infrascan("timeline", "--providers", "k8s", "--json", "-q").json
    told = [(c["kind"], c["name"]) for c in data["changes"]]
    assert ("rollout", NAME) in told
    assert ("config", "other") in told
    times = [c["time"] for c in data["changes"]]
    assert times == sorted(times)
    assert all(c["evidence"] for c in data["changes"])
    about = infrascan("timeline", "--about", NAME, "--providers", "k8s", "--json", "-q").json
    assert ("config", "other") not in [(c["kind"], c["name"]) for c in about["changes"]]


def test_what_may_not_be_read_is_said_with_the_permission(infrascan: Command):
    faults = [Fault("/replicasets", "403"), Fault("/events", "403")]
    with ApiServer(estate(), faults=faults) as server:
        path = server.kubeconfig(infrascan.folder / "kubeconfig")
        infrascan.environment["KUBECONFIG"] = str(path)
        data = infrascan("why", NAME, "--providers", "k8s", "--json", "-q").json
    assert data["status"] == "inconclusive"
    closed = {entry["source"]: entry["closes"] for entry in data["not_read"]}
    assert "list replicasets" in closed["k8s.replica_set"]
    assert "list events" in closed["k8s.event"]
    assert data["needs"]


def test_a_way_back_is_proposed_and_not_run(infrascan: Command, cluster: ApiServer):
    marker = infrascan.folder / "ran"
    tools = infrascan.folder / "bin"
    tools.mkdir()
    fake = tools / "kubectl"
    fake.write_text(f'#!/bin/sh\ncase "$*" in *undo*) touch {marker};; esac\nexit 0\n')
    fake.chmod(0o755)
    infrascan.environment["PATH"] = f"{tools}:/usr/bin:/bin"
    done = infrascan("why", NAME, "--providers", "k8s", "--propose", "--json", "-q")
    assert done.code == CLEAN, done.err
    proposal = done.json["incident"]["proposal"]
    assert proposal["status"] == "pending_approval"
    assert proposal["vector"][-3:] == ["undo", f"deployment/{NAME}", "--to-revision=1"]
    assert "infrascan approvals show" in done.err
    waiting = infrascan("approvals", "list", "--json").json
    assert [one["approval_id"] for one in waiting] == [proposal["approval_id"]]
    assert not marker.exists()
    assert not [1 for method, _ in methods(cluster) if method in {"PUT", "PATCH", "DELETE"}]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("why", "nobody", "--demo"), "no resource is called"),
        (("why", "loyalty", "--demo", "--at", "soon"), "is no time"),
        (("why", "loyalty", "--demo", "--since", "never"), "is no length of time"),
        (("why", "loyalty", "--demo", "--scan", "latest"), "give one of them"),
        (("why", "loyalty", "--demo", "--context", "x"), "leave out --context"),
        (("timeline", "--demo", "--since", "x"), "is no time"),
    ],
)
def test_bad_input_is_one_line(infrascan: Command, arguments: tuple[str, ...], words: str):
    done = infrascan(*arguments, "-q")
    assert done.code == USAGE
    assert words in done.complaint


def test_a_stored_scan_is_explained_with_what_differs_from_the_one_before(
    infrascan: Command, cluster: ApiServer
):
    first = infrascan("run", "--providers", "k8s", "--format", "json", "-q")
    assert first.code == CLEAN, first.err
    cluster.add(made("v1", "ConfigMap", "new", data={"a": "b"}))
    infrascan("run", "--providers", "k8s", "--format", "json", "-q")
    data = infrascan("timeline", "--scan", "latest", "--since", "1d", "--json", "-q").json
    told = [c for c in data["changes"] if c["source"] == "diff"]
    assert any("ConfigMap" in c["what"] or "config_map" in c["what"] for c in told), told
    assert infrascan("why", NAME, "--scan", "latest", "--json", "-q").json["status"] == "likely"


@pytest.mark.skipif(
    "prod-cluster" not in DEMO.read_text(), reason="the demo is recorded without the incident"
)
def test_the_incident_of_the_demo(infrascan: Command):
    data = infrascan("why", "checkout-api", "--demo", "--json", "-q").json
    assert data["status"] == "likely"
    best = data["hypotheses"][0]
    assert best["sha"] == "a84f3e1c0d9b52e7f6a1480c3d2e9b7755c01f3a"
    assert "replicas 2 → 3" in best["change"]["what"]
    assert "v1.4.2" in best["change"]["after"]
    assert data["incident"]["deltas"][0]["delta"] == 1.658
    unwell = json.dumps(data["dependencies"])
    assert "session-cache" in unwell
    assert "2100.0" in unwell
    told = infrascan("timeline", "--since", "30m", "--demo", "--json", "-q").json["changes"]
    assert {"github.deployment", "k8s.replica_set", "k8s.pod", "k8s.config_map",
            "aws.cloudwatch.alarm", "aws.cloudtrail.event"} <= {c["source"] for c in told}  # fmt: skip


def broken(infrascan: Command) -> dict[str, str]:
    """The environment of somebody whose kubeconfig is none."""
    path = infrascan.folder / "kubeconfig"
    path.write_text("a: [b")
    return {"KUBECONFIG": str(path)}


def test_where_nothing_could_be_read_nothing_changed_is_not_said(infrascan: Command):
    env = broken(infrascan)
    told = infrascan("timeline", "--since", "30m", "--json", env=env)
    assert told.code == CLEAN
    unread = {source["source"]: source for source in told.json["not_read"]}
    assert "k8s.event" in unread
    assert "is not YAML" in unread["k8s.event"]["why"]
    assert "kubeconfig" in unread["k8s.event"]["closes"]
    assert "is not YAML" in infrascan("timeline", "--since", "30m", env=env).out


def test_what_may_be_in_what_was_not_read_is_not_said_to_be_nowhere(infrascan: Command):
    done = infrascan("why", "web", env=broken(infrascan))
    assert done.code == USAGE
    assert 'no resource is called "web"; not all was read, so it may be there' in done.complaint
    assert "is not YAML" in done.complaint
