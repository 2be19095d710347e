"""Paths and issues of stored scans: pages, filters and what may be missing, from every door."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infrascan.cli import main
from infrascan.model import InputError
from infrascan.reason.queries import issues, paths
from infrascan.store.scans import read, write
from tests.render import made_scans


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    monkeypatch.setenv("INFRASCAN_HOME", str(folder))
    folder.mkdir(mode=0o700)
    write(made_scans.estate(20), folder)
    return folder


def run(*arguments: str) -> None:
    with pytest.raises(SystemExit) as left:
        main(list(arguments))
    assert left.value.code == 0


def test_what_was_stored_is_read_back(home: Path) -> None:
    made, again = made_scans.estate(20), read(home, "latest")

    assert (again.paths, again.cuts, again.issues) == (made.paths, made.cuts, made.issues)
    assert again.path_notes == made.path_notes


def test_paths_come_with_their_steps_cuts_and_notes(home: Path) -> None:
    answer = paths(home)

    assert [path["severity"] for path in answer["paths"]] == ["critical", "high"]
    assert [step["stage"] for step in answer["paths"][0]["steps"]] == ["reach", "identity", "data"]
    assert answer["paths"][0]["steps"][0]["evidence"]
    assert len(answer["cuts"][0]["paths"]) == 2
    assert answer["notes"]
    assert answer["coverage_percent"] < 100


def test_a_cursor_goes_on_where_the_page_ended(home: Path) -> None:
    first = paths(home, limit=1)
    second = paths(home, limit=1, cursor=first["cursor"])

    assert first["total"] == second["total"] == 2
    assert first["paths"][0]["id"] != second["paths"][0]["id"]
    assert not second["cursor"]


def test_paths_are_filtered_by_severity_and_text(home: Path) -> None:
    assert paths(home, severity="critical")["total"] == 1
    assert paths(home, text="internet")["total"] == 2
    assert paths(home, text="no such thing")["total"] == 0
    with pytest.raises(InputError, match="unknown severity 'bad'"):
        paths(home, severity="bad")


def test_issues_name_their_findings_and_paths(home: Path) -> None:
    (issue,) = issues(home)["issues"]

    assert len(issue["findings"]) == 2
    assert issue["paths"] == [paths(home)["paths"][0]["id"]]


def test_the_command_tells_paths_and_what_ends_them(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("paths")
    said = capsys.readouterr()

    assert said.out.startswith("CRITICAL From the internet through")
    assert "1 change ends 2 paths:" in said.out
    assert "unsure   s3.GetBucketPolicy was not read" in said.out
    assert "was not read everywhere" in said.err
    assert str(home) not in said.out


def test_the_command_answers_in_json(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("paths", "--json", "--severity", "critical")
    answer = json.loads(capsys.readouterr().out)

    assert answer["total"] == 1
    assert answer["paths"] == paths(home, severity="critical")["paths"]


def test_a_scan_without_paths_says_so_with_its_coverage(
    tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scan = made_scans.clean()
    scan.id = "20261121T100000Z-aaaa"
    write(scan, home)
    run("paths")

    assert "No path from the internet to data was found." in capsys.readouterr().out
