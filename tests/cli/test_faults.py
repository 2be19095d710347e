"""A whole platform fails in each way: the scan ends, says so, and passes nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import CLEAN, COVERAGE, DEFECT, Command
from tests.servers.aws_protocols import Request, error
from tests.servers.kubernetes import ApiServer, Fault
from tests.servers.proxy import PAGE, RESET, Answer, Proxy, Seen

AWS = ("run", "--providers", "aws", "--region", "eu-west-1", "--format", "json")
K8S = ("run", "--providers", "k8s", "--format", "json")


def refused(status: int, code: str) -> Callable[[Seen], Answer]:
    def answer(seen: Seen) -> Answer:
        request = Request(seen.method, seen.target, seen.headers, seen.body)
        return Answer(*error(request.api, status, code, "not now"))

    return answer


FAULTS: dict[str, tuple[Callable[[Seen], Answer | None], str]] = {
    "500": (lambda _: Answer(500), "unreachable"),
    "denied": (refused(403, "AccessDenied"), "denied"),
    "reset": (lambda _: RESET, "unreachable"),
    "html": (lambda _: PAGE, "malformed"),
    "empty": (lambda _: Answer(200), "malformed"),
}


def identity(seen: Seen) -> bool:
    return b"GetCallerIdentity" in seen.body


def nothing_passed(report: dict[str, Any]) -> bool:
    return not any(rule["passed"] for rule in report["rules"])


@pytest.mark.parametrize("fault", FAULTS)
def test_an_aws_that_fails_as_a_whole_is_one_line(
    infrascan: Command, aws: Callable[..., Proxy], fault: str
):
    answer, reason = FAULTS[fault]
    aws(fault=answer)
    done = infrascan(*AWS)
    assert done.code == COVERAGE
    assert done.complaint.startswith("infrascan: aws could not be read: ")
    report = infrascan.report()
    assert [gap["reason"] for gap in report["gaps"]] == [reason]
    assert nothing_passed(report)
    assert report["resources"] == []


@pytest.mark.parametrize("fault", FAULTS)
def test_an_aws_that_fails_once_connected_leaves_gaps_only(
    infrascan: Command, aws: Callable[..., Proxy], fault: str
):
    answer, reason = FAULTS[fault]
    aws(fault=lambda seen: None if identity(seen) else answer(seen))
    began = time.monotonic()
    done = infrascan(*AWS)
    assert time.monotonic() - began < 30
    report = infrascan.report()
    assert done.code == COVERAGE, report["coverage"]
    assert done.complaint.startswith("infrascan: aws could not be read: ")
    assert {gap["reason"] for gap in report["gaps"]} <= {reason, "truncated", "disabled"}
    assert nothing_passed(report)
    assert report["findings"] == []


def test_answers_that_break_off_are_gaps(infrascan: Command, aws: Callable[..., Proxy]):
    aws(change=lambda seen, found: found if identity(seen) else replace(found, cut=0.5))
    done = infrascan(*AWS, "--min-coverage", "50")
    report = infrascan.report()
    assert done.code == COVERAGE
    assert {gap["reason"] for gap in report["gaps"]} <= {"unreachable", "malformed"}
    assert nothing_passed(report)


def test_throttling_is_waited_out(infrascan: Command, aws: Callable[..., Proxy]):
    refusals: list[Seen] = []
    throttle = refused(400, "ThrottlingException")

    def twice(seen: Seen) -> Answer | None:
        if b"DescribeDBInstances" not in seen.body or len(refusals) == 2:
            return None
        refusals.append(seen)
        return throttle(seen)

    aws(fault=twice)
    done = infrascan(*AWS, "--min-coverage", "100")
    assert done.code == CLEAN
    assert len(refusals) == 2
    assert infrascan.report()["gaps"] == []


def test_throttling_without_end_is_cut_by_the_deadline(
    infrascan: Command, aws: Callable[..., Proxy]
):
    throttle = refused(400, "ThrottlingException")
    aws(fault=lambda seen: None if identity(seen) else throttle(seen))
    began = time.monotonic()
    done = infrascan(*AWS, "--deadline", "2")
    assert time.monotonic() - began < 20
    assert done.code == COVERAGE
    report = infrascan.report()
    assert {gap["reason"] for gap in report["gaps"]} <= {"timed_out", "throttled"}
    assert nothing_passed(report)


def test_an_aws_that_never_answers_ends_in_bounded_time(
    infrascan: Command, aws: Callable[..., Proxy]
):
    def hang(seen: Seen) -> None:
        if not identity(seen):
            time.sleep(60)

    aws(fault=hang)
    began = time.monotonic()
    done = infrascan(*AWS, "--call-timeout", "0.5")
    assert time.monotonic() - began < 30
    assert done.code == COVERAGE
    report = infrascan.report()
    assert {gap["reason"] for gap in report["gaps"]} <= {"timed_out", "unreachable"}
    assert nothing_passed(report)


def test_the_deadline_keeps_what_was_read_before_it(infrascan: Command, aws: Callable[..., Proxy]):
    def slow(seen: Seen) -> None:
        if b"Describe" in seen.body and not any(read in seen.body for read in quick):
            time.sleep(60)

    quick = (b"DescribeRegions", b"DescribeVolumes")

    aws(fault=slow)
    done = infrascan(*AWS, "--deadline", "4")
    assert done.code == CLEAN
    report = infrascan.report()
    assert "aws.ec2.volume" in {resource["kind"] for resource in report["resources"]}
    assert {gap["reason"] for gap in report["gaps"]} == {"timed_out"}
    assert "4 s" in report["gaps"][0]["detail"]
    assert not report["scan"]["interrupted"]


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("500", "unreachable"),
        ("401", "unauthenticated"),
        ("reset", "unreachable"),
        ("html", "malformed"),
        ("hang", "timed_out"),
    ],
)
def test_a_cluster_that_fails_as_a_whole_is_one_line(
    infrascan: Command, k8s: Callable[..., ApiServer], what: str, reason: str
):
    k8s(faults=[Fault(".*", what)])
    began = time.monotonic()
    done = infrascan(*K8S)
    assert time.monotonic() - began < 15
    assert done.code == COVERAGE
    assert done.complaint.startswith("infrascan: k8s could not be read: ")
    report = infrascan.report()
    assert [gap["reason"] for gap in report["gaps"]] == [reason]
    assert nothing_passed(report)


@pytest.mark.parametrize("what", ["403", "reset", "html", "hang"])
def test_a_cluster_whose_lists_fail_passes_nothing(
    infrascan: Command, k8s: Callable[..., ApiServer], what: str
):
    k8s(faults=[Fault(r"^/apis?/(.*/)?v\d\w*/[a-z]+\?", what)])
    began = time.monotonic()
    done = infrascan(*K8S, "--call-timeout", "0.5", "--min-coverage", "50")
    assert time.monotonic() - began < 30
    assert done.code == COVERAGE
    assert "--min-coverage asks for 50" in done.complaint
    report = infrascan.report()
    pods = [rule for rule in report["rules"] if rule["kind"] == "k8s.pod"]
    assert pods
    assert not any(rule["passed"] for rule in pods)
    assert "k8s.pod" in {gap["kind"] for gap in report["gaps"]}


PLUGIN = """\
from infrascan.model import Connection, Identity, Kind, Partition


