"""Real servers in processes of their own, on free ports, with a home of their own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import mcp_types as types
import pytest
import trio
from mcp import Client

from infrascan.mcp_server.server import server
from infrascan.mcp_server.workspace import Options, Workspace

T = TypeVar("T")


def in_process(
    home: Path,
    work: Callable[[Client], Awaitable[T]],
    options: Options | None = None,
    name: types.Implementation | None = None,
) -> T:
    """What `work` gives, talking to a server in this process through the SDK's own client."""

    async def talk() -> T:
        space = Workspace(home, options or Options())
        with trio.fail_after(90):
            async with space.running(), Client(server(space), client_info=name) as client:
                return await work(client)

    return trio.run(talk)


def called(
    home: Path, tool: str, options: Options | None = None, **arguments: Any
) -> types.CallToolResult:
    """One call of one tool."""

    async def one(client: Client) -> types.CallToolResult:
        return await client.call_tool(tool, arguments)

    return in_process(home, one, options)


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own, and nothing of this machine's credentials and engines."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("INFRASCAN_HOME", str(tmp_path / "infrascan"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    monkeypatch.setattr("infrascan.providers.docker.contexts.SOCKET", str(tmp_path / "none.sock"))
    for name in [*os.environ]:
        if name.startswith(("AWS_", "KUBE", "DOCKER_HOST")) and name != "AWS_EC2_METADATA_DISABLED":
            monkeypatch.delenv(name)
    return tmp_path / "infrascan"


@dataclass
class Served:
    process: subprocess.Popen[bytes]
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/mcp"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment(home: Path) -> dict[str, str]:
    """What a client passes on: no credentials, a home of the test's own."""
    return {
        "HOME": str(home),
        "INFRASCAN_HOME": str(home / "infrascan"),
        "PATH": os.environ["PATH"],
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def started(home: Path, *arguments: str, more: dict[str, str] | None = None) -> Served:
    port = free_port()
    log = home / "stderr.txt"  # a pipe that nobody reads would fill up and stop the server
    command = [sys.executable, "-m", "infrascan", "mcp", "--transport", "http"]
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [*command, "--listen", f"127.0.0.1:{port}", *arguments],
            env=environment(home) | (more or {}),
            stderr=errors,
        )
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return Served(process, port)
        if process.poll() is not None:
            break
        time.sleep(0.05)
    process.kill()
    process.wait()
    raise AssertionError(log.read_text(encoding="utf-8"))


def ended(served: Served) -> None:
    served.process.terminate()
    served.process.wait(timeout=20)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    server = started(tmp_path_factory.mktemp("home"))
    yield server
    ended(server)


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """The folder with the Node packages; missing, it is a failure in CI and a skip elsewhere."""
    root = Path(os.environ.get("INFRASCAN_NODE", "node")) / "node_modules"
    if shutil.which("node") and (root / "@modelcontextprotocol" / "sdk").is_dir():
        return root
    if os.environ.get("CI"):
        raise AssertionError(f"Node.js or its packages are missing from {root}")
    pytest.skip("needs Node.js and the packages of .ci/node-packages.txt in INFRASCAN_NODE")


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Programs by the names of the real ones, that only leave a mark when they are run."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("kubectl", "helm", "docker", "terraform", "aws", "gcloud", "az", "gh"):
        program = folder / name
        program.write_text(f'#!/bin/sh\necho "$0 $@" >> {tmp_path}/bin/ran\necho ok\n')
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder
