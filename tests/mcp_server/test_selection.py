"""Descriptions are what agents choose by: they are kept apart, kept good, and kept as committed."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import trio

from infrascan.mcp_server.server import server
from infrascan.mcp_server.workspace import Options, Workspace
from tests.mcp_server.selection import PROMPTS, Ranking

SNAPSHOT = Path(__file__).with_name("tools.json")
ALL = [(tool, prompt) for tool, prompts in PROMPTS.items() for prompt in prompts]
ENOUGH = 0.95


@cache
def descriptions() -> dict[str, str]:
    tools = trio.run(server(Workspace(Path("/nowhere"))).list_tools)
    return {tool.name: tool.description or "" for tool in tools}


def misses(told: dict[str, str]) -> list[str]:
    ranking = Ranking(told)
    return [
        f"{prompt!r}: {ranking.top(prompt)}, not {tool}"
        for tool, prompt in ALL
        if ranking.top(prompt) != tool
    ]


def test_the_right_tool_comes_first_for_19_of_20_prompts():
    assert set(PROMPTS) == set(descriptions())
    assert len(ALL) >= 100
    missed = misses(descriptions())
    assert len(missed) <= (1 - ENOUGH) * len(ALL), "\n".join(missed)


def test_a_vague_description_fails_the_gate():
    vague = {**descriptions(), "get_failing_pods": "Get pods"}
    assert len(misses(vague)) > (1 - ENOUGH) * len(ALL)


def test_no_two_descriptions_are_alike():
    ranking = Ranking(descriptions())
    names = sorted(descriptions())
    alike = [
        (one, other, round(ranking.similarity(one, other), 2))
        for i, one in enumerate(names)
        for other in names[i + 1 :]
        if ranking.similarity(one, other) >= 0.6
    ]
    assert [] == alike


def test_tools_are_as_committed():
    """`infrascan mcp schema > tests/mcp_server/tools.json` accepts a change, for all to see."""
    done = subprocess.run(
        [sys.executable, "-m", "infrascan", "mcp", "schema"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert SNAPSHOT.read_text(encoding="utf-8") == done.stdout


def test_every_tool_has_what_a_client_needs():
    for tool in json.loads(SNAPSHOT.read_text(encoding="utf-8")):
        assert tool["inputSchema"]["additionalProperties"] is False, tool["name"]
        assert tool["outputSchema"]["type"] == "object", tool["name"]
        assert tool["_meta"]["category"], tool["name"]
        assert 40 <= len(tool["description"]) <= 600, tool["name"]
        hints = tool["annotations"]
        assert isinstance(hints["readOnlyHint"], bool)
        assert isinstance(hints["idempotentHint"], bool)
        assert not (hints["readOnlyHint"] and hints["destructiveHint"])


def test_the_four_groups_of_the_clouds_are_there():
    tools = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
    assert {"k8s", "aws", "docker", "terraform"} <= {tool["_meta"]["category"] for tool in tools}
    assert len(tools) >= 14


def test_toolsets_and_read_only_limit_what_is_listed():
    def names(options: Options) -> set[str]:
        tools = trio.run(server(Workspace(Path("/nowhere"), options)).list_tools)
        return {tool.name for tool in tools}

    some = names(Options(toolsets=frozenset({"aws", "k8s"})))
    assert {"list_ec2_instances", "get_pod_logs"} <= some
    assert not some & {"list_containers", "terraform_state", "run_command", "route_question"}
    reading = names(Options(read_only=True))
    assert not reading & {
        "run_command",
        "restart_deployment",
        "restart_container",
        "terraform_plan",
    }
    assert "get_findings" in reading
    aliases = names(Options(compat="clanker"))
    assert {"clanker_version", "clanker_route_question", "clanker_run_command"} <= aliases
    assert not {name for name in names(Options()) if name.startswith("clanker")}
