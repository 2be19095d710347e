"""Which findings belong together: what lies on one path, on one resource, or next to each other.

A cluster is small enough for a model to see whole; what is too large is parted, never cut.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from infrascan.model import Edge, Evidence, Finding, Scan, Severity
from infrascan.model.research import INTERNET, Path

LARGEST = 12  # findings of a cluster
SHALLOW = 2  # edges that a neighbour may be away
CROWDED = 40  # edges of a hub, such as a network or an account, through which nothing connects


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Findings that may have to do with each other, and the edges among their resources."""

    findings: tuple[Finding, ...]
    edges: tuple[Edge, ...]
    facts: tuple[Evidence, ...] = ()  # of the steps of a path that they lie on

    @property
    def weight(self) -> tuple[int, float]:
        """What to look at first: the worst, then the dearest."""
        worst = min(f.severity.rank for f in self.findings)
        saving = sum(f.saving.monthly for f in self.findings if f.saving and f.saving_counted)
        return worst, -saving

    def halves(self) -> tuple[Cluster, Cluster]:
        middle = len(self.findings) // 2
        return (
            Cluster(findings=self.findings[:middle], edges=self.edges, facts=self.facts),
            Cluster(findings=self.findings[middle:], edges=self.edges, facts=self.facts),
        )


def clusters(scan: Scan) -> list[Cluster]:
    """The clusters of a scan, the weightiest first. A finding alone is no cluster."""
    on: dict[str, list[Finding]] = defaultdict(list)
    for finding in scan.findings:
        on[finding.resource].append(finding)
    neighbours = linked(scan)
    by_id = {finding.id: finding for finding in scan.findings}
    edges = [e for e in scan.edges if e.source in neighbours and e.target in neighbours]
    taken: set[str] = set()
    found: list[Cluster] = []
    for path in sorted(scan.paths, key=lambda p: (p.severity.rank, p.id)):
        members = [by_id[mark] for mark in path.findings if mark in by_id and mark not in taken]
        found.extend(parts(members, edges, taken, path))
    for finding in sorted(scan.findings, key=lambda f: (f.severity.rank, f.rule, f.resource)):
        if finding.id not in taken and finding.severity is not Severity.INFO:
            found.extend(parts(near(finding, on, neighbours, taken), edges, taken))
    return sorted(found, key=lambda c: (c.weight, c.findings[0].id))


def linked(scan: Scan) -> dict[str, list[str]]:
    """Key -> keys next to it, hubs left out."""
    neighbours: dict[str, set[str]] = defaultdict(set)
    for edge in scan.edges:
        neighbours[edge.source].add(edge.target)
        neighbours[edge.target].add(edge.source)
    return {key: sorted(found) for key, found in neighbours.items() if len(found) <= CROWDED}


def near(
    first: Finding,
    on: dict[str, list[Finding]],
    neighbours: dict[str, list[str]],
    taken: set[str],
) -> list[Finding]:
    """A finding with those on its resource and on what is close, nearest first."""
    members: list[Finding] = []
    waiting, seen = deque([(first.resource, 0)]), {first.resource}
    while waiting and len(members) < LARGEST:
        key, away = waiting.popleft()
        own = sorted(on.get(key, ()), key=lambda f: (f.severity.rank, f.rule))
        members.extend(f for f in own if f.id not in taken)
        if away < SHALLOW:
            fresh = [k for k in neighbours.get(key, ()) if k not in seen]
            seen.update(fresh)
            waiting.extend((k, away + 1) for k in fresh)
    return members[:LARGEST]


def parts(
    members: Sequence[Finding],
    edges: Iterable[Edge],
    taken: set[str],
    path: Path | None = None,
) -> Iterator[Cluster]:
    steps = [step for step in path.steps if step.source != INTERNET] if path else []
    along = {key for step in steps for key in (step.source, step.target)}
    ways = [Edge(source=s.source, name=s.relation, target=s.target) for s in steps]
    facts = tuple(fact for step in path.steps for fact in step.evidence) if path else ()
    for start in range(0, len(members), LARGEST):
        chosen = tuple(members[start : start + LARGEST])
        if len(chosen) < 2:
            continue
        taken.update(finding.id for finding in chosen)
        keys = {f.resource for f in chosen} | {e.resource for f in chosen for e in f.evidence}
        among = [e for e in edges if e.source in keys | along and e.target in keys | along]
        yield Cluster(findings=chosen, edges=tuple(dict.fromkeys((*among, *ways))), facts=facts)
