"""Reading what a question is about: anew each time."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from infrascan.model import Scan
from infrascan.pipeline import Request, look, now, stamp


async def read(request: Request, kinds: Collection[str]) -> Scan:
    """These kinds, now, from every provider concerned at once; nothing for no kind.

    Providers are connected anew each time: they keep what one reading found, so two that go on at
    once may not share them. Raises `InputError` where the request cannot be carried out.
    """
    if not kinds:
        return empty()
    # What a look at a recording gives is shared; what is put right of it here is our own.
    return replace(await look(request, tuple(kinds)))


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
