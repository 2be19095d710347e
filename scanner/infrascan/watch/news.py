"""The nouns of a watch: what stands, what turned, and what is told of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from infrascan.model import JSON, Category, Evidence, Finding, Severity
from infrascan.store.changes import finding as finding_said

FORMAT = "infrascan.watch/1"


class Turn(StrEnum):
    """What became of a subject since the run before. In the order in which they are told."""

    FAILED = "failed"  # the scan, or a provider, cannot be read: nothing is known of it
    NEW = "new"  # a finding that was not there, or a check that does not hold any more
    WORSE = "worse"
    UNKNOWN = "unknown"  # it stood, and now it cannot be told; this is no fix
    KNOWN = "known"  # it can be told again, and still stands
    BETTER = "better"  # it still stands, less severe
    RECOVERED = "recovered"  # the scan or provider can be read, the check holds
    FIXED = "fixed"
    LEFT = "left"  # it is not looked at any more; this is no fix


TURNS = tuple(Turn)
GOOD = frozenset({Turn.RECOVERED, Turn.FIXED, Turn.BETTER})


class Subject(StrEnum):
    SCAN = "scan"
    PROVIDER = "provider"
    CHECK = "check"
    FINDING = "finding"


class Stand(StrEnum):
    """How a subject stands. What is well has no entry, but for checks, which are known by one."""

    OPEN = "open"  # a finding that is there, a check that does not hold, a provider not read
    UNKNOWN = "unknown"
    WELL = "well"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one subject stands since when; `said` is what is needed to speak of it later."""

    subject: Subject
    key: str
    stand: Stand
    severity: Severity
    since: str
    said: Mapping[str, Any] = field(default_factory=dict)


Standings = dict[tuple[Subject, str], Standing]


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One subject that stands otherwise than at the run before."""

    turn: Turn
    subject: Subject
    key: str
    severity: Severity
    title: str
    detail: str  # half a sentence: what is behind it
    since: str  # since when it stood, or stands
    at: str
    about: Mapping[str, Any] = field(default_factory=dict)  # resource, name, provider, fix ...
    evidence: tuple[Mapping[str, JSON], ...] = ()
    degraded: Mapping[str, str] | None = None  # pod, namespace, reason, since

    @property
    def rank(self) -> tuple[int, int, str, str]:
        return self.severity.rank, TURNS.index(self.turn), self.subject.value, self.key

    def told(self) -> dict[str, Any]:
        """As the payload has it."""
        said: dict[str, Any] = {
            "turn": self.turn.value,
            "subject": self.subject.value,
            "id": self.key,
            "severity": self.severity.value,
            "title": self.title,
            "detail": self.detail,
            "since": self.since,
            "at": self.at,
            **self.about,
            "evidence": [dict(fact) for fact in self.evidence],
        }
        if self.degraded is not None:
            said["degraded"] = dict(self.degraded)
        return said


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A question to be asked at each run, and how bad it is when its answer is no."""

    question: str
    name: str
    severity: Severity = Severity.HIGH


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a check came to. `ok` is None where that cannot be told."""

    check: Check
    ok: bool | None
    answer: str
    data: Any = None
    evidence: Sequence[Mapping[str, JSON]] = ()
    gaps: Sequence[str] = ()
    usd: float | None = 0.0


# What is kept of a finding: enough to compare it later, and to say that it was fixed.
KEPT = (
    *("rule", "title", "kind", "resource", "resource_id", "name"),
    *("provider", "account", "region", "fix", "command"),
)


def kept(finding: Finding) -> dict[str, Any]:
    said = finding_said(finding)
    return {name: said[name] for name in KEPT} | {
        "category": said["category"],
        "severity": said["severity"],
        "evidence": said["evidence"],
    }


def finding_of(said: Mapping[str, Any]) -> Finding:
    """The finding that `kept` made this of, without what it saves."""
    return Finding(
        **{name: said[name] for name in KEPT},
        category=Category(said["category"]),
        severity=Severity(said["severity"]),
        evidence=tuple(
            Evidence(resource=fact["resource"], path=fact["path"], value=fact["value"])
            for fact in said["evidence"]
        ),
        why="",
    )
