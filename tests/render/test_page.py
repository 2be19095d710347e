"""The page as a file: its policy, its first view, and that it asks nothing of anyone."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

from infrascan.render import page, render

from . import made_scans

PAGE = "".join(render("html", made_scans.estate(300)))
MARK = "<!-- The first view ends here"


def test_the_policy_allows_this_script_and_this_style_and_nothing_else():
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', PAGE)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.replace("&#39;", "'").split(";"))
    (script,) = re.findall(r"<script>(.*?)</script>", PAGE, re.DOTALL)
    (style,) = re.findall(r"<style>(.*?)</style>", PAGE, re.DOTALL)
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == f"'sha256-{digest(script)}'"
    assert rules["style-src"] == f"'sha256-{digest(style)}'"
    assert {rules["base-uri"], rules["form-action"], rules["trusted-types"]} == {"'none'"}


def digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_nothing_in_the_page_is_loaded_from_elsewhere():
    class Loads(HTMLParser):
        found: list[tuple[str, str]] = []  # noqa: RUF012

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            loads = {"src", "srcset", "data", "poster", "background", "xlink:href", "style"}
            self.found += [(tag, name) for name, _ in attrs if name in loads or name[:2] == "on"]
            if tag in {"link", "iframe", "img", "object", "embed", "base", "use"}:
                self.found.append((tag, ""))

    parser = Loads()
    parser.feed(PAGE)
    assert parser.found == []
    assert "url(" not in PAGE
    assert "@import" not in PAGE


def test_the_script_never_makes_markup_from_text():
    script = page.asset(page.SCRIPTS)
    for way in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "fetch(",
    ):
        assert way not in script
    assert "</" not in script


def test_the_first_view_stays_small_however_many_findings_there_are():
    few, many = (
        "".join(render("html", made_scans.estate(count))).index(MARK) for count in (2_000, 20_000)
    )
    assert many < 1.1 * few < 2_000_000


def test_the_first_view_stays_small_however_long_the_names_are():
    scan = made_scans.stained("x" * 5_000, 200)
    scan.gaps *= 40
    assert "".join(render("html", scan)).index(MARK) < 2_000_000


def test_the_worst_findings_and_the_gaps_are_there_without_javascript():
    first = PAGE[: PAGE.index(MARK)]
    body = re.sub(r"<script>.*?</script>", "", first, flags=re.DOTALL)
    assert body.count('<tr class="row"') == page.FIRST
    assert "Grant" in body
    assert "s3:GetBucketPolicy" in body
    assert "RDS instance accepts connections from the internet" in body
    assert "--no-publicly-accessible" in body


def test_gaps_and_coverage_come_before_the_summary_and_the_findings():
    places = [PAGE.index(f'id="{name}"') for name in ("coverage", "summary", "findings", "unknown")]
    assert places == sorted(places)