class Broken:
    name = "broken"
    kinds = {{"broken.thing": Kind(name="broken.thing", title="Thing", provider="broken")}}

    def __init__(self, selection):
        {init}

    async def connect(self, ask):
        return [Identity(provider="broken", state=Connection.CONNECTED, account="1")]

    async def partitions(self, ask):
        return [Partition(provider="broken", account="1", region="", kind="broken.thing")]

    async def read(self, partition, ask, emit):
        raise KeyError("password=hunter2hunter2")

    def close(self):
        pass
"""


def with_plugin(infrascan: Command, init: str) -> None:
    """Install a distribution that brings a provider with a defect."""
    site = infrascan.folder / "site"
    info = site / "broken-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[infrascan.providers]\nbroken = broken:Broken\n")
    (site / "broken.py").write_text(PLUGIN.format(init=init))
    infrascan.environment["PYTHONPATH"] = str(site)


def test_a_defect_in_one_provider_is_exit_4_and_the_other_is_read(
    infrascan: Command, k8s: Callable[..., ApiServer]
):
    with_plugin(infrascan, "pass")
    k8s()
    done = infrascan("run", "--providers", "k8s,broken", "--format", "json", "--quiet")
    assert done.code == DEFECT
    assert "broken/1/global/broken.thing: a defect of infrascan" in done.complaint
    report = infrascan.report()
    assert report["findings"]
    assert [g["reason"] for g in report["gaps"] if g["provider"] == "broken"] == ["bug"]


def test_a_defect_elsewhere_is_exit_4_too_and_tells_no_secret(infrascan: Command):
    with_plugin(infrascan, "raise RuntimeError('AKIAIOSFODNN7EXAMPLE is no key')")
    with infrascan.start("run", "--providers", "broken") as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (DEFECT, "")
    assert err.splitlines()[-1] == (
        "infrascan: a defect of infrascan; please report it with the lines above"
    )
    assert "RuntimeError" in err
    assert "hunter2" not in err


def test_a_defect_is_an_event_among_events(infrascan: Command, k8s: Callable[..., ApiServer]):
    import json

    with_plugin(infrascan, "pass")
    with infrascan.start("run", "--providers", "broken", "--json-logs") as process:
        _, err = process.communicate(timeout=60)
    assert process.returncode == DEFECT
    events = [json.loads(line) for line in err.splitlines()]
    assert "error" in {event["event"] for event in events}
    assert "hunter2" not in err
    assert Path(infrascan.folder, "infrascan-report", "report.html").exists()
