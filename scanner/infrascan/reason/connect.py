"""What connects the findings of a scan: paths, the changes that end them, and issues."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from infrascan.model import Kind, Scan
from infrascan.reason import issues, path_rules
from infrascan.reason.cuts import cuts
from infrascan.reason.paths import find
from infrascan.shipped import shipped


def connect(scan: Scan, kinds: Mapping[str, Kind], observed: datetime) -> None:
    """Put paths, cuts and issues into a scan that is linked and judged."""
    bare = {name: replace(kind, fields=None) for name, kind in kinds.items()}
    rules = path_rules.load([shipped("rules") / "paths"], bare, partial=True)
    found = find(rules, scan.resources, kinds, scan.findings, observed.timestamp())
    scan.paths, scan.path_notes = found.paths, found.notes
    scan.cuts = cuts(scan.paths)
    compounds = issues.load([shipped("rules") / "issues"])
    scan.issues = issues.issues(compounds, scan.findings, scan.paths)
