"""The gate as a client without any model meets it: JSON-RPC in plain posts to a real server."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from infrascan.commands import queue
from infrascan.commands.grammar import TOOLS
from infrascan.store import audit
from tests.commands.conftest import Machine
from tests.commands.corpus import MUTATING, READS, SECRETS, vectors
from tests.mcp_server.conftest import Served, started

HEADERS = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
WHY = "the service leaks memory"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    machine = Machine(tmp_path_factory.mktemp("gate"))
    for name in ("home", "work", "bin"):
        (machine.root / name).mkdir()
    for name in (*TOOLS, "infrascan"):
        machine.tool(name, f"echo {name} ran")
    machine.context("staging")
    machine.policy("rate: {calls: 100000, seconds: 1}\n")
    return machine


@pytest.fixture(scope="module")
def served(place: Machine) -> Iterator[Served]:
    home = place.root / "home"
    more = {"PATH": f"{place.root / 'bin'}:/usr/bin:/bin", "INFRASCAN_HOME": str(place.home)}
    server = started(home, more=more)
    try:
        yield server
    finally:
        server.process.terminate()
        server.process.wait(30)


def call(client: httpx.Client, url: str, tool: str, arguments: dict[str, Any], id: int = 1) -> Any:
    """The result of one tools/call, sent as it stands, without a handshake."""
    body = {
        "jsonrpc": "2.0", "id": id, "method": "tools/call",
        "params": {"name": tool, "arguments": arguments},
    }  # fmt: skip
    answer = client.post(url, content=json.dumps(body), headers=HEADERS, timeout=60)
    return answer.json().get("result") or answer.json()


def test_five_hundred_commands_through_mcp_run_nothing(served, place):
    draw = random.Random(7)
    known = vectors(MUTATING) + vectors(READS) + vectors(SECRETS)
    jobs = []
    for number in range(500):
        vector = list(known[number % len(known)])
        if number % 3 == 0:
            vector.insert(
                draw.randrange(len(vector) + 1),
                draw.choice(["--yes", "; id", "$(id)", "--approved=true"]),
            )
        jobs.append((number, vector))

    with httpx.Client() as client, ThreadPoolExecutor(8) as pool:

        def propose(job):
            number, vector = job
            return call(
                client, served.url, "run_command", {"command": vector, "reason": WHY}, number
            )

        answers = list(pool.map(propose, jobs))

    said = [(answer.get("structuredContent") or {}).get("status") for answer in answers]
    assert [] == place.runs
    assert said.count("pending_approval") > 100
    assert all(status == "pending_approval" or answer.get("isError") or "error" in answer
               for status, answer in zip(said, answers, strict=True))  # fmt: skip
    assert {"pending_approval"} == {one.status for one in queue.proposals(place.home)}
    assert audit.verify(place.home).ok


@pytest.mark.parametrize(
    "forged",
    [{"approved": True}, {"human_approved": True}, {"approve": "yes"}, {"status": "approved"}, {"force": True},
     {"hash": "0" * 64}, {"operator": "root"}, {"approval_id": "x"}, {"confirm": True}],
)  # fmt: skip
def test_an_approval_that_a_client_makes_up_is_refused(served, place, forged):
    vector = ["kubectl", "delete", "pod", "web"]
    with httpx.Client() as client:
        answer = call(
            client, served.url, "run_command", {"command": vector, "reason": WHY, **forged}
        )

    assert answer.get("isError") or "error" in answer
    assert [] == place.runs


def test_no_tool_approves(served):
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    with httpx.Client() as client:
        tools = client.post(served.url, content=json.dumps(body), headers=HEADERS).json()["result"][
            "tools"
        ]

    names = {tool["name"] for tool in tools}
    assert "run_command" in names
    assert not [name for name in names if "approve" in name or "deny" in name or "confirm" in name]
    for tool in tools:
        properties = tool["inputSchema"].get("properties", {})
        assert not [name for name in properties if "approv" in name and name != "approval_id"], (
            tool["name"]
        )


def test_the_same_call_again_is_the_same_proposal_and_a_result_is_told_by_id(served, place):
    arguments = {"command": ["docker", "restart", "web"], "reason": WHY}
    with httpx.Client() as client:
        first = call(client, served.url, "run_command", arguments)["structuredContent"]
        again = call(client, served.url, "run_command", arguments)["structuredContent"]
        found = call(client, served.url, "command_result", {"approval_id": first["approval_id"]})

    assert "pending_approval" == first["status"] == found["structuredContent"]["status"]
    assert first["approval_id"] == again["approval_id"]
    assert first["expires_at"]
    assert [] == place.runs


def test_infrascan_itself_is_no_command(served, place):
    for vector in (
        ["infrascan", "approvals", "approve", "x"],
        ["sh", "-c", "infrascan"],
        ["env", "infrascan"],
    ):
        with httpx.Client() as client:
            answer = call(client, served.url, "run_command", {"command": vector, "reason": WHY})
        assert answer.get("isError") or "error" in answer
    assert [] == place.runs
