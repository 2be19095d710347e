"""The timeline: every source, in order, with evidence; and the record of an incident."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from infrascan.model import Gap, InputError, Reason, State
from infrascan.providers.github import deploying
from infrascan.reason import incident, naming, telling
from infrascan.reason.causes import explain
from infrascan.reason.change import moment
from infrascan.reason.changes import DEPLOYMENTS, blind, instant, timeline
from tests.reason import scenes

SCENE = dict(scenes.scenes())["01-deploy-then-latency"]
SERVICE = "k8s.deployment/prod/global/shop/checkout-api"
REASON = (
    "Threshold Crossed: 2 out of the last 3 datapoints [1.84 (20/11/26 14:37:00), 1.31 (20/11/26"
    " 14:36:00)] was greater than the threshold (0.8)."
)


def with_points(**more: Any) -> dict[str, Any]:
    estate = []
    for entry in SCENE["estate"]:
        if alarm := entry.get("aws.cloudwatch.alarm"):
            data = {**alarm["data"], "StateReason": REASON, **more}
            entry = {"aws.cloudwatch.alarm": {**alarm, "data": data}}
        estate.append(entry)
    return {**SCENE, "estate": estate, "noise": 0}


def test_deploy_restart_edit_and_spike_stand_in_order_each_with_its_source():
    scan = scenes.made(with_points())
    found = timeline(scan, scenes.at("14:30"))
    assert [(c.time[11:16], c.source) for c in found] == [
        ("14:32", "github.deployment"),
        ("14:32", "k8s.replica_set"),
        ("14:36", "k8s.pod"),
        ("14:37", "k8s.config_map"),
        ("14:38", "aws.cloudwatch.alarm"),
    ]
    for change in found:
        assert change.evidence
        assert {e.resource for e in change.evidence} <= {r.key for r in scan.resources}


def test_a_window_of_thirty_minutes_ends_where_it_says():
    maps = [
        {"k8s": {"api": "v1", "kind": "ConfigMap", "name": f"m-{minutes}", "namespace": "shop",
                 "data": {}, "written": {"at": f"13:{60 - minutes:02}", "by": "kubectl-edit"}}}
        for minutes in (10, 29, 31)
    ]  # fmt: skip
    scan = scenes.made({"title": "t", "now": "14:00", "noise": 0, "estate": maps})
    begin = naming.since("30m", instant(scan.observed))
    found = [c for c in timeline(scan, begin) if c.kind == "config"]
    assert [c.name for c in found] == ["m-29", "m-10"]
    assert [c.evidence[0].path for c in found] == ["changed.at", "changed.at"]


def test_a_deployment_is_told_with_its_commit_service_and_delta_and_an_older_one_is_not_blamed():
    scan = scenes.made(with_points(
        StateReasonData=json.dumps({"recentDatapoints": [0.182, 1.31, 1.84], "threshold": 0.8})
    ))  # fmt: skip
    found = explain(scan, SERVICE)
    record = incident.record(scan, found)
    assert record["deployment_sha"] == "abc1230000000000000000000000000000000000"
    assert record["affected_service"] == "checkout-api"
    (delta,) = record["deltas"]
    assert (delta["before"], delta["after"], delta["delta"]) == (0.182, 1.84, 1.658)
    assert "999000" not in json.dumps(record)
    values = {e["path"]: e["value"] for e in delta["evidence"]}
    assert "0.182" in values["StateReasonData"]


def test_without_an_earlier_point_the_delta_is_over_the_threshold_and_says_so():
    scan = scenes.made(with_points(StateReason=REASON.replace(", 1.31 (20/11/26 14:36:00)", "")))
    (delta,) = incident.deltas(scan, explain(scan, SERVICE))
    assert (delta.before, delta.after) == (0.8, 1.84)
    assert delta.before_is == "the alarm's threshold"


@pytest.mark.parametrize("data", ["", "{", "[]", '{"recentDatapoints": ["a"]}', None, 3])
def test_reason_data_of_any_form_falls_back_to_the_sentence(data: Any):
    assert incident.datapoints({"StateReason": REASON, "StateReasonData": data}) == [1.84, 1.31]


def test_the_record_has_all_four_parts_and_a_way_back_that_was_not_run():
    scan = scenes.made(with_points())
    text = telling.incident_markdown(scan, explain(scan, SERVICE))
    assert "Deployment SHA: `abc1230000000000000000000000000000000000`" in text
    assert "Affected service: `checkout-api`" in text
    assert "`LatencyP99`: 1.31 → 1.84, delta +0.53" in text
    assert "kubectl --context=prod --namespace=shop rollout undo deployment/checkout-api" in text
    assert "needs the approval of an operator" in text


def test_a_rollout_says_how_many_pods_there_were_and_are():
    steps = (
        ("up", 2, 0, 1),
        ("down", 1, 2, 1),
        ("up", 2, 1, 2),
        ("up", 2, 2, 3),
        ("down", 1, 1, 0),
    )
    events = [
        {"event": {"kind": "Deployment", "name": "checkout-api", "namespace": "shop",
                   "reason": "ScalingReplicaSet", "when": f"14:32:{20 + number}",
                   "message": f"Scaled {way} replica set checkout-api-{revision} from {was} to {now}"}}
        for number, (way, revision, was, now) in enumerate(steps)
    ]  # fmt: skip
    scan = scenes.made({**SCENE, "estate": [*SCENE["estate"], *events], "noise": 0})
    rollout = next(
        c
        for c in timeline(scan, scenes.at("14:30"))
        if c.kind == "rollout" and c.resource == SERVICE
    )
    assert "replicas 2 → 3" in rollout.what
    assert "v1.4.2" in rollout.after
    assert "up" in rollout.facets


def test_a_rollback_is_told_with_the_time_of_its_progress():
    scene = scenes.Scene(scenes.at("12:00"))
    owner = [{"kind": "Deployment", "name": "a", "controller": True}]

    def replica_set(name: str, revision: str, made: str, image: str, **notes: str) -> None:
        scene.k8s(
            "apps/v1", "ReplicaSet", name, "shop",
            metadata={"creationTimestamp": scenes.at(made), "ownerReferences": owner,
                      "annotations": {"deployment.kubernetes.io/revision": revision, **notes}},
            spec={"template": {"spec": {"containers": [{"name": "a", "image": image}]}}},
        )  # fmt: skip

    scene.k8s(
        "apps/v1", "Deployment", "a", "shop",
        status={"conditions": [{"type": "Progressing", "lastTransitionTime": scenes.at("11:40")}]},
    )  # fmt: skip
    replica_set("a-2", "2", "11:10", "r/a:2")
    replica_set(
        "a-1", "3", "-9 10:00", "r/a:1", **{"deployment.kubernetes.io/revision-history": "1"}
    )
    scan = scenes.made({"title": "", "now": "12:00", "noise": 0, "estate": []})
    scan.resources = scene.resources
    scenes.link(scan.resources, scenes.kinds(), [])
    found = [c for c in timeline(scan, scenes.at("11:00")) if c.kind == "rollout"]
    assert [(c.time[11:16], c.before, c.after) for c in found] == [
        ("11:10", "", ""),
        ("11:40", '"r/a:2"', '"r/a:1"'),
    ]
    assert "was rolled back to revision 3" in found[1].what


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("14:38", "2026-11-20T14:38:00Z"),
        ("16:00", "2026-11-19T16:00:00Z"),
        ("2026-11-20T14:38", "2026-11-20T14:38:00Z"),
        ("2026-11-20T14:38:00+02:00", "2026-11-20T12:38:00Z"),
    ],
)
def test_times_are_read_as_people_write_them(text: str, expected: str):
    observed = instant("2026-11-20T15:00:00Z")
    assert naming.when(text, observed) == moment(expected)


@pytest.mark.parametrize("text", ["", "soon", "0m", "-3h", "25:00", "1e9d", "9999999h"])
def test_what_is_no_time_is_refused_in_one_line(text: str):
    with pytest.raises(InputError) as caught:
        naming.since(text, instant("2026-11-20T15:00:00Z"))
    assert "\n" not in str(caught.value)


def test_a_name_is_found_where_it_is_one_and_refused_where_it_is_several():
    scan = scenes.made(with_points())
    assert naming.find(scan, "checkout-api").key == SERVICE
    assert naming.find(scan, "shop/checkout-api").key == SERVICE
    assert naming.find(scan, "service/checkout-api").kind == "k8s.service"
    assert naming.find(scan, SERVICE).key == SERVICE
    with pytest.raises(InputError, match="did you mean"):
        naming.find(scan, "checkout-ap")
    twin = scenes.Scene(scenes.at("12:00"))
    twin.app("checkout-api", "other", revisions=[{"at": "-9 10:00"}])
    scan.resources = [*scan.resources, *twin.resources]
    with pytest.raises(InputError, match="the name of several"):
        naming.find(scan, "checkout-api")


def closed(scan: Any, since: str) -> dict[str, str]:
    return {b.source: b.sentence for b in blind(scan, scenes.at(since))}


def test_a_list_that_is_cut_off_hides_only_what_is_older_than_it():
    events = [
        {"aws.cloudtrail.event": {"id": f"e-{hour}", "data": {
            "EventTime": f"!{hour:02}:00", "EventName": "PutX", "targets": []}}}
        for hour in (10, 11, 12)
    ]  # fmt: skip
    scan = scenes.made({"title": "", "now": "13:00", "noise": 0, "estate": events})
    gap = Gap(provider="aws", account=scenes.ACCOUNT, region=scenes.REGION,
              kind="aws.cloudtrail.event", reason=Reason.TRUNCATED, detail="40 newest pages")  # fmt: skip
    scan.gaps = [gap]
    scan.coverage = [
        replace(c, state=State.PARTIAL) if c.partition.kind == gap.kind else c
        for c in scan.coverage
    ]
    assert "40 newest pages" in closed(scan, "09:00")["aws.cloudtrail.event"]
    assert "aws.cloudtrail.event" not in closed(scan, "10:30")
    scan.gaps = [replace(gap, reason=Reason.DENIED)]
    assert "aws.cloudtrail.event" in closed(scan, "10:30")


def test_more_deployments_than_are_read_are_said_to_be_possible():
    assert deploying.NEWEST == DEPLOYMENTS
    many = [
        {"github.deployment": {"id": f"acme/a/{n}", "data": {
            "created_at": f"!12:{n:02}", "sha": "a", "repository": "acme/a", "environment": "p"}}}
        for n in range(DEPLOYMENTS)
    ]  # fmt: skip
    scan = scenes.made({"title": "", "now": "13:00", "noise": 0, "estate": many})
    assert "of acme/a does not reach back" in closed(scan, "11:00")["github.deployment"]
    assert "github.deployment" not in closed(scan, "12:00")
    few = scenes.made({"title": "", "now": "13:00", "noise": 0, "estate": many[1:]})
    assert "github.deployment" not in closed(few, "11:00")


def test_a_source_that_was_not_asked_for_is_said():
    scan = scenes.made({"title": "", "now": "13:00", "noise": 0, "estate": []})
    scan.coverage = [c for c in scan.coverage if c.partition.kind != "github.workflow_run"]
    assert "was not" in closed(scan, "12:00")["github.workflow_run"]
