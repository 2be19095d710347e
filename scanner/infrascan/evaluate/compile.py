"""Rules compiled to Python: one function per kind says which of its rules flag a resource.

The functions have two verdicts and so hold only where everything a rule reads was read; `run`
asks the interpreter for the rest. Generated source is made of names and operators alone: keys,
operands and patterns of rules are bound to names beforehand, and never become text in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from types import CodeType
from typing import Any, TypeAlias

from infrascan.evaluate.condition import (
    AllOf,
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
from infrascan.evaluate.operators import OPERATORS
from infrascan.model import Resource

Flags: TypeAlias = Callable[[Resource], list[int]]
"""Resource -> positions of the rules that flag it, ascending."""

SIGNS = {"at_most": "<=", "at_least": ">=", "above": ">", "below": "<", "is": "=="}
BUILTINS: Mapping[str, Any] = {
    function.__name__: function for function in (isinstance, len, type, dict, list, int)
}


def among(value: Any, others: list[Any]) -> bool:
    return any(equal(value, other) for other in others)


FUNCTIONS: Mapping[str, Any] = {
    "__builtins__": {},
    **BUILTINS,
    "equal": equal,
    "among": among,
    **{operator.function: operator.holds for operator in OPERATORS if operator.reads == "value"},
}


@dataclass(frozen=True, slots=True)
class Frame:
    """Where generated code stands: in a resource (`data`, `links` are its), or at a value."""

    value: str
    account: str
    links: str = ""  # set in a resource, whose `value` is its data


@dataclass(slots=True)
class Source:
    """The function being written."""

    now: float
    lines: list[str] = field(default_factory=list)
    constants: dict[str, Any] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    looked_up: list[dict[tuple[str, str], str]] = field(default_factory=lambda: [{}])
    fresh: int = 0

    def put(self, line: str) -> None:
        self.lines.append("    " * len(self.looked_up) + line)

    @contextmanager
    def block(self, header: str) -> Iterator[None]:
        """A nested block. What is looked up in it is forgotten after it."""
        self.put(header)
        self.looked_up.append({})
        before = len(self.lines)
        yield
        if len(self.lines) == before:
            self.put("pass")
        self.looked_up.pop()

    def name(self, letter: str) -> str:
        self.fresh += 1
        return f"{letter}{self.fresh}"

    def constant(self, value: Any) -> str:
        name = f"c{len(self.constants)}"
        self.constants[name] = value
        return name

    def key(self, text: str) -> str:
        if text not in self.keys:
            self.keys[text] = self.constant(text)
        return self.keys[text]

    def get(self, base: str, key: str, *, sure: bool = False) -> str:
        """The name of the value under a key; looked up once per block it is needed in.

        `sure` says that the base is a dict: the data of a resource.
        """
        for known in self.looked_up:
            if (base, key) in known:
                return known[base, key]
        name = self.name("v")
        lookup = f"{base}.get({self.key(key)})"
        self.put(
            f"{name} = {lookup if sure else f'{lookup} if isinstance({base}, dict) else None'}"
        )
        self.looked_up[-1][base, key] = name
        return name


def flags(conditions: Sequence[Condition], now: float) -> Flags:
    """The function over all conditions of one kind, for the time `now`."""
    text, constants = source(conditions, now)
    namespace = {**FUNCTIONS, **constants}
    exec(bytecode(text), namespace)  # noqa: S102 - see the module's docstring
    found: Flags = namespace["flags"]
    return found


@lru_cache(maxsize=2048)
def bytecode(text: str) -> CodeType:
    """The text compiled; a server that scans again has the same rules again."""
    return compile(text, "<rules>", "exec")


def source(conditions: Sequence[Condition], now: float) -> tuple[str, dict[str, Any]]:
    """The function as text, and the constants that its names stand for."""
    code = Source(now)
    root = Frame("data", "account", "links")
    for line in ("data = r.data", "links = r.links", "account = r.account", "hits = []"):
        code.put(line)
    for names in shared(conditions):
        base, sure = root.value, True
        for name in names:
            base, sure = code.get(base, name, sure=sure), False
    for position, condition in enumerate(conditions):
        with code.block(f"if {decide(code, condition, (root,))}:"):
            code.put(f"hits.append({position})")
    code.put("return hits")
    return "\n".join(["def flags(r):", *code.lines, ""]), code.constants


def shared(conditions: Sequence[Condition]) -> list[tuple[str, ...]]:
    """Paths into the resource's data that two conditions or more begin with, short ones first."""
    users: Counter[tuple[str, ...]] = Counter()
    for condition in conditions:
        found: set[tuple[str, ...]] = set()
        stems(condition, True, found)
        users.update(found)
    return sorted((path for path, n in users.items() if n > 1), key=lambda path: (len(path), path))


def stems(condition: Condition, at_root: bool, found: set[tuple[str, ...]]) -> None:
    """Gather the leading fields of all paths that start at the resource itself."""
    if isinstance(condition, AllOf | AnyOf):
        for part in condition.parts:
            stems(part, at_root, found)
        return
    if isinstance(condition, Not):
        stems(condition.part, at_root, found)
        return
    if at_root:
        stem: tuple[str, ...] = ()
        for step in condition.path.steps:
            if not isinstance(step, Field):
                break
            stem = (*stem, step.name)
            found.add(stem)
    if isinstance(condition, Scope):
        stems(condition.condition, False, found)


