"""The fan-out: every provider, account, region and kind at once; each failure becomes a gap.

One slow or broken partition never delays or hurts another. What was read before a stop, a
deadline or a defect is kept, and what was not is said.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import trio

from infrascan import redact
from infrascan.collect.asking import Asker, Watcher
from infrascan.collect.limits import Limits
from infrascan.collect.missing import MissingError
from infrascan.collect.nursery import innermost, open_nursery
from infrascan.collect.provider import Call, Provider
from infrascan.collect.recording import Recorder, Replay
from infrascan.model import (
    Connection,
    Coverage,
    Gap,
    Identity,
    InputError,
    Kind,
    Partition,
    ReadError,
    Reason,
    Resource,
    State,
)

log = logging.getLogger(__name__)
PACKED_FROM = 5_000  # resources; from there on memory counts for more than the time to pack
ODD = frozenset({Reason.MALFORMED, Reason.TRUNCATED, Reason.BUG})


class Progress(Watcher, Protocol):
    """Told what happens while a scan reads; every method must return at once."""

    def planned(self, provider: str, partitions: int) -> None: ...
    def finished(self, coverage: Coverage) -> None: ...
    def said(self, text: str) -> None: ...


class Silent:
    """A `Progress` that shows nothing."""

    def planned(self, provider: str, partitions: int) -> None: ...
    def finished(self, coverage: Coverage) -> None: ...
    def said(self, text: str) -> None: ...
    def called(self, call: Call, seconds: float, error: ReadError | None) -> None: ...


@dataclass(slots=True, kw_only=True)
class Read:
    """What one partition gave."""

    resources: list[Resource] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    coverage: Coverage


class Sink(Protocol):
    """Keeps each partition as it finishes, so that a killed scan can be resumed."""

    def append(self, partition: Partition, read: Read) -> None: ...


@dataclass(eq=False, kw_only=True)
class Collected:
    """All that was read, in an order that does not depend on timing."""

    identities: list[Identity] = field(default_factory=list)
    resources: list[Resource] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    coverage: list[Coverage] = field(default_factory=list)
    calls: int = 0
    interrupted: bool = False


class Elsewhere(Protocol):
    """Reads some providers in another process and puts what comes into the collection."""

    async def run(self, collection: Collection) -> None: ...


@dataclass(eq=False, kw_only=True)
class Collection:
    """One run of the fan-out. `stop` ends it early and keeps what was read."""

    providers: Sequence[Provider]
    elsewhere: Sequence[Elsewhere] = ()
    progress: Progress = field(default_factory=Silent)
    recorder: Recorder | None = None
    replay: Replay | None = None
    sink: Sink | None = None
    resumed: Mapping[Partition, Read] = field(default_factory=dict)
    attempt_seconds: float = 30.0
    seconds: float = math.inf  # for the whole collection
    only: frozenset[str] | None = None  # these kinds, and no others
    live: bool = False  # also the kinds that are read only when asked for
    result: Collected = field(default_factory=Collected)
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)
    open: dict[Partition, Read] = field(default_factory=dict)  # planned, not yet finished
    connecting: set[str] = field(default_factory=set)
    stopped: bool = False
    emitted: int = 0

    def stop(self) -> None:
        """End the collection now: the operator asked for it."""
        self.stopped = True
        self.scope.cancel()

    async def run(self) -> Collected:
        """Read everything. Raises `InputError` for a selection that names what does not exist."""
        self.scope.deadline = trio.current_time() + self.seconds
        limits = Limits()
        try:
            with self.scope:
                async with open_nursery() as nursery:
                    for provider in self.providers:
                        nursery.start_soon(self.run_provider, provider, limits)
                    for other in self.elsewhere:
                        nursery.start_soon(other.run, self)
        finally:
            for provider in self.providers:
                provider.close()
        if self.scope.cancelled_caught:
            self.result.interrupted = self.stopped
            self.account_for_unfinished()
        self.put_in_order()
        return self.result

    async def run_provider(self, provider: Provider, limits: Limits) -> None:
        ask = Asker(
            provider,
            limits,
            self.progress,
            self.recorder,
            self.replay,
            self.attempt_seconds,
        )
        self.connecting.add(provider.name)
        place = Partition(provider=provider.name, account="", region="", kind="")
        partitions = await self.guard(place, lambda: self.plan(provider, ask))
        if isinstance(partitions, Gap):
            self.result.gaps.append(partitions)
            partitions = ()
        self.connecting.discard(provider.name)
        for partition in partitions:
            self.open[partition] = blank(partition)
        self.progress.planned(provider.name, len(partitions))
        try:
            async with trio.open_nursery() as nursery:
                for partition in partitions:
                    nursery.start_soon(self.run_partition, provider, partition, ask)
                    # Trio starts what is ready in any order; the provider's order has a reason.
                    await trio.lowlevel.checkpoint()
        finally:
            self.result.calls += ask.calls

    async def plan(self, provider: Provider, ask: Asker) -> Sequence[Partition]:
        identities = await provider.connect(ask)
        self.result.identities.extend(identities)
        for identity in identities:
            if identity.state is not Connection.CONNECTED:
                self.result.gaps.append(gap_of(identity))
        if not any(identity.state is Connection.CONNECTED for identity in identities):
            return ()
        planned = await provider.partitions(ask)
        return [p for p in planned if self.wanted(provider.kinds.get(p.kind), p.kind)]

    def wanted(self, kind: Kind | None, name: str) -> bool:
        if self.only is not None:
            return name in self.only
        return self.live or kind is None or not kind.live

    async def run_partition(self, provider: Provider, partition: Partition, ask: Asker) -> None:
        if partition in self.resumed:
            self.finish(partition, self.resumed[partition], keep=False)
            return
        read = self.open[partition]
        calls = errors = 0

        async def counted(call: Call) -> Any:
            nonlocal calls, errors
            calls += 1
            try:
                return await ask(call)
            except ReadError:
                errors += 1
                raise

        known: dict[tuple[str, str], Resource] = {}

        def emit(resource: Resource) -> None:
            # A list that grows while its pages are read gives the last of a page once more.
            before = known.setdefault((resource.region, resource.id), resource)
            if before is not resource and before.data == resource.data:
                return
            read.resources.append(resource)
            self.emitted += 1
            if self.emitted > PACKED_FROM:
                settle(resource)
                resource.pack()

        async def work() -> None:
            await provider.read(partition, counted, emit)

        gap = await self.guard(partition, work)
        if isinstance(gap, Gap):
            read.gaps.append(gap)
        for resource in read.resources:
            settle(resource)
        read.gaps.extend(unread(read.resources))
        state = State.READ
        if isinstance(gap, Gap):
            state = State.PARTIAL if read.resources else State.UNREAD
        elif read.gaps:
            state = State.PARTIAL
        # An error may stand for an absence, which is no gap, and one call for a hundred gaps; an
        # answer of the wrong form is a gap without an error.
        odd = sum(gap.reason in ODD for gap in read.gaps)
        failed = min(calls, len(read.gaps), errors + odd)
        if read.gaps and read.resources and not errors + odd:
            calls += 1  # the gap is of something that no call can tell
        read.coverage = Coverage(
            partition=partition,
            state=state,
            resources=len(read.resources),
            calls=calls,
            failed=max(failed, 1) if read.gaps else 0,
        )
        self.finish(partition, read)

    def finish(self, partition: Partition, read: Read, *, keep: bool = True) -> None:
        del self.open[partition]
        if keep and self.sink:
            try:
                self.sink.append(partition, read)
            except InputError as error:  # a full disk must not cost what is being read
                self.sink = None
                self.progress.said(f"{error}; the scan goes on, but could not be resumed")
        self.take(read)
        self.progress.finished(read.coverage)

    def take(self, read: Read) -> None:
        self.result.resources.extend(read.resources)
        self.result.gaps.extend(read.gaps)
        self.result.coverage.append(read.coverage)

    async def guard(self, place: Partition, work: Callable[[], Awaitable[Any]]) -> Any:
        """The work's result, or the gap that its failure is."""
        try:
            return await work()
        except ReadError as error:
            return gap_from(place, error)
        except MissingError as error:
            return gap_without(place, error)
        except InputError:
            raise
        except Exception as error:
            # A defect in one reader must not cost the user the other clouds. It is reported as
            # a defect all the same: a gap with reason bug ends the run with exit code 4.
            cause = innermost(error)
            if isinstance(cause, ReadError):
                return gap_from(place, cause)
            if isinstance(cause, MissingError):
                return gap_without(place, cause)
            if isinstance(cause, InputError):
                raise cause from error
            log.exception("%s: a defect of infrascan", place.place)
            detail = redact.text(f"{type(cause).__name__}: {cause}")
            return gap_from(place, ReadError(Reason.BUG, f"a defect of infrascan: {detail}"))

    def account_for_unfinished(self) -> None:
        """Turn what a stop or the deadline cut off into gaps; keep what it had read."""
        if self.result.interrupted:
            reason, detail = Reason.INTERRUPTED, "the scan was stopped before this was read"
        else:
            reason, detail = Reason.TIMED_OUT, f"the deadline of {self.seconds:.0f} s passed"
        for name in sorted(self.connecting):
            self.result.gaps.append(Gap(provider=name, reason=reason, detail=detail))
        for partition, read in self.open.items():
            read.gaps.append(gap_from(partition, ReadError(reason, detail)))
            read.gaps.extend(unread(read.resources))
            read.coverage = Coverage(
                partition=partition,
                state=State.PARTIAL if read.resources else State.UNREAD,
                resources=len(read.resources),
                calls=1,
                failed=1,
            )
            self.take(read)
        self.open.clear()

    def put_in_order(self) -> None:
        result = self.result
        result.resources.sort(key=lambda r: r.key)
        result.gaps.sort(key=lambda g: (g.place, g.kind, g.resource, g.field, g.reason, g.detail))
        result.coverage.sort(key=lambda c: c.partition.place)
        result.identities.sort(key=lambda i: (i.provider, i.account, i.source))


