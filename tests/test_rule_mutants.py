"""Every part of a rule is there for a reason that one of its examples shows, and no gap lies.

Each part of each condition is left out or turned round, one at a time; some example must then
come out differently. What survives is either untested or of no use. And each thing that a rule
reads is taken away from each example, one at a time; its verdict may be lost, never changed.
"""

from __future__ import annotations

from infrascan.evaluate import Rule
from infrascan.evaluate.mutate import unnoticed
from tests.corpus import EACH, blinded, scenes, verdict


@EACH
def test_no_part_of_a_rule_can_be_left_out_unnoticed(rule: Rule) -> None:
    assert unnoticed(rule.condition, scenes(rule)) == []


@EACH
def test_no_read_that_is_taken_away_turns_a_verdict_round(rule: Rule) -> None:
    turned = [
        (example.sentence, example.unread[-1])
        for example, resource in scenes(rule, blinded(rule))
        if verdict(rule.condition, example, resource) not in {example.outcome, "unknown"}
    ]
    assert turned == []
