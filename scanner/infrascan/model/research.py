"""The nouns of deep research: what connects findings, and what a model said of them.

A claim stands on facts, a path on steps with evidence; both can be checked again offline.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from infrascan.model.grades import JSON, Category, Evidence, Severity

INTERNET = "internet"  # the source of the first step of a path


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One line of the ledger: a value that an API gave, where and when."""

    id: str  # "E" and twelve hex digits over resource, path and value
    resource: str  # key
    path: str
    value: JSON
    call: str = ""  # the operation that gave it, such as "s3.GetBucketPolicy"
    observed: str = ""  # ISO 8601, UTC
    digest: str = ""  # SHA-256 of the value as canonical JSON
    trusted: bool = (
        False  # configuration by the vendor's schema; else text that anyone may have put
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """A change that ends something: the fix of a rule on a resource, or of a step."""

    resource: str  # key of what is changed
    text: str
    command: str = ""
    rule: str = ""  # the rule that flags it, where there is one

    @property
    def id(self) -> str:
        return digits(self.resource, self.rule or self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One edge of a path, in the direction in which an attacker goes."""

    source: str  # key, or "internet"
    target: str  # key
    relation: str  # as the table names it: "security_groups"
    stage: str  # "reach" | "identity" | "data"
    says: str  # "port 5432 is open to 0.0.0.0/0"
    evidence: tuple[Evidence, ...] = ()
    fix: Fix | None = None  # what cuts this step; None where nothing of ours does


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """A way from the internet over identities to data."""

    title: str
    severity: Severity
    steps: tuple[Step, ...]
    findings: tuple[str, ...] = ()  # ids of findings on it
    blast: tuple[str, ...] = ()  # keys of all that its last identity reaches
    unsure: str = ""  # what was not read and may cut it

    @property
    def id(self) -> str:
        """Stable across scans: sixteen hex digits over the steps."""
        return digits(*(part for s in self.steps for part in (s.source, s.relation, s.target)))

    @property
    def entry(self) -> str:
        return self.steps[0].target

    @property
    def target(self) -> str:
        return self.steps[-1].target


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """The smallest set of fixes that ends a group of paths: "these 2 changes end 17 paths"."""

    fixes: tuple[Fix, ...]
    paths: tuple[str, ...]  # ids
    exact: bool = True  # False where only a small set was found, not surely the smallest


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """Findings that belong together, as one item that ranks above its parts."""

    title: str
    category: Category
    severity: Severity
    resource: str  # key of the resource it is about
    why: str
    findings: tuple[str, ...] = ()  # ids
    paths: tuple[str, ...] = ()  # ids
    saving: float = 0.0  # USD a month, of its findings, counted once

    @property
    def id(self) -> str:
        return digits(self.resource, *sorted(self.findings), *sorted(self.paths))


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a model said, after code has checked it."""

    title: str  # rendered by us from verified facts
    severity: Severity
    confirmed: bool  # a rule or a path shows the mechanism; else a hypothesis
    resources: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    findings: tuple[str, ...] = ()
    says: str = ""  # the model's own sentence, each number backed by the evidence
    next_check: str = ""  # of a menu of read-only probes

    @property
    def id(self) -> str:
        return digits(self.title, *self.resources)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one step of the research cost."""

    step: str
    model: str
    calls: int
    input_tokens: int
    output_tokens: int
    usd: float | None = None  # None where the model has no known price
    cached: int = 0  # calls that were not made because nothing had changed


@dataclass(frozen=True, slots=True, kw_only=True)
class Research:
    """What a model added to a scan, what it cost, and what was not believed."""

    model: str = ""  # "" for none
    banner: str = ""  # why there is no model's part, or only some of it
    summary: str = ""
    claims: tuple[Claim, ...] = ()
    usage: tuple[Usage, ...] = ()
    accepted: int = 0
    repaired: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)  # reason -> claims


def digits(*parts: str) -> str:
    """Sixteen hex digits that stand for these strings."""
    text = "\0".join(parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
