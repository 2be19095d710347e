"""Adaptive limits: read as fast as an API allows, and never harm it.

Each quota (provider, account, region, API family) has a window of calls in flight and, once the
API has throttled, a rate. Both follow additive increase and multiplicative decrease (Chiu and
Jain, 1989): a refusal halves the window and sets the rate to a share of what was being served;
answers widen the window, and time raises the rate.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import trio

WINDOW = 10.0  # calls in flight to begin with: what the slowest AWS control planes bear
WIDEST = 64.0
DECREASE = 0.8  # of the rate that was served, after a refusal
INCREASE = 0.02  # of the rate, per second without a refusal
STEP = 0.1  # calls a second, per second: the least increase, or a slow start would stay slow
FIRST = 1.0  # calls a second, after a refusal before any answer
SLOWEST = 0.2  # calls a second, however often the API says no
FASTEST = 500.0  # a rate above this is no limit; it is dropped
LONGEST_WAIT = 120.0  # seconds; an API that asks for more is not called again
MEASURED = 2.0  # seconds over which the served rate is measured


@dataclass(eq=False)
class Limit:
    """The pace of one quota. `paced` is entered around each attempt of a call."""

    window: float = WINDOW
    rate: float = 0.0  # calls started a second; 0 while nothing was ever refused
    next_start: float = 0.0
    shut_until: float = 0.0  # the API asked not to be called before
    shut_for: float = 0.0  # seconds, as it asked: longer than we wait
    reduced_at: float = -1.0
    raised_at: float = 0.0
    in_flight: int = 0
    refused: int = 0
    silent: int = 0  # attempts in a row that got no answer at all
    served: deque[float] = field(default_factory=deque)  # times of the latest answers
    place: trio.Condition = field(default_factory=trio.Condition)
    jitter: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311 - pacing, not secrecy

    @asynccontextmanager
    async def paced(self) -> AsyncIterator[None]:
        """Wait for a place in the window and for a turn at the rate, then hold the place."""
        async with self.place:
            while self.in_flight >= int(self.window):
                await self.place.wait()
            self.in_flight += 1
        try:
            await self.turn()
            yield
        finally:
            self.in_flight -= 1
            with trio.CancelScope(shield=True):
                async with self.place:
                    self.place.notify_all()

    async def turn(self) -> None:
        if self.shut:  # nothing will be sent, so nobody need wait for a turn
            return
        now = trio.current_time()
        start = max(now, self.next_start)
        self.next_start = start + (1 / self.rate if self.rate else 0.0)
        if start > now:
            await trio.sleep(start - now)

    @property
    def shut(self) -> bool:
        """Whether the API asked not to be called for longer than we wait."""
        return self.shut_until > trio.current_time()

    def succeeded(self) -> None:
        """An answer came: widen the window, raise the rate by the time that passed."""
        now = trio.current_time()
        self.silent = 0
        self.served.append(now)
        while self.served[0] < now - MEASURED:
            self.served.popleft()
        self.window = min(WIDEST, self.window + 1 / self.window)
        if self.rate:
            self.rate += max(STEP, INCREASE * self.rate) * (now - self.raised_at)
            self.raised_at = now
            if self.rate > FASTEST:
                self.rate = 0.0

    def throttled(self, retry_after: float | None, attempt: int) -> float:
        """The API refused: slow down. Returns the seconds this call should wait."""
        now = trio.current_time()
        self.silent = 0
        self.refused += 1
        if now >= self.reduced_at:  # a burst of refusals is one message, not many
            while self.served and self.served[0] < now - MEASURED:
                self.served.popleft()
            if self.served:
                served = len(self.served) / max(0.25, now - self.served[0])
            else:
                served = self.rate / 2 or FIRST
            self.rate = max(SLOWEST, DECREASE * min(self.rate or served, served))
            self.window = max(1.0, self.window / 2)
            self.raised_at = now
            self.reduced_at = now + max(0.5, 2 / self.rate)
        wait = retry_after if retry_after is not None else backoff(attempt, self.jitter)
        if wait > LONGEST_WAIT:
            self.shut_until, self.shut_for = now + wait, wait
        elif retry_after is not None:  # the API named a time: nobody starts before it
            self.next_start = max(self.next_start, now + retry_after)
        else:
            self.next_start = max(self.next_start, now + 1 / self.rate)
        return wait


def backoff(attempt: int, jitter: random.Random) -> float:
    """Seconds before attempt number `attempt` + 1: 0.5 doubled each time, jittered, 20 at most.

    Source: https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
    """
    return min(20.0, 0.5 * 2.0 ** (attempt - 1)) * (0.5 + jitter.random() / 2)


@dataclass(eq=False)
class Limits:
    """The limits of one scan, one per quota, made as they are met."""

    by_quota: dict[tuple[str, str, str, str], Limit] = field(default_factory=dict)

    def of(self, quota: tuple[str, str, str, str]) -> Limit:
        if quota not in self.by_quota:
            self.by_quota[quota] = Limit()
        return self.by_quota[quota]
