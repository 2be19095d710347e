"""`infrascan verify`: the demo's report proves itself offline; what was changed is named."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import CLEAN, FINDINGS, USAGE, Command
from tests.reason import proven

UNJUDGED = 3
MOST = 3_200_000  # bytes


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Path:
    """The report of the demo estate: ten providers, 1,490 resources."""
    infrascan = Command(tmp_path_factory.mktemp("demo"), cache)
    assert infrascan("run", "--demo", "--format", "json").code == CLEAN
    return infrascan.folder / "infrascan-report" / "report.json"


def changed(report: Path, folder: Path, section: str, old: bytes, new: bytes) -> Path:
    data = report.read_bytes()
    start = data.index(f'\n"{section}": '.encode())
    path = folder / "changed.json"
    path.write_bytes(data[:start] + data[start:].replace(old, new, 1))
    assert path.read_bytes() != data
    return path


def test_every_finding_of_the_demo_is_verified_offline(report: Path, infrascan: Command):
    done = infrascan("verify", report, "--json")
    assert done.code == CLEAN, done.out
    counts = done.json["counts"]
    summary = json.loads(report.read_text())["summary"]
    assert counts["finding"] == {"verified": summary["findings"], "broken": 0, "unverifiable": 0}
    assert counts["path"]["verified"] > 0
    assert (done.json["broken"], done.json["unverifiable"]) == ([], [])
    assert report.stat().st_size < MOST


def test_it_says_so_in_words(report: Path, infrascan: Command):
    done = infrascan("verify", report)
    assert done.code == CLEAN
    assert done.out.endswith(
        "All verified: nothing was changed, and every finding follows from the report.\n"
    )


def test_one_changed_byte_of_the_ledger_names_the_finding(
    report: Path, infrascan: Command, tmp_path: Path
):
    path = changed(report, tmp_path, "ledger", b"IgnorePublicAcls", b"IgnorePublicAclz")
    done = infrascan("verify", path, "--json")
    assert done.code == FINDINGS
    findings = {f["id"]: f for f in json.loads(report.read_text())["findings"]}
    broken = [c for c in done.json["broken"] if c["what"] == "finding"]
    (fact,) = (c["id"] for c in done.json["broken"] if c["what"] == "fact")
    assert broken
    assert {c["id"] for c in broken} == {
        f["id"] for f in findings.values() if fact in f["evidence"]
    }
    assert all(
        c["why"] == [f"it cites {fact}, which no sound line of the ledger has"] for c in broken
    )
    told = infrascan("verify", path)
    assert told.code == FINDINGS
    assert all(f"finding {c['id']}" in told.out for c in broken)


def test_a_report_can_come_on_standard_input(report: Path, infrascan: Command):
    done = subprocess.run(
        [sys.executable, "-m", "infrascan", "verify", "-"],
        input=report.read_bytes(),
        env=infrascan.variables(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == CLEAN, done.stderr
    assert b"All verified" in done.stdout


def test_what_is_no_report_is_refused_in_one_line(infrascan: Command, tmp_path: Path):
    for text in ("", "{}", '{"schema": "infrascan.report/1"}', "[1, 2"):
        path = tmp_path / "x.json"
        path.write_text(text)
        done = infrascan("verify", path)
        assert done.code == USAGE
        assert "is not an infrascan.report/2 report" in done.complaint
    done = infrascan("verify", tmp_path / "none.json")
    assert (done.code, "No such file" in done.complaint) == (USAGE, True)


def test_rules_of_ones_own_are_named_or_the_findings_cannot_be_judged(
    infrascan: Command, tmp_path: Path
):
    rules = proven.rules(tmp_path / "rules")
    path = tmp_path / "report.json"
    path.write_bytes(proven.report(proven.scan(rules)))
    done = infrascan("verify", path, "--json")
    assert done.code == UNJUDGED
    whys = {why for c in done.json["unverifiable"] for why in c["why"]}
    assert "there is no rule toy.shop.box-old here; --rules names a folder of rules" in whys
    assert done.json["counts"]["finding"]["unverifiable"] == 3


def test_words_from_the_estate_reach_a_terminal_inert(infrascan: Command, tmp_path: Path):
    scan = proven.scan(proven.rules(tmp_path / "rules"))
    scan.resources[0].name = "\x1b[2J\u202egnp"
    path = tmp_path / "report.json"
    path.write_bytes(proven.report(scan))
    done = infrascan("verify", path)
    assert "\x1b" not in done.out
    assert "\u202e" not in done.out
