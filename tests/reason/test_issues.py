"""Findings that make each other worse are one item, no less severe than any of its parts."""

from __future__ import annotations

from pathlib import Path as File

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infrascan.evaluate import RuleErrors
from infrascan.evaluate import load as load_rules
from infrascan.model import (
    SEVERITIES,
    Category,
    Evidence,
    Finding,
    Path,
    Price,
    Severity,
    Step,
)
from infrascan.reason.issues import IssueRules, issues, load
from infrascan.shipped import shipped

from .estates import KINDS

RULES = load([shipped("rules") / "issues"])
NAMES = (
    "aws.s3.bucket-readable-by-anyone",
    "aws.s3.bucket-unversioned",
    "aws.ec2.public-instance-with-admin-role",
    "aws.rds.instance-unencrypted",
    "aws.ec2.instance-idle",
    "aws.s3.access-unrecorded",
)


def finding(
    rule: str,
    resource: str = "r",
    severity: Severity = Severity.MEDIUM,
    saving: float = 0,
    *,
    counted: bool = True,
) -> Finding:
    return Finding(
        rule=rule, title=rule, category=Category.SECURITY, severity=severity, kind="aws.s3.bucket",
        resource=resource, resource_id=resource, name=resource, provider="aws", account="1",
        region="", evidence=(Evidence(resource=resource, path="id", value=resource),), why="w",
        fix="f", saving=Price(monthly=saving, source="s", date="d") if saving else None,
        saving_counted=counted,
    )  # fmt: skip


def path(target: str, *findings: Finding, title: str = "From the internet to it") -> Path:
    step = Step(source="internet", target=target, relation=title, stage="data", says="it is open")
    ids = tuple(f.id for f in findings)
    return Path(title=title, severity=Severity.HIGH, steps=(step,), findings=ids)


def test_exposed_and_without_a_backup_is_one_item_above_its_parts() -> None:
    parts = [finding("aws.s3.bucket-readable-by-anyone"), finding("aws.s3.bucket-unversioned")]
    (issue,) = issues(RULES, parts, [])

    assert issue.severity is Severity.CRITICAL
    assert set(issue.findings) == {f.id for f in parts}
    assert "nothing to restore it from" in issue.title
    assert issue.why


def test_the_same_concern_twice_is_no_issue() -> None:
    parts = [
        finding("aws.s3.bucket-readable-by-anyone"),
        finding("aws.s3.bucket-writable-by-anyone"),
    ]
    assert issues(RULES, parts, []) == []


def test_one_finding_that_raises_two_concerns_does_not_compound_with_itself() -> None:
    both = "estate.x.open-to-internet-and-idle"
    assert {"idle", "exposed"} <= RULES.of(both)
    assert issues(RULES, [finding(both), finding("aws.s3.other")], []) == []


def test_findings_on_different_resources_do_not_compound() -> None:
    parts = [
        finding("aws.s3.bucket-readable-by-anyone", "a"),
        finding("aws.s3.bucket-unversioned", "b"),
    ]
    assert issues(RULES, parts, []) == []


def test_several_ways_to_one_target_are_one_issue() -> None:
    ways = [path("db", title="From the internet to it"), path("db", title="Another way to it")]
    (issue,) = issues(RULES, [], ways)

    assert issue.title.startswith("2 ways lead from the internet to it")
    assert issue.paths == tuple(p.id for p in ways)


def test_different_concerns_along_one_path_are_an_issue() -> None:
    parts = [
        finding("aws.ec2.ssh-open-to-internet", "sg"),
        finding("aws.iam.policy-allows-everything", "role"),
    ]
    (issue,) = issues(RULES, parts, [path("bucket", *parts)])

    assert issue.resource == "bucket"
    assert set(issue.findings) == {f.id for f in parts}


def test_of_two_issues_on_a_resource_with_the_same_findings_one_is_told() -> None:
    parts = [finding("aws.s3.bucket-readable-by-anyone"), finding("aws.s3.bucket-unversioned")]
    found = issues(RULES, parts, [path("r", *parts)])

    assert len(found) == 1


@given(
    st.lists(
        st.builds(
            finding,
            st.sampled_from(NAMES),
            st.sampled_from("abc"),
            st.sampled_from(SEVERITIES),
            st.sampled_from([0.0, 5.0, 12.5]),
            counted=st.booleans(),
        ),
        max_size=12,
        unique_by=lambda f: f.id,
    ),
    st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_an_issue_is_no_less_severe_than_its_parts_and_counts_savings_once(
    findings: list[Finding], with_paths: bool
) -> None:
    by_id = {f.id: f for f in findings}
    paths = [path(f.resource, *findings) for f in findings[:2]] if with_paths else []
    found = issues(RULES, findings, paths)

    for issue in found:
        parts = [by_id[one] for one in issue.findings]
        assert all(issue.severity.rank <= part.severity.rank for part in parts)
        counted = sum(p.saving.monthly for p in parts if p.saving and p.saving_counted)
        assert issue.saving == pytest.approx(counted)
        assert len(set(issue.findings)) == len(issue.findings)
    assert [i.severity.rank for i in found] == sorted(i.severity.rank for i in found)
    assert issues(RULES, list(reversed(findings)), paths) == found


def test_every_concern_is_raised_by_some_shipped_rule() -> None:
    known = [rule.id for rule in load_rules([shipped("rules")], KINDS)]
    for concern in RULES.concerns:
        for pattern in concern.patterns:
            assert any(pattern.match(rule) for rule in known), (concern.name, pattern.pattern)


def test_what_is_wrong_with_a_file_is_told(tmp_path: File) -> None:
    (tmp_path / "x.yaml").write_text(
        "concerns:\n  exposed: {says: open, rules: ['*']}\n"
        "issues:\n  - {id: a, of: [exposed, privleged], title: t, category: security, severity: bad, why: w}\n"
        "  - {id: b, of: [exposed], title: t}\nwhat: 1\n"
    )
    with pytest.raises(RuleErrors) as raised:
        load([tmp_path])

    said = str(raised.value)
    assert "there is no concern 'privleged'" in said
    assert "category or severity" in said
    assert "two or more" in said
    assert "there is no key 'what' here" in said


def test_no_rules_no_issues() -> None:
    assert issues(IssueRules(), [finding(NAMES[0])], []) == []
