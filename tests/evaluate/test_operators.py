"""Each operator, on values that satisfy it and values that do not, in both evaluators."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infrascan.evaluate.compile import flags
from infrascan.evaluate.interpret import interpret
from infrascan.evaluate.measures import equal, moment, network, number, seconds
from infrascan.evaluate.operators import BY_NAME, OPERATORS
from tests.evaluate.language import NOW, complaints, condition, resource

ODD: tuple[Any, ...] = (
    True,
    False,
    0,
    1,
    -1,
    1.5,
    "",
    "x",
    "nan",
    "inf",
    [],
    [1],
    {},
    {"a": 1},
    "\ud800",
    10**400,
)

# operator, operand, values that satisfy it, values that do not
CASES: tuple[tuple[str, Any, list[Any], list[Any]], ...] = (
    ("is", True, [True], [False, 1, "true", None, [True]]),
    ("is", 1, [1, 1.0], [True, "1", 2, [1]]),
    ("is", 0, [0, 0.0], [False, "0", ""]),
    ("is", "x", ["x"], ["X", "xx", ["x"], {"x": 1}]),
    ("in", ["a", 1, False], ["a", 1, False], ["b", True, 0, "1", ["a"]]),
    ("contains", "b", ["abc", ["a", "b"], {"b": None}], ["xyz", ["ab"], {"a": "b"}, 5]),
    ("contains", ["x", "y"], ["y", ["x"]], ["z", ["xy"]]),
    ("contains", 1, [[1]], [[True], ["1"], "1", {"1": 1}]),
    ("matches", "^a+$", ["a", "aaa"], ["ba", "", 5, ["a"]]),
    ("matches", ["^x", "y$"], ["xa", "ay"], ["ax", "ya"]),
    ("matches", "(?i)ab", ["xABx"], ["a b"]),
    ("starts_with", "ab", ["abc", "ab"], ["xab", "AB", ["abc"], 5]),
    ("starts_with", ["a", "b"], ["a1", "b1"], ["c1"]),
    ("ends_with", ":latest", ["x:latest"], ["latest", "x:latest1"]),
    ("exists", True, [0, "", False, [], {}], []),
    ("at_most", 5, [5, -1, "5", 4.9, "100m"], [6, "6", "1k", True, "five", [1]]),
    ("at_least", "1Gi", ["1Gi", "2048Mi", 1073741824, "1.1e9"], ["1G", "1023Mi", 5, "-2Gi", None]),
    ("above", 5, [6, "5.1"], [5, "5", "x", False]),
    ("below", "1", ["999m", 0, "0.5"], [1, "1", "1000m"]),
    ("covers", "10.1.0.0/16", ["10.0.0.0/8", "0.0.0.0/0", "10.1.0.0/16"], ["10.1.1.0/24", "::/0", "x", 5, "10.2.0.0/16"]),
    ("covers", ["0.0.0.0/0", "::/0"], ["0.0.0.0/0", "::/0"], ["0.0.0.0/1", "2000::/3"]),
    ("within", "10.0.0.0/8", ["10.1.2.3", "10.0.0.0/8", "10.1.2.3/16"], ["11.0.0.1", "0.0.0.0/0", "::1", "x"]),
    ("older_than", "30d", ["2026-05-01T00:00:00Z", "2020-01-01"], ["2026-05-30T00:00:00Z", "2030-01-01T00:00:00Z", "x", 5, "2026"]),
    ("older_than", "-30d", ["2026-06-20T00:00:00Z", "2026-01-01T00:00:00Z"], ["2026-07-20T00:00:00Z"]),
    ("newer_than", "12h", ["2026-05-31T18:00:00Z", "2027-01-01T00:00:00+02:00"], ["2026-05-31T06:00:00Z", "soon"]),
    ("count", 2, [[1, 2], {"a": 1, "b": 2}], [[1], [], {}, None]),
    ("count", {"at_least": 1, "below": 3}, [[1], [1, 2], "scalar"], [[], [1, 2, 3], None]),
    ("count", 0, [None, [], {}], [[None], 1]),
    ("allows", {"principal": "anyone", "action": "sqs:*"}, [{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "sqs:*"}}], [{}, "{", 5]),
)  # fmt: skip


def verdicts(rule: Any, value: Any) -> tuple[bool | None, bool]:
    one = resource({"a": value, "b": value})
    parsed = condition(rule)
    return interpret(parsed, one, NOW.timestamp()).verdict, bool(
        flags([parsed], NOW.timestamp())(one)
    )


@pytest.mark.parametrize(("name", "operand", "good", "bad"), CASES)
def test_an_operator_holds_where_it_should_in_both_evaluators(
    name: str, operand: Any, good: list[Any], bad: list[Any]
) -> None:
    rule = {f"a|{name}": operand}
    for value in good:
        assert verdicts(rule, value) == (True, True), value
    for value in bad:
        assert verdicts(rule, value) == (False, False), value


def test_every_operator_has_cases() -> None:
    assert {name for name, *_ in CASES} | {"same_as", "differs_from"} == set(BY_NAME)


@pytest.mark.parametrize(("name", "operand", "good", "bad"), CASES)
def test_an_operator_survives_any_value(
    name: str, operand: Any, good: list[Any], bad: list[Any]
) -> None:
    for value in ODD:
        interpreted, compiled = verdicts({f"a|{name}": operand}, value)
        assert interpreted is compiled


def test_two_paths_compare_by_value_and_type() -> None:
    assert verdicts({"a|same_as": "b"}, 5) == (True, True)
    assert verdicts({"a|differs_from": "b"}, 5) == (False, False)
    for left, right in ((1, True), ("1", 1), ("a", "A")):
        one = resource({"a": left, "b": right})
        parsed = condition({"a|differs_from": "b"})
        assert interpret(parsed, one, 0).verdict is True
        assert flags([parsed], 0)(one) == [0]


def test_a_bare_path_means_is_or_in() -> None:
    assert verdicts({"a": 5}, 5) == (True, True)
    assert verdicts({"a": [5, 6]}, 6) == (True, True)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"a": None}, "'is' does not take null; write `|exists: false`"),
        ({"a": []}, "'in' takes a list of scalars"),
        ({"a|is": [1]}, "'is' takes a scalar"),
        ({"a|matches": "("}, "'matches' cannot read the pattern '(': missing ): ("),
        ({"a|matches": "(?=x)"}, "'matches' cannot read the pattern '(?=x)'"),
        ({"a|starts_with": ""}, "'starts_with' takes a string or a list of strings"),
        ({"a|exists": "yes"}, "'exists' takes true or false"),
        ({"a|at_most": "many"}, "'at_most' takes a number or a quantity"),
        ({"a|at_most": True}, "'at_most' takes a number or a quantity"),
        ({"a|covers": "10.0.0.0/99"}, "'covers' takes a CIDR block"),
        ({"a|older_than": "3 months"}, "'older_than' takes a duration"),
        ({"a|older_than": 90}, "'older_than' takes a duration"),
        ({"a|count": -1}, "'count' counts in whole numbers"),
        ({"a|count": {"more_than": 1}}, "'count' takes a number, or a mapping"),
        ({"a|count": True}, "'count' counts in whole numbers"),
        ({"a|allows": {"action": "x"}}, "'allows' needs an action"),
        ({"a|same_as": "^.b"}, "'^.b' climbs out of 1 scopes, but it is inside 0"),
        ({"a|same_as": 5}, "'same_as' takes another path"),
        ({"a|starts_wiht": "x"}, "there is no operator 'starts_wiht'; did you mean 'starts_with'?"),
        ({"a|xyzzy": "x"}, "there is no operator 'xyzzy'"),
    ],
)
def test_a_wrong_operand_is_told(rule: Any, message: str) -> None:
    (found,) = complaints(rule)
    assert found.startswith(message)


def test_numbers_and_quantities() -> None:
    assert [number(v) for v in (5, 1.5, "5", "-5", "1e3", "100m", "1Ki", "1k", ".5", "5.")] == [
        5, 1.5, 5, -5, 1000, 0.1, 1024, 1000, 0.5, 5,
    ]  # fmt: skip
    assert number("700m") == 0.7
    for odd in (
        True,
        None,
        "",
        "x",
        "1 000",
        "1_000",
        "0x10",
        "nan",
        "inf",
        "5%",
        "1KiB",
        [],
        float("nan"),
    ):
        assert number(odd) is None


def test_moments_are_utc_unless_they_say_otherwise() -> None:
    assert moment("2026-06-01T00:00:00Z") == NOW.timestamp() == moment("2026-06-01")
    assert moment("2026-06-01T02:00:00+02:00") == NOW.timestamp()
    assert moment("2026-06-01T00:00:00.250Z") == NOW.timestamp() + 0.25
    for odd in ("2026-13-01T00:00:00Z", "yesterday", "", None, 5, "0001-01-01T00:00:00+14:00"):
        assert moment(odd) is None or odd.startswith("0001")


def test_durations() -> None:
    assert [seconds(v) for v in ("1s", "2m", "3h", "1d", "1w", "-1d")] == [
        1,
        120,
        10800,
        86400,
        604800,
        -86400,
    ]
    assert seconds("1y") is seconds("d") is seconds(5) is seconds("1.5d") is None


def test_networks() -> None:
    assert network("10.1.2.3/8") == network("10.0.0.0/8")
    assert network("10.0.0.1") == (4, 167772161, 167772161)
    assert network("::/0") == (6, 0, 2**128 - 1)
    assert network("10.0.0.0/33") is network("") is network("host") is None


def test_true_is_not_one() -> None:
    assert not equal(True, 1)
    assert not equal(0, False)
    assert equal(1, 1.0)


def test_every_operator_is_described() -> None:
    for operator in OPERATORS:
        assert operator.doc
        assert operator.operand
        assert isinstance(operator.schema, dict)
        json.dumps(operator.schema)
