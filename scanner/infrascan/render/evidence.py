"""Evidence as text: where a value stands, and the value."""

from __future__ import annotations

import json
from collections.abc import Iterator

from infrascan.model import JSON, Finding

LONGEST = 2_000  # characters of a value that a reader is shown; the JSON report has it all


def told(finding: Finding, limit: int | None = None) -> Iterator[tuple[str, str]]:
    """Path and value of the first facts; another resource's key stands before its path."""
    for fact in finding.evidence[:limit]:
        yield located(finding, fact.resource, fact.path), value_text(fact.value)


def located(finding: Finding, resource: str, path: str) -> str:
    return path if resource == finding.resource else f"{resource}: {path}"


def value_text(value: JSON) -> str:
    """A value as JSON, strings without their quotes."""
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}… ({len(shown):,} characters)"
