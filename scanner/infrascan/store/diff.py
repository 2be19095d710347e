"""What changed between two scans, and whether the infrastructure, a rule or our sight changed.

A finding is fixed only when the later scan looked and it was not there. Where it did not look, or
was not let, the finding became unknown or is no longer scanned.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from operator import attrgetter
from pathlib import Path
from typing import Any

from infrascan.model import Evidence, Finding, Scan, Severity
from infrascan.store.inventory import Compared, InMemory, Inventories, OnDisk, Seen
from infrascan.store.ledger import Ledger, Listing, Move, Place, moves
from infrascan.store.scans import growing, read, resolve


class Cause(StrEnum):
    """What a difference comes from. When both a rule and a resource changed, it is the rule."""

    INFRASTRUCTURE = "infrastructure"
    RULE = "rule"
    COVERAGE = "coverage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A finding that is in one scan only, or that says something else in the later one."""

    finding: Finding  # the later, where there are two
    cause: Cause
    detail: str  # half a sentence: "the resource is gone"
    before: Finding | None = None  # for a changed one

    @property
    def severity(self) -> Severity:
        return self.finding.severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """A resource that is in one scan only, or whose document differs.

    `paths` holds (path, value before, value after); `lost` the fields that are not read any more.
    """

    key: str
    name: str
    kind: str
    cause: Cause
    paths: tuple[tuple[str, Any, Any], ...] = ()
    lost: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Things:
    """Resources by what became of them."""

    added: tuple[Thing, ...] = ()
    removed: tuple[Thing, ...] = ()
    changed: tuple[Thing, ...] = ()
    became_unknown: tuple[Thing, ...] = ()
    became_known: tuple[Thing, ...] = ()
    no_longer_scanned: tuple[Thing, ...] = ()
    unchanged: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """Every finding of the earlier scan is in exactly one of fixed, changed, became_unknown,
    no_longer_scanned and unchanged; of the later, in new, became_known, changed or unchanged.
    """

    before: str
    after: str
    new: tuple[Change, ...] = ()
    fixed: tuple[Change, ...] = ()
    changed: tuple[Change, ...] = ()
    became_unknown: tuple[Change, ...] = ()
    became_known: tuple[Change, ...] = ()
    no_longer_scanned: tuple[Change, ...] = ()
    unchanged: int = 0
    resources: Things = field(default_factory=Things)
    coverage: tuple[Move, ...] = ()

    def exceeds(self, threshold: Severity) -> bool:
        """True when there is a new finding as bad as `threshold` or worse."""
        return any(change.severity.rank <= threshold.rank for change in self.new)


BUCKETS = ("new", "fixed", "changed", "became_unknown", "became_known", "no_longer_scanned")
THINGS = ("added", "removed", "changed", "became_unknown", "became_known", "no_longer_scanned")


def diff(home: Path | None, before: Scan | str, after: Scan | str) -> Diff:
    """What changed from one scan to the other; stored ones are named as in `resolve`.

    Raises `InputError` for a scan that is not there or cannot be used.
    """
    with growing():
        if isinstance(before, str) and isinstance(after, str):
            assert home is not None
            earlier, later = resolve(home, before), resolve(home, after)
            return compared(
                read(home, earlier.id, with_resources=False),
                read(home, later.id, with_resources=False),
                OnDisk(earlier.path, later.path),
            )
        scans = [read(home, s) if isinstance(s, str) and home else s for s in (before, after)]
        assert isinstance(scans[0], Scan)
        assert isinstance(scans[1], Scan)
        return compared(scans[0], scans[1], InMemory(scans[0], scans[1]))


