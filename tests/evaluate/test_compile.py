"""Compiled rules and the interpreter agree, and a rule cannot bring code of its own."""

from __future__ import annotations

import ast
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infrascan.evaluate.compile import flags, source
from infrascan.evaluate.interpret import interpret
from infrascan.model import Resource
from tests.evaluate.language import NOW, condition, conditions, lock, resource, resources

NOW_SECONDS = NOW.timestamp()


@given(
    st.lists(conditions(), min_size=1, max_size=4), st.lists(resources(), min_size=1, max_size=4)
)
@settings(max_examples=400, deadline=None, derandomize=True)
def test_compiled_rules_flag_what_the_interpreter_flags(
    rules: list[Any], found: list[Resource]
) -> None:
    parsed = [condition(rule) for rule in rules]
    compiled = flags(parsed, NOW_SECONDS)
    for one in found:
        expected = [
            position
            for position, rule in enumerate(parsed)
            if interpret(rule, one, NOW_SECONDS).verdict is True
        ]
        assert compiled(one) == expected


@given(st.lists(conditions(), min_size=1, max_size=3))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_generated_code_is_names_and_operators_alone(rules: list[Any]) -> None:
    text, _ = source([condition(rule) for rule in rules], NOW_SECONDS)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant):
            assert node.value in (True, False, None, 0, 1, 2), node.value
        if isinstance(node, ast.Attribute):
            assert node.attr in {"get", "values", "append", "data", "links", "account"}
            assert not node.attr.startswith("_")
        assert not isinstance(node, ast.Import | ast.ImportFrom | ast.Lambda | ast.JoinedStr)


@pytest.mark.parametrize(
    "hostile",
    [
        'a"]); __import__("os").abort(); ("',
        "x'\n    hits.append(99)\n#",
        "__class__",
        "{0.__class__}",
        "\\",
    ],
)
def test_text_from_a_rule_never_becomes_code(hostile: str) -> None:
    rules = [
        condition({'["k"]': hostile}),
        condition({"a|in": [hostile]}),
        condition({"a|contains": hostile}),
        condition({"a|matches": "x" if "{" in hostile or '"' in hostile else "y"}),
    ]
    text, constants = source(rules, NOW_SECONDS)
    assert hostile not in text
    assert hostile in constants.values()
    assert flags(rules, NOW_SECONDS)(resource({"k": hostile, "a": hostile}))[:3] == [0, 1, 2]


def test_hostile_keys_are_looked_up_and_not_run() -> None:
    key = "a'); import os; ('"
    rule = condition({f'["{key}"]': 1})
    text, _ = source([rule], NOW_SECONDS)
    assert "import" not in text
    assert flags([rule], NOW_SECONDS)(resource({key: 1})) == [0]


def test_generated_code_has_no_builtins() -> None:
    compiled: Any = flags([condition({"a": 1})], NOW_SECONDS)
    assert compiled.__globals__["__builtins__"] == {}


def test_rules_share_their_lookups() -> None:
    text, _ = source([condition({"a.b": n}) for n in (1, 2, 3)], NOW_SECONDS)
    assert text.count(".get(") == 2


def test_the_deepest_condition_that_loads_also_compiles() -> None:
    rule: Any = {"b": 1}
    for _ in range(5):
        rule = {"a[]": {"b.*": {"not": {"all": [rule, {"c": 1}]}}}}
    rule = {"locks[]": rule}
    compiled = flags([condition(rule)], NOW_SECONDS)
    assert compiled(resource({}, [lock({"a": [{"b": {"x": {}}}]})])) == [0]
