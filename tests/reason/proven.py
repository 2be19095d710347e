"""A small scan that proves itself: two boxes that stand open, a path, a claim, and their rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path as Folder

from infrascan.evaluate import RuleSet, evaluate, load
from infrascan.graph import link
from infrascan.model import (
    INTERNET,
    Category,
    Claim,
    Coverage,
    Cut,
    Evidence,
    Fix,
    Gap,
    Issue,
    Partition,
    Path,
    Price,
    Reason,
    Research,
    Resource,
    Scan,
    Severity,
    State,
    Step,
)
from infrascan.reason.spending import spending
from infrascan.render import render
from tests.evaluate.language import ACCOUNT, BOX, KINDS, LOCK

NOW = datetime(2026, 6, 1, tzinfo=UTC)
RULES = {
    "box-open": """\
id: toy.shop.box-open
title: Box stands open
resource: toy.shop.box
severity: high
category: security
flag_when:
  Open: true
  not: {"locks[].Working": true}
why: Anyone may reach into it.
fix: {text: Close it.}
references: [https://example.com/boxes]
examples:
  - flag: open
    given: {Open: true}
  - pass: closed
    given: {Open: false}
""",
    "box-old": """\
id: toy.shop.box-old
title: Box is older than a year
resource: toy.shop.box
severity: low
category: cost
flag_when: {Made|older_than: 365d}
why: It leaks.
fix: {text: Replace it.}
references: [https://example.com/boxes]
saving: all
examples:
  - flag: old
    given: {Made: "2020-01-01T00:00:00Z"}
  - pass: new
    given: {Made: "2030-01-01T00:00:00Z"}
""",
}


def rules(folder: Folder, **changed: str) -> RuleSet:
    """The rules of the scan, from files in `folder`."""
    place = folder / "toy" / "shop"
    place.mkdir(parents=True, exist_ok=True)
    for name, text in {**RULES, **changed}.items():
        (place / f"{name}.yaml").write_text(text)
    return load([folder / "toy"], KINDS)


def box(name: str, cost: float, **data: object) -> Resource:
    return made(BOX.name, name, {**data, "monthly_cost": cost, "tags": {"team": "red \u202e <b>"}})


def made(kind: str, name: str, data: dict[str, object]) -> Resource:
    return Resource(
        kind=kind, id=name, name=name, provider="toy", account=ACCOUNT, region="here", data=data
    )


def scan(known: RuleSet, *, more: Sequence[Resource] = ()) -> Scan:
    """Everything a report can prove, and a gap in one box's colour."""
    resources = [
        box("a", 10.0, Open=True, LockIds=["x"], Made="2020-01-01T00:00:00Z", Colour="red"),
        box("b", 4.5, Open=True, LockIds=[], Made="2026-05-30T00:00:00Z"),
        box("c", 1.0, Open=False, LockIds=["y"], Made="2026-05-30T00:00:00Z"),
        made(LOCK.name, "x", {"Working": None, "Note": "caf\u00e9 \ud800"}),
        made(LOCK.name, "y", {"Working": True}),
        *more,
    ]
    gap = Gap(
        provider="toy", account=ACCOUNT, region="here", kind=BOX.name, call="toy.Hinges",
        reason=Reason.DENIED, detail="denied", resource=resources[0].key, field="Hinges",
    )  # fmt: skip
    resources[0].unread["Hinges"] = gap
    coverage = [
        Coverage(
            partition=Partition(provider="toy", account=ACCOUNT, region="here", kind=kind),
            state=State.READ, resources=3, calls=1, failed=0,
        )
        for kind in KINDS
    ]  # fmt: skip
    edges = link(resources, KINDS, [gap], coverage)
    found = evaluate(known, resources, [gap], now=NOW)
    price = Price(monthly=10.0, source="list", date="2026-01-01")
    findings = [
        replace(f, cost=price, saving=replace(price, monthly=6.0)) if "old" in f.rule else f
        for f in found.findings
    ]
    first, second = resources[0].key, resources[3].key
    opened = Evidence(resource=first, path="Open", value=True)
    fix = Fix(resource=first, text="Close it.", rule="toy.shop.box-open")
    path = Path(
        title="From the internet into box a",
        severity=Severity.CRITICAL,
        steps=(
            Step(source=INTERNET, target=first, relation="", stage="reach", says="open",
                 evidence=(opened,), fix=fix),
            Step(source=first, target=second, relation="locks", stage="data", says="has it"),
        ),
        findings=tuple(f.id for f in findings if f.resource == first and "open" in f.rule),
    )  # fmt: skip
    claim = Claim(
        title="Box a is open and old", severity=Severity.HIGH, confirmed=True, resources=(first,),
        evidence=(opened, Evidence(resource=first, path="count(locks)", value=1)),
        findings=tuple(f.id for f in findings if f.resource == first), says="It stands open.",
    )  # fmt: skip
    issue = Issue(
        title="Box a", category=Category.SECURITY, severity=Severity.CRITICAL, resource=first,
        why="Both.", findings=claim.findings, paths=(path.id,), saving=6.0,
    )  # fmt: skip
    result = Scan(
        id="20260601T000000Z-0001", version="0.1.0", started="2026-06-01T00:00:00Z",
        finished="2026-06-01T00:00:01Z", observed="2026-06-01T00:00:00Z",
        scope={"providers": ["toy"]}, identities=[], resources=resources, edges=edges,
        findings=findings, unknowns=found.unknowns, gaps=[gap], coverage=coverage,
        rules=found.rules, monthly_cost=sum(r.data.get("monthly_cost", 0.0) for r in resources),
        paths=[path], cuts=[Cut(fixes=(fix,), paths=(path.id,))], issues=[issue],
        research=Research(model="toy/one", claims=(claim,), accepted=1),
        calls={BOX.name: {"": "toy.ListBoxes", "Open": "toy.GetBox"}, LOCK.name: {"": "toy.Locks"}},
    )  # fmt: skip
    result.spending = spending(result)
    return result


def report(result: Scan) -> bytes:
    return "".join(render("json", result)).encode()
