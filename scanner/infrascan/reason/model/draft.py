"""A rule drafted by a model, taken only when it proves itself.

It must load, lint, pass its own examples, and notice by an example each part of its condition that
is left out or turned round. A draft names no command: what a model writes is never run.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from infrascan.evaluate import Rule, RuleErrors, lint, load, prove
from infrascan.evaluate.mutate import survivors
from infrascan.evaluate.operators import BY_NAME
from infrascan.model import InputError, Kind
from infrascan.reason.model.client import Model
from infrascan.reason.model.extract import read
from infrascan.reason.model.untrusted import cut

ROUNDS = 3
KINDS = 6  # that a prompt describes
DEEP = 4  # fields below fields that it names
FIELDS = 160  # of one kind
FAULTS = 12  # told at once
ID = re.compile(r"[a-z0-9]+(?:\.[a-z0-9][a-z0-9_-]*){1,4}")
FENCE = re.compile(r"\A\s*```(?:yaml)?\n(.*?)\n?```\s*\Z", re.DOTALL)
Say = Callable[[str], None]


class Drafted(BaseModel):
    yaml: str = Field(description="the whole rule file")


@dataclass(frozen=True, slots=True)
class Draft:
    """A rule file's text, and what is wrong with it: nothing, for one that is taken."""

    id: str
    text: str
    faults: tuple[str, ...]


async def drafted(
    wish: str,
    model: Model,
    kinds: Mapping[str, Kind],
    known: frozenset[str],
    kind: str = "",
    say: Say = lambda _: None,
) -> Draft:
    """Have a rule drafted, telling the model what is wrong, a few times. Raises `ModelError`."""
    about = [kinds[kind]] if kind else fitting(wish, kinds)
    prompt = read("draft").replace("{operators}", ", ".join(sorted(BY_NAME)))
    messages = [
        {"role": "system", "content": prompt.replace("{kinds}", "\n".join(map(described, about)))},
        {"role": "user", "content": f"A rule that flags this: {cut(wish, 1_000)}"},
    ]
    draft = Draft("", "", ("nothing was drafted",))
    for attempt in range(ROUNDS):
        said = (await model.ask(Drafted, messages, step="draft")).yaml
        draft = examined(unfenced(said), kinds, known)
        if not draft.faults:
            return draft
        say(f"draft {attempt + 1} was refused: {draft.faults[0]}")
        told = "\n".join(f"- {fault}" for fault in draft.faults[:FAULTS])
        messages = [
            *messages[:2],
            {"role": "assistant", "content": draft.text},
            {"role": "user", "content": f"{read('redraft')}\n{told}"},
        ]
    return draft


def examined(text: str, kinds: Mapping[str, Kind], known: frozenset[str]) -> Draft:
    """All that is wrong with a draft."""
    match = re.search(r"^id:[ \t]*([^\s#]+)", text, re.MULTILINE)
    name = match[1].strip("\"'") if match else ""
    if not ID.fullmatch(name):
        return Draft(name, text, ("the file has no id such as aws.s3.bucket-without-owner",))
    if name in known:
        return Draft(name, text, (f"there is a rule {name} already; name another fault",))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder).joinpath(*name.split(".")).with_suffix(".yaml")
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8", errors="replace")
        try:
            (rule,) = load([Path(folder)], kinds)
        except RuleErrors as errors:
            return Draft(name, text, tuple(plain(str(error), path) for error in errors.errors))
        faults = (*commanded(rule), *lint(rule, kinds), *prove(rule, kinds))
        if not faults:
            faults = tuple(f"no example notices this: {done}" for done in survivors(rule, kinds))
        return Draft(name, text, tuple(plain(fault, path) for fault in faults))


def commanded(rule: Rule) -> tuple[str, ...]:
    return ("fix.command: a draft has none; a person adds it",) if rule.command else ()


def plain(fault: str, path: Path) -> str:
    """A fault by the name of the file alone: where it lay for a moment tells nobody anything."""
    return fault.replace(str(path), path.name)


def unfenced(text: str) -> str:
    match = FENCE.match(text)
    return f"{(match[1] if match else text).strip()}\n"


def fitting(wish: str, kinds: Mapping[str, Kind]) -> list[Kind]:
    """The kinds that a wish seems to be about, by the words they share. Raises `InputError`."""
    words = set(re.findall(r"[a-z0-9]+", wish.lower()))
    words |= {word.removesuffix("s") for word in words}

    def score(kind: Kind) -> float:
        own = set(re.findall(r"[a-z0-9]+", f"{kind.name} {kind.title}".lower()))
        return len(own & words) / (1 + 0.1 * len(own))

    found = sorted(kinds.values(), key=lambda kind: (-score(kind), kind.name))
    if not score(found[0]):
        raise InputError("say of which kind of resource the rule is, with --resource KIND")
    return found[:KINDS]


def described(kind: Kind) -> str:
    """A kind as a prompt names it: its fields, relations, and what has a read of its own."""
    leads = ", ".join(f"{r.name} -> {r.to}" for r in kind.relations)
    own = ", ".join(sorted(name for name in kind.permissions if name))
    fields = [*leaves(kind.fields, DEEP)]
    lines = [f"{kind.name} ({kind.title})", f"  fields: {', '.join(fields[:FIELDS]) or 'any'}"]
    if leads:
        lines.append(f"  relations: {leads}")
    if own:
        lines.append(f"  can be denied by itself: {own}")
    return "\n".join(lines)


def leaves(tree: Any, depth: int, before: str = "") -> list[str]:
    """The paths of a kind's fields, the nearest first."""
    if not isinstance(tree, Mapping) or not tree or not depth:
        return [before] if before else []
    found: list[str] = []
    for name, below in tree.items():
        here = f"{before}{name}" if name == "[]" else f"{before}.{name}".lstrip(".")
        found.extend(leaves(below, depth if name == "[]" else depth - 1, here))
    return sorted(found, key=lambda path: (path.count("."), path))
