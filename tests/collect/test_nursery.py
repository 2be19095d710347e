"""What comes out of a nursery is what went wrong in it."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from infrascan.collect.nursery import open_nursery
from infrascan.model import InputError


class StubbornError(Exception):
    """A defect that shows while its task is being cancelled."""


async def fails_when_cancelled() -> None:
    try:
        await trio.sleep_forever()
    except trio.Cancelled as cancelled:
        raise BaseExceptionGroup("both", [cancelled, StubbornError()]) from None


def run(work) -> None:
    trio.run(work, clock=trio.testing.MockClock(autojump_threshold=0))


def test_a_defect_does_not_hide_behind_a_cancellation():
    async def work() -> None:
        with trio.move_on_after(1):
            async with open_nursery() as nursery:
                nursery.start_soon(fails_when_cancelled)

    with pytest.raises(StubbornError):
        run(work)


def test_the_users_mistake_comes_before_a_defect():
    async def mistaken() -> None:
        raise InputError("unknown region")

    async def defective() -> None:
        raise StubbornError

    async def work() -> None:
        async with open_nursery() as nursery:
            nursery.start_soon(defective)
            nursery.start_soon(mistaken)

    with pytest.raises(InputError):
        run(work)
