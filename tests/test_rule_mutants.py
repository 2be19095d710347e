"""Every part of a rule is there for a reason that one of its examples shows, and no gap lies.

Each part of each condition is left out or turned round, one at a time; some example must then
come out differently. What survives is either untested or of no use. And each thing that a rule
reads is taken away from each example, one at a time; its verdict may be lost, never changed.
"""

from __future__ import annotations

from collections.abc import Iterator

from infrascan.evaluate import Rule
from infrascan.evaluate.condition import AllOf, AnyOf, Condition, Leaf, Not, Scope
from tests.corpus import EACH, blinded, scenes, verdict


def mutants(condition: Condition) -> Iterator[tuple[str, Condition]]:
    """(what was done, the condition with it done)."""
    if isinstance(condition, AllOf | AnyOf):
        group = type(condition)
        for i, part in enumerate(condition.parts):
            before, after = condition.parts[:i], condition.parts[i + 1 :]
            left = (*before, *after)
            if left:
                yield f"without {spelled(part)}", left[0] if len(left) == 1 else group(left)
            for done, mutant in mutants(part):
                yield done, group((*before, mutant, *after))
    elif isinstance(condition, Not):
        yield f"not turned round: {spelled(condition.part)}", condition.part
        for done, mutant in mutants(condition.part):
            yield done, Not(mutant)
    elif isinstance(condition, Scope):
        for done, mutant in mutants(condition.condition):
            yield f"in {condition.path.text}: {done}", Scope(condition.path, mutant)
    else:
        yield f"turned round: {spelled(condition)}", Not(condition)


def spelled(condition: Condition) -> str:
    if isinstance(condition, Leaf):
        return f"{condition.path.text}|{condition.operator.name}: {str(condition.operand)[:60]}"
    if isinstance(condition, Scope):
        return f"{condition.path.text}: {spelled(condition.condition)}"
    if isinstance(condition, Not):
        return f"not {spelled(condition.part)}"
    return f"{type(condition).__name__}({'; '.join(map(spelled, condition.parts))[:120]})"


@EACH
def test_no_part_of_a_rule_can_be_left_out_unnoticed(rule: Rule) -> None:
    staged = scenes(rule)
    survivors = [
        done
        for done, mutant in mutants(rule.condition)
        if all(verdict(mutant, *scene) == scene[0].outcome for scene in staged)
    ]
    assert survivors == []


@EACH
def test_no_read_that_is_taken_away_turns_a_verdict_round(rule: Rule) -> None:
    turned = [
        (example.sentence, example.unread[-1])
        for example, resource in scenes(rule, blinded(rule))
        if verdict(rule.condition, example, resource) not in {example.outcome, "unknown"}
    ]
    assert turned == []
