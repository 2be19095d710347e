"""The JSON report keeps to its schema, and everything can be rendered from it again."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from infrascan.model import InputError, Scan
from infrascan.render import FORMATS, render
from infrascan.render.loading import load
from infrascan.shipped import shipped

from . import made_scans

SCANS = {
    "estate": made_scans.estate(200),
    "clean": made_scans.clean(),
    "nothing": made_scans.nothing(),
}


def schema() -> Any:
    return json.loads((shipped("reports") / "json/report-2.schema.json").read_text("utf-8"))


def report(scan: Scan) -> str:
    return "".join(render("json", scan))


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("name", SCANS)
def test_a_report_keeps_to_the_schema(name: str):
    jsonschema.Draft202012Validator(schema()).validate(json.loads(report(SCANS[name])))


def test_the_schema_refuses_what_is_not_a_report():
    for change in ({"schema": "infrascan.report/1"}, {"findings": [{}]}, {"extra": 1}):
        damaged = {**json.loads(report(SCANS["estate"])), **change}
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.Draft202012Validator(schema()).validate(damaged)


def described(node: Any) -> Any:
    """Every object schema with its properties."""
    if isinstance(node, dict):
        if "properties" in node:
            yield node
        for item in node.values():
            yield from described(item)
    elif isinstance(node, list):
        for item in node:
            yield from described(item)


def test_the_schema_leaves_no_member_open():
    for node in described(schema()):
        assert node["additionalProperties"] is False
        assert set(node["required"]) <= set(node["properties"])


@pytest.mark.parametrize("scan", SCANS)
@pytest.mark.parametrize("name", FORMATS)
def test_every_format_can_be_rendered_from_the_report(name: str, scan: str):
    again = load(report(SCANS[scan]))
    assert "".join(render(name, again)) == "".join(render(name, SCANS[scan]))


def test_nothing_of_a_finding_or_a_gap_is_lost():
    scan = SCANS["estate"]
    again = load(report(scan))
    assert {f.id: f for f in again.findings} == {f.id: f for f in scan.findings}
    assert (again.gaps, again.unknowns) == (scan.gaps, scan.unknowns)
    assert (again.coverage, again.identities) == (scan.coverage, scan.identities)
    assert (again.rules, again.scope) == (scan.rules, scan.scope)


def test_a_finding_that_differs_from_its_rule_keeps_its_own_text():
    from dataclasses import replace

    scan = made_scans.estate(30)
    scan.findings[20] = replace(scan.findings[20], why="Its own reason.")
    found = {f.id: f.why for f in load(report(scan)).findings}
    assert found[scan.findings[20].id] == "Its own reason."
    assert found == {f.id: f.why for f in scan.findings}


def test_what_rules_say_is_written_once():
    text = report(made_scans.estate(500))
    assert text.count("Anyone on the internet can reach the login prompt") == 1


def test_each_finding_has_a_line_of_its_own():
    text = report(SCANS["estate"])
    lines = [json.loads(line.rstrip(",")) for line in text.splitlines() if '"saving_note"' in line]
    assert len(lines) == 200


def test_the_worst_finding_comes_first():
    first = json.loads(report(SCANS["estate"]))["findings"][0]
    assert (first["severity"], first["category"]) == ("critical", "security")


def test_numbers_that_json_lacks_are_null():
    from dataclasses import replace

    scan = made_scans.estate(9)
    odd = replace(scan.findings[0].evidence[0], value={"a": [float("inf"), float("nan"), 1.5]})
    scan.findings[0] = replace(scan.findings[0], evidence=(odd,))
    found = json.loads(report(scan), parse_constant=pytest.fail)
    values = [fact["value"] for fact in found["ledger"]]
    assert {"a": [None, None, 1.5]} in values


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "x.json is not JSON"),
        ("[]", "not an infrascan.report/2 report: it has no schema"),
        ('{"schema": "other/1"}', "its schema is 'other/1'"),
        ('{"schema": "infrascan.report/2"}', "x.json is incomplete: no 'scan'"),
        ("[" * 100_000, "x.json is not JSON"),
    ],
)
def test_what_is_not_a_report_is_refused_in_one_line(text: str, said: str):
    with pytest.raises(InputError) as error:
        load(text, "x.json")
    assert said in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r["unknowns"][0].update(gap=999),
        lambda r: r["unknowns"][0].update(gap=-1),
        lambda r: r["findings"][0].update(severity="severe"),
        lambda r: r["findings"][0].update(name=None),
        lambda r: r["findings"][0].update(rule="other"),
        lambda r: r.update(findings=7),
        lambda r: r["coverage"].append([]),
    ],
)
def test_a_damaged_report_is_refused(change: Any):
    damaged = json.loads(report(SCANS["estate"]))
    change(damaged)
    with pytest.raises(InputError, match=r"x\.json is (damaged|incomplete)"):
        load(json.dumps(damaged), "x.json")
