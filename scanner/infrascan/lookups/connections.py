"""Connections that stay open from one question to the next.

A kubeconfig is read, and a session opened, once: again when the file that names it changes, when
the connection failed, or after a while. Every call is paced, retried, redacted and replayed as in a
scan.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import trio

from infrascan.collect import engine
from infrascan.collect.asking import Asker
from infrascan.collect.engine import Silent
from infrascan.collect.limits import Limits
from infrascan.collect.missing import MissingError
from infrascan.collect.nursery import open_nursery
from infrascan.collect.provider import Ask, Call, Emit, Provider, Selection
from infrascan.collect.recording import Replay
from infrascan.model import (
    Connection,
    Coverage,
    Gap,
    Identity,
    InputError,
    Kind,
    Partition,
    Reason,
    Resource,
)
from infrascan.pipeline.request import (
    Request,
    all_kinds,
    now,
    provider_names,
    replayed,
    selected,
    stamp,
)
from infrascan.providers import load

CONNECT_SECONDS = 8.0  # an endpoint that is silent for so long is not waited for
LASTS = 600.0  # seconds; sessions and discovery grow old
# Those that keep nothing of what a reading found, so that another may go on with them. Inventories
# of whole accounts are held while they are read, and given away: they are for one reading only.
REUSABLE = frozenset({"aws", "docker", "k8s"})
# Files whose change means that what was opened from them is out of date.
FILES: Mapping[str, tuple[str, ...]] = {
    "k8s": ("$KUBECONFIG", "~/.kube/config"),
    "aws": ("$AWS_CONFIG_FILE", "$AWS_SHARED_CREDENTIALS_FILE", "~/.aws/config", "~/.aws/credentials"),
    "docker": ("$DOCKER_CONFIG/config.json", "~/.docker/config.json"),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a look gave: resources, and what is missing from them."""

    resources: Sequence[Resource]
    gaps: Sequence[Gap]
    coverage: Sequence[Coverage]
    identities: Sequence[Identity]
    observed: str

    @property
    def whole(self) -> bool:
        return not self.gaps

    def regardless_of(self, *fields: str) -> Seen:
        """The same, without the gaps of details that the question does not need."""
        return replace(self, gaps=[gap for gap in self.gaps if gap.field not in fields])

    def of(self, kind: str) -> list[Resource]:
        return [resource for resource in self.resources if resource.kind == kind]


