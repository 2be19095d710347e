"""Rules from their files: all that can be wrong with one, told at once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from infrascan.evaluate.command import placeholders
from infrascan.evaluate.condition import Condition, Needs, needs
from infrascan.evaluate.document import Document, RuleError, RuleErrors, compose
from infrascan.evaluate.grammar import Grammar
from infrascan.evaluate.keys import CONTROLS, EXAMPLE, FIX, KEYS, OUTCOMES, SAVING, Key
from infrascan.evaluate.path import Relations, near, relations
from infrascan.evaluate.rule import Example, Rule, RuleSet
from infrascan.model import JSON, Category, Kind, Severity

ESTATE = "estate"  # the folder of rules about several providers' kinds
OTHERS = frozenset(
    {"paths", "issues", "questions"}
)  # folders beside the rules, with files of their own
TITLE_CAP = 80
ID_PART = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
BANNED = re.compile(r"(?:ensure|avoid|use|no|should|check)-.*|.*-enabled")


def load(folders: Sequence[Path], kinds: Mapping[str, Kind], *, partial: bool = False) -> RuleSet:
    """The rules of all folders. Raises RuleErrors with everything that is wrong in any of them.

    Field paths are looked up in the kinds' trees; a kind without a tree takes any. With `partial`,
    `kinds` are those of some providers: what rules say of the others is left out, unchecked, and
    so are examples.
    """
    leads = relations(kinds)
    providers = {kind.provider for kind in kinds.values()}
    errors: list[RuleError] = []
    rules: dict[str, Rule] = {}
    for folder in folders:
        if not folder.is_dir():
            errors.append(RuleError(str(folder), 1, 1, "there is no such folder of rules"))
            continue
        for file in sorted([*folder.rglob("*.yaml"), *folder.rglob("*.yml")]):
            if file.relative_to(folder).parts[0] in OTHERS:
                continue
            document, root = compose(file, str(file), examples=not partial)
            rule = read(
                document, root, identifier(file, folder, providers), kinds, leads, partial=partial
            )
            errors += document.errors
            if rule and rule.id in rules:
                message = f"id '{rule.id}' is also in {rules[rule.id].source}"
                errors.append(RuleError(str(file), 1, 1, message))
            elif rule:
                rules[rule.id] = rule
    if errors:
        raise RuleErrors(errors)
    return RuleSet(tuple(rule for _, rule in sorted(rules.items())))


def identifier(file: Path, folder: Path, providers: Collection[str]) -> str:
    """What a file's path says its id is. A folder may be all rules, or those of one provider."""
    parts = file.relative_to(folder).with_suffix("").parts
    whose = {*providers, ESTATE}
    return ".".join((folder.name, *parts) if folder.name in whose else parts)


def read(
    document: Document,
    root: Any,
    id: str,
    kinds: Mapping[str, Kind],
    leads: Relations,
    *,
    partial: bool = False,
) -> Rule | None:
    """The rule in a composed file, whose path says it is `id`; None when anything is wrong."""
    if root is None:
        return None
    return Reader(document, kinds, leads, partial).rule(root, id)


