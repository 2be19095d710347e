"""The grade follows its definition, and what was not read never raises it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infrascan.model import Category, Gap, Reason, RuleSummary, Scan, Severity, Unknown
from infrascan.render.grade import LETTERS, NONE, Grade, grade, percent

from . import made_scans

SECURITY, RELIABILITY, COST = Category.SECURITY, Category.RELIABILITY, Category.COST
GAP = Gap(provider="aws", reason=Reason.DENIED, detail="AccessDenied")


def rule(
    severity: Severity = Severity.HIGH,
    category: Category = SECURITY,
    *,
    flagged: int = 0,
    passed: int = 0,
    unknown: int = 0,
    name: str = "aws.x.y",
) -> RuleSummary:
    return RuleSummary(
        rule=name,
        title="x",
        category=category,
        severity=severity,
        kind="aws.x",
        flagged=flagged,
        passed=passed,
        unknown=unknown,
    )


def graded(*rules: RuleSummary, unread: tuple[str, ...] = ()) -> Grade:
    scan: Scan = made_scans.clean()
    scan.rules = [replace(r, rule=f"{r.rule}-{n}") for n, r in enumerate(rules)]
    scan.unknowns = [
        Unknown(
            rule=name,
            kind="aws.x",
            resource="",
            name="",
            provider="aws",
            account="1",
            region="",
            gap=GAP,
        )
        for name in unread
    ]
    return grade(scan)


def place(letter: str) -> int:
    """0 for A; no grade is worse than any."""
    return len(LETTERS) if letter == NONE else LETTERS.index(letter)


def test_everything_passed_is_an_a():
    assert graded(rule(passed=10)).letter == "A"


def test_nothing_read_is_no_grade():
    assert graded().letter == NONE
    assert grade(made_scans.nothing()).letter == NONE


@pytest.mark.parametrize(
    ("failed", "letter"),
    [
        ([(Severity.CRITICAL, SECURITY)], "D"),
        ([(Severity.CRITICAL, SECURITY)] * 3, "F"),
        ([(Severity.HIGH, SECURITY)], "C"),
        ([(Severity.HIGH, RELIABILITY)], "A"),
        ([(Severity.CRITICAL, COST)], "A"),
        ([(Severity.INFO, SECURITY)], "A"),
    ],
)
def test_one_failed_resource_in_a_thousand_caps_the_grade(failed, letter):  # type: ignore[no-untyped-def]
    rules = [rule(severity, category, flagged=1, passed=999) for severity, category in failed]
    assert graded(*rules, rule(passed=50)).letter == letter


def test_the_cap_is_said_first():
    found = graded(rule(Severity.CRITICAL, flagged=1, passed=999))
    assert found.because[0] == "1 critical security check failed, which allows at most D."


def test_security_weighs_most():
    letters = [
        place(graded(rule(Severity.MEDIUM, c, flagged=1), rule(passed=1)).letter)
        for c in (SECURITY, RELIABILITY, COST)
    ]
    assert letters == sorted(letters, reverse=True)
    assert letters[0] > letters[-1]


def test_many_unknown_verdicts_lower_the_letter_and_say_so():
    found = graded(rule(passed=80, unknown=20))
    assert (found.as_read, found.letter, found.at_worst) == ("A", "B", "C")
    assert found.because[-1].startswith("Lowered from A: 80%")


def test_below_half_there_is_no_letter():
    assert graded(rule(passed=40, unknown=60)).letter == NONE


def test_an_unread_partition_counts_as_failed_at_worst():
    found = graded(rule(Severity.CRITICAL, passed=10, unknown=1), unread=("aws.x.y-0",))
    assert found.at_worst == "F"


rules = st.lists(
    st.builds(
        rule,
        st.sampled_from(Severity),
        st.sampled_from(Category),
        flagged=st.integers(0, 5),
        passed=st.integers(0, 20),
        unknown=st.integers(0, 5),
    ),
    min_size=1,
    max_size=8,
)


@given(rules, st.data())
def test_a_pass_that_becomes_unknown_raises_nothing(before: list[RuleSummary], data: st.DataObject):
    at = data.draw(st.integers(0, len(before) - 1))
    lost = data.draw(st.integers(0, before[at].passed))
    after = list(before)
    after[at] = replace(
        before[at], passed=before[at].passed - lost, unknown=before[at].unknown + lost
    )
    old, new = graded(*before), graded(*after)
    assert place(new.at_worst) >= place(old.at_worst)
    assert new.confidence <= old.confidence + 1e-9


@given(rules, st.data())
def test_a_finding_that_becomes_unknown_never_raises_the_worst_case(
    before: list[RuleSummary], data: st.DataObject
):
    at = data.draw(st.integers(0, len(before) - 1))
    lost = data.draw(st.integers(0, before[at].flagged))
    after = list(before)
    after[at] = replace(
        before[at], flagged=before[at].flagged - lost, unknown=before[at].unknown + lost
    )
    assert place(graded(*after).at_worst) >= place(graded(*before).at_worst)


@given(rules)
def test_the_letter_is_never_better_than_the_verdicts_allow(given_rules: list[RuleSummary]):
    found = graded(*given_rules)
    assert place(found.letter) >= place(found.as_read)
    assert found.letter == NONE or place(found.letter) <= place(found.at_worst)


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0%"), (0.01, "0.1%"), (50, "50%"), (99.99, "99.9%"), (100, "100%")]
)
def test_a_percentage_is_not_rounded_to_all_or_nothing(value: float, text: str):
    assert percent(value) == text
