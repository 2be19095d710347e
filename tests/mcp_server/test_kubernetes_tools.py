"""The Kubernetes tools against an API server on loopback."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
from mcp import Client

from tests.mcp_server.conftest import called, in_process
from tests.servers.kubernetes import ApiServer, Fault, User, objects_of

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

LONG = "a-name-that-is-longer-than-forty-characters-5d8f7c9b6d-x2v1p"
PODS = f"""
apiVersion: v1
kind: Namespace
metadata: {{name: default}}
---
apiVersion: v1
kind: Namespace
metadata: {{name: jobs}}
---
apiVersion: v1
kind: Pod
metadata: {{name: nginx-7c4b9c6f5-x2v1p, namespace: default}}
spec: {{nodeName: node-1, containers: [{{name: nginx, image: "nginx:1.27"}}]}}
status:
  phase: Running
  containerStatuses: [{{name: nginx, ready: true, restartCount: 2, state: {{running: {{}}}}}}]
---
apiVersion: v1
kind: Pod
metadata: {{name: {LONG}, namespace: default}}
spec: {{nodeName: node-2, containers: [{{name: a, image: "a:1"}}, {{name: b, image: "b:1"}}, {{name: c, image: "c:1"}}]}}
status:
  phase: Running
  containerStatuses:
    - {{name: a, ready: true, restartCount: 1, state: {{running: {{}}}}}}
    - {{name: b, ready: true, restartCount: 3, state: {{running: {{}}}}}}
    - {{name: c, ready: false, restartCount: 5, state: {{waiting: {{reason: CrashLoopBackOff}}}}, lastState: {{terminated: {{exitCode: 1, reason: Error}}}}}}
---
apiVersion: v1
kind: Pod
metadata: {{name: broken-app-6b7d9f-abcde, namespace: default}}
spec: {{nodeName: node-3, containers: [{{name: app, image: busybox, env: [{{name: DB_PASSWORD, value: c4n4ry}}]}}]}}
status:
  phase: Running
  containerStatuses:
    - {{name: app, ready: false, restartCount: 14, state: {{waiting: {{reason: CrashLoopBackOff, message: back-off}}}}, lastState: {{terminated: {{exitCode: 0, reason: Completed}}}}}}
---
apiVersion: v1
kind: Pod
metadata: {{name: pending, namespace: default}}
spec: {{containers: [{{name: x, image: x}}]}}
status: {{phase: Pending, containerStatuses: null}}
---
apiVersion: v1
kind: Pod
metadata: {{name: done, namespace: jobs}}
spec: {{containers: [{{name: x, image: x}}]}}
status:
  phase: Succeeded
  containerStatuses: [{{name: x, restartCount: 0, state: {{terminated: {{exitCode: 0, reason: Completed}}}}}}]
---
apiVersion: v1
kind: Pod
metadata: {{name: oom, namespace: jobs}}
spec: {{containers: [{{name: x, image: x}}]}}
status:
  phase: Failed
  containerStatuses: [{{name: x, restartCount: 0, state: {{terminated: {{exitCode: 137, reason: OOMKilled}}}}}}]
