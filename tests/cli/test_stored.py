"""Stored scans: listed, rendered again, compared and asked; a damaged one harms no other."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.cli.command import CLEAN, FINDINGS, USAGE, Command
from tests.servers.kubernetes import ApiServer

SCAN = ("run", "--providers", "k8s", "--format", "json")
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "second", "namespace": "shop"},
    "spec": {
        "containers": [
            {"name": "app", "image": "nginx:1.29", "securityContext": {"privileged": True}}
        ]
    },
    "status": {"phase": "Running"},
}


@pytest.fixture
def cluster(k8s: Callable[..., ApiServer]) -> ApiServer:
    return k8s()


def test_a_scan_goes_round_through_list_report_diff_and_query(
    infrascan: Command, cluster: ApiServer
):
    assert infrascan(*SCAN).code == CLEAN
    first = infrascan.report()
    cluster.add(POD)
    assert infrascan(*SCAN).code == CLEAN
    second = infrascan.report()

    listed = infrascan("scans", "--json").json
    assert [scan["id"] for scan in listed] == [second["scan"]["id"], first["scan"]["id"]]
    for line, scan in zip(infrascan("scans").out.splitlines(), listed, strict=True):
        assert line.startswith(scan["id"])

    for wanted, whole in (("latest~1", first), (second["scan"]["id"][:-1], second)):
        again = infrascan("report", wanted, "--format", "json", "--output", "-")
        assert again.json == whole

    compared = infrascan("diff", "--format", "json", "--fail-on", "high")
    assert compared.code == FINDINGS
    assert "second" in compared.out
    assert infrascan("diff", "latest", "latest", "--fail-on", "info").code == CLEAN
    assert infrascan("diff").out
    assert infrascan("diff", "--format", "markdown").out

    rows = infrascan(
        "sql", "select name from resources where kind = 'k8s.pod' order by 1", "--json"
    )
    assert rows.json == [{"name": "second"}, {"name": "web"}]
    table = infrascan("sql", "select count(*) as pods from resources where kind = 'k8s.pod'")
    assert table.out.split() == ["pods", "2"]
    every = infrascan("sql", "select count(distinct scan) as scans from findings", "--scan", "all")
    assert every.out.split() == ["scans", "2"]

    pruned = infrascan("scans", "--prune", "1")
    assert pruned.code == CLEAN
    assert f"deleted {first['scan']['id']}" in pruned.err
    assert [scan["id"] for scan in infrascan("scans", "--json").json] == [second["scan"]["id"]]


def test_a_query_that_is_wrong_or_not_allowed_is_one_line(infrascan: Command, cluster: ApiServer):
    infrascan(*SCAN)
    for query in (
        "selct 1",
        "select nothing from findings",
        "delete from findings",
        "select * from read_text('/etc/passwd')",
        "copy findings to 'out.csv'",
        "",
    ):
        done = infrascan("sql", query)
        assert (done.code, done.out) == (USAGE, ""), query
        assert done.complaint
    assert not (infrascan.folder / "out.csv").exists()


def test_a_scan_id_that_is_nearly_right_is_named(infrascan: Command, cluster: ApiServer):
    infrascan(*SCAN)
    (scan,) = infrascan("scans", "--json").json
    wrong = scan["id"].replace("T", "X")
    for words in (("report", wrong), ("diff", wrong), ("sql", "select 1", "--scan", wrong)):
        done = infrascan(*words)
        assert done.code == USAGE
        assert f"did you mean {scan['id']}?" in done.complaint
    for words in (("report", "latest~3"), ("diff",)):
        done = infrascan(*words)
        assert done.code == USAGE
        assert "before the latest" in done.complaint


def test_a_damaged_scan_is_marked_and_the_others_stay_usable(
    infrascan: Command, cluster: ApiServer
):
    for _ in range(4):
        assert infrascan(*SCAN).code == CLEAN
    whole, cut, garbled, bare = infrascan("scans", "--json").json
    scans = infrascan.kept / "scans"
    table = scans / cut["id"] / "findings.parquet"
    table.write_bytes(table.read_bytes()[:-50])
    (scans / garbled["id"] / "manifest.json").write_bytes(b"\x00\xff{" * 40)
    for path in (scans / bare["id"]).iterdir():
        path.unlink()

    listed = infrascan("scans")
    assert listed.code == CLEAN
    lines = {line.partition(" ")[0]: line for line in listed.out.splitlines()}
    assert len(lines) == 4
    assert "cannot be used" in lines[garbled["id"]]
    assert "cannot be used" in lines[bare["id"]]
    assert "cannot be used" not in lines[whole["id"]]
    for broken in (cut, garbled, bare):
        for words in (("report", broken["id"]), ("diff", broken["id"], "latest")):
            done = infrascan(*words)
            assert done.code == USAGE
            assert f"scan {broken['id']} cannot be used" in done.complaint
    again = infrascan("report", "latest", "--format", "json", "--output", "-")
    assert again.json["scan"]["id"] == whole["id"]
    assert json.loads(infrascan("sql", "select 1 as one", "--json").out) == [{"one": 1}]


def test_a_home_without_scans_is_no_fault(infrascan: Command):
    done = infrascan("scans")
    assert (done.code, done.out) == (CLEAN, "")
    assert done.complaint == "infrascan: no scans yet; make one with: infrascan run --demo"
    assert infrascan("scans", "--json").json == []
