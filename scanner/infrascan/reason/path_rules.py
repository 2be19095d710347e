"""What paths are made of, from `rules/paths/*.yaml`: entries, steps, targets and known policies.

A file says what it adds, in the rule language's conditions; the search knows no vendor. Several
files together are the map of how one gets from the internet to data.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path as File
from typing import Any

from infrascan.evaluate.condition import Condition
from infrascan.evaluate.document import Document, RuleError, RuleErrors, compose
from infrascan.evaluate.grammar import Grammar
from infrascan.evaluate.keys import Key
from infrascan.evaluate.loading import Reader, read
from infrascan.evaluate.path import Relations, near, relations
from infrascan.evaluate.rule import Rule
from infrascan.model import Kind
from infrascan.reason.path_keys import (
    ENTRY,
    EXAMPLE,
    FIX,
    GRANT,
    NETWORK,
    PLACES,
    STAGES,
    STEP,
    TARGET,
    TOP,
)
from infrascan.shipped import shipped


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    text: str
    command: str = ""
    rules: tuple[str, ...] = ()
    at: str = "source"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grants:
    """A permission, as `by` writes it down, on `resource` (a template over the target)."""

    by: str
    actions: tuple[str, ...]
    resource: str = ""
    trust: str = ""  # the field of the target that must admit it too
    on: tuple[str, ...] = ()  # what the permission is on, where that is not the target itself
    elsewhere: bool = False  # it is on kinds that are not at hand


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    id: str
    kinds: tuple[str, ...]
    condition: Condition | None
    rules: tuple[Rule, ...]
    says: str
    fix: Remedy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A step as it is declared. What it leads to is found along relations, or by a permission."""

    id: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    along: tuple[str, ...]
    grants: Grants | None
    stage: str
    when: Condition | None
    where: Condition | None
    says: str
    through: Mapping[str, Condition] = field(default_factory=dict)  # by kind on the way
    port: str = ""  # of a step by network: where the target says which it is
    needs: str = ""
    fix: Remedy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    id: str
    kinds: tuple[str, ...]
    condition: Condition | None
    grants: Grants | None
    says: str
    control: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    of: str
    outcome: str  # "flag" | "pass" | "unknown", as of a rule
    sentence: str
    given: Mapping[str, Any]
    end: str
    unread: tuple[str, ...]
    source: str


@dataclass(slots=True)
class PathRules:
    """All that the files say."""

    entries: list[Entry] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)
    policies: dict[str, Any] = field(default_factory=dict)
    examples: list[Example] = field(default_factory=list)

    def declared(self) -> list[Entry | Move | Goal]:
        return [*self.entries, *self.moves, *self.goals]


def load(
    folders: Sequence[File],
    kinds: Mapping[str, Kind],
    *,
    partial: bool = False,
    seen: Mapping[str, str] | None = None,
) -> PathRules:
    """What the files of all folders say. Raises RuleErrors with everything that is wrong.

    With `partial`, `kinds` are those of some providers; what is about others is left out. `seen`
    are ids of files besides these, which no file here may have again.
    """
    leads = relations(kinds)
    found = PathRules()
    errors: list[RuleError] = []
    taken = dict(seen or {})
    for folder in folders:
        for file in sorted(folder.glob("*.yaml")):
            document, root = compose(file, str(file), examples=not partial)
            if root is not None:
                Files(document, kinds, leads, partial, taken, folder.parent).into(found, root)
            errors += document.errors
    if errors:
        raise RuleErrors(errors)
    return found


