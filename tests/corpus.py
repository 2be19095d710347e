"""The rules that ship, loaded once for the tests that go through all of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from infrascan.evaluate import Example, Rule, load
from infrascan.evaluate.mutate import verdict
from infrascan.evaluate.path import relations
from infrascan.evaluate.prove import staged
from infrascan.model import Resource
from infrascan.pipeline import all_kinds
from infrascan.shipped import shipped

__all__ = ["EACH", "KINDS", "LEADS", "RULES", "blinded", "platform", "scenes", "verdict"]

KINDS = all_kinds()
RULES = load([shipped("rules")], KINDS)
LEADS = relations(KINDS)
EACH = pytest.mark.parametrize("rule", RULES.rules, ids=lambda rule: rule.id)


def platform(rule: Rule) -> str:
    return rule.id.partition(".")[0]


def scenes(rule: Rule, examples: Iterable[Example] | None = None) -> list[tuple[Example, Resource]]:
    """The rule's examples with the resources they describe, made once for many questions."""
    return [
        (example, staged(example, rule, KINDS, LEADS))
        for example in (rule.examples if examples is None else examples)
    ]


def blinded(rule: Rule) -> list[Example]:
    """Each example with one more thing unread, for each thing that the rule reads."""
    names = {*rule.needs.names, *(name for name, _ in rule.needs.links)}
    return [
        replace(example, unread=(*example.unread, name))
        for example in rule.examples
        for name in sorted(names - {*example.unread})
    ]
