"""A budget holds whatever is asked of it at once."""

from __future__ import annotations

import math

import pytest
import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from infrascan.reason.model.budget import Budget, BudgetError
from infrascan.reason.model.names import card

KNOWN = card("openai/gpt-5.4", {})
CALL = st.tuples(
    st.integers(0, 5_000),  # tokens in, at most
    st.integers(0, 5_000),  # tokens out, at most
    st.floats(0, 1),  # the share of it that is taken
    st.floats(0, 3),  # seconds
    st.sampled_from(["settled", "broken off"]),
)


@given(st.lists(CALL, max_size=20), st.integers(0, 30_000), st.floats(0, 0.3))
@settings(max_examples=80, deadline=None)
def test_spent_and_held_never_pass_a_limit(
    calls: list[tuple[int, int, float, float, str]], tokens: int, usd: float
):
    budget = Budget(max_usd=usd, max_tokens=tokens)
    ended: list[str] = []

    async def call(taken: int, given_: int, share: float, seconds: float, end: str) -> None:
        try:
            async with budget.reserved("x", KNOWN, taken, given_) as hold:
                assert budget.tokens + sum(h.tokens for h in budget.holds) <= tokens
                assert budget.usd + sum(h.usd for h in budget.holds) <= usd + 1e-9
                await trio.sleep(seconds)
                if end == "settled":
                    budget.settle(hold, int(taken * share), int(given_ * share))
            ended.append("made")
        except BudgetError:
            ended.append("refused")

    async def go() -> None:
        async with trio.open_nursery() as nursery:
            for each in calls:
                nursery.start_soon(call, *each)

    trio.run(go, clock=trio.testing.MockClock(autojump_threshold=0))

    assert len(ended) == len(calls)  # nobody waits for ever
    assert budget.tokens <= tokens
    assert budget.usd <= usd + 1e-9
    assert not budget.holds
    if calls and ended.count("made"):
        (line,) = budget.usage()
        assert line.calls == ended.count("made")
        assert math.isclose(line.usd or 0.0, budget.usd, abs_tol=1e-9)


def test_a_model_without_a_price_counts_tokens_and_no_dollars():
    unknown = card("openai/gpt-99", {})
    budget = Budget(max_usd=0.01, max_tokens=1_000)

    async def go() -> None:
        async with budget.reserved("x", unknown, 400, 400) as hold:
            budget.settle(hold, 400, 300)
        with pytest.raises(BudgetError, match="1000 tokens"):
            async with budget.reserved("x", unknown, 400, 400):
                pass

    trio.run(go)
    (line,) = budget.usage()
    assert line.usd is None
    assert budget.tokens == 700


def test_after_the_deadline_no_call_is_begun_and_near_it_nothing_new():
    budget = Budget(seconds=10)

    async def go() -> None:
        assert not budget.nearly_spent
        await trio.sleep(8.5)
        assert budget.nearly_spent
        async with budget.reserved("x", KNOWN, 1, 1) as hold:
            budget.settle(hold, 1, 1)
        await trio.sleep(2)
        with pytest.raises(BudgetError, match="deadline"):
            async with budget.reserved("x", KNOWN, 1, 1):
                pass

    trio.run(go, clock=trio.testing.MockClock(autojump_threshold=0))
