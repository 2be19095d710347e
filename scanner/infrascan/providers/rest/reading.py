"""Reading one partition as its table says: list, complete each item, emit.

What fails is said once: the items of the other parents, and the other details, count.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import trio

from infrascan.collect.provider import Call, Emit
from infrascan.model import Gap, ReadError, Resource
from infrascan.paths import values
from infrascan.providers import templates
from infrascan.providers.rest.calling import Caller, above, label, malformed
from infrascan.providers.rest.tables import Batch, Detail, Listing, Parent

AT_ONCE = 64  # calls of one partition that wait for their turn at the same time


@dataclass(slots=True, eq=False)
class Item:
    """A resource on its way: what is known of it so far."""

    data: dict[str, Any]
    scope: Mapping[str, Any]
    unread: dict[str, ReadError] = field(default_factory=dict)

    def fill(self, template: Any) -> Any:
        return templates.fill(template, {**self.scope, **self.data})


@dataclass(eq=False)
class Lookup:
    """The call of a batch, made when first needed and kept for later pages."""

    lock: trio.Lock = field(default_factory=trio.Lock)
    result: list[Any] | ReadError | None = None

    async def get(self, read: Callable[[], Awaitable[list[Any]]]) -> list[Any]:
        async with self.lock:
            if self.result is None:
                try:
                    self.result = await read()
                except ReadError as error:
                    self.result = error
        if isinstance(self.result, ReadError):
            raise self.result
        return self.result


@dataclass(eq=False)
class Reading:
    """One partition being read."""

    listing: Listing
    caller: Caller
    emit: Emit
    limit: trio.CapacityLimiter = field(default_factory=lambda: trio.CapacityLimiter(AT_ONCE))
    lookups: dict[str, Lookup] = field(default_factory=dict)
    failures: list[tuple[str, ReadError]] = field(default_factory=list)  # (of which parent, why)
    places: int = 0  # parents there were

    async def run(self) -> None:
        """Read it all. Raises a `ReadError` for the lists that failed, after the rest is done."""
        scopes: list[Mapping[str, Any]]
        scopes = [{**self.caller.scope, **names} for names in self.listing.each or ({},)]
        for parent in self.listing.parents:
            scopes = await self.below(parent, scopes)
        self.places = len(scopes)
        async with trio.open_nursery() as nursery:
            for scope in scopes:
                nursery.start_soon(self.list_items, scope, nursery)
        if self.failures:
            raise self.failure()

    def failure(self) -> ReadError:
        """All failed lists in one error, which names how many and the first."""
        ordered = sorted(self.failures, key=lambda pair: pair[0])
        where, first = ordered[0]
        if not where or not (self.listing.parents or self.listing.each):
            return first
        many = (
            f"{len(ordered)} of {self.places} lists failed, the first for {where}: {first.detail}"
            if self.places > 1
            else f"{where}: {first.detail}"
        )
        return ReadError(
            first.reason,
            many,
            code=first.code,
            permission=first.permission,
            call=first.call,
            retry_after=first.retry_after,
        )

    async def below(
        self, parent: Parent, scopes: Sequence[Mapping[str, Any]]
    ) -> list[Mapping[str, Any]]:
        """The scopes that a parent call opens in each of `scopes`, in order."""
        found: list[list[Mapping[str, Any]]] = [[] for _ in scopes]

        async def one(place: int, scope: Mapping[str, Any]) -> None:
            try:
                found[place] = await self.children(parent, scope)
            except ReadError as error:
                self.failures.append((label(scope, self.caller.scope), error))

        async with trio.open_nursery() as nursery:
            for place, scope in enumerate(scopes):
                nursery.start_soon(one, place, scope)
        return [child for children in found for child in children]

    async def children(self, parent: Parent, scope: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        call = self.caller.call(parent.api, filled(parent.params, parent.api, scope))
        children: list[Mapping[str, Any]] = []
        async with self.limit:
            items = await self.parent_items(parent, call)
        for item in items:
            if parent.when and not templates.holds(parent.when, item):
                continue
            given = {
                name: templates.first(item, path) if path else item
                for name, path in parent.gives.items()
            }
            missing = [name for name, value in given.items() if value is None]
            if missing:
                raise malformed(call, f"an item has no {parent.gives[missing[0]]}")
            children.append({**scope, **given})
        return children

    async def parent_items(self, parent: Parent, call: Call) -> Sequence[Any]:
        """The items of a parent call; a provider may share them among its kinds."""
        return await self.caller.everything(
            call, parent.items, parent.paging, parent.permission, optional=parent.optional
        )

    async def list_items(self, scope: Mapping[str, Any], nursery: trio.Nursery) -> None:
        """List the items of one scope; each page is completed while the next is read."""
        listing = self.listing
        try:
            call = self.caller.call(listing.api, filled(listing.params, listing.api, scope))
            async with self.limit:
                if not listing.items:
                    answer = await self.caller.asked(call, listing.permission)
                    if not isinstance(answer, dict):
                        raise malformed(call, "the answer is no object")
                    nursery.start_soon(self.page, [answer], scope)
                    return
                async for items in self.caller.pages(
                    call,
                    listing.items,
                    listing.paging,
                    listing.permission,
                    optional=listing.optional,
                ):
                    if items:
                        nursery.start_soon(self.page, items, scope)
        except ReadError as error:
            if not (error.code and error.code in listing.absent):
                self.failures.append((label(scope, self.caller.scope), error))

    async def page(self, raws: Sequence[Any], scope: Mapping[str, Any]) -> None:
        """Complete and emit the items of one page."""
        try:
            page = [
                self.item(raw, scope)
                for raw in raws
                if not self.listing.only or templates.holds(self.listing.only, raw)
            ]
        except ReadError as error:
            self.failures.append(("", error))
            return
        merged = [detail for detail in self.listing.details if not detail.field]
        added = [detail for detail in self.listing.details if detail.field]
        if merged:
            await self.complete(page, merged)
        whole = [item for item in page if self.adorned(item)]
        await self.complete(whole, added)
        for item in whole:
            try:
                self.emit(self.resource(item))
            except ReadError as error:
                self.failures.append(("", error))

    def item(self, raw: Any, scope: Mapping[str, Any]) -> Item:
        if self.listing.wrap:
            return Item({self.listing.wrap: raw}, scope)
        if not isinstance(raw, dict):
            raise malformed(self.caller.call(self.listing.api), "an item is no object")
        return Item(dict(raw), scope)

    def adorned(self, item: Item) -> bool:
        """Fill in our own fields, now that the item is whole; False for one that cannot be read."""
        listing = self.listing
        try:
            item.data = self.shaped(listing, item.data)
        except ReadError as error:
            self.failures.append(("", error))
            return False
        for name, template in listing.adds.items():
            try:
                item.data[name] = item.fill(template)
            except templates.MissingError:
                continue
        if listing.tags:
            item.data["tags"] = tags(templates.first(item.data, listing.tags))
        return True

    async def complete(self, page: Sequence[Item], details: Sequence[Detail | Batch]) -> None:
        """Make the calls for every item at once."""
        async with trio.open_nursery() as nursery:
            for detail in details:
                if isinstance(detail, Batch):
                    nursery.start_soon(self.share, page, detail)
                    continue
                for item in page:
                    nursery.start_soon(self.detail, item, detail)

    async def detail(self, item: Item, detail: Detail) -> None:
        """Make one detail call and store what it gives, or why it gave nothing."""
        if detail.when and not templates.holds(detail.when, item.data):
            above = detail.when.partition("=")[0].partition(".")[0]
            if above in item.unread:
                item.unread[detail.field] = item.unread[above]
            elif detail.field:
                item.data[detail.field] = None
            return
        try:
            async with self.limit:
                found = await self.found(item, detail)
        except ReadError as error:
            if error.code and error.code in detail.absent:
                found = None
            else:
                error.call = error.call or detail.api
                names = (detail.field,) if detail.field else tuple(detail.fields or ())
                for name in names:
                    item.unread[name] = error
                if not names:  # a merged detail whose fields nobody listed: none may count as read
                    self.failures.append((label(item.scope, self.caller.scope), error))
                return
        if detail.field:
            item.data[detail.field] = found
        elif isinstance(found, dict):
            item.data |= found

    async def found(self, item: Item, detail: Detail) -> Any:
        """What a detail call gives. Raises `ReadError`."""
        call = self.caller.call(detail.api)
        try:
            scope = {**item.scope, **item.data}
            call = self.caller.call(detail.api, filled(detail.params, detail.api, scope))
        except templates.MissingError as missing:
            raise malformed(call, f"the item has no {missing}") from missing
        kept: Any
        if detail.result.endswith("[]"):
            kept = await self.caller.everything(
                call, detail.result, detail.paging, detail.permission, optional=detail.optional
            )
        else:
            answer = await self.caller.asked(call, detail.permission)
            there, kept = templates.elements(answer, detail.result)
            if not there and not (detail.optional and above(answer, detail.result)):
                raise malformed(call, f"the answer has no {detail.result}")
            if not detail.field and not isinstance(kept, dict):
                raise malformed(call, "the answer is no object")
        return self.shaped(detail, kept)

    def shaped(self, table: Listing | Detail | Batch, found: Any) -> Any:
        """What a table's function makes of an answer. Raises `ReadError` for one that it cannot read."""
        if table.shape is None or found is None:
            return found
        try:
            return table.shape(found)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            call = self.caller.call(table.api)
            raise malformed(call, f"the answer is of another form: {error!r}") from error

    async def share(self, page: Sequence[Item], batch: Batch) -> None:
        """Give each item what is about it out of one call's elements."""
        lookup = self.lookups.setdefault(batch.field, Lookup())
        params = filled(batch.params, batch.api, self.caller.scope)

        async def read() -> list[Any]:
            call = self.caller.call(batch.api, params)
            return await self.caller.everything(call, batch.result, batch.paging, batch.permission)

        try:
            elements = await lookup.get(read)
        except ReadError as error:
            for item in page:
                item.unread[batch.field] = error
            return
        index: dict[str, list[Any]] = {}
        for element in elements:
            for key in templates.keys(element, batch.by):
                index.setdefault(key, []).append(element)
        for item in page:
            try:
                about = [
                    templates.first(element, batch.value) if batch.value else element
                    for element in index.get(str(item.fill(batch.match)), ())
                ]
                found = about if batch.many else about[0] if about else batch.otherwise
                item.data[batch.field] = self.shaped(batch, found) if about else found
            except templates.MissingError as missing:
                call = self.caller.call(batch.api)
                item.unread[batch.field] = malformed(call, f"the item has no {missing}")
            except ReadError as error:
                item.unread[batch.field] = error

    def resource(self, item: Item) -> Resource:
        listing, partition = self.listing, self.caller.partition
        try:
            identifier = str(item.fill(listing.id))
            region = str(item.fill(listing.region)) if listing.region else partition.region
        except templates.MissingError as missing:
            raise malformed(self.caller.call(listing.api), f"an item has no {missing}") from missing
        found = (named(item, path) for path in listing.name)
        resource = Resource(
            kind=listing.kind,
            id=identifier,
            name=str(next((name for name in found if name), identifier)),
            provider=partition.provider,
            account=partition.account,
            region=region,
            data=item.data,
        )
        for name, error in item.unread.items():
            resource.unread[name] = Gap(
                provider=partition.provider,
                account=partition.account,
                region=region,
                kind=listing.kind,
                call=error.call,
                reason=error.reason,
                detail=error.detail,
                permission=error.permission,
                resource=resource.key,
                field=name,
            )
        return resource


def filled(params: Mapping[str, Any], api: str, scope: Mapping[str, Any]) -> Mapping[str, Any]:
    """The parameters of a call, with the slots of its path. Raises `MissingError`.

    A slot that the parameters do not give takes the value of that name in the scope.
    """
    slots = {name: "{" + name + "}" for name in templates.SLOT.findall(api) if name not in params}
    found: Mapping[str, Any] = templates.fill({**slots, **params}, scope)
    return found


def named(item: Item, path: str) -> Any:
    """What a path or a template of names gives for an item, or None."""
    if "{" not in path:
        return templates.first(item.data, path)
    try:
        return item.fill(path)
    except templates.MissingError:
        return None


def tags(found: Any) -> dict[str, str]:
    """Tags as a map; a word without a value becomes a key with ""."""
    if isinstance(found, list) and all(isinstance(word, str) for word in found):
        return dict.fromkeys(found, "")
    return templates.tags(found)


def drop(answer: Any, path: str) -> None:
    """Take what is at a path out of an answer: a secret, which nothing may keep."""
    *steps, last = path.split(".")
    for place in values(answer, ".".join(steps)):
        if not isinstance(place, dict):
            continue
        if last == "*":
            place.clear()
        else:
            place.pop(last, None)
