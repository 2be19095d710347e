"""Questions on scans: complete, stable from page to page, and honest about what was not read."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infrascan import queries
from infrascan.model import SEVERITIES, InputError, Scan
from infrascan.reason.spending import spending
from infrascan.store.scans import write
from tests.store.estate import IDLE, OPEN, PLAIN, clone, estate, judged
from tests.store.test_diff import deny, flagged


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    write(estate(60, id="older"), home)
    write(newer(), home)
    return home


def newer() -> Scan:
    resources = clone(estate(120)).resources
    for resource in resources:
        resource.links = {}
    volumes = [r for r in resources if r.kind == "aws.ec2.volume"]
    for resource in volumes[:3]:
        deny(resource, "Encrypted")
    return judged(resources, "newer")


def all_pages(ask: Callable[..., dict[str, Any]], name: str, **filters: Any) -> list[Any]:
    found, cursor = [], ""
    while True:
        answer = ask(cursor=cursor, **filters)
        found += answer[name]
        cursor = answer["cursor"]
        if not cursor:
            assert answer["total"] == len(found)
            return found


ASKED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("list_scans", {}),
    ("get_findings", {}),
    ("get_gaps", {}),
    ("coverage", {}),
    ("get_resources", {"documents": True}),
    ("top_savings", {}),
    ("diff_scans", {}),
    ("query", {"sql": "SELECT * FROM findings", "untrusted": False}),
)


@pytest.mark.parametrize(("name", "arguments"), ASKED)
def test_every_answer_is_json_and_the_same_again(
    home: Path, name: str, arguments: dict[str, Any]
) -> None:
    ask = getattr(queries, name)
    answer = ask(home, **arguments)
    assert json.loads(json.dumps(answer)) == answer
    assert ask(home, **arguments) == answer
    assert inspect.getdoc(ask)


def test_scans_are_listed_in_pages(home: Path) -> None:
    found = all_pages(lambda **more: queries.list_scans(home, limit=1, **more), "scans")
    assert [scan["id"] for scan in found] == ["newer", "older"]
    assert found[0]["findings"] == len(newer().findings)


@pytest.mark.parametrize("limit", [1, 7, 500])
def test_pages_of_findings_are_complete_and_worst_first(home: Path, limit: int) -> None:
    found = all_pages(lambda **more: queries.get_findings(home, limit=limit, **more), "findings")
    assert sorted(one["id"] for one in found) == sorted(one.id for one in newer().findings)
    order = [
        (SEVERITIES.index(one["severity"]), -(one["monthly_saving"] or 0.0), one["rule"], one["resource"])
        for one in found
    ]  # fmt: skip
    assert order == sorted(order)
    assert len(set(order)) == len(order)  # nothing is left to chance


@pytest.mark.parametrize(
    ("filters", "holds"),
    [
        ({"severity": "high"}, lambda f: f.severity in ("critical", "high")),
        ({"category": "cost"}, lambda f: f.category == "cost"),
        ({"provider": "aws"}, lambda f: True),
        ({"account": "111122223333"}, lambda f: f.account == "111122223333"),
        ({"region": "eu-west-1"}, lambda f: f.region == "eu-west-1"),
        ({"kind": "aws.ec2.volume"}, lambda f: f.kind == "aws.ec2.volume"),
        ({"rule": IDLE}, lambda f: f.rule == IDLE),
        ({"text": "WEB-1"}, lambda f: "web-1" in f.name),
        ({"text": "100%_'"}, lambda f: False),
        (
            {"rule": IDLE, "region": "us-east-1"},
            lambda f: f.rule == IDLE and f.region == "us-east-1",
        ),
    ],
)
def test_filters_keep_what_they_say(
    home: Path, filters: dict[str, str], holds: Callable[[Any], bool]
) -> None:
    found = all_pages(
        lambda **more: queries.get_findings(home, limit=50, **more), "findings", **filters
    )
    expected = {finding.id for finding in newer().findings if holds(finding)}
    assert {one["id"] for one in found} == expected


def test_an_empty_answer_says_that_nobody_looked(home: Path) -> None:
    answer = queries.get_findings(home, kind="aws.ec2.volum", region="mars")
    assert answer["findings"] == []
    assert answer["notes"] == [
        "no region 'mars' was scanned",
        "no kind 'aws.ec2.volum' was scanned; did you mean aws.ec2.volume?",
    ]
    assert queries.get_findings(home, rule=PLAIN)["unknown"] == 3
    assert queries.get_findings(home, rule=OPEN)["unknown"] == 0


def test_a_cursor_stays_with_its_scan_and_its_question(tmp_path: Path) -> None:
    write(estate(60, id="one"), tmp_path)
    first = queries.get_findings(tmp_path, limit=5)
    write(estate(20, id="two"), tmp_path)
    second = queries.get_findings(tmp_path, limit=5, cursor=first["cursor"])
    assert second["scan"] == "one"
    with pytest.raises(InputError, match="another question"):
        queries.get_findings(tmp_path, limit=5, rule=PLAIN, cursor=first["cursor"])
    with pytest.raises(InputError, match="another question"):
        queries.list_scans(tmp_path, cursor=first["cursor"])
    for broken in ("x", "AAAA", "W10=", "é", "WyJvbmUiLCAiIiwgLTFd"):
        with pytest.raises(InputError, match=r"not a cursor|another question"):
            queries.get_findings(tmp_path, cursor=broken)


def test_a_finding_comes_with_its_resource_and_neighbours(home: Path) -> None:
    scan = newer()
    one = next(f for f in scan.findings if f.rule == OPEN)
    answer = queries.get_finding(home, one.id[:12])
    assert answer["finding"]["id"] == one.id
    assert answer["finding"]["why"] == one.why
    assert answer["finding"]["evidence"][0]["value"] == "0.0.0.0/0"
    assert answer["finding"]["controls"] == {"cis-aws-5.0": ["2.2.3"], "soc2": ["CC6.6"]}
    resource = next(r for r in scan.resources if r.key == one.resource)
    assert answer["resource"]["data"] == resource.data
    assert {edge["resource"] for edge in answer["connected"]} == {
        edge.source for edge in scan.edges if edge.target == one.resource
    }


@pytest.mark.parametrize("id", ["", "zzz", "' OR 1=1 --"])
def test_a_finding_that_is_not_there_is_one_line(home: Path, id: str) -> None:
    with pytest.raises(InputError, match="has no finding") as error:
        queries.get_finding(home, id)
    assert "\n" not in str(error.value)


def test_gaps_are_grouped_by_what_closes_them(home: Path) -> None:
    gaps = queries.get_gaps(home, reason="denied")["gaps"]
    assert sum(gap["count"] for gap in gaps) == len(newer().gaps)
    assert any(gap["permission"] == "ec2:DescribeVolumeAttribute" for gap in gaps)
    counts = [gap["count"] for gap in gaps]
    assert counts == sorted(counts, reverse=True)
    assert queries.get_gaps(home, reason="throttled")["gaps"] == []


def test_coverage_names_what_is_not_whole(home: Path) -> None:
    scan = newer()
    answer = queries.coverage(home)
    assert answer["percent"] == scan.coverage_percent
    assert len(answer["not_whole"]) == sum(entry.state != "read" for entry in scan.coverage)
    assert sum(row["resources"] for row in answer["accounts"]) == len(scan.resources)
    assert answer["unknown"] == len(scan.unknowns)


def test_resources_are_found_by_kind_and_tag(home: Path) -> None:
    answer = queries.get_resources(home, kind="aws.ec2.instance", text="team-3", limit=500)
    assert {one["tags"]["team"] for one in answer["resources"]} == {"team-3"}
    assert "data" not in answer["resources"][0]
    whole = queries.get_resources(home, kind="aws.ec2.instance", documents=True, limit=1)
    assert whole["resources"][0]["data"]["InstanceType"]


def test_savings_are_the_largest_first_and_their_sum_is_the_scans(home: Path) -> None:
    answer = queries.top_savings(home, limit=3)
    amounts = [one["monthly_saving"] for one in answer["findings"]]
    assert len(amounts) == 3
    assert amounts == sorted(amounts, reverse=True)
    assert answer["monthly_saving"] == newer().monthly_saving
    assert sum(rule["monthly_saving"] for rule in answer["rules"]) == pytest.approx(
        newer().monthly_saving
    )


def test_spending_by_owner_is_the_scans_and_no_owner_is_said(tmp_path: Path) -> None:
    scan = newer()
    scan.spending = spending(scan)
    write(scan, tmp_path)
    for by in ("owner", "service", "provider"):
        answer = queries.spending(tmp_path, by=by)
        assert sum(row["cost"] for row in answer["spending"]) == pytest.approx(
            sum(r.data.get("monthly_cost", 0.0) for r in scan.resources)
        )
        assert all(row["saving"] <= row["cost"] for row in answer["spending"])
    owners = {row["name"]: row for row in queries.spending(tmp_path)["spending"]}
    assert owners["team-3"]["told"] == ["tag team"]
    assert queries.spending(tmp_path, by="provider")["spending"][0]["name"] == "aws"
    with pytest.raises(InputError, match="unknown grouping 'colour'"):
        queries.spending(tmp_path, by="colour")


def test_the_diff_and_sql_answer_too(home: Path) -> None:
    found = queries.diff_scans(home)
    assert (found["before"], found["after"]) == ("older", "newer")
    counts = found["summary"]["findings"]
    gone = ("fixed", "changed", "became_unknown", "no_longer_scanned", "unchanged")
    assert sum(counts[name] for name in gone) == len(estate(60).findings)
    rows = queries.query(home, "SELECT count(*) AS n FROM findings")
    assert (rows["columns"], rows["rows"]) == (["n"], [[len(newer().findings)]])
    with pytest.raises(InputError):
        queries.query(home, "DROP VIEW findings")


@pytest.mark.parametrize(
    "wrong",
    [
        {"severity": "awful"},
        {"category": "style"},
        {"scan": "none-such"},
        {"limit": 0},
        {"limit": -5},
    ],
)
def test_wrong_arguments_are_one_line(home: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError) as error:
        queries.get_findings(home, **wrong)
    assert "\n" not in str(error.value)


def test_a_flagged_resource_can_be_told_from_its_key(home: Path) -> None:
    target = flagged(newer(), PLAIN)
    (finding,) = queries.get_findings(home, rule=PLAIN, text=target.id)["findings"]
    assert finding["resource"] == target.key
