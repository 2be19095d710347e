"""Google Cloud: one listing of Cloud Asset Inventory for everything, the services where it is off.

The inventory gives every asset of a project, folder or organisation in pages of a thousand, with
its IAM and organisation policies, so a whole organisation takes fewer calls than one project would
service by service. It is asked through google-cloud-asset over gRPC, whose protocol buffers are
smaller and faster to read than JSON; Recommender, Monitoring and the services themselves are asked
over REST. `sending` is the only module that calls Google, and is imported with the first call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infrascan.collect.provider import Ask, Call, Emit, Selection
from infrascan.model import Identity, Kind, Partition
from infrascan.providers.gcp import kinds


@dataclass(eq=False)
class Gcp:
    """The projects that the credentials open, or the chosen part of them."""

    selection: Selection
    name: str = "gcp"

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """Every kind the tables describe."""
        return {table.kind: kinds.kind(table) for table in kinds.TABLES}

    def permissions(self) -> dict[str, Any]:
        return {}

    async def connect(self, ask: Ask) -> Sequence[Identity]:  # noqa: ARG002
        return ()

    async def partitions(self, ask: Ask) -> Sequence[Partition]:  # noqa: ARG002
        return ()

    async def read(self, partition: Partition, ask: Ask, emit: Emit) -> None: ...

    async def send(self, call: Call) -> Any: ...

    def close(self) -> None: ...
