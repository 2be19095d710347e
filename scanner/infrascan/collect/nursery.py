"""A nursery that raises what went wrong inside it, not a group around it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from infrascan.model import InputError, ReadError


@asynccontextmanager
async def open_nursery() -> AsyncIterator[trio.Nursery]:
    """Like `trio.open_nursery`, for callers that handle one kind of error by name."""
    try:
        async with trio.open_nursery() as nursery:
            yield nursery
    except BaseExceptionGroup as group:
        raise innermost(group) from group


def innermost(error: BaseException) -> BaseException:
    """The first cause inside nested exception groups, the user's own mistakes ahead of others."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    leaves = [innermost(inner) for inner in error.exceptions]
    for kind in (InputError, KeyboardInterrupt):
        for leaf in leaves:
            if isinstance(leaf, kind):
                return leaf
    # A defect must not hide behind the cancellations that it caused.
    unexpected = [leaf for leaf in leaves if not isinstance(leaf, ReadError | trio.Cancelled)]
    return (unexpected or leaves)[0]
