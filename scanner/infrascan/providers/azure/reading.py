"""Reading a partition of Azure: rows of the inventory where Resource Graph has the kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import trio

from infrascan.model import ReadError
from infrascan.providers.azure.inventory import Inventory, withheld
from infrascan.providers.azure.tables import GRAPH
from infrascan.providers.rest.reading import Item, Reading
from infrascan.providers.rest.tables import Parent


@dataclass(eq=False, kw_only=True)
class AzureReading(Reading):
    """As any REST kind is read, but for where the items come from and what their ids give."""

    inventory: Inventory

    async def list_items(self, scope: Mapping[str, Any], nursery: trio.Nursery) -> None:
        if self.listing.api != GRAPH:
            await super().list_items(scope, nursery)
            return
        caller, listing = self.caller, self.listing
        subscription = caller.partition.account
        try:
            await self.inventory.visible(subscription, listing.permission, caller.ask)
        except ReadError as error:
            self.failures.append(("", error))
        try:
            async for rows in self.inventory.rows(subscription, listing.kind, caller.ask):
                nursery.start_soon(self.page, rows, scope)
        except ReadError as error:
            error.permission = error.permission or listing.permission
            self.failures.insert(0, ("", error))

    def item(self, raw: Any, scope: Mapping[str, Any]) -> Item:
        found = super().item(raw, scope)
        found.scope = {**scope, **slots(str(found.data.get("id", "")))}
        listing = self.listing
        if listing.api == GRAPH and not listing.params["inside"]:
            self.whole(found)
        return found

    def whole(self, item: Item) -> None:
        """Note that a row's properties are unread where the graph gives null for them."""
        if item.data.get("properties") is None:
            item.data.pop("properties", None)
            error = withheld("Resource Graph gave the resource without its properties")
            error.permission = self.listing.permission
            item.unread["properties"] = error

    def adorned(self, item: Item) -> bool:
        """Fields of ours are made of the properties: without those, there is no such resource."""
        error = item.unread.get("properties")
        if error and self.listing.shape:
            self.failures.append(("", error))
            return False
        return super().adorned(item)

    async def children(self, parent: Parent, scope: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        return [
            {
                **child,
                "group": (own := slots(str(child["parent_id"])))["group"],
                "parent": own["resource"],
            }
            for child in await super().children(parent, scope)
        ]


def slots(id: str) -> dict[str, str]:
    """What an id says of where a resource is: its group, its own name, and that of what it is in."""
    steps = id.split("/")
    group = steps[4] if len(steps) > 4 and steps[3].lower() == "resourcegroups" else ""
    # /subscriptions/S/resourceGroups/G/providers/SPACE/type/NAME/type/NAME
    parent = steps[8] if len(steps) > 10 else ""
    return {"group": group, "resource": steps[-1], "parent": parent}
