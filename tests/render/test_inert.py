"""Strings from outside cannot become anything but text, whatever they hold."""

from __future__ import annotations

import csv
import io
import sys
import unicodedata
from html.parser import HTMLParser
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from infrascan.render import inert

STEERING = "\x1b\x00\x07\r\n\t\x9b\u202e\u2066\u200b\u200f\ufeff\u2028\xad\U000e0041\ud800"
anything = st.text(max_size=40) | st.text(
    st.sampled_from(list("|`\\<>&\"'[]()*_#@!$~=-+:/.0a é") + list(STEERING)), max_size=25
)


class Elements(HTMLParser):
    """What a browser would see: tags with their attributes, and the text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.other = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.other += 1

    def handle_decl(self, decl: str) -> None:
        self.other += 1

    def handle_pi(self, data: str) -> None:
        self.other += 1


def test_every_character_without_a_shape_of_its_own_is_escaped():
    unseen = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    kept = [
        f"U+{code:04X}"
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)) in unseen and inert.visible(chr(code)) == chr(code)
    ]
    assert kept == []


def test_every_odd_space_becomes_a_plain_one():
    spaces = [chr(c) for c in range(sys.maxunicode + 1) if unicodedata.category(chr(c)) == "Zs"]
    assert {inert.visible(space) for space in spaces} == {" "}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("orders-db", "orders-db"),
        ("größe 你好", "größe 你好"),
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("a\r\nb\tc", "a\\r\\nb\\tc"),
        ("invoice\u202efdp.exe", "invoice\\u202efdp.exe"),
        ("pay\u200bpal", "pay\\u200bpal"),
        ("a\x00b", "a\\x00b"),
        ("\ud83d", "\\ud83d"),
        ("tag\U000e0041", "tag\\U000e0041"),
    ],
)
def test_what_cannot_be_seen_is_spelled_out(text: str, shown: str):
    assert inert.visible(text) == shown


@given(anything)
def test_visible_text_is_one_line_that_can_be_encoded(text: str):
    shown = inert.visible(text)
    shown.encode()
    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert inert.visible(shown) == shown


@given(anything)
@example("<script>alert(1)</script>")
@example("--></style><!--")
@example("\"' onmouseover=x ")
def test_html_gains_no_element_and_no_attribute(text: str):
    page = Elements()
    page.feed(f'<p title="{inert.html(text)}">{inert.html(text)}</p>')
    page.close()
    assert page.tags == [("p", {"title": inert.visible(text)})]
    assert (page.text, page.other) == (inert.visible(text), 0)


@given(anything)
def test_xml_keeps_its_shape(text: str):
    tree = ElementTree.fromstring(f'<a b="{inert.xml(text)}">{inert.xml(text)}</a>')
    assert (len(tree), tree.attrib, tree.text or "") == (
        0,
        {"b": inert.visible(text)},
        inert.visible(text),
    )


def seen(tokens) -> str:  # type: ignore[no-untyped-def]
    """The text that inline tokens show, those of a <code> element included."""
    return "".join(t.content for t in tokens if t.type in {"text", "code_inline"})


@given(anything, anything)
@example("a|b", "a|b")
@example("`", "``")
@example("\\", "\\|")
@example("</code><img src=x>", "![x](y)")
@example("www.example.org @team #12", "www.example.org @team #12")
def test_a_markdown_table_keeps_its_cells(first: str, second: str):
    row = f"| {inert.code(first)} | {inert.markdown(second)} | end |"
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(
        f"| a | b | c |\n|---|---|---|\n{row}\n\nafter"
    )
    cells = [tokens[i + 1] for i, t in enumerate(tokens) if t.type == "td_open"]
    assert [t.type for t in tokens if t.level == 0] == [
        "table_open",
        "table_close",
        "paragraph_open",
        "paragraph_close",
    ]
    assert len(cells) == 3
    assert cells[2].content == "end"
    markup = [
        t
        for cell in cells
        for t in cell.children
        if t.type not in {"text", "code_inline", "text_special"}
    ]
    assert {t.content for t in markup} <= {"<code>", "</code>"}
    whole = seen(cells[0].children)
    assert whole == (inert.visible(first) if inert.visible(first).strip() else " ")


@given(anything)
@example("# heading")
@example("- item")
@example("1. item")
@example("===")
@example("---")
@example("> quote")
@example("[a](javascript:b)")
@example("~~~")
@example("    code")
def test_markdown_prose_is_one_paragraph_of_text(text: str):
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(inert.markdown(text))
    if not inert.prose(text):
        assert tokens == []
        return
    assert [t.type for t in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    kinds = {t.type for t in tokens[1].children} - {"text", "code_inline", "text_special"}
    assert kinds <= {"html_inline"}
    assert {t.content for t in tokens[1].children if t.type == "html_inline"} <= {
        "<code>",
        "</code>",
    }


@given(anything)
def test_prose_keeps_its_words(text: str):
    html = MarkdownIt("gfm-like", {"linkify": False}).render(inert.markdown(text))
    page = Elements()
    page.feed(html)
    page.close()
    assert page.text.split() == inert.prose(text).split()


@given(anything)
@example("```")
@example("a\n```\nb")
@example("````````")
def test_a_fenced_command_stays_in_its_block(text: str):
    tokens = MarkdownIt().parse(f"{inert.fence(text, 'sh')}\n\nafter")
    assert [t.type for t in tokens][:2] == ["fence", "paragraph_open"]
    assert tokens[0].content == f"{inert.visible(text)}\n"


@given(anything)
@example("=1+1")
@example("  =cmd|' /C calc'!A0")
@example("\t=1")
@example("＝1")
@example("@SUM(A1)")
@example("-2")
def test_a_csv_field_is_no_formula(text: str):
    out = io.StringIO()
    csv.writer(out).writerow(["a", inert.cell(text), "b"])
    (row,) = csv.reader(io.StringIO(out.getvalue()))
    assert len(row) == 3
    assert (
        not row[1].lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"))
    )
    assert row[1] in (inert.visible(text), f"'{inert.visible(text)}")


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVaScript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "//example.org",
        "https:example.org",
        "https://",
        "https://a.example/\u202e",
        "https://user:pass@a.example/",
        "https://a.example/ b",
        'https://a.example/"onclick="x',
        "https://a.example:x/",
        "https://[::1",
        "https://exаmple.org/",  # a Cyrillic letter
        "",
    ],
)
def test_other_addresses_do_not_become_links(url: str):
    assert inert.link(url) == ""


def test_plain_addresses_become_links():
    for url in (
        "https://docs.example.org/a?b=c#d",
        "http://example.org",
        "https://a.example:8443/x",
    ):
        assert inert.link(url) == url


@given(st.text(max_size=30))
def test_a_link_is_http_or_nothing(text: str):
    for url in (text, f"https://{text}", f"http://a.example/{text}"):
        found = inert.link(url)
        assert found in {"", url}
        assert not found or urlsplit(found).scheme in {"http", "https"}


@given(st.text(max_size=60), st.integers(min_value=3, max_value=40))
def test_a_shortened_text_fits_and_keeps_both_ends(text: str, limit: int):
    shown = inert.short(text, limit)
    assert len(shown) <= max(limit, 3)
    if len(text) > limit:
        assert shown[0] == text[0]
        assert shown[-1] == text[-1]
