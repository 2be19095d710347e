"""Do cuts end what they say: computed again from the steps of the paths, as they stand in the report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from infrascan.model.research import digits
from infrascan.reason.cuts import smallest
from infrascan.reason.verify.lines import Document, strings


def cut_faults(report: Document) -> Iterator[tuple[str, str]]:
    """Pairs of the section and what is wrong with a cut: a path of its group that is left when its
    changes are made, a change that nothing calls for, or a smaller set where it is called the
    smallest. And each path that a change of ours ends must be in one cut."""
    options = {str(row.get("id")): changes(row.get("steps")) for row in report.row_values("paths")}
    ended: dict[str, int] = {}
    for row in report.row_values("cuts"):
        fixes = row.get("fixes")
        chosen = {one for fix in listed(fixes) if (one := identity(fix))}
        named = f"the cut by {', '.join(sorted(chosen)) or 'nothing'}"
        if not chosen or len(chosen) != len(listed(fixes)):
            yield "cuts", f"{named} has a change whose id is not that of its resource and text"
        group = {path: options[path] for path in strings(row, "paths") if path in options}
        for path in group:
            ended[path] = ended.get(path, 0) + 1
            if not chosen & group[path]:
                yield "cuts", f"{named} leaves the path {path}: none of its steps has one of these"
        for fix in sorted(chosen - set().union(*group.values())):
            yield "cuts", f"{named} holds {fix}, which is on no path of the group"
        wanted = [frozenset(one) for one in group.values() if one]
        if row.get("exact") is True and wanted and len(smallest(wanted)[0]) < len(chosen):
            yield "cuts", f"{named} is called the smallest, and a smaller one ends the same paths"
    for path, own in options.items():
        if own and ended.get(path, 0) != 1:
            yield "cuts", f"the path {path} is in {ended.get(path, 0)} of the cuts, and not in one"


def changes(steps: Any) -> set[str]:
    """The ids of the changes of which each cuts the path."""
    return {one for step in listed(steps) if (one := identity(step.get("fix")))}


def identity(fix: Any) -> str:
    """The id of a change, where it is the one that its resource and text or rule make."""
    if not isinstance(fix, dict):
        return ""
    made = digits(str(fix.get("resource")), str(fix.get("rule") or fix.get("text")))
    return made if fix.get("id") == made else ""


def listed(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
