"""Read-only questions on what connects findings, for every door: paths, cuts and issues.

As in `infrascan.queries`: the home first, JSON values out, a cursor that continues where the page
before it ended. What may be missing from the paths is in `notes`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from infrascan.model import SEVERITIES, Severity
from infrascan.queries import Where, choice, opened, page
from infrascan.store.manifest import ScanInfo
from infrascan.store.manifest import opened as manifest_of

Answer = dict[str, Any]

RANK = "list_position(['critical', 'high', 'medium', 'low', 'info'], severity) - 1"
TREES = ("steps", "findings", "blast", "paths")


def paths(
    home: Path,
    *,
    scan: str = "latest",
    severity: str = "",
    text: str = "",
    limit: int = 50,
    cursor: str = "",
) -> Answer:
    """How strangers get from the internet to data, the worst first: each path with its steps, their
    evidence and fixes, its blast radius, and what was not read and may cut it. `cuts` are the
    fewest changes that end them; `notes` say which paths may be missing.

    `severity` means this one and worse. `text` is looked for in titles and in the resources.
    """
    filters = {"severity": known(severity), "text": text}
    found, start = opened(home, scan, cursor, filters)
    where = filtered(filters["severity"], text, ("title", "steps"))
    order = (
        f"{RANK}, unsure <> '', json_array_length(blast) DESC, json_array_length(steps) DESC,"
        " title, id"
    )
    answer = page(found, "paths", "*", where, order, start, limit, filters)
    content = manifest_of(found.path)
    return trees(answer, "paths") | {
        "cuts": content["cuts"],
        "notes": content.get("path_notes", []),
        **coverage(found),
    }


def issues(
    home: Path,
    *,
    scan: str = "latest",
    severity: str = "",
    text: str = "",
    limit: int = 50,
    cursor: str = "",
) -> Answer:
    """Findings that make each other worse, as one item each, the worst first: why they belong
    together, which findings and paths they are, and what mending them saves a month."""
    filters = {"severity": known(severity), "text": text}
    found, start = opened(home, scan, cursor, filters)
    where = filtered(filters["severity"], text, ("title", "resource", "why"))
    order = f"{RANK}, category <> 'security', len(paths) DESC, len(findings) DESC, resource, id"
    answer = page(found, "issues", "*", where, order, start, limit, filters)
    return trees(answer, "issues") | coverage(found)


def known(severity: str) -> str:
    return choice(severity, [one.value for one in SEVERITIES], "severity")


def filtered(severity: str, text: str, columns: tuple[str, ...]) -> Where:
    where = Where()
    if severity:
        where.add(f"{RANK} <= ?", Severity(severity).rank)
    where.containing(text, columns)
    return where


def trees(answer: Answer, name: str) -> Answer:
    """The answer with its rows' trees as values, without the name of the scan in each row."""
    rows = [
        {
            key: json.loads(value) if key in TREES and isinstance(value, str) else value
            for key, value in row.items()
            if key != "scan"
        }
        for row in answer[name]
    ]
    return {**answer, name: rows}


def coverage(scan: ScanInfo) -> Answer:
    return {"coverage_percent": scan.coverage_percent}
