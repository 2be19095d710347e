"""A platform small enough to reason about: it implements `Provider` over plain functions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from infrascan.collect.provider import Ask, Call, Emit
from infrascan.model import Connection, Identity, Kind, Partition, Resource

Answer = Callable[[Call], Awaitable[Any]]


@dataclass
class Platform:
    """Lists `kinds` kinds in `regions`; `answer` is what its API does with a call."""

    answer: Answer
    regions: Sequence[str] = ("north",)
    kind_names: Sequence[str] = ("toy.thing",)
    name: str = "toy"
    sent: list[Call] = field(default_factory=list)
    closed: bool = False

    @property
    def kinds(self) -> dict[str, Kind]:
        return {k: Kind(name=k, title=k, provider=self.name) for k in self.kind_names}

    def permissions(self) -> dict[str, Any]:
        return {"Allow": [f"{kind}.List" for kind in self.kind_names]}

    async def connect(self, ask: Ask) -> list[Identity]:
        who = await ask(Call(provider=self.name, account="", region="", api="local.Who"))
        return [Identity(provider=self.name, state=Connection.CONNECTED, account="1", who=str(who))]

    async def partitions(self, ask: Ask) -> list[Partition]:
        return [
            Partition(provider=self.name, account="1", region=region, kind=kind)
            for region in self.regions
            for kind in self.kind_names
        ]

    async def read(self, partition: Partition, ask: Ask, emit: Emit) -> None:
        token = None
        while True:
            call = Call(
                provider=self.name,
                account="1",
                region=partition.region,
                api=f"{partition.kind}.List",
                params={"token": token},
            )
            page = await ask(call)
            for name in page["items"]:
                emit(
                    Resource(
                        kind=partition.kind,
                        id=name,
                        name=name,
                        provider=self.name,
                        account="1",
                        region=partition.region,
                        data={"name": name},
                    )
                )
            token = page.get("token")
            if token is None:
                return

    async def send(self, call: Call) -> Any:
        if call.api.startswith("local."):
            return "somebody"
        self.sent.append(call)
        return await self.answer(call)

    def close(self) -> None:
        self.closed = True