def compared(before: Scan, after: Scan, inventories: Inventories) -> Diff:
    was = {(finding.rule, finding.resource): finding for finding in before.findings}
    now = {(finding.rule, finding.resource): finding for finding in after.findings}
    gone = [finding for at, finding in was.items() if at not in now]
    come = [finding for at, finding in now.items() if at not in was]
    keys = {key for finding in (*gone, *come) for key in named(finding)}
    earlier = Sight(before, inventories.before(keys))
    later = Sight(after, inventories.after(keys))
    rules = changed_rules(before, after)

    buckets: dict[str, list[Change]] = {name: [] for name in BUCKETS}
    for finding in gone:
        name, change = vanished(finding, earlier, later, rules)
        buckets[name].append(change)
    for finding in come:
        name, change = appeared(finding, earlier, later, rules)
        buckets[name].append(change)
    both = 0
    for at, finding in now.items():
        if old := was.get(at):
            both += 1
            if what := rewritten(old, finding):
                cause = Cause.RULE if finding.rule in rules else Cause.INFRASTRUCTURE
                change = Change(finding=finding, cause=cause, detail=what, before=old)
                buckets["changed"].append(change)
    return Diff(
        before=before.id,
        after=after.id,
        unchanged=both - len(buckets["changed"]),
        resources=things(inventories.compared(), earlier.ledger, later.ledger),
        coverage=tuple(moves(earlier.ledger, later.ledger)),
        **{name: tuple(sorted(changes, key=worst)) for name, changes in buckets.items()},
    )


def worst(change: Change) -> tuple[int, str, str]:
    return change.severity.rank, change.finding.rule, change.finding.resource


def named(finding: Finding) -> set[str]:
    """The keys of the resources that a finding speaks of."""
    return {finding.resource, *(evidence.resource for evidence in finding.evidence)}


def changed_rules(before: Scan, after: Scan) -> set[str]:
    """Rules that ran in both scans under another definition."""
    was = {rule.rule: rule.definition for rule in before.rules}
    return {
        rule.rule
        for rule in after.rules
        if rule.rule in was and rule.definition and was[rule.rule] not in ("", rule.definition)
    }


class Sight:
    """What one scan can say of the findings of another."""

    def __init__(self, scan: Scan, seen: Mapping[str, Seen]) -> None:
        self.seen = seen
        self.ledger = Ledger(scan)
        self.rules = {rule.rule for rule in scan.rules}
        self.unknown = {(unknown.rule, unknown.resource) for unknown in scan.unknowns}

    def blind(self, finding: Finding, other: Sight) -> str:
        """Why this scan cannot judge a finding on a resource that it has; "" when it can."""
        if (finding.rule, finding.resource) in self.unknown:
            return "the rule has no verdict, because what it needs was not read"
        for evidence in finding.evidence:
            here, there = self.seen.get(evidence.resource), other.seen.get(evidence.resource)
            if here and root(evidence) in here.unread:
                return f"{root(evidence)} was not read"
            if there and not here and not self.ledger.complete(there.place):
                return f"{there.place.kind} was not read"
        return ""


def root(evidence: Evidence) -> str:
    """The field of the document, or the relation, that a path begins with."""
    return evidence.path.partition(".")[0].partition("[")[0]


def vanished(finding: Finding, earlier: Sight, later: Sight, rules: set[str]) -> tuple[str, Change]:
    """The bucket of a finding that the later scan has not, and why."""
    at = place(finding)
    if finding.resource in later.seen:
        if why := later.blind(finding, earlier):
            return "became_unknown", because(finding, Cause.COVERAGE, why)
        if finding.rule not in later.rules:
            return "no_longer_scanned", because(finding, Cause.RULE, "the rule did not run")
        if finding.rule in rules:
            return "fixed", because(finding, Cause.RULE, "the rule is another one now")
        return "fixed", because(finding, Cause.INFRASTRUCTURE, "the resource passes")
    if (finding.rule, finding.resource) in later.unknown:
        why = "the rule has no verdict, because what it needs was not read"
        return "became_unknown", because(finding, Cause.COVERAGE, why)
    match later.ledger.listing(at):
        case Listing.COMPLETE:
            return "fixed", because(finding, Cause.INFRASTRUCTURE, "the resource is gone")
        case Listing.UNREAD:
            return "became_unknown", because(finding, Cause.COVERAGE, f"{at.kind} was not read")
        case Listing.OUT:
            why = f"{where(at)} is out of the scope"
            return "no_longer_scanned", because(finding, Cause.COVERAGE, why)


