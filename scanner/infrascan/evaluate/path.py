"""Paths of rules: their syntax, and what each step leads to by the tables of the kinds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeAlias

from infrascan.evaluate.condition import Each, Every, Field, Link, Path, Step
from infrascan.model import Kind

Relations: TypeAlias = Mapping[str, Mapping[str, tuple[str, ...]]]
"""Kind -> name of a relation, forward or reverse -> the kinds it leads to."""

TOKEN = re.compile(
    r"""(?P<dot>\.)|(?P<each>\[\])|(?P<quoted>\["(?P<key>[^"\]]+)"\])"""
    r"""|(?P<every>\*)|(?P<name>[A-Za-z0-9_$@][A-Za-z0-9_$@/:\-]*)"""
)
# What every resource may carry besides its vendor's data.
SHARED: Mapping[str, Any] = {
    "tags": {"*": {}},
    "metrics": {"*": {"average": {}, "maximum": {}, "minimum": {}, "days": {}, "datapoints": {}}},
    "monthly_cost": {},
}
TRUNK = frozenset(SHARED)


class PathError(ValueError):
    """A path that cannot be read, or leads nowhere."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What may be at the end of a path: field trees as in `Kind.fields`, and, when it is a
    resource, its kinds. Several, because one relation name can lead to several kinds."""

    trees: tuple[Any, ...]
    kinds: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        return bool(self.trees) and None not in self.trees

    @property
    def is_list(self) -> bool:
        return self.known and all("[]" in tree for tree in self.trees)

    @property
    def is_scalar(self) -> bool:
        return self.known and not any(self.trees) and not self.kinds

    @property
    def is_object(self) -> bool:
        return self.known and all(tree and "[]" not in tree for tree in self.trees)


def relations(kinds: Mapping[str, Kind]) -> Relations:
    """Which relations lead where, both ways, from the tables of all kinds."""
    found: dict[str, dict[str, dict[str, None]]] = {name: {} for name in kinds}
    for kind in kinds.values():
        for relation in kind.relations:
            found[kind.name].setdefault(relation.name, {})[relation.to] = None
            if relation.reverse and relation.to in found:
                found[relation.to].setdefault(relation.reverse, {})[kind.name] = None
    return {
        name: {relation: tuple(to) for relation, to in names.items()}
        for name, names in found.items()
    }


def near(wrong: str, right: Iterable[str]) -> str:
    """`; did you mean 'x'?`, or nothing when nothing is close."""
    options = sorted(set(right))
    folded = {option.lower(): option for option in reversed(options)}
    close = get_close_matches(wrong.lower(), folded, n=1, cutoff=0.6)
    return f"; did you mean '{folded[close[0]]}'?" if close else ""


def tokens(text: str) -> list[tuple[str, str]]:
    """The path in pieces: ("name", "Tags"), ("each", "[]"), ..."""
    found: list[tuple[str, str]] = []
    at = 0
    after_step = False
    while at < len(text):
        match = TOKEN.match(text, at)
        kind = match.lastgroup if match else None
        if match and match["quoted"]:
            kind = "quoted"
        joins = kind in {"name", "every"} or (kind == "quoted" and at == 0)
        if not match or joins == after_step or (kind == "dot" and match.end() == len(text)):
            hint = ' (a key with dots is written ["a.b"])' if text[at] in "\"'" else ""
            raise PathError(f"cannot read path '{text}' at '{text[at:]}'{hint}")
        if kind == "quoted":
            found.append(("name", match["key"]))
        elif kind != "dot" and kind:
            found.append((kind, match[0]))
        after_step = kind != "dot"
        at = match.end()
    return found


def resolve(
    text: str, scopes: Sequence[Shape], kinds: Mapping[str, Kind], relations: Relations
) -> tuple[Path, Shape]:
    """The path as steps, and the shape it leads to. Raises PathError."""
    climb = len(text) - len(text.lstrip("^"))
    rest = text[climb:]
    if climb:
        if not rest.startswith(".") or len(rest) < 2:
            raise PathError(f"cannot read path '{text}': write ^.name")
        rest = rest[1:]
    if climb >= len(scopes):
        raise PathError(
            f"'{text}' climbs out of {climb} scopes, but it is inside {len(scopes) - 1}"
        )
    shape = scopes[-1 - climb]
    steps: list[Step] = []
    if rest != ".":
        for kind, token in tokens(rest):
            linked = bool(steps) and isinstance(steps[-1], Link)
            if kind == "each" and linked:
                continue  # `security_groups[]` and `security_groups` are the same
            step, shape = advance(shape, kind, token, text, kinds, relations)
            steps.append(step)
    elif shape.kinds:
        raise PathError("'.' is the element itself, and here that is a whole resource")
    return Path(text, tuple(steps), climb), shape


def advance(
    shape: Shape,
    kind: str,
    token: str,
    text: str,
    kinds: Mapping[str, Kind],
    relations: Relations,
) -> tuple[Step, Shape]:
    if kind == "each":
        below = [None if tree is None else tree.get("[]", ...) for tree in shape.trees]
        return Each(), kept(below, lambda: f"'{text}' uses [] on what is not a list")
    if kind == "every":
        trees = [None if tree is None else values_of(tree) for tree in shape.trees]
        return Every(), kept(trees, lambda: f"'{text}' uses * on what is not a map")
    targets = tuple(
        dict.fromkeys(to for name in shape.kinds for to in relations.get(name, {}).get(token, ()))
    )
    if targets:  # a kind of a provider that is not at hand is taken on trust
        trees = [kinds[to].fields if to in kinds else None for to in targets]
        return Link(token), Shape(tuple(trees), targets)
    if shape.kinds and token in TRUNK:
        shared = SHARED[token]
        own = [None if tree is None else tree.get(token, shared) for tree in shape.trees]
        return Field(token), Shape(tuple(own))
    trees = [None if tree is None else tree.get(token, tree.get("*", ...)) for tree in shape.trees]
    return Field(token), kept(trees, lambda: missing(shape, token, text, relations))


def values_of(tree: Any) -> Any:
    """The tree of any value of a map; a map with named keys has values of every sort."""
    if "[]" in tree or not tree:
        return ...
    return tree["*"] if list(tree) == ["*"] else None


def kept(trees: list[Any], complaint: Callable[[], str]) -> Shape:
    found = tuple(tree for tree in trees if tree is not ...)
    if not found:
        raise PathError(complaint())
    return Shape(found)


def missing(shape: Shape, token: str, text: str, relations: Relations) -> str:
    whose = f" of {shape.kinds[0]}" if shape.kinds else ""
    if shape.is_list:
        return f"'{text}': '{token}' is read from a list; write [] before it"
    if shape.is_scalar:
        return f"'{text}': '{token}' is read from a scalar"
    names = {name for tree in shape.trees if tree for name in tree}
    for kind in shape.kinds:
        names |= relations.get(kind, {}).keys()
    if shape.kinds:
        names |= TRUNK
    return f"'{text}': there is no field or relation '{token}'{whose}{near(token, names)}"
