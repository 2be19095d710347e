"""Reading what a question is about: anew each time, over connections that may stay open."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import trio

from infrascan.graph import link
from infrascan.lookups.connections import Connections
from infrascan.model import Scan
from infrascan.pipeline import Request, all_kinds, look, now, stamp
from infrascan.pricing import price_all


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
    resources, gaps, coverage = list(seen.resources), list(seen.gaps), list(seen.coverage)

    def put_together() -> Scan:
        edges = link(resources, all_kinds(), gaps, coverage)
        total, unpriced = price_all(resources)
        found = empty()
        found.started, found.finished, found.observed = began, stamp(now()), seen.observed
        found.resources, found.edges, found.gaps, found.coverage = resources, edges, gaps, coverage
        found.identities, found.monthly_cost, found.unpriced = (
            list(seen.identities),
            total,
            unpriced,
        )
        return found

    return await trio.to_thread.run_sync(put_together, abandon_on_cancel=True)


def empty() -> Scan:
    """A scan that read nothing."""
    moment = stamp(now())
    return Scan(
        id="",
        version="",
        started=moment,
        finished=moment,
        observed=moment,
        scope={},
        identities=[],
        resources=[],
        edges=[],
        findings=[],
        unknowns=[],
        gaps=[],
        coverage=[],
        rules=[],
    )