def appeared(finding: Finding, earlier: Sight, later: Sight, rules: set[str]) -> tuple[str, Change]:
    """The bucket of a finding that the earlier scan had not, and why."""
    at = place(finding)
    if finding.resource in earlier.seen:
        if why := earlier.blind(finding, later):
            return "became_known", because(finding, Cause.COVERAGE, f"before, {why}")
        if finding.rule not in earlier.rules:
            return "new", because(finding, Cause.RULE, "the rule did not run before")
        if finding.rule in rules:
            return "new", because(finding, Cause.RULE, "the rule is another one now")
        return "new", because(finding, Cause.INFRASTRUCTURE, "the resource passed before")
    if (finding.rule, finding.resource) in earlier.unknown:
        why = "before, the rule had no verdict, because what it needs was not read"
        return "became_known", because(finding, Cause.COVERAGE, why)
    match earlier.ledger.listing(at):
        case Listing.COMPLETE:
            return "new", because(finding, Cause.INFRASTRUCTURE, "the resource is new")
        case Listing.UNREAD:
            why = f"before, {at.kind} was not read"
            return "became_known", because(finding, Cause.COVERAGE, why)
        case Listing.OUT:
            why = f"{where(at)} was out of the scope"
            return "new", because(finding, Cause.COVERAGE, why)


def because(finding: Finding, cause: Cause, detail: str) -> Change:
    return Change(finding=finding, cause=cause, detail=detail)


def place(finding: Finding) -> Place:
    return Place(finding.provider, finding.account, finding.region, finding.kind)


def where(at: Place) -> str:
    return f"{at.provider}/{at.account}/{at.region or 'global'}/{at.kind}"


def rewritten(before: Finding, after: Finding) -> str:
    """What a finding says differently, in words; "" when it says the same."""
    told = []
    if before.severity is not after.severity:
        told.append(f"severity {before.severity} → {after.severity}")
    if facts(before) != facts(after):
        told.append("other evidence")
    if cents(before) != cents(after):
        told.append("another saving")
    return ", ".join(told)


def facts(finding: Finding) -> list[tuple[str, str, Any]]:
    """The evidence that stands still: a load is another one at every scan."""
    return [
        (evidence.resource, evidence.path, evidence.value)
        for evidence in finding.evidence
        if root(evidence) not in ("metrics", "monthly_cost")
    ]


def cents(finding: Finding) -> int | None:
    return round(finding.saving.monthly * 100) if finding.saving else None


def things(found: Compared, earlier: Ledger, later: Ledger) -> Things:
    """The resources, each where its place in the other scan puts it."""
    sorted_out: dict[str, list[Thing]] = {name: [] for name in THINGS}
    for seen in found.removed:
        name, cause = REMOVED[later.listing(seen.place)]
        sorted_out[name].append(thing(seen, cause))
    for seen in found.added:
        name, cause = ADDED[earlier.listing(seen.place)]
        sorted_out[name].append(thing(seen, cause))
    for seen, paths, lost in found.altered:
        name = "changed" if paths else "became_unknown"
        cause = Cause.INFRASTRUCTURE if paths else Cause.COVERAGE
        sorted_out[name].append(thing(seen, cause, paths, lost))
    return Things(
        unchanged=found.same,
        **{name: tuple(sorted(some, key=attrgetter("key"))) for name, some in sorted_out.items()},
    )


REMOVED: Mapping[Listing, tuple[str, Cause]] = {
    Listing.COMPLETE: ("removed", Cause.INFRASTRUCTURE),
    Listing.UNREAD: ("became_unknown", Cause.COVERAGE),
    Listing.OUT: ("no_longer_scanned", Cause.COVERAGE),
}
ADDED: Mapping[Listing, tuple[str, Cause]] = {
    Listing.COMPLETE: ("added", Cause.INFRASTRUCTURE),
    Listing.UNREAD: ("became_known", Cause.COVERAGE),
    Listing.OUT: ("added", Cause.COVERAGE),
}


def thing(
    seen: Seen,
    cause: Cause,
    paths: Sequence[tuple[str, Any, Any]] = (),
    lost: Iterable[str] = (),
) -> Thing:
    return Thing(
        key=seen.key,
        name=seen.name,
        kind=seen.place.kind,
        cause=cause,
        paths=tuple(paths),
        lost=tuple(sorted(lost)),
    )
