"""The CSV report: one row per finding and per unknown verdict, for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from infrascan.model import Finding, Scan, Unknown
from infrascan.render.evidence import told
from infrascan.render.gaps import WORDS
from infrascan.render.inert import cell, prose
from infrascan.render.summary import summarize

COLUMNS = (
    "verdict",  # flagged | unknown
    "severity",
    "category",
    "rule",
    "title",
    "provider",
    "account",
    "region",
    "kind",
    "name",
    "resource",
    "evidence",
    "why",
    "fix",
    "command",
    "monthly_cost_usd",
    "monthly_saving_usd",
    "saving_counted",
    "controls",
    "references",
    "not_read",
    "reason",
    "permission",
    "finding",
)
ROWS = 500  # in a piece


def chunks(scan: Scan) -> Iterator[str]:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    rules = {rule.rule: rule for rule in scan.rules}
    for place, row in enumerate(rows(scan)):
        rule = rules.get(row["rule"])
        if rule and row["verdict"] == "unknown":
            row |= {"severity": rule.severity, "category": rule.category, "title": rule.title}
        writer.writerow([cell(row.get(column, "")) for column in COLUMNS])
        if place % ROWS == ROWS - 1:
            yield text.getvalue()
            text.seek(0)
            text.truncate()
    yield text.getvalue()


def rows(scan: Scan) -> Iterator[dict[str, str]]:
    for finding in summarize(scan).findings:
        yield finding_row(finding)
    for unknown in scan.unknowns:
        yield unknown_row(unknown)


def finding_row(finding: Finding) -> dict[str, str]:
    controls = (f"{name} {i}" for name, ids in sorted(finding.controls.items()) for i in ids)
    return {
        "verdict": "flagged",
        "severity": finding.severity,
        "category": finding.category,
        "rule": finding.rule,
        "title": prose(finding.title),
        "provider": finding.provider,
        "account": finding.account,
        "region": finding.region,
        "kind": finding.kind,
        "name": finding.name,
        "resource": finding.resource,
        "evidence": "; ".join(f"{path} = {value}" for path, value in told(finding)),
        "why": prose(finding.why),
        "fix": prose(finding.fix),
        "command": finding.command,
        "monthly_cost_usd": f"{finding.cost.monthly:.2f}" if finding.cost else "",
        "monthly_saving_usd": f"{finding.saving.monthly:.2f}" if finding.saving else "",
        "saving_counted": str(finding.saving_counted).lower() if finding.saving else "",
        "controls": "; ".join(controls),
        "references": " ".join(finding.references),
        "finding": finding.id,
    }


def unknown_row(unknown: Unknown) -> dict[str, str]:
    gap = unknown.gap
    return {
        "verdict": "unknown",
        "rule": unknown.rule,
        "provider": unknown.provider,
        "account": unknown.account,
        "region": unknown.region,
        "kind": unknown.kind,
        "name": unknown.name,
        "resource": unknown.resource or gap.place,
        "not_read": gap.call or gap.kind,
        "reason": WORDS[gap.reason][0],
        "permission": gap.permission,
    }
