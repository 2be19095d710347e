"""A scan that is stopped, killed or resumed loses nothing that it had read."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.command import CLEAN, INTERRUPTED, Command, ended
from tests.servers.kubernetes import ApiServer, Fault
from tests.servers.proxy import Answer, Proxy, Seen

K8S = ("run", "--providers", "k8s", "--format", "json")
AWS = ("run", "--providers", "aws", "--region", "eu-west-1", "--format", "json")
PROMPT = 8.0  # seconds from the signal to the end, on a machine that is busy with other tests


def read_so_far(process: subprocess.Popen[str], partitions: int) -> None:
    """Wait until so many partitions are through; the command must log in JSON."""
    assert process.stderr is not None
    for line in process.stderr:
        partitions -= json.loads(line)["event"] == "partition"
        if not partitions:
            return
    raise AssertionError("the scan ended before")


def what_counts(report: Any) -> Any:
    """The part of a report that does not depend on when and how it was made."""
    return {name: report[name] for name in ("findings", "unknowns", "gaps", "resources")}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_reading_at_once_and_keeps_what_was_read(
    infrascan: Command, k8s: Callable[..., ApiServer], number: signal.Signals
):
    k8s(faults=[Fault("/api/v1/pods", "hang")])
    with infrascan.start(*K8S, "--json-logs") as process:
        read_so_far(process, 31)
        sent = time.monotonic()
        process.send_signal(number)
        done = ended(process)
    assert time.monotonic() - sent < PROMPT
    assert done.code == INTERRUPTED
    report = infrascan.report()
    assert report["scan"]["interrupted"]
    read = {c["kind"]: (c["state"], c["resources"]) for c in report["coverage"]}
    assert read["k8s.namespace"] == ("read", 1)
    assert read["k8s.pod"] == ("unread", 0)
    assert {(g["kind"], g["reason"]) for g in report["gaps"]} >= {("k8s.pod", "interrupted")}
    assert not any(rule["passed"] for rule in report["rules"] if rule["kind"] == "k8s.pod")
    notes = [json.loads(line)["text"] for line in done.err.splitlines() if '"note"' in line]
    assert notes[0] == "stopping; what was read is kept (again to quit at once)"
    stored = infrascan("scans").out
    assert report["scan"]["id"] in stored
    assert "interrupted" in stored
    assert f"stored as {report['scan']['id']}" in notes[-1]
    assert "--resume" in notes[-1]


def test_resuming_after_a_stop_reads_the_rest_only(
    infrascan: Command, k8s: Callable[..., ApiServer]
):
    server = k8s(faults=[Fault("/api/v1/pods", "hang"), Fault("/api/v1/services", "500")])
    with infrascan.start(*K8S, "--json-logs") as process:
        read_so_far(process, 31)
        process.send_signal(signal.SIGINT)
        first = ended(process)
    assert first.code == INTERRUPTED
    server.faults.clear()
    server.requests.clear()
    done = infrascan(*K8S, "--resume")
    assert done.code == CLEAN
    lists = {r.path.partition("?")[0] for r in server.requests}
    assert {"/api/v1/pods", "/api/v1/services"} <= lists
    assert not any(path.endswith(("/nodes", "/namespaces", "/deployments")) for path in lists)
    resumed = infrascan.report()
    assert {g["reason"] for g in resumed["gaps"]} <= {"out_of_scope", "disabled"}
    assert len(infrascan("scans", "--json").json) == 2
    assert infrascan(*K8S).code == CLEAN
    assert what_counts(infrascan.report()) == what_counts(resumed)
    assert not list((infrascan.kept / "journals").iterdir())


def test_resuming_without_anything_to_resume_reads_everything_and_says_so(
    infrascan: Command, k8s: Callable[..., ApiServer]
):
    k8s()
    done = infrascan(*K8S, "--resume")
    assert done.code == CLEAN
    assert "infrascan: resuming: 0 partitions are read already" in done.err


def test_after_kill_9_a_resumed_scan_repeats_nothing_and_finds_the_same(
    infrascan: Command, aws: Callable[..., Proxy]
):
    asked: list[str] = []
    hanging = True

    def watched(seen: Seen) -> Answer | None:
        asked.append(f"{seen.target} {seen.body!r}")
        if hanging and b"DescribeVolumes" in seen.body:
            time.sleep(60)
        return None

    def volumes() -> bool:
        return any("DescribeVolumes" in request for request in asked)

    aws(fault=watched)
    with infrascan.start(*AWS, "--json-logs") as process:
        read_so_far(process, 55)
        process.kill()
        process.communicate()
    everything = len(asked)
    assert infrascan("scans", "--json").json == []
    assert not (infrascan.folder / "infrascan-report" / "report.json").exists()
    hanging = False
    asked.clear()
    # A refused run in between must not hide what there is to resume.
    (infrascan.folder / "full").mkdir()
    (infrascan.folder / "full" / "file").touch()
    assert "not empty" in infrascan(*AWS, "--record", "full").complaint
    asked.clear()
    done = infrascan(*AWS, "--resume")
    assert done.code == CLEAN
    assert volumes()
    assert len(asked) < everything / 4
    assert not any("DescribeSecurityGroups" in request for request in asked)
    resumed = infrascan.report()
    assert infrascan(*AWS).code == CLEAN
    whole = infrascan.report()
    assert resumed["findings"]
    assert [f["id"] for f in resumed["findings"]] == [f["id"] for f in whole["findings"]]
    assert {r["key"] for r in resumed["resources"]} == {r["key"] for r in whole["resources"]}


def test_kill_9_while_storing_leaves_no_half_scan_and_nothing_to_read_again(
    infrascan: Command, k8s: Callable[..., ApiServer]
):
    server = k8s()
    folder = infrascan.kept / "scans"
    for _ in range(5):  # the window is short; a scan that was faster is a scan more
        with infrascan.start(*K8S) as process:
            while process.poll() is None and not list(folder.glob(".*")):
                time.sleep(0.0005)
            process.kill()
            process.communicate()
        if process.returncode == -signal.SIGKILL:
            break
    assert process.returncode == -signal.SIGKILL
    listed = infrascan("scans", "--json").json
    assert [scan["problem"] for scan in listed] == [""] * len(listed)
    server.requests.clear()
    done = infrascan(*K8S, "--resume")
    assert done.code == CLEAN
    assert not any("/pods" in request.path for request in server.requests)
    assert len(infrascan("scans", "--json").json) == len(listed) + 1
    assert not list(folder.glob(".*"))


STUBBORN = """\
import trio
from infrascan.model import Connection, Identity, Kind, Partition


