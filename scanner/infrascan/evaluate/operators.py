"""The operators of the rule language, one row each.

A row says what the operand must be, when a value satisfies it (`holds`, the reference), and the
expression that compiled rules use in its place (`code`). Property tests keep the two equal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from infrascan.evaluate import policy
from infrascan.evaluate.measures import Network, equal, moment, network, number
from infrascan.evaluate.operands import (
    BOUNDS,
    counted,
    duration,
    measure,
    networks,
    pattern,
    scalar,
    scalars,
    some,
    strings,
    text,
    truth,
)

Holds: TypeAlias = Callable[[Any, Any, str], bool]
Code: TypeAlias = Callable[[str, str, str, Any], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """One word that may follow `|` in a rule.

    `accept` checks and prepares an operand; it raises ValueError with the rest of a sentence.
    `bind` turns the prepared operand into the constant of one evaluation, given its time.
    `holds(value, constant, account)` decides; value is never None.
    `code(value, constant, account, operand)` is the same as Python source over names, for values
    that may be None. The operand chooses the form of the code and never becomes part of it.
    `reads` tells what the operator looks at: each "value" of the path, the path's "presence", its
    "count", or another "path".
    """

    name: str
    doc: str
    operand: str
    accept: Callable[[Any], Any]
    holds: Holds
    code: Code
    reads: str = "value"
    whole: bool = False  # takes lists and objects, not only scalars
    bind: Callable[[Any, float], Any] = lambda prepared, _now: prepared
    schema: Any = True  # JSON Schema of the operand, for editors

    @property
    def function(self) -> str:
        """The name of `holds` in generated code."""
        return f"{self.name}_" if self.name in ("in", "is") else self.name


def call(function: str) -> Code:
    return lambda v, c, a, _: f"({v} is not None and {function}({v}, {c}, {a}))"


def is_(value: Any, constant: Any, _account: str) -> bool:
    return equal(value, constant)


def code_is(value: str, constant: str, _account: str, operand: Any) -> str:
    if isinstance(operand, bool):
        return f"{value} is {operand}"
    if isinstance(operand, str):
        return f"{value} == {constant}"
    return f"({value} == {constant} and {value} is not True and {value} is not False)"


def in_(value: Any, constant: tuple[Any, ...], _account: str) -> bool:
    return any(equal(value, item) for item in constant)


def contains(value: Any, constant: tuple[Any, ...], _account: str) -> bool:
    if isinstance(value, str):
        return any(isinstance(item, str) and item in value for item in constant)
    if isinstance(value, list):
        return any(equal(part, item) for part in value for item in constant)
    return isinstance(value, dict) and any(
        isinstance(item, str) and item in value for item in constant
    )


def matches(value: Any, constant: Any, _account: str) -> bool:
    if not isinstance(value, str):
        return False
    try:
        return constant.search(value) is not None
    except UnicodeEncodeError:  # a lone surrogate, which JSON can spell and UTF-8 cannot
        return constant.search(value.encode("utf-8", "replace").decode()) is not None


def starts_with(value: Any, constant: tuple[str, ...], _account: str) -> bool:
    return isinstance(value, str) and value.startswith(constant)


def ends_with(value: Any, constant: tuple[str, ...], _account: str) -> bool:
    return isinstance(value, str) and value.endswith(constant)


def bounded(name: str) -> Holds:
    compare = BOUNDS[name]

    def holds(value: Any, constant: float, _account: str) -> bool:
        found = number(value)
        return found is not None and compare(found, constant)

    return holds


def code_bounded(name: str, sign: str) -> Code:
    return lambda v, c, a, _: f"({v} {sign} {c} if type({v}) is int else {name}({v}, {c}, {a}))"


def covers(value: Any, constant: tuple[Network, ...], _account: str) -> bool:
    found = network(value) if isinstance(value, str) else None
    return found is not None and any(
        found.version == n.version and found.low <= n.low and found.high >= n.high for n in constant
    )


def within(value: Any, constant: tuple[Network, ...], _account: str) -> bool:
    found = network(value) if isinstance(value, str) else None
    return found is not None and any(
        found.version == n.version and n.low <= found.low and n.high >= found.high for n in constant
    )


def older_than(value: Any, constant: float, _account: str) -> bool:
    found = moment(value)
    return found is not None and found < constant


def newer_than(value: Any, constant: float, _account: str) -> bool:
    found = moment(value)
    return found is not None and found > constant


def since(length: int, now: float) -> float:
    return now - length


def present(_value: Any, constant: bool, _account: str) -> bool:
    return constant


def never(_value: Any, _constant: Any, _account: str) -> bool:
    raise AssertionError("this operator looks at a path, not at a value")


ONE = {"type": ["string", "number", "boolean"]}
ONE_OR_MORE = {"anyOf": [ONE, {"type": "array", "items": ONE, "minItems": 1}]}
NUMBER = {"type": ["number", "string"]}
TEXTS = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
COUNT = {"type": "integer", "minimum": 0}

OPERATORS: tuple[Operator, ...] = (
    Operator(
        name="is",
        doc="equal to the operand; what a path without an operator means",
        operand="a scalar",
        accept=scalar,
        holds=is_,
        code=code_is,
        schema=ONE,
    ),
    Operator(
        name="in",
        doc="equal to one of the list; what a path with a list means",
        operand="a list of scalars",
        accept=scalars,
        holds=in_,
        code=call("in_"),
        schema={"type": "array", "items": ONE, "minItems": 1},
    ),
    Operator(
        name="contains",
        doc="a string that holds it, a list that has it as an element, or a map that has it as a key",
        operand="a scalar, or a list of which one is enough",
        accept=some,
        holds=contains,
        code=call("contains"),
        whole=True,
        schema=ONE_OR_MORE,
    ),
    Operator(
        name="matches",
        doc="a string in which the RE2 pattern is found; anchor it with ^ and $ to match all of it",
        operand="a pattern, or a list of which one is enough",
        accept=pattern,
        holds=matches,
        code=call("matches"),
        schema=TEXTS,
    ),
    Operator(
        name="starts_with",
        doc="a string that begins with it",
        operand="a string, or a list of which one is enough",
        accept=strings,
        holds=starts_with,
        code=call("starts_with"),
        schema=TEXTS,
    ),
    Operator(
        name="ends_with",
        doc="a string that ends with it",
        operand="a string, or a list of which one is enough",
        accept=strings,
        holds=ends_with,
        code=call("ends_with"),
        schema=TEXTS,
    ),
    Operator(
        name="exists",
        doc="there (true), or missing or null (false)",
        operand="true or false",
        accept=truth,
        holds=present,
        code=lambda v, _c, _a, _: f"{v} is not None",
        reads="presence",
        whole=True,
        schema={"type": "boolean"},
    ),
    Operator(
        name="at_most",
        doc="a number, numeric string or Kubernetes quantity no greater than it",
        operand="a number or quantity",
        accept=measure,
        holds=bounded("at_most"),
        code=code_bounded("at_most", "<="),
        schema=NUMBER,
    ),
    Operator(
        name="at_least",
        doc="the same, no less than it",
        operand="a number or quantity",
        accept=measure,
        holds=bounded("at_least"),
        code=code_bounded("at_least", ">="),
        schema=NUMBER,
    ),
    Operator(
        name="above",
        doc="the same, greater than it",
        operand="a number or quantity",
        accept=measure,
        holds=bounded("above"),
        code=code_bounded("above", ">"),
        schema=NUMBER,
    ),
    Operator(
        name="below",
        doc="the same, less than it",
        operand="a number or quantity",
        accept=measure,
        holds=bounded("below"),
        code=code_bounded("below", "<"),
        schema=NUMBER,
    ),
    Operator(
        name="covers",
        doc="an address range that takes in all of it",
        operand="a CIDR block, or a list of which one is enough",
        accept=networks,
        holds=covers,
        code=call("covers"),
        schema=TEXTS,
    ),
    Operator(
        name="within",
        doc="an address or range that lies inside it",
        operand="a CIDR block, or a list of which one is enough",
        accept=networks,
        holds=within,
        code=call("within"),
        schema=TEXTS,
    ),
    Operator(
        name="older_than",
        doc="a time longer ago than it; -30d means before the end of the next 30 days",
        operand="a duration: 90d, 12h, 30m, 45s, 2w",
        accept=duration,
        holds=older_than,
        code=call("older_than"),
        bind=since,
        schema={"type": "string"},
    ),
    Operator(
        name="newer_than",
        doc="a time less long ago than it, or in the future",
        operand="a duration",
        accept=duration,
        holds=newer_than,
        code=call("newer_than"),
        bind=since,
        schema={"type": "string"},
    ),
    Operator(
        name="count",
        doc="how many elements, keys or related resources there are; a missing list counts 0",
        operand="a whole number, or a mapping of at_most, at_least, above, below",
        accept=counted,
        holds=never,
        code=lambda v, _c, _a, _: v,
        reads="count",
        whole=True,
        schema={
            "anyOf": [
                COUNT,
                {
                    "type": "object",
                    "properties": dict.fromkeys(BOUNDS, COUNT),
                    "additionalProperties": False,
                    "minProperties": 1,
                },
            ]
        },
    ),
    Operator(
        name="same_as",
        doc="equal to a value at another path of the same scope; ^. climbs out of one scope, ^^. of two",
        operand="a path",
        accept=text,
        holds=never,
        code=lambda v, _c, _a, _: v,
        reads="path",
        schema={"type": "string"},
    ),
    Operator(
        name="differs_from",
        doc="equal to no value at another path, which must have one",
        operand="a path",
        accept=text,
        holds=never,
        code=lambda v, _c, _a, _: v,
        reads="path",
        schema={"type": "string"},
    ),
    Operator(
        name="allows",
        doc="a policy document that grants this, without a condition that narrows who, and not denied",
        operand="principal, action, resource, unless: see below",
        accept=policy.grant,
        holds=policy.granted,
        code=call("allows"),
        whole=True,
        schema={
            "type": "object",
            "properties": {
                "principal": {"type": "string"},
                "action": TEXTS,
                "resource": {"type": "string"},
                "unless": TEXTS,
            },
            "required": ["action"],
            "additionalProperties": False,
        },
    ),
)
BY_NAME: Mapping[str, Operator] = {operator.name: operator for operator in OPERATORS}
