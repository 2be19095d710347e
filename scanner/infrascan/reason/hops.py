"""One step from one resource to another, found and proven: what the path search goes along."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from infrascan.evaluate.command import filled
from infrascan.evaluate.condition import Condition
from infrascan.evaluate.interpret import Answer, interpret
from infrascan.evaluate.rule import Rule
from infrascan.model import Evidence, Finding, Fix, Gap, Kind, Resource, Severity
from infrascan.reason.admission import Admission
from infrascan.reason.grants import Allowed, Permissions
from infrascan.reason.path_rules import Entry, Goal, Grants, Move, PathRules, Remedy
from infrascan.reason.witness import fact, spots, witness
from infrascan.render.inert import short, visible

FACTS = 12  # of one step
SLOT = re.compile(r"\{([^{}]+)\}")
TRUE = Answer(True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """A step that exists. `alike` are further targets that lead to just the same."""

    move: str  # the id of what declares it
    source: Resource | None  # None for the internet
    target: Resource
    relation: str
    stage: str
    says: str
    needs: str = ""
    evidence: tuple[Evidence, ...] = ()
    fix: Fix | None = None
    unsure: tuple[Gap, ...] = ()
    findings: tuple[str, ...] = ()
    label: str = ""  # of the statement that grants it
    alike: tuple[Resource, ...] = ()
    severity: Severity | None = None  # of the rule that flags an entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How a step leads to its target: what is on the way with it, and why it leads there."""

    target: Resource
    proof: tuple[Evidence, ...]
    chain: tuple[Resource, ...] = ()
    allowed: Allowed | None = None
    unsure: tuple[Gap, ...] = ()


