"""Formats by name, and what holds for all of them."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from infrascan.model import InputError
from infrascan.render import EXTENSIONS, FORMATS, known, markdown, render, terminal, write

from . import made_scans

SCANS = {
    "estate": made_scans.estate(60),
    "clean": made_scans.clean(),
    "nothing": made_scans.nothing(),
}


def test_an_unknown_format_names_the_nearest():
    with pytest.raises(InputError, match=r"unknown format 'markdwon'; did you mean markdown\?"):
        known("markdwon")
    with pytest.raises(InputError, match=r"formats: html, markdown, json"):
        known("xyzzy")


def test_formats_have_other_spellings():
    assert [known(n) for n in ("md", "HTML", ".json", "text")] == [
        "markdown",
        "html",
        "json",
        "terminal",
    ]


def test_every_format_has_an_extension_of_its_own():
    assert set(EXTENSIONS) == set(FORMATS)
    assert len(set(EXTENSIONS.values())) == len(FORMATS)


@pytest.mark.parametrize("scan", SCANS)
@pytest.mark.parametrize("name", FORMATS)
def test_the_same_scan_gives_the_same_bytes(name: str, scan: str):
    first, second = io.BytesIO(), io.BytesIO()
    size = write(name, SCANS[scan], first)
    write(name, SCANS[scan], second)
    assert first.getvalue() == second.getvalue()
    assert size == len(first.getvalue()) > 0


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "html"])
def test_no_piece_of_a_report_grows_with_the_findings(name: str):
    def largest(count: int) -> int:
        return max(map(len, render(name, made_scans.estate(count))))

    few = largest(300)
    assert largest(3000) < max(3 * few, 70_000)


def test_the_pieces_of_the_page_are_bounded_by_the_size_of_a_block():
    pieces = [
        piece
        for piece in render("html", made_scans.estate(12_000))
        if piece.startswith("<script type")
    ]
    assert len(pieces) == 2 + 1 + 12
    assert max(map(len, pieces)) < 600_000


def test_importing_the_formats_loads_no_template_engine_and_no_terminal():
    code = (
        "import sys, infrascan.render; print([m for m in ('jinja2', 'rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("findings", [0, 60, 5000])
def test_markdown_fits_a_comment(findings: int):
    text = "".join(render("markdown", made_scans.estate(findings)))
    assert len(text.encode()) <= markdown.LIMIT
    assert ("left out" in text) == (findings > 1000)


def test_markdown_fits_a_comment_whatever_the_names_are():
    for text in ("`" * 4000, "\u202e" * 500, "|" * 90):
        scan = made_scans.stained(text, 900)
        scan.identities *= 50
        assert len("".join(render("markdown", scan)).encode()) <= markdown.LIMIT


def test_markdown_says_how_many_findings_it_leaves_out():
    text = "".join(render("markdown", made_scans.estate(5000)))
    assert "of 5,000 left out to keep this short" in text


def test_a_clean_scan_says_that_all_was_read():
    text = "".join(render("markdown", SCANS["clean"]))
    assert "No gaps: everything in scope was read." in text
    assert "grade A, no findings" in text


def test_nothing_read_is_not_reported_as_clean():
    for name in ("html", "markdown", "terminal"):
        text = "".join(render(name, SCANS["nothing"]))
        assert "No gaps" not in text
        assert "Grade A" not in text
        assert "grade A," not in text


def test_an_interrupted_scan_says_so():
    scan = made_scans.estate(9)
    scan.interrupted = True
    for name in ("html", "markdown", "terminal"):
        assert "nterrupted" in "".join(render(name, scan))
    invocation = json.loads("".join(render("sarif", scan)))["runs"][0]["invocations"][0]
    assert invocation["executionSuccessful"] is False


def test_sarif_says_what_was_not_read():
    scan = made_scans.estate(9)
    run = json.loads("".join(render("sarif", scan)))["runs"][0]
    kinds = [result["kind"] for result in run["results"]]
    assert (kinds.count("fail"), kinds.count("open")) == (9, len(scan.unknowns))
    said = [n["message"]["text"] for n in run["invocations"][0]["toolExecutionNotifications"]]
    assert "Grant s3:GetBucketPolicy." in said[0]
    rules = run["tool"]["driver"]["rules"]
    assert all(rules[r["ruleIndex"]]["id"] == r["ruleId"] for r in run["results"])
    scores = {r["id"]: r["properties"].get("security-severity") for r in rules}
    assert scores["aws.rds.instance-open-to-internet"] == "9.5"
    assert scores["aws.autoscaling.group-idle"] is None


def test_sarif_is_successful_when_all_was_read():
    run = json.loads("".join(render("sarif", SCANS["clean"])))["runs"][0]
    assert run["invocations"][0]["executionSuccessful"] is True


def test_junit_counts_what_it_holds():
    tree = ElementTree.fromstring("".join(render("junit", made_scans.estate(60))))
    assert tree.attrib["tests"] == str(len(tree.findall(".//testcase")))
    assert tree.attrib["failures"] == str(len(tree.findall(".//failure"))) == "60"
    assert tree.attrib["errors"] == str(len(tree.findall(".//error"))) == "5"
    for suite in tree:
        assert suite.attrib["tests"] == str(len(suite.findall("testcase")))


def test_the_terminal_respects_the_width_and_no_color(monkeypatch: pytest.MonkeyPatch):
    from rich.console import Console

    monkeypatch.setenv("NO_COLOR", "1")
    for width in (40, 80, 160):
        out = io.StringIO()
        terminal.show(made_scans.estate(60), Console(file=out, width=width, force_terminal=True))
        styles = {
            code
            for found in re.findall(r"\x1b\[([\d;]*)m", out.getvalue())
            for code in found.split(";")
        }
        assert styles <= {"", "0", "1", "2", "4", "22"}  # bold, dim, underlined: no colour
        lines = re.sub(r"\x1b\[[\d;]*m", "", out.getvalue()).splitlines()
        assert max(map(len, lines)) <= width


def test_the_terminal_ends_with_where_the_reports_are():
    from rich.console import Console

    out = io.StringIO()
    terminal.show(made_scans.estate(60), Console(file=out, width=80), [("HTML", "out/report.html")])
    assert out.getvalue().rstrip().endswith("out/report.html")
