"""Real servers in processes of their own, on free ports, with a home of their own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest


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
