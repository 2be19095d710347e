"""The rules for Google Cloud: each part of each condition matters, and no gap turns a verdict."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from infrascan.collect.provider import Selection
from infrascan.evaluate import Rule, lint, load, prove
from infrascan.model import Kind
from infrascan.providers import load as provider
from infrascan.shipped import shipped
from tests.test_k8s_rule_mutants import mutants

KINDS: dict[str, Kind] = dict(
    provider("gcp")(Selection(observed=datetime(2026, 11, 21, tzinfo=UTC))).kinds
)
SHIPPED = load([shipped("rules") / "gcp"], KINDS)
EACH = pytest.mark.parametrize("rule", SHIPPED.rules, ids=lambda rule: rule.id)


def test_there_are_as_many_rules_as_promised() -> None:
    count = Counter(str(rule.category) for rule in SHIPPED.rules)
    assert count["security"] >= 45
    assert count["reliability"] >= 15
    assert count["cost"] >= 15


@EACH
def test_a_rule_proves_itself_and_is_in_good_form(rule: Rule) -> None:
    assert list(prove(rule, KINDS)) == []
    assert list(lint(rule, KINDS)) == []


@EACH
def test_no_part_of_a_rule_can_be_left_out_unnoticed(rule: Rule) -> None:
    survivors = [
        done
        for done, mutant in mutants(rule.condition)
        if not prove(replace(rule, condition=mutant), KINDS)
    ]
    assert survivors == []


@EACH
def test_no_read_that_is_taken_away_turns_a_verdict_round(rule: Rule) -> None:
    """With one more field unread, an example keeps its verdict or loses it, never changes it."""
    names = {*rule.needs.names, *(name for name, _ in rule.needs.links)}
    for example in rule.examples:
        for name in sorted(names - {*example.unread}):
            blinded = replace(example, unread=(*example.unread, name))
            verdicts = [
                outcome
                for outcome in (example.outcome, "unknown")
                if not prove(replace(rule, examples=(replace(blinded, outcome=outcome),)), KINDS)
            ]
            assert verdicts, (example.sentence, name)


@EACH
def test_a_rule_argues_its_severity_and_gives_a_command(rule: Rule) -> None:
    assert rule.command
    assert rule.category == "cost" or rule.severity in rule.why
    assert len(rule.examples) >= 3
    assert all(reference.startswith("https://cloud.google.com/") for reference in rule.references)