@dataclass(slots=True)
class Hops:
    """Finds the steps that leave a resource, once. What was not read on the way is noted."""

    rules: PathRules
    kinds: Mapping[str, Kind]
    now: float
    findings: Mapping[tuple[str, str], Finding]  # by rule and resource
    by_kind: Mapping[str, Sequence[Resource]]
    permissions: Permissions
    admission: Admission = field(default_factory=Admission)
    moves: dict[str, list[Move]] = field(default_factory=dict)  # by kind they start from
    goals: dict[str, list[Goal]] = field(default_factory=dict)
    verdicts: dict[tuple[int, int], Answer] = field(default_factory=dict)
    left: dict[int, list[Hop]] = field(default_factory=dict)
    hits: dict[int, tuple[Goal, Answer] | None] = field(default_factory=dict)
    unread: dict[tuple[str, str], Gap] = field(default_factory=dict)  # kind, relation -> a gap

    def __post_init__(self) -> None:
        for move in self.rules.moves:
            for kind in move.sources:
                self.moves.setdefault(kind, []).append(move)
        for goal in self.rules.goals:
            for kind in goal.kinds:
                self.goals.setdefault(kind, []).append(goal)

    def verdict(self, condition: Condition | None, resource: Resource) -> Answer:
        if condition is None:
            return TRUE
        key = (id(condition), id(resource))
        if key not in self.verdicts:
            self.verdicts[key] = interpret(condition, resource, self.now)
        return self.verdicts[key]

    def entered(self, entry: Entry, resource: Resource) -> Hop | None:
        """The step from the internet to the resource, if the entry holds for it."""
        answer, rule = self.first(entry, resource)
        if answer.verdict is False:
            return None
        says, values = told(entry.says, resource)
        fix = self.remedied(entry.fix, resource, resource, (), None)
        if rule:
            fix = Fix(
                resource=resource.key,
                text=rule.fix,
                command=filled(rule.command, resource),
                rule=rule.id,
            )
        return Hop(
            move=entry.id,
            source=None,
            target=resource,
            relation=entry.id,
            stage="reach",
            says=says,
            evidence=facts(answer.facts, values, resource),
            fix=fix,
            unsure=answer.gaps,
            findings=self.flagged([rule.id] if rule else (), resource),
            severity=rule.severity if rule else None,
        )

    def first(self, entry: Entry, resource: Resource) -> tuple[Answer, Rule | None]:
        """The first rule of the entry that flags the resource; else one that cannot be judged."""
        if entry.condition is not None:
            return self.verdict(entry.condition, resource), None
        doubtful: tuple[Answer, Rule | None] = (Answer(False), None)
        for rule in entry.rules:
            if resource.kind not in rule.kinds:
                continue
            answer = self.verdict(rule.condition, resource)
            if answer.verdict:
                return answer, rule
            if answer.verdict is None:
                doubtful = (answer, rule)
        return doubtful

    def goal(self, resource: Resource) -> tuple[Goal, Answer] | None:
        """What an attacker gains here, and why; None where it is nothing of its own."""
        if id(resource) not in self.hits:
            self.hits[id(resource)] = next(iter(self.gains(resource)), None)
        return self.hits[id(resource)]

    def gains(self, resource: Resource) -> Iterator[tuple[Goal, Answer]]:
        for goal in self.goals.get(resource.kind, ()):
            if goal.grants:
                allowed = self.permissions.allowed(goal.grants, resource, None)
                if allowed:
                    yield goal, Answer(True, allowed.evidence, allowed.unsure)
                continue
            answer = self.verdict(goal.condition, resource)
            if answer.verdict is not False:
                yield goal, answer

    def onward(self, resource: Resource) -> list[Hop]:
        """The steps that leave the resource, in the order of their declarations."""
        key = id(resource)
        if key not in self.left:
            self.left[key] = []  # against relations that lead back while it is being found
            self.left[key] = [
                hop
                for move in self.moves.get(resource.kind, ())
                for hop in self.taken(move, resource)
            ]
        return self.left[key]

    def taken(self, move: Move, source: Resource) -> Iterator[Hop]:
        start = self.verdict(move.when, source)
        if start.verdict is False:
            return
        for way in self.ways(move, source):
            target, allowed = way.target, way.allowed
            end = self.verdict(move.where, target)
            if end.verdict is False or target is source or not way.proof:
                continue
            says, values = told(move.says, source, target)
            along = move.along if not (allowed or move.port) else ()
            rules = move.fix.rules if move.fix else ()
            yield Hop(
                move=move.id,
                source=source,
                target=target,
                relation=".".join(along) or move.id,
                stage=move.stage,
                says=says,
                needs=move.needs,
                evidence=facts((*way.proof, *start.facts, *end.facts), values, source),
                fix=self.remedied(move.fix, source, target, way.chain, allowed),
                unsure=(*start.gaps, *way.unsure, *end.gaps),
                findings=self.flagged(rules, source, target, *way.chain),
                label=allowed.label if allowed else "",
            )

    def ways(self, move: Move, source: Resource) -> Iterator[Way]:
        if move.grants:
            return self.granted(move, move.grants, source)
        return self.connected(move, source) if move.port else self.followed(move, source)

    def connected(self, move: Move, source: Resource) -> Iterator[Way]:
        """What admits the source by network, or the machine that it leads to."""
        seen: set[int] = set()
        for chain in self.chains(source, move.along) if move.along else ((),):
            machine = chain[-1] if chain else source
            led = self.chained(source, chain, move.along) if chain else ()
            for kind in move.targets:
                known = self.by_kind.get(kind, ())
                for target, proof in self.admission.reached(move.port, machine, kind, known):
                    if id(target) not in seen and (led or not chain):
                        seen.add(id(target))
                        yield Way(target=target, proof=(*proof, *led), chain=chain)

    def granted(self, move: Move, grants: Grants, source: Resource) -> Iterator[Way]:
        """What a permission leads to: what it is on, or what is beyond that by relations."""
        for kind in grants.on or move.targets:
            known = self.by_kind.get(kind, ())
            for holder in self.permissions.candidates(grants, source, kind, known):
                allowed = self.permissions.allowed(grants, source, holder)
                if not allowed:
                    continue
                proof, unsure = allowed.evidence, allowed.unsure
                if not grants.on:
                    yield Way(target=holder, proof=proof, allowed=allowed, unsure=unsure)
                for way in self.followed(move, holder) if grants.on else ():
                    yield Way(
                        target=way.target,
                        proof=(*proof, *way.proof) if way.proof else (),
                        chain=(holder, *way.chain),
                        allowed=allowed,
                        unsure=(*unsure, *way.unsure),
                    )

    def followed(self, move: Move, source: Resource) -> Iterator[Way]:
        """By relations, each target once: by a way that surely holds where there is one."""
        found: dict[int, Way] = {}
        for chain in self.chains(source, move.along):
            target = chain[-1]
            known = found.get(id(target))
            if target.kind not in move.targets or (known and not known.unsure):
                continue
            answers = [
                self.verdict(move.through[one.kind], one)
                for one in (source, *chain[:-1])
                if one.kind in move.through
            ]
            if any(answer.verdict is False for answer in answers):
                continue
            gaps = tuple(gap for answer in answers for gap in answer.gaps)
            if known and gaps:
                continue
            proof = self.chained(source, chain, move.along)
            if proof:
                proof += tuple(one for answer in answers for one in answer.facts)
            found[id(target)] = Way(target=target, proof=proof, chain=chain, unsure=gaps)
        yield from found.values()

    def chains(self, source: Resource, along: Sequence[str]) -> Iterator[tuple[Resource, ...]]:
        name, rest = along[0], along[1:]
        if gap := source.unread.get(name):
            self.unread.setdefault((source.kind, name), gap)
        for target in source.links.get(name, ()):
            if not rest:
                yield (target,)
                continue
            for further in self.chains(target, rest):
                yield (target, *further)

    def chained(
        self, source: Resource, chain: Sequence[Resource], along: Sequence[str]
    ) -> tuple[Evidence, ...]:
        """The evidence of every relation on the way; () when one of them has none."""
        found: list[Evidence] = []
        here = source
        for name, there in zip(along, chain, strict=True):
            proof = witness(here, name, there, self.kinds)
            if not proof:
                return ()
            found += proof
            here = there
        return tuple(found)

    def flagged(self, rules: Iterable[str], *on: Resource) -> tuple[str, ...]:
        pairs = ((rule, resource.key) for rule in rules for resource in on)
        return tuple(self.findings[pair].id for pair in pairs if pair in self.findings)

    def remedied(
        self,
        remedy: Remedy | None,
        source: Resource,
        target: Resource,
        chain: Sequence[Resource],
        allowed: Allowed | None,
    ) -> Fix | None:
        """What cuts the step: a finding's own fix where a rule flags the same fault."""
        if remedy is None:
            return None
        on = source
        if remedy.at == "target":
            on = target
        elif remedy.at == "grant" and allowed:
            on = allowed.holder
        elif remedy.at not in ("source", "grant"):
            on = next((one for one in chain if one.kind == remedy.at), source)
        for rule in remedy.rules:
            if finding := self.findings.get((rule, on.key)):
                return Fix(
                    resource=on.key, text=finding.fix, command=finding.command, rule=finding.rule
                )
        text, _ = told(remedy.text, on, target)
        return Fix(resource=on.key, text=text, command=filled(remedy.command, on))


def facts(
    proof: Iterable[Evidence], values: Iterable[Evidence], fallback: Resource
) -> tuple[Evidence, ...]:
    """Each fact once; a step that nothing but its kind decides has its resource as the fact."""
    found = {(one.resource, one.path): one for one in (*values, *proof)}
    if not found:
        found["", ""] = Evidence(resource=fallback.key, path="id", value=fallback.id)
    return tuple(found.values())[:FACTS]


def told(
    template: str, resource: Resource, target: Resource | None = None
) -> tuple[str, list[Evidence]]:
    """The sentence with the resource's values quoted in it, and those values as evidence."""
    values: list[Evidence] = []

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name == "name":
            return quoted(resource.name)
        if name == "target":
            return quoted(target.name if target else "")
        found = [
            (path, held)
            for path, held in spots(resource, name)
            if isinstance(held, str | int | float)
        ]
        if not found:
            return "(not given)"
        values.append(fact(resource, *found[0]))
        return short(visible(str(found[0][1])), 80)

    return SLOT.sub(value, template), values


def quoted(name: str) -> str:
    return f"“{short(visible(name), 60)}”"
