"""Reading one partition: what the inventory listed of it, or what its service answers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from infrascan.collect.provider import Ask, Call, Emit
from infrascan.model import Gap, Partition, ReadError, Reason, Resource
from infrascan.providers import templates
from infrascan.providers.gcp import watching
from infrascan.providers.gcp.inventory import API, Found, Inventory
from infrascan.providers.gcp.kinds import ASSETS, LIST, NODES
from infrascan.providers.gcp.scopes import Scope
from infrascan.providers.gcp.shapes import SHAPES, location, node
from infrascan.providers.gcp.tables import Asset
from infrascan.providers.rest.calling import Caller, truncated
from infrascan.providers.rest.reading import Item as RestItem
from infrascan.providers.rest.reading import Reading, named, tags

# Where answers of the services say which places they could not ask.
SILENT = ("unreachables", "unreachable", "missingZones")


@dataclass(frozen=True)
class ServiceCaller(Caller):
    """Makes the calls of one partition; each service has quotas of its own."""

    def call(self, api: str, params: Mapping[str, Any] | None = None) -> Call:
        family = api.partition(" ")[2].partition(".")[0]
        return dataclasses.replace(super().call(api, params), family=family)

    def following(self, call: Call, answer: Any, paging: Any, page: int, count: int) -> Call | None:
        """The call for the next page. Raises `ReadError` when places are missing from this one."""
        for name in SILENT:
            if isinstance(answer, dict) and answer.get(name):
                places = ", ".join(str(place) for place in answer[name][:5])
                raise truncated(call, f"the answer leaves out what could not be reached: {places}")
        return super().following(call, answer, paging, page, count)


@dataclass(eq=False)
class Read:
    """One partition being read."""

    partition: Partition
    scope: Scope
    ask: Ask
    emit: Emit
    observed: datetime

    @property
    def asset(self) -> Asset:
        return ASSETS[self.partition.kind]

    @property
    def caller(self) -> ServiceCaller:
        account = self.partition.account
        day_ago = self.observed - timedelta(days=1)
        scope = {
            "account": account,
            "project": account,
            "day_ago_utc": f"{day_ago:%Y-%m-%dT%H:%M:%SZ}",
        }
        return ServiceCaller(self.partition, scope, self.ask)

    async def run(self) -> None:
        """Read it all. Raises `ReadError` for a list that failed, after the rest is done."""
        asset, inventory = self.asset, self.scope.inventory
        if not asset.types or self.scope.off is not None or inventory is None:
            if not await self.nothing(asset.container, inventory):
                await self.served()
            return
        await inventory.ready(self.ask)
        failure = inventory.failure("RESOURCE", asset.kind)
        found = inventory.pop(self.partition.account, asset.kind)
        if failure and failure.code == "INVALID_ARGUMENT" and not found and asset.rest:
            await self.served()
            return
        resources = [self.resource(item) for item in found]
        for resource, item in zip(resources, found, strict=True):
            self.policies(resource, item, inventory)
        await self.finish(resources)
        if failure:
            raise failure

    async def nothing(self, container: str, inventory: Inventory | None) -> bool:
        """Whether the inventory says for certain that there is nothing to ask the service for.

        Most projects have no DNS zone, and the service is switched off in them.
        """
        if not container or inventory is None:
            return False
        await inventory.ready(self.ask)
        listed = inventory.failure("RESOURCE", container) is None
        return listed and (self.partition.account, container) not in inventory.seen

    # out of the inventory

    def resource(self, found: Found) -> Resource:
        asset, data = self.asset, found.data()
        where = found.name.removeprefix("//").partition("/")[2]
        data["ancestors"] = found.ancestors
        item = RestItem(data, {"account": self.partition.account})
        wrong = ""
        try:
            self.shape(data, where)
        except (AttributeError, TypeError, ValueError) as error:
            wrong = f"the asset is of another form: {error!r}"
        location = found.location.lower()
        resource = Resource(
            kind=asset.kind,
            id=filled(asset.id, item) or where,
            name=str(next(filter(None, (named(item, path) for path in asset.name)), where)),
            provider="gcp",
            account=self.partition.account,
            region="" if location == "global" else location or place(data),
            data=data,
        )
        for name in asset.adds if wrong else ():
            self.unread(resource, name, ReadError(Reason.MALFORMED, wrong, call=API))
        return resource

    def shape(self, data: dict[str, Any], where: str) -> None:
        """Put labels where every provider has its tags, and add our own fields."""
        if "tags" in data:
            data["own_tags"] = data["tags"]
        labels = templates.first(data, self.asset.labels) if self.asset.labels else None
        data["tags"] = tags(labels) if isinstance(labels, dict) else {}
        if shape := SHAPES.get(self.asset.kind):
            shape(data, where)

    def policies(self, resource: Resource, found: Found, inventory: Inventory) -> None:
        """Add the IAM policy and the organisation policies, or say why they are not there."""
        kind = self.asset.kind
        if self.asset.policy:
            policy = inventory.policies.pop(found.name, None)
            if policy is not None:
                resource.data["iam_policy"] = policy
            elif error := inventory.failure("IAM_POLICY", kind):
                self.unread(resource, "iam_policy", error)
        if kind in NODES:
            if (constraints := inventory.org_policies.pop(found.name, None)) is not None:
                resource.data["org_policies"] = constraints
            elif error := inventory.failure("ORG_POLICY", kind):
                self.unread(resource, "org_policies", error)
            self.turn(resource)

    def turn(self, resource: Resource) -> None:
        try:
            node(resource.data, resource.id)
        except TypeError as error:
            wrong = ReadError(Reason.MALFORMED, f"the policy is of another form: {error}", call=API)
            self.unread(resource, "iam_members", wrong)
        if "iam_policy" in resource.unread:
            resource.unread["iam_members"] = resource.unread["iam_policy"]

    # out of the service

    async def served(self) -> None:
        """Ask the service itself. Raises `ReadError`."""
        asset = self.asset
        if asset.rest is None:
            raise self.closed(f"{asset.title}: read from Cloud Asset Inventory alone, which is ")
        resources: list[Resource] = []
        failure: ReadError | None = None
        listing = dataclasses.replace(asset.rest, name=asset.name, shape=self.shaped)
        try:
            await Reading(listing, self.caller, resources.append).run()
        except ReadError as error:
            failure = error
        for resource in resources:
            self.unpolicied(resource)
        await self.finish(resources)
        if failure:
            raise failure
        if asset.leaves:
            raise self.closed(
                f"{asset.leaves} are listed by Cloud Asset Inventory alone, which is "
            )

    def shaped(self, data: dict[str, Any]) -> dict[str, Any]:
        self.shape(data, str(data.get("selfLink") or data.get("name") or ""))
        return data

    def unpolicied(self, resource: Resource) -> None:
        """Say that the policies were not read: the service's list has none."""
        asset = self.asset
        if asset.policy and "iam_policy" not in resource.data:
            error = self.closed("IAM policies are read from Cloud Asset Inventory, which is ")
            resource.unread.setdefault("iam_policy", self.gap(resource, "iam_policy", error))
        if asset.kind in NODES:
            error = self.closed(
                "organisation policies are read from Cloud Asset Inventory, which is "
            )
            self.unread(resource, "org_policies", error)
            self.turn(resource)

    def closed(self, what: str) -> ReadError:
        """The gap for what only the inventory says, with how to open it."""
        off = self.scope.off
        if off is None:  # only this type is not in the inventory
            return ReadError(Reason.DISABLED, f"{what}without this kind", call=API)
        why = "switched off" if off.reason is Reason.DISABLED else "denied"
        return ReadError(
            off.reason,
            f"{what}{why} for {self.scope.name}; {self.scope.remedy}",
            code=off.code,
            permission=LIST,
            call=API,
        )

    # both

    async def finish(self, resources: Sequence[Resource]) -> None:
        """Complete the resources with metrics and recommendations, and emit them."""
        failed: dict[str, ReadError] = {}
        if resources and self.asset.metrics:
            failed |= await watching.measure(self.asset, resources, self.caller, self.observed)
        if resources and self.asset.recommenders:
            failed |= await watching.recommend(self.asset, resources, self.caller)
        for resource in resources:
            for name, error in failed.items():
                self.unread(resource, name, error)
            self.emit(resource)

    def unread(self, resource: Resource, name: str, error: ReadError) -> None:
        resource.unread[name] = self.gap(resource, name, error)

    def gap(self, resource: Resource, name: str, error: ReadError) -> Gap:
        return Gap(
            provider="gcp",
            account=resource.account,
            region=resource.region,
            kind=resource.kind,
            call=error.call,
            reason=error.reason,
            detail=error.detail,
            permission=error.permission or self.permission(name),
            resource=resource.key,
            field=name,
        )

    def permission(self, name: str) -> str:
        from infrascan.providers.gcp.kinds import permissions

        return dict(permissions(self.asset)).get(name, "")


def filled(template: str, item: RestItem) -> str:
    """The template filled from the item; "" when that lacks something."""
    try:
        return str(item.fill(template)) if template else ""
    except templates.MissingError:
        return ""


def place(data: Mapping[str, Any]) -> str:
    """The location as the resource's own data gives it, for assets without one."""
    for name in ("zone", "region", "location"):
        if isinstance(data.get(name), str) and data[name]:
            found = str(data[name]).rpartition("/")[2].lower()
            return "" if found == "global" else found
    return location(str(data.get("name", "")))
