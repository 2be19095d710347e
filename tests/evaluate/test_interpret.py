"""Three verdicts, and the facts each one rests on."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infrascan.evaluate.interpret import FACT_CAP, interpret, trimmed
from infrascan.model import Evidence, Resource
from tests.evaluate.language import (
    NAMES,
    NOW,
    OBJECTS,
    VALUES,
    condition,
    conditions,
    lock,
    resource,
    resources,
)

NOW_SECONDS = NOW.timestamp()


def verdict(rule: Any, one: Resource) -> bool | None:
    return interpret(condition(rule), one, NOW_SECONDS).verdict


def facts(rule: Any, one: Resource) -> list[tuple[str, Any]]:
    return [(f.path, f.value) for f in interpret(condition(rule), one, NOW_SECONDS).facts]


@st.composite
def filled(draw: Any, one: Resource) -> Resource:
    """The same resource with every gap closed by some value."""
    whole = copy.deepcopy(one)
    for part in (whole, *whole.links.get("locks", ())):
        for name in [n for n in part.unread if n in NAMES]:
            part.data[name] = draw(VALUES)
    if "locks" in whole.unread:
        known = len(whole.links["locks"])
        for number in range(draw(st.integers(0, 2))):
            whole.links["locks"].append(lock(draw(OBJECTS), f"lock-{known + number}"))
    for part in (whole, *whole.links.get("locks", ())):
        part.unread.clear()
    return whole


@given(conditions(), resources(unread=True), st.data())
@settings(max_examples=500, deadline=None, derandomize=True)
def test_closing_a_gap_never_contradicts_a_definite_verdict(
    rule: Any, one: Resource, data: st.DataObject
) -> None:
    parsed = condition(rule)
    before = interpret(parsed, one, NOW_SECONDS)
    if before.verdict is None:
        assert before.gaps
        return
    after = interpret(parsed, data.draw(filled(one)), NOW_SECONDS)
    assert after.verdict is before.verdict


@given(conditions(), resources())
@settings(max_examples=300, deadline=None, derandomize=True)
def test_what_was_read_whole_is_never_unknown(rule: Any, one: Resource) -> None:
    assert verdict(rule, one) is not None


@given(conditions(), resources(unread=True))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_not_turns_a_verdict_around_and_keeps_unknown(rule: Any, one: Resource) -> None:
    plain, turned = verdict(rule, one), verdict({"not": rule}, one)
    assert turned is (None if plain is None else not plain)


@given(conditions(), resources())
@settings(max_examples=300, deadline=None, derandomize=True)
def test_every_verdict_cites_facts_that_are_in_the_data(rule: Any, one: Resource) -> None:
    answer = interpret(condition(rule), one, NOW_SECONDS)
    assert 0 < len(answer.facts) <= FACT_CAP
    owners = {part.key: part for part in (one, *one.links["locks"])}
    for fact in answer.facts:
        holder = owners[fact.resource]
        if fact.path.endswith(")") or ".Statement[" in fact.path:
            continue
        if fact.path in holder.links or (fact.path == "locks" and fact.value == []):
            assert fact.value == []
        elif fact.path == "id" and fact.value == holder.id:
            continue
        else:
            assert trimmed(value_at(holder.data, fact)) == fact.value


def value_at(data: Any, fact: Evidence) -> Any:
    for index, name in re.findall(r"\[(\d+)\]|([A-Za-z]+)", fact.path):
        data = data[int(index)] if index else (data or {}).get(name)
    return data


def test_a_value_is_cited_where_it_is() -> None:
    one = resource({"a": [{"b": [1, 2]}, {"b": [3, 2]}]})
    assert facts({"a[].b[]": 2}, one) == [("a[0].b[1]", 2), ("a[1].b[1]", 2)]


def test_keys_with_dots_are_cited_in_brackets() -> None:
    one = resource({"a": {"x.y/z": "1"}})
    assert facts({'a["x.y/z"]': "1"}, one) == [('a["x.y/z"]', "1")]
    assert facts({"a.*": "1"}, one) == [('a["x.y/z"]', "1")]


def test_a_bar_inside_a_quoted_key_is_part_of_it() -> None:
    one = resource({"a": {"x|y": "1"}})
    assert facts({'a["x|y"]': "1"}, one) == [('a["x|y"]', "1")]
    assert facts({'a["x|y"] | starts_with': "1"}, one) == [('a["x|y"]', "1")]


def test_what_is_missing_is_cited_with_null() -> None:
    assert facts({"a.b|exists": False}, resource({"a": {}})) == [("a.b", None)]
    assert facts({"not": {"a.b": True}}, resource({})) == [("a.b", None)]
    assert facts({"not": {"a[].b": 1}}, resource({"a": []})) == [("a", [])]
    assert facts({"not": {"a[].b": 1}}, resource({"a": [{}]})) == [("a[0].b", None)]


def test_what_was_there_instead_is_cited() -> None:
    assert facts({"not": {"a": True}}, resource({"a": False})) == [("a", False)]
    assert facts({"not": {"a": True, "b": 1}}, resource({"a": True, "b": 2})) == [("b", 2)]


def test_a_fact_found_along_a_relation_names_the_other_resource() -> None:
    one = resource({}, [lock({"a": 1}, "lock-7")])
    answer = interpret(condition({"locks[]": {"a": 1}}), one, NOW_SECONDS)
    assert answer.facts == (Evidence(resource=one.links["locks"][0].key, path="a", value=1),)


def test_an_empty_relation_is_cited_as_empty() -> None:
    assert facts({"not": {"locks[].a": 1}}, resource({}, [])) == [("locks", [])]
    assert facts({"locks|count": 0}, resource({}, [])) == [("count(locks)", 0)]


def test_scopes_hold_for_one_and_the_same_element() -> None:
    one = resource({"a": [{"b": 1, "c": 2}, {"b": 2, "c": 1}]})
    assert verdict({"a[].b": 1, "a[].c": 1}, one) is True
    assert verdict({"a[]": {"b": 1, "c": 1}}, one) is False


def test_missing_and_null_are_the_same() -> None:
    for data in ({}, {"a": None}):
        assert verdict({"a": True}, resource(data)) is False
        assert verdict({"a|exists": False}, resource(data)) is True
        assert verdict({"not": {"a": True}}, resource(data)) is True
        assert verdict({"a|count": 0}, resource(data)) is True


@pytest.mark.parametrize(
    "rule",
    [
        {"a": 1},
        {"not": {"a": 1}},
        {"a|exists": False},
        {"a|exists": True},
        {"a|count": 0},
        {"a.b.c": 1},
        {"a[]": {"b": 1}},
        {"not": {"a[].b": 1}},
        {"b|same_as": "a"},
        {"b|differs_from": "a"},
        [{"a": 1}, {"c": 1}],
    ],
)
def test_what_was_not_read_is_unknown(rule: Any) -> None:
    one = resource({"b": 1}, unread=("a",))
    answer = interpret(condition(rule), one, NOW_SECONDS)
    assert answer.verdict is None
    assert answer.gaps == (one.unread["a"],)


def test_an_unread_field_does_not_open_a_verdict_that_stands_without_it() -> None:
    one = resource({"b": 1}, unread=("a",))
    assert verdict([{"a": 1}, {"b": 1}], one) is True
    assert verdict({"a": 1, "b": 2}, one) is False
    assert verdict({"b": 1}, one) is True


def test_a_partly_read_relation_can_still_flag_but_not_pass() -> None:
    one = resource({}, [lock({"a": 1})], unread=("locks",))
    assert verdict({"locks[].a": 1}, one) is True
    assert verdict({"locks[].a": 2}, one) is None
    assert verdict({"locks|count": {"at_least": 1}}, one) is True
    assert verdict({"locks|count": {"at_most": 0}}, one) is False
    assert verdict({"locks|count": 1}, one) is None


def test_a_gap_of_a_related_resource_opens_the_verdict() -> None:
    one = resource({}, [lock({}, unread=("a",))])
    assert verdict({"locks[].a": 1}, one) is None
    assert verdict({"locks[].b": 1}, one) is False


def test_evidence_is_capped() -> None:
    one = resource({"a": [1] * 500})
    assert len(facts({"a[]": 1}, one)) == FACT_CAP
    assert len(facts({"not": {"a[]": {"b": 1}}}, resource({"a": [{}] * 500}))) == FACT_CAP


def test_a_big_value_is_cut_in_evidence() -> None:
    ((path, value),) = facts({"a|exists": True}, resource({"a": ["x" * 90] * 90}))
    assert path == "a"
    assert isinstance(value, str)
    assert len(value) < 500
    assert value.endswith("…")


def test_same_as_compares_within_the_scope_it_names() -> None:
    one = resource({"b": 5, "a": [{"b": 4, "c": 4}, {"b": 5, "c": 1}]})
    assert verdict({"a[]": {"b|same_as": "c"}}, one) is True
    assert verdict({"a[]": {"c|same_as": "^.b"}}, one) is False
    assert verdict({"a[]": {"b|same_as": "^.b"}}, one) is True
    assert verdict({"a[]": {"b|differs_from": "^.b", "c": 4}}, one) is True
    assert verdict({"b|differs_from": "a[].b"}, one) is False
    assert verdict({"b|differs_from": "c"}, one) is False


def test_all_any_and_not_take_mappings_and_lists() -> None:
    one = resource({"a": 1, "b": 2})
    assert verdict({"all": [{"a": 1}, {"b": 3}]}, one) is False
    assert verdict({"any": {"a": 1, "b": 3}}, one) is True
    assert verdict({"any": [{"a": 2}, {"b": 3}]}, one) is False
    assert verdict({"not": [{"a": 2}, {"b": 3}]}, one) is True
    assert verdict({"a": 1, "not": {"b": 3}}, one) is True
