"""Microsoft Azure: one question to Resource Graph for most of a subscription, Resource Manager for the rest.

`azure-identity` signs in, because the ways to do so are many and change. All reads go through the
one REST client of ours: `azure-mgmt-resourcegraph` was weighed and left out. It would add a client
with threads, retries and models of its own for what is a single POST, and the details need plain
GETs to thirty services anyway, each of which would be another package.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from infrascan.collect.provider import Ask, Call
from infrascan.model import Identity
from infrascan.providers.azure import (
    applications,
    compute,
    databases,
    governance,
    names,
    network,
    storage,
)
from infrascan.providers.http import Client
from infrascan.providers.rest.platform import Platform
from infrascan.providers.rest.tables import Listing

TABLES: tuple[Listing, ...] = (
    *governance.TABLES,
    *compute.TABLES,
    *network.TABLES,
    *names.TABLES,
    *storage.TABLES,
    *databases.TABLES,
    *applications.TABLES,
)


@dataclass(eq=False)
class Azure(Platform):
    """Azure, seen through the subscriptions that the credentials open."""

    name: ClassVar[str] = "azure"
    tables: ClassVar[Sequence[Listing]] = TABLES
    fields: ClassVar[Path] = Path(__file__).with_name("fields.json.gz")

    def permissions(self) -> Mapping[str, Any]:
        return {}

    async def connect(self, ask: Ask) -> Sequence[Identity]:
        return []

    def client(self, account: str) -> Client:
        raise NotImplementedError

    async def local(self, call: Call) -> Any:
        raise NotImplementedError
