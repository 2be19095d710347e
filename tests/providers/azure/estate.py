"""A small estate with a resource of every kind, so that every call of the tables is made."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import trio

from infrascan import redact
from infrascan.collect.engine import Collected, Collection
from infrascan.collect.provider import Call, Selection
from infrascan.model import Partition, ReadError, Resource
from infrascan.providers.azure import IN_GRAPH, Azure
from infrascan.providers.azure.inventory import Inventory
from infrascan.providers.azure.signing import Session
from infrascan.providers.azure.tables import nested
from tests.servers.azure import Estate, token

ONE = "11111111-aaaa-4aaa-8aaa-000000000001"
TWO = "22222222-bbbb-4bbb-8bbb-000000000002"
GROUP = f"/subscriptions/{ONE}/resourceGroups/shop"
OBSERVED = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)
# What makes a table ask for all its details.
LIVELY: dict[str, dict[str, Any]] = {
    "azure.compute.virtual_machine": {
        "properties": {"extended": {"instanceView": {"powerState": {"code": "PowerState/running"}}}}
    },
    "azure.network.virtual_network": {
        "properties": {
            "subnets": [
                {
                    "id": f"{GROUP}/providers/Microsoft.Network/virtualNetworks/one/subnets/web",
                    "name": "web",
                    "properties": {"addressPrefix": "10.0.0.0/24"},
                }
            ]
        }
    },
    "azure.cdn.profile": {"sku": {"name": "Premium_AzureFrontDoor"}},
    "azure.dbforpostgresql.flexible_server": {"properties": {"state": "Ready"}},
    "azure.dbformysql.flexible_server": {"properties": {"state": "Ready"}},
    "azure.web.serverfarm": {"sku": {"tier": "PremiumV3"}},
}


def item(type: str, name: str = "one", subscription: str = ONE, **more: Any) -> dict[str, Any]:
    """A resource as Resource Manager gives it."""
    path = nested(type).replace("{resource}", name).replace("{parent}", "one")
    return {
        "id": f"/subscriptions/{subscription}/resourceGroups/shop/providers/{path}",
        "name": name,
        "type": type,
        "location": "westeurope",
        "tags": {"team": "shop"},
        "properties": {},
        **more,
    }


def everything() -> Estate:
    resources = []
    for listing in IN_GRAPH:
        if not listing.params["inside"]:
            kind = listing.permission.removesuffix("/read")
            resources.append(item(kind, **LIVELY.get(listing.kind, {})))
    rights = f"/subscriptions/{ONE}/providers/Microsoft.Authorization"
    role = {"id": f"{rights}/roleDefinitions/r1", "name": "r1", "properties": {"roleName": "Owner"}}
    group = {"id": GROUP, "name": "shop", "location": "westeurope", "properties": {}}
    given = {
        "id": f"{rights}/roleAssignments/a1",
        "name": "a1",
        "properties": {
            "roleDefinitionId": "/providers/Microsoft.Authorization/roleDefinitions/R1",
            "scope": f"/subscriptions/{ONE}",
            "principalId": "p1",
        },
    }
    return Estate(
        {ONE: "shop-prod", TWO: "shop-dev"},
        resources,
        {
            f"/subscriptions/{ONE}/resourcegroups": [group],
            f"{rights}/roleDefinitions": [role],
            f"{rights}/roleAssignments": [given],
        },
        groups={"shop": [ONE, TWO]},
    )


def opened(*accounts: str) -> Azure:
    """A provider that has signed in and chosen these subscriptions."""
    provider = Azure(Selection(observed=OBSERVED))
    provider.session = Session(token=token(), expires=4e9)
    provider.accounts = {one: {"subscription": one, "tenant": "t"} for one in accounts or (ONE,)}
    provider.inventory = Inventory(sorted(provider.accounts), IN_GRAPH)
    return provider


def read(kind: str, provider: Azure | None = None) -> tuple[list[Resource], ReadError | None]:
    """What one kind of the first subscription gives, without the engine."""
    provider = provider or opened()
    found: list[Resource] = []

    async def ask(call: Call) -> Any:
        try:
            return redact.scrub(await provider.send(call))
        except ReadError as error:
            error.call = error.call or call.api
            raise

    async def work() -> None:
        place = Partition(provider="azure", account=ONE, region="", kind=kind)
        try:
            await provider.read(place, ask, found.append)
        finally:
            provider.close()

    try:
        trio.run(work)
    except ReadError as error:
        return found, error
    return found, None


def scanned(*scopes: str, **more: Any) -> Collected:
    """What the engine collects, from signing in to the last page."""
    provider = Azure(Selection(observed=OBSERVED, scopes={"azure": scopes}))
    return trio.run(Collection(providers=[provider], **more).run)
