"""Reading with a provider directly: each call is sent once, nothing is retried."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import trio

from infrascan.collect.provider import Call, Selection
from infrascan.model import Partition, ReadError, Resource
from infrascan.providers.aws import LISTINGS, Aws
from tests.servers.aws_estate import OBSERVED

REGION = "eu-west-1"


def provider(**selection: Any) -> Aws:
    return Aws(Selection(**{"observed": OBSERVED, "regions": (REGION,), **selection}))


def run(work: Callable[..., Any], *arguments: Any) -> Any:
    return trio.run(work, *arguments)


class Reader:
    """One provider, connected; keeps the calls that were made."""

    def __init__(self, aws: Aws | None = None) -> None:
        self.aws = aws or provider()
        self.calls: list[Call] = []

    async def ask(self, call: Call) -> Any:
        self.calls.append(call)
        return await self.aws.send(call)

    async def connect(self) -> None:
        await self.aws.connect(self.ask)
        await self.aws.partitions(self.ask)

    def partition(self, kind: str, region: str = REGION) -> Partition:
        return Partition(
            provider="aws",
            account="123456789012",
            region=region if LISTINGS[kind].regional else "",
            kind=kind,
        )

    async def read(
        self, kind: str, region: str = REGION
    ) -> tuple[list[Resource], ReadError | None]:
        found: list[Resource] = []
        try:
            await self.aws.read(self.partition(kind, region), self.ask, found.append)
        except ReadError as error:
            return found, error
        return found, None


def read(kind: str) -> list[Resource]:
    """What one partition gives, without any gap."""

    async def work() -> list[Resource]:
        reader = Reader()
        await reader.connect()
        found, error = await reader.read(kind)
        reader.aws.close()
        assert error is None, error.detail
        return found

    return run(work)
