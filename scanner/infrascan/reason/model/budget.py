"""What a model may cost. Each call is reserved at its most before it is made, and settled after.

Nothing here knows a vendor; all calls of one run share one budget, however many run at once.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import trio

from infrascan.model.research import Usage
from infrascan.reason.model.names import Card

NEARLY = 0.8  # of a budget: past this share nothing new is begun


class BudgetError(Exception):
    """A call would not fit; the text says which limit it meets."""


@dataclass(eq=False)
class Hold:
    """The most that one call may take, until it is known what it took."""

    step: str
    card: Card
    input_tokens: int
    output_tokens: int
    settled: bool = False

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens

    @property
    def usd(self) -> float:
        return self.card.usd(self.input_tokens, self.output_tokens) or 0.0


@dataclass(eq=False)
class Budget:
    """Limits in dollars, tokens and seconds, and what has been used of them.

    A model without a known price counts tokens only, so a limit in dollars cannot hold it: give
    one in tokens too.
    """

    max_usd: float = math.inf
    max_tokens: float = math.inf
    seconds: float = math.inf
    usd: float = 0.0
    tokens: int = 0
    begun: float | None = None
    holds: set[Hold] = field(default_factory=set)
    lines: dict[tuple[str, str], Usage] = field(default_factory=dict)
    changed: trio.Event = field(default_factory=trio.Event)

    def left(self) -> float:
        """Seconds until the deadline; the clock starts with the first question of it."""
        now = trio.current_time()
        if self.begun is None:
            self.begun = now
        return self.begun + self.seconds - now

    @property
    def nearly_spent(self) -> bool:
        """Is so much used that nothing new should be begun?"""
        return (
            self.usd >= NEARLY * self.max_usd
            or self.tokens >= NEARLY * self.max_tokens
            or self.left() <= (1 - NEARLY) * self.seconds
        )

    @asynccontextmanager
    async def reserved(
        self, step: str, card: Card, input_tokens: int, output_tokens: int
    ) -> AsyncIterator[Hold]:
        """Hold room for a call; what is not settled by the end is taken as used up.

        Waits while other calls hold room that they may give back. Raises `BudgetError`.
        """
        hold = Hold(step, card, input_tokens, output_tokens)
        while fault := self.exceeded(hold):
            if not self.holds or self.exceeded(hold, alone=True):
                raise BudgetError(fault)
            await self.changed.wait()
        self.holds.add(hold)
        try:
            yield hold
        finally:
            if not hold.settled:  # a call that broke off may still be on the bill
                self.settle(hold, hold.input_tokens, hold.output_tokens)

    def exceeded(self, hold: Hold, *, alone: bool = False) -> str:
        """Which limit a call meets: beside those that run, or alone once they used nothing."""
        if self.left() <= 0:
            return f"the deadline of {self.seconds:g} s has passed"
        held = () if alone else self.holds
        usd = self.usd + sum(other.usd for other in held) + hold.usd
        if usd > self.max_usd:
            return f"the next call may take it past ${self.max_usd:g} (${self.usd:.4f} is spent)"
        tokens = self.tokens + sum(other.tokens for other in held) + hold.tokens
        if tokens > self.max_tokens:
            return (
                f"the next call may take it past {self.max_tokens:g} tokens "
                f"({self.tokens} are used)"
            )
        return ""

    def settle(self, hold: Hold, input_tokens: int, output_tokens: int, calls: int = 1) -> None:
        """Put what a call took in the place of what it held."""
        hold.settled = True
        self.holds.discard(hold)
        cost = hold.card.usd(input_tokens, output_tokens)
        self.usd += cost or 0.0
        self.tokens += input_tokens + output_tokens
        self.note(hold.step, hold.card, calls, input_tokens, output_tokens)
        self.wake()

    def cached(self, step: str, card: Card) -> None:
        """Count a call that was not made, since nothing had changed."""
        self.note(step, card, 0, 0, 0, cached=1)

    def note(
        self, step: str, card: Card, calls: int, taken: int, given: int, cached: int = 0
    ) -> None:
        name = card.full_name
        line = self.lines.get((step, name)) or Usage(
            step=step, model=name, calls=0, input_tokens=0, output_tokens=0
        )
        input_tokens, output_tokens = line.input_tokens + taken, line.output_tokens + given
        self.lines[step, name] = Usage(
            step=step,
            model=name,
            calls=line.calls + calls,
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            usd=card.usd(input_tokens, output_tokens),
            cached=line.cached + cached,
        )

    def usage(self) -> tuple[Usage, ...]:
        return tuple(self.lines.values())

    def wake(self) -> None:
        self.changed.set()
        self.changed = trio.Event()
