"""What a rule says, as data."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from infrascan.evaluate.condition import Condition, Needs
from infrascan.evaluate.document import RuleError, RuleErrors
from infrascan.model import JSON, Category, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A case in a rule's own file: this resource is flagged, passes, or cannot be told."""

    outcome: str  # "flag" | "pass" | "unknown"
    sentence: str
    given: Mapping[str, Any]
    unread: tuple[str, ...] = ()
    name: str = ""
    now: datetime | None = None
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule, about resources of one or several kinds.

    `saving` is "all", {"share": 0.5} or {"to": {...}}; None where it saves nothing.
    """

    id: str
    title: str
    category: Category
    severity: Severity
    kinds: tuple[str, ...]
    condition: Condition
    needs: Needs
    why: str
    fix: str
    command: str = ""
    references: tuple[str, ...] = ()
    controls: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    saving: JSON = None
    examples: tuple[Example, ...] = ()
    aliases: tuple[str, ...] = ()
    company: tuple[str, ...] = ()  # `with`: providers without which the rule is not judged
    status: str = "stable"
    source: str = ""  # the file, as it was named
    digest: str = ""  # of the file's text: changes when the rule does

    @property
    def kind(self) -> str:
        """The first of its kinds."""
        return self.kinds[0]

    @property
    def provider(self) -> str:
        return self.kind.partition(".")[0]

    @property
    def providers(self) -> frozenset[str]:
        """Whose resources the rule is about: of several where its kinds are."""
        return frozenset(kind.partition(".")[0] for kind in self.kinds)


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules by id, in order of id."""

    rules: tuple[Rule, ...] = ()

    def __iter__(self) -> Iterator[Rule]:
        return iter(self.rules)

    def __len__(self) -> int:
        return len(self.rules)

    def get(self, id: str) -> Rule | None:
        """The rule with this id, or that once had it."""
        exact = (rule for rule in self.rules if rule.id == id)
        return next(exact, None) or next((r for r in self.rules if id in r.aliases), None)

    def by_kind(self) -> dict[str, tuple[Rule, ...]]:
        found: dict[str, list[Rule]] = {}
        for rule in self.rules:
            for kind in rule.kinds:
                found.setdefault(kind, []).append(rule)
        return {kind: tuple(rules) for kind, rules in found.items()}

    def only(self, keep: Callable[[Rule], bool]) -> RuleSet:
        return RuleSet(tuple(rule for rule in self.rules if keep(rule)))

    def joined(self, others: RuleSet) -> RuleSet:
        """These rules and those. Raises RuleErrors where both have one of the same id."""
        errors = [
            RuleError(rule.source, 1, 1, f"id '{rule.id}' is also in {mine.source}")
            for rule in others
            if (mine := self.get(rule.id))
        ]
        if errors:
            raise RuleErrors(errors)
        return RuleSet(tuple(sorted((*self.rules, *others.rules), key=lambda rule: rule.id)))

    @property
    def digest(self) -> str:
        """Sixteen hex digits over all rules: the same for the same files."""
        text = "\n".join(f"{rule.id} {rule.digest}" for rule in self.rules)
        return hashlib.sha256(text.encode()).hexdigest()[:16]
