"""The JUnit XML report, for CI systems that show test results.

A rule is a suite. A flagged resource is a failed case; a resource without a verdict is a case in
error, because a skipped one reads as if it did not matter. The resources that passed are one case,
which names their number.
"""

from __future__ import annotations

from collections.abc import Iterator

from infrascan.model import Finding, RuleSummary, Scan, Unknown
from infrascan.render.evidence import told
from infrascan.render.gaps import WORDS, remedy
from infrascan.render.inert import prose, short, xml
from infrascan.render.summary import counted, summarize


def chunks(scan: Scan) -> Iterator[str]:
    findings: dict[str, list[Finding]] = {}
    for finding in summarize(scan).findings:
        findings.setdefault(finding.rule, []).append(finding)
    unknowns: dict[str, list[Unknown]] = {}
    for unknown in scan.unknowns:
        unknowns.setdefault(unknown.rule, []).append(unknown)
    rules: dict[str, RuleSummary | None] = {rule.rule: rule for rule in scan.rules}
    for name in sorted({*findings, *unknowns} - set(rules)):
        rules[name] = None
    passing = sum(bool(rule and rule.passed) for rule in rules.values())
    failures, errors = len(scan.findings), len(scan.unknowns)
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield (
        f'<testsuites name="infrascan" tests="{passing + failures + errors}"'
        f' failures="{failures}" errors="{errors}">\n'
    )
    for name, rule in rules.items():
        yield from suite(name, rule, findings.get(name, []), unknowns.get(name, []), scan.started)
    yield "</testsuites>\n"


def suite(
    name: str,
    rule: RuleSummary | None,
    findings: list[Finding],
    unknowns: list[Unknown],
    started: str,
) -> Iterator[str]:
    passed = rule.passed if rule else 0
    tests = len(findings) + len(unknowns) + bool(passed)
    yield (
        f'<testsuite name="{xml(name)}" tests="{tests}" failures="{len(findings)}"'
        f' errors="{len(unknowns)}" skipped="0" timestamp="{xml(started)}">\n'
    )
    if rule and passed:
        yield (
            f'<testcase classname="{xml(name)}"'
            f' name="{counted(passed, "resource")} passed: {xml(prose(rule.title))}"/>\n'
        )
    for finding in findings:
        facts = "\n".join(
            f"{xml(path)} = {xml(short(value, 500))}" for path, value in told(finding)
        )
        yield (
            f'<testcase classname="{xml(name)}" name="{xml(finding.resource)}">'
            f'<failure type="{finding.severity}" message="{xml(prose(finding.title))}">'
            f"{facts}\n{xml(prose(finding.why))}\nFix: {xml(prose(finding.fix))}"
            f"\n{xml(finding.command)}</failure></testcase>\n"
        )
    for unknown in unknowns:
        gap = unknown.gap
        yield (
            f'<testcase classname="{xml(name)}" name="{xml(unknown.resource or gap.place)}">'
            f'<error type="unknown" message="{xml(f"Not read: {gap.call or gap.kind}, {WORDS[gap.reason][0]}. {remedy(gap)}")}">'
            f"{xml(gap.detail)}</error></testcase>\n"
        )
    yield "</testsuite>\n"