---
apiVersion: v1
kind: Event
metadata: {{name: e1, namespace: default}}
involvedObject: {{kind: Pod, name: broken-app-6b7d9f-abcde, namespace: default}}
type: Warning
reason: BackOff
message: "Back-off restarting failed container; token=abcdefgh12345678"
count: 40
lastTimestamp: "2026-11-21T09:29:00Z"
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: broken-app, namespace: default}}
spec: {{replicas: 2, template: {{spec: {{containers: [{{name: app, image: busybox}}]}}}}}}
status: {{replicas: 2, readyReplicas: 0, updatedReplicas: 2}}
"""


@pytest.fixture
def api(bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    with ApiServer(objects_of(PODS)) as found:
        monkeypatch.setenv("KUBECONFIG", str(found.kubeconfig(tmp_path / "config", "prod-cluster")))
        found.logs["default", "nginx-7c4b9c6f5-x2v1p", "nginx"] = "".join(
            f"line {n}\n" for n in range(300)
        )
        found.logs["default", "broken-app-6b7d9f-abcde", "app"] = "password=hunter2hunter2\n"
        yield found


def log_queries(api: ApiServer) -> list[str]:
    return [path.partition("?")[2] for path in api.paths() if "/log?" in path]


def test_logs_are_the_last_lines_and_name_no_container_unless_one_is_given(
    api: ApiServer, bare: Path
):
    found = called(bare, "get_pod_logs", pod_name="nginx-7c4b9c6f5-x2v1p", tail_lines=50)
    assert not found.is_error
    assert found.structured_content["lines"] == 50
    assert found.content[0].text.startswith("line 250\n")
    assert found.content[0].text.endswith("line 299\n")
    (query,) = log_queries(api)
    assert "tailLines=50" in query
    assert "container" not in query
    assert {request.method for request in api.requests} <= {"GET", "POST"}
    asked = {r.path for r in api.requests if r.method == "POST"}
    assert asked <= {"/apis/authentication.k8s.io/v1/selfsubjectreviews"}  # who we are


@pytest.mark.parametrize(("asked", "sent"), [(0, 1), (-5, 1), (10**9, 2000), (100, 100)])
def test_a_number_of_lines_is_kept_within_bounds(api: ApiServer, bare: Path, asked: int, sent: int):
    called(bare, "get_pod_logs", pod_name="nginx-7c4b9c6f5-x2v1p", tail_lines=asked)
    assert f"tailLines={sent}&" in log_queries(api)[0] + "&"


def test_a_container_that_is_given_is_asked_for(api: ApiServer, bare: Path):
    called(bare, "get_pod_logs", pod_name="nginx-7c4b9c6f5-x2v1p", container="nginx")
    assert "container=nginx" in log_queries(api)[0]


def test_of_several_containers_the_error_names_each(api: ApiServer, bare: Path):
    found = called(bare, "get_pod_logs", pod_name=LONG)
    assert found.is_error
    assert "a, b, c" in found.content[0].text


def test_what_a_program_wrote_is_redacted(api: ApiServer, bare: Path):
    found = called(bare, "get_pod_logs", pod_name="broken-app-6b7d9f-abcde")
    assert "hunter2" not in found.model_dump_json()
    assert "[redacted:password]" in found.content[0].text


def test_the_run_before_a_crash_can_be_read(api: ApiServer, bare: Path):
    api.logs["default", "broken-app-6b7d9f-abcde", "app", "previous"] = "panic: no config\n"
    found = called(bare, "get_pod_logs", pod_name="broken-app-6b7d9f-abcde", previous=True)
    assert found.content[0].text == "panic: no config\n"


def test_refusals_say_status_reason_and_what_to_do(api: ApiServer, bare: Path):
    missing = called(bare, "get_pod_logs", pod_name="nope")
    assert missing.is_error
    assert missing.content[0].text.startswith("Kubernetes API error: 404: Not Found")
    assert "list_pods" in missing.content[0].text
    api.everybody = User("viewer", denied=frozenset({("", "pods/log")}))
    denied = called(bare, "get_pod_logs", pod_name="nginx-7c4b9c6f5-x2v1p")
    assert denied.is_error
    assert denied.content[0].text.startswith("Kubernetes API error: 403: Forbidden")
    assert "pods/log" in denied.content[0].text


def test_a_reset_is_words_and_the_server_answers_on(api: ApiServer, bare: Path):
    api.faults.append(Fault(r"/log\?", "reset"))

    async def work(client: Client) -> tuple[bool, str, bool]:
        broken = await client.call_tool("get_pod_logs", {"pod_name": "nginx-7c4b9c6f5-x2v1p"})
        fine = await client.call_tool("list_pods", {})
        return bool(broken.is_error), broken.content[0].text, bool(fine.is_error)

    error, text, after = in_process(bare, work)
    assert (error, after) == (True, False)
    assert "cannot be read" in text
    assert "Traceback" not in text


def test_the_table_of_pods_is_aligned_and_sums_restarts(api: ApiServer, bare: Path):
    text = called(bare, "list_pods").content[0].text
    head, *rows = text.splitlines()
    assert head.split() == ["POD", "STATUS", "RESTARTS"]
    column = head.index("RESTARTS")
    restarts = {row.split()[0]: int(row[column:]) for row in rows}
    assert restarts == {
        LONG: 9,
        "nginx-7c4b9c6f5-x2v1p": 2,
        "broken-app-6b7d9f-abcde": 14,
        "pending": 0,
    }
    assert {row[head.index("STATUS") - 1] for row in rows} == {" "}


def test_only_failing_pods_are_failing_even_where_the_phase_says_running(
    api: ApiServer, bare: Path
):
    found = called(bare, "get_failing_pods")
    failing = {(p["name"], p["status"]) for p in found.structured_content["pods"]}
    assert failing == {
        (LONG, "CrashLoopBackOff"),
        ("broken-app-6b7d9f-abcde", "CrashLoopBackOff"),
        ("oom", "OOMKilled"),
    }
    assert found.structured_content["complete"]
    none = called(bare, "get_failing_pods", namespace="kube-system")
    assert none.structured_content["pods"] == []
    assert "None of 0 pods is failing." in none.content[0].text


def test_what_was_not_read_is_never_none(api: ApiServer, bare: Path):
    api.everybody = User("nobody", denied=frozenset({("", "pods")}))
    found = called(bare, "get_failing_pods")
    assert not found.structured_content["complete"]
    assert "INCOMPLETE" in found.content[0].text
    assert "None of" not in found.content[0].text
    assert found.structured_content["gaps"][0]["permission"]


def test_status_names_node_age_and_readiness(api: ApiServer, bare: Path):
    found = called(bare, "get_pod_status", pod_name="nginx")
    (row,) = found.structured_content["pods"]
    assert (row["status"], row["ready"], row["restarts"], row["node"]) == (
        "Running",
        "1/1",
        2,
        "node-1",
    )
    every = called(bare, "get_pod_status", namespace="*")
    assert every.structured_content["total"] == 6
    assert {row["node"] for row in every.structured_content["pods"]} >= {
        "node-1",
        "node-2",
        "node-3",
    }
    wrong = called(bare, "get_pod_status", pod_name="nope")
    assert wrong.is_error


def test_a_description_has_containers_events_and_no_secrets(api: ApiServer, bare: Path):
    found = called(bare, "describe_pod", pod_name="broken-app")
    told = found.structured_content
    assert told["pod"]["name"] == "broken-app-6b7d9f-abcde"
    assert told["containers"][0]["last"] == "terminated: Completed (0)"
    assert told["events"][0]["count"] == 40
    assert {"path": "status.containerStatuses[0].restartCount", "value": 14} in [
        {"path": e["path"], "value": e["value"]} for e in told["evidence"]
    ]
    assert "c4n4ry" not in found.model_dump_json()
    assert "abcdefgh12345678" not in found.model_dump_json()


def test_deployments_show_images_and_what_is_not_ready_first(api: ApiServer, bare: Path):
    (row,) = called(bare, "list_deployments").structured_content["deployments"]
    assert (row["name"], row["ready"], row["desired"], row["healthy"]) == (
        "broken-app",
        0,
        2,
        False,
    )
    assert row["images"] == ["busybox"]


def test_a_restart_is_proposed_with_the_cause_it_will_not_mend(
    api: ApiServer, bare: Path, tools: Path
):
    found = called(
        bare, "restart_deployment", deployment="broken-app", reason="14 restarts in an hour"
    )
    assert not found.is_error, found.content[0].text
    assert found.structured_content["status"] == "pending_approval"
    assert "will not fix the root cause" in found.content[0].text
    assert "nothing long-running" in found.content[0].text
    assert not (tools / "ran").exists()
    assert {r.method for r in api.requests if "selfsubject" not in r.path} == {"GET"}


def test_clusters_are_listed_with_those_that_do_not_answer(
    api: ApiServer, bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from tests.servers.kubernetes import unused_port

    gone = tmp_path / "gone"
    text = (tmp_path / "config").read_text().replace("prod-cluster", "gone")
    gone.write_text(re.sub(r"127\.0\.0\.1:\d+", f"127.0.0.1:{unused_port()}", text))
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'config'}:{gone}")
    found = called(bare, "list_clusters").structured_content
    assert [c["name"] for c in found["clusters"]] == ["prod-cluster"]
    assert list(found["unreachable"]) == ["gone"]
    assert not found["complete"]


def test_ten_at_once_take_as_long_as_one(api: ApiServer, bare: Path):
    from tests.servers import kubernetes_http

    async def work(client: Client) -> float:
        await client.call_tool("list_pods", {})
        kubernetes_http.LATENCY = 0.5
        began = time.monotonic()
        try:
            async with trio.open_nursery() as nursery:
                for _ in range(10):
                    nursery.start_soon(
                        client.call_tool, "get_pod_logs", {"pod_name": "nginx-7c4b9c6f5-x2v1p"}
                    )
            return time.monotonic() - began
        finally:
            kubernetes_http.LATENCY = 0.0

    assert in_process(bare, work) < 2.0


def test_the_kubeconfig_is_read_once_and_again_when_it_changes(
    api: ApiServer, bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from infrascan.providers.kubernetes import contexts

    opened: list[Path] = []
    real = contexts.loaded
    monkeypatch.setattr(contexts, "loaded", lambda path: opened.append(path) or real(path))

    async def work(client: Client) -> tuple[int, int]:
        for _ in range(20):
            await client.call_tool("list_pods", {})
        before = len(opened)
        api.kubeconfig(tmp_path / "config", "renamed")
        pods = await client.call_tool("list_pods", {})
        return before, int(pods.structured_content["pods"][0]["cluster"] == "renamed")

    before, renamed = in_process(bare, work)
    assert before <= 3  # once for the contexts, once for the client of the one in use
    assert renamed


def test_the_resource_of_a_log_is_the_log(api: ApiServer, bare: Path):
    async def work(client: Client) -> str:
        address = "infrascan://logs/-/default/broken-app-6b7d9f-abcde"
        return (await client.read_resource(address)).contents[0].text

    assert in_process(bare, work) == "password=[redacted:password]\n"


def test_a_silent_cluster_is_a_timeout_within_three_seconds_and_harms_no_other(
    api: ApiServer, bare: Path
):
    api.faults.append(Fault(r"/version", "hang"))
    began = time.monotonic()
    found = called(bare, "infrascan_version").structured_content
    assert time.monotonic() - began < 6  # three, and what a busy machine adds
    assert found["providers"]["kubernetes"] == "error: timeout"
    assert found["providers"]["aws"] == "not configured"
    assert len(found["providers"]) == 10
    api.faults.clear()
    fine = called(bare, "infrascan_version").structured_content
    assert fine["providers"]["kubernetes"] == "connected (prod-cluster)"
