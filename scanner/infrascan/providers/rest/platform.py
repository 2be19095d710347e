"""A provider out of tables and one client per account: all that REST platforms have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from infrascan.collect.provider import Ask, Call, Emit, Selection
from infrascan.model import Identity, Kind, Partition
from infrascan.providers.http import Answer, Client
from infrascan.providers.rest.calling import Caller
from infrascan.providers.rest.kinds import drops, kinds
from infrascan.providers.rest.reading import Reading, drop
from infrascan.providers.rest.tables import Listing

DAY = 86_400


@dataclass(eq=False)
class Platform:
    """What a REST provider inherits. It adds `connect`, `client`, `local` and `permissions`.

    `connect` fills `accounts`: what tells an account apart -> names for its templates.
    """

    name: ClassVar[str]
    tables: ClassVar[Sequence[Listing]]
    fields: ClassVar[Path]  # fields.json.gz beside the tables

    selection: Selection
    accounts: dict[str, dict[str, Any]] = field(default_factory=dict)
    clients: dict[str, Client] = field(default_factory=dict)

    @cached_property
    def kinds(self) -> Mapping[str, Kind]:
        """Every kind the tables describe."""
        return kinds(self.name, self.tables, self.fields)

    @cached_property
    def listings(self) -> Mapping[str, Listing]:
        return {listing.kind: listing for listing in self.tables}

    @cached_property
    def secret(self) -> Mapping[str, tuple[str, ...]]:
        return drops(self.tables)

    @abstractmethod
    async def connect(self, ask: Ask) -> Sequence[Identity]: ...

    @abstractmethod
    def client(self, account: str) -> Client:
        """The connection that reads an account; made at its first use."""

    @abstractmethod
    async def local(self, call: Call) -> Any:
        """Answer a call for a fact of this machine: which contexts, which credentials."""

    def received(self, call: Call, answer: Answer) -> Any:  # noqa: ARG002
        """What is kept of an answer; a provider adds what it needs of the headers."""
        return answer.body

    async def partitions(self, ask: Ask) -> Sequence[Partition]:  # noqa: ARG002
        """Each kind of each account that is open."""
        return [
            Partition(provider=self.name, account=account, region="", kind=listing.kind)
            for account in sorted(self.accounts)
            for listing in self.tables
        ]

    async def read(self, partition: Partition, ask: Ask, emit: Emit) -> None:
        """Read one kind of one account."""
        scope = {**self.scope(partition.account), **self.accounts.get(partition.account, {})}
        listing = self.listings[partition.kind]
        await Reading(listing, Caller(partition, scope, ask), emit).run()

    def scope(self, account: str) -> dict[str, Any]:
        """The names that every template can use."""
        now = int(self.selection.observed.timestamp())
        return {
            "account": account,
            "now": now,
            "day_ago": now - DAY,
            "week_ago": now - 7 * DAY,
            "month_ago": now - 30 * DAY,
            "now_utc": f"{self.selection.observed:%Y-%m-%dT%H:%M:%SZ}",
            "day_ago_utc": f"{self.selection.observed - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}",
        }

    async def send(self, call: Call) -> Any:
        """Make one call, live; secrets that the tables name are dropped from its answer."""
        if call.api.startswith("local."):
            return await self.local(call)
        answer = await self.client(call.account).request(call.api, call.params)
        found = self.received(call, answer)
        for path in self.secret.get(call.api, ()):
            drop(found, path)
        return found

    def close(self) -> None:
        """Give back the connections."""
        for client in self.clients.values():
            client.close()