@dataclass(eq=False)
class Kept:
    """A provider that is connected; to the engine it looks like one that is about to connect."""

    provider: Any  # a Provider, whose selection may be brought up to date
    identities: Sequence[Identity]
    replay: Replay | None
    opened: float
    files: tuple[tuple[str, int], ...]
    whole: bool  # every identity is connected

    @property
    def name(self) -> str:
        return str(self.provider.name)

    @property
    def kinds(self) -> Mapping[str, Kind]:
        found: Mapping[str, Kind] = self.provider.kinds
        return found

    def permissions(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.provider.permissions()
        return found

    async def connect(self, ask: Ask) -> Sequence[Identity]:  # noqa: ARG002 (a Provider's method)
        return self.identities

    async def partitions(self, ask: Ask) -> Sequence[Partition]:
        found: Sequence[Partition] = await self.provider.partitions(ask)
        return found

    async def read(self, partition: Partition, ask: Ask, emit: Emit) -> None:
        await self.provider.read(partition, ask, emit)

    async def send(self, call: Call) -> Any:
        return await self.provider.send(call)

    def close(self) -> None:
        """Not after one question, where another can go on with it."""
        if self.name not in REUSABLE:
            self.provider.close()


@dataclass(eq=False)
class Connections:
    """The providers that are open, for one server or one command. Close it at the end."""

    request: Request = field(default_factory=Request)  # what its user may read at all
    open: dict[tuple[Any, ...], Kept] = field(default_factory=dict)
    locks: dict[tuple[Any, ...], trio.Lock] = field(default_factory=dict)
    recording: Replay | None = None
    kinds: dict[str, Kind] = field(default_factory=dict)
    recorded_looks: dict[tuple[Any, ...], bytes] = field(default_factory=dict)

    def narrowed(
        self,
        *,
        profiles: Sequence[str] = (),
        regions: Sequence[str] = (),
        contexts: Sequence[str] = (),
        docker: Sequence[str] = (),
    ) -> Request:
        """Our request, for these parts only where any are named."""
        own = self.request
        scopes = {**own.scopes, "docker": tuple(docker)} if docker else own.scopes
        return replace(
            own,
            profiles=tuple(profiles) or own.profiles,
            regions=tuple(regions) or own.regions,
            contexts=tuple(contexts) or own.contexts,
            scopes=scopes,
        )

    async def look(self, request: Request, kinds: Collection[str], seconds: float = 60.0) -> Seen:
        """Read these kinds now. Raises `InputError` for a part that does not exist."""
        replay = await self.replay()
        if replay is None:
            return await self.seen(request, kinds, seconds, None)
        # A recording says the same each time: what was looked at once is not read again. Whoever
        # asks gets resources of its own, which it may link and price.
        key = (repr(request), tuple(sorted(kinds)))
        async with self.locks.setdefault(key, trio.Lock()):
            if key not in self.recorded_looks:
                seen = await self.seen(request, kinds, seconds, replay)
                self.recorded_looks[key] = pickle.dumps(seen, protocol=pickle.HIGHEST_PROTOCOL)
        own: Seen = pickle.loads(self.recorded_looks[key])  # noqa: S301 (bytes of our own)
        return own

    async def seen(
        self, request: Request, kinds: Collection[str], seconds: float, replay: Replay | None
    ) -> Seen:
        names = await self.names(kinds)
        reading = [name for name in names if self.readable(name, request, replay)]
        providers: list[Provider] = [await self.kept(request, name) for name in reading]
        collection = engine.Collection(
            providers=providers,
            replay=replay,
            attempt_seconds=min(request.call_seconds, seconds),
            seconds=seconds,
            only=frozenset(kinds),
        )
        found = await collection.run()
        return Seen(
            resources=found.resources,
            gaps=found.gaps,
            coverage=found.coverage,
            identities=found.identities,
            observed=replay.manifest["selection"]["observed"] if replay else stamp(now()),
        )

    async def recorded(self) -> list[Identity]:
        """As whom the providers of our recording were read; none where we have no recording."""
        replay = await self.replay()
        names: Sequence[str] = replay.manifest["providers"] if replay else ()
        return [i for name in names for i in (await self.kept(self.request, name)).identities]

    async def names(self, kinds: Collection[str]) -> tuple[str, ...]:
        if not self.kinds:
            self.kinds = await trio.to_thread.run_sync(all_kinds)
        return tuple(sorted({self.kinds[kind].provider for kind in kinds}))

    def readable(self, name: str, request: Request, replay: Replay | None) -> bool:
        return name in provider_names(request, replay) if request.providers or replay else True

    async def replay(self) -> Replay | None:
        if self.request.replay and self.recording is None:
            self.recording = await trio.to_thread.run_sync(Replay.open, self.request.replay)
        return self.recording

    @asynccontextmanager
    async def asking(self, request: Request, name: str) -> AsyncIterator[tuple[Any, Ask]]:
        """One provider and how to ask it. Raises `InputError` when it cannot be read."""
        kept = await self.kept(request, name)
        if not any(i.state is Connection.CONNECTED for i in kept.identities):
            said = kept.identities[0].detail if kept.identities else "no credentials were found"
            remedy = kept.identities[0].remedy if kept.identities else ""
            raise InputError(f"{name} cannot be read: {said}{f'; {remedy}' if remedy else ''}")
        # Pace and patience begin anew: a server that was silent may be there again.
        yield kept.provider, Asker(kept.provider, Limits(), Silent(), replay=kept.replay)

    async def kept(self, request: Request, name: str) -> Kept:
        """The provider, connected: as it was, or anew."""
        key = (name, request.profiles, request.regions, request.contexts, repr(request.scopes))
        async with self.locks.setdefault(key, trio.Lock()):
            known = self.open.get(key)
            if known and self.fresh(known):
                # Windows of metrics end now, not when the connection was made.
                if known.replay is None:
                    known.provider.selection = replace(known.provider.selection, observed=now())
                return known
            made = await self.made(request, name)
            if name in REUSABLE:
                self.open[key] = made
            return made

    def fresh(self, kept: Kept) -> bool:
        young = trio.current_time() - kept.opened < LASTS
        return kept.whole and young and kept.files == stamps(kept.name)

    async def made(self, request: Request, name: str) -> Kept:
        replay = await self.replay()
        selection: Selection = replayed(replay) if replay else selected(request, now())
        if replay and request.contexts:
            selection = replace(selection, contexts=request.contexts)
        provider: Any = load(name)(selection)
        files = stamps(name)  # ahead of reading them
        ask = Asker(
            provider,
            Limits(),
            Silent(),
            replay=replay,
            attempt_seconds=CONNECT_SECONDS,
            patient=False,
        )
        try:
            async with open_nursery():  # which raises what went wrong, not a group around it
                identities = await provider.connect(ask)
        except MissingError as error:
            identities = [
                Identity(
                    provider=name,
                    state=Connection.ERROR,
                    detail=str(error.args[0]),
                    remedy=error.remedy,
                    reason=Reason.DISABLED,
                )
            ]
        whole = all(i.state is Connection.CONNECTED for i in identities)
        return Kept(provider, identities, replay, trio.current_time(), files, whole)

    def close(self) -> None:
        for kept in self.open.values():
            kept.provider.close()
        self.open.clear()


def stamps(name: str) -> tuple[tuple[str, int], ...]:
    """When each of the files that name a provider's credentials was last written."""
    found = []
    for pattern in FILES.get(name, ()):
        spelled = os.path.expandvars(pattern)
        for part in spelled.split(os.pathsep) if "$" not in spelled else ():
            path = Path(part).expanduser()
            try:
                found.append((str(path), path.stat().st_mtime_ns))
            except OSError:
                found.append((str(path), 0))
    return tuple(found)
