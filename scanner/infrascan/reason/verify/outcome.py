"""What came of verifying a report."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class State(StrEnum):
    VERIFIED = "verified"
    BROKEN = "broken"
    UNVERIFIABLE = "unverifiable"  # nothing is wrong with it, but its rule is not here to ask


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One thing that was checked: a finding, a path, a claim, a line, a section."""

    what: str  # "finding" | "path" | "claim" | "fact" | "resource" | "section"
    id: str
    name: str = ""
    state: State
    why: tuple[str, ...] = ()  # what differs, a sentence each

    def as_dict(self) -> dict[str, Any]:
        return {
            "what": self.what,
            "id": self.id,
            "name": self.name,
            "state": self.state.value,
            "why": list(self.why),
        }


@dataclass(slots=True)
class Verification:
    """All that was checked, in the order of the report."""

    scan: str = ""
    root: str = ""  # over the hashes of all sections, as they are now
    checked: list[Checked] = field(default_factory=list)

    def of(self, state: State, what: str = "") -> list[Checked]:
        return [c for c in self.checked if c.state is state and (not what or c.what == what)]

    @property
    def broken(self) -> list[Checked]:
        return self.of(State.BROKEN)

    @property
    def sound(self) -> bool:
        """Whether everything was verified: nothing is broken, nothing could not be judged."""
        return all(c.state is State.VERIFIED for c in self.checked)

    def counts(self) -> Iterator[tuple[str, dict[State, int]]]:
        """Each sort of thing, with how many of it are in each state."""
        for what in dict.fromkeys(c.what for c in self.checked):
            yield what, {state: len(self.of(state, what)) for state in State}

    def as_dict(self) -> dict[str, Any]:
        return {
            "scan": self.scan,
            "root": self.root,
            "verified": len(self.of(State.VERIFIED)),
            "broken": [c.as_dict() for c in self.broken],
            "unverifiable": [c.as_dict() for c in self.of(State.UNVERIFIABLE)],
            "counts": {
                what: {state.value: n for state, n in states.items()}
                for what, states in self.counts()
            },
        }
