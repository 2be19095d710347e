"""A rule's condition as data: what the loader builds, and the evaluators walk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from infrascan.evaluate.operators import Operator


@dataclass(frozen=True, slots=True)
class Field:
    """A step into a map, by key."""

    name: str


@dataclass(frozen=True, slots=True)
class Each:
    """A step to every element of a list: `[]`."""


@dataclass(frozen=True, slots=True)
class Every:
    """A step to every value of a map: `*`."""


@dataclass(frozen=True, slots=True)
class Link:
    """A step along a relation, to each resource it leads to."""

    name: str


Step: TypeAlias = Field | Each | Every | Link


@dataclass(frozen=True, slots=True)
class Path:
    """Where a value is, from the scope that is `climb` scopes further out."""

    text: str
    steps: tuple[Step, ...]
    climb: int = 0


@dataclass(frozen=True, slots=True)
class Leaf:
    """One test: some value at the path satisfies the operator.

    `operand` is prepared by the operator; `other` is the second path of those that compare two.
    """

    path: Path
    operator: Operator
    operand: Any
    other: Path | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """One and the same element at the path satisfies the condition."""

    path: Path
    condition: Condition


@dataclass(frozen=True, slots=True)
class AllOf:
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: Condition


Condition: TypeAlias = Leaf | Scope | AllOf | AnyOf | Not


@dataclass(frozen=True, slots=True)
class Needs:
    """What a rule reads of a resource: names of its data, and what it reads along relations.

    A name in `names` that is unread, here or further along, leaves the rule's verdict open.
    """

    names: frozenset[str] = frozenset()
    links: tuple[tuple[str, Needs], ...] = ()

    def paths(self) -> Iterator[str]:
        """Each field and relation as a path: `Encrypted`, `security_groups[].IpPermissions`."""
        for name in sorted(self.names):
            yield name
        for name, further in self.links:
            for path in further.paths():
                yield f"{name}[].{path}"


def needs(condition: Condition) -> Needs:
    """What evaluating the condition may read, from the resource it is about."""
    tree: dict[str, Any] = {}
    gather(condition, (tree,))
    return frozen(tree)


def gather(condition: Condition, scopes: tuple[dict[str, Any] | None, ...]) -> None:
    """Note in nested dicts what is read. A scope inside a resource's data is None: it is covered
    by the name that led there."""
    if isinstance(condition, AllOf | AnyOf):
        for part in condition.parts:
            gather(part, scopes)
    elif isinstance(condition, Not):
        gather(condition.part, scopes)
    elif isinstance(condition, Scope):
        gather(condition.condition, (*scopes, follow(condition.path, scopes)))
    else:
        follow(condition.path, scopes)
        if condition.other:
            follow(condition.other, scopes)


def follow(path: Path, scopes: tuple[dict[str, Any] | None, ...]) -> dict[str, Any] | None:
    here = scopes[-1 - path.climb]
    for step in path.steps:
        if here is None:
            return None
        if isinstance(step, Link):
            here = here.setdefault(step.name, {})
        elif isinstance(step, Field):
            here = here.setdefault(step.name, None)
        else:
            return None
    return here


def frozen(tree: dict[str, Any]) -> Needs:
    links = tuple((name, frozen(sub)) for name, sub in sorted(tree.items()) if sub is not None)
    return Needs(frozenset(tree), links)


def depth(condition: Condition) -> int:
    """How many loops the condition nests: elements, values and relations, scope in scope."""
    if isinstance(condition, AllOf | AnyOf):
        return max(map(depth, condition.parts))
    if isinstance(condition, Not):
        return depth(condition.part)
    if isinstance(condition, Scope):
        return loops(condition.path) + depth(condition.condition)
    other = loops(condition.other) if condition.other else 0
    return max(loops(condition.path), other)


def loops(path: Path) -> int:
    return sum(not isinstance(step, Field) for step in path.steps)
