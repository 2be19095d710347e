"""The HTML report: one file that opens offline and asks nothing of anyone.

`reports/html/` holds its template, styles and scripts. The first view (summary, gaps and the worst
findings) is plain HTML at the top of the file and reads without JavaScript; all findings follow as
compressed blocks that the script unpacks. A content security policy allows this script and this
style, by their hashes, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from infrascan.model import SEVERITIES, Connection, Gap, RuleSummary, Scan, State
from infrascan.render import charts, inert, modelled
from infrascan.render.connected import connected
from infrascan.render.evidence import told, value_text
from infrascan.render.gaps import WORDS, key, parted
from infrascan.render.grade import DEFINITION, percent
from infrascan.render.packing import Packing, basis, details
from infrascan.render.summary import Summary, counted, money, number, summarize
from infrascan.shipped import shipped

if TYPE_CHECKING:
    from jinja2 import Environment

FIRST = 50  # findings in the first view
GAPS = 100  # groups
UNKNOWNS = 100  # groups
NAMES = 3
WAYS = 25  # paths, changes and issues
LONGEST = 800  # characters of a string in the first view; the compressed findings have it whole
STYLES = ("tokens.css", "page.css", "findings.css", "print.css")
SCRIPTS = ("blocks.js", "query.js", "detail.js", "list.js", "main.js")


@dataclass(slots=True)
class Open:
    """Unknown verdicts of one rule for one reason."""

    rule: str
    title: str
    summary: RuleSummary | None
    gap: Gap
    count: int
    names: list[str]


def chunks(scan: Scan) -> Iterator[str]:
    summary = summarize(scan)
    yield from environment().get_template("report.html.j2").generate(content(scan, summary))
    packing = Packing()
    for part in packing.index(summary.findings):
        yield data("index", part)
    yield data("dictionaries", packing.dictionaries(len(summary.findings)))
    for part in details(summary.findings):
        yield data("detail", part)
    yield "</body>\n</html>\n"


def data(name: str, block: str) -> str:
    return f'<script type="application/octet-stream" data-block="{name}">{block}</script>\n'


def content(scan: Scan, summary: Summary) -> dict[str, Any]:
    style, script = asset(STYLES), f'(() => {{\n"use strict";\n{asset(SCRIPTS)}}})();\n'
    opened = open_groups(scan)
    accounts, accounts_left_out = charts.coverage_bars(scan)
    return {
        "scan": scan,
        "summary": summary,
        "grade": summary.grade,
        "definition": DEFINITION,
        "research": scan.research,
        "claims_shown": modelled.SHOWN,
        "style": style,
        "script": script,
        "policy": policy(style, script),
        "longest": LONGEST,
        "first": summary.findings[:FIRST],
        "severities": SEVERITIES,
        **connected(scan, WAYS),
        "gaps": summary.gaps[:GAPS],
        "gaps_left_out": max(0, len(summary.gaps) - GAPS),
        "open": opened[:UNKNOWNS],
        "open_left_out": max(0, len(opened) - UNKNOWNS),
        "accounts": accounts,
        "accounts_left_out": accounts_left_out,
        "states": State,
        "connections": Connection,
        "rules": sorted(scan.rules, key=lambda r: (r.severity.rank, -r.flagged, r.rule)),
        "by_severity": charts.by_severity(summary),
        "by_category": charts.by_category(summary),
        "by_provider": charts.by_provider(summary),
        "spend_by_kind": charts.spend_bars(summary.spend_by_kind),
        "spend_by_owner": charts.spend_bars(summary.spend_by_owner, nouns="owners"),
        "spend_by_provider": charts.spend_bars(summary.spend_by_provider),
    }


def open_groups(scan: Scan) -> list[Open]:
    """Unknown verdicts by rule and reason, the worst rules first."""
    rules = {rule.rule: rule for rule in scan.rules}
    groups: dict[tuple[Any, ...], Open] = {}
    for unknown in scan.unknowns:
        rule = rules.get(unknown.rule)
        place = (unknown.rule, key(unknown.gap))
        group = groups.get(place)
        if group is None:
            title = rule.title if rule else unknown.rule
            group = groups[place] = Open(unknown.rule, title, rule, unknown.gap, 0, [])
        group.count += 1
        if len(group.names) < NAMES:
            where = " ".join(filter(None, (unknown.account, unknown.region)))
            everything = f"every {unknown.kind} in {where or unknown.provider}"
            group.names.append(unknown.name or unknown.resource or everything)
    last = len(SEVERITIES)
    return sorted(
        groups.values(),
        key=lambda g: (g.summary.severity.rank if g.summary else last, -g.count, g.rule),
    )


def asset(names: tuple[str, ...]) -> str:
    folder = shipped("reports") / "html"
    return "".join((folder / name).read_text("utf-8") for name in names)


def policy(style: str, script: str) -> str:
    """What the page may do: run its own script and style. It cannot reach any address."""
    return (
        f"default-src 'none'; script-src '{digest(script)}'; style-src '{digest(style)}';"
        " base-uri 'none'; form-action 'none'; require-trusted-types-for 'script';"
        " trusted-types 'none'"
    )


def digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@cache
def environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    def shown(value: Any) -> Any:
        if isinstance(value, str) and not isinstance(value, Markup):
            return inert.visible(inert.short(value, LONGEST))
        return value

    made = Environment(
        loader=FileSystemLoader(shipped("reports") / "html"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=True,
        finalize=shown,
    )
    made.filters.update(
        money=money,
        parted=parted,
        percent=percent,
        number=number,
        counted=counted,
        prose=inert.prose,
        link=inert.link,
        short=inert.short,
        told=told,
        value_text=value_text,
        basis=basis,
        spent=modelled.spent,
        believed=modelled.believed,
        claim_facts=modelled.facts,
        word=lambda reason: WORDS[reason][0],
    )
    return made