@dataclass(slots=True)
class Files:
    """Reads one file; complaints go to the document."""

    document: Document
    kinds: Mapping[str, Kind]
    leads: Relations
    partial: bool
    seen: dict[str, str]
    home: File  # the folder of rules that the file is in

    def into(self, found: PathRules, root: Any) -> None:
        at = self.known(root, TOP, "a file of paths")
        for name, reader, into in (
            ("entries", self.entry, found.entries),
            ("steps", self.move, found.moves),
            ("targets", self.goal, found.goals),
            ("examples", self.example, found.examples),
        ):
            for node in self.document.items(at[name], name) if name in at else ():
                made: Any = reader(node)
                if made is not None:
                    into.append(made)
        if "policies" in at:
            found.policies.update(self.document.value(at["policies"]))

    def known(self, node: Any, keys: Sequence[Key], what: str) -> dict[str, Any]:
        return Reader(self.document, self.kinds, self.leads, self.partial).known(node, keys, what)

    def text(self, at: Mapping[str, Any], key: str) -> str:
        return self.document.string(at[key], key) if key in at else ""

    def texts(self, at: Mapping[str, Any], key: str) -> tuple[str, ...]:
        """One string or a list of them."""
        if key not in at:
            return ()
        value = self.document.value(at[key])
        found = value if isinstance(value, list) else [value]
        if not found or not all(isinstance(item, str) and item for item in found):
            self.document.wrong(at[key], f"{key} takes a string or a list of strings")
            return ()
        return tuple(found)

    def identity(self, at: Mapping[str, Any]) -> str:
        name = self.text(at, "id")
        if name in self.seen:
            self.document.wrong(at["id"], f"id '{name}' is also in {self.seen[name]}")
        elif name:
            self.seen[name] = self.document.path
        return name

    def about(self, at: Mapping[str, Any], key: str) -> tuple[str, ...]:
        """The kinds named, as far as they are at hand."""
        names = self.texts(at, key)
        providers = {kind.provider for kind in self.kinds.values()}
        for name in names:
            elsewhere = self.partial and name.partition(".")[0] not in providers
            if name not in self.kinds and not elsewhere:
                self.document.wrong(at[key], f"there is no kind '{name}'{near(name, self.kinds)}")
        return tuple(name for name in names if name in self.kinds)

    def condition(self, at: Mapping[str, Any], key: str, kinds: Iterable[str]) -> Condition | None:
        about = [self.kinds[name] for name in kinds]
        if key not in at or not about:
            return None
        return Grammar(self.document, self.kinds, self.leads).condition(at[key], about)

    def remedy(self, at: Mapping[str, Any]) -> Remedy | None:
        if "fix" not in at:
            return None
        fix = self.known(at["fix"], FIX, "fix")
        place = self.text(fix, "at") or "source"
        if place not in PLACES and not self.partial and place not in self.kinds:
            self.document.wrong(fix["at"], f"at is {', '.join(PLACES)} or a kind")
        return Remedy(
            text=self.text(fix, "text"),
            command=self.text(fix, "command"),
            rules=self.rule_ids(fix),
            at=place,
        )

    def rule_ids(self, at: Mapping[str, Any]) -> tuple[str, ...]:
        ids = self.texts(at, "rules")
        for rule in ids:
            if not self.partial and not rule_file(rule, self.home).is_file():
                self.document.wrong(at["rules"], f"there is no rule '{rule}'")
        return ids

    def rules(self, at: Mapping[str, Any]) -> tuple[Rule, ...]:
        """The rules that make an entry, whether or not the scan asked for them."""
        found = []
        for name in self.rule_ids(at):
            document, root = compose(rule_file(name, self.home), name, examples=False)
            rule = read(document, root, name, self.kinds, self.leads, partial=True)
            if rule:
                found.append(rule)
            elif not self.partial:
                self.document.wrong(at["rules"], f"rule '{name}' cannot be read")
        return tuple(found)

    def grants(self, at: Mapping[str, Any]) -> Grants | None:
        if "grants" not in at:
            return None
        given = self.known(at["grants"], GRANT, "grants")
        by = self.text(given, "by")
        if by not in ("aws", "gcp"):
            self.document.wrong(at["grants"], "by is aws or gcp")
        return Grants(
            by=by,
            actions=self.texts(given, "actions"),
            resource=self.text(given, "resource"),
            trust=self.text(given, "trust"),
            on=(on := self.about(given, "on") if "on" in given else ()),
            elsewhere="on" in given and not on,
        )

    def entry(self, node: Any) -> Entry | None:
        at = self.known(node, ENTRY, "an entry")
        name, kinds = self.identity(at), self.about(at, "kind")
        if not kinds:
            return None
        rules = self.rules(at) if "rules" in at else ()
        condition = self.condition(at, "when", kinds)
        if not self.partial and ("rules" in at) == ("when" in at):
            self.document.wrong(node, "an entry has one of when, rules")
        if condition is None and not rules:
            return None
        return Entry(
            id=name,
            kinds=kinds,
            condition=condition,
            rules=rules,
            says=self.text(at, "says"),
            fix=self.remedy(at),
        )

    def move(self, node: Any) -> Move | None:
        at = self.known(node, STEP, "a step")
        name = self.identity(at)
        sources, targets = self.about(at, "from"), self.about(at, "to")
        stage = self.text(at, "stage")
        if stage and stage not in STAGES:
            self.document.wrong(at["stage"], f"stage is one of {', '.join(STAGES)}")
        grants = self.grants(at)
        on = grants.on if grants else ()
        ways = ("grants" in at) + ("network" in at)
        narrowed = bool(grants and (on or grants.elsewhere))  # also to a kind of another provider
        ways += "along" in at and not narrowed and "network" not in at
        if ways != 1 or (narrowed and "along" not in at):
            self.document.wrong(
                node,
                "a step has one of along, grants, network (along besides network or grants on)",
            )
        if not sources or not targets or (grants and grants.elsewhere):
            return None
        along = tuple(name.removesuffix("[]") for name in self.text(at, "along").split(".") if name)
        if along and not self.partial:
            self.leads_there(at, along, on or sources, () if "network" in at else targets)
        network = self.known(at["network"], NETWORK, "network") if "network" in at else {}
        return Move(
            id=name,
            sources=sources,
            targets=targets,
            along=along,
            grants=grants,
            stage=stage,
            when=self.condition(at, "when", sources),
            where=self.condition(at, "where", targets),
            says=self.text(at, "says"),
            through=self.through(at),
            port=self.text(network, "port"),
            needs=self.text(at, "needs"),
            fix=self.remedy(at),
        )

    def through(self, at: Mapping[str, Any]) -> dict[str, Condition]:
        """The conditions on what is on the way, by kind."""
        found: dict[str, Condition] = {}
        entries = self.document.entries(at["through"], "through") if "through" in at else ()
        for name, _, part in entries:
            if name not in self.kinds and not self.partial:
                self.document.wrong(part, f"there is no kind '{name}'{near(name, self.kinds)}")
            if condition := self.condition(
                {"when": part}, "when", [name] if name in self.kinds else []
            ):
                found[name] = condition
        return found

    def leads_there(
        self,
        at: Mapping[str, Any],
        along: Sequence[str],
        sources: Sequence[str],
        targets: Sequence[str],
    ) -> None:
        here = set(sources)
        for name in along:
            here = {to for kind in here for to in self.leads.get(kind, {}).get(name, ())}
            if not here:
                self.document.wrong(at["along"], f"no relation '{name}' leads on from there")
                return
        for wrong in sorted(set(targets) - here):
            self.document.wrong(at["along"], f"that does not lead to {wrong}")

    def goal(self, node: Any) -> Goal | None:
        at = self.known(node, TARGET, "a target")
        name, kinds = self.identity(at), self.about(at, "kind")
        if not kinds:
            return None
        return Goal(
            id=name,
            kinds=kinds,
            condition=self.condition(at, "when", kinds),
            grants=self.grants(at),
            says=self.text(at, "says"),
            control=bool(self.document.value(at["control"])) if "control" in at else False,
        )

    def example(self, node: Any) -> Example | None:
        at = self.known(node, EXAMPLE, "an example")
        outcomes = {"holds": "flag", "fails": "pass", "unknown": "unknown"}
        said = [name for name in outcomes if name in at]
        if len(said) != 1:
            self.document.wrong(node, "an example has one of holds, fails, unknown")
            return None
        line = node.start_mark.line + 1
        return Example(
            of=self.text(at, "of"),
            outcome=outcomes[said[0]],
            sentence=self.text(at, said[0]),
            given=self.document.value(at["given"]) if "given" in at else {},
            end=self.text(at, "end") or "from",
            unread=self.texts(at, "unread"),
            source=f"{self.document.path}:{line}",
        )


def rule_file(rule: str, home: File) -> File:
    """Where a rule is: in the same folder of rules, or among those that are shipped."""
    place = File(*rule.split(".")[:-1], f"{rule.rpartition('.')[2]}.yaml")
    own = home / place
    return own if own.is_file() else shipped("rules") / place
