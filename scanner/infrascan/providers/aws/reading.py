"""Reading one partition as its table says: list, complete each item, emit.

Only a failed list call fails the partition, and what came before it still counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import trio

from infrascan.collect.provider import Emit
from infrascan.model import Gap, ReadError, Resource
from infrascan.providers import templates
from infrascan.providers.aws.calling import Caller, malformed
from infrascan.providers.aws.completing import Completion, Item
from infrascan.providers.aws.tables import Listing, Parent


@dataclass(eq=False)
class Reading:
    """One partition being read."""

    listing: Listing
    caller: Caller
    emit: Emit
    completion: Completion = field(init=False)
    seen: set[str] = field(default_factory=set)
    failure: ReadError | None = None

    def __post_init__(self) -> None:
        self.completion = Completion(self.listing, self.caller)

    async def run(self) -> None:
        """Read it all. Raises the first `ReadError` of a list call, after the rest is done."""
        scopes = [self.caller.scope]
        for parent in self.listing.parents:
            scopes = [child for scope in scopes for child in await self.children(parent, scope)]
        async with trio.open_nursery() as nursery:
            for scope in scopes:
                nursery.start_soon(self.items, scope, nursery)
        if self.failure:
            raise self.failure

    async def children(self, parent: Parent, scope: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The names that each item of a parent call gives, beside those there were."""
        service = parent.service or self.listing.service
        call = self.caller.call(service, parent.operation, templates.fill(parent.params, scope))
        items = await self.caller.everything(call, parent.items, parent.paging, parent.permission)
        return [
            {
                **scope,
                **{
                    name: templates.first(item, path) if path else item
                    for name, path in parent.gives.items()
                },
            }
            for item in items
        ]

    async def items(self, scope: Mapping[str, Any], nursery: trio.Nursery) -> None:
        """List the items of one scope; each page is completed while the next is read."""
        listing = self.listing
        if not listing.operation:
            nursery.start_soon(self.page, [{}], scope)
            return
        params = templates.fill(listing.params, scope)
        call = self.caller.call(listing.service, listing.operation, params)
        try:
            async for items in self.caller.pages(
                call,
                listing.items,
                listing.paging,
                listing.permission,
                omitted=listing.omitted_when_empty,
                needs=listing.needs,
                most=listing.most,
            ):
                if items:
                    nursery.start_soon(self.page, items, scope)
        except ReadError as error:
            self.failure = self.failure or error

    async def page(self, items: Sequence[Any], scope: Mapping[str, Any]) -> None:
        """Complete and emit the items of one page."""
        page = [self.item(raw, scope) for raw in items if self.is_newest(raw)]
        merged = [detail for detail in self.listing.details if not detail.field]
        added = [detail for detail in self.listing.details if detail.field]
        if merged:
            await self.completion.complete(page, merged)
        for item in page:
            self.adorn(item)
        await self.completion.complete(page, added, metrics=bool(self.listing.metrics))
        for item in page:
            try:
                self.emit(self.resource(item))
            except ReadError as error:
                self.failure = self.failure or error

    def is_newest(self, raw: Any) -> bool:
        if not self.listing.newest:
            return True
        scope = {self.listing.wrap: raw} if self.listing.wrap else raw
        mark = str(templates.fill(self.listing.newest, scope))
        if mark in self.seen:
            return False
        self.seen.add(mark)
        return True

    def item(self, raw: Any, scope: Mapping[str, Any]) -> Item:
        item = Item({self.listing.wrap: raw} if self.listing.wrap else dict(raw), scope)
        self.add(item)
        return item

    def add(self, item: Item) -> None:
        for name, template in self.listing.adds.items():
            if name not in item.data:
                try:
                    item.data[name] = item.fill(template)
                except templates.MissingError:
                    continue

    def adorn(self, item: Item) -> None:
        """Fill in our own fields, now that the item is whole, and open its documents."""
        self.add(item)
        if self.listing.tags:
            above = self.listing.tags.partition(".")[0]
            if above in item.unread:
                item.unread["tags"] = item.unread[above]
            else:
                item.store("tags", templates.first(item.data, self.listing.tags))
        for path in self.listing.documents:
            try:
                templates.open_documents(item.data, (path,))
            except ValueError:
                name = path.partition(".")[0].removesuffix("[]")
                item.data.pop(name, None)
                call = self.caller.call(self.listing.service, self.listing.operation)
                item.unread[name] = malformed(call, f"{path} is not JSON")

    def resource(self, item: Item) -> Resource:
        listing, partition = self.listing, self.caller.partition
        try:
            identifier = str(item.fill(listing.id))
        except templates.MissingError as missing:
            call = self.caller.call(listing.service, listing.operation)
            raise malformed(call, f"an item has no {missing}") from missing
        found = (named(item, path) for path in listing.name)
        resource = Resource(
            kind=listing.kind,
            id=identifier,
            name=str(next((name for name in found if name), identifier)),
            provider=partition.provider,
            account=partition.account,
            region=partition.region,
            data=item.data,
        )
        for name, error in item.unread.items():
            resource.unread[name] = Gap(
                provider=partition.provider,
                account=partition.account,
                region=partition.region,
                kind=listing.kind,
                call=error.call,
                reason=error.reason,
                detail=error.detail,
                permission=error.permission,
                resource=resource.key,
                field=name,
            )
        return resource


def named(item: Item, path: str) -> Any:
    """What a path or a template of names gives for an item, or None."""
    if "{" not in path:
        return templates.first(item.data, path)
    try:
        return item.fill(path)
    except templates.MissingError:
        return None
