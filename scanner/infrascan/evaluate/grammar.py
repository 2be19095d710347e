"""`flag_when` from YAML nodes: a mapping is all of, a list is any of, a leaf is `path|operator`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from infrascan.evaluate.condition import AllOf, AnyOf, Condition, Leaf, Not, Path, Scope, depth
from infrascan.evaluate.document import Document, sort
from infrascan.evaluate.operators import BY_NAME, Operator
from infrascan.evaluate.path import PathError, Relations, Shape, near, resolve
from infrascan.model import Kind

LOOP_CAP = 12  # CPython nests at most 20 loops in a function
NEST_CAP = 24
ASKED = re.compile(r"\s*(.*?)\s*\|\s*([\w-]*)\s*")  # a bar inside ["a|b"] is not one
GROUPS = ("all", "any", "not")


@dataclass(slots=True)
class Grammar:
    """Reads conditions on one kind; complaints go to the document."""

    document: Document
    kinds: Mapping[str, Kind]
    relations: Relations

    def condition(self, node: Any, kinds: Sequence[Kind]) -> Condition | None:
        """The condition on a resource of one of these kinds; None when something in it is wrong.

        A path is right when one of the kinds has it.
        """
        before = len(self.document.errors)
        start = Shape(tuple(k.fields for k in kinds), tuple(k.name for k in kinds))
        found = self.block(node, (start,), 0)
        if len(self.document.errors) > before or found is None:
            return None
        if depth(found) > LOOP_CAP:
            self.document.wrong(node, f"flag_when nests more than {LOOP_CAP} lists and relations")
            return None
        return found

    def block(self, node: Any, scopes: tuple[Shape, ...], nesting: int) -> Condition | None:
        if nesting > NEST_CAP:
            self.document.wrong(node, f"conditions nest more than {NEST_CAP} levels deep")
            return None
        if isinstance(node, yaml.SequenceNode):
            return self.joined(
                AnyOf, [self.block(i, scopes, nesting + 1) for i in node.value], node
            )
        if isinstance(node, yaml.MappingNode):
            entries = self.document.entries(node, "a condition")
            parts = [self.entry(key, at, value, scopes, nesting) for key, at, value in entries]
            return self.joined(AllOf, parts, node)
        self.document.wrong(node, f"a condition is a mapping or a list, not {sort(node)}")
        return None

    def joined(
        self, group: type[AllOf | AnyOf], parts: list[Condition | None], node: Any
    ) -> Condition | None:
        good = tuple(part for part in parts if part is not None)
        if not parts:
            self.document.wrong(node, "a condition must not be empty: it would hold for everything")
        if not good or len(good) < len(parts):
            return None
        return good[0] if len(good) == 1 else group(good)

    def entry(
        self, key: str, at: Any, value: Any, scopes: tuple[Shape, ...], nesting: int
    ) -> Condition | None:
        if key in GROUPS:
            return self.group(key, value, scopes, nesting)
        asked = ASKED.fullmatch(key)
        text, name = (asked[1], asked[2]) if asked else (key.strip(), "")
        if asked and name not in BY_NAME:
            self.document.wrong(at, f"there is no operator '{name}'{near(name, BY_NAME)}")
            return None
        try:
            path, shape = resolve(text, scopes, self.kinds, self.relations)
        except PathError as error:
            self.document.wrong(at, str(error))
            return None
        if not name and isinstance(value, yaml.MappingNode):
            return self.scope(path, shape, at, value, scopes, nesting)
        if not name:
            name = "in" if isinstance(value, yaml.SequenceNode) else "is"
        return self.leaf(path, shape, BY_NAME[name], at, value, scopes)

    def group(
        self, key: str, value: Any, scopes: tuple[Shape, ...], nesting: int
    ) -> Condition | None:
        """`all: [..]` is all of its parts, `any: {..}` any of its entries, `not:` neither."""
        if key == "not":
            inner = self.block(value, scopes, nesting + 1)
            return Not(inner) if inner else None
        group = AllOf if key == "all" else AnyOf
        if isinstance(value, yaml.SequenceNode):
            parts = [self.block(item, scopes, nesting + 1) for item in value.value]
            return self.joined(group, parts, value)
        if isinstance(value, yaml.MappingNode) and nesting < NEST_CAP:
            entries = self.document.entries(value, key)
            parts = [self.entry(k, at, v, scopes, nesting + 1) for k, at, v in entries]
            return self.joined(group, parts, value)
        return self.block(value, scopes, nesting + 1)

    def scope(
        self,
        path: Path,
        shape: Shape,
        at: Any,
        value: Any,
        scopes: tuple[Shape, ...],
        nesting: int,
    ) -> Condition | None:
        if shape.is_list:
            self.document.wrong(at, f"'{path.text}' is a list; write '{path.text}[]'")
            return None
        inner = self.block(value, (*scopes, shape), nesting + 1)
        return Scope(path, inner) if inner else None

    def leaf(
        self,
        path: Path,
        shape: Shape,
        operator: Operator,
        at: Any,
        value: Any,
        scopes: tuple[Shape, ...],
    ) -> Condition | None:
        if complaint := unfit(path, shape, operator):
            self.document.wrong(at, complaint)
            return None
        before = len(self.document.errors)
        raw = self.document.value(value)
        if len(self.document.errors) > before:
            return None
        try:
            operand = operator.accept(raw)
            if operator.reads != "path":
                return Leaf(path, operator, operand)
            other, leads_to = resolve(operand, scopes, self.kinds, self.relations)
            if leads_to.kinds:
                raise PathError(f"'{operand}' is a resource; name one of its fields")
            return Leaf(path, operator, operand, other)
        except PathError as error:
            self.document.wrong(value, str(error))
        except ValueError as error:
            self.document.wrong(value, f"'{operator.name}' {error}")
        return None


def unfit(path: Path, shape: Shape, operator: Operator) -> str:
    """Why the operator cannot be asked of what the path leads to, or ""."""
    if operator.whole:
        if shape.kinds and operator.reads == "value":
            return f"'{path.text}' is a resource; '{operator.name}' needs one of its fields"
        return ""
    if shape.kinds:
        return f"'{path.text}' is a resource; ask for one of its fields"
    if shape.is_list:
        return f"'{path.text}' is a list; write '{path.text}[]' to ask it of any element"
    if shape.is_object:
        return f"'{path.text}' is an object; ask for one of its fields"
    return ""
