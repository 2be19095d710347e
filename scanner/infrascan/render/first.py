"""What to do first: the changes that end most, issues above their parts, then the worst rules.

A change that ends paths comes before an issue, and an issue before a rule, where they are equally
bad; one place is kept for the largest saving.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from infrascan.model import Category, Cut, Evidence, Finding, Fix, Issue, Path, Severity

CATEGORIES = (Category.SECURITY, Category.RELIABILITY, Category.COST)
STEPS = 5
MOST = {"path": 2, "issue": 1}  # of the steps; the rest are rules
NAMES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do: a change that ends paths, an issue, or a rule's fix for all it flags."""

    title: str
    severity: Severity
    does: str
    command: str = ""
    findings: int = 0
    saving: float = 0.0  # USD a month, counted once per resource
    names: tuple[str, ...] = ()  # of the first resources
    rule: str = ""
    finding: str = ""  # id of the worst one
    issue: str = ""  # id
    paths: tuple[str, ...] = ()  # ids of the paths that it ends
    covers: frozenset[str] = frozenset()  # ids of findings
    order: tuple[object, ...] = ()

    @property
    def kind(self) -> str:
        return "path" if self.paths and not self.issue else "issue" if self.issue else "rule"


def counted_saving(finding: Finding) -> float:
    """USD a month that count towards the total."""
    return finding.saving.monthly if finding.saving and finding.saving_counted else 0.0


def steps(
    findings: Sequence[Finding],
    paths: Sequence[Path] = (),
    cuts: Sequence[Cut] = (),
    issues: Sequence[Issue] = (),
    limit: int = STEPS,
) -> tuple[Step, ...]:
    """The worst things to do, in their order, and in the last place at least the largest saving."""
    rules = list(of_rules(findings))
    by_id = {f.id: f for f in findings}
    candidates = [*of_cuts(paths, cuts, by_id), *of_issues(issues, by_id), *rules]
    candidates.sort(key=lambda step: (step.severity.rank, *step.order))
    chosen = picked(candidates, limit)
    richest = max(rules, key=lambda step: step.saving, default=None)
    if richest and richest.saving > 0 and not any(step.saving for step in chosen):
        chosen[-1] = richest
    return tuple(chosen)


def picked(candidates: Iterable[Step], limit: int) -> list[Step]:
    """The first ones, a few of each kind, none of them wholly part of one before it."""
    chosen: list[Step] = []
    kinds: Counter[str] = Counter()
    covered: set[str] = set()
    ended: set[str] = set()
    for step in candidates:
        if len(chosen) == limit:
            break
        if kinds[step.kind] >= MOST.get(step.kind, limit):
            continue
        if step.covers and step.covers <= covered:
            continue
        if step.paths and ended.issuperset(step.paths):
            continue
        chosen.append(step)
        kinds[step.kind] += 1
        covered |= step.covers
        ended |= set(step.paths)
    return chosen


def of_cuts(
    paths: Sequence[Path], cuts: Iterable[Cut], by_id: Mapping[str, Finding]
) -> Iterator[Step]:
    """The changes that end a path of several steps; a path of one step is a rule's finding."""
    known = {path.id: path for path in paths}
    for cut in cuts:
        ways = [known[path] for path in cut.paths if path in known]
        for fix in cut.fixes:
            ended = [p for p in ways if any(s.fix and s.fix.id == fix.id for s in p.steps)]
            if ended and any(len(path.steps) > 1 for path in ended):
                yield of_fix(fix, ended, by_id)


def of_fix(fix: Fix, ended: Sequence[Path], by_id: Mapping[str, Finding]) -> Step:
    worst = min(ended, key=lambda p: (p.severity.rank, -len(p.steps), -len(p.blast), p.id))
    covers = {
        one
        for path in ended
        for one in path.findings
        if one in by_id and (by_id[one].rule, by_id[one].resource) == (fix.rule, fix.resource)
    }
    crossed = {e.resource.partition(".")[0] for s in worst.steps for e in s.evidence}
    return Step(
        title=worst.title,
        severity=worst.severity,
        does=fix.text,
        command=fix.command,
        names=(fix.resource.rpartition("/")[2].rpartition(":")[2],),
        rule=fix.rule,
        paths=tuple(path.id for path in ended),
        covers=frozenset(covers),
        order=(0, -len(crossed), -len(ended), -len(worst.blast), worst.id),
    )


def of_issues(issues: Iterable[Issue], by_id: Mapping[str, Finding]) -> Iterator[Step]:
    for issue in issues:
        parts = [by_id[one] for one in issue.findings if one in by_id]
        if len(parts) < 2:
            continue
        parts.sort(key=lambda f: (f.severity.rank, f.rule))
        lead = parts[0]
        yield Step(
            title=issue.title,
            severity=issue.severity,
            does=" ".join(dict.fromkeys(part.fix.strip() for part in parts[:2])),
            command=lead.command,
            findings=len(parts),
            saving=issue.saving,
            names=tuple(dict.fromkeys(part.title for part in parts))[:NAMES],
            rule=lead.rule,
            finding=lead.id,
            issue=issue.id,
            paths=issue.paths,
            covers=frozenset(issue.findings),
            order=(1, -len(issue.paths), -len(parts), -issue.saving, issue.id),
        )


def of_rules(findings: Sequence[Finding]) -> Iterator[Step]:
    """One step for each rule; the worst finding's title, fix and command speak for the rest."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.rule, []).append(finding)
    places = {category: place for place, category in enumerate(CATEGORIES)}
    for rule, group in groups.items():
        first = group[0]
        saving = sum(map(counted_saving, group))
        yield Step(
            title=first.title,
            severity=first.severity,
            does=first.fix,
            command=first.command,
            findings=len(group),
            saving=saving,
            names=tuple(f.name or f.resource_id for f in group[:NAMES]),
            rule=rule,
            finding=first.id,
            covers=frozenset(f.id for f in group),
            order=(
                *(2, places[first.category], -crossing(first.evidence)),
                *(-saving, -len(group), rule),
            ),
        )


def crossing(evidence: Iterable[Evidence]) -> int:
    """How many providers the facts are of: what shows only across them is told nowhere else."""
    return len({fact.resource.partition(".")[0] for fact in evidence})
