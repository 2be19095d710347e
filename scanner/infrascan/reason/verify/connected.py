"""Do paths, claims and issues follow: does each edge exist, each fact hold, each part exist?"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from infrascan.model import INTERNET, SEVERITIES
from infrascan.model.research import digits
from infrascan.proof import canonical, chain, stands
from infrascan.reason.model.prose import NUMBER, numbers_in
from infrascan.reason.verify.lines import Document, Row, strings
from infrascan.reason.verify.material import Material
from infrascan.reason.verify.money import CENT, amount

CITATION = re.compile(r"\[(\d{1,4})\]")
NAMED = re.compile(r"[\w.]+ “[^”]*”")  # a resource by kind and name, which may hold any number
# What tables call relations: the id of a permission has a hyphen, which those never have.
RELATIONS = re.compile(r"[a-z0-9_]+(?:\.[a-z0-9_]+)*")


def path_faults(row: Row, proof: Material, findings: Collection[str]) -> Iterator[str]:
    """What is wrong with a path, a sentence each."""
    stated = row.value.get("steps")
    steps = [step for step in stated if isinstance(step, dict)] if isinstance(stated, list) else []
    words = [str(step.get(name)) for step in steps for name in ("source", "relation", "target")]
    if not steps or digits(*words) != row.value.get("id"):
        yield "its id is not that of its steps"
    before = ""
    for place, step in enumerate(steps, 1):
        source = str(step.get("source"))
        if (before and source != before) or (not before and source != INTERNET):
            yield f"step {place} does not begin where the one before it ends"
        before = str(step.get("target"))
        yield from (f"step {place}: {said}" for said in step_faults(step, proof))
    yield from absent(row, findings)


def step_faults(step: Mapping[str, Any], proof: Material) -> Iterator[str]:
    """An edge holds when its facts stand in the bundle and its relations lead where it says.

    A step along no relation (the first one, and one by a permission) stands on its facts alone.
    """
    yield from fact_faults(step, proof)
    source, target = str(step.get("source")), str(step.get("target"))
    for key in (source, target):
        if key != INTERNET and key not in proof.resources:
            yield f"the bundle has no sound line of {key}"
            return
    relation = str(step.get("relation"))
    if source == INTERNET or not RELATIONS.fullmatch(relation):
        if not strings(step, "evidence"):
            yield f"nothing shows that it leads from {source} to {target}"
        return
    ends = proof.resources[source], proof.resources[target]
    if not chain(ends[0], relation.split("."), ends[1]):
        yield f"in the bundle {relation} does not lead from {source} to {target}"


def fact_faults(item: Mapping[str, Any], proof: Material) -> Iterator[str]:
    for cited in strings(item, "evidence"):
        fact = proof.facts.get(cited)
        if fact is None:
            yield f"it cites {cited}, which no sound line of the ledger has"
            continue
        resource = proof.resources.get(fact.resource)
        if resource is None:
            yield f"the bundle has no sound line of {fact.resource}"
        elif not stands(fact, resource):
            yield f"the bundle has another value at {fact.path}"


def absent(row: Row, findings: Collection[str]) -> Iterator[str]:
    for cited in strings(row.value, "findings"):
        if cited not in findings:
            yield f"the finding {cited} is not among those that hold"


def claim_faults(
    row: Row, proof: Material, findings: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    """What is wrong with what a model said, as code can see it."""
    resources = strings(row.value, "resources")
    if digits(str(row.value.get("title")), *resources) != row.value.get("id"):
        yield "its id is not that of its title and resources"
    yield from fact_faults(row.value, proof)
    yield from absent(row, findings)
    named = [findings[one] for one in strings(row.value, "findings") if one in findings]
    if not row.value.get("evidence") and not named:
        yield "it cites nothing"
    if row.value.get("confirmed") and not named:
        yield "it is called confirmed and no finding shows it"
    yield from misjudged(row.value, named)
    yield from unbacked(row.value, named, proof)


def misjudged(claim: Mapping[str, Any], findings: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A model may find what it joins one step worse than the rules do, never milder."""
    ranks = {severity.value: severity.rank for severity in SEVERITIES}
    known = [ranks[name] for f in findings if (name := str(f.get("severity"))) in ranks]
    said = ranks.get(str(claim.get("severity")))
    if said is None or (known and not min(known) - 1 <= said <= min(known)):
        yield f"its severity is {claim.get('severity')!r:.20}, and that of its findings is another"


def unbacked(
    claim: Mapping[str, Any], findings: Sequence[Mapping[str, Any]], proof: Material
) -> Iterator[str]:
    """Numbers in its own sentence that stand in none of its facts, nor in its findings' savings."""
    cited = strings(claim, "evidence")
    facts = [proof.facts[one] for one in cited if one in proof.facts]
    known = numbers_in(canonical(fact.value) for fact in facts)
    saved = sum(amount(finding.get("saving")) or 0.0 for finding in findings)
    sentence = str(claim.get("says"))
    for place in CITATION.findall(sentence):
        if not 1 <= int(place) <= len(cited):
            yield f"it cites [{place}] of {len(cited)} facts"
    spoken = NAMED.sub(" ", CITATION.sub(" ", sentence))
    for number in NUMBER.findall(spoken):
        plain = number.replace(",", "").rstrip(".")
        if plain not in known and not (plain.count(".") < 2 and float(plain) <= saved + CENT):
            yield f"the number {number} stands in none of its facts"


def issue_faults(
    report: Document, findings: Collection[str], paths: Collection[str]
) -> Iterator[tuple[str, str]]:
    """Pairs of a section and what is wrong with the parts that it names."""
    for row in report.row_values("issues"):
        gone = [
            *(one for one in strings(row, "findings") if one not in findings),
            *(one for one in strings(row, "paths") if one not in paths),
        ]
        if gone:
            yield "issues", f"{row.get('id')} names {gone[0]}, which does not hold"
    for row in report.row_values("cuts"):
        if gone := [one for one in strings(row, "paths") if one not in paths]:
            yield "cuts", f"one names the path {gone[0]}, which does not hold"
