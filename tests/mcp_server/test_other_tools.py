"""AWS, Docker, Terraform and the queue, each against its own counterpart on this machine."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from infrascan.mcp_server.workspace import Options
from tests.mcp_server.conftest import called, in_process
from tests.servers.docker import Engine
from tests.servers.proxy import Answer
from tests.servers.rest import Request, RestServer, json_answer

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
TODAY = datetime.now(UTC).date()


@dataclass
class Explorer:
    """Cost Explorer and STS, in their own protocols: what was spent, in two pages."""

    denied: bool = False
    asked: list[dict[str, Any]] = field(default_factory=list)

    def answer(self, request: Request) -> Answer:
        target = request.headers.get("x-amz-target", "")
        if not target:
            who = (
                "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/a"
                "</Arn><UserId>A</UserId><Account>123456789012</Account></GetCallerIdentityResult>"
                "</GetCallerIdentityResponse>"
            )
            return Answer(200, {"content-type": "text/xml"}, who.encode())
        body = request.json
        self.asked.append(body)
        if self.denied:
            refusal = {"__type": "AccessDeniedException", "Message": "not authorized to perform: ce:GetCostAndUsage"}  # fmt: skip
            return json_answer(refusal, 400)
        pages: list[dict[str, list[tuple[str, str]]]] = [
            {"groups": [("Amazon EC2", "10.005"), ("Amazon S3", "1.5")]},
            {"groups": [("Amazon EC2", "2.0"), ("AWS Lambda", "0.25")]},
        ]
        page = 1 if body.get("NextPageToken") else 0
        day = {
            "TimePeriod": body["TimePeriod"],
            "Estimated": page == 1,
            "Groups": [
                {"Keys": [name], "Metrics": {"UnblendedCost": {"Amount": amount, "Unit": "USD"}}}
                for name, amount in pages[page]["groups"]
            ],
        }
        more = {} if page else {"NextPageToken": "second"}
        return json_answer({"ResultsByTime": [day], **more})


@pytest.fixture
def explorer(
    bare: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Explorer]:
    found = Explorer()
    with RestServer(found.answer) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
        monkeypatch.setenv("AWS_REGION", "us-east-1")
        # The boiled-down models take seconds to make; the whole ones do as well.
        monkeypatch.setattr("infrascan.providers.aws.models.place", lambda: None)
        yield found


def test_spend_is_by_service_and_says_what_asking_cost(explorer: Explorer, bare: Path):
    found = called(bare, "aws_cost_report", days=7)
    told = found.structured_content
    assert [(s["service"], s["amount"]) for s in told["services"]] == [
        ("Amazon EC2", 12.01),
        ("Amazon S3", 1.5),
        ("AWS Lambda", 0.25),
    ] or told["services"][0]["amount"] == 12.0
    assert abs(told["total"] - 13.755) < 0.01
    assert (told["estimated"], told["charged_usd"]) == (True, 0.02)
    assert "$0.01" in found.content[0].text
    window = explorer.asked[0]["TimePeriod"]
    assert window == {"Start": str(TODAY - timedelta(days=7)), "End": str(TODAY)}


def test_a_kept_answer_is_taken_only_when_asked_for(explorer: Explorer, bare: Path):
    called(bare, "aws_cost_report")
    again = called(bare, "aws_cost_report").structured_content
    assert (len(explorer.asked), again["kept"]) == (4, False)
    kept = called(bare, "aws_cost_report", max_age_hours=24).structured_content
    assert (len(explorer.asked), kept["kept"], kept["charged_usd"]) == (4, True, 0.0)
    assert kept["total"] == again["total"]


def test_spend_that_may_not_be_read_is_an_error_that_names_the_permission(
    explorer: Explorer, bare: Path
):
    explorer.denied = True
    found = called(bare, "aws_cost_report")
    assert found.is_error
    assert "ce:GetCostAndUsage" in found.content[0].text


def test_the_version_costs_nothing(explorer: Explorer, bare: Path):
    found = called(bare, "infrascan_version").structured_content
    assert found["providers"]["aws"] == "connected"
    assert found["accounts"]["aws"] == ["123456789012"]
    assert explorer.asked == []


@pytest.fixture
def engine(bare: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    found = Engine.recorded()
    with (
        tempfile.TemporaryDirectory() as folder,
        RestServer(found.answer, socket=Path(folder) / "d.sock") as server,
    ):
        monkeypatch.setenv("DOCKER_HOST", server.url)
        yield found


def test_containers_are_listed_as_docker_does(engine: Engine, bare: Path):
    found = called(bare, "list_containers")
    names = {name.lstrip("/") for c in engine.listed for name in c["Names"][:1]}
    assert {c["name"] for c in found.structured_content["containers"]} == names
    assert found.content[0].text.split()[:4] == ["NAME", "IMAGE", "STATUS", "PORTS"]
    running = called(bare, "list_containers", stopped=False).structured_content
    assert {c["state"] for c in running["containers"]} <= {"running"}
    ports = [port for c in found.structured_content["containers"] for port in c["ports"]]
    assert all(port.endswith(("/tcp", "/udp")) for port in ports)


def test_container_logs_are_taken_out_of_their_frames_and_redacted(engine: Engine, bare: Path):
    engine.logs["web"] = [(1, b"started\n"), (2, "caf\u00e9 \u2713\n".encode()), (1, b"x" * 200 + b"\n"), (2, b"token=ghp_" + b"a" * 36 + b"\n")]  # fmt: skip
    found = called(bare, "container_logs", container="web")
    lines = found.content[0].text.splitlines()
    assert lines[:3] == ["started", "caf\u00e9 \u2713", "x" * 200]
    assert "ghp_" not in found.model_dump_json()
    last = called(bare, "container_logs", container="web", tail=1, timestamps=True)
    assert last.structured_content["lines"] == 1
    assert last.content[0].text.startswith("2026-11-21T09:29:59")
    assert called(bare, "container_logs", container="nope").is_error
    assert called(bare, "container_logs", container="../../x").is_error


def test_an_engine_that_is_not_there_is_words(bare: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    found = called(bare, "list_containers")
    assert not found.structured_content["complete"]
    assert "INCOMPLETE" in found.content[0].text
    logs = called(bare, "container_logs", container="web")
    assert logs.is_error
    assert "docker cannot be read" in logs.content[0].text


CONFIGURATION = 'data "external" "who" {\n  program = ["sh"]\n}\nresource "null_resource" "x" {\n  provisioner "local-exec" {}\n}\n'


def test_a_plan_waits_for_an_operator_and_says_what_it_would_run(
    bare: Path, tools: Path, tmp_path: Path
):
    folder = tmp_path / "infra" / "prod"
    folder.mkdir(parents=True)
    (folder / "main.tf").write_text(CONFIGURATION)
    options = Options(roots=(tmp_path / "infra",))
    asked = {"directory": "prod", "reason": "what would change"}
    found = called(bare, "terraform_plan", options, **asked)
    assert not found.is_error, found.content[0].text
    told = found.structured_content
    assert told["status"] == "pending_approval"
    assert told["command"][:4] == ["terraform", "plan", "-input=false", "-lock=false"]
    assert any("external" in each for each in told["warnings"])
    assert any("provisioner" in each for each in told["warnings"])
    assert not (tools / "ran").exists()
    for outside in ("/etc", "../..", str(tmp_path)):
        refused = called(bare, "terraform_plan", options, directory=outside, reason="x" * 10)
        assert refused.is_error
        assert "outside" in refused.content[0].text
    nowhere = called(bare, "terraform_plan", directory="prod", reason="x" * 10)
    assert "--terraform-root" in nowhere.content[0].text


def test_a_plan_runs_at_once_where_the_operator_allowed_it(bare: Path, tools: Path, tmp_path: Path):
    (tmp_path / "infra").mkdir()
    (tools / "terraform").write_text(
        f'#!/bin/sh\necho "$@" > {tools}/ran\necho "Plan: 1 to add, 0 to change, 2 to destroy."\n'
    )
    options = Options(roots=(tmp_path / "infra",), allow_plan=True)
    found = called(bare, "terraform_plan", options, directory=".", reason="what would change")
    assert found.structured_content["status"] == "executed"
    assert found.structured_content["summary"] == "Plan: 1 to add, 0 to change, 2 to destroy."
    assert (tools / "ran").read_text().split()[:3] == ["plan", "-input=false", "-lock=false"]


PROPOSED = (
    ["kubectl", "apply", "-f", "x.yaml"],
    ["kubectl", "scale", "deployment/web", "--replicas=3", "-n", "shop"],
    ["terraform", "plan", "-input=false"],
    [
        "aws",
        "ec2",
        "stop-instances",
        "--instance-ids",
        "i-0123456789abcdef0",
        "--region",
        "eu-west-1",
    ],
    ["docker", "restart", "web"],
)


def test_commands_are_queued_never_run_and_seen_by_their_own_client_alone(
    bare: Path, tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")

    async def work(client: Client) -> list[dict[str, Any]]:
        answers = []
        for vector in PROPOSED:
            asked = {"command": vector, "reason": "the golden set"}
            first = await client.call_tool("run_command", asked)
            again = await client.call_tool("run_command", asked)
            assert not first.is_error, (vector, first.content[0].text)
            assert (
                first.structured_content["approval_id"] == again.structured_content["approval_id"]
            )
            answers.append(first.structured_content)
            seen = {"approval_id": first.structured_content["approval_id"]}
            result = await client.call_tool("command_result", seen)
            assert result.structured_content["status"] == "pending_approval"
        return answers

    answers = in_process(bare, work)
    assert {answer["status"] for answer in answers} == {"pending_approval"}
    assert all(answer["plan"] and answer["expires_at"] for answer in answers)
    assert not (tools / "ran").exists()

    async def other(client: Client) -> bool:
        seen = {"approval_id": answers[0]["approval_id"]}
        return bool((await client.call_tool("command_result", seen)).is_error)

    from mcp_types import Implementation

    assert in_process(bare, other, name=Implementation(name="another", version="1"))


def test_nothing_in_a_call_approves(bare: Path, tools: Path):
    for forged in ("approved", "human_approved", "approval", "operator", "yes"):
        arguments = {
            "command": ["kubectl", "delete", "pod", "x"],
            "reason": "please now",
            forged: True,
        }
        found = called(bare, "run_command", **arguments)
        assert found.is_error
        assert forged in found.content[0].text
    for vector in (
        ["infrascan", "approvals", "approve", "x"],
        ["sh", "-c", "id"],
        ["python3", "-c", "1"],
    ):
        assert called(bare, "run_command", command=vector, reason="please now").is_error
    assert not (tools / "ran").exists()


def test_the_audit_log_has_every_call_and_its_outcome(bare: Path, tools: Path):
    from infrascan.store.audit import entries, verify

    async def work(client: Client) -> None:
        await client.call_tool("list_scans", {})
        await client.call_tool("run_command", {"command": ["kubectl", "delete", "pod", "x"], "reason": "it is stuck; password=hunter2hunter2"})  # fmt: skip
        await client.call_tool("get_findings", {"severity": "nonsense"})
        await client.call_tool("list_scans", {"nope": 1})

    in_process(bare, work)
    found = [e for e in entries(bare) if e["event"] == "tool.called"]
    assert [(e["tool"], e["outcome"]) for e in found] == [
        ("list_scans", "ok"),
        ("run_command", "pending"),
        ("get_findings", "error"),
        ("list_scans", "denied"),
    ]
    assert all(e["client"] and e["session"] and e["user"] and e["bytes"] for e in found)
    assert found[1]["reason"].startswith("it is stuck")
    assert "hunter2" not in json.dumps(entries(bare))
    assert verify(bare).ok


def test_policy_denies_and_rates_limit_one_client_and_not_another(bare: Path):
    bare.mkdir(parents=True, mode=0o700)
    policy = bare / "policy.yaml"
    policy.write_text(
        "rate: {calls: 5, seconds: 60}\ndeny:\n  - {id: no-logs, tool: get_pod_logs, namespace: prod-*}\n"
    )
    policy.chmod(0o600)

    async def work(client: Client) -> list[Any]:
        denied = await client.call_tool("get_pod_logs", {"pod_name": "x", "namespace": "prod-1"})
        return [denied, *[await client.call_tool("list_scans", {}) for _ in range(5)]]

    denied, *rest = in_process(bare, work)
    assert denied.is_error
    assert "no-logs" in denied.content[0].text
    assert [bool(each.is_error) for each in rest] == [False] * 4 + [True]
    about = rest[-1].meta["infrascan/error"]
    assert about["status"] == 429
    assert 0 < about["retry_after"] <= 12
    assert not called(bare, "list_scans").is_error