@dataclass(slots=True)
class Reader:
    """Reads one file; complaints go to the document."""

    document: Document
    kinds: Mapping[str, Kind]
    leads: Relations
    partial: bool = False

    def rule(self, root: Any, id: str) -> Rule | None:
        at = self.known(root, KEYS, "a rule")
        kinds = self.about(at)
        condition: Condition | None = None
        if kinds and "flag_when" in at:
            condition = Grammar(self.document, self.kinds, self.leads).condition(
                at["flag_when"], kinds
            )
        self.identity(at, id, root, kinds)
        if condition and not self.partial:
            self.company(at, kinds, needs(condition))
        fix = self.known(at["fix"], FIX, "fix") if "fix" in at else {}
        category = self.choice(at, "category", Category)
        severity = self.choice(at, "severity", Severity)
        found: dict[str, Any] = {
            "title": self.title(at),
            "why": self.text(at, "why"),
            "fix": self.text(fix, "text"),
            "command": self.command(fix, kinds),
            "references": self.references(at),
            "controls": self.controls(at),
            "saving": self.saving(at, category),
            "examples": self.examples(at),
            "company": self.document.strings(at["with"], "with") if "with" in at else (),
            "aliases": self.document.strings(at["aliases"], "aliases") if "aliases" in at else (),
            "status": self.text(at, "status") or "stable",
        }
        if "status" in at and found["status"] not in ("stable", "preview"):
            self.document.wrong(at["status"], "status must be stable or preview")
        if self.document.errors or not (kinds and condition and category and severity):
            return None
        return Rule(
            id=id,
            category=category,
            severity=severity,
            kinds=tuple(kind.name for kind in kinds),
            condition=condition,
            needs=needs(condition),
            source=self.document.path,
            digest=hashlib.sha256(self.document.text.encode()).hexdigest()[:16],
            **found,
        )

    def known(self, node: Any, keys: Sequence[Key], what: str) -> dict[str, Any]:
        """The mapping's values by key; complains of unknown and missing keys."""
        names = {key.name: key for key in keys}
        found: dict[str, Any] = {}
        for name, at, value in self.document.entries(node, what):
            if name in names:
                found[name] = value
            else:
                self.document.wrong(at, f"{what} has no key '{name}'{near(name, names)}")
        for key in keys:
            if key.required and key.name not in found and isinstance(node, yaml.MappingNode):
                self.document.wrong(node, f"{what} needs '{key.name}': {key.doc}")
        return found

    def text(self, at: Mapping[str, Any], key: str) -> str:
        return self.document.string(at[key], key) if key in at else ""

    def identity(self, at: Mapping[str, Any], id: str, root: Any, kinds: Sequence[Kind]) -> None:
        stated = self.text(at, "id")
        if stated and stated != id:
            self.document.wrong(at["id"], f"id is '{stated}', its path says '{id}'")
        parts = id.split(".")
        node = at.get("id", root)
        if len(parts) != 3 or not all(map(ID_PART.fullmatch, parts)):
            self.document.wrong(
                node, f"the path must be <provider>/<service>/<fault>.yaml in a-z, 0-9, -: '{id}'"
            )
        elif BANNED.fullmatch(parts[-1]):
            self.document.wrong(
                node, f"'{parts[-1]}' names a remedy; name the fault: 'bucket-readable-by-anyone'"
            )
        whose = {kind.provider for kind in kinds}
        if self.partial or (len(whose) > 1 and parts[0] == ESTATE):
            return
        for kind in kinds:
            if len(whose) > 1:
                self.document.wrong(
                    node,
                    f"'{id}' is about {' and '.join(sorted(whose))}, so its path must begin with {ESTATE}/",
                )
                return
            if parts[0] != kind.provider:
                self.document.wrong(
                    node,
                    f"'{id}' is about {kind.name}, so its path must begin with {kind.provider}/",
                )

    def company(self, at: Mapping[str, Any], kinds: Sequence[Kind], needs: Needs) -> None:
        """Another provider's relation is not there without it, which must not look like "none"."""
        stated = self.document.strings(at["with"], "with") if "with" in at else ()
        known = {kind.provider for kind in self.kinds.values()}
        for name in stated:
            if name not in known:
                self.document.wrong(at["with"], f"there is no provider '{name}'{near(name, known)}")
        foreign: set[str] = set()
        for kind in kinds:
            own = {relation.name for relation in kind.relations}
            for name, _ in needs.links:
                leads = {to.partition(".")[0] for to in self.leads[kind.name].get(name, ())}
                if name not in own and leads - {kind.provider}:
                    foreign.add(name)
                for missing in sorted(leads - {kind.provider, *stated}):
                    if name not in own:
                        self.document.wrong(
                            at["flag_when"],
                            f"'{name}' of {kind.name} is there only when {missing} is scanned; add with: [{missing}]",
                        )
        for name in sorted(foreign):
            for kind in kinds:
                if name not in self.leads[kind.name]:  # a count of it would always be 0
                    self.document.wrong(at["flag_when"], f"'{name}' does not lead to {kind.name}")

    def about(self, at: Mapping[str, Any]) -> tuple[Kind, ...]:
        """The kinds that the rule is about: one, or a list of those that share its paths."""
        node = at.get("resource")
        if node is None:
            return ()
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        if not nodes:
            self.document.wrong(node, "resource must name a kind")
        found: dict[str, Kind] = {}
        for item in nodes:
            name = self.document.string(item, "resource")
            if name in found:
                self.document.wrong(item, f"'{name}' is given twice")
            elif name in self.kinds:
                found[name] = self.kinds[name]
            elif name and not self.is_elsewhere(name):
                self.document.wrong(item, f"there is no kind '{name}'{near(name, self.kinds)}")
        return tuple(found.values())

    def is_elsewhere(self, kind: str) -> bool:
        """Whether a kind is of a provider that is not at hand, which `partial` allows."""
        return self.partial and kind.partition(".")[0] not in {
            known.provider for known in self.kinds.values()
        }

    def title(self, at: Mapping[str, Any]) -> str:
        title = self.text(at, "title")
        if len(title) > TITLE_CAP:
            self.document.wrong(at["title"], f"title has {len(title)} characters, over {TITLE_CAP}")
        if re.match(r"(?i)(?:ensure|make sure|should)\b", title):
            self.document.wrong(at["title"], "title must state a fact about the resource")
        return title

    def choice(self, at: Mapping[str, Any], key: str, values: Any) -> Any:
        name = self.text(at, key)
        options = [value.value for value in values]
        if name and name not in options:
            listed = ", ".join(options)
            self.document.wrong(
                at[key], f"{key} must be one of {listed}, not '{name}'{near(name, options)}"
            )
        return values(name) if name in options else None

    def references(self, at: Mapping[str, Any]) -> tuple[str, ...]:
        if "references" not in at:
            return ()
        for node in self.document.items(at["references"], "references"):
            if not str(node.value).startswith(("https://", "http://")):
                self.document.wrong(node, "a reference must be a URL")
        return self.document.strings(at["references"], "references")

    def controls(self, at: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
        if "controls" not in at:
            return {}
        found: dict[str, tuple[str, ...]] = {}
        for key, node, value in self.document.entries(at["controls"], "controls"):
            if not CONTROLS.fullmatch(key):
                self.document.wrong(node, f"a framework is written like cis-aws-5.0, not '{key}'")
            found[key] = self.document.strings(value, f"controls of {key}")
        return found

    def command(self, fix: Mapping[str, Any], kinds: Sequence[Kind]) -> str:
        command = self.text(fix, "command")
        complaints = (found for kind in kinds for found in placeholders(command, kind))
        for complaint in dict.fromkeys(complaints):
            self.document.wrong(fix["command"], complaint)
        return command

    def saving(self, at: Mapping[str, Any], category: Category | None) -> JSON:
        node = at.get("saving")
        if node is None:
            return None
        if category and category is not Category.COST:
            self.document.wrong(node, "only rules of category cost have a saving")
        if not isinstance(node, yaml.MappingNode):
            if self.document.value(node) != "all":
                self.document.wrong(node, "saving must be all, {share: 0.5} or {to: {...}}")
            return "all"
        found = {k: self.document.value(v) for k, v in self.known(node, SAVING, "saving").items()}
        share, to = found.get("share", 1), found.get("to", {"": ""})
        if len(found) != 1:
            self.document.wrong(node, "saving takes one of share, to")
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= 1:
            self.document.wrong(node, "share must be a number above 0 and at most 1")
        if not isinstance(to, dict) or not to:
            self.document.wrong(node, "to must map fields to their new values")
        return found

    def examples(self, at: Mapping[str, Any]) -> tuple[Example, ...]:
        if "examples" not in at:
            return ()
        nodes = self.document.items(at["examples"], "examples")
        return tuple(filter(None, (self.example(node) for node in nodes)))

    def example(self, node: Any) -> Example | None:
        found = self.known(node, EXAMPLE, "an example")
        outcomes = [outcome for outcome in OUTCOMES if outcome in found]
        if len(outcomes) != 1:
            self.document.wrong(node, f"an example has one of {', '.join(OUTCOMES)}")
            return None
        given = self.document.value(found["given"]) if "given" in found else {}
        if not isinstance(given, dict):
            self.document.wrong(found["given"], "given must be a mapping")
            return None
        unread = self.document.strings(found["unread"], "unread") if "unread" in found else ()
        return Example(
            outcome=outcomes[0],
            sentence=self.text(found, outcomes[0]),
            given=given,
            unread=unread,
            name=self.text(found, "name"),
            now=self.time(found["now"]) if "now" in found else None,
            line=node.start_mark.line + 1,
        )

    def time(self, node: Any) -> datetime | None:
        text = self.document.string(node, "now")
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            found = None
        if found is None or found.tzinfo is None:
            self.document.wrong(node, "now must be a time such as 2026-11-21T09:30:00Z")
            return None
        return found
