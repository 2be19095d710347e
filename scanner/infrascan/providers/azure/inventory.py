"""Resource Graph's rows: read once for all kinds of a group of subscriptions, given out by kind.

Its quota counts queries, so one query with every type is better than one per kind, and small
subscriptions share one. A row that the identity may not see is left out without a word; what it
may see is therefore asked for apart (see `visible`), or a row would be taken for absent.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import translate
from functools import cache
from re import IGNORECASE, Pattern
from re import compile as pattern
from typing import Any

import trio

from infrascan.collect.provider import Ask, Call
from infrascan.model import Partition, ReadError, Reason
from infrascan.paths import values
from infrascan.providers.azure.tables import GRAPH, NEXT
from infrascan.providers.rest.calling import PAGES, Caller, malformed, truncated
from infrascan.providers.rest.tables import Listing

PAGE = 1000  # rows; the most that Resource Graph gives at once
TOGETHER = 300  # subscriptions in a query; more are not advised
APART = 4  # as many subscriptions are asked for one by one, without counting first
COLUMNS = "id, name, type, location, tags, sku, kind, identity, zones, plan, managedBy, properties"
RIGHTS = "GET /subscriptions/{subscription}/providers/Microsoft.Authorization/permissions"
RIGHTS_VERSION = "2022-04-01"


def called(subscriptions: Sequence[str], query: str, token: str = "") -> Call:
    options = {"$top": PAGE, "resultFormat": "objectArray"}
    if token:
        options["$skipToken"] = token
    return Call(
        provider="azure",
        account="",
        region="",
        api=GRAPH,
        params={"subscriptions": list(subscriptions), "query": query, "options": options},
        family="graph",
    )


async def answers(
    ask: Ask, subscriptions: Sequence[str], query: str
) -> AsyncIterator[list[dict[str, Any]]]:
    """The rows of a query, page after page. Raises `ReadError`, also for rows that did not come."""
    call = called(subscriptions, query)
    tokens: set[str] = set()
    seen = 0
    for _ in range(PAGES):
        answer = await ask(call)
        rows = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise malformed(call, "the answer has no data")
        seen += len(rows)
        yield rows
        token = answer.get("next_page")
        if not token:
            total = answer.get("totalRecords")
            if not isinstance(total, int):
                raise malformed(call, "the answer has no totalRecords")
            if seen < total or str(answer.get("resultTruncated")).lower() == "true":
                raise truncated(call, f"the list ended after {seen} of {total} resources")
            return
        if token in tokens:
            raise truncated(call, "the answer led back to a page that was read")
        tokens.add(token)
        call = called(subscriptions, query, token)
    raise truncated(call, f"the list went on after {PAGES} pages")


@dataclass(eq=False)
class Group:
    """Some subscriptions that one query reads. Whoever needs the next page reads it for all."""

    subscriptions: Sequence[str]
    query: str
    kinds: Mapping[str, Sequence[Listing]]  # type -> what its rows are items of
    pages: list[dict[tuple[str, str], list[Any]]] = field(default_factory=list)
    source: AsyncIterator[list[dict[str, Any]]] | None = None
    done: bool = False
    error: ReadError | None = None
    bare: dict[tuple[str, str], ReadError] = field(default_factory=dict)  # of rows that lack a part
    lock: trio.Lock = field(default_factory=trio.Lock)

    async def rows(self, subscription: str, kind: str, ask: Ask) -> AsyncIterator[list[Any]]:
        """The items of one kind, as pages come. Raises `ReadError`: a copy, of the caller's own."""
        at = 0
        while True:
            while at < len(self.pages):
                if found := self.pages[at].pop((subscription, kind), None):
                    yield found
                at += 1
            if self.error:
                raise copied(self.error)
            if self.done:
                if error := self.bare.get((subscription, kind)):
                    raise copied(error)
                return
            async with self.lock:
                if at == len(self.pages) and not self.done:
                    await self.advance(ask)

    async def advance(self, ask: Ask) -> None:
        if self.source is None:
            self.source = answers(ask, self.subscriptions, self.query)
        try:
            rows = await anext(self.source)
        except StopAsyncIteration:
            self.done = True
        except ReadError as error:
            self.error, self.done = error, True
        else:
            self.pages.append(self.sorted(rows))

    def sorted(self, rows: Sequence[dict[str, Any]]) -> dict[tuple[str, str], list[Any]]:
        """The rows by subscription and kind."""
        found: dict[tuple[str, str], list[Any]] = {}
        for row in rows:
            subscription = str(row.get("id", "")).split("/", 3)[2:3]
            where = subscription[0].lower() if subscription else ""
            for listing in self.kinds.get(str(row.get("type", "")).lower(), ()):
                inside = listing.params["inside"]
                if inside and not isinstance(row.get("properties"), dict):
                    inner = "a row came without its properties, and so without what is inside"
                    self.bare[where, listing.kind] = withheld(inner)
                    continue
                if not where:
                    lost = ReadError(Reason.MALFORMED, "a row has no id", call=GRAPH)
                    self.bare |= {(one, listing.kind): lost for one in self.subscriptions}
                items = list(within(row, inside)) if inside else [row]
                found.setdefault((where, listing.kind), []).extend(items)
        return found


