"""What a rule's examples would not notice: each part of its condition left out or turned round.

What survives is either untested or of no use.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from infrascan.evaluate.condition import AllOf, AnyOf, Condition, Leaf, Not, Scope
from infrascan.evaluate.interpret import interpret
from infrascan.evaluate.path import relations
from infrascan.evaluate.prove import NOW, VERDICTS, staged
from infrascan.evaluate.rule import Example, Rule
from infrascan.model import Kind, Resource


def survivors(rule: Rule, kinds: Mapping[str, Kind]) -> list[str]:
    """What can be done to the rule's condition without any of its examples coming out differently."""
    leads = relations(kinds)
    scenes = [(example, staged(example, rule, kinds, leads)) for example in rule.examples]
    return unnoticed(rule.condition, scenes)


def unnoticed(condition: Condition, scenes: list[tuple[Example, Resource]]) -> list[str]:
    return [
        done
        for done, mutant in mutants(condition)
        if all(verdict(mutant, *scene) == scene[0].outcome for scene in scenes)
    ]


def verdict(condition: Condition, example: Example, resource: Resource) -> str:
    moment = (example.now or NOW).timestamp()
    return VERDICTS[interpret(condition, resource, moment).verdict]


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
