"""Who may come in, from where, with what; and that each door gives the same answer."""

from __future__ import annotations

import importlib.metadata
import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trio
from mcp import Client
from mcp_types import Implementation

from infrascan.cli import main
from infrascan.cli.parser import parser
from infrascan.mcp_server.workspace import Options
from tests.mcp_server.conftest import (
    Served,
    called,
    ended,
    environment,
    free_port,
    in_process,
    started,
)
from tests.mcp_server.test_other_tools import Explorer
from tests.servers.kubernetes import ApiServer
from tests.servers.rest import RestServer

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
QUESTION = "What instance type is prod-cluster using?"
ANSWER = "prod-cluster runs r6g.2xlarge, 3 nodes, 62 % memory utilization."
# A client with the standard library alone, which tells every address that it connected to.
BARE = """
import json, os, sys, urllib.request
reached = []
sys.addaudithook(lambda event, given: reached.append(given[1]) if event == "socket.connect" else None)
call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": "route_question", "arguments": {"question": sys.argv[2]}}}
request = urllib.request.Request(sys.argv[1], json.dumps(call).encode(), {"Content-Type": "application/json"})
answer = json.load(urllib.request.urlopen(request, timeout=60))["result"]
print(json.dumps({"answer": answer, "reached": reached, "variables": sorted(os.environ)}))
"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    server = started(tmp_path_factory.mktemp("demo"), "--demo")
    yield server
    ended(server)


def alone(served: Served, folder: Path) -> dict[str, Any]:
    """What a client process without home and credentials is told, and whom it spoke to."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", BARE, served.url, QUESTION],
        cwd=folder,
        env={},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_client_without_home_or_credentials_is_answered_and_speaks_to_the_server_alone(
    demo: Served, tmp_path: Path
):
    first, again = alone(demo, tmp_path), alone(demo, tmp_path)
    assert not {name for name in first["variables"] if name not in {"LC_CTYPE", "PWD"}}
    assert first["answer"]["structuredContent"]["answer"] == ANSWER
    assert first["reached"] == [["127.0.0.1", demo.port]]
    assert first["answer"]["content"][-1]["text"].startswith("MOCK: ")
    # The server lives on between its clients, and knows what was asked before.
    assert demo.process.poll() is None
    assert again["answer"]["structuredContent"]["changes"] == []
    hashes = {one["answer"]["structuredContent"]["state_hash"] for one in (first, again)}
    assert len(hashes) == 1


def test_no_other_address_of_this_machine_leads_to_it(demo: Served):
    with socket.create_connection(("127.0.0.1", demo.port), 2):
        pass
    for other in ("127.0.0.2", "127.255.255.254"):  # what a server on every address would answer
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((other, demo.port), 2)


def test_without_an_address_it_is_the_one_of_the_documents_and_loopback():
    assert parser().parse_args(["mcp", "--transport", "http"]).listen == "127.0.0.1:39393"


def test_a_workspace_that_is_down_is_known_at_once():
    port = free_port()

    async def call() -> None:
        async with Client(f"http://127.0.0.1:{port}/mcp") as client:
            await client.call_tool("infrascan_version", {})

    began = time.monotonic()
    with pytest.raises(BaseException) as raised:
        trio.run(call)
    assert time.monotonic() - began < 1
    found: BaseException = raised.value
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    assert f"connect to 127.0.0.1:{port} failed" in str(found)


def test_a_server_that_cannot_start_ends_with_a_line_and_not_in_silence(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-m", "infrascan", "mcp", "--transport", "stdio", "--toolsets", "awz"],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert "awz" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_version_is_what_the_documents_show(bare: Path, monkeypatch: pytest.MonkeyPatch):
    with RestServer(Explorer().answer) as aws, ApiServer([]) as cluster:
        for name, value in (
            ("AWS_ENDPOINT_URL", aws.url),
            ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "none"),
            ("AWS_REGION", "us-east-1"),
            ("KUBECONFIG", str(cluster.kubeconfig(bare.parent / "config", "prod-cluster"))),
        ):
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("infrascan.providers.aws.models.place", lambda: None)
        found = called(bare, "infrascan_version").structured_content
        alias = called(bare, "clanker_version", Options(compat="clanker")).structured_content
    assert found["version"] == importlib.metadata.version("infrascan")
    providers = found["providers"]
    assert {name: providers[name] for name in ("aws", "kubernetes", "gcp")} == {
        "aws": "connected",
        "kubernetes": "connected (prod-cluster)",
        "gcp": "not configured",
    }
    assert len(providers) == 10
    assert alias == found


