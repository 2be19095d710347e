"""Reading what a question is about: anew each time, over connections that may stay open."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from functools import partial

import trio

from infrascan.collect.engine import Collected
from infrascan.lookups.connections import Connections
from infrascan.model import Scan
from infrascan.pipeline import Request, all_kinds, look, now, put_together, stamp


async def read(request: Request, kinds: Collection[str], connections: Connections | None) -> Scan:
    """These kinds, now, from every provider concerned at once; nothing for no kind.

    Over `connections` nobody signs in again; what is read is as new. Raises `InputError` where
    the request cannot be carried out.
    """
    if not kinds:
        return empty()
    if connections is None or request.replay:
        # What a look at a recording gives is shared; what is put right of it is our own.
        return replace(await look(request, tuple(kinds)))
    began = stamp(now())
    seconds = min(request.deadline_seconds, 600.0)
    seen = await connections.look(request, tuple(kinds), seconds)
    joined = partial(put_together, seen, all_kinds(), observed=seen.observed)
    found = await trio.to_thread.run_sync(joined, abandon_on_cancel=True)
    found.started = began
    return found


def empty() -> Scan:
    """A scan that read nothing."""
    return put_together(Collected(), {}, observed=stamp(now()))
