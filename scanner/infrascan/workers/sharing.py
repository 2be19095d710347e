"""Providers shared out among processes, so that a scan reads with more than one core.

The heaviest stay together as little as can be; what a worker reads comes back partition by
partition and goes on as if it had been read here.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import trio

from infrascan.collect.engine import Collection, Read, blank
from infrascan.model import Gap, InputError, Partition, ReadError, Reason
from infrascan.workers.job import LENGTH, Job

MOST = 4  # processes, however many cores there are
GRACE = 5.0  # seconds for a worker to give what it has, once reading is to end
CHUNK = 1 << 16

# Share of the work that a provider is on a mixed estate, by CPU seconds measured.
WEIGHTS: Mapping[str, float] = {
    "aws": 8,
    "gcp": 2.5,
    "azure": 2,
    "k8s": 2,
    "github": 1.5,
    "cloudflare": 1,
    "digitalocean": 0.5,
    "hetzner": 0.4,
    "terraform": 0.3,
    "docker": 0.2,
}
WORTH = 1.0  # of weight: below it, starting a process costs more than it brings


def shared_out(names: Sequence[str], processes: int) -> list[tuple[str, ...]]:
    """The providers each process reads, the heaviest group first, which is this process's own.

    Groups that are not worth a process of their own join the lightest of the others.
    """
    groups: list[list[str]] = [[] for _ in range(max(1, min(processes, MOST, len(names))))]
    for name in sorted(names, key=lambda name: -weight([name])):
        min(groups, key=weight).append(name)
    groups.sort(key=weight, reverse=True)
    while len(groups) > 1 and weight(groups[-1]) < WORTH:
        light = groups.pop()
        min(groups, key=weight).extend(light)
    return [tuple(name for name in names if name in group) for group in groups]


def weight(names: Sequence[str]) -> float:
    return sum(WEIGHTS.get(name, 1) for name in names)


def cores() -> int:
    """The cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        return os.cpu_count() or 1


@dataclass(eq=False)
class Worker:
    """A process that reads some providers for a collection."""

    job: Job
    process: trio.Process = field(init=False)
    ended: bool = False
    pending: bytearray = field(default_factory=bytearray)

    async def run(self, collection: Collection) -> None:
        """Read, until all is read or the collection is cancelled. Raises `InputError`."""
        collection.connecting.update(self.job.providers)
        left = collection.scope.deadline - trio.current_time()
        mine = {p: r for p, r in collection.resumed.items() if p.provider in self.job.providers}
        job = replace(self.job, seconds=left, resumed=mine)
        start = partial(
            trio.lowlevel.open_process,
            [sys.executable, "-m", "infrascan.workers.process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        with trio.CancelScope(shield=True):
            self.process = await start()
        try:
            try:
                await self.give(job)
                await self.listen(collection)
            except trio.Cancelled:
                with trio.move_on_after(GRACE, shield=True):
                    assert self.process.stdin
                    await self.process.stdin.aclose()  # which asks it to stop
                    await self.listen(collection)
                raise
        finally:
            await self.end()
        if not self.ended:
            self.account_for_death(collection)

    async def give(self, job: Job) -> None:
        assert self.process.stdin
        text = pickle.dumps(job, protocol=pickle.HIGHEST_PROTOCOL)
        with suppress(trio.BrokenResourceError):  # it died: its silence will tell
            await self.process.stdin.send_all(len(text).to_bytes(LENGTH, "big") + text)

    async def listen(self, collection: Collection) -> None:
        async for name, *parts in self.messages():
            self.heard(collection, name, parts)

    async def messages(self) -> AsyncIterator[Any]:
        """What the worker sends, whole messages only."""
        assert self.process.stdout
        while not self.ended:
            while len(self.pending) >= LENGTH:
                end = LENGTH + int.from_bytes(self.pending[:LENGTH], "big")
                if len(self.pending) < end:
                    break
                message = bytes(self.pending[LENGTH:end])
                del self.pending[:end]
                yield pickle.loads(message)  # noqa: S301 (from the process that we started)
            if self.ended:
                return
            part = await self.process.stdout.receive_some(CHUNK)
            if not part:
                return
            self.pending += part

    def heard(self, collection: Collection, name: str, parts: list[Any]) -> None:
        match name, parts:
            case "planned", [provider, places]:
                collection.connecting.discard(provider)
                for place in places:
                    collection.open[place] = blank(place)
                collection.progress.planned(provider, len(places))
            case "called", [call, seconds, told]:
                error = ReadError(told[0], told[1], code=told[2]) if told else None
                collection.progress.called(call, seconds, error)
            case "read", [read, whole]:
                self.take(collection, read, whole=whole)
            case "said", [text]:
                collection.progress.said(text)
            case "input_error", [text]:
                self.ended = True
                raise InputError(text)
            case "end", [identities, gaps, calls]:
                self.ended = True
                collection.connecting.difference_update(self.job.providers)
                collection.result.identities.extend(identities)
                collection.result.gaps.extend(gaps)
                collection.result.calls += calls

    def take(self, collection: Collection, read: Read, *, whole: bool) -> None:
        place = read.coverage.partition
        if whole:
            collection.finish(place, read, keep=place not in collection.resumed)
        else:
            del collection.open[place]
            collection.take(read)

    def account_for_death(self, collection: Collection) -> None:
        """Turn what the worker was reading when it ended into gaps, which are a defect's."""
        detail = (
            f"a defect of infrascan: the process that read it ended with {self.process.returncode}"
        )
        lost = [place for place in collection.open if place.provider in self.job.providers]
        for place in lost:
            read = collection.open.pop(place)
            read.gaps.append(gap_of(place, detail))
            collection.take(read)
        for name in sorted(collection.connecting.intersection(self.job.providers)):
            whole = Partition(provider=name, account="", region="", kind="")
            collection.result.gaps.append(gap_of(whole, detail))
        collection.connecting.difference_update(self.job.providers)

    async def end(self) -> None:
        with trio.CancelScope(shield=True):
            if not self.ended or not await self.over():
                self.process.kill()
                await self.process.wait()
            for stream in (self.process.stdin, self.process.stdout):
                if stream:
                    await stream.aclose()

    async def over(self) -> bool:
        """Whether it ends by itself, which it does at once when it has said that it is through."""
        with trio.move_on_after(GRACE):
            await self.process.wait()
        return self.process.returncode is not None


def gap_of(place: Partition, detail: str) -> Gap:
    return Gap(
        provider=place.provider,
        account=place.account,
        region=place.region,
        kind=place.kind,
        reason=Reason.BUG,
        detail=detail,
    )