def decide(code: Source, condition: Condition, scopes: tuple[Frame, ...]) -> str:
    """Write what it takes to decide the condition; returns the expression that tells."""
    if isinstance(condition, Not):
        return f"(not {decide(code, condition.part, scopes)})"
    if isinstance(condition, Scope):
        return scope(code, condition, scopes)
    if isinstance(condition, Leaf):
        reads = condition.operator.reads
        if reads == "count":
            return count(code, condition, scopes)
        return (
            compare(code, condition, scopes) if reads == "path" else leaf(code, condition, scopes)
        )
    done = code.name("t")
    go_on = f"if {done}:" if isinstance(condition, AllOf) else f"if not {done}:"
    code.put(f"{done} = {decide(code, condition.parts[0], scopes)}")
    for part in condition.parts[1:]:
        with code.block(go_on):
            code.put(f"{done} = {decide(code, part, scopes)}")
    return done


def scope(code: Source, condition: Scope, scopes: tuple[Frame, ...]) -> str:
    done = code.name("t")
    code.put(f"{done} = False")

    def body(here: Frame) -> None:
        if here.links:
            settle(code, done, decide(code, condition.condition, (*scopes, here)), looping)
            return
        with code.block(f"if {here.value} is not None:"):
            settle(code, done, decide(code, condition.condition, (*scopes, here)), looping)

    looping = loops(condition.path.steps)
    walk(code, condition.path, scopes, body, done)
    return done


def settle(code: Source, done: str, expression: str, looping: bool) -> None:
    """The verdict is known as soon as one value satisfies the test."""
    with code.block(f"if {expression}:"):
        code.put(f"{done} = True")
        if looping:
            code.put("break")


def leaf(code: Source, condition: Leaf, scopes: tuple[Frame, ...]) -> str:
    operator = condition.operator
    constant = code.constant(operator.bind(condition.operand, code.now))
    straight = not loops(condition.path.steps)
    done = "" if straight else code.name("t")
    if done:
        code.put(f"{done} = False")

    def body(here: Frame) -> None:
        nonlocal done
        value = here.value
        expression = operator.code(value, constant, here.account, condition.operand)
        if straight:
            done = f"({expression})"
        else:
            settle(code, done, expression, looping=True)

    walk(code, condition.path, scopes, body, done)
    absent = operator.reads == "presence" and condition.operand is False
    return f"(not {done})" if absent else done


def count(code: Source, condition: Leaf, scopes: tuple[Frame, ...]) -> str:
    total = code.name("n")
    code.put(f"{total} = 0")
    steps = condition.path.steps
    whole = bool(steps) and isinstance(steps[-1], Field)

    def body(here: Frame) -> None:
        with code.block(f"if {here.value} is not None:"):
            sized = f"isinstance({here.value}, list) or isinstance({here.value}, dict)"
            code.put(f"{total} += {f'len({here.value}) if {sized} else 1' if whole else '1'}")

    walk(code, condition.path, scopes, body, "")
    checks = (f"{total} {SIGNS[name]} {code.constant(n)}" for name, n in condition.operand)
    return f"({' and '.join(checks)})"


def compare(code: Source, condition: Leaf, scopes: tuple[Frame, ...]) -> str:
    assert condition.other
    others, done = code.name("w"), code.name("t")
    code.put(f"{others} = []")

    def gather(here: Frame) -> None:
        with code.block(f"if {here.value} is not None:"):
            code.put(f"{others}.append({here.value})")

    walk(code, condition.other, scopes, gather, "")
    code.put(f"{done} = False")
    looping = loops(condition.path.steps)

    def body(here: Frame) -> None:
        test = f"among({here.value}, {others})"
        if condition.operator.name == "differs_from":
            test = f"len({others}) > 0 and not {test}"
        settle(code, done, f"{here.value} is not None and {test}", looping)

    walk(code, condition.path, scopes, body, done)
    return done


def loops(steps: tuple[Step, ...]) -> bool:
    return any(not isinstance(step, Field) for step in steps)


def walk(
    code: Source, path: Path, scopes: tuple[Frame, ...], body: Callable[[Frame], None], done: str
) -> None:
    """Write `body` for each value at the path. `done` names what ends all loops once it is true."""
    onward(code, scopes[-1 - path.climb], path.steps, body, done)


def onward(
    code: Source,
    here: Frame,
    steps: tuple[Step, ...],
    body: Callable[[Frame], None],
    done: str,
) -> None:
    for position, step in enumerate(steps):
        rest = steps[position + 1 :]
        if isinstance(step, Field):
            here = Frame(code.get(here.value, step.name, sure=bool(here.links)), here.account)
            continue
        item = code.name("e")
        if isinstance(step, Link):
            header = f"for {item} in {here.links}.get({code.key(step.name)}, ()):"
            with code.block(header):
                data, links, account = (code.name(letter) for letter in "dla")
                code.put(f"{data} = {item}.data")
                code.put(f"{links} = {item}.links")
                code.put(f"{account} = {item}.account")
                inside(code, Frame(data, account, links), rest, body, done)
            return
        kind, items = ("list", here.value) if isinstance(step, Each) else ("dict", "")
        items = items or f"{here.value}.values()"
        assert isinstance(step, Each | Every)
        with (
            code.block(f"if isinstance({here.value}, {kind}):"),
            code.block(f"for {item} in {items}:"),
        ):
            inside(code, Frame(item, here.account), rest, body, done)
        return
    body(here)


def inside(
    code: Source,
    here: Frame,
    rest: tuple[Step, ...],
    body: Callable[[Frame], None],
    done: str,
) -> None:
    """The body of a loop; loops inside it end themselves, and then this one."""
    onward(code, here, rest, body, done)
    if done and loops(rest):
        with code.block(f"if {done}:"):
            code.put("break")
