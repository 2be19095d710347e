"""Reading outside a scan: who we are, a few kinds now, a single call."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Protocol

import trio

from infrascan import __version__
from infrascan.collect import engine
from infrascan.collect.asking import Asker
from infrascan.collect.engine import Progress, Silent
from infrascan.collect.limits import Limits
from infrascan.collect.nursery import open_nursery
from infrascan.collect.provider import Ask, Provider
from infrascan.collect.recording import Replay
from infrascan.graph import link
from infrascan.model import (
    Connection,
    Coverage,
    Gap,
    Identity,
    InputError,
    Kind,
    Reason,
    Resource,
    Scan,
)
from infrascan.pipeline.request import (
    Request,
    all_kinds,
    now,
    provider_names,
    replayed,
    scope_of,
    selected,
    stamp,
)
from infrascan.pricing import price_all
from infrascan.providers import PROVIDERS, configured
from infrascan.providers import load as load_provider

CONNECT_SECONDS = 10.0
REMEMBERED = 24  # looks at recordings
RECORDED: OrderedDict[tuple[str, tuple[str, ...], int], Scan] = OrderedDict()
READING: dict[tuple[int, tuple[str, tuple[str, ...], int]], trio.Lock] = {}


async def look(request: Request, kinds: Collection[str], progress: Progress | None = None) -> Scan:
    """Read only these kinds, now, and link and price them: no rules, nothing stored.

    Kinds of providers that the request leaves out are not read. Raises `InputError` when the
    request cannot be carried out; what could not be read is in `gaps` and `coverage`. What it gives
    is not to be changed: a recording says the same each time, and is read once.
    """
    if request.replay is None:
        return await looked(request, kinds, progress)
    key = (repr(request), tuple(sorted(kinds)), written(request.replay))
    # Of many who ask at once one reads. Locks belong to a run of trio.
    async with READING.setdefault((id(trio.lowlevel.current_root_task()), key), trio.Lock()):
        found = RECORDED.get(key)
        if found is None:
            found = RECORDED[key] = await looked(request, kinds, progress)
            while len(RECORDED) > REMEMBERED:
                RECORDED.popitem(last=False)
    READING.pop((id(trio.lowlevel.current_root_task()), key), None)
    return found


def written(folder: Path) -> int:
    """When a recording was last written to; 0 where there is none."""
    try:
        return max(path.stat().st_mtime_ns for path in (folder, *folder.iterdir()))
    except OSError:
        return 0


async def looked(request: Request, kinds: Collection[str], progress: Progress | None) -> Scan:
    replay = Replay.open(request.replay) if request.replay else None
    selection = replayed(replay) if replay else selected(request, now())
    known = all_kinds()
    if unknown := sorted(set(kinds) - known.keys()):
        raise InputError(f"unknown kind {unknown[0]!r}")
    concerned = {known[kind].provider for kind in kinds}
    names = tuple(name for name in provider_names(request, replay) if name in concerned)
    began = stamp(now())
    collection = engine.Collection(
        providers=[load_provider(name)(selection) for name in names],
        progress=progress or Silent(),
        replay=replay,
        attempt_seconds=request.call_seconds,
        seconds=request.deadline_seconds,
        only=frozenset(kinds),
    )
    collected = await collection.run()

    joined = partial(put_together, collected, known, observed=stamp(selection.observed))
    found = await trio.to_thread.run_sync(joined, abandon_on_cancel=True)
    found.started, found.scope = began, scope_of(request, names, selection)
    found.interrupted = collected.interrupted
    return found


class Read(Protocol):
    """What a reading gave: of a collection, or over connections that stay open."""

    @property
    def resources(self) -> Sequence[Resource]: ...
    @property
    def gaps(self) -> Sequence[Gap]: ...
    @property
    def coverage(self) -> Sequence[Coverage]: ...
    @property
    def identities(self) -> Sequence[Identity]: ...


def put_together(read: Read, kinds: Mapping[str, Kind], *, observed: str) -> Scan:
    """What was read, linked and priced, as a scan without rules. No I/O."""
    edges = link(read.resources, kinds, read.gaps, read.coverage)
    total, unpriced = price_all(read.resources)
    moment = stamp(now())
    return Scan(
        id="",
        version=__version__,
        started=moment,
        finished=moment,
        observed=observed,
        scope={},
        identities=list(read.identities),
        resources=list(read.resources),
        edges=edges,
        findings=[],
        unknowns=[],
        gaps=list(read.gaps),
        coverage=list(read.coverage),
        rules=[],
        monthly_cost=total,
        unpriced=unpriced,
    )


@asynccontextmanager
async def live(request: Request, name: str) -> AsyncIterator[tuple[Provider, Ask]]:
    """One provider, connected, for single calls: paced, retried, redacted as in a scan.

    `ask` raises `ReadError` for a call that fails. Raises `InputError` when the provider has no
    credentials or cannot be reached.
    """
    replay = Replay.open(request.replay) if request.replay else None
    selection = replayed(replay) if replay else selected(request, now())
    provider = load_provider(name)(selection)
    ask = Asker(provider, Limits(), Silent(), replay=replay, attempt_seconds=request.call_seconds)
    try:
        found = list(await provider.connect(ask))
        if not any(identity.state is Connection.CONNECTED for identity in found):
            said = found[0].detail if found else "no credentials were found"
            remedy = f"; {found[0].remedy}" if found and found[0].remedy else ""
            raise InputError(f"{name} cannot be read: {said}{remedy}")
        yield provider, ask
    finally:
        provider.close()


async def identities(request: Request, seconds: float = CONNECT_SECONDS) -> list[Identity]:
    """As whom each provider would be read, or why it cannot be. Never raises for a provider.

    One that has not answered in so many seconds is an error; the others do not wait for it.
    """
    names = request.providers or tuple(dict.fromkeys((*PROVIDERS, *configured())))
    selection = selected(request, now())
    found: list[Identity] = []

    async def look(name: str) -> None:
        provider = load_provider(name)(selection)
        with trio.move_on_after(seconds) as scope:
            found.extend(await connected(provider))
        if scope.cancelled_caught:
            found.append(
                Identity(
                    provider=name,
                    state=Connection.ERROR,
                    reason=Reason.TIMED_OUT,
                    detail=f"timeout: no answer in {seconds:.0f} s",
                )
            )
        provider.close()

    async with open_nursery() as nursery:
        for name in names:
            nursery.start_soon(look, name)
    return sorted(found, key=lambda i: (i.provider, i.account, i.source))


async def connected(provider: Provider) -> Iterable[Identity]:
    asker = Asker(provider, Limits(), Silent(), patient=False)
    try:
        async with open_nursery():
            return await provider.connect(asker)
    except InputError as error:
        return [Identity(provider=provider.name, state=Connection.ERROR, detail=str(error))]
