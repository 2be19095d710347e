"""The SARIF 2.1.0 report, for code scanning and the viewers that read it.

A finding is a result of kind `fail`; a verdict that is unknown is `open`, which SARIF has for
"insufficient information to decide". Resources are logical locations; as code scanning wants a
file for each result, their place is also a made-up relative address. Gaps are notifications of
the invocation, which is successful only when every provider could be read and nothing broke.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

from infrascan.model import Category, Finding, Reason, RuleSummary, Scan, Severity, Unknown
from infrascan.render import inert
from infrascan.render.evidence import told
from infrascan.render.first import counted_saving
from infrascan.render.gaps import WORDS, GapGroup, remedy, why
from infrascan.render.sealing import text as as_json
from infrascan.render.summary import Summary, summarize

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
# Code scanning ranks security alerts by a CVSS-like number: over 9 critical, over 7 high.
SCORES = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "2.5",
    Severity.INFO: "0.1",
}
REASONS = tuple(Reason)
TOLD = 5  # facts in a message; the properties have them all


def chunks(scan: Scan) -> Iterator[str]:
    summary = summarize(scan)
    firsts = {finding.rule: finding for finding in reversed(summary.findings)}
    rules = [*descriptors(scan, firsts)]
    index = {rule["id"]: place for place, rule in enumerate(rules)}
    driver = {
        "name": "infrascan",
        "version": scan.version,
        "semanticVersion": scan.version,
        "rules": rules,
        "notifications": [
            {
                "id": f"not-read/{reason}",
                "shortDescription": {"text": f"Not read: {WORDS[reason][0]}"},
            }
            for reason in REASONS
        ],
    }
    yield f'{{"$schema": {as_json(SCHEMA)}, "version": "2.1.0", "runs": [{{\n'
    yield f'"tool": {as_json({"driver": driver})},\n'
    yield f'"automationDetails": {as_json({"id": f"infrascan/{scan.id}"})},\n'
    yield f'"invocations": {as_json([invocation(scan, summary)])},\n'
    yield '"columnKind": "unicodeCodePoints",\n"results": ['
    before = "\n"
    for result in results(scan, summary, index):
        yield before + as_json(result)
        before = ",\n"
    yield "\n]}]}\n"


def descriptors(scan: Scan, firsts: dict[str, Finding]) -> Iterator[dict[str, Any]]:
    """Every rule that ran, or that a finding or unknown verdict names."""
    ran = {rule.rule for rule in scan.rules}
    for rule in scan.rules:
        yield descriptor(rule, firsts.get(rule.rule))
    for name in sorted(set(firsts) - ran):
        yield descriptor(firsts[name], firsts[name])
    for name in sorted({unknown.rule for unknown in scan.unknowns} - ran - set(firsts)):
        yield {"id": inert.visible(name)}


def descriptor(rule: RuleSummary | Finding, first: Finding | None) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "tags": [rule.category, *(f"{k}/{i}" for k, ids in controls(first) for i in ids)][:20],
        "precision": "high",
        "problem.severity": {"error": "error", "warning": "warning", "note": "recommendation"}[
            LEVELS[rule.severity]
        ],
        "severity": rule.severity,
        "kind": rule.kind,
    }
    if rule.category is Category.SECURITY:
        properties["security-severity"] = SCORES[rule.severity]
    described: dict[str, Any] = {
        "id": inert.visible(rule.rule),
        "name": inert.visible(rule.rule),
        "shortDescription": {"text": plain(rule.title)},
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
    }
    if first:
        links = [url for url in map(inert.link, first.references) if url]
        if links:
            described["helpUri"] = links[0]
        described["fullDescription"] = {"text": plain(first.why)}
        described["help"] = {
            "text": f"{plain(first.why)} Fix: {plain(first.fix)}",
            "markdown": "\n\n".join(
                (
                    inert.markdown(first.why),
                    f"**Fix:** {inert.markdown(first.fix)}",
                    *(f"- <{url}>" for url in links),
                )
            ),
        }
    described["properties"] = properties
    return described


def controls(finding: Finding | None) -> Iterable[tuple[str, list[str]]]:
    for name, ids in sorted(finding.controls.items()) if finding else ():
        yield inert.visible(name), [inert.visible(i) for i in ids]


def plain(text: str) -> str:
    """Text of a message: a viewer would take `[a](b)` in it for a link."""
    return inert.prose(text).replace("](", "] (")


def invocation(scan: Scan, summary: Summary) -> dict[str, Any]:
    whole = not (
        scan.interrupted
        or summary.broken
        or any(group.reason is Reason.BUG for group in summary.gaps)
    )
    return {
        "executionSuccessful": whole,
        "startTimeUtc": scan.started,
        "endTimeUtc": scan.finished,
        "toolExecutionNotifications": [notification(group) for group in summary.gaps],
        "toolConfigurationNotifications": [
            {
                "level": "error",
                "message": {
                    "text": plain(
                        f"{i.provider} {i.account or i.source} could not be read: {why(i)}"
                    )
                },
            }
            for i in summary.broken
        ],
        "properties": {
            "coveragePercent": round(summary.coverage, 2),
            "grade": summary.grade.letter,
            "interrupted": scan.interrupted,
        },
    }


def notification(group: GapGroup) -> dict[str, Any]:
    regions = ", ".join(region for region in group.regions if region)
    where = " ".join(filter(None, (group.provider, group.account, regions)))
    return {
        "level": "error" if group.reason is Reason.BUG else "warning",
        "descriptor": {"id": f"not-read/{group.reason}", "index": REASONS.index(group.reason)},
        "message": {
            "text": plain(
                f"{group.call or group.provider} {group.word} in {where}: {group.detail}. {group.remedy}"
            )
        },
        "properties": {
            "permission": group.permission,
            "gaps": group.gaps,
            "unknownVerdicts": group.unknowns,
        },
    }


def results(scan: Scan, summary: Summary, index: dict[str, int]) -> Iterator[dict[str, Any]]:
    for finding in summary.findings:
        yield result(finding, index[inert.visible(finding.rule)])
    for unknown in scan.unknowns:
        yield open_result(unknown, index[inert.visible(unknown.rule)])


def result(finding: Finding, place: int) -> dict[str, Any]:
    facts = [*told(finding, TOLD)]
    said = "; ".join(f"{path} = {inert.short(value, 160)}" for path, value in facts)
    name = finding.name or finding.resource_id
    marked = [
        f"{inert.markdown(finding.title)}: {inert.code(name)}",
        "\n".join(f"- {inert.code(p)} = {inert.code(inert.short(v, 160))}" for p, v in facts),
        f"**Fix:** {inert.markdown(finding.fix)}",
    ]
    if finding.command:
        marked.append(inert.fence(finding.command, "sh"))
    properties: dict[str, Any] = {
        "category": finding.category,
        "severity": finding.severity,
        "evidence": [
            {"resource": e.resource, "path": e.path, "value": e.value} for e in finding.evidence
        ],
        "command": finding.command,
    }
    if finding.cost:
        properties["monthlyCost"] = finding.cost.monthly
    if finding.saving:
        properties["monthlySaving"] = counted_saving(finding)
    return {
        "ruleId": inert.visible(finding.rule),
        "ruleIndex": place,
        "kind": "fail",
        "level": LEVELS[finding.severity],
        "message": {
            "text": plain(f"{name}: {finding.title}" + (f" ({said})" if said else "")),
            "markdown": "\n\n".join(filter(None, marked)),
        },
        "locations": [location(finding, finding.resource, name)],
        "partialFingerprints": {
            "infrascan/v1": finding.id,
            "primaryLocationLineHash": f"{finding.id}:1",
        },
        "properties": properties,
    }


def open_result(unknown: Unknown, place: int) -> dict[str, Any]:
    gap = unknown.gap
    name = unknown.name or unknown.resource or gap.place
    return {
        "ruleId": inert.visible(unknown.rule),
        "ruleIndex": place,
        "kind": "open",
        "level": "none",
        "message": {
            "text": plain(
                f"{name}: no verdict, {gap.call or gap.kind or gap.provider} was not read"
                f" ({WORDS[gap.reason][0]}). {remedy(gap)}"
            )
        },
        "locations": [location(unknown, unknown.resource or gap.place, name)],
        "properties": {
            "reason": gap.reason,
            "permission": gap.permission,
            "detail": gap.detail,
        },
    }


def location(item: Finding | Unknown, key: str, name: str) -> dict[str, Any]:
    segments = (item.provider, item.account, item.region or "global", item.kind, name)
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": "/".join(map(segment, segments))},
            "region": {"startLine": 1},
        },
        "logicalLocations": [
            {
                "name": inert.visible(name),
                "fullyQualifiedName": inert.visible(key),
                "kind": "resource",
            }
        ],
    }


def segment(text: str) -> str:
    """One segment of a relative address, never empty, `.` or `..`."""
    quoted = quote(inert.visible(text), safe="")
    return quoted.replace(".", "%2E") if not quoted.strip(".") and quoted else quoted or "-"
