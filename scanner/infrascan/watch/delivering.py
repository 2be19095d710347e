"""Bringing notifications to where they go: one courier for each place, none waits for another.

A notification leaves the memory only when it has arrived. What failed is tried again, later each
time, whole and in its order; a restart goes on with it.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta

import trio

from infrascan.watch.memory import Memory
from infrascan.watch.notifiers import DeliveryError, Notifier
from infrascan.watch.payload import digest

FIRST = 5.0  # seconds before the second attempt; doubled for each further one
SLOWEST = 900.0
PATIENCE = 60.0  # seconds that one attempt may take
SOON = 60.0  # seconds: what is due later is not waited for at the end
ASLEEP = 3600.0  # seconds after which a courier looks by itself


class Courier:
    """Delivers to one place, for as long as it runs."""

    def __init__(
        self,
        notifier: Notifier,
        memory: Memory,
        now: Callable[[], datetime],
        said: Callable[[str], None],
        chance: random.Random,
    ) -> None:
        self.notifier, self.memory, self.now = notifier, memory, now
        self.said, self.chance = said, chance
        self.wake = trio.Event()
        self.idle = trio.Event()  # set while nothing is due soon

    def call(self) -> None:
        """There may be something to deliver."""
        self.idle = trio.Event()
        self.wake.set()

    async def run(self) -> None:
        while True:
            self.wake = trio.Event()
            while await self.once():
                pass
            due = self.memory.due(self.notifier.key)
            seconds = max((due - self.now()).total_seconds(), 0.01) if due else ASLEEP
            if seconds > SOON:
                self.idle.set()
            with trio.move_on_after(min(seconds, ASLEEP)):
                await self.wake.wait()

    async def once(self) -> bool:
        """Deliver what is due; False when there is nothing, or when it failed."""
        key = self.notifier.key
        batch = self.memory.batch(key, self.now())
        if batch is None:
            return False
        problem, wait = "", None
        try:
            with trio.fail_after(PATIENCE):
                await self.notifier.deliver({**digest(batch.bodies), "id": batch.id})
        except DeliveryError as error:
            problem, wait = str(error), error.wait
        except trio.TooSlowError:
            problem = f"{self.notifier.shown}: no answer in {PATIENCE:.0f} s"
        if not problem:
            self.memory.delivered(key, batch)
            return True
        seconds = self.pause(batch.attempts, wait)
        self.memory.failed(key, batch, self.now() + timedelta(seconds=seconds))
        self.said(f"not delivered, tried again in {seconds:.0f} s: {problem}")
        return False

    def pause(self, attempts: int, wait: float | None) -> float:
        """Seconds until the next attempt, a little off, so that many do not come back at once."""
        longest = min(FIRST * 2.0 ** min(attempts, 20), SLOWEST)
        return max(longest * self.chance.uniform(0.8, 1.0), min(wait or 0.0, SLOWEST))
