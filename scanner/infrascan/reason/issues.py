"""Findings that make each other worse, as one item: exposed, privileged and without a backup.

Which concerns a finding raises, and which of them compound, stands in `rules/issues/`. An issue is
no less severe than any of its parts, and counts their savings once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import translate
from functools import lru_cache
from pathlib import Path as File
from typing import Any

from infrascan.evaluate.document import Document, RuleError, RuleErrors, compose
from infrascan.evaluate.path import near
from infrascan.model import SEVERITIES, Category, Finding, Issue, Path, Severity
from infrascan.render.inert import short, visible


@dataclass(frozen=True, slots=True)
class Concern:
    name: str
    says: str
    patterns: tuple[re.Pattern[str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compound:
    """Concerns that, on one resource, are worse than each by itself."""

    id: str
    of: frozenset[str]
    title: str
    category: Category
    severity: Severity
    why: str


@dataclass(slots=True)
class IssueRules:
    concerns: list[Concern] = field(default_factory=list)
    compounds: list[Compound] = field(default_factory=list)
    known: dict[str, frozenset[str]] = field(default_factory=dict)  # rule -> concerns

    def of(self, rule: str) -> frozenset[str]:
        """The concerns that a rule's findings raise."""
        if rule not in self.known:
            self.known[rule] = frozenset(
                c.name for c in self.concerns if any(p.match(rule) for p in c.patterns)
            )
        return self.known[rule]

    def says(self, names: Iterable[str]) -> str:
        wanted = set(names)
        return "; ".join(c.says for c in self.concerns if c.name in wanted)


def load(folders: Sequence[File]) -> IssueRules:
    """What the files of all folders say. Raises RuleErrors."""
    found = IssueRules()
    errors: list[RuleError] = []
    waiting: list[tuple[Document, Any]] = []
    for folder in folders:
        for file in sorted(folder.glob("*.yaml")):
            document, root = compose(file, str(file))
            if root is not None:
                waiting.append((document, root))
                for name, _, node in document.entries(root, "a file of issues"):
                    if name == "concerns":
                        found.concerns += concerns(document, node)
                    elif name != "issues":
                        document.wrong(node, f"there is no key '{name}' here")
            errors += document.errors
    for document, root in waiting:  # a compound may name concerns of another file
        before = len(document.errors)
        for name, _, node in document.entries(root, "a file of issues"):
            if name == "issues":
                found.compounds += compounds(document, node, {c.name for c in found.concerns})
        errors += document.errors[before:]
    if errors:
        raise RuleErrors(errors)
    return found


def concerns(document: Document, node: Any) -> list[Concern]:
    found = []
    for name, _, value in document.entries(node, "concerns"):
        at = {key: part for key, _, part in document.entries(value, "a concern")}
        patterns = document.strings(at["rules"], "rules") if "rules" in at else ()
        says = document.string(at["says"], "says") if "says" in at else ""
        if not patterns or not says:
            document.wrong(value, "a concern needs 'says' and 'rules'")
        found.append(Concern(name, says, tuple(map(pattern, patterns))))
    return found


@lru_cache(maxsize=256)
def pattern(text: str) -> re.Pattern[str]:
    return re.compile(translate(text))


def compounds(document: Document, node: Any, known: set[str]) -> list[Compound]:
    found = []
    for item in document.items(node, "issues"):
        at = {key: part for key, _, part in document.entries(item, "an issue")}
        texts = {
            key: document.string(at[key], key)
            for key in ("id", "title", "category", "severity", "why")
            if key in at
        }
        of = document.strings(at["of"], "of") if "of" in at else ()
        for name in of:
            if name not in known:
                document.wrong(at["of"], f"there is no concern '{name}'{near(name, known)}")
        if len(texts) < 5 or len(set(of)) < 2:
            document.wrong(
                item, "an issue has id, title, category, severity, why, and of: two or more"
            )
            continue
        if texts["category"] not in list(Category) or texts["severity"] not in SEVERITIES:
            document.wrong(item, "an issue's category or severity is none of those there are")
            continue
        found.append(
            Compound(
                id=texts["id"],
                of=frozenset(of),
                title=texts["title"],
                category=Category(texts["category"]),
                severity=Severity(texts["severity"]),
                why=texts["why"],
            )
        )
    return found


