"""Nothing leaves this machine but what is asked of a provider: no phone-home, no look-up at start.

The command runs in a process with an audit hook from its first line on: any connection beyond
loopback, any name that is looked up, any socket that listens beyond loopback ends it.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.servers.webhook import Receiver

GUARD = """
import ipaddress, os, sys
LEFT = 97

def guard(event, given):
    if event in ("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg"):
        place = given[1]
        if not isinstance(place, tuple):  # a Unix socket, or none
            return
        host = str(place[0]).partition("%")[0]
        if host in ("", "localhost"):
            if event == "socket.bind" and host == "":
                leave(event, place)
            return
        try:
            ok = ipaddress.ip_address(host).is_loopback
        except ValueError:
            ok = False
        if not ok:
            leave(event, place)
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        host = given[0].decode() if isinstance(given[0], bytes) else str(given[0])
        if host not in ("localhost", "127.0.0.1", "::1"):
            leave(event, given)

def leave(event, given):
    os.write(2, f"LEFT THE MACHINE: {event} {given!r}\\n".encode())
    os._exit(LEFT)

sys.addaudithook(guard)
"""
LEFT = 97
IMPORTS = """
import importlib, pkgutil, infrascan
for module in pkgutil.walk_packages(infrascan.__path__, "infrascan."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
"""
COMMAND = "import sys; from infrascan.cli import main; main(sys.argv[1:])"


def guarded(
    tmp_path: Path, code: str, *arguments: str, text: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """The code with the guard before it, with no configuration but what is given."""
    (tmp_path / "home").mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, "-c", GUARD + code, *arguments],
        cwd=tmp_path,
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": str(tmp_path / "home"),
            "INFRASCAN_HOME": str(tmp_path / "kept"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_GCE_CHECK": "true",
            "LC_ALL": "C.UTF-8",
            **environment,
        },
        input=text,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.mark.parametrize(
    "code",
    {
        "connects": "import socket; socket.create_connection(('192.0.2.1', 80), 1)",
        "looks up": "import socket; socket.getaddrinfo('example.com', 80)",
        "sends": "import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))",
        "listens": "import socket; socket.socket().bind(('0.0.0.0', 0))",
        "httpx": "import httpx; httpx.get('http://192.0.2.1/')",
    }.items(),
    ids=lambda pair: pair[0],
)
def test_the_guard_sees_what_leaves(tmp_path: Path, code: tuple[str, str]):
    done = guarded(tmp_path, code[1])
    assert done.returncode == LEFT
    assert "LEFT THE MACHINE" in done.stderr


def test_importing_every_module_opens_nothing_and_looks_nothing_up(tmp_path: Path):
    strict = GUARD.replace('if host not in ("localhost", "127.0.0.1", "::1"):', "if True:")
    done = subprocess.run(
        [sys.executable, "-c", strict + IMPORTS],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr[-2000:]


QUIET = {
    "run --demo --output - --format json": '"findings"',
    "ask --demo --json 'which pods are in CrashLoopBackOff'": '"answer"',
    "watch --demo --once --json": '"baseline"',
    "scans": "",
    "--version": "infrascan ",
    "--help": "infrascan run --demo",
}


@pytest.mark.parametrize("words", QUIET)
def test_the_demo_leaves_the_machine_for_nothing(tmp_path: Path, words: str):
    done = guarded(tmp_path, COMMAND, *shlex.split(words))

    assert done.returncode == 0, done.stderr[-2000:]
    assert QUIET[words] in done.stdout


def test_a_watch_posts_to_the_address_given_and_nowhere_else(tmp_path: Path):
    with Receiver() as receiver:
        words = ("watch", "--demo", "--once", "--notify", "webhook:env:HOOK")
        done = guarded(tmp_path, COMMAND, *words, HOOK=receiver.url)

    assert done.returncode == 0, done.stderr[-2000:]
    assert len(receiver.posts) == 1


def message(number: int, method: str, **params: Any) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}) + "\n"


def test_an_mcp_server_starts_and_lists_its_tools_without_leaving(tmp_path: Path):
    hello = message(
        1,
        "initialize",
        protocolVersion="2025-06-18",
        capabilities={},
        clientInfo={"name": "test", "version": "1"},
    )
    ready = json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}) + "\n"
    process = subprocess.Popen(
        [sys.executable, "-c", GUARD + COMMAND, "mcp", "--transport", "stdio"],
        cwd=tmp_path,
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": str(tmp_path),
            "INFRASCAN_HOME": str(tmp_path / "kept"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_GCE_CHECK": "true",
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    stop = threading.Timer(60, process.kill)
    stop.start()
    try:
        assert process.stdin
        assert process.stdout
        process.stdin.write(hello + ready + message(2, "tools/list"))
        process.stdin.flush()
        names: set[str] = set()
        for line in process.stdout:
            answer = json.loads(line)
            if answer.get("id") == 2:
                names = {tool["name"] for tool in answer["result"]["tools"]}
                break
        _, said = process.communicate()
    finally:
        stop.cancel()
        process.kill()
    assert "LEFT THE MACHINE" not in said
    assert names >= {"infrascan_version", "deep_research"}
