"""From rules and resources to findings and unknowns."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from infrascan.evaluate import Rule, RuleSet, evaluate
from infrascan.evaluate.condition import needs
from infrascan.evaluate.interpret import interpret
from infrascan.model import JSON, Category, Gap, Price, Reason, Resource, Severity
from tests.evaluate.language import BOX, LOCK, NOW, condition, conditions, lock, resource, resources


def rule(body: Any, name: str = "toy.shop.fault", **more: Any) -> Rule:
    parsed = condition(body)
    details: dict[str, Any] = {
        "title": "T", "category": Category.SECURITY, "severity": Severity.HIGH, "kinds": (BOX.name,),
        "why": "W", "fix": "F", "command": "fix {name}",
    }  # fmt: skip
    return Rule(id=name, condition=parsed, needs=needs(parsed), **(details | more))


def run(
    rules: Sequence[Rule], found: Sequence[Resource], gaps: Sequence[Gap] = (), **more: Any
) -> Any:
    return evaluate(RuleSet(tuple(rules)), found, gaps, now=NOW, **more)


def gap(**parts: Any) -> Gap:
    details = {"provider": "toy", "account": "1", "region": "r", "kind": BOX.name}
    return Gap(reason=Reason.DENIED, detail="denied", permission="toy:List", **(details | parts))


def test_a_finding_carries_its_evidence_and_its_fix() -> None:
    ((finding,), unknowns, (summary,)) = unpacked(
        run([rule({"a": 1})], [resource({"a": 1}), resource({"a": 2}, id="b")])
    )
    assert (finding.rule, finding.resource, finding.command) == (
        "toy.shop.fault",
        "toy.shop.box/111111111111/global/box-1",
        "fix box-1",
    )
    assert [(f.path, f.value) for f in finding.evidence] == [("a", 1)]
    assert unknowns == []
    assert (summary.flagged, summary.passed, summary.unknown) == (1, 1, 0)


def unpacked(result: Any) -> tuple[Any, Any, Any]:
    return result.findings, result.unknowns, result.rules


def test_an_unread_field_is_unknown_only_where_the_verdict_needs_it() -> None:
    rules = [
        rule({"a": 1}, "toy.shop.a"),
        rule({"b": 1}, "toy.shop.b"),
        rule([{"a": 1}, {"b": 1}], "toy.shop.c"),
    ]
    findings, unknowns, summaries = unpacked(run(rules, [resource({"b": 1}, unread=("a",))]))
    assert [f.rule for f in findings] == ["toy.shop.b", "toy.shop.c"]
    assert [(u.rule, u.gap.field) for u in unknowns] == [("toy.shop.a", "a")]
    assert [(s.flagged, s.passed, s.unknown) for s in summaries] == [
        (0, 0, 1),
        (1, 0, 0),
        (1, 0, 0),
    ]


def test_a_gap_of_a_related_resource_reaches_the_verdict() -> None:
    one = resource({}, [lock({}, unread=("a",))])
    _, unknowns, _ = unpacked(run([rule({"locks[].a": 1})], [one]))
    assert [u.gap for u in unknowns] == [one.links["locks"][0].unread["a"]]


def test_a_partition_that_was_not_read_is_unknown_for_every_rule_on_its_kind() -> None:
    rules = [
        rule({"a": 1}, "toy.shop.a"),
        rule({"b": 1}, "toy.shop.b"),
        rule({"a": 1}, "toy.shop.c", kinds=(LOCK.name,)),
    ]
    hole = gap()
    findings, unknowns, summaries = unpacked(run(rules, [], [hole, hole]))
    assert findings == []
    assert [(u.rule, u.resource, u.region, u.gap) for u in unknowns] == [
        ("toy.shop.a", "", "r", hole), ("toy.shop.b", "", "r", hole),
    ]  # fmt: skip
    assert [(s.passed, s.unknown) for s in summaries] == [(0, 1), (0, 1), (0, 0)]


def test_an_account_that_was_not_read_is_unknown_for_every_rule_of_the_provider() -> None:
    rules = [rule({"a": 1}, "toy.shop.a"), rule({"a": 1}, "toy.shop.b", kinds=(LOCK.name,))]
    _, unknowns, _ = unpacked(run(rules, [], [gap(kind=""), gap(provider="aws", kind="")]))
    assert [u.rule for u in unknowns] == ["toy.shop.a", "toy.shop.b"]


def test_a_gap_in_one_resource_or_in_another_field_hides_no_partition() -> None:
    _, unknowns, _ = unpacked(
        run([rule({"a": 1})], [], [gap(resource="x", field="a"), gap(field="b")])
    )
    assert unknowns == []
    _, unknowns, _ = unpacked(run([rule({"a": 1})], [], [gap(field="a")]))
    assert len(unknowns) == 1


def test_rules_on_several_kinds_are_unknown_by_kind() -> None:
    both = rule({"a": 1}, kinds=(BOX.name, LOCK.name))
    findings, unknowns, (summary,) = unpacked(
        run([both], [resource({"a": 1}), lock({"a": 2})], [gap(kind=LOCK.name)])
    )
    assert [f.kind for f in findings] == [BOX.name]
    assert [u.kind for u in unknowns] == [LOCK.name]
    assert (summary.flagged, summary.passed, summary.unknown) == (1, 1, 1)


@given(
    st.lists(conditions(), min_size=1, max_size=4),
    st.lists(resources(unread=True), min_size=1, max_size=3),
)
@settings(max_examples=200, deadline=None, derandomize=True)
def test_every_pair_comes_out_as_the_interpreter_says(
    bodies: list[Any], found: list[Resource]
) -> None:
    for number, one in enumerate(found):
        one.id = f"box-{number}"
    rules = [rule(body, f"toy.shop.r{n}") for n, body in enumerate(bodies)]
    findings, unknowns, summaries = unpacked(run(rules, found))
    flagged = {(f.rule, f.resource) for f in findings}
    open_ = {(u.rule, u.resource) for u in unknowns}
    for one in rules:
        for target in found:
            verdict = interpret(one.condition, target, NOW.timestamp()).verdict
            assert ((one.id, target.key) in flagged) is (verdict is True)
            assert ((one.id, target.key) in open_) is (verdict is None)
    assert all(s.flagged + s.passed + s.unknown == len(found) for s in summaries)


def test_the_order_of_resources_changes_nothing() -> None:
    found = [
        resource({"a": n % 3}, id=f"box-{n}", unread=("b",) if n % 4 == 0 else ())
        for n in range(30)
    ]
    rules = [rule({"a": 1}, "toy.shop.a"), rule({"b": 1}, "toy.shop.b", severity=Severity.CRITICAL)]
    before = run(rules, found)
    random.Random(3).shuffle(found)
    assert run(rules, found) == before


def price(amounts: dict[str, float | None], cost: float | None) -> Callable[..., Any]:
    def priced(_resource: Resource, saving: JSON) -> tuple[Price | None, Price | None, str]:
        amount = amounts.get(str(saving))
        return (
            Price(monthly=cost, source="s", date="d") if cost is not None else None,
            Price(monthly=amount, source="s", date="d") if amount is not None else None,
            "" if amount is not None else "no price",
        )

    return priced


def saving_rules(*names: str) -> list[Rule]:
    return [rule({"a": 1}, f"toy.shop.{n}", saving=n, severity=Severity.LOW) for n in names]


def test_only_the_largest_saving_on_a_resource_counts() -> None:
    found = [resource({"a": 1}, id="x"), resource({"a": 1}, id="y")]
    result = run(saving_rules("small", "large"), found, price=price({"small": 3, "large": 8}, 10))
    counted = [(f.rule, f.name, f.saving.monthly, f.saving_counted) for f in result.findings]
    assert counted == [
        ("toy.shop.large", "x", 8, True),
        ("toy.shop.large", "y", 8, True),
        ("toy.shop.small", "x", 3, False),
        ("toy.shop.small", "y", 3, False),
    ]


def test_a_saving_never_exceeds_the_cost() -> None:
    (finding,) = run(
        saving_rules("large"), [resource({"a": 1})], price=price({"large": 80}, 10)
    ).findings
    assert finding.saving.monthly == 10
    (finding,) = run(
        saving_rules("large"),
        [resource({"a": 1, "monthly_cost": 5})],
        price=price({"large": 80}, None),
    ).findings
    assert finding.saving.monthly == 5


def test_a_saving_without_a_cost_or_of_nothing_is_none() -> None:
    for amount, cost in ((5, None), (0, 10), (-3, 10), (5, 0), (None, 10)):
        (finding,) = run(
            saving_rules("x"), [resource({"a": 1})], price=price({"x": amount}, cost)
        ).findings
        assert finding.saving is None
        assert finding.saving_counted


def test_the_worst_and_dearest_come_first() -> None:
    rules = [
        rule({"a": 1}, "toy.shop.a", severity=Severity.LOW, saving="s"),
        rule({"a": 1}, "toy.shop.b", severity=Severity.LOW, saving="l"),
        rule({"a": 1}, "toy.shop.c", severity=Severity.CRITICAL),
    ]
    found = run(rules, [resource({"a": 1})], price=price({"s": 1, "l": 2}, 9)).findings
    assert [f.rule[-1] for f in found] == ["c", "b", "a"]
