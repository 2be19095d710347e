"""Adaptive limits: read as fast as an API allows, and never harm it.

Each quota (provider, account, region, API family) has a window of calls in flight that grows by
one per window of successes and halves when the API throttles: additive increase, multiplicative
decrease, as in TCP (Chiu and Jain, 1989). A window cannot go below one call; what is still too
fast then is slowed by a pause between calls that grows and shrinks the same way.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import trio

WINDOW = 10.0  # calls in flight to begin with: what the slowest AWS control planes bear
WIDEST = 64.0
LONGEST_PAUSE = 30.0  # seconds between calls, however often the API says no
SHORTEST_PAUSE = 0.05


@dataclass(eq=False)
class Limit:
    """The pace of one quota. `paced` is entered around each attempt of a call."""

    window: float = WINDOW
    pause: float = 0.0  # seconds between starts; 0 until a window of one was still too wide
    next_start: float = 0.0
    reduced_at: float = -1.0
    in_flight: int = 0
    throttles: int = 0
    failures: int = 0  # calls in a row that never got an answer
    waiting: trio.Condition = field(default_factory=trio.Condition)
    jitter: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311 - pacing, not secrecy

    @asynccontextmanager
    async def paced(self) -> AsyncIterator[None]:
        """Wait for a place in the window and for the pause, then hold the place."""
        async with self.waiting:
            while self.in_flight >= int(self.window):
                await self.waiting.wait()
            self.in_flight += 1
        try:
            now = trio.current_time()
            start = max(now, self.next_start)
            self.next_start = start + self.pause if self.pause else self.next_start
            if start > now:
                await trio.sleep(start - now)
            yield
        finally:
            self.in_flight -= 1
            with trio.CancelScope(shield=True):
                async with self.waiting:
                    self.waiting.notify_all()

    def succeeded(self) -> None:
        self.failures = 0
        if self.pause:
            self.pause *= 0.9
            if self.pause < SHORTEST_PAUSE:
                self.pause = 0.0
        else:
            self.window = min(WIDEST, self.window + 1 / self.window)

    def throttled(self, retry_after: float | None, attempt: int) -> float:
        """Slow down; returns the seconds this call should wait before it tries again."""
        now = trio.current_time()
        self.failures = 0
        self.throttles += 1
        wait = retry_after if retry_after is not None else backoff(attempt, self.jitter)
        if now >= self.reduced_at:  # a burst of refusals is one message, not many
            if self.window > 1:
                self.window = max(1.0, self.window / 2)
            else:
                self.pause = min(LONGEST_PAUSE, max(SHORTEST_PAUSE, self.pause * 2))
            self.reduced_at = now + min(1.0, max(wait, SHORTEST_PAUSE))
        if retry_after is not None:  # the API named a time: nobody of this quota starts before it
            self.next_start = max(self.next_start, now + retry_after)
        return wait


def backoff(attempt: int, jitter: random.Random) -> float:
    """Seconds before attempt number `attempt` + 1: 0.5 doubled each time, full jitter, 20 at most.

    Source: https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
    """
    return min(20.0, 0.5 * 2.0 ** (attempt - 1)) * (0.5 + jitter.random() / 2)


@dataclass(eq=False)
class Limits:
    """The limits of one scan, one per quota, made as they are met."""

    by_quota: dict[tuple[str, str, str, str], Limit] = field(default_factory=dict)

    def of(self, quota: tuple[str, str, str, str]) -> Limit:
        return self.by_quota.setdefault(quota, Limit())
