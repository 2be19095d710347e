"""Several processes read one scan: the same comes out, and no end of one is lost on the others."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.cli.command import CLEAN, DEFECT, INTERRUPTED, USAGE, Command, ended
from tests.cli.platforms import Platforms, served
from tests.servers.proxy import Answer
from tests.servers.rest import Request

NAMES = ("cloudflare", "github", "azure", "hetzner")
SHARED = ("run", "--providers", ",".join(NAMES), "--format", "json")
PROMPT = 10.0  # seconds from the signal to the end, on a machine that is busy with other tests


@pytest.fixture(scope="module")
def platforms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platforms]:
    with served(tmp_path_factory.mktemp("platforms")) as running:
        yield running


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.getbasetemp().parent / "infrascan-cache"


@pytest.fixture
def infrascan(tmp_path: Path, cache: Path, platforms: Platforms) -> Command:
    return Command(tmp_path, cache, platforms.only())


class Hanging:
    """Lets a platform answer the first of these requests only when the test is over."""

    def __init__(self, part: str) -> None:
        self.part, self.met, self.over = part, threading.Event(), threading.Event()

    def __call__(self, request: Request) -> Answer | None:
        if self.part in request.path:
            self.met.set()
            self.over.wait(30)
        return None


def children(process: subprocess.Popen[str]) -> list[int]:
    """The processes that this one started, from whichever of its threads."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == process.pid:
                found.append(int(stat.parent.name))
    return found


def test_three_processes_find_what_one_finds(infrascan: Command):
    found = []
    for number in (1, 3):
        assert infrascan(*SHARED, "--processes", number).code == CLEAN
        report = infrascan.report()
        names = ("findings", "unknowns", "gaps", "resources", "coverage", "identities")
        found.append(json.dumps([report[name] for name in names]))
    assert found[0] == found[1]


def test_what_a_worker_meets_is_told_as_it_happens(infrascan: Command, platforms: Platforms):
    def refused(request: Request) -> Answer | None:
        return Answer(403) if "/actions/permissions" in request.path else None

    with platforms.failing({"github": refused}):
        done = infrascan(*SHARED, "--processes", 3, "--json-logs")
    events = [json.loads(line) for line in done.err.splitlines()]
    failed = {event["provider"] for event in events if event["event"] == "call_failed"}
    planned = {event["provider"] for event in events if event["event"] == "planned"}
    through = {event["place"].split("/")[0] for event in events if event["event"] == "partition"}
    assert planned == through == set(NAMES)
    assert "github" in failed


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_keeps_what_each_process_had_read(
    infrascan: Command, platforms: Platforms, number: signal.Signals
):
    slow = Hanging("/actions/secrets")
    with platforms.failing({"github": slow}):
        words = (*SHARED, "--processes", 3, "--json-logs")
        with infrascan.start(*words, start_new_session=True) as process:
            read_of_each(process, NAMES)
            sent = time.monotonic()
            os.killpg(process.pid, number)  # as a terminal does
            done = ended(process)
        slow.over.set()
    assert time.monotonic() - sent < PROMPT
    assert done.code == INTERRUPTED
    report = infrascan.report()
    assert report["scan"]["interrupted"]
    assert {g["provider"] for g in report["gaps"] if g["reason"] == "interrupted"} >= {"github"}
    assert {c["provider"] for c in report["coverage"] if c["resources"]} == set(NAMES)


def test_a_worker_that_dies_is_a_defect_that_costs_the_others_nothing(
    infrascan: Command, platforms: Platforms
):
    slow = Hanging("/actions/secrets")
    with platforms.failing({"github": slow}):
        with infrascan.start(*SHARED, "--processes", 3) as process:
            assert slow.met.wait(30)
            for pid in children(process):
                os.kill(pid, signal.SIGKILL)
            done = ended(process)
        slow.over.set()
    assert done.code == DEFECT
    report = infrascan.report()
    lost = {gap["provider"] for gap in report["gaps"] if gap["reason"] == "bug"}
    assert "github" in lost
    assert not any(c["state"] == "read" for c in report["coverage"] if c["provider"] in lost
                   and c["kind"] == "github.actions_secret")  # fmt: skip
    own = {c["provider"] for c in report["coverage"] if c["state"] == "read"} - lost
    assert own
    assert "ended with -9" in done.err


def test_a_killed_scan_leaves_no_worker_behind(infrascan: Command, platforms: Platforms):
    slow = Hanging("/actions/secrets")
    with platforms.failing({"github": slow}):
        with infrascan.start(*SHARED, "--processes", 3) as process:
            assert slow.met.wait(30)
            workers = children(process)
            assert len(workers) == 2
            process.kill()
            process.wait()
            deadline = time.monotonic() + PROMPT
            while any(running(pid) for pid in workers):
                assert time.monotonic() < deadline
                time.sleep(0.05)
        slow.over.set()


def read_of_each(process: subprocess.Popen[str], names: Iterable[str]) -> None:
    """Wait until a partition with resources is through of each; the command must log in JSON."""
    left = set(names)
    assert process.stderr is not None
    for line in process.stderr:
        event = json.loads(line)
        if event["event"] == "partition" and event["resources"]:
            left.discard(event["place"].split("/")[0])
        if not left:
            return
    raise AssertionError(f"nothing was read of {left}")


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_mistake_that_a_worker_finds_is_one_line(infrascan: Command):
    done = infrascan(*SHARED, "--processes", 4, "--org", "acme-shpo")
    assert done.code == USAGE
    assert "'acme-shpo'" in done.complaint


def test_a_scan_cut_off_goes_on_where_it_was(infrascan: Command, platforms: Platforms):
    slow = Hanging("/actions/secrets")
    with platforms.failing({"github": slow}):
        words = (*SHARED, "--processes", 3, "--json-logs")
        with infrascan.start(*words, start_new_session=True) as process:
            read_of_each(process, NAMES)
            os.killpg(process.pid, signal.SIGINT)
            ended(process)
        slow.over.set()
    done = infrascan(*SHARED, "--processes", 3, "--resume")
    assert done.code == CLEAN
    (kept,) = re.findall(r"resuming: (\d+) partitions are read already", done.err)
    assert int(kept) >= len(NAMES)
    assert not infrascan.report()["scan"]["interrupted"]
