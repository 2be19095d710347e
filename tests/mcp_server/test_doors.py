"""Who may come in, from where, with what; and that each door gives the same answer."""

from __future__ import annotations

import importlib.metadata
import json
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

from infrascan.mcp_server.workspace import Options
from tests.mcp_server.conftest import Served, called, ended, environment, free_port, started
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
