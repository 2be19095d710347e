"""The page in Chromium: it opens, filters, sorts, copies, prints, and anyone can use it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from infrascan.render import write

from . import browsing, made_scans

pytestmark = [pytest.mark.browser, pytest.mark.node]
FINDINGS = 160


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lacking = browsing.missing()
    if lacking and not os.environ.get("CI"):
        pytest.skip(lacking)
    assert not lacking
    path = tmp_path_factory.mktemp("page") / "report.html"
    return written(made_scans.estate(FINDINGS), path)


def written(scan: Any, path: Path) -> Path:
    with path.open("wb") as out:
        write("html", scan, out)
    return path


def test_it_opens_without_a_request_or_a_complaint(report: Path):
    found = browsing.check("opens", report)
    assert (found["rows"], found["status"]) == (50, "160 findings.")


@pytest.mark.parametrize("made", [made_scans.clean, made_scans.nothing])
def test_it_opens_without_findings(report: Path, made: Any):
    path = written(made(), report.with_name("empty.html"))
    assert "0 findings" in browsing.check("opens", path)["title"]


def test_filters_narrow_the_list(report: Path):
    found = browsing.check("filters", report)
    assert found["critical"]["shown"] == ["Critical"]
    count = sum(f.severity == "critical" for f in made_scans.estate(FINDINGS).findings)
    assert found["critical"]["status"] == f"{count} of 160 findings."
    assert found["both"] == ["Critical", "High"]
    assert found["cost"] == ["cost"]
    assert (found["k8s"], found["staging"]) == (["k8s"], ["k8s · staging"])
    assert found["kind"] == ["aws.rds.db_instance"]


def test_search_finds_what_is_typed_and_escape_clears_it(report: Path):
    found = browsing.check("search", report, "orders", "nothing-is-called-so")
    assert found["found"]["names"]
    assert all("orders" in name for name in found["found"]["names"])
    assert found["empty"] == "No finding fits these filters."
    assert found["search"] == ""


def test_columns_sort_both_ways_and_say_so(report: Path):
    found = browsing.check("sorts", report)
    for column in ("name", "title"):
        (up, rising), (down, falling) = found[column]["up"], found[column]["down"]
        assert (up, down) == ("ascending", "descending")
        assert rising == sorted(rising)
        assert falling == sorted(falling, reverse=True)
        assert rising != falling
    amounts = [money(text) for text in found["saving"]["up"][1]]
    assert amounts == sorted(amounts, reverse=True)
    assert amounts[0] > 0


def money(text: str) -> float:
    return float(re.sub(r"[$,]", "", text)) if text.startswith("$") else 0.0


def test_pages_lead_to_every_finding_and_its_details(report: Path):
    found = browsing.check("pages", report)
    assert found["overlap"] == 0
    assert found["last"] == {"rows": 10, "place": "151–160 of 160"}
    assert "quotas" in found["body"]


def test_an_opened_finding_shows_its_evidence_and_copies_its_command(report: Path):
    found = browsing.check("opened", report)
    assert ["PubliclyAccessible", "true"] in found["facts"]
    assert found["copied"] == found["shown"]
    assert "--no-publicly-accessible" in found["copied"]
    assert found["links"] == ["https://docs.example.org/aws.rds.instance-open-to-internet"]
    assert found["said"] == "Command copied"


def test_the_keyboard_does_it_all(report: Path):
    found = browsing.check("keyboard", report)
    assert (found["j"], found["jjjk"]) == ("0", "1")
    assert (found["open"], found["closed"], found["details"]) == ("true", "false", 0)
    assert "modify-db-instance" in found["copied"]
    assert found["next"] == "51–100 of 160"
    assert found["help"]
    assert found["helpClosed"]
    assert (found["slash"], found["typed"]) == ("search", "jk")


def test_a_check_leads_to_its_findings(report: Path):
    found = browsing.check("rule", report)
    assert found["titles"] == [found["title"]]
    assert found["after"] == "160 findings."


def test_the_theme_follows_the_system_until_one_is_chosen(report: Path):
    found = browsing.check("theme", report)
    assert found["system"] == found["light"] != found["dark"] == found["kept"]


def test_printing_shows_more_findings_than_a_page(report: Path):
    found = browsing.check("printed", report)
    assert (found["during"], found["after"]) == (160, 50)
    assert found["bytes"] > 50_000


def test_it_reads_without_javascript(report: Path):
    found = browsing.check("scriptless", report)
    assert (found["rows"], found["details"], found["controls"]) == (50, 50, 0)
    assert found["status"].startswith("The 50 worst of 160 findings.")
    assert found["steps"] == 5


def test_nothing_sticks_out_at_any_width(report: Path):
    assert browsing.check("widths", report) == []


def test_nothing_sticks_out_when_names_are_long(report: Path):
    path = written(made_scans.stained("long" * 200), report.with_name("long.html"))
    assert browsing.check("widths", path) == []


def test_axe_finds_no_violation_light_or_dark_wide_or_narrow(report: Path):
    found = browsing.check("axe", report)
    assert set(found) == {"light 1400", "light 390", "dark 1400", "dark 390"}
    assert [look["violations"] for look in found.values()] == [[], [], [], []]
    assert all(look["passes"] > 30 for look in found.values())


HOSTILE = (
    "<img src=x onerror=\"globalThis.hacked='yes'\">",
    "</script><script>globalThis.hacked='yes'</script>",
    "\"onmouseover='globalThis.hacked=1' x=\"",
    "\u202ereversed\x1b[31m\x00",
    "https://evil.example/",
)


def test_hostile_names_change_nothing_but_the_text(report: Path):
    paths = [
        written(made_scans.stained(text), report.with_name(f"stained-{number}.html"))
        for number, text in enumerate(("plain", *HOSTILE))
    ]
    plain, *rest = browsing.check("shape", paths[0], *(path.as_uri() for path in paths[1:]))
    for found in rest:
        assert found["hacked"] is None
        assert found["handlers"] == []
        for tag in ("script", "img", "iframe", "style", "svg", "rect", "tr", "td", "button"):
            assert found["tags"].get(tag) == plain["tags"].get(tag), tag
        assert all(link.startswith("https://") for link in found["links"])
        assert not set(found["text"]) & set("\u202e\x1b\x00")
