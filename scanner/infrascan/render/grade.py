"""The letter a scan gets, and what would change it.

A rule counts with its severity, security rules most. Its share is the part of its verdicts that
passed; the score is the weighted mean of the shares. What was not read is never a pass: each
letter is computed a second time as if every unknown verdict were a finding, and the confidence
says how much of the weight has a verdict. Low confidence lowers the letter, down to that one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from infrascan.model import Category, RuleSummary, Scan, Severity

LETTERS = "ABCDF"
LEAST = (("A", 95.0), ("B", 85.0), ("C", 70.0), ("D", 50.0), ("F", 0.0))  # score of each letter
NONE = "?"  # too little was read to say

SEVERITY_WEIGHT = {
    Severity.CRITICAL: 40.0,
    Severity.HIGH: 15.0,
    Severity.MEDIUM: 5.0,
    Severity.LOW: 1.0,
    Severity.INFO: 0.0,
}
CATEGORY_WEIGHT = {Category.SECURITY: 1.0, Category.RELIABILITY: 0.5, Category.COST: 0.25}

ONE_LETTER_BELOW = 90.0  # confidence, in percent
TWO_LETTERS_BELOW = 75.0
NO_LETTER_BELOW = 50.0

DEFINITION = (
    "The score is the share of checks that passed, weighted by severity (critical 40, high 15,"
    " medium 5, low 1) and category (security 1, reliability ½, cost ¼). A from 95, B from 85,"
    " C from 70, D from 50. A failed critical security check allows at most D, three of them F;"
    " a failed high one at most C. Confidence is the weight of the checks that have a verdict,"
    " and never more than the coverage: below 90% the grade is one letter lower, below 75% two,"
    " never lower than if every unknown were a finding; below 50% there is no grade."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """A letter from A to F, or `?` when too little was read."""

    letter: str
    as_read: str  # what the verdicts alone would give
    at_worst: str  # if every unknown verdict were a finding
    score: float  # 0 to 100, of the verdicts that there are
    confidence: float  # percent
    because: tuple[str, ...]  # sentences, the strongest first


def grade(scan: Scan) -> Grade:
    unread = {unknown.rule for unknown in scan.unknowns if not unknown.resource}
    weighed = [rule for rule in scan.rules if weight(rule) > 0]
    decided = [rule for rule in weighed if rule.flagged + rule.passed]
    doubtful = [rule for rule in weighed if rule.unknown or rule.rule in unread]

    score = mean((weight(r), r.passed / (r.flagged + r.passed)) for r in decided)
    worst = mean((weight(r), share_at_worst(r, unread)) for r in {*decided, *doubtful})
    known = mean((weight(r), share_known(r, unread)) for r in {*decided, *doubtful})
    confidence = min(100 * known, scan.coverage_percent) if scan.coverage else 0.0

    failed = [rule for rule in weighed if rule.flagged]
    letter, because = letter_for(100 * score, failed)
    at_worst, _ = letter_for(100 * worst, [*failed, *(r for r in doubtful if not r.flagged)])
    at_worst = worse(letter, at_worst)

    final = letter
    steps = (confidence < ONE_LETTER_BELOW) + (confidence < TWO_LETTERS_BELOW)
    if not decided or confidence < NO_LETTER_BELOW:
        final = NONE
        said = f"Only {percent(confidence)} of the weighted checks have a verdict."
        because = (said if decided and confidence else "No check has a verdict.",)
    elif steps and at_worst != letter:
        place = min(LETTERS.index(letter) + steps, LETTERS.index(at_worst))
        final = LETTERS[place]
        because = (
            *because,
            f"Lowered from {letter}: {percent(confidence)} of the weighted checks have a verdict.",
        )
    return Grade(
        letter=final,
        as_read=letter if decided else NONE,
        at_worst=at_worst,
        score=100 * score,
        confidence=confidence,
        because=because,
    )


def weight(rule: RuleSummary) -> float:
    return SEVERITY_WEIGHT[rule.severity] * CATEGORY_WEIGHT[rule.category]


def share_known(rule: RuleSummary, unread: set[str]) -> float:
    verdicts = rule.flagged + rule.passed
    total = verdicts + rule.unknown
    share = verdicts / total if total else 0.0
    # A partition that was not listed hides an unknown number of resources.
    return min(share, 0.5) if rule.rule in unread else share


def share_at_worst(rule: RuleSummary, unread: set[str]) -> float:
    if rule.rule in unread:
        return 0.0
    return rule.passed / (rule.flagged + rule.passed + rule.unknown)


def mean(weighed: Iterable[tuple[float, float]]) -> float:
    total = whole = 0.0
    # Addition of floats depends on its order, and sets have none.
    for heft, share in sorted(weighed):
        total += heft * share
        whole += heft
    return total / whole if whole else 0.0


def letter_for(score: float, failed: Iterable[RuleSummary]) -> tuple[str, tuple[str, ...]]:
    """The letter for a score under the caps, and why."""
    letter = next(name for name, least in LEAST if score >= least)
    security = [rule for rule in failed if rule.category is Category.SECURITY]
    critical = sum(rule.severity is Severity.CRITICAL for rule in security)
    high = sum(rule.severity is Severity.HIGH for rule in security)
    because = [f"{percent(score)} of the weighted checks passed."]
    cap = "F" if critical >= 3 else "D" if critical else "C" if high else "A"
    if critical or high:
        count, level = (critical, "critical") if critical else (high, "high-severity")
        checks = f"{level} security check" + ("s" if count > 1 else "")
        binds = LETTERS.index(cap) > LETTERS.index(letter)
        effect = f"makes it {cap}" if cap == LETTERS[-1] else f"allows at most {cap}"
        limit = f", which {effect}" if binds else ""
        because.insert(0, f"{count} {checks} failed{limit}.")
    return worse(letter, cap), tuple(because)


def worse(one: str, other: str) -> str:
    return max(one, other, key=LETTERS.index)


def percent(value: float) -> str:
    """A share in percent, never rounded up to a hundred or down to nothing."""
    if 0 < value < 0.1:
        return "0.1%"
    if 99.9 < value < 100:
        return "99.9%"
    return f"{value:.1f}".removesuffix(".0") + "%"
