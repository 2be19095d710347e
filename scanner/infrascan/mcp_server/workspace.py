"""What the tools of one server share: the home, open connections, running jobs, and what the
operator allowed at the start.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import trio

from infrascan.lookups.connections import Connections
from infrascan.mcp_server.jobs import Jobs
from infrascan.pipeline import DEMO, Request
from infrascan.providers import configured, sdk
from infrascan.shipped import shipped


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

    def __post_init__(self) -> None:
        self.connections = Connections(self.request)
        self.jobs = Jobs(self.home)

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
