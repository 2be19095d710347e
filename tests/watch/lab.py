"""A watch on a clock of ours: scans of made estates, one for each run, and a day in a second."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import trio
import trio.testing

from infrascan.model import Connection, Gap, Identity, InputError, Reason, Resource, Scan, State
from infrascan.store.scans import write
from infrascan.watch.notifiers import Notifier
from infrascan.watch.running import Watch
from tests.store.estate import clone, group, judged, volume

START = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
HALF_HOUR = 1800.0
PLACE = {"provider": "aws", "account": "111122223333", "region": "eu-west-1"}


def resource(kind: str, data: dict[str, Any], id: str) -> Resource:
    return Resource(kind=kind, id=id, name=f"name of {id}", data=data, **PLACE)


def estate(
    *, open_groups: Sequence[int] = (), plain_volumes: Sequence[int] = (), size: int = 6
) -> list[Resource]:
    """Groups and volumes; those named are open to the internet (critical) or plain (medium)."""
    found = []
    for number in range(size):
        data = group(number)
        if number not in open_groups:
            data["IpPermissions"][0]["IpRanges"][0]["CidrIp"] = "10.0.0.0/8"
        found.append(resource("aws.ec2.security_group", data, f"sg-{number}"))
        data = volume(number) | {"Encrypted": number not in plain_volumes}
        found.append(resource("aws.ec2.volume", data, f"vol-{number}"))
    return sorted(found, key=lambda one: one.key)


def seen(run: int, **planted: Any) -> Scan:
    return judged(estate(**planted), id=f"scan-{run:04}")


def blind(run: int, kind: str = "aws.ec2.security_group", **planted: Any) -> Scan:
    """A scan that was not let list one kind."""
    whole = seen(run, **planted)
    gap = Gap(
        **PLACE,
        kind=kind,
        call="ec2.Describe",
        reason=Reason.DENIED,
        detail="not authorized",
        permission="ec2:Describe",
    )
    coverage = [
        clone_coverage(entry) if entry.partition.kind == kind else entry for entry in whole.coverage
    ]
    return clone(
        whole,
        resources=[one for one in whole.resources if one.kind != kind],
        findings=[one for one in whole.findings if one.kind != kind],
        edges=[],
        gaps=[*whole.gaps, gap],
        coverage=coverage,
    )


def clone_coverage(entry: Any) -> Any:
    return replace(entry, state=State.UNREAD, resources=0, calls=1, failed=1)


def shut_out(run: int) -> Scan:
    """A scan whose credentials had expired: it holds nothing but that."""
    whole = seen(run)
    expired = Identity(
        provider="aws",
        state=Connection.ERROR,
        detail="the token has expired",
        remedy="sign in again",
    )
    return clone(
        whole, resources=[], findings=[], edges=[], gaps=[], coverage=[], identities=[expired]
    )


@dataclass
class Lab:
    """Runs a watch over a script: what each run sees, a scan or the `InputError` it ends with."""

    home: Path
    script: Callable[[int], Scan | InputError]
    notifiers: Sequence[Notifier] = ()
    options: dict[str, Any] = field(default_factory=dict)
    took: Callable[[int], float] = lambda _: 0.0  # seconds that a run takes
    first: int = 0  # number of the first run, after a restart
    start: datetime = START
    began: list[float] = field(default_factory=list)  # when each run began, in seconds
    bodies: list[Any] = field(default_factory=list)  # each run's notification, told or not
    said: list[str] = field(default_factory=list)
    left: int = 0

    def run(self, runs: int) -> Lab:
        self.clock = trio.testing.MockClock()
        trio.run(self.driven, runs, clock=self.clock)
        return self

    async def driven(self, runs: int) -> None:
        zero = trio.current_time()
        send, receive = trio.open_memory_channel[float](1)
        number = self.first

        def now() -> datetime:
            return self.start + timedelta(seconds=trio.current_time() - zero)

        async def scan(_: tuple[str, ...]) -> Scan:
            nonlocal number
            self.began.append(trio.current_time() - zero)
            found = self.script(number)
            if seconds := self.took(number):
                self.clock.jump(seconds)
            number += 1
            if isinstance(found, InputError):
                raise found
            write(found, self.home)
            return found

        watch = Watch(
            home=self.home,
            name="lab",
            scan=scan,
            notifiers=self.notifiers,
            now=now,
            ran=self.bodies.append,
            said=self.said.append,
            rests=send.send_nowait,
            **({"every": HALF_HOUR, "jitter": 0.0, "chance": random.Random(1)} | self.options),
        )

        async def looking() -> None:
            self.left = await watch.run(runs)
            nursery.cancel_scope.cancel()

        async def ending() -> None:
            """After the last run, time passes until what is left is delivered or given up."""
            while True:
                if len(self.bodies) >= runs:
                    await self.settled(now)
                    self.clock.jump(1.0)
                await trio.to_thread.run_sync(time.sleep, 0.002)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(looking)
            nursery.start_soon(ending)
            async for seconds in receive:
                await self.settled(now)
                self.clock.jump(seconds)
        self.watch = watch

    async def settled(self, now: Callable[[], datetime]) -> None:
        """Wait until all that is due was tried, and the couriers rest again."""
        ends = time.monotonic() + 20
        while self.due(now()):
            assert time.monotonic() < ends, "what is due is not delivered"
            self.clock.jump(0.0)  # wakes whoever's time has come
            await trio.to_thread.run_sync(time.sleep, 0.002)
        await trio.testing.wait_all_tasks_blocked(0.001)

    def due(self, moment: datetime) -> int:
        """Letters whose turn it is; those behind one that waits for its next attempt wait too."""
        with closing(sqlite3.connect(self.home / "state" / "watch.sqlite")) as db:
            (count,) = db.execute(
                "SELECT count(*) FROM outbox o WHERE due <= ? AND (batch != '' OR NOT EXISTS"
                " (SELECT * FROM outbox WHERE notifier = o.notifier AND batch != ''))",
                (moment.isoformat(timespec="milliseconds"),),
            ).fetchone()
        return count

    @property
    def turned(self) -> list[tuple[int, str, str]]:
        """(run, turn, name) of each transition, in order."""
        return [
            (body["run"], one["turn"], one.get("name") or one["title"])
            for body in self.bodies
            for one in body["transitions"]
        ]
