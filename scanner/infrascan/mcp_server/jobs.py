"""Long work, under an id: it can be waited for, looked at, found again and stopped.

A job is carried by the server, not by the call that asked for it. Callers that ask for what is
under way join it. When the last one goes away the work stops, unless it was asked for in the
background. State is on disk, so that another connection, or another server, finds it by its id.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import outcome
import trio

from infrascan.collect.engine import Silent
from infrascan.collect.provider import Call
from infrascan.model import Coverage, InputError, ReadError
from infrascan.store import state

SCHEMA = """CREATE TABLE IF NOT EXISTS jobs (
  id TEXT PRIMARY KEY, tool TEXT NOT NULL, key TEXT NOT NULL, arguments TEXT NOT NULL,
  client TEXT NOT NULL, process TEXT NOT NULL, state TEXT NOT NULL, done REAL NOT NULL,
  total REAL NOT NULL, note TEXT NOT NULL, result TEXT NOT NULL, error TEXT NOT NULL,
  created TEXT NOT NULL, updated TEXT NOT NULL
)"""
KEPT = 200  # jobs; the oldest are forgotten
RUNNING = "running"
EVERY = 0.2  # seconds between reports of progress


class Steps(Silent):
    """Counts what a scan has read, for whoever asks."""

    def __init__(self) -> None:
        self.done = self.total = self.resources = 0
        self.note = "connecting"

    def planned(self, provider: str, partitions: int) -> None:
        self.total += partitions
        self.note = f"{provider}: {partitions} partitions to read"

    def finished(self, coverage: Coverage) -> None:
        self.done += 1
        self.resources += coverage.resources
        self.note = f"{self.resources} resources read, last {coverage.partition.place}"

    def said(self, text: str) -> None:
        self.note = text

    def called(self, call: Call, seconds: float, error: ReadError | None) -> None: ...


Work = Callable[[Steps], Awaitable[Any]]
Report = Callable[[float, float | None, str], Awaitable[None]]


@dataclass(eq=False)
class Job:
    """Work under way in this process."""

    id: str
    key: str
    background: bool = False
    steps: Steps = field(default_factory=Steps)
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)
    ended: trio.Event = field(default_factory=trio.Event)
    waiting: int = 0
    stopped: bool = False  # on request, or because nobody waited any more
    result: outcome.Outcome[Any] | None = None


@dataclass(eq=False)
class Jobs:
    """The jobs of one server, and the record of all."""

    home: Path
    running: dict[str, Job] = field(default_factory=dict)  # by id
    nursery: trio.Nursery | None = None
    process: str = field(default_factory=lambda: f"{os.getpid()} {secrets.token_hex(4)}")

    def begin(self, nursery: trio.Nursery) -> None:
        self.nursery = nursery

    async def start(
        self,
        tool: str,
        arguments: Mapping[str, Any],
        client: str,
        work: Work,
        naming: Callable[[Any], str],
        *,
        background: bool = False,
    ) -> Job:
        """Begin the work, or join what is under way for the same arguments.

        `naming` gives what to keep of the result: the id under which it is stored.
        """
        if self.nursery is None:
            raise InputError("the server does not keep jobs: it is not running")
        text = json.dumps([tool, arguments], sort_keys=True, default=str)
        key = hashlib.sha256(text.encode()).hexdigest()[:16]
        for known in self.running.values():
            if known.key == key and not known.stopped:
                known.background = known.background or background
                return known
        job = Job(id=f"job-{secrets.token_hex(8)}", key=key, background=background)
        self.running[job.id] = job
        await trio.to_thread.run_sync(self.write, job, tool, dict(arguments), client)
        self.nursery.start_soon(self.run, job, work, naming)
        return job

    async def run(self, job: Job, work: Work, naming: Callable[[Any], str]) -> None:
        state_name, result, error = "cancelled", "", ""
        try:
            with job.scope:
                job.result = await outcome.acapture(work, job.steps)
                if isinstance(job.result, outcome.Error) and isinstance(
                    job.result.error, trio.Cancelled
                ):
                    job.result.unwrap()
            if isinstance(job.result, outcome.Value):
                state_name, result = "done", naming(job.result.value)
            elif isinstance(job.result, outcome.Error) and not job.scope.cancelled_caught:
                found = job.result.error
                known = isinstance(found, InputError)
                state_name = "failed"
                error = str(found) if known else f"a defect of infrascan: {type(found).__name__}"
        finally:
            with trio.CancelScope(shield=True):
                await trio.to_thread.run_sync(self.close, job, state_name, result, error)
            self.running.pop(job.id, None)
            job.ended.set()

    async def wait(self, job: Job, report: Report | None = None) -> Any:
        """The job's result. Raises what the work raised, and `InputError` when it was stopped."""
        job.waiting += 1
        try:
            async with trio.open_nursery() as nursery:
                if report is not None:
                    nursery.start_soon(self.reporting, job, report)
                await job.ended.wait()
                nursery.cancel_scope.cancel()
        finally:
            job.waiting -= 1
            if not job.waiting and not job.background and not job.ended.is_set():
                self.stop(job)
        if job.result is None or job.scope.cancelled_caught:
            raise InputError(f"{job.id} was stopped before it was done")
        if report is not None:
            await report(job.steps.done + 1, job.steps.done + 1, "done")
        return job.result.value if isinstance(job.result, outcome.Value) else job.result.unwrap()

    async def reporting(self, job: Job, report: Report) -> None:
        sent = -1.0
        while True:
            # Progress must grow; before the plan is known there is nothing to divide by.
            now = job.steps.done + (0.5 if job.steps.total else 0.0)
            if now > sent:
                note = job.steps.note if sent >= 0 else f"{job.id}: {job.steps.note}"
                sent = now
                await report(now, job.steps.total or None, note)
            await trio.sleep(EVERY)

    def stop(self, job: Job) -> None:
        job.stopped = True
        job.scope.cancel()

    def of(self, id: str) -> Job | None:
        return self.running.get(id)

    def write(self, job: Job, tool: str, arguments: dict[str, Any], client: str) -> None:
        now = stamp()
        with closing(state.opened(self.home, "jobs", SCHEMA)) as table:
            table.execute(
                "INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, '', '', '', ?, ?)",
                (
                    *(job.id, tool, job.key, json.dumps(arguments, default=str), client),
                    *(self.process, RUNNING, now, now),
                ),
            )
            table.execute(
                "DELETE FROM jobs WHERE id NOT IN (SELECT id FROM jobs ORDER BY created DESC LIMIT ?)",
                (KEPT,),
            )

    def close(self, job: Job, state_name: str, result: str, error: str) -> None:
        with closing(state.opened(self.home, "jobs", SCHEMA)) as table:
            table.execute(
                "UPDATE jobs SET state=?, done=?, total=?, note=?, result=?, error=?, updated=?"
                " WHERE id=?",
                (
                    *(state_name, job.steps.done, job.steps.total, job.steps.note, result, error),
                    *(stamp(), job.id),
                ),
            )

    def found(self, id: str) -> dict[str, Any]:
        """A job by its id, whichever server began it. Raises `InputError`."""
        with closing(state.opened(self.home, "jobs", SCHEMA)) as table:
            row = table.execute("SELECT * FROM jobs WHERE id = ?", (id,)).fetchone()
        if row is None:
            raise InputError(f"there is no job {id[:60]!r}; deep_research names one when it begins")
        said = {**dict(row), "arguments": json.loads(row["arguments"])}
        if job := self.of(id):
            said |= {"done": job.steps.done, "total": job.steps.total, "note": job.steps.note}
        elif said["state"] == RUNNING and not alive(said["process"], self.process):
            said |= {"state": "interrupted", "error": "its server ended before it was done"}
        return said


def alive(process: str, ours: str) -> bool:
    """True while the server that runs a job is there. What is ours, and not running, has ended."""
    if process == ours:
        return False
    try:
        os.kill(int(process.split()[0]), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        return True
    return int(process.split()[0]) != os.getpid()


def stamp() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
