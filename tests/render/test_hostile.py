"""A scan full of hostile strings has the same shape in every format as one full of plain ones."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from rich.console import Console

from infrascan.render import FORMATS, terminal, write
from infrascan.render.loading import load
from infrascan.shipped import shipped

from . import made_scans

NASTY = (
    "<script>hacked=1</script>",
    "</script><script>hacked=1</script>",
    "</style></title></textarea><img src=x onerror=hacked=1>",
    "<!--",
    "-->]]>",
    "\"><svg onload='hacked=1'>",
    "{{7*7}}{% raw %}",
    "a|b|c",
    "`ls` ``",
    "```\n# heading\n| a | b |\n|---|---|\n",
    "<details><summary>",
    "![x](https://evil.example/p.png) [y](javascript:z) @everyone #1",
    "line\nbreak\r\n\ttab",
    "\x1b[2J\x1b]8;;https://evil.example\x07link\x1b]8;;\x07\x9b31m",
    "\u202egnp.exe\u2066\u200b\u200f\ufeff\U000e0041",
    "nul\x00byte\x7f",
    "lone \ud800 surrogate",
    '=HYPERLINK("https://evil.example","x")',
    "@SUM(1+9)*cmd|' /C calc'!A0",
    "-1+1",
    "[bold red]markup[/] [link=https://evil.example]x[/link] :smile:",
    "{0} [text](1)",
    "$(reboot) && rm -rf /",
    "..",
    "a" * 5000,
    "",
    " ",
)
# Names that are shown: a report leaves out a column of blanks, and a command nobody could read.
SHOWN = tuple(text for text in NASTY if text.strip() and len(text) < 800)


def report(name: str, text: str, findings: int = 9) -> str:
    out = io.BytesIO()
    write(name, made_scans.stained(text, findings), out)
    return out.getvalue().decode()


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("text", NASTY, ids=lambda text: repr(text)[:24])
def test_no_format_lets_a_steering_character_through(name: str, text: str):
    kept = {
        c for c in report(name, text) if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
    }
    assert kept <= {"\n", "\r"}
    assert "\r" not in kept or name == "csv"


class Shape(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, ...]] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, *(name for name, _ in attrs)))
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]

    def handle_comment(self, data: str) -> None:
        self.seen.append(("comment",))


def shape(page: str) -> Shape:
    parser = Shape()
    parser.feed(page)
    parser.close()
    return parser


# The page shows a link for each address that is one, which depends on the text that is in it.
def without_links(page: str) -> str:
    return re.sub(r'<p><a href="https[^"]*" rel="noopener noreferrer">[^<]*</a></p>', "", page)


@pytest.mark.parametrize("text", SHOWN, ids=lambda text: repr(text)[:24])
def test_the_page_has_the_same_elements_whatever_the_names_are(text: str):
    found = shape(without_links(report("html", text)))
    assert found.seen == shape(without_links(report("html", "plain"))).seen
    links = shape(report("html", text)).links
    assert all(link.startswith(("#", "https://")) for link in links)


def blocks(markdown: str) -> tuple[list[str], list[str]]:
    """The blocks of a document, and the markup within them that is not text."""
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(markdown)
    inline = [t for token in tokens for t in token.children or ()]
    plain = {"text", "text_special", "code_inline", "softbreak", "hardbreak"}
    return (
        [t.type for t in tokens],
        sorted({t.content or t.type for t in inline if t.type not in plain}),
    )


@pytest.mark.parametrize("text", SHOWN, ids=lambda text: repr(text)[:24])
def test_markdown_has_the_same_blocks_whatever_the_names_are(text: str):
    kinds, markup = blocks(report("markdown", text))
    plain_kinds, plain_markup = blocks(report("markdown", "plain"))
    assert kinds == plain_kinds
    assert set(markup) - set(plain_markup) <= {"<code>", "</code>"}


@pytest.mark.parametrize("text", NASTY, ids=lambda text: repr(text)[:24])
def test_csv_keeps_its_columns_and_holds_no_formula(text: str):
    rows = list(csv.reader(io.StringIO(report("csv", text), newline="")))
    assert len(rows) == 1 + 9 + 5
    assert {len(row) for row in rows} == {len(rows[0])}
    assert not [field for row in rows for field in row if field.startswith(("=", "+", "-", "@"))]


@pytest.mark.parametrize("text", NASTY, ids=lambda text: repr(text)[:24])
def test_junit_keeps_its_shape(text: str):
    found = [element.tag for element in ElementTree.fromstring(report("junit", text)).iter()]
    plain = [element.tag for element in ElementTree.fromstring(report("junit", "plain")).iter()]
    assert found == plain


@pytest.mark.parametrize("text", NASTY, ids=lambda text: repr(text)[:24])
def test_sarif_stays_valid(text: str, sarif_schema: Any):
    log = json.loads(report("sarif", text))
    sarif_schema.validate(log)
    for result in log["runs"][0]["results"]:
        assert "](" not in result["message"]["text"]
        for location in result["locations"]:
            uri = location["physicalLocation"]["artifactLocation"]["uri"]
            assert re.fullmatch(r"[\w%.~-]+(/[\w%.~-]+)+", uri)
            assert not {"", ".", ".."} & set(uri.split("/"))


@pytest.mark.parametrize("text", NASTY, ids=lambda text: repr(text)[:24])
def test_json_keeps_the_strings_whole(text: str):
    scan = made_scans.stained(text)
    again = load(report("json", text))
    assert {finding.name for finding in again.findings} == {text}
    assert sorted(again.findings, key=lambda f: f.resource) == sorted(
        scan.findings, key=lambda f: f.resource
    )


@pytest.mark.parametrize("text", NASTY, ids=lambda text: repr(text)[:24])
def test_the_terminal_gets_no_escape_that_is_not_richs_own(text: str):
    out = io.StringIO()
    console = Console(
        file=out, force_terminal=True, color_system="truecolor", width=80, legacy_windows=False
    )
    terminal.show(made_scans.stained(text), console, [("html", f"/tmp/{text}")])
    left = re.sub(r"\x1b\[[\d;]*m", "", out.getvalue())
    assert not {unicodedata.category(c) for c in left} & {"Cf", "Cs", "Zl", "Zp"}
    assert {c for c in left if unicodedata.category(c) == "Cc"} <= {"\n"}


def test_the_terminal_shows_rich_markup_as_text():
    text = "".join(terminal.chunks(made_scans.stained("[bold red]x[/] :smile:")))
    assert "[bold red]x[/] :smile:" in text


@given(
    st.text(
        st.sampled_from("|`<>\\\"'&[]()*_#@!~=-+:/. \n\x1b\u202e\x00a"), min_size=1, max_size=30
    )
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_name_leaves_the_shape_of_a_page_and_of_markdown(text: str):
    stained, plain = f"x{text}", "plain"
    assert (
        shape(without_links(report("html", stained, 3))).seen
        == shape(without_links(report("html", plain, 3))).seen
    )
    assert blocks(report("markdown", stained, 3))[0] == blocks(report("markdown", plain, 3))[0]


@pytest.fixture(scope="module")
def sarif_schema() -> Any:
    schema = json.loads(
        (Path(__file__).parents[2] / "fixtures/sarif/sarif-2.1.0.json").read_text("utf-8")
    )
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())


@pytest.mark.parametrize("text", NASTY, ids=lambda text: repr(text)[:24])
def test_the_json_report_stays_valid(text: str):
    schema = json.loads((shipped("reports") / "json/report-2.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator(schema).validate(json.loads(report("json", text)))
