"""The watch itself: look, compare, take down, tell; again at the next time of its grid."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import trio

from infrascan import redact
from infrascan.model import InputError, Scan, Severity
from infrascan.store.inventory import OnDisk
from infrascan.store.scans import read, remove, resolve
from infrascan.watch.comparing import Found, Look, Outcome, compare, nothing_seen
from infrascan.watch.delivering import Courier
from infrascan.watch.following import Followed
from infrascan.watch.memory import Kept, Memory
from infrascan.watch.news import Result, Transition
from infrascan.watch.notifiers import Notifier
from infrascan.watch.payload import notification
from infrascan.watch.schedule import QuietHours, next_look, put_off

DRAIN = 60.0  # seconds that what is due may take to be delivered at the end

Scanned = Callable[[tuple[str, ...]], Awaitable[Scan]]
Asked = Callable[[], Awaitable[Sequence[Result]]]


async def unasked() -> Sequence[Result]:
    return ()


def ignored(_: object) -> None: ...


@dataclass(kw_only=True)
class Watch:
    """Looks at the same again and again.

    `scan` reads and stores a scan of the providers given, which are those that were read before; it
    raises `InputError` when it cannot. `checks` asks the questions. `followed` looks closer at what
    turned, and says for each, by its key, what it found and proposed.
    """

    home: Path
    name: str  # of what is watched: the same for the same scope
    scan: Scanned
    notifiers: Sequence[Notifier]
    every: float
    checks: Asked = unasked
    on: Severity = Severity.HIGH
    quiet: QuietHours | None = None
    loud: Severity | None = None  # told in quiet hours too, with worse
    keep: int = 0  # scans of this watch; 0: all
    jitter: float | None = None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    chance: random.Random = field(default_factory=random.Random)
    said: Callable[[str], None] = ignored
    ran: Callable[[Mapping[str, Any]], None] = ignored  # each run's notification, told or not
    rests: Callable[[float], None] = ignored  # before each pause, with its seconds
    followed: Followed | None = None
    failed: bool = False  # whether the last run saw nothing, or not all

    async def run(self, runs: float = float("inf")) -> int:
        """Look at once and then at the times of the grid; returns how many letters are overdue."""
        memory = Memory(self.home, self.name)
        try:
            return await self.running(memory, runs)
        finally:
            memory.close()
            for notifier in self.notifiers:
                notifier.close()

    async def running(self, memory: Memory, runs: float) -> int:
        couriers = [
            Courier(notifier, memory, self.now, self.said, self.chance)
            for notifier in self.notifiers
        ]
        self.explain(memory)
        async with trio.open_nursery() as nursery:
            for courier in couriers:
                nursery.start_soon(courier.run)
            began = trio.current_time()
            made = 0
            while True:
                await self.once(memory)
                made += 1
                for courier in couriers:
                    courier.call()
                if made >= runs:
                    break
                at = next_look(began, trio.current_time(), self.every)
                most = put_off(self.every) if self.jitter is None else self.jitter
                at += self.chance.uniform(0, most)
                self.rests(at - trio.current_time())
                await trio.sleep_until(at)
            with trio.move_on_after(DRAIN):
                for courier in couriers:
                    await courier.idle.wait()
            nursery.cancel_scope.cancel()
        return memory.overdue(self.now())

    def explain(self, memory: Memory) -> None:
        """Say what waits for a place that is not named any more."""
        here = {notifier.key for notifier in self.notifiers}
        left = sum(n for key, n in memory.waiting().items() if key not in here)
        if left:
            self.said(f"{left} notifications wait for a --notify that is not given now")

    async def once(self, memory: Memory) -> None:
        """One run: nothing of it counts before all of it is taken down."""
        kept = memory.kept()
        look = await self.look(kept)
        at = self.now()
        before = memory.standings()
        first = not kept.scan
        outcome = await trio.to_thread.run_sync(self.compared, kept, before, look, first)
        if self.followed and not outcome.baseline:
            closer = await self.followed(outcome.transitions)
            outcome.transitions = [with_more(t, closer.get(t.key)) for t in outcome.transitions]
        runs = kept.runs + 1
        body = self.body(look, outcome, runs)
        letters = []
        if outcome.transitions or outcome.baseline:
            due = self.due(outcome, at)
            letters = [(notifier.key, due, body) for notifier in self.notifiers]
        memory.keep(self.after(kept, look, runs), before, outcome.standings, letters, at)
        if gone := memory.given_up(at):
            self.said(f"{gone} notifications could not be delivered in days and are given up")
        self.failed = look.scan is None or bool(body["standing"]["providers_unread"])
        self.ran(body)
        await self.tidy(memory)

    async def look(self, kept: Kept) -> Look:
        scan, failure = None, ""
        try:
            scan = await self.scan(kept.providers)
        except InputError as error:
            failure = redact.text(str(error).splitlines()[0])
        results = tuple(await self.checks())
        return Look(at=stamp(self.now()), scan=scan, failure=failure, results=results)

    def compared(self, kept: Kept, before: Any, look: Look, first: bool) -> Outcome:
        last, seen = self.last(kept.scan) if look.scan and kept.scan else (None, nothing_seen)
        return compare(before, look, last, seen, first=first, on=self.on)

    def last(self, scan: str) -> tuple[Scan | None, Found]:
        """The scan before, and its resources by key; nothing where it was deleted or damaged."""
        try:
            found = resolve(self.home, scan)
            return read(self.home, found.id, with_resources=False), OnDisk(
                found.path, found.path
            ).before
        except InputError as error:
            self.said(f"the scan before cannot be compared: {error}")
            return None, nothing_seen

    def body(self, look: Look, outcome: Outcome, runs: int) -> dict[str, Any]:
        return notification(
            self.name,
            runs,
            look.at,
            look.scan.id if look.scan else "",
            outcome.transitions,
            outcome.standings,
            baseline=outcome.baseline,
            usage=usage(look),
        )

    def due(self, outcome: Outcome, at: datetime) -> datetime:
        """Now, or at the end of quiet hours unless something is bad enough to be told in them."""
        if self.quiet is None:
            return at
        loud = self.loud is not None and any(
            transition.severity.rank <= self.loud.rank for transition in outcome.transitions
        )
        return at if loud else self.quiet.over(at)

    def after(self, kept: Kept, look: Look, runs: int) -> Kept:
        if look.scan is None:
            return Kept(scan=kept.scan, runs=runs, providers=kept.providers)
        read_now = tuple(look.scan.scope.get("providers", ()))
        return Kept(scan=look.scan.id, runs=runs, providers=read_now)

    async def tidy(self, memory: Memory) -> None:
        """Delete this watch's own scans beyond those to keep."""
        if self.keep:
            for scan in memory.outdated(self.keep):
                try:
                    await trio.to_thread.run_sync(remove, self.home, scan)
                except InputError as error:
                    self.said(str(error))


def with_more(transition: Transition, closer: Mapping[str, Any] | None) -> Transition:
    if closer is None:
        return transition
    return replace(transition, about={**transition.about, "closer": dict(closer)})


def usage(look: Look) -> dict[str, Any]:
    """What models cost in this run: nothing, where none was asked. Unpriced ones make it null."""
    spent = look.scan.research.usage if look.scan else ()
    amounts = [*(one.usd for one in spent), *(result.usd for result in look.results)]
    known = [amount for amount in amounts if amount is not None]
    return {
        "model_calls": sum(one.calls for one in spent),
        "usd": sum(known) if len(known) == len(amounts) else None,
    }


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
