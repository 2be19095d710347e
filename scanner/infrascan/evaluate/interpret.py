"""The reference evaluator: three verdicts by Kleene logic, with the facts behind each.

True, False, or None for "cannot be told": something that the verdict depends on was not read.
It is slow and complete. Compiled rules decide which resources it needs to look at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from infrascan.evaluate import policy
from infrascan.evaluate.condition import (
    AnyOf,
    Condition,
    Each,
    Every,
    Field,
    Leaf,
    Link,
    Not,
    Path,
    Scope,
    Step,
)
from infrascan.evaluate.measures import equal
from infrascan.evaluate.operands import BOUNDS
from infrascan.model import JSON, Evidence, Gap, Resource

FACT_CAP = 20
SHOWN_CAP = 400  # characters of a list or object that is shown as a fact
NAME = re.compile(r"[A-Za-z0-9_$@][A-Za-z0-9_$@/:\-]*")


@dataclass(frozen=True, slots=True)
class Spot:
    """A value and where it is. At a resource itself, `value` is the Resource and `path` is ""."""

    owner: Resource
    path: str
    value: Any

    def fact(self, value: Any = ..., below: str = "") -> Evidence:
        shown = self.value if value is ... else value
        if isinstance(shown, Resource):  # that a relation leads somewhere
            return Evidence(resource=shown.key, path="id", value=shown.id)
        path = f"{self.path}{below}" if self.path else below.lstrip(".")
        return Evidence(resource=self.owner.key, path=path, value=trimmed(shown))


@dataclass(slots=True)
class Reading:
    """What a walk along a path came across."""

    found: list[Spot] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    missing: list[Evidence] = field(default_factory=list)  # where it ended without a value


@dataclass(frozen=True, slots=True)
class Answer:
    """A verdict, the facts it rests on, and what was not read if it is None."""

    verdict: bool | None
    facts: tuple[Evidence, ...] = ()
    gaps: tuple[Gap, ...] = ()


def interpret(condition: Condition, resource: Resource, now: float) -> Answer:
    """Whether the condition holds for the resource at the time `now`, a timestamp."""
    answer = decide(condition, (Spot(resource, "", resource),), now)
    facts = tuple({(f.resource, f.path): f for f in answer.facts}.values())[:FACT_CAP]
    gaps = tuple(dict.fromkeys(answer.gaps)) if answer.verdict is None else ()
    return Answer(answer.verdict, facts, gaps)


def decide(condition: Condition, scopes: tuple[Spot, ...], now: float) -> Answer:
    if isinstance(condition, Leaf):
        return leaf(condition, scopes, now)
    if isinstance(condition, Scope):
        return scope(condition, scopes, now)
    if isinstance(condition, Not):
        answer = decide(condition.part, scopes, now)
        return Answer(None if answer.verdict is None else not answer.verdict, *rest(answer))
    wanted = isinstance(condition, AnyOf)  # one true part decides `any`, one false part `all`
    answers: list[Answer] = []
    for part in condition.parts:
        answers.append(decide(part, scopes, now))
        if not wanted and answers[-1].verdict is False:
            return answers[-1]
    return combined(answers, wanted)


def rest(answer: Answer) -> tuple[tuple[Evidence, ...], tuple[Gap, ...]]:
    return answer.facts, answer.gaps


def combined(answers: list[Answer], wanted: bool) -> Answer:
    """Decided by the answers that are `wanted`; else open if any is; else the opposite."""
    deciding = [a for a in answers if a.verdict is wanted]
    if deciding:
        return Answer(wanted, facts_of(deciding))
    unknown = [a for a in answers if a.verdict is None]
    if unknown:
        return Answer(None, facts_of(answers), gaps_of(unknown))
    return Answer(not wanted, facts_of(answers))


def facts_of(answers: list[Answer]) -> tuple[Evidence, ...]:
    return tuple(fact for answer in answers for fact in answer.facts)[: 2 * FACT_CAP]


def gaps_of(answers: list[Answer]) -> tuple[Gap, ...]:
    return tuple(dict.fromkeys(gap for answer in answers for gap in answer.gaps))


def scope(condition: Scope, scopes: tuple[Spot, ...], now: float) -> Answer:
    reading = read(condition.path, scopes)
    answers = [decide(condition.condition, (*scopes, spot), now) for spot in reading.found]
    deciding = [a for a in answers if a.verdict is True]
    if deciding:
        return Answer(True, facts_of(deciding))
    facts = (*facts_of(answers), *reading.missing)
    gaps = (*reading.gaps, *gaps_of([a for a in answers if a.verdict is None]))
    return Answer(None if gaps else False, facts, gaps)


def leaf(condition: Leaf, scopes: tuple[Spot, ...], now: float) -> Answer:
    reading = read(condition.path, scopes)
    reads = condition.operator.reads
    if reads == "presence":
        return presence(condition, reading)
    if reads == "count":
        return count(condition, reading, scopes)
    if reads == "path":
        return compare(condition, reading, scopes)
    operator = condition.operator
    constant = operator.bind(condition.operand, now)
    held = [
        spot for spot in reading.found if operator.holds(spot.value, constant, spot.owner.account)
    ]
    if held:
        return Answer(True, tuple(proof(condition, spot) for spot in held[:FACT_CAP]))
    return settled(reading)


def proof(condition: Leaf, spot: Spot) -> Evidence:
    """The fact that satisfied the operator; for a policy, the statement that grants."""
    if condition.operator.name == "allows":
        index = policy.granting(spot.value, condition.operand, spot.owner.account) or 0
        rows = policy.statements(spot.value)
        return spot.fact(rows[index], f".Statement[{index}]")
    return spot.fact()


def settled(reading: Reading) -> Answer:
    """No value satisfies the test: false, unless some were not read."""
    facts = (*(spot.fact() for spot in reading.found[:FACT_CAP]), *reading.missing)
    return Answer(None if reading.gaps else False, facts, tuple(reading.gaps))


def presence(condition: Leaf, reading: Reading) -> Answer:
    facts = tuple(spot.fact() for spot in reading.found[:FACT_CAP])
    if reading.found:
        return Answer(condition.operand is True, facts)
    if reading.gaps:
        return Answer(None, tuple(reading.missing), tuple(reading.gaps))
    return Answer(condition.operand is False, tuple(reading.missing))


def count(condition: Leaf, reading: Reading, scopes: tuple[Spot, ...]) -> Answer:
    """What is unread can only add to the count: a bound that more cannot undo is certain."""
    whole = condition.path.steps and isinstance(condition.path.steps[-1], Field)
    n = sum(size(spot.value) if whole else 1 for spot in reading.found)
    base = scopes[-1 - condition.path.climb]
    fact = base.fact(n, f".count({condition.path.text.lstrip('^.')})")
    checks = [BOUNDS[name](n, bound) for name, bound in condition.operand]
    if not reading.gaps:
        return Answer(all(checks), (fact,))
    rising = {"at_least", "above"}
    too_many = any(
        n > bound or (name == "below" and n >= bound)
        for name, bound in condition.operand
        if name not in rising
    )
    if too_many:
        return Answer(False, (fact,))
    if all(checks) and all(name in rising for name, _ in condition.operand):
        return Answer(True, (fact,))
    return Answer(None, (fact,), tuple(reading.gaps))


def size(value: Any) -> int:
    return len(value) if isinstance(value, list | dict) else 1


def compare(condition: Leaf, reading: Reading, scopes: tuple[Spot, ...]) -> Answer:
    assert condition.other
    other = read(condition.other, scopes)
    same = condition.operator.name == "same_as"
    facts: list[Evidence] = []
    for spot in reading.found:
        twins = [o for o in other.found if equal(spot.value, o.value)]
        if same and twins:
            facts += [spot.fact(), twins[0].fact()]
        elif not same and other.found and not twins and not other.gaps:
            facts += [spot.fact(), *(o.fact() for o in other.found[:FACT_CAP])]
    if facts:
        return Answer(True, tuple(facts))
    seen = (*(s.fact() for s in (*reading.found, *other.found)[:FACT_CAP]), *reading.missing)
    seen = (*seen, *other.missing)
    gaps = tuple(open_gaps(reading, other, same))
    return Answer(None if gaps else False, seen, gaps)


def open_gaps(reading: Reading, other: Reading, same: bool) -> Iterator[Gap]:
    """The gaps that could still turn a comparison true."""
    if other.found or other.gaps:
        yield from reading.gaps
    if reading.gaps:
        yield from other.gaps
    elif same:
        yield from other.gaps if reading.found else ()
    elif any(all(not equal(s.value, o.value) for o in other.found) for s in reading.found):
        yield from other.gaps


def read(path: Path, scopes: tuple[Spot, ...]) -> Reading:
    """AllOf values at the path, the gaps on the way, and where it ended without a value."""
    reading = Reading()
    walk(scopes[-1 - path.climb], path.steps, 0, reading)
    if len(reading.missing) > FACT_CAP:
        del reading.missing[FACT_CAP:]
    return reading


def walk(spot: Spot, steps: tuple[Step, ...], at: int, reading: Reading) -> None:
    if at == len(steps):
        if spot.value is None:
            reading.missing.append(spot.fact(None))
        else:
            reading.found.append(spot)
        return
    step = steps[at]
    if isinstance(spot.value, Resource):
        gap = spot.value.unread.get(step.name) if isinstance(step, Field | Link) else None
        if gap:
            reading.gaps.append(gap)
        if isinstance(step, Link):
            follow(spot, step, steps, at, reading)
            return
        data: Any = spot.value.data
        if gap and isinstance(step, Field) and data.get(step.name) is None:
            return
    else:
        data = spot.value
    nexts = list(beyond(Spot(spot.owner, spot.path, data), step))
    for further in nexts:
        walk(further, steps, at + 1, reading)
    if not nexts and len(reading.missing) <= FACT_CAP:
        reading.missing.append(ended(Spot(spot.owner, spot.path, data), steps[at:]))


def follow(spot: Spot, step: Link, steps: tuple[Step, ...], at: int, reading: Reading) -> None:
    targets = spot.value.links.get(step.name) or []
    for target in targets:
        walk(Spot(target, "", target), steps, at + 1, reading)
    if not targets and step.name not in spot.value.unread:
        reading.missing.append(spot.fact([], below(step.name)))


def beyond(spot: Spot, step: Step) -> Iterator[Spot]:
    """The spots one step on, inside a resource's data."""
    value = spot.value
    if isinstance(step, Field):
        if isinstance(value, dict) and value.get(step.name) is not None:
            yield Spot(spot.owner, joined(spot.path, step.name), value[step.name])
    elif isinstance(step, Each):
        if isinstance(value, list):
            for index, item in enumerate(value):
                yield Spot(spot.owner, f"{spot.path}[{index}]", item)
    elif isinstance(step, Every) and isinstance(value, dict):
        for key, item in value.items():
            yield Spot(spot.owner, joined(spot.path, key), item)


def ended(spot: Spot, steps: tuple[Step, ...]) -> Evidence:
    """Where a walk stopped: the value that has no such step, or the path it wanted, with null."""
    open_to_it = isinstance(steps[0], Field) and isinstance(spot.value, dict)
    if spot.value is not None and not open_to_it:
        return spot.fact()
    path = spot.path
    for step in steps:
        if not isinstance(step, Field):
            break
        path = joined(path, step.name)
    return Evidence(resource=spot.owner.key, path=path, value=None)


def below(name: str) -> str:
    return f".{name}" if NAME.fullmatch(name) else f'["{name}"]'


def joined(path: str, name: str) -> str:
    return f"{path}{below(name)}" if path else below(name).lstrip(".")


def trimmed(value: Any) -> JSON:
    """The value as a fact shows it: a scalar as it is, a big structure as the start of its JSON."""
    if not isinstance(value, list | dict):
        return value if not isinstance(value, str) or len(value) <= SHOWN_CAP else cut(value)
    text = json.dumps(value, ensure_ascii=False, default=str)
    return value if len(text) <= SHOWN_CAP else cut(text)


def cut(text: str) -> str:
    return f"{text[:SHOWN_CAP]}…"
