"""The limiter against an API that hides a token bucket: near the best pace, few refusals."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from infrascan.collect.engine import Collection
from infrascan.collect.provider import Call
from infrascan.model import ReadError, Reason
from tests.collect.platforms import Platform


class Bucket:
    """An API with `rate` calls a second and `burst` saved up, 50 ms an answer."""

    def __init__(self, rate: float, burst: float) -> None:
        self.rate, self.burst, self.tokens, self.at = rate, burst, burst, 0.0
        self.refused = self.served = 0

    async def __call__(self, call: Call):
        now = trio.current_time()
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate)
        self.at = now
        if self.tokens < 1:
            self.refused += 1
            await trio.sleep(0.05)
            raise ReadError(Reason.THROTTLED, "Rate exceeded", code="Throttling")
        self.tokens -= 1
        await trio.sleep(0.05)
        self.served += 1
        return {"items": []}


@pytest.mark.parametrize(("rate", "burst"), [(2, 5), (10, 10), (40, 40), (200, 200)])
def test_no_partition_is_lost_whatever_the_api_bears(rate: float, burst: float):
    bucket = Bucket(rate, burst)
    calls = 600
    platform = Platform(bucket, kind_names=[f"one.k{i}" for i in range(calls)])
    clock = trio.testing.MockClock(autojump_threshold=0)

    async def main():
        began = trio.current_time()
        bucket.at = began
        result = await Collection(providers=[platform]).run()
        return result, trio.current_time() - began

    result, seconds = trio.run(main, clock=clock)

    assert [] == result.gaps
    assert calls == bucket.served
    best = max((calls - burst) / rate, calls * 0.05 / 64)
    assert seconds < best * 1.6 + 3
    assert bucket.refused < calls * 0.3


def test_an_api_that_shuts_us_out_for_an_hour_is_not_waited_for():
    """What was not asked is said."""
    clock = trio.testing.MockClock(autojump_threshold=0)
    asked = []

    async def answer(call: Call):
        asked.append(call.api)
        third = len(asked) == 3
        await trio.sleep(0.05)
        if third:
            raise ReadError(Reason.THROTTLED, "Rate exceeded", code="429", retry_after=3600)
        return {"items": []}

    platform = Platform(answer, kind_names=[f"one.k{i}" for i in range(100)])

    async def main():
        result = await Collection(providers=[platform]).run()
        return result, trio.current_time()

    began = clock.current_time()
    result, ended = trio.run(main, clock=clock)

    assert ended - began < 60
    assert {gap.reason for gap in result.gaps} == {Reason.THROTTLED}
    assert len({gap.detail for gap in result.gaps}) == 2  # the refusal, and what it shut
    assert len(asked) + len(result.gaps) - 1 == 100
