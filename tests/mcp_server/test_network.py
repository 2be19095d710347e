"""Beyond loopback: a token, TLS, names; and what each client's configuration says."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
import tomllib
from pathlib import Path

import httpx
import pytest
import trio
import trustme
import yaml
from mcp import Client, StdioServerParameters

from infrascan.cli import main
from tests.mcp_server.conftest import ended, environment, started

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
TOKEN = "correct-horse-battery-staple"


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended_with:
        main(["mcp", "--transport", "http", *arguments])
    assert ended_with.value.code == 2
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    return said


def test_beyond_loopback_token_and_tls_are_required(
    tmp_path: Path, bare: Path, capsys: pytest.CaptureFixture[str]
):
    token = tmp_path / "token"
    token.write_text(TOKEN)
    assert "a token is required" in refused(capsys, "--listen", "0.0.0.0:39399")
    said = refused(capsys, "--listen", "0.0.0.0:39399", "--token-file", str(token))
    assert "--tls-cert" in said
    assert "--allow-remote" in said
    half = refused(capsys, "--listen", "127.0.0.1:39399", "--tls-cert", str(token))
    assert "belong together" in half
    bad = refused(
        capsys, "--listen", "127.0.0.1:39399", "--tls-cert", str(token), "--tls-key", str(token)
    )
    assert "cannot be used" in bad
    assert "unknown toolset" in refused(capsys, "--toolsets", "aws,moon")
    assert "is no folder" in refused(capsys, "--terraform-root", str(tmp_path / "nope"))


def test_tls_and_both_ways_to_send_the_token(tmp_path: Path):
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1", "localhost")
    issued.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
    issued.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    server = started(
        tmp_path,
        *("--tls-cert", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem")),
        *("--token-file", str(tmp_path / "token")),
    )
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    url = server.url.replace("http:", "https:")
    try:
        with httpx.Client(verify=trust, timeout=30) as client:
            codes = [
                client.post(url, json=LIST, headers=headers).status_code
                for headers in (
                    {},
                    {"Authorization": "Bearer nope"},
                    {"X-Api-Key": "nope"},
                    {"Authorization": f"Bearer {TOKEN}"},
                    {"X-Api-Key": TOKEN},
                    {"X-Api-Key": TOKEN, "Origin": "https://evil.example"},
                    {"X-Api-Key": TOKEN, "Host": "evil.example"},
                )
            ]
            leaked = client.post(f"{url}?api_key={TOKEN}", json=LIST).status_code
    finally:
        ended(server)
    assert codes == [401, 401, 401, 200, 200, 403, 421]
    assert leaked == 401
    assert server.process.returncode == 0


def test_it_ends_within_seconds_of_a_signal(tmp_path: Path):
    server = started(tmp_path)
    with httpx.Client(timeout=30) as client:
        client.post(server.url, json=LIST)
        server.process.terminate()
        assert server.process.wait(timeout=8) == 0


def printed(home: Path, *arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "infrascan", "mcp", "config", *arguments],
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    ).stdout


def spawned(home: Path, command: str, arguments: list[str]) -> str:
    """The name that the server gives itself, started exactly as a client would."""

    async def work() -> str:
        place = StdioServerParameters(
            command=command, args=arguments, env={"HOME": str(home), "PATH": "/usr/bin:/bin"}
        )
        with trio.fail_after(60):
            async with Client(place) as client:
                await client.list_tools()
                return str(client.server_info.name)

    return trio.run(work)


def test_what_is_printed_for_a_client_starts_the_server(tmp_path: Path):
    claude = json.loads(printed(tmp_path, "--client", "claude"))["mcpServers"]["infrascan"]
    assert claude["args"][-3:] == ["mcp", "--transport", "stdio"]
    assert set(claude) == {"command", "args"}
    assert spawned(tmp_path, claude["command"], claude["args"]) == "infrascan"
    codex = tomllib.loads(printed(tmp_path, "--client", "codex"))["mcp_servers"]["infrascan"]
    assert (codex["command"], codex["args"]) == (claude["command"], claude["args"])
    for client in ("cursor", "gemini", "windsurf"):
        assert (
            json.loads(printed(tmp_path, "--client", client))["mcpServers"]["infrascan"] == claude
        )
    vscode = json.loads(printed(tmp_path, "--client", "vscode"))["servers"]["infrascan"]
    assert vscode["command"] == claude["command"]
    hermes = yaml.safe_load(printed(tmp_path, "--client", "hermes"))["mcp_servers"]["infrascan"]
    assert hermes == claude


def test_what_is_printed_for_a_running_server_names_its_address(tmp_path: Path):
    assert (
        printed(tmp_path, "--client", "openclaw")
        == "openclaw mcp set infrascan --url http://127.0.0.1:39393\n"
    )
    url = "https://ops.example:39393/mcp"
    told = json.loads(printed(tmp_path, "--client", "claude", "--url", url, "--token"))
    assert told["mcpServers"]["infrascan"]["url"] == url
    assert told["mcpServers"]["infrascan"]["headers"] == {"Authorization": "Bearer TOKEN"}


def test_another_distribution_adds_a_tool_in_a_few_lines(tmp_path: Path):
    plugin = '''\
from typing import Annotated
import mcp_types as types
from pydantic import BaseModel
from infrascan.mcp_server.door import Door, result

class Moon(BaseModel):
    phase: str

def add(door: Door) -> None:
    @door.tool("moon", "Phase of the moon")
    async def moon_phase(date: str = "") -> Annotated[types.CallToolResult, Moon]:
        """Tell the phase of the moon, for change freezes that follow it."""
        return result(Moon(phase="full"), "The moon is full.")
'''
    assert len(plugin.splitlines()) <= 20
    site = tmp_path / "site"
    about = site / "moon-1.dist-info"
    about.mkdir(parents=True)
    (site / "moon.py").write_text(plugin)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: moon\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[infrascan.mcp_tools]\nmoon = moon:add\n")
    server = started(tmp_path, more={"PYTHONPATH": str(site)})
    try:
        call = {"name": "moon_phase", "arguments": {}}
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
        answer = httpx.post(server.url, json=body, timeout=30).json()["result"]
        assert answer["structuredContent"] == {"phase": "full"}
    finally:
        ended(server)