def issues(rules: IssueRules, findings: Sequence[Finding], paths: Sequence[Path]) -> list[Issue]:
    """The issues of a scan, the worst first. Of two with the same findings the wider one stays."""
    by_resource: dict[str, list[Finding]] = {}
    for finding in findings:
        by_resource.setdefault(finding.resource, []).append(finding)
    by_id = {finding.id: finding for finding in findings}
    found = [*on_targets(rules, by_id, paths)]
    for resource, own in by_resource.items():
        found += on_resource(rules, resource, own, paths)
    kept = without_parts(found)
    return sorted(
        kept,
        key=lambda i: (
            *(i.severity.rank, i.category is not Category.SECURITY),
            *(-len(i.paths), -len(i.findings), i.resource, i.id),
        ),
    )


def on_targets(
    rules: IssueRules, by_id: Mapping[str, Finding], paths: Sequence[Path]
) -> list[Issue]:
    """One issue for each target that several paths lead to, or one along which several concerns
    meet."""
    leading: dict[str, list[Path]] = {}
    for path in paths:
        leading.setdefault(path.target, []).append(path)
    found = []
    for target, ways in leading.items():
        parts = [
            by_id[one] for one in sorted({f for p in ways for f in p.findings}) if one in by_id
        ]
        raised = {name: f for f in parts for name in rules.of(f.rule)}
        if len(ways) < 2 and (len(parts) < 2 or len(raised) < 2):
            continue
        first = ways[0]
        title = first.title
        if len(ways) > 1:
            title = (
                f"{len(ways)} ways lead from the internet to {first.title.rpartition(' to ')[2]}"
            )
        found.append(
            Issue(
                title=title,
                category=Category.SECURITY,
                severity=worst([p.severity for p in ways] + [f.severity for f in parts]),
                resource=target,
                why=path_why(rules, first, raised, len(first.blast)),
                findings=tuple(f.id for f in parts),
                paths=tuple(p.id for p in ways),
                saving=saved(parts),
            )
        )
    return found


def path_why(rules: IssueRules, path: Path, raised: Iterable[str], blast: int) -> str:
    says = rules.says(raised)
    parts = [f"{s[0].upper()}{s[1:]}." for s in (step.says for step in path.steps)]
    if says:
        parts.append(f"On the way: {says}.")
    if blast:
        parts.append(f"From there {blast} more resources are within reach.")
    return " ".join(parts)


def on_resource(
    rules: IssueRules, resource: str, findings: Sequence[Finding], paths: Sequence[Path]
) -> list[Issue]:
    """The widest compound that the findings of one resource make, if they make any."""
    if len(findings) < 2:
        return []
    raised: dict[str, list[Finding]] = {}
    for finding in findings:
        for name in rules.of(finding.rule):
            raised.setdefault(name, []).append(finding)
    held = [c for c in rules.compounds if holds(c, raised)]
    if not held:
        return []
    lead = min(held, key=lambda c: (c.severity.rank, rules.compounds.index(c)))
    names = frozenset().union(*(c.of for c in held))
    parts = [f for f in findings if rules.of(f.rule) & names]
    whole = findings[0]
    label = short(visible(whole.name or whole.resource_id), 60)
    extra = rules.says(names - lead.of)
    return [
        Issue(
            title=f"“{label}” is {lead.title}",
            category=lead.category,
            severity=worst([lead.severity, *(f.severity for f in parts)]),
            resource=resource,
            why=lead.why + (f" Besides: {extra}." if extra else ""),
            findings=tuple(sorted(f.id for f in parts)),
            paths=tuple(p.id for p in paths if any(s.target == resource for s in p.steps)),
            saving=saved(parts),
        )
    ]


def holds(compound: Compound, raised: Mapping[str, Sequence[Finding]]) -> bool:
    """Whether different findings raise its concerns: one finding does not compound with itself."""
    if not compound.of <= raised.keys():
        return False
    return len({f.id for name in compound.of for f in raised[name]}) >= len(compound.of)


def without_parts(found: Iterable[Issue]) -> list[Issue]:
    """Without issues on a resource whose findings are all in another issue on it."""
    kept: list[Issue] = []
    for issue in sorted(found, key=lambda i: (-len(i.findings), -len(i.paths), i.id)):
        if not any(
            other.resource == issue.resource and set(issue.findings) <= set(other.findings)
            for other in kept
        ):
            kept.append(issue)
    return kept


def worst(severities: Iterable[Severity]) -> Severity:
    return min(severities, key=lambda severity: severity.rank)


def saved(findings: Iterable[Finding]) -> float:
    return round(sum(f.saving.monthly for f in findings if f.saving and f.saving_counted), 2)
