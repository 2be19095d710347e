"""What differs between two stored scans, as changes of which only the span is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from infrascan.model import Resource
from infrascan.reason.causes import explain
from infrascan.reason.happened.scans import between
from infrascan.store.scans import write
from tests.reason import scenes

ALARM = {"StateValue": "ALARM", "MetricName": "ErrorRate", "StateUpdatedTimestamp": "!11:20",
         "Dimensions": [{"Name": "FunctionName", "Value": "resize"}]}  # fmt: skip
FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:resize"


def stored(home: Path, number: int, when: str, *estate: dict[str, Any]) -> Any:
    scan = scenes.made({"title": "", "now": when, "noise": 0, "estate": list(estate)})
    scan.id = f"2026112{number}T000000Z-000{number}"
    scan.scope = {"providers": ["aws", "k8s"]}
    write(scan, home)
    return scan


def function(memory: int, **more: Any) -> dict[str, Any]:
    data = {"FunctionName": "resize", "MemorySize": memory, **more}
    return {"aws.lambda.function": {"id": FUNCTION, "name": "resize", "data": data}}


def alarm() -> dict[str, Any]:
    return {"aws.cloudwatch.alarm": {"id": "arn:aws:cloudwatch:eu-west-1:1:alarm:a", "data": ALARM}}


def test_a_setting_that_differs_is_a_change_between_the_times_of_the_scans(tmp_path: Path):
    first = stored(tmp_path, 1, "11:00", function(1024), alarm())
    second = stored(tmp_path, 2, "11:30", function(128), alarm())
    (change,) = between(tmp_path, first.id, second.id)
    assert change.resource.endswith(FUNCTION)
    assert (change.earliest, change.time) == (first.started, second.started)
    assert "MemorySize" in change.what
    assert ('"1024"', '"128"') == (change.before, change.after)
    assert change.evidence[0].value == 128
    # The alarm of 11:20 lies within the span: the change may have come before it.
    found = explain(second, change.resource, extra=[change])
    assert found.hypotheses[0].change is change


def test_what_moves_by_itself_is_no_change(tmp_path: Path):
    def node(free: str) -> dict[str, Any]:
        return {"k8s": {"api": "v1", "kind": "Node", "name": "n",
                        "status": {"allocatable": {"memory": free}}}}  # fmt: skip

    first = stored(tmp_path, 1, "11:00", function(128, metrics={"calls": 1}), node("1Gi"))
    second = stored(tmp_path, 2, "11:30", function(128, metrics={"calls": 9}), node("2Gi"))
    assert [c for c in between(tmp_path, first.id, second.id) if "Allocatable" in c.what] == []
    assert not any("metrics" in c.what for c in between(tmp_path, first.id, second.id))


def test_what_appeared_and_what_is_gone(tmp_path: Path):
    other = {"aws.ec2.security_group": {"id": "sg-1", "data": {"GroupId": "sg-1"}}}
    first = stored(tmp_path, 1, "11:00", function(128))
    second = stored(tmp_path, 2, "11:30", other)
    told = {c.resource.rpartition("/")[2].rpartition(":")[2]: c.what for c in
            between(tmp_path, first.id, second.id)}  # fmt: skip
    assert "is gone between two scans" in told["resize"]
    assert "appeared between two scans" in told["sg-1"]


def test_reports_that_come_and_go_are_no_changes(tmp_path: Path):
    event = {"event": {"kind": "Pod", "name": "a", "namespace": "shop", "reason": "BackOff",
                       "message": "m", "when": "11:10"}}  # fmt: skip
    first = stored(tmp_path, 1, "11:00", function(128))
    second = stored(tmp_path, 2, "11:30", function(128), event)
    assert isinstance(second.resources[0], Resource)
    assert between(tmp_path, first.id, second.id) == []
