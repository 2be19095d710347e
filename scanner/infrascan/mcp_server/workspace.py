"""What the tools of one server share: the home, open connections, running jobs, and what the
operator allowed at the start.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import trio

from infrascan.lookups.connections import Connections
from infrascan.mcp_server.jobs import Jobs
from infrascan.pipeline import DEMO, Request
from infrascan.providers import configured, sdk
from infrascan.shipped import shipped

T = TypeVar("T")
REMEMBERED = 64  # answers about stored scans


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How the operator started the server. No tool can change any of it."""

    toolsets: frozenset[str] = frozenset()  # empty: all
    read_only: bool = False
    compat: str = ""  # "clanker": its tool names too
    roots: tuple[Path, ...] = ()  # folders in which terraform may be planned
    allow_plan: bool = False  # run terraform plan without an approval
    model: str = ""  # for questions and research that name none
    demo: bool = False  # the recorded estate in place of a real one


def shelf(home: Path) -> tuple[tuple[str, int], ...]:
    """Which scans are stored, and when each folder was last written to."""
    try:
        with os.scandir(home / "scans") as found:
            return tuple(sorted((each.name, each.stat().st_mtime_ns) for each in found))
    except OSError:
        return ()


async def warmed() -> None:
    """Do ahead of the first question what takes seconds, once after each update: boil down the
    models of AWS's services.
    """
    if "aws" not in await trio.to_thread.run_sync(configured):
        return
    try:
        await sdk.ready("infrascan.providers.aws.models")
    except ImportError:
        return  # said by whoever asks for AWS
    from infrascan.providers.aws import models

    await trio.to_thread.run_sync(partial(models.loader, build=True), abandon_on_cancel=True)


@dataclass(eq=False)
class Workspace:
    home: Path
    options: Options = field(default_factory=Options)
    connections: Connections = field(init=False)
    jobs: Jobs = field(init=False)
    answers: OrderedDict[Any, tuple[Any, Any]] = field(default_factory=OrderedDict)
    asking: dict[Any, trio.Lock] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.connections = Connections(self.request)
        self.jobs = Jobs(self.home)

    async def stored(self, question: Callable[..., T], *arguments: Any, **named: Any) -> T:
        """The answer to a question on stored scans. They do not change, so as long as there are no
        others the answer is the same, and of many who ask at once one waits for the disk.
        """
        key = (question.__name__, arguments, tuple(sorted(named.items())))
        lock = self.asking.setdefault(key, trio.Lock())
        async with lock:
            now = await trio.to_thread.run_sync(shelf, self.home)
            known = self.answers.get(key)
            if known is None or known[0] != now:
                work = partial(question, self.home, *arguments, **named)
                known = self.answers[key] = (now, await trio.to_thread.run_sync(work))
            self.answers.move_to_end(key)
            while len(self.answers) > REMEMBERED:
                self.asking.pop(self.answers.popitem(last=False)[0], None)
        found: T = known[1]
        return found

    @property
    def request(self) -> Request:
        """What is read where a call narrows nothing."""
        return Request(replay=shipped("estates") / DEMO if self.options.demo else None)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep jobs and connections as long as the server serves."""
        async with trio.open_nursery() as nursery:
            self.jobs.begin(nursery)
            nursery.start_soon(warmed)
            try:
                yield
            finally:
                nursery.cancel_scope.cancel()
                self.connections.close()