def settle(resource: Resource) -> None:
    """Put in order what details brought in any order."""
    if not resource.packed:
        resource.data = dict(sorted(resource.data.items()))
    resource.unread = dict(sorted(resource.unread.items()))


def unread(resources: Sequence[Resource]) -> Mapping[Gap, None]:
    """The gaps of the resources' details, each once: one cause may hold for thousands of them."""
    return dict.fromkeys(gap for resource in resources for gap in resource.unread.values())


def blank(partition: Partition) -> Read:
    """The record of a partition nothing has been read of."""
    coverage = Coverage(partition=partition, state=State.UNREAD, resources=0, calls=0, failed=0)
    return Read(coverage=coverage)


def gap_from(place: Partition, error: ReadError) -> Gap:
    return Gap(
        provider=place.provider,
        account=place.account,
        region=place.region,
        kind=place.kind,
        call=error.call,
        reason=error.reason,
        detail=error.detail,
        permission=error.permission,
    )


def gap_without(place: Partition, error: MissingError) -> Gap:
    """The gap that a package leaves which is not installed."""
    told = ReadError(Reason.DISABLED, str(error.args[0]), permission=error.remedy)
    return gap_from(place, told)


def gap_of(identity: Identity) -> Gap:
    """The gap that an identity without a connection leaves: all of its account."""
    missing = identity.state is Connection.NOT_CONFIGURED
    return Gap(
        provider=identity.provider,
        account=identity.account,
        reason=Reason.UNAUTHENTICATED if missing else identity.reason,
        detail=redact.text(identity.detail or "no credentials were found"),
        permission=identity.remedy,
    )
