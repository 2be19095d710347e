"""Paths, cuts and issues as the templates of the reports show them, so many of each."""

from __future__ import annotations

from typing import Any

from infrascan.model import Scan


def connected(scan: Scan, most: int) -> dict[str, Any]:
    """At most `most` of each; the longest of equally bad paths first, for they tell most."""
    ways = sorted(scan.paths, key=lambda path: (path.severity.rank, -len(path.steps)))[:most]
    cuts, issues = scan.cuts[:most], scan.issues[:most]
    return {
        "ways": ways,
        "ways_left_out": len(scan.paths) - len(ways),
        "shown_cuts": cuts,
        "cuts_left_out": len(scan.cuts) - len(cuts),
        "shown_issues": issues,
        "issues_left_out": len(scan.issues) - len(issues),
        "changes": sum(len(cut.fixes) for cut in scan.cuts),
        "ended": sum(len(cut.paths) for cut in scan.cuts),
    }
