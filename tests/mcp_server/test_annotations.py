"""What a tool says of itself is true: one that reads makes reads alone, one that writes waits.

Held against what the other end was asked, and against the grammar that classes commands.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trio
from mcp import Client

from infrascan.commands.grammar import parse
from infrascan.commands.nouns import Effect
from infrascan.mcp_server.server import server
from infrascan.mcp_server.workspace import Options, Workspace
from tests.commands.corpus import MUTATING, READS, vectors
from tests.mcp_server.conftest import called, in_process
from tests.mcp_server.test_kubernetes_tools import PODS
from tests.mcp_server.test_other_tools import Explorer
from tests.servers.docker import Engine
from tests.servers.kubernetes import ApiServer, objects_of
from tests.servers.rest import RestServer

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
REASON = "the deployment crashes"

# Arguments under which each tool does what it can do. A tool that is missing here fails the test.
K8S: dict[str, dict[str, Any]] = {
    "describe_pod": {"pod_name": "pending"},
    "get_failing_pods": {},
    "get_pod_logs": {"pod_name": "nginx-7c4b9c6f5-x2v1p"},
    "get_pod_status": {},
    "list_clusters": {},
    "list_deployments": {},
    "list_pods": {},
}
AWS: dict[str, dict[str, Any]] = {"aws_cost_report": {}}
DOCKER: dict[str, dict[str, Any]] = {"container_logs": {"container": "web"}, "list_containers": {}}
WRITES: dict[str, dict[str, Any]] = {
    "restart_container": {"container": "web", "reason": REASON},
    "restart_deployment": {"deployment": "web", "reason": REASON},
    "run_command": {"command": ["kubectl", "get", "pods"], "reason": REASON},
    "terraform_plan": {"directory": ".", "reason": REASON},
}
# Held elsewhere: AWS's lists by their tables (every operation is Describe, Get or List), what reads
# the store alone, kubectl and helm below.
ELSEWHERE = {"list_cloudwatch_alarms", "list_ec2_instances", "list_s3_buckets", "kubectl", "helm"}
STORED = {
    *("cancel_job", "command_result", "deep_research", "diff_scans", "explain_finding"),
    *("get_findings", "get_job", "get_paths", "infrascan_version", "list_scans"),
    *("query_inventory", "route_question", "terraform_state", "why"),
}
# What watches an estate is asked through queries; tests of its own hold them to reads.
PLANES = {"list_alerts", "list_incidents", "query_prometheus", "search_logs", "search_traces"}


def commands(text: str, *tools: str) -> list[list[str]]:
    return [words for words in vectors(text) if words[0] in tools]


@pytest.fixture
def api(bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    with ApiServer(objects_of(PODS)) as found:
        monkeypatch.setenv("KUBECONFIG", str(found.kubeconfig(tmp_path / "config", "prod")))
        found.logs["default", "nginx-7c4b9c6f5-x2v1p", "nginx"] = "a line\n"
        yield found


def all_called(home: Path, calls: dict[str, dict[str, Any]], options: Options | None = None) -> Any:
    async def work(client: Client) -> dict[str, Any]:
        return {name: await client.call_tool(name, given) for name, given in calls.items()}

    return in_process(home, work, options)


def test_every_tool_is_held_to_its_annotations_here_or_above(tmp_path: Path):
    tools = trio.run(server(Workspace(tmp_path, Options())).list_tools)
    reading = {t.name for t in tools if t.annotations and t.annotations.read_only_hint}
    writing = {t.name for t in tools if t.annotations and t.annotations.destructive_hint}
    known = {*K8S, *AWS, *DOCKER} | ELSEWHERE | STORED
    assert reading - PLANES == known - {"cancel_job"}
    assert writing == WRITES.keys()
    assert {t.name for t in tools} == reading | writing | {"cancel_job"}


def test_tools_that_read_a_cluster_make_reads_alone(api: ApiServer, bare: Path):
    for name, answer in all_called(bare, K8S).items():
        assert not answer.is_error, (name, answer.content[0].text)
    asked = {(r.method, r.path) for r in api.requests}
    # Asking what one may do is a POST that the API calls a review; it changes nothing.
    assert {p for m, p in asked if m != "GET"} <= {
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
        "/apis/authentication.k8s.io/v1/selfsubjectreviews",
    }
    assert any("/log?" in path for _, path in asked)


def test_tools_that_read_an_engine_make_reads_alone(bare: Path, monkeypatch: pytest.MonkeyPatch):
    engine = Engine.recorded()
    engine.logs["web"] = [(1, b"a line\n")]
    with (
        tempfile.TemporaryDirectory() as folder,
        RestServer(engine.answer, socket=Path(folder) / "d.sock") as docker,
    ):
        monkeypatch.setenv("DOCKER_HOST", docker.url)
        for name, answer in all_called(bare, DOCKER).items():
            assert not answer.is_error, (name, answer.content[0].text)
    assert docker.requests
    assert {request.seen.method for request in docker.requests} <= {"GET", "HEAD"}


def test_the_cost_report_asks_for_an_identity_and_for_costs_alone(
    bare: Path, monkeypatch: pytest.MonkeyPatch
):
    explorer = Explorer()
    with RestServer(explorer.answer) as aws:
        for name, value in (
            ("AWS_ENDPOINT_URL", aws.url),
            ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "none"),
            ("AWS_REGION", "us-east-1"),
        ):
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("infrascan.providers.aws.models.place", lambda: None)
        assert not all_called(bare, AWS)["aws_cost_report"].is_error
    told = {r.headers.get("x-amz-target", "sts").rpartition(".")[2] for r in aws.requests}
    assert told == {"sts", "GetCostAndUsage"}


def test_every_operation_of_aws_is_a_read():
    from infrascan.pipeline import all_kinds

    kinds = [kind for name, kind in all_kinds().items() if name.startswith("aws.")]
    names = {call.rpartition(".")[2] for kind in kinds for call in kind.calls.values()}
    assert len(names) > 100
    odd = {n for n in names if not n.startswith(("Describe", "Get", "List", "BatchGet", "Search"))}
    assert odd <= {"LookupEvents"}


def test_tools_that_write_wait_for_an_operator_and_run_nothing(
    api: ApiServer, bare: Path, tools: Path, tmp_path: Path
):
    (tmp_path / "infra").mkdir()
    options = Options(roots=(tmp_path / "infra",))
    answers = all_called(bare, WRITES, options)
    for name, answer in answers.items():
        if name == "run_command":  # of a read: there is nothing to decide, so it is queued too
            assert answer.is_error or answer.structured_content["status"] == "pending_approval"
            continue
        assert answer.structured_content["status"] == "pending_approval", name
        vector = answer.structured_content["command"]
        assert parse(vector).effect is not Effect.READ or name == "terraform_plan"
    assert not (tools / "ran").exists()
    assert {r.method for r in api.requests} <= {"GET", "POST"}
    assert not [r for r in api.requests if r.method == "POST" and "review" not in r.path]


def test_kubectl_and_helm_run_what_the_grammar_calls_a_read_and_nothing_else(
    bare: Path, tools: Path
):
    """Each command of the corpus, against programs that leave a mark when they are run."""
    bare.mkdir(parents=True, mode=0o700)
    (bare / "policy.yaml").write_text("rate: {calls: 100000, seconds: 60}\n")
    (bare / "policy.yaml").chmod(0o600)
    wrong: list[str] = []
    counted = {True: 0, False: 0}

    async def work(client: Client) -> None:
        for vector in [*commands(MUTATING, "kubectl", "helm"), *commands(READS, "kubectl", "helm")]:
            mark = tools / "ran"
            mark.unlink(missing_ok=True)
            found = await client.call_tool(vector[0], {"arguments": vector[1:]})
            parsed = parse(vector, pinned=True)
            read = parsed.effect is Effect.READ and not parsed.refused and not parsed.files
            counted[read] += 1
            if mark.exists() != read or bool(found.is_error) == read:
                wrong.append(" ".join(vector))

    in_process(bare, work)
    assert wrong == []
    assert counted[True] > 20
    assert counted[False] > 40


def test_what_a_read_printed_comes_back_cleaned_cut_and_with_its_exit_code(bare: Path, tools: Path):
    secret = "ghp_" + "a" * 36
    (tools / "helm").write_text(
        f"#!/bin/sh\necho \"$@\"\necho token={secret}\nprintf 'a\\342\\200\\256b\\n'\n"
        "head -c 90000 /dev/zero | tr '\\0' x\necho nope >&2\nexit 3\n"
    )
    found = called(bare, "helm", arguments=["list", "-A"])
    told = found.structured_content
    assert told["output"].startswith("list -A\n")
    assert (told["exit_code"], told["truncated"]) == (3, True)
    assert "nope" in told["errors"]
    assert secret not in json.dumps(told)
    assert "\u202e" not in found.content[0].text
    assert "(exit code 3)" in found.content[0].text


@pytest.mark.skipif(not Path("/usr/bin/kubectl").exists(), reason="needs kubectl")
def test_the_real_kubectl_lists_pods_through_the_tool(api: ApiServer, bare: Path):
    assert shutil.which("kubectl")
    found = called(bare, "kubectl", arguments=["get", "pods", "-n", "default", "-o", "name"])
    assert found.structured_content["exit_code"] == 0, found.content[0].text
    assert "pod/pending" in found.structured_content["output"].splitlines()
    refused = called(bare, "kubectl", arguments=["delete", "pod", "pending", "-n", "default"])
    assert refused.is_error
    assert {r.method for r in api.requests} == {"GET"}
