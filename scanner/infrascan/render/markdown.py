"""The Markdown report: a pull-request comment or the summary of a CI step.

`reports/markdown/report.md.j2` is its text. A forge refuses a comment beyond 65,536 characters, so
the report shows less until it fits, and says what it leaves out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from infrascan.model import SEVERITIES, Finding, Scan, Severity
from infrascan.render import inert, modelled
from infrascan.render.connected import connected
from infrascan.render.evidence import told
from infrascan.render.first import counted_saving
from infrascan.render.gaps import GapGroup, parted
from infrascan.render.grade import DEFINITION, percent
from infrascan.render.summary import Summary, counted, money, number, summarize
from infrascan.shipped import shipped

if TYPE_CHECKING:
    from jinja2 import Environment

LIMIT = 65_000  # bytes

# (findings per rule, rules, gaps, rules without a verdict, steps): the first that fits is used.
SIZES = (
    (50, 400, 100, 100, 5),
    (25, 200, 50, 50, 5),
    (10, 120, 40, 40, 5),
    (5, 100, 30, 30, 5),
    (3, 60, 25, 20, 5),
    (2, 40, 20, 15, 5),
    (1, 25, 15, 10, 5),
    (1, 12, 10, 5, 5),
    (1, 5, 5, 0, 3),
    (0, 0, 0, 0, 0),
)
DETAIL = 160  # characters of an error's text or of a value
NAME = 120
PROSE = 600
COMMAND = 800  # a longer command is left out: half a command is worse than none
BROKEN = 10  # identities
CLAIMS = 3  # of a model, for each step that is shown


class Markdown(str):
    """Text that is Markdown already."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Check:
    """A rule with the findings that are shown."""

    finding: Finding
    shown: list[Finding]
    count: int
    saving: float


@dataclass(frozen=True, slots=True)
class Section:
    severity: Severity
    count: int
    checks: list[Check]
    left_out: int  # findings of rules that are not shown


def chunks(scan: Scan) -> Iterator[str]:
    summary = summarize(scan)
    template = environment().get_template("report.md.j2")
    report = ""
    for size in SIZES:
        report = template.render(**content(scan, summary, size))
        if len(report.encode()) <= LIMIT:
            break
    yield report


def content(scan: Scan, summary: Summary, size: tuple[int, ...]) -> dict[str, Any]:
    per_rule, rules, gaps, unknown_rules, steps = size
    sections, shown = sections_of(summary, per_rule, rules)
    open_rules = sorted(
        (rule for rule in scan.rules if rule.unknown),
        key=lambda rule: (rule.severity.rank, -rule.unknown, rule.rule),
    )
    return {
        "scan": scan,
        "summary": summary,
        "grade": summary.grade,
        "definition": Markdown(inert.markdown(DEFINITION)),
        "steps": summary.steps[:steps],
        "research": scan.research,
        "claims": scan.research.claims[: CLAIMS * steps],
        "claims_left_out": max(0, len(scan.research.claims) - CLAIMS * steps),
        "owners": summary.spend_by_owner[: 2 * steps],
        "owners_left_out": len(summary.spend_by_owner[2 * steps :]) if steps else 0,
        "broken": summary.broken[: BROKEN if steps else 0],
        "broken_left_out": len(summary.broken) - len(summary.broken[: BROKEN if steps else 0]),
        "longest_command": COMMAND,
        **connected(scan, steps),
        "severities": [s for s in SEVERITIES if summary.severities[s]],
        "sections": sections,
        "findings_left_out": len(summary.findings) - shown,
        "gaps": summary.gaps[:gaps],
        "gaps_left_out": len(summary.gaps) - len(summary.gaps[:gaps]),
        "open_rules": open_rules[:unknown_rules],
        "open_rules_left_out": len(open_rules) - len(open_rules[:unknown_rules]),
    }


def sections_of(summary: Summary, per_rule: int, rules: int) -> tuple[list[Section], int]:
    """The findings by severity and rule, and how many of them are shown."""
    by_rule: dict[tuple[Severity, str], list[Finding]] = {}
    for finding in summary.findings:
        by_rule.setdefault((finding.severity, finding.rule), []).append(finding)
    sections: list[Section] = []
    shown = 0
    for severity in SEVERITIES:
        groups = [group for (level, _), group in by_rule.items() if level is severity]
        if not groups:
            continue
        kept = groups[:rules]
        rules -= len(kept)
        checks = [
            Check(group[0], group[:per_rule], len(group), sum(map(counted_saving, group)))
            for group in kept
        ]
        shown += sum(len(check.shown) for check in checks)
        count = summary.severities[severity]
        left_out = count - sum(check.count for check in checks)
        sections.append(Section(severity, count, checks, left_out))
    return sections, shown


@cache
def environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(shipped("reports") / "markdown"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - `finalize` escapes for Markdown
        finalize=safe,
    )
    made.filters.update(
        code=lambda text: Markdown(inert.code(inert.short(text, NAME))),
        detail=lambda text: Markdown(inert.code(inert.short(inert.prose(text), DETAIL))),
        fenced=fenced,
        parted=parted,
        money=lambda amount: Markdown(money(amount).replace("$", "\\$")),
        percent=percent,
        number=number,
        counted=counted,
        link=lambda url: Markdown(f"<{inert.link(url)}>") if inert.link(url) else "",
        where=where,
        regions=regions,
        facts=facts,
        spent=lambda usd: Markdown(inert.markdown(modelled.spent(usd))),
        believed=modelled.believed,
        length=len,
    )
    return made


def safe(value: Any) -> Any:
    """What an expression prints: text is escaped unless it is Markdown already."""
    if isinstance(value, Markdown):
        return str(value)
    return inert.markdown(inert.short(value, PROSE)) if isinstance(value, str) else value


def fenced(text: str, indent: str) -> Markdown:
    return Markdown(inert.fence(text, "sh").replace("\n", f"\n{indent}"))


def where(item: Any) -> Markdown:
    """The account and region of a finding, as code."""
    return Markdown(
        inert.code(inert.short(" · ".join(filter(None, (item.account, item.region))), NAME))
    )


def regions(group: GapGroup) -> Markdown:
    """The account and regions of a group of gaps, as code."""
    named = [region for region in group.regions if region]
    more = f" and {len(named) - 2} more" if len(named) > 2 else ""
    place = " · ".join(filter(None, (group.account, ", ".join(named[:2]) + more)))
    return Markdown(inert.code(inert.short(place or group.provider, NAME)))


def facts(finding: Finding) -> Markdown:
    """The first facts behind a finding: `path` = `value`."""
    parts = [
        f"{inert.code(inert.short(path, NAME))} = {inert.code(inert.short(value, DETAIL // 2))}"
        for path, value in told(finding, 2)
    ]
    more = len(finding.evidence) - len(parts)
    return Markdown("<br>".join(parts) + (f"<br>and {more} more" if more > 0 else ""))
