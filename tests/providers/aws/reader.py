"""Reading with a provider directly: each call is sent once, nothing is retried."""

from __future__ import annotations

from typing import Any

from infrascan.collect.provider import Call, Selection
from infrascan.model import Partition, ReadError, Resource
from infrascan.providers.aws import LISTINGS, Aws
from tests.servers.aws_estate import OBSERVED

REGION = "eu-west-1"


def provider(**selection: Any) -> Aws:
    return Aws(Selection(**{"observed": OBSERVED, "regions": (REGION,), **selection}))


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
