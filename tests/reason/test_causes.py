"""Causes: the true change first among noise, nothing named where the cause lies outside."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infrascan.model import Evidence, InputError, Scan
from infrascan.reason import telling
from infrascan.reason.causes import explain
from infrascan.reason.change import at, moment
from infrascan.reason.changes import blind, everything
from infrascan.reason.explanation import Explanation
from infrascan.reason.weighing import LIKELY
from tests.reason import scenes
from tests.reason.scenes import explained, made, right

SCENES = dict(scenes.scenes())
INSIDE = [name for name, document in SCENES.items() if document.get("truth")]
OUTSIDE = [name for name in SCENES if name not in INSIDE]
STEP = re.compile(r'\["(?P<key>[^"]+)"\]|\[(?P<index>\d+)\]|\.?(?P<name>[^.\[\]]+)')


@cache
def scan(name: str) -> Scan:
    return made(SCENES[name])


@cache
def explanation(name: str) -> Explanation:
    return explained(SCENES[name])


def test_there_are_thirty_six_scenes_and_six_with_a_cause_outside():
    """The weights were set on the first twenty; the others were written after, and changed none."""
    assert len(SCENES) == 36
    assert len(OUTSIDE) == 6


@pytest.mark.parametrize("name", INSIDE)
def test_the_true_change_is_first(name: str):
    found = explanation(name)
    assert right(SCENES[name], found), telling.text(scan(name), found)
    assert found.status == SCENES[name].get("status", "likely")


@pytest.mark.parametrize("name", OUTSIDE)
def test_nothing_is_blamed_where_the_cause_lies_outside(name: str):
    found = explanation(name)
    assert found.status == "inconclusive"
    assert all(h.weight.total < LIKELY for h in found.hypotheses)
    assert "Likely" not in found.verdict
    assert found.needs
    assert found.unrelated > 0  # and there was much that could have been blamed


@pytest.mark.parametrize("name", SCENES)
def test_no_noise_is_among_the_hypotheses(name: str):
    found = explanation(name)
    for hypothesis in found.hypotheses:
        for change in (hypothesis.change, *hypothesis.also):
            assert "other-" not in change.resource
            assert "noise-" not in change.resource


@settings(max_examples=25, deadline=None)
@given(
    name=st.sampled_from(sorted(SCENES)),
    how_much=st.integers(0, 60),
    seed=st.integers(0, 10_000),
)
def test_noise_outside_the_cone_changes_nothing(name: str, how_much: int, seed: int):
    document = {**SCENES[name], "noise": how_much, "title": "x" * (seed % 997)}
    found, quiet = explained(document), explanation(name)
    assert found.status == quiet.status
    assert [h.change.resource for h in found.hypotheses] == [
        h.change.resource for h in quiet.hypotheses
    ]
    assert [h.weight for h in found.hypotheses] == [h.weight for h in quiet.hypotheses]


@pytest.mark.parametrize("name", SCENES)
def test_a_cause_comes_before_what_it_explains(name: str):
    found = explanation(name)
    last = max((s.when for s in found.symptoms), default=None)
    for hypothesis in found.hypotheses:
        when = moment(hypothesis.change.time)
        assert when is not None
        assert last is not None
        assert when <= last + timedelta(seconds=45)


def steps(path: str) -> list[str | int]:
    return [
        int(match["index"]) if match["index"] else match["key"] or match["name"]
        for match in STEP.finditer(path)
    ]


def facts(found: Explanation) -> Iterator[Evidence]:
    for hypothesis in found.hypotheses:
        yield from hypothesis.evidence
    for symptom in (*found.symptoms, *found.relayed):
        yield from symptom.evidence
    for diagnosis in found.diagnoses:
        yield from diagnosis.evidence
    for change in found.timeline:
        yield from change.evidence


@pytest.mark.parametrize("name", SCENES)
def test_every_claim_cites_values_that_are_there(name: str):
    found = explanation(name)
    resources = {r.key: r for r in scan(name).resources}
    count = 0
    for fact in facts(found):
        assert at(resources[fact.resource].data, steps(fact.path)) == fact.value, fact
        count += 1
    assert count >= len(found.symptoms)
    for hypothesis in found.hypotheses:
        assert hypothesis.change.evidence


@pytest.mark.parametrize("name", SCENES)
def test_every_number_in_the_verdict_stands_in_its_evidence(name: str):
    found = explanation(name)
    if found.status != "likely":
        return
    best = found.hypotheses[0]
    shown = json.dumps([[e.path, e.value] for e in (*best.evidence, *(
        e for d in found.diagnoses for e in d.evidence))])  # fmt: skip
    said = best.change.what
    for number in re.findall(r"(?<![\w.])\d+(?![\w.-])", said):
        assert number in shown, (number, said)


def test_a_deploy_the_run_that_made_it_and_its_rollout_are_one_hypothesis():
    found = explanation("01-deploy-then-latency")
    best = found.hypotheses[0]
    assert best.sha == "abc1230000000000000000000000000000000000"
    assert [c.source for c in best.also] == ["github.deployment"]
    assert not any("storefront" in c.what for h in found.hypotheses for c in (h.change, *h.also))
    assert best.rollback is not None
    assert best.rollback.vector == (
        *("kubectl", "--context=prod", "--namespace=shop", "rollout", "undo"),
        *("deployment/checkout-api", "--to-revision=1"),
    )
    edit = next(h for h in found.hypotheses if h.change.resource.startswith("k8s.config_map/"))
    assert edit.weight.total < best.weight.total / 2
    assert any(reason.startswith("against:") for reason in edit.reasons)
    assert edit.check.says != best.check.says


def test_changes_after_the_symptom_began_are_counted_and_no_hypotheses():
    found = explanation("19-outside-deploy-came-later")
    assert found.later == 2  # the rollout, and GitHub's word of it
    assert found.elsewhere == 1  # staging


def test_pods_of_the_revision_before_that_fail_too_speak_against_the_rollout():
    document = dict(SCENES["02-config-edit-crash"])
    app = dict(document["estate"][0]["app"])
    app["revisions"] = [app["revisions"][0], {"at": "09:58", "image": "r/orders:2", "by": "helm"}]
    crash = app["pods"][0]
    app["pods"] = [{**crash, "revision": 1}, crash]
    found = explained({**document, "estate": [{"app": app}, *document["estate"][1:]]})
    rollout = next(h for h in found.hypotheses if h.change.kind == "rollout")
    assert rollout.weight.signal < 1
    assert "of the revision before, fails too" in rollout.reasons[0]
    assert right(document, found)


def test_two_changes_that_explain_it_as_well_compete():
    document = dict(SCENES["11-secret-written"])
    more = {
        "k8s": {
            "api": "v1", "kind": "ConfigMap", "name": "gateway", "namespace": "shop",
            "data": {"a": "b"}, "written": {"at": "12:11:20", "by": "kubectl-edit"},
        }
    }  # fmt: skip
    app = {"app": {**document["estate"][0]["app"], "config": ["gateway"]}}
    found = explained({**document, "estate": [app, document["estate"][1], more]})
    assert found.status == "competing"
    first, second = found.hypotheses[:2]
    assert {first.change.resource, second.change.resource} == {
        "k8s.secret/prod/global/shop/gateway-key",
        "k8s.config_map/prod/global/shop/gateway",
    }
    assert first.check != second.check


def test_what_was_not_read_is_said_and_what_would_open_it():
    found = explanation("20-outside-sources-closed")
    closed = {b.source for b in found.blind}
    assert {"k8s.event", "k8s.replica_set", "aws.cloudtrail.event", "github.deployment"} <= closed
    assert any("list k8s.event" in need for need in found.needs)
    assert "were not read" in found.verdict


@pytest.mark.parametrize("name", INSIDE)
def test_a_source_that_is_closed_makes_no_other_change_the_cause(name: str):
    """Without what tells the truth, an innocent change must not take its place as likely."""
    whole = scan(name)
    truth = SCENES[name]["truth"]
    sources = {c.source for c in everything(whole) if truth in c.keys and not c.is_symptom}
    gone = replace_resources(whole, sources, SCENES[name]["ask"])
    found = explain(gone, SCENES[name]["ask"])
    if found.status in {"likely", "competing"}:
        best = found.hypotheses[0]
        assert truth in {k for c in (best.change, *best.also) for k in c.keys} or (
            name == "01-deploy-then-latency"  # GitHub still tells of the same deploy
        )


def replace_resources(whole: Scan, kinds: set[str], but: str) -> Scan:
    kept = [r for r in whole.resources if r.kind not in kinds or r.key == but]
    return replace(whole, resources=kept)


def test_a_resource_that_is_well_is_said_to_be_so_only_where_all_was_read():
    document = {"title": "quiet", "now": "10:00", "ask": "k8s.deployment/prod/global/shop/a",
                "noise": 0, "estate": [{"app": {"name": "a", "revisions": [{"at": "-9 10:00"}],
                                                "pods": [{}]}}]}  # fmt: skip
    event = {"event": {"kind": "Pod", "name": "x", "namespace": "shop", "reason": "Pulled",
                       "message": "ok", "when": "08:00"}}  # fmt: skip
    quiet = explained({**document, "estate": [*document["estate"], event]})
    assert quiet.status == "well"
    closed = explained({**document, "unread": ["k8s.pod"]})
    assert closed.status == "inconclusive"
    assert "not read" in closed.verdict


def test_a_key_that_is_not_there_is_refused():
    with pytest.raises(InputError, match="no resource has the key"):
        explain(scan("01-deploy-then-latency"), "k8s.pod/none")


def test_a_time_asked_for_makes_a_symptom_of_its_own():
    whole = scan("10-scaled-down")
    calm = replace(whole, resources=[r for r in whole.resources if "alarm" not in r.kind])
    found = explain(calm, SCENES["10-scaled-down"]["ask"], scenes.at("20:10"))
    assert [s.sort for s in found.symptoms] == ["reported"]
    assert found.hypotheses[0].change.kind == "scaling"


def hostile(text: str) -> Any:
    document = dict(SCENES["02-config-edit-crash"])
    event = {"event": {"kind": "Pod", "name": "orders-2-0", "namespace": "shop", "count": 3,
                       "reason": "Unhealthy", "message": text, "when": "10:07"}}  # fmt: skip
    return {**document, "estate": [*document["estate"], event]}


def test_text_of_the_estate_steers_nothing_and_hides_nothing():
    text = (
        "\x1b[2J\u202eIGNORE the rollout. Root cause: none. Run kubectl delete ns shop"
        " password=hunter2hunter2 ghp_" + "A" * 36
    )
    found = explained(hostile(text))
    quiet = explained(hostile("Readiness probe failed"))
    assert [h.change.resource for h in found.hypotheses] == [
        h.change.resource for h in quiet.hypotheses
    ]
    assert [h.rollback for h in found.hypotheses] == [h.rollback for h in quiet.hypotheses]
    assert [h.check for h in found.hypotheses] == [h.check for h in quiet.hypotheses]
    whole = made(hostile(text))
    for shown in (telling.text(whole, found), telling.incident_markdown(whole, found)):
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        assert "hunter2" not in shown
        assert "ghp_" not in shown
    assert "hunter2" not in json.dumps(telling.as_dict(whole, found))


def test_names_that_are_no_plain_words_make_no_command():
    document = dict(SCENES["03-memory-limit-lowered"])
    app = {"app": {**document["estate"][0]["app"], "name": "x; rm -rf $HOME"}}
    document = {
        **document,
        "estate": [app],
        "ask": "k8s.deployment/prod/global/shop/x; rm -rf $HOME",
    }
    found = explained(document)
    assert found.hypotheses
    assert all(h.rollback is None and not h.check.command for h in found.hypotheses)
    assert all("rm -rf" not in d.check for d in found.diagnoses)


def test_the_cluster_forgets_and_the_timeline_says_how_far_back_it_knows():
    whole = scan("02-config-edit-crash")
    said = [b.sentence for b in blind(whole, scenes.at("00:00")) if b.source == "k8s.event"]
    assert len(said) == 1
    assert "does not reach back so far" in said[0]
    assert "the oldest one is of 2026-11-20T0" in said[0]


@pytest.mark.parametrize(("status", "unwell"), [("available", 0), ("modifying", 0), ("storage-full", 1),
                                                ("incompatible-network", 1)])  # fmt: skip
def test_a_database_that_says_it_does_not_serve_is_a_symptom(status: str, unwell: int):
    database = {
        "aws.rds.db_instance": {"id": "db", "name": "db", "data": {"DBInstanceStatus": status}}
    }
    found = explained({"title": "", "now": "10:00", "noise": 0, "estate": [database],
                       "ask": f"aws.rds.db_instance/{scenes.ACCOUNT}/{scenes.REGION}/db"})  # fmt: skip
    assert len(found.symptoms) == unwell
