"""The ledger: every fact behind a finding, a path or a claim of a scan, once, with its origin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from infrascan.model import Evidence, Fact, Finding, Scan
from infrascan.proof.facts import digest, fact_id, finite
from infrascan.proof.trust import trusted

PRICED = "infrascan.pricing"  # what gives `monthly_cost`: our price tables, no call


@dataclass(slots=True)
class Ledger:
    """Facts by id, in the order in which they were first cited."""

    calls: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    observed: str = ""
    facts: dict[str, Fact] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.facts)

    def __iter__(self) -> Iterator[Fact]:
        return iter(self.facts.values())

    def get(self, fact: str) -> Fact | None:
        """The fact with this id."""
        return self.facts.get(fact)

    def cite(self, evidence: Evidence) -> str:
        """The id of a fact; one that is new is entered."""
        found = fact_id(evidence.resource, evidence.path, evidence.value)
        if found not in self.facts:
            self.facts[found] = self.fact(evidence, found)
        return found

    def fact(self, evidence: Evidence, known: str) -> Fact:
        """The evidence as a line of the ledger under its id, whether it is entered or not."""
        return Fact(
            id=known,
            resource=evidence.resource,
            path=evidence.path,
            value=finite(evidence.value),
            call=self.source(evidence.resource, evidence.path),
            observed=self.observed,
            digest=digest(evidence.value),
            trusted=trusted(evidence.path, evidence.value),
        )

    def cite_all(self, evidence: Iterable[Evidence]) -> list[str]:
        return [self.cite(one) for one in evidence]

    def source(self, resource: str, path: str) -> str:
        """The operation that gave a field of a resource, by its kind's table."""
        if path == "monthly_cost":
            return PRICED
        calls = self.calls.get(resource.partition("/")[0], {})
        return calls.get(head(path)) or calls.get("", "")


def head(path: str) -> str:
    """The field or relation of a resource in which a path begins: `Tags` of `count(Tags)`."""
    path = path.removeprefix("count(")
    if path.startswith('["'):
        return path[2:].partition('"]')[0]
    return path.partition(".")[0].partition("[")[0].rstrip(")")


def ledger(scan: Scan) -> Ledger:
    """Every fact that a finding, a step of a path or a claim of the scan rests on."""
    found = Ledger(calls=scan.calls, observed=scan.observed)
    for fact in entries(scan):
        found.facts[fact.id] = fact
    return found


def entries(scan: Scan, findings: Iterable[Finding] | None = None) -> Iterator[Fact]:
    """The facts of the ledger in turn, none twice: for a report, which holds none of them.

    `findings` are the scan's in the order in which they are cited.
    """
    book = Ledger(calls=scan.calls, observed=scan.observed)
    seen: set[str] = set()
    for evidence in cited(scan, findings):
        found = fact_id(evidence.resource, evidence.path, evidence.value)
        if found not in seen:
            seen.add(found)
            yield book.fact(evidence, found)


def cited(scan: Scan, findings: Iterable[Finding] | None = None) -> Iterator[Evidence]:
    """All evidence of a scan: of findings, of steps of paths, of claims."""
    for finding in scan.findings if findings is None else findings:
        yield from finding.evidence
    for path in scan.paths:
        for step in path.steps:
            yield from step.evidence
    for claim in scan.research.claims:
        yield from claim.evidence
