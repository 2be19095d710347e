"""The fewest changes that end attack paths: "these 2 changes end 17 paths".

A path ends when one of its steps is cut, and one change can cut steps of many paths: the smallest
set of changes is a smallest hitting set. Paths that share no change, not even by way of others, are
groups of their own, and solved by themselves; the cuts of all groups together are the smallest
over all paths.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from infrascan.model import Cut, Fix, Path

EFFORT = 1_000_000  # paths looked at, over all branches, before a group is settled greedily

Options = frozenset[str]  # ids of fixes of which one is enough


def cuts(paths: Sequence[Path]) -> list[Cut]:
    """The smallest cut of each group of paths, the one that ends most paths first.

    A path without a change of ours that cuts it is in no group.
    """
    fixes: dict[str, Fix] = {}
    options: dict[str, Options] = {}
    for path in paths:
        found = {step.fix.id: step.fix for step in path.steps if step.fix}
        fixes.update(found)
        if found:
            options[path.id] = frozenset(found)
    result = []
    for group in groups(options):
        wanted = {path: options[path] for path in group}
        chosen, exact = smallest(list(wanted.values()))
        ordered = sorted(chosen, key=lambda fix: (-ended(fix, wanted), fixes[fix].resource, fix))
        result.append(
            Cut(fixes=tuple(fixes[fix] for fix in ordered), paths=tuple(group), exact=exact)
        )
    rank = {path.id: i for i, path in enumerate(paths)}
    result.sort(key=lambda c: (-len(c.paths), len(c.fixes), min(rank[path] for path in c.paths)))
    return result


def ended(fix: str, options: Mapping[str, Options]) -> int:
    return sum(fix in one for one in options.values())


def groups(options: Mapping[str, Options]) -> list[list[str]]:
    """Paths that share a change, directly or by way of others; in the order they were given."""
    leader: dict[str, str] = {}

    def first(name: str) -> str:
        while leader[name] != name:
            leader[name] = leader[leader[name]]
            name = leader[name]
        return name

    for path, fixes in options.items():
        leader[path] = path
        for fix in sorted(fixes):
            if fix not in leader:
                leader[fix] = path
            else:
                leader[first(path)] = first(fix)
    found: dict[str, list[str]] = {}
    for path in options:
        found.setdefault(first(path), []).append(path)
    return list(found.values())


def smallest(options: Sequence[Options]) -> tuple[frozenset[str], bool]:
    """A smallest set that has one of each; and whether it is surely the smallest."""
    needed = minimal(options)
    names = sorted(set().union(*needed))
    bit = {name: 1 << i for i, name in enumerate(names)}
    search = Search([bit[name] for name in greedy(needed)])
    search.go([sum(bit[name] for name in one) for one in needed], [])
    return frozenset(name for name in names if bit[name] in search.best), search.left > 0


def minimal(options: Iterable[Options]) -> list[Options]:
    """Without those that follow from others, and without changes that another outdoes."""
    kept = least(options)
    while True:
        holds: dict[str, set[int]] = {}
        for i, one in enumerate(kept):
            for fix in one:
                holds.setdefault(fix, set()).add(i)
        outdone = {
            fix
            for fix, mine in holds.items()
            for other in set().union(*(kept[i] for i in mine)) - {fix}
            if mine < holds[other] or (mine == holds[other] and other < fix)
        }
        if not outdone:
            return kept
        kept = least(one - outdone for one in kept)


def least(options: Iterable[Options]) -> list[Options]:
    """Those that hold no other one whole: whatever cuts the smaller cuts the larger."""
    kept: list[Options] = []
    for one in sorted(set(options), key=lambda o: (len(o), sorted(o))):
        if not any(smaller <= one for smaller in kept):
            kept.append(one)
    return kept


def greedy(options: Sequence[Options]) -> frozenset[str]:
    """Again and again the change that ends most of what is left."""
    left = list(options)
    chosen: set[str] = set()
    while left:
        count: dict[str, int] = {}
        for one in left:
            for fix in one:
                count[fix] = count.get(fix, 0) + 1
        best = min(count, key=lambda fix: (-count[fix], fix))
        chosen.add(best)
        left = [one for one in left if best not in one]
    return frozenset(chosen)


@dataclass(slots=True)
class Search:
    """Branch and bound: each way to end the path with the fewest options, as long as it can win.

    Changes are bits here, and a path the bits of those that end it.
    """

    best: list[int]
    left: int = field(default=EFFORT)

    def go(self, options: list[int], chosen: list[int]) -> None:
        if not options:
            if len(chosen) < len(self.best):
                self.best = chosen
            return
        if self.left <= 0 or len(chosen) + apart(options) >= len(self.best):
            return
        self.left -= len(options)
        refused = 0
        for fix in by_use(min(options, key=lambda one: (one.bit_count(), one)), options):
            rest = [one & ~refused for one in options if not one & fix]
            if all(rest):
                self.go(rest, [*chosen, fix])
            refused |= fix  # what follows does without it: that was looked at


def by_use(one: int, options: Sequence[int]) -> list[int]:
    """The changes that end this path, those that end most others first."""
    found = []
    while one:
        found.append(one & -one)
        one &= one - 1
    return sorted(found, key=lambda fix: (-sum(fix & other != 0 for other in options), fix))


def apart(options: Sequence[int]) -> int:
    """How many share nothing with one another: each of them takes a change of its own."""
    used = count = 0
    for one in sorted(options, key=int.bit_count):
        if not one & used:
            used |= one
            count += 1
    return count
