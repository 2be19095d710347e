"""What a worker is told, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from infrascan.collect.engine import Read
from infrascan.collect.provider import Selection
from infrascan.model import Partition

LENGTH = 8  # bytes that say, ahead of each message, how long it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a worker is to read; plain data."""

    providers: tuple[str, ...]
    selection: Selection
    attempt_seconds: float
    seconds: float
    only: frozenset[str] | None
    live: bool
    resumed: Mapping[Partition, Read] = field(default_factory=dict)
