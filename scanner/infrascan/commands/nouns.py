"""What passes between the stages of a command: what it says, who wants it, what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from infrascan.model import InputError


class Effect(StrEnum):
    """What a command does to what it is aimed at. What the grammar does not know is a write."""

    READ = "read"
    WRITE = "write"
    DESTRUCTIVE = "destructive"  # deletes, stops or runs something that cannot be taken back


class Status(StrEnum):
    """Where a proposal is in its life."""

    PENDING = "pending_approval"
    DENIED = "denied"
    EXPIRED = "expired"
    RUNNING = "running"
    EXECUTED = "executed"  # it ran and said that it succeeded
    FAILED = "failed"  # it did not start, said that it failed, or ran out of time
    UNKNOWN = "outcome_unknown"  # it was started, and whoever ran it is gone


class RefusedError(InputError):
    """A command that is not accepted, with the reason; `rule` is the policy's that denies it."""

    def __init__(self, text: str, rule: str = "") -> None:
        super().__init__(text)
        self.rule = rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Requester:
    """Who wants a command. What the client says of itself is a claim, kept as such."""

    client: str = ""  # "claude-code/2.1.0"
    session: str = ""
    user: str = ""  # of the operating system
    address: str = ""  # "127.0.0.1", "" over stdio
    model: str = ""

    @property
    def name(self) -> str:
        """The client without its version."""
        return self.client.partition("/")[0]

    @property
    def identity(self) -> str:
        """Whom a proposal belongs to: not the session, which ends where a connection drops."""
        return "\0".join((self.name, self.user, self.address))


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """What the grammar makes of an argument vector.

    `refused` is the reason why it is not accepted at all, "" where it is. `effect` is set all the
    same, and is a write wherever the grammar does not know better.
    """

    vector: tuple[str, ...]
    tool: str
    verb: str = ""
    effect: Effect = Effect.WRITE
    target: Mapping[str, str] = field(default_factory=dict)  # context, namespace, profile, …
    flags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # long name -> values
    operands: tuple[str, ...] = ()
    files: tuple[str, ...] = ()  # local files it reads
    unknown: tuple[str, ...] = ()  # flags that the grammar does not have
    notes: tuple[str, ...] = ()
    refused: str = ""

    def flag(self, name: str) -> str:
        """The last value of a flag, "" where it is not there."""
        values = self.flags.get(name, ())
        return values[-1] if values else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What a command left behind, redacted."""

    exit_code: int | None  # None where it was killed before it ended
    stdout: str
    stderr: str
    truncated: bool
    original_bytes: int
    timed_out: bool
    duration_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A command that waits for an operator, or what became of it."""

    id: str
    status: Status
    vector: tuple[str, ...]
    tool: str
    verb: str
    effect: Effect
    target: Mapping[str, str]
    reason: str
    requester: Requester
    plan: Mapping[str, Any]
    hash: str
    cwd: str
    created: str
    expires: str
    decided: str = ""
    by: str = ""  # the operator
    note: str = ""  # why it was denied, or did not start
    output: Output | None = None
