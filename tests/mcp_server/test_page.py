"""The page for agents says what the program prints, and its examples work."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from infrascan.mcp_server.clients import CLIENTS, Place, configuration
from infrascan.mcp_server.door import TOOLSETS
from tests.mcp_server.conftest import Served, environment

PAGE = Path(__file__).parents[2] / "scanner" / "infrascan" / "mcp_server" / "README.md"
TEXT = PAGE.read_text(encoding="utf-8")
HERE = Place(command="infrascan", arguments=("mcp", "--transport", "stdio"))
THERE = Place(url="https://ops.example:39393/mcp", token=True)


def blocks(language: str, text: str = TEXT) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@pytest.mark.parametrize("client", sorted(CLIENTS))
def test_the_block_of_a_client_is_what_is_printed_for_it(client: str):
    place, _ = CLIENTS[client]
    section = TEXT.split(f"`--client {client}`, in {place}:")
    assert len(section) == 2
    assert blocks(r"\w+", section[1])[0] == configuration(client, HERE)


@pytest.mark.parametrize("client", ["claude", "codex"])
def test_the_block_of_a_running_server_is_what_is_printed_for_it(client: str):
    command = f"`infrascan mcp config --client {client} --url {THERE.url} --token`:"
    assert blocks(r"\w+", TEXT.split(command)[1])[0] == configuration(client, THERE)


def test_every_client_that_starts_a_server_starts_the_same_one():
    """As each client's own format is parsed; test_network.py starts it."""
    parsed: dict[str, Any] = {
        "codex": tomllib.loads(configuration("codex", HERE))["mcp_servers"],
        "hermes": yaml.safe_load(configuration("hermes", HERE))["mcp_servers"],
        "vscode": json.loads(configuration("vscode", HERE))["servers"],
    }
    for client in CLIENTS.keys() - parsed.keys() - {"openclaw"}:
        parsed[client] = json.loads(configuration(client, HERE))["mcpServers"]
    for client, servers in parsed.items():
        found = servers["infrascan"]
        assert (found["command"], tuple(found["args"])) == (HERE.command, HERE.arguments), client


def test_the_table_has_every_tool_in_its_group():
    tools = json.loads(Path(__file__).with_name("tools.json").read_text(encoding="utf-8"))
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*) \|$", TEXT, re.MULTILINE)
    told = {group: set(re.findall(r"`(\w+)`", names)) for group, _, names in rows}
    assert {group: about for group, about, _ in rows} == TOOLSETS
    for group in TOOLSETS:
        assert told[group] == {t["name"] for t in tools if t["_meta"]["category"] == group}
    writing = {t["name"] for t in tools if t["annotations"]["destructiveHint"]}
    assert all(f"`{name}`" in TEXT.split("only read.")[1] for name in writing)


def test_the_examples_of_the_page_work(served: Served, tmp_path: Path):
    (python,) = blocks("python")
    body = "\n".join(f"    {line}" for line in python.splitlines())
    script = f"import asyncio\nasync def main():\n{body}\nasyncio.run(main())\n"
    spoken = subprocess.run(
        [sys.executable, "-c", script.replace(":39393", f":{served.port}")],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert spoken.stdout.strip()
    if not shutil.which("curl"):
        return
    (shell,) = (each for each in blocks("sh") if each.startswith("curl"))
    posted = subprocess.run(
        ["sh", "-c", shell.replace(":39393", f":{served.port}")],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    answer = json.loads(posted.stdout)
    assert answer["result"]["structuredContent"]["version"]
