"""Is what a model says true? Each claim is held against the table it was made from, in code.

Ids exist, facts hold when evaluated again, edges are there, what is joined is joined, severity is
between the rules' and one step worse, savings are within those of the findings, and "confirmed"
needs findings that show it. What does not pass is sent back once, then dropped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from infrascan.model import JSON, Evidence, Severity
from infrascan.model.research import Claim
from infrascan.reason.model import prose
from infrascan.reason.model.claims import PROBES, Cited, Said
from infrascan.reason.model.table import Table, canonical
from infrascan.reason.model.untrusted import cut

CENT = 0.005
MOST_SENTENCES = 2
NAME = 60  # characters of a name in a title
QUOTES = str.maketrans("“”", '""')


@dataclass(frozen=True, slots=True)
class Verdict:
    """A claim that may be published, or why it may not; and how many sentences were left out."""

    claim: Claim | None
    faults: tuple[str, ...] = ()
    silenced: int = 0


def judged(said: Said, table: Table) -> Verdict:
    """Hold one claim against its table."""
    faults = tuple(dict.fromkeys(faults_of(said, table)))
    if faults:
        return Verdict(None, faults)
    words = [*sources(said, table)]
    kept = [s for s in said.sentences[:MOST_SENTENCES] if prose.backed(s, words)]
    return Verdict(published(said, table, kept), silenced=len(said.sentences) - len(kept))


def faults_of(said: Said, table: Table) -> Iterator[str]:
    """What is wrong with a claim. Ids come first: nothing else can be asked of unknown ones."""
    unknown = [*unknown_ids(said, table)]
    if unknown:
        yield from unknown
        return
    yield from false_facts(said, table)
    yield from unjoined(said, table)
    yield from unsupported(said, table)
    yield from misjudged(said, table)
    yield from overpriced(said, table)
    cited = {fact.id for fact in said.facts}
    known = prose.numbers_in(number_sources(said, table))
    for sentence in said.sentences:
        if fault := prose.fault_of(sentence, cited, known):
            yield fault


def unknown_ids(said: Said, table: Table) -> Iterator[str]:
    if not said.resources or any(mark not in table.resources for mark in said.resources):
        yield "unknown resource"
    if not said.facts or any(fact.id not in table.facts for fact in said.facts):
        yield "unknown evidence"
    if any(mark not in table.edges for mark in said.path):
        yield "missing edge"
    if any(mark not in table.findings for mark in said.findings):
        yield "unknown finding"
    if said.next_resource is not None and said.next_resource not in table.resources:
        yield "unknown resource"


def false_facts(said: Said, table: Table) -> Iterator[str]:
    for fact in said.facts:
        line = table.facts[fact.id]
        if not holds(fact, line.shown):
            yield "false fact"
        if line.resource not in said.resources and not any(
            fact.id in table.of_finding(mark) for mark in said.findings
        ):
            yield "fact of another resource"


def holds(fact: Cited, value: JSON) -> bool:
    """Does what is said of a fact hold of its value, as the table shows it?"""
    told: Any = fact.value
    if fact.operator == "exists":
        return value is not None
    if fact.operator == "eq":
        return alike(value, told)
    if fact.operator == "ne":
        return not alike(value, told)
    if fact.operator == "contains":
        if isinstance(value, list):
            return any(alike(item, told) for item in value)
        return isinstance(value, str) and isinstance(told, str) and told != "" and told in value
    pair = comparable(value, told)
    if pair is None:
        return False
    left, right = pair
    compared: dict[str, bool] = {
        "lt": left < right,
        "le": left <= right,
        "gt": left > right,
        "ge": left >= right,
    }
    return compared[fact.operator]


def alike(value: JSON, told: Any) -> bool:
    """Equal, also where a model wrote a number, a flag or a list as a string."""
    if isinstance(value, bool) or isinstance(told, bool) or value is None or told is None:
        return value is told or (isinstance(told, str) and told == canonical(value))
    if isinstance(value, int | float) and isinstance(told, int | float):
        return float(value) == float(told)
    return value == told or (isinstance(told, str) and told == canonical(value))


def comparable(value: JSON, told: Any) -> tuple[Any, Any] | None:
    """Two numbers, or two times of one length; nothing else has an order here."""
    if isinstance(value, bool) or isinstance(told, bool):
        return None
    if isinstance(value, int | float):
        number = as_number(told)
        return None if number is None else (value, number)
    if isinstance(value, str) and isinstance(told, str) and value[:4].isdecimal():
        return (value, told) if len(value) == len(told) and told[:4].isdecimal() else None
    return None


def as_number(told: Any) -> float | None:
    try:
        return float(told)
    except (TypeError, ValueError):
        return None


def unjoined(said: Said, table: Table) -> Iterator[str]:
    """Several resources must hang together by edges of the path, or by facts of one finding."""
    groups = [{mark} for mark in said.resources]
    for mark in said.path:
        edge = table.edges[mark]
        ends = {table.by_key[edge.source], table.by_key[edge.target]}
        if not ends <= set(said.resources):
            yield "path leaves the claim"
        groups = merged(groups, ends)
    for mark in said.findings:
        finding = table.findings[mark]
        keys = {finding.resource, *(e.resource for e in finding.evidence)}
        groups = merged(groups, {table.by_key[key] for key in keys if key in table.by_key})
    if sum(1 for group in groups if group & set(said.resources)) > 1:
        yield "resources without an edge between them"


def merged(groups: list[set[str]], ends: set[str]) -> list[set[str]]:
    touched = [group for group in groups if group & ends]
    rest = [group for group in groups if not group & ends]
    return [*rest, set().union(ends, *touched)]


def unsupported(said: Said, table: Table) -> Iterator[str]:
    cited = {fact.id for fact in said.facts}
    for mark in said.findings:
        if table.by_key[table.findings[mark].resource] not in said.resources:
            yield "finding of another resource"
        if not cited & table.of_finding(mark):
            yield "finding without its facts"
    if said.confirmed:
        if not said.findings:
            yield "confirmed without a mechanism"
        elif len(set(said.findings)) < 2:
            yield "says what its finding says"
    elif said.next_check is None or said.next_resource is None:
        yield "hypothesis without a next check"
    if said.next_resource is not None and said.next_resource not in said.resources:
        yield "next check of another resource"


def misjudged(said: Said, table: Table) -> Iterator[str]:
    """Never below the worst rule; above it only for what joins findings, and by one step."""
    own = [table.findings[mark].severity for mark in said.findings]
    worst = min(own or [table.worst], key=lambda s: s.rank)
    told = Severity(said.severity).rank
    if own and told > worst.rank:
        yield "severity below the rule's"
    step = 1 if said.confirmed and len(set(said.findings)) > 1 else 0
    if told < max(0, worst.rank - step):
        yield "severity beyond the findings"


def overpriced(said: Said, table: Table) -> Iterator[str]:
    if said.saving_usd is None:
        return
    savings = [table.findings[mark].saving for mark in set(said.findings)]
    counted = [
        finding.saving.monthly
        for finding in (table.findings[mark] for mark in set(said.findings))
        if finding.saving and finding.saving_counted
    ]
    spends: dict[str, float] = {}
    for mark in set(said.findings):
        finding = table.findings[mark]
        if finding.cost:
            spends[finding.resource] = finding.cost.monthly
    if said.saving_usd < 0 or not any(savings):
        yield "saving without a price"
    elif said.saving_usd > sum(counted) + CENT or said.saving_usd > sum(spends.values()) + CENT:
        yield "saving above the spend"


def number_sources(said: Said, table: Table) -> Iterator[str]:
    """Where the numbers of a sentence may come from: the values of its facts, and its money."""
    for fact in said.facts:
        line = table.facts[fact.id]
        if not line.text:
            yield canonical(line.shown)
    if said.saving_usd is not None:
        yield f"{said.saving_usd:g}"


def sources(said: Said, table: Table) -> Iterator[str]:
    """Where the words of a sentence may come from."""
    for mark in said.findings:
        finding = table.findings[mark]
        yield finding.title
        yield finding.why
    for fact in said.facts:
        line = table.facts[fact.id]
        yield line.evidence.path
        if not line.text:
            yield canonical(line.shown)
    for mark in said.resources:
        yield table.resources[mark].kind
    for mark in said.path:
        yield table.edges[mark].name


def published(said: Said, table: Table, sentences: list[str]) -> Claim:
    """The claim as a report shows it: a title of ours, facts by their place."""
    order = [*dict.fromkeys(fact.id for fact in said.facts)]
    numbered = {mark: str(i) for i, mark in enumerate(order, 1)}
    findings = [table.findings[mark] for mark in dict.fromkeys(said.findings)]
    evidence = tuple(
        Evidence(resource=e.resource, path=e.path, value=e.value)
        for e in (table.facts[mark].evidence for mark in order)
    )
    check = ""
    if said.next_check and said.next_resource:
        check = PROBES[said.next_check].format(name(said.next_resource, table))
    return Claim(
        title=title(said, table),
        severity=Severity(said.severity),
        confirmed=said.confirmed,
        resources=tuple(table.resources[mark].key for mark in dict.fromkeys(said.resources)),
        evidence=evidence,
        findings=tuple(finding.id for finding in findings),
        says=" ".join(spelled(sentence, numbered, table) for sentence in sentences),
        next_check=check,
    )


def title(said: Said, table: Table) -> str:
    """What the claim is, from a template over what was verified."""
    titles = [*dict.fromkeys(table.findings[mark].title for mark in said.findings)]
    listed = "; ".join(cut(text, 90) for text in titles[:3])
    more = f"; and {len(titles) - 3} more" if len(titles) > 3 else ""
    first, last = said.resources[0], said.resources[-1]
    where = f"on {name(first, table)}"
    if first != last:
        where = f"from {name(first, table)} to {name(last, table)}"
    if not said.confirmed:
        about = f": {listed}{more}" if listed else ""
        return f"Perhaps connected, {where}{about}"
    count = len(set(said.findings))
    return f"{count} findings meet {where}: {listed}{more}"


def name(mark: str, table: Table) -> str:
    return f"{table.resources[mark].kind} {quoted(mark, table)}"


def quoted(mark: str, table: Table) -> str:
    """A name as data: in quotes that it cannot end."""
    resource = table.resources[mark]
    return f"“{cut(resource.name or resource.id, NAME).translate(QUOTES)}”"


def spelled(sentence: str, numbered: dict[str, str], table: Table) -> str:
    """A sentence with the ids of the table replaced by what a reader can follow."""
    cited = prose.CITED.sub(lambda m: f"[{numbered[m[1]]}]", sentence)

    def plain(match: Any) -> str:
        mark = match[1]
        return quoted(mark, table) if mark in table.resources else ""

    return " ".join(prose.IDS.sub(plain, cited).split())