class Stubborn:
    name = "stubborn"
    kinds = {"stubborn.thing": Kind(name="stubborn.thing", title="Thing", provider="stubborn")}

    def __init__(self, selection):
        pass

    async def connect(self, ask):
        return [Identity(provider="stubborn", state=Connection.CONNECTED, account="1")]

    async def partitions(self, ask):
        return [Partition(provider="stubborn", account="1", region="", kind="stubborn.thing")]

    async def read(self, partition, ask, emit):
        with trio.CancelScope(shield=True):
            await trio.sleep(60)

    def close(self):
        pass
"""


def test_a_second_ctrl_c_quits_at_once(infrascan: Command):
    site = infrascan.folder / "site"
    info = site / "stubborn-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stubborn\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[infrascan.providers]\nstubborn = stubborn:Stubborn\n")
    (site / "stubborn.py").write_text(STUBBORN)
    env = {"PYTHONPATH": str(site)}
    with infrascan.start("run", "--providers", "stubborn", "--json-logs", env=env) as process:
        assert process.stderr is not None
        assert json.loads(process.stderr.readline())["event"] == "planned"
        process.send_signal(signal.SIGINT)
        assert json.loads(process.stderr.readline())["event"] == "note"
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
        sent = time.monotonic()
        process.send_signal(signal.SIGINT)
        done = ended(process)
    assert time.monotonic() - sent < PROMPT
    assert (done.code, done.err) == (INTERRUPTED, "")


def test_two_scans_at_once_share_a_home_and_an_output_folder(
    infrascan: Command, k8s: Callable[..., ApiServer]
):
    k8s(latency=0.05)
    with infrascan.start(*K8S) as one, infrascan.start(*K8S) as other:
        assert [ended(one).code, ended(other).code] == [CLEAN, CLEAN]
    listed = infrascan("scans", "--json").json
    assert [scan["problem"] for scan in listed] == ["", ""]
    assert infrascan.report()["scan"]["id"] in {scan["id"] for scan in listed}
    folder = infrascan.folder / "infrascan-report"
    assert [path.name for path in folder.iterdir()] == ["report.json"]
