"""Attack paths: how one gets from the internet, over what is reachable and what it may do, to data.

The steps are declared in `rules/paths/`; this is the search. A step exists only with evidence.
Where something was not read, the path stays and says so; where the search ends early, a note
says how much is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from infrascan.evaluate.compile import flags
from infrascan.evaluate.condition import needs
from infrascan.evaluate.interpret import Answer
from infrascan.evaluate.run import is_open, touches, unread_names
from infrascan.model import (
    INTERNET,
    SEVERITIES,
    Category,
    Finding,
    Fix,
    Kind,
    Path,
    Resource,
    Severity,
    Step,
)
from infrascan.packing import repacked
from infrascan.reason.grants import Permissions
from infrascan.reason.hops import Hop, Hops, facts, quoted
from infrascan.reason.left_out import noted, unsure
from infrascan.reason.path_rules import Entry, Goal, PathRules

DEPTH = 10  # steps of a path
NODES = 20_000  # resources that the search looks at
COUNTED = 20_000  # paths that are counted
KEPT = 200  # paths that are told, the worst of them
BLAST = 500  # resources of a blast radius that are told


@dataclass(frozen=True, slots=True)
class Found:
    """The paths, the worst first, and what is to be known about those that are not there."""

    paths: list[Path]
    notes: list[str]


@dataclass(slots=True)
class Search:
    """The graph between entries and targets, as far as entries reach."""

    hops: Hops
    depth: int = DEPTH
    next: dict[int, list[Hop]] = field(default_factory=dict)  # what leaves a resource, collapsed
    alike: dict[str, int] = field(default_factory=dict)  # key -> resources it stands for besides
    near: dict[int, int] = field(default_factory=dict)  # steps from here to the nearest target
    onward: dict[int, int] = field(default_factory=dict)  # a number for what leads on from here
    numbers: dict[tuple[tuple[object, ...], ...], int] = field(default_factory=lambda: {(): 0})
    direct: dict[int, set[tuple[str, int]]] = field(default_factory=dict)
    spheres: dict[int, tuple[str, ...]] = field(default_factory=dict)
    cut_short: bool = False

    def explore(self, entries: Sequence[Hop]) -> None:
        """Go from the entries as far as steps lead, then measure back from the targets."""
        known: dict[int, Resource] = {}
        back: dict[int, list[Resource]] = {}
        frontier = [hop.target for hop in entries]
        for _ in range(self.depth):
            further: list[Resource] = []
            for resource in frontier:
                if id(resource) in known:
                    continue
                if len(known) >= NODES:
                    self.cut_short = True
                    break
                known[id(resource)] = resource
                if self.ends(resource):
                    continue
                self.next[id(resource)] = self.collapsed(self.hops.onward(resource))
                for hop in self.next[id(resource)]:
                    back.setdefault(id(hop.target), []).append(resource)
                    further.append(hop.target)
            frontier = further
        layer = [r for r in known.values() if self.hops.goal(r)]
        distance = 0
        while layer:
            below: list[Resource] = []
            for resource in layer:
                if id(resource) not in self.near:
                    self.near[id(resource)] = distance
                    below += back.get(id(resource), ())
            layer, distance = below, distance + 1

    def collapsed(self, hops: Iterable[Hop]) -> list[Hop]:
        """Of steps to resources that lead on to just the same, the first, and the rest as alike."""
        groups: dict[tuple[object, ...], list[Hop]] = {}
        for hop in hops:
            groups.setdefault(self.signature(hop), []).append(hop)
        found = []
        for first, *others in groups.values():
            if others:
                self.alike[first.target.key] = len(others)
            found.append(replace(first, alike=tuple(h.target for h in others)))
        return found

    def signature(self, hop: Hop) -> tuple[object, ...]:
        if hop.fix and hop.fix.resource == hop.target.key:
            return (hop.move, hop.target.key)  # closed one by one, so told one by one
        goal = self.hops.goal(hop.target)
        beyond = self.beyond(hop.target)
        return (
            *(hop.move, hop.target.kind, hop.label, bool(hop.unsure), beyond),
            *(goal[0].id if goal else "", "" if goal or beyond else hop.target.key),
            hop.fix.id if hop.fix else "",
        )

    def beyond(self, resource: Resource) -> int:
        """A number for what leads on from the resource, the same for the same; 0 for nothing."""
        if id(resource) not in self.onward:
            hops = () if self.ends(resource) else self.hops.onward(resource)
            steps = tuple((h.move, h.target.key, h.label, bool(h.unsure)) for h in hops)
            self.onward[id(resource)] = self.numbers.setdefault(steps, len(self.numbers))
        return self.onward[id(resource)]

    def routes(self, entries: Sequence[Hop]) -> Iterator[tuple[Hop, ...]]:
        """Every way from an entry to a target without a resource twice, in a fixed order."""
        for entry in entries:
            yield from self.on((entry,), {id(entry.target)})

    def on(self, so_far: tuple[Hop, ...], seen: set[int]) -> Iterator[tuple[Hop, ...]]:
        here = so_far[-1].target
        if self.hops.goal(here):
            yield so_far
        if self.ends(here):
            return
        for hop in self.next.get(id(here), ()):
            there = id(hop.target)
            left = self.near.get(there)
            if there in seen or left is None or len(so_far) + 1 + left > self.depth:
                continue
            if any((hop.move, there) in self.straight(before.target) for before in so_far[:-1]):
                continue  # a resource before this one gets there by the same kind of step
            yield from self.on((*so_far, hop), seen | {there})

    def straight(self, resource: Resource) -> set[tuple[str, int]]:
        """(move, target) of each step that leaves the resource."""
        if id(resource) not in self.direct:
            self.direct[id(resource)] = {
                (hop.move, id(target))
                for hop in self.next.get(id(resource), ())
                for target in (hop.target, *hop.alike)
            }
        return self.direct[id(resource)]

    def sphere(self, route: Sequence[Hop]) -> tuple[str, ...]:
        """All that is reached from the last resource of the path that acts, in key order."""
        last = route[-1]
        start = last.target if self.acts(last.target) or last.source is None else last.source
        if id(start) not in self.spheres:
            seen: dict[int, Resource] = {}
            pending = [start]
            while pending and len(seen) < NODES:
                resource = pending.pop()
                for hop in self.hops.onward(resource):
                    if id(hop.target) not in seen:
                        seen[id(hop.target)] = hop.target
                        pending.append(hop.target)
            self.spheres[id(start)] = tuple(sorted(r.key for r in seen.values()))
        return self.spheres[id(start)]

    def ends(self, resource: Resource) -> bool:
        """Whether nothing beyond is worth telling: all of it follows. Data may lead on."""
        goal = self.hops.goal(resource)
        return goal is not None and goal[0].control

    def acts(self, resource: Resource) -> bool:
        goal = self.hops.goal(resource)
        return not goal or goal[0].control


def find(
    rules: PathRules,
    resources: Sequence[Resource],
    kinds: Mapping[str, Kind],
    findings: Sequence[Finding],
    now: float,
) -> Found:
    """The paths through an estate whose resources are linked and judged."""
    packed = [resource for resource in resources if resource.packed]
    by_kind: dict[str, list[Resource]] = {}
    for resource in sorted(resources, key=lambda r: r.key):
        by_kind.setdefault(resource.kind, []).append(resource)
    flagged = {(f.rule, f.resource): f for f in findings}
    hops = Hops(rules, kinds, now, flagged, by_kind, Permissions(rules.policies))
    search = Search(hops)
    entries = entered(hops, by_kind, resources)
    search.explore(entries)
    entries = search.collapsed(h for h in entries if id(h.target) in search.near)
    routes, more = chosen(search, entries)
    on: dict[str, list[str]] = {}
    for finding in findings:
        if finding.category is Category.SECURITY:
            on.setdefault(finding.resource, []).append(finding.id)
    paths = [path_of(search, route, on) for route in routes]
    paths.sort(key=worst_first)
    limits = f"{NODES} resources or {COUNTED} paths" if search.cut_short else ""
    notes = list(noted(hops, more, limits))
    for resource in packed:
        resource.pack()
    return Found(paths, notes)


def entered(
    hops: Hops, by_kind: Mapping[str, Sequence[Resource]], resources: Sequence[Resource]
) -> list[Hop]:
    """The steps from the internet. Compiled conditions pass over most resources."""
    unread = unread_names(resources)
    found: list[Hop] = []
    for entry in hops.rules.entries:
        for kind in entry.kinds:
            if candidates := by_kind.get(kind):
                found += entries_of(hops, entry, candidates, unread)
    return found


def entries_of(
    hops: Hops, entry: Entry, candidates: Sequence[Resource], unread: frozenset[str]
) -> Iterator[Hop]:
    conditions = (
        [entry.condition]
        if entry.condition is not None
        else [rule.condition for rule in entry.rules if candidates[0].kind in rule.kinds]
    )
    if not conditions:
        return
    read = [needs(condition) for condition in conditions]
    doubtful = [one for one in read if touches(one, unread)]
    flagging = flags(conditions, hops.now)
    for resource in repacked(candidates):
        if not flagging(resource) and not any(is_open(resource, one) for one in doubtful):
            continue
        if hop := hops.entered(entry, resource):
            yield hop


def chosen(search: Search, entries: Sequence[Hop]) -> tuple[list[tuple[Hop, ...]], int]:
    """The worst routes, none of them the end of another, and how many more there are."""
    found: list[tuple[Hop, ...]] = []
    for route in search.routes(entries):
        found.append(route)
        if len(found) >= COUNTED:
            search.cut_short = True
            break
    told = {tail for route in found for tail in ends(route)}
    whole = [r for r in found if r[0].fix is not None or spelled(r) not in told]
    whole.sort(
        key=lambda r: (
            *(severity_of(search, r).rank, in_doubt(search, r), -len(r)),
            *([hop.target.key for hop in r], r[0].move),
        )
    )
    return whole[:KEPT], len(whole) - KEPT if len(whole) > KEPT else 0


Spelling = tuple[str, ...]


def spelled(route: Sequence[Hop]) -> Spelling:
    """A route from its first resource on: what can be the end of another."""
    return (
        route[0].target.key,
        *(part for hop in route[1:] for part in (hop.move, hop.target.key)),
    )


def ends(route: Sequence[Hop]) -> Iterator[Spelling]:
    """The ends of a route after steps that nothing cuts: routes of their own, told better by this
    one. Where a name leads to what is open itself, the way through the name is the whole story."""
    for i in range(1, len(route)):
        if route[i - 1].fix is not None or route[i].fix is not None:
            return
        yield spelled(route[i:])


def worst_first(path: Path) -> tuple[object, ...]:
    """The order of paths: the sure before the unsure, then those with most beyond them."""
    return (
        *(path.severity.rank, bool(path.unsure), -len(path.blast), -len(path.steps)),
        *(path.title, path.id),
    )


def in_doubt(search: Search, route: Sequence[Hop]) -> bool:
    """Whether something was not read that may cut the route."""
    return any(hop.unsure for hop in route) or bool(goal_of(search, route[-1].target)[1].gaps)


def severity_of(search: Search, route: Sequence[Hop]) -> Severity:
    """Critical with nothing in between, one less bad for each thing an attacker must still bring.

    Control over all else makes up for one of them; something that was not read takes one back.
    What a rule flags by itself is as bad as the rule argues.
    """
    goal, _ = goal_of(search, route[-1].target)
    between = len({hop.needs for hop in route if hop.needs})
    rank = between - (1 if goal.control and between else 0)
    if len(route) == 1 and route[0].severity:
        rank = route[0].severity.rank
    if in_doubt(search, route):
        rank += 1
    return SEVERITIES[min(rank, Severity.LOW.rank)]


def goal_of(search: Search, resource: Resource) -> tuple[Goal, Answer]:
    found = search.hops.goal(resource)
    assert found
    return found


def path_of(search: Search, route: Sequence[Hop], findings: Mapping[str, Sequence[str]]) -> Path:
    """The path that a route is. `findings` are the ids of those about security, by resource."""
    goal, answer = goal_of(search, route[-1].target)
    steps = []
    for hop in route:
        last = hop is route[-1]
        evidence = hop.evidence
        says = hop.says
        if last:
            also = ", and others alike" if hop.alike else ""
            says = f"{says}{also}: {goal.says}"
            evidence = facts((*evidence, *answer.facts), (), hop.target)
        steps.append(
            Step(
                source=hop.source.key if hop.source else INTERNET,
                target=hop.target.key,
                relation=hop.relation,
                stage="data" if last and not goal.control else hop.stage,
                says=says,
                evidence=evidence,
                fix=widened(search, hop.fix),
            )
        )
    gaps = [gap for hop in route for gap in hop.unsure] + list(answer.gaps)
    known = {hop_finding for hop in route for hop_finding in hop.findings}
    on = {hop.target.key for hop in route}
    known |= {one for key in on for one in findings.get(key, ())}
    blast = [key for key in search.sphere(route) if key not in on]
    return Path(
        title=title(search, route),
        severity=severity_of(search, route),
        steps=tuple(steps),
        findings=tuple(sorted(known)),
        blast=tuple(blast[:BLAST]),
        unsure=unsure(gaps),
    )


def widened(search: Search, fix: Fix | None) -> Fix | None:
    """A fix on a resource that stands for others is to be made on them too."""
    if fix is None or fix.resource not in search.alike:
        return fix
    return replace(fix, text=f"{fix.text} Do the same on those that are alike.", command="")


def title(search: Search, route: Sequence[Hop]) -> str:
    """`From the internet through load balancer “shop” and role “web” to S3 bucket “orders”`."""
    target = named(search, route[-1].target)
    if len(route) == 1:
        return f"From the internet straight to {target}"
    between = [hop.target for hop in route[:-1]]
    ends = between[:1] + (between[-1:] if len(between) > 1 else [])
    return f"From the internet through {' and '.join(named(search, r) for r in ends)} to {target}"


def named(search: Search, resource: Resource) -> str:
    kind = search.hops.kinds.get(resource.kind)
    return f"{kind.title if kind else resource.kind} {quoted(resource.name or resource.id)}"
