"""A client's user is told what waits only where the policy says so, and decides only where it may."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mcp_types as types
import pytest
import trio
from mcp import Client
from mcp.shared.exceptions import MCPError

from infrascan import commands
from infrascan.mcp_server.server import server
from infrascan.mcp_server.workspace import Options, Workspace

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
ERAS = ["legacy", "2026-07-28"]
VECTOR = ["docker", "restart", "web"]
SECRET = "ghp_" + "a" * 36
YES = types.ElicitResult(action="accept", content={"approve": True})
ANSWERS = {
    "accepted with its box unticked": types.ElicitResult(
        action="accept", content={"approve": False}
    ),
    "accepted empty": types.ElicitResult(action="accept", content={}),
    "a word for a yes": types.ElicitResult(action="accept", content={"approve": "true"}),
    "declined": types.ElicitResult(action="decline"),
    "cancelled, with a yes": types.ElicitResult(action="cancel", content={"approve": True}),
}


def asked(
    home: Path, policy: str, era: str, reply: types.ElicitResult, *, able: bool = True
) -> tuple[types.CallToolResult, list[Any]]:
    """The answer to a proposal under a policy, and what the client's user was shown."""
    home.mkdir(parents=True, mode=0o700, exist_ok=True)
    if policy:
        (home / "policy.yaml").write_text(f"elicitation: {policy}\n")
        (home / "policy.yaml").chmod(0o600)
    shown: list[Any] = []

    async def user(context: Any, params: Any) -> types.ElicitResult:
        shown.append(params)
        return reply

    async def talk() -> types.CallToolResult:
        space = Workspace(home, Options())
        with trio.fail_after(30):
            async with (
                space.running(),
                Client(
                    server(space), mode=era, elicitation_callback=user if able else None
                ) as client,
            ):
                given = {"command": VECTOR, "reason": f"it hangs; token={SECRET}"}
                return await client.call_tool("run_command", given)

    return trio.run(talk), shown


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("policy", ["", "off"])
def test_nobody_is_asked_where_the_policy_does_not_say_so(
    bare: Path, tools: Path, era: str, policy: str
):
    answer, shown = asked(bare, policy, era, YES)
    assert shown == []
    assert answer.structured_content["status"] == "pending_approval"
    assert not (tools / "ran").exists()


@pytest.mark.parametrize("era", ERAS)
def test_a_notice_says_what_waits_and_its_answer_decides_nothing(bare: Path, tools: Path, era: str):
    answer, (shown,) = asked(bare, "notify", era, YES)
    assert "docker restart web" in shown.message
    assert "NOT run" in shown.message
    assert shown.requested_schema["properties"] == {}
    assert SECRET not in shown.message
    told = answer.structured_content
    assert told["status"] == "pending_approval"
    assert f"infrascan approvals show {told['approval_id']}" in shown.message
    assert not (tools / "ran").exists()


@pytest.mark.parametrize("era", ERAS)
def test_a_yes_counts_where_the_operator_turned_that_on_and_runs_once(
    bare: Path, tools: Path, era: str
):
    answer, shown = asked(bare, "approve", era, YES)
    assert len(shown) == 1
    assert answer.structured_content["status"] == "executed", answer.content[0].text
    assert (tools / "ran").read_text().splitlines() == [f"{tools}/docker restart web"]
    assert "NOT executed" not in answer.content[0].text


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("reply", ANSWERS)
def test_what_is_no_yes_leaves_it_to_the_terminal(bare: Path, tools: Path, era: str, reply: str):
    try:
        answer, _ = asked(bare, "approve", era, ANSWERS[reply])
        assert answer.is_error or answer.structured_content["status"] == "pending_approval"
    except Exception as error:  # noqa: BLE001 - the SDK may refuse a reply that is no form's
        assert "approve" in str(error) or isinstance(error, ExceptionGroup)
    assert not (tools / "ran").exists()


@pytest.mark.parametrize("era", ERAS)
def test_a_client_that_cannot_ask_is_answered_as_ever(bare: Path, tools: Path, era: str):
    answer, _ = asked(bare, "approve", era, YES, able=False)
    assert answer.structured_content["status"] == "pending_approval"
    assert not (tools / "ran").exists()


def test_a_reply_that_nobody_asked_for_counts_for_nothing(bare: Path, tools: Path):
    """The first call may not bring its own yes, nor one with a state that it made up."""
    bare.mkdir(parents=True, mode=0o700)
    (bare / "policy.yaml").write_text("elicitation: approve\n")
    (bare / "policy.yaml").chmod(0o600)
    found = commands.propose(bare, VECTOR, "it hangs again", commands.Requester(client="x"))

    refused: list[int] = []

    async def talk() -> None:
        space = Workspace(bare, Options())
        async with space.running(), Client(server(space), mode="2026-07-28") as client:
            for state in (None, found.id, "made up"):
                params = types.CallToolRequestParams(
                    name="run_command",
                    arguments={"command": VECTOR, "reason": "it hangs again"},
                    input_responses={"approve": YES},
                    request_state=state,
                )
                try:
                    await client.session.send_request(
                        types.CallToolRequest(params=params), types.CallToolResult
                    )
                except MCPError as error:
                    refused.append(error.error.code)

    trio.run(talk)
    assert refused == [types.INVALID_PARAMS] * 2  # the states that the server did not seal
    assert not (tools / "ran").exists()
