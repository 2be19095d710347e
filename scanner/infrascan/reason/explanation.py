"""What an explanation is made of: hypotheses with their evidence, and what was left out."""

from __future__ import annotations

from dataclasses import dataclass

from infrascan.model import Evidence
from infrascan.reason.change import Change
from infrascan.reason.changes import Blind
from infrascan.reason.checking import Check, Rollback
from infrascan.reason.diagnosis import Diagnosis
from infrascan.reason.symptoms import Symptom
from infrascan.reason.upstream import Hop
from infrascan.reason.weighing import Weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """One way it may have come about."""

    rank: int
    change: Change
    also: tuple[Change, ...]  # the same change as other sources tell it
    weight: Weight
    explains: tuple[str, ...]  # what the symptoms say that began after it
    hops: tuple[Hop, ...]  # from what fails to what changed
    reasons: tuple[str, ...]  # for and against
    facts: tuple[Evidence, ...]  # behind the reasons
    check: Check
    rollback: Rollback | None

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        found = [fact for change in (self.change, *self.also) for fact in change.evidence]
        found += [fact for hop in self.hops for fact in hop.evidence]
        seen = {(fact.resource, fact.path): fact for fact in (*found, *self.facts)}
        return tuple(seen.values())

    @property
    def sha(self) -> str:
        """The commit that was shipped, where a source names it."""
        told = (c for c in (self.change, *self.also) if c.source.startswith("github."))
        return next((change.after for change in told if change.after), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What is known of why a resource is unwell."""

    resource: str
    name: str
    at: str
    since: str  # beginning of the window in which changes were looked for
    # "likely" and "competing": changes explain it; "diagnosed": its state does, and no change does
    status: str  # "likely" | "competing" | "diagnosed" | "inconclusive" | "well"
    verdict: str  # one sentence
    symptoms: tuple[Symptom, ...] = ()
    relayed: tuple[Symptom, ...] = ()  # of what it depends on, in the window
    diagnoses: tuple[Diagnosis, ...] = ()
    hypotheses: tuple[Hypothesis, ...] = ()
    weak: tuple[Change, ...] = ()  # in the cone and in time, and too unlike to explain anything
    unrelated: int = 0  # changes in the window outside the cone
    later: int = 0  # changes in the cone after the symptoms began
    elsewhere: int = 0  # deployments to another environment
    timeline: tuple[Change, ...] = ()  # changes and symptoms of the cone, in the window
    blind: tuple[Blind, ...] = ()
    needs: tuple[str, ...] = ()  # what would tell, where nothing does
