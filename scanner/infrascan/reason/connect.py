"""What connects the findings of a scan: paths, the changes that end them, and issues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path as File

from infrascan.evaluate.document import RuleError, RuleErrors
from infrascan.model import Kind, Scan
from infrascan.reason import issues, path_rules
from infrascan.reason.cuts import cuts
from infrascan.reason.path_rules import PathRules
from infrascan.reason.paths import find
from infrascan.shipped import shipped


def connect(
    scan: Scan, kinds: Mapping[str, Kind], observed: datetime, own: Sequence[File] = ()
) -> None:
    """Put paths, cuts and issues into a scan that is linked and judged. `own` are the user's
    folders of rules, which `checked` has been through."""
    bare = {name: replace(kind, fields=None) for name, kind in kinds.items()}
    rules = path_rules.load(folders("paths", own), bare, partial=True)
    found = find(rules, scan.resources, kinds, scan.findings, observed.timestamp())
    scan.paths, scan.path_notes = found.paths, found.notes
    scan.cuts = cuts(scan.paths)
    compounds = issues.load(folders("issues", own))
    scan.issues = issues.issues(compounds, scan.findings, scan.paths)


def folders(name: str, own: Sequence[File]) -> list[File]:
    """Where files of this sort are: the shipped folder, then the user's that there are."""
    return [shipped("rules") / name, *(f / name for f in own if (f / name).is_dir())]


def checked(own: Sequence[File], kinds: Mapping[str, Kind]) -> PathRules:
    """The user's paths, checked in full, and their issues. Raises RuleErrors with all that is
    wrong, one line each. `kinds` are all there are."""
    errors: list[RuleError] = []
    found = PathRules()
    theirs = folders("paths", own)[1:]
    if theirs:
        bare = {name: replace(kind, fields=None) for name, kind in kinds.items()}
        shipped_ones = path_rules.load(folders("paths", ()), bare, partial=True)
        seen = {one.id: "the shipped paths" for one in shipped_ones.declared()}
        try:
            found = path_rules.load(theirs, kinds, seen=seen)
        except RuleErrors as raised:
            errors += raised.errors
    try:
        issues.load(folders("issues", own))
    except RuleErrors as raised:
        errors += raised.errors
    if errors:
        raise RuleErrors(errors)
    return found
