"""Diagnoses: what a container's state alone says, and what it does not."""

from __future__ import annotations

from typing import Any

import pytest

from infrascan.model import Resource
from infrascan.reason.change import at
from infrascan.reason.diagnosis import Diagnosis, diagnoses


def pod(container: dict[str, Any], status: dict[str, Any], **more: Any) -> Resource:
    data = {
        "metadata": {"name": "broken-app", "namespace": "default"},
        "spec": {"containers": [{"name": "app", "image": "r/app:1", **container}]},
        "status": {"containerStatuses": [{"name": "app", "restartCount": 0, **status}]},
        **more,
    }
    return Resource(
        kind="k8s.pod", id="default/broken-app", name="broken-app", provider="k8s", account="c",
        data=data,
    )  # fmt: skip


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"state": {"waiting": {"reason": reason, "message": message}}}


def crashed(code: int, reason: str = "Error", restarts: int = 14) -> dict[str, Any]:
    ended = {"exitCode": code, "reason": reason, "finishedAt": "2026-11-20T05:58:00Z"}
    return {
        **waiting("CrashLoopBackOff"),
        "restartCount": restarts,
        "lastState": {"terminated": ended},
    }


def one(found: Resource, logs: str | None = None) -> Diagnosis:
    known = diagnoses([found], {found.key: logs} if logs is not None else None)
    assert len(known) == 1, known
    return known[0]


def test_busybox_without_a_command_exits_at_once_and_a_restart_will_not_help():
    found = pod({"image": "busybox"}, crashed(0, "Completed"))
    known = one(found, logs="")
    assert known.code == "exits-at-once"
    assert "container exits 0 immediately and logs nothing; no long-running command" in known.says
    assert "14 restarts" in known.says
    assert "a restart will not help" in known.advice
    assert not known.restart_helps
    cited = {e.path: e.value for e in known.evidence}
    assert cited["status.containerStatuses[0].lastState.terminated.exitCode"] == 0
    assert cited["status.containerStatuses[0].restartCount"] == 14
    assert cited["spec.containers[0].image"] == "busybox"


@pytest.mark.parametrize("image", ["busybox:1.36", "docker.io/library/alpine:3", "ubuntu@sha256:0"])
def test_other_images_that_hold_a_shell(image: str):
    assert "no long-running command" in one(pod({"image": image}, crashed(0))).says


@pytest.mark.parametrize(
    "container",
    [{"image": "busybox", "command": ["sleep", "1"]}, {"image": "r/busybox-like:1"}, {}],
)
def test_of_a_program_that_ends_by_itself_no_more_is_said(container: dict[str, Any]):
    known = one(pod(container, crashed(0)))
    assert known.code == "exits-at-once"
    assert "no long-running command" not in known.says


def test_logs_that_were_not_read_are_not_said_to_be_empty():
    assert "logs nothing" not in one(pod({"image": "busybox"}, crashed(0))).says
    assert "logs nothing" not in one(pod({"image": "busybox"}, crashed(0)), logs="hello\n").says


@pytest.mark.parametrize(
    ("container", "status", "code", "words"),
    [
        ({"resources": {"limits": {"memory": "128Mi"}}}, crashed(137, "OOMKilled"), "out-of-memory", '"128Mi"'),
        ({}, crashed(137, "OOMKilled"), "out-of-memory", "no limit of its own"),
        ({}, crashed(127), "command-not-run", "exit code 127"),
        ({"command": ["/no"]}, crashed(128, "StartError"), "command-not-run", "cannot be run"),
        ({}, crashed(1), "exits-with-error", "exit code 1"),
        ({}, crashed(139), "exits-with-error", "SIGSEGV"),
        ({"livenessProbe": {"httpGet": {}}}, crashed(137), "stopped", "SIGKILL"),
        ({}, waiting("ErrImagePull", "manifest unknown"), "image-not-found", "not in its registry"),
        ({}, waiting("ImagePullBackOff", "401 Unauthorized"), "image-refused", "refuses"),
        ({}, waiting("ImagePullBackOff", "toomanyrequests: slow"), "image-rate-limit", "limits"),
        ({}, waiting("ImagePullBackOff", "Back-off"), "image-not-pulled", "does not say why"),
        ({}, waiting("InvalidImageName", "bad"), "image-invalid", "no name of an image"),
        ({}, waiting("CreateContainerConfigError", 'configmap "app-config" not found'), "config-missing", '"app-config"'),
        ({}, waiting("CreateContainerConfigError", "couldn't find key PORT in ConfigMap shop/app"), "key-missing", '"PORT"'),
        ({}, waiting("CreateContainerConfigError", "odd"), "not-created", "could not be made"),
    ],
)  # fmt: skip
def test_each_state_has_its_diagnosis(
    container: dict[str, Any], status: dict[str, Any], code: str, words: str
):
    found = pod(container, status)
    known = one(found)
    assert known.code == code
    assert words in known.says
    assert known.evidence
    for fact in known.evidence:
        parts = fact.path.replace("]", "").replace("[", ".").split(".")
        steps = [int(part) if part.isdigit() else part for part in parts]
        assert at(found.data, steps) == fact.value


def test_a_pod_that_runs_has_none():
    assert diagnoses([pod({}, {"state": {"running": {}}, "ready": True})]) == []


def test_a_pod_of_which_little_was_read_is_no_fault():
    for data in ({}, {"status": {"containerStatuses": "x"}}, {"spec": None, "status": None}):
        found = pod({}, {})
        found.data = data
        assert diagnoses([found]) == []