def test_of_a_real_estate_nothing_is_called_a_mock(bare: Path):
    answer = called(bare, "list_scans")
    assert "MOCK" not in answer.model_dump_json()
    assert "MOCK" in called(bare, "list_scans", Options(demo=True)).content[-1].text


def test_the_command_line_and_the_tool_give_the_same_answer(bare: Path, tmp_path: Path):
    options = Options(demo=True)
    done = subprocess.run(
        [sys.executable, "-m", "infrascan", "ask", "--demo", "--json", QUESTION],
        env=environment(tmp_path / "other"),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    said = json.loads(done.stdout)
    tool = called(bare, "route_question", options, question=QUESTION).structured_content
    left_out = tool.pop("evidence_left_out")
    assert len(said["evidence"]) == len(tool["evidence"]) + left_out
    said["evidence"] = said["evidence"][: len(tool["evidence"])]
    assert said == tool
    alias = called(
        bare, "clanker_route_question", Options(demo=True, compat="clanker"), question=QUESTION
    )
    assert alias.structured_content["answer"] == said["answer"] == ANSWER


def test_older_names_are_aliases_of_the_three_tools(bare: Path):
    old = called(
        bare,
        "clanker_run_command",
        Options(compat="clanker"),
        command=["kubectl", "scale", "deployment/api", "--replicas=2"],
        reason="traffic has doubled",
    )
    assert old.structured_content["status"] == "pending_approval"


def test_an_operator_sees_which_agent_proposes_what_and_why(
    bare: Path, tools: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    for agent, replicas, reason in (
        ("claude-code", 4, "latency has doubled"),
        ("hermes", 1, "nobody calls it at night"),
    ):
        vector = ["kubectl", "scale", "deployment/api", f"--replicas={replicas}", "-n", "shop"]
        asked = {"command": vector, "reason": reason}

        async def work(client: Client, asked: dict[str, Any] = asked) -> Any:
            return await client.call_tool("run_command", asked)

        said = in_process(bare, work, name=Implementation(name=agent, version="1"))
        assert said.structured_content["status"] == "pending_approval"
    with pytest.raises(SystemExit) as ended:
        main(["approvals", "list"])
    assert ended.value.code == 0
    later, its, first, other = capsys.readouterr().out.splitlines()  # the latest first
    assert later.endswith("--replicas=1 -n shop")
    assert its.strip().startswith("hermes/1, ")
    assert its.endswith(": nobody calls it at night")
    assert first.endswith("--replicas=4 -n shop")
    assert other.strip().startswith("claude-code/1, ")
    assert other.endswith(": latency has doubled")
    assert not (tools / "ran").exists()


def test_a_state_is_counted_by_type_and_its_outputs_stay_hidden(
    bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = tmp_path / "infra"
    folder.mkdir()
    recorded = Path(__file__).parents[2] / "fixtures" / "terraform" / "shop.tfstate"
    shutil.copy(recorded, folder / "terraform.tfstate")
    monkeypatch.chdir(folder)
    found = called(bare, "terraform_state")
    assert not found.is_error, found.content[0].text
    (state,) = found.structured_content["states"]
    assert (state["serial"], state["terraform_version"], state["resources"]) == (15, "1.11.4", 13)
    assert state["by_type"]["aws_s3_bucket"] == 2
    assert sum(state["by_type"].values()) == 13  # what is only looked up is not managed
    assert state["tainted"] == 1
    assert state["outputs"] == ["bucket", "deploy_access_key_id"]
    assert state["sensitive_outputs"] == ["db_password"]
    said = found.model_dump_json()
    for value in ("canary-db-password", "AKIARZPUZDIKGC5ZUI5Z", "acme-shop-assets"):
        assert value not in said
    assert "sensitive outputs, hidden: db_password" in found.content[0].text
