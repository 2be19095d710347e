"""The catalogue of questions: YAML under `rules/questions/`, loaded with errors that name the line.

A question says how people put it, what it reads, how its answer is computed and how it is said.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from infrascan.evaluate.document import Document, RuleError, RuleErrors, compose
from infrascan.shipped import shipped

FEWEST_EXAMPLES = 6
ID = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)+")
SLOTS = ("percent", "window", "limit", "lines", "name")
SCOPES = ("namespace", "cluster", "environment", "region", "provider")
KEYS: Mapping[str, str] = {
    "id": "what it is called",
    "answers": "one line that says what it answers",
    "examples": f"at least {FEWEST_EXAMPLES} ways to put it; names stand in braces",
    "reads": "the kinds it reads, each with the fields whose absence matters",
    "slots": "defaults: percent, window in minutes, limit, lines; `name: required`",
    "scope": "which of namespace, cluster, environment, region, provider narrow it",
    "sql": "a SELECT over `resources` and `edges` with a column `resource`",
    "function": "the function that computes it, instead of sql",
    "rules": "the rules whose findings are the answer, instead of sql; what they read is read",
    "evidence": "the paths in each row's resource that the answer stands on",
    "each": "how one row is said; columns stand in braces",
    "says": "the sentence: none, one, some",
    "ok": "`none` or `some`: for checks, when all is well",
    "needs": "what to do where it cannot be answered",
    "within": "seconds after which it is answered from what was read until then",
    "live": "true where it makes calls of its own besides reading kinds",
}
REQUIRED = ("id", "answers", "examples", "needs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One entry of the catalogue."""

    id: str
    answers: str
    examples: tuple[str, ...]
    reads: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    slots: Mapping[str, Any] = field(default_factory=dict)
    scope: tuple[str, ...] = ()
    sql: str = ""
    function: str = ""
    rules: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    each: str = ""
    says: Mapping[str, str] = field(default_factory=dict)
    ok: str = ""
    needs: str = ""
    within: float = math.inf
    source: str = ""
    line: int = 0

    @property
    def providers(self) -> tuple[str, ...]:
        named = (*self.reads, *self.rules)
        return tuple(dict.fromkeys(name.partition(".")[0] for name in named))


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every question, in order of id."""

    questions: tuple[Question, ...]

    def __getitem__(self, id: str) -> Question:
        return next(question for question in self.questions if question.id == id)


@cache
def shipped_catalogue() -> Catalogue:
    """The questions that ship with infrascan; kinds are checked by their tests."""
    return load((shipped("rules") / "questions",))


def load(
    folders: Sequence[Path],
    kinds: Collection[str] | None = None,
    functions: Collection[str] | None = None,
) -> Catalogue:
    """The questions of these folders. Raises `RuleErrors` with all that is wrong, one line each.

    With `kinds` and `functions`, what is read and computed must be among them.
    """
    errors: list[RuleError] = []
    found: dict[str, Question] = {}
    for folder in folders:
        for path in sorted(folder.glob("*.yaml")):
            document, root = compose(path, f"{folder.name}/{path.name}")
            if root is not None:
                file = File(document, kinds, functions)
                for question in file.questions(root, found):
                    found[question.id] = question
            errors += document.errors
    if errors:
        raise RuleErrors(errors)
    return Catalogue(tuple(found[one] for one in sorted(found)))


@dataclass(slots=True)
class File:
    """Reads one file; complaints go to the document."""

    document: Document
    kinds: Collection[str] | None
    functions: Collection[str] | None

    def questions(self, root: Any, known: Mapping[str, Question]) -> list[Question]:
        found: dict[str, Question] = {}
        for node in self.document.items(root, "a file of questions"):
            question = self.question(node)
            if question is None:
                continue
            if question.id in known or question.id in found:
                self.document.wrong(node, f"there is another question {question.id}")
            found[question.id] = question
        return list(found.values())

    def question(self, node: Any) -> Question | None:
        before = len(self.document.errors)
        at: dict[str, Any] = {}
        for name, key, value in self.document.entries(node, "a question"):
            if name in KEYS:
                at[name] = value
            else:
                self.document.wrong(key, f"a question has no key '{name}'")
        for name in REQUIRED:
            if name not in at:
                self.document.wrong(node, f"a question needs '{name}': {KEYS[name]}")
        if len(self.document.errors) > before:
            return None
        text = {
            name: self.document.string(at[name], name) if name in at else ""
            for name in ("id", "answers", "sql", "function", "each", "ok", "needs")
        }
        self.checked(at, text, node)
        question = Question(
            **text,
            examples=self.examples(at["examples"]),
            reads=self.reads(at.get("reads")),
            slots=self.slots(at.get("slots")),
            scope=self.chosen(at.get("scope"), "scope", SCOPES),
            rules=self.document.strings(at["rules"], "rules") if "rules" in at else (),
            evidence=self.document.strings(at["evidence"], "evidence") if "evidence" in at else (),
            says=self.says(at.get("says")),
            within=self.within(at.get("within")),
            source=self.document.path,
            line=node.start_mark.line + 1,
        )
        return question if len(self.document.errors) == before else None

    def checked(self, at: Mapping[str, Any], text: Mapping[str, str], node: Any) -> None:
        if not ID.fullmatch(text["id"]):
            self.document.wrong(at["id"], f"an id is like k8s.failing-pods, not '{text['id']}'")
        if bool(text["sql"]) + bool(text["function"]) + ("rules" in at) != 1:
            self.document.wrong(node, f"{text['id']} has one of sql, function and rules")
        if "rules" in at and "says" not in at:
            self.document.wrong(node, f"{text['id']} has rules, so it needs says")
        if text["sql"] and not ("reads" in at and "says" in at and "evidence" in at):
            self.document.wrong(node, f"{text['id']} has sql, so it needs reads, evidence and says")
        if text["sql"] and not re.search(r"(?i)\bas resource\b", text["sql"]):
            self.document.wrong(at["sql"], "sql gives no column `resource`: `key AS resource`")
        if self.functions is not None and text["function"] not in {"", *self.functions}:
            self.document.wrong(at["function"], f"there is no function '{text['function']}'")
        if text["ok"] not in ("", "none", "some"):
            self.document.wrong(at["ok"], f"ok is none or some, not '{text['ok']}'")

    def examples(self, node: Any) -> tuple[str, ...]:
        found = self.document.strings(node, "examples")
        if len(set(found)) < FEWEST_EXAMPLES:
            self.document.wrong(
                node, f"there are {len(set(found))} examples, under {FEWEST_EXAMPLES}"
            )
        return found

    def reads(self, node: Any) -> dict[str, tuple[str, ...]]:
        if node is None:
            return {}
        found: dict[str, tuple[str, ...]] = {}
        for kind, key, value in self.document.entries(node, "reads"):
            if self.kinds is not None and kind not in self.kinds:
                self.document.wrong(key, f"there is no kind '{kind}'")
            found[kind] = self.document.strings(value, f"fields of {kind}")
        return found

    def slots(self, node: Any) -> dict[str, Any]:
        if node is None:
            return {}
        found: dict[str, Any] = {}
        for name, key, value in self.document.entries(node, "slots"):
            given = self.document.value(value)
            number = isinstance(given, int | float) and not isinstance(given, bool)
            if name not in SLOTS:
                self.document.wrong(key, f"there is no slot '{name}': {', '.join(SLOTS)}")
            elif (name == "name" and given not in ("required", "optional")) or (
                name != "name" and not number
            ):
                self.document.wrong(value, f"slot {name} cannot be '{given}'")
            found[name] = given
        return found

    def chosen(self, node: Any, what: str, known: Sequence[str]) -> tuple[str, ...]:
        if node is None:
            return ()
        found = self.document.strings(node, what)
        for one in found:
            if one not in known:
                self.document.wrong(node, f"{what} cannot be '{one}': {', '.join(known)}")
        return found

    def within(self, node: Any) -> float:
        if node is None:
            return math.inf
        given = self.document.value(node)
        if isinstance(given, bool) or not isinstance(given, int | float) or given <= 0:
            self.document.wrong(node, f"within is a number of seconds above 0, not '{given}'")
            return math.inf
        return float(given)

    def says(self, node: Any) -> dict[str, str]:
        if node is None:
            return {}
        found: dict[str, str] = {}
        for name, key, value in self.document.entries(node, "says"):
            if name not in ("none", "one", "some"):
                self.document.wrong(key, f"says has none, one and some, not '{name}'")
            found[name] = self.document.string(value, f"says.{name}")
        for name in ("none", "some"):
            if name not in found:
                self.document.wrong(node, f"says needs '{name}'")
        return found
