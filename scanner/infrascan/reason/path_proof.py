"""Proof that what paths are made of does what it says: the examples in `paths/`, run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from infrascan.evaluate.condition import Condition
from infrascan.evaluate.interpret import interpret
from infrascan.evaluate.path import near, relations
from infrascan.evaluate.prove import NOW, VERDICTS, fitting, placed
from infrascan.model import Gap, Kind, Reason, Resource
from infrascan.reason.path_rules import Example, PathRules

Conditions = dict[tuple[str, str], tuple[Condition, tuple[str, ...]]]


def conditions(rules: PathRules) -> Conditions:
    """Each condition by the id of what has it and which end it is on, with the kinds it is about.

    The end is `from`, `to` or, for a condition on what is on the way, its kind.
    """
    found: Conditions = {}
    for entry in rules.entries:
        if entry.condition is not None:
            found[entry.id, "from"] = (entry.condition, entry.kinds)
    for move in rules.moves:
        if move.when is not None:
            found[move.id, "from"] = (move.when, move.sources)
        if move.where is not None:
            found[move.id, "to"] = (move.where, move.targets)
        for kind, condition in move.through.items():
            found[move.id, kind] = (condition, (kind,))
    for goal in rules.goals:
        if goal.condition is not None:
            found[goal.id, "from"] = (goal.condition, goal.kinds)
    return found


def staged(example: Example, about: tuple[str, ...], kinds: Mapping[str, Kind]) -> Resource:
    """The resource that an example describes: of the kinds, the first that has all it gives."""
    leads = relations(kinds)
    kind = fitting(example.given, about, kinds, leads)
    resource = placed(example.given, kind, kinds, leads, "example")
    for name in example.unread:
        resource.data.pop(name, None)
        resource.unread[name] = Gap(provider=kind.provider, reason=Reason.DENIED, detail="")
    return resource


def verdict(condition: Condition, resource: Resource) -> str:
    """`flag`, `pass` or `unknown`."""
    return VERDICTS[interpret(condition, resource, NOW.timestamp()).verdict]


def prove(rules: PathRules, kinds: Mapping[str, Kind]) -> Iterator[str]:
    """One sentence for each example that does not come out as it says."""
    known = conditions(rules)
    words = {"flag": "holds", "pass": "fails", "unknown": "unknown"}
    for example in rules.examples:
        if (example.of, example.end) not in known:
            continue
        condition, about = known[example.of, example.end]
        said = verdict(condition, staged(example, about, kinds))
        if said != example.outcome:
            yield (
                f"{example.source}: example '{example.sentence}' says {words[example.outcome]},"
                f" the condition says {words[said]}"
            )


def lint(rules: PathRules) -> Iterator[str]:
    """What files that load still lack, one sentence each."""
    known = conditions(rules)
    outcomes: dict[tuple[str, str], set[str]] = {place: set() for place in known}
    for example in rules.examples:
        place = (example.of, example.end)
        if place in known:
            outcomes[place].add(example.outcome)
        else:
            ids = {name for name, _ in known}
            yield (
                f"{example.source}: '{example.of}' has no condition on '{example.end}'"
                f"{near(example.of, ids - {example.of})}"
            )
    for (name, end), found in outcomes.items():
        for outcome, word in (("flag", "holds"), ("pass", "fails")):
            if outcome not in found:
                yield f"{name} ({end}): has no example that {word}"