def withheld(detail: str) -> ReadError:
    """For a row whose properties the graph keeps back: they are null, and so not empty."""
    return ReadError(Reason.DENIED, detail, code="hidden", call=GRAPH)


def within(row: Mapping[str, Any], path: str) -> list[Any]:
    """The items inside a row; each gets the row's location, which it has from there."""
    found = []
    for item in values(row, path):
        if isinstance(item, dict):
            found.append({"location": row.get("location", ""), **item})
        else:
            found.append(item)
    return found


@dataclass(eq=False)
class Inventory:
    """All rows of the chosen subscriptions."""

    subscriptions: Sequence[str]
    listings: Sequence[Listing]
    groups: dict[str, Group] = field(default_factory=dict)  # by subscription
    rights: dict[str, Sequence[Right] | ReadError] = field(default_factory=dict)
    lock: trio.Lock = field(default_factory=trio.Lock)
    locks: dict[str, trio.Lock] = field(default_factory=dict)

    @property
    def where(self) -> str:
        types = sorted({listing.params["type"] for listing in self.listings})
        return f"resources | where type in~ ({', '.join(map(repr, types))})"

    async def rows(self, subscription: str, kind: str, ask: Ask) -> AsyncIterator[list[Any]]:
        """The items of a kind in a subscription, as pages come. Raises `ReadError`."""
        async with self.lock:
            if not self.groups:
                await self.divide(ask)
        async for found in self.groups[subscription].rows(subscription, kind, ask):
            yield found

    async def divide(self, ask: Ask) -> None:
        """Put small subscriptions together, a page in each query."""
        kinds: dict[str, list[Listing]] = {}
        for listing in self.listings:
            kinds.setdefault(listing.params["type"], []).append(listing)
        query = f"{self.where} | project {COLUMNS} | order by id asc"
        for together in packed(self.subscriptions, await self.counts(ask)):
            group = Group(together, query, kinds)
            self.groups.update(dict.fromkeys(together, group))

    async def counts(self, ask: Ask) -> Mapping[str, int]:
        """How many rows each subscription has; nothing when there are few, or when it fails:
        then each is asked for by itself, and says by itself what is wrong."""
        if len(self.subscriptions) <= APART:
            return {}
        query = f"{self.where} | summarize rows = count() by subscriptionId | order by subscriptionId asc"
        found = dict.fromkeys(self.subscriptions, 0)
        try:
            for start in range(0, len(self.subscriptions), PAGE):
                async for rows in answers(ask, self.subscriptions[start : start + PAGE], query):
                    for row in rows:
                        if isinstance(row.get("rows"), int):
                            found[str(row.get("subscriptionId")).lower()] = row["rows"]
        except ReadError:
            return {}
        return found

    async def visible(self, subscription: str, permission: str, ask: Ask) -> None:
        """Make sure that no row of a kind was withheld. Raises `ReadError` when some may have been."""
        async with self.locks.setdefault(subscription, trio.Lock()):
            if subscription not in self.rights:
                self.rights[subscription] = await rights(subscription, ask)
        found = self.rights[subscription]
        if isinstance(found, ReadError):
            raise copied(found)
        if not any(right.allows(permission) for right in found):
            raise ReadError(
                Reason.DENIED,
                f"{permission} is not granted on the subscription, so what is there may be hidden",
                code="hidden",
                permission=permission,
                call=GRAPH,
            )


def packed(subscriptions: Sequence[str], counts: Mapping[str, int]) -> list[list[str]]:
    """Groups of subscriptions whose rows fill about a page; each by itself when nothing is known."""
    if not counts:
        return [[subscription] for subscription in subscriptions]
    groups: list[list[str]] = []
    rows = PAGE
    for subscription in subscriptions:
        rows += counts.get(subscription, 0)
        if not groups or rows > PAGE or len(groups[-1]) == TOGETHER:
            groups.append([])
            rows = counts.get(subscription, 0)
        groups[-1].append(subscription)
    return groups


@dataclass(frozen=True, slots=True)
class Right:
    """A role's actions at a scope."""

    actions: Sequence[str]
    excluded: Sequence[str]

    def allows(self, action: str) -> bool:
        return any(matches(one, action) for one in self.actions) and not any(
            matches(one, action) for one in self.excluded
        )


def matches(wildcard: str, action: str) -> bool:
    return wild(wildcard).match(action) is not None


@cache
def wild(text: str) -> Pattern[str]:
    return pattern(translate(text), IGNORECASE)


async def rights(subscription: str, ask: Ask) -> Sequence[Right] | ReadError:
    """What the identity may do on the whole subscription, or why that is not known."""
    place = Partition(provider="azure", account=subscription, region="", kind="")
    caller = Caller(place, {}, ask)
    call = caller.call(RIGHTS, {"subscription": subscription, "api-version": RIGHTS_VERSION})
    try:
        found = await caller.everything(call, "value[]", NEXT)
    except ReadError as error:
        return error
    if not all(isinstance(one, dict) for one in found):
        return malformed(call, "an item is no object")
    return [Right(one.get("actions") or (), one.get("notActions") or ()) for one in found]


def copied(error: ReadError) -> ReadError:
    """The error anew: whoever gets it notes the permission that it lacked itself."""
    return ReadError(
        error.reason,
        error.detail,
        code=error.code,
        permission=error.permission,
        call=error.call,
        retry_after=error.retry_after,
    )
