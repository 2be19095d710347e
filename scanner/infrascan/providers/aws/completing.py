"""Completing items: the detail calls, batches and metrics that a table names.

What could not be read is noted on the item; nothing here fails the partition.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import trio

from infrascan.model import ReadError, Reason
from infrascan.providers import templates
from infrascan.providers.aws import report
from infrascan.providers.aws.calling import Caller, malformed, truncated
from infrascan.providers.aws.metrics import Window
from infrascan.providers.aws.tables import NEXT_TOKEN, UNREAD, Batch, Detail, Listing
from infrascan.providers.rest.reading import Lookup

AT_ONCE = 64  # detail calls of one partition that wait for their turn at the same time
REPORT_POLLS = 20
REPORT_SECONDS = 2.0


@dataclass(slots=True, eq=False)
class Item:
    """A resource on its way: what is known of it so far."""

    data: dict[str, Any]
    scope: Mapping[str, Any]  # the names that templates can use beside the data
    unread: dict[str, ReadError] = field(default_factory=dict)

    def fill(self, template: Any) -> Any:
        return templates.fill(template, {**self.scope, **self.data})

    def store(self, name: str, found: Any) -> None:
        if not name:
            self.data |= found
        else:
            self.data[name] = templates.tags(found) if name == "tags" else found


@dataclass(eq=False)
class Completion:
    """Completes the items of one partition."""

    listing: Listing
    caller: Caller
    limit: trio.CapacityLimiter = field(default_factory=lambda: trio.CapacityLimiter(AT_ONCE))
    lookups: dict[str, Lookup] = field(default_factory=dict)

    async def complete(
        self, page: Sequence[Item], details: Sequence[Detail | Batch], *, metrics: bool = False
    ) -> None:
        """Make the calls for every item at once."""
        async with trio.open_nursery() as nursery:
            for detail in details:
                if isinstance(detail, Batch) and not detail.ids:
                    nursery.start_soon(self.look_up, page, detail)
                elif isinstance(detail, Batch):
                    for start in range(0, len(page), detail.size):
                        part = page[start : start + detail.size]
                        nursery.start_soon(self.batch, part, detail)
                else:
                    for item in page:
                        nursery.start_soon(self.detail, item, detail)
            if metrics:
                for region, items in self.by_region(page).items():
                    nursery.start_soon(self.measure, items, region)

    async def detail(self, item: Item, detail: Detail) -> None:
        """Make one detail call and store what it gives, or why it gave nothing."""
        if detail.when:
            above = detail.when.partition("=")[0].partition(".")[0]
            if above in item.unread:
                item.unread[detail.field] = item.unread[above]
                return
            if not templates.holds(detail.when, item.data):
                item.store(detail.field, None)
                return
        try:
            async with self.limit:
                item.store(detail.field, await self.found(item, detail))
        except ReadError as error:
            if error.code and error.code in detail.absent:
                item.store(detail.field, None)
            else:
                self.failed(item, detail, error)

    async def found(self, item: Item, detail: Detail) -> Any:
        """What a detail call gives. Raises `ReadError`."""
        call = self.caller.call(self.service(detail), detail.operation)
        try:
            params = item.fill(detail.params)
        except templates.MissingError as missing:
            raise malformed(call, f"the item has no {missing}") from missing
        region = self.region(item, detail.region)
        call = self.caller.call(self.service(detail), detail.operation, params, region)
        kept: Any
        if detail.result.endswith("[]"):
            kept = await self.caller.everything(
                call, detail.result, detail.paging, detail.permission, omitted=detail.optional
            )
        else:
            answer = await self.caller.asked(call, detail.permission)
            there, kept = templates.elements(answer, detail.result)
            if not there and not detail.optional:
                raise malformed(call, f"the answer has no {detail.result}")
            if detail.needs and not templates.elements(answer, detail.needs)[0]:
                raise malformed(call, f"the answer has no {detail.needs}")
            for name, path in detail.beside.items():
                item.store(name, templates.first(answer, path))
        if kept is not None and detail.pairs:
            kept = templates.pairs(kept)
        try:
            return templates.open_documents(kept, detail.documents)
        except ValueError as error:
            raise malformed(call, "a document in the answer is not JSON") from error

    async def look_up(self, page: Sequence[Item], batch: Batch) -> None:
        """Complete items from one call that covers the partition."""
        lookup = self.lookups.setdefault(batch.field, Lookup())
        params = templates.fill(batch.params, self.caller.scope)
        try:
            elements = await lookup.get(lambda: self.elements(batch, params))
        except ReadError as error:
            for item in page:
                self.failed(item, batch, error)
        else:
            self.share(page, batch, elements)

    async def batch(self, items: Sequence[Item], batch: Batch) -> None:
        """Complete as many items as one call takes."""
        matches = [str(item.fill(batch.match)) for item in items]
        params = {**items[0].fill(batch.params), batch.ids: matches}
        try:
            elements = await self.elements(batch, params)
        except ReadError as error:
            for item in items:
                self.failed(item, batch, error)
        else:
            self.share(items, batch, elements)

    async def elements(self, batch: Batch, params: Mapping[str, Any]) -> list[Any]:
        """All elements of a batch's answer. Raises `ReadError`."""
        service = self.service(batch)
        call = self.caller.call(service, batch.operation, params)
        if batch.prepare:
            await self.prepare(service, batch.prepare)
        if not batch.csv:
            return await self.caller.everything(
                call, batch.result, batch.paging, batch.permission, omitted=batch.optional
            )
        answer = await self.caller.asked(call, batch.permission)
        there, text = templates.elements(answer, batch.result)
        if not there:
            raise malformed(call, f"the answer has no {batch.result}")
        return report.rows(text)

    async def prepare(self, service: str, operation: str) -> None:
        """Repeat the call that makes AWS prepare an answer until that is ready."""
        for poll in range(REPORT_POLLS):
            # Each poll is a call of its own in a recording; "#" keys are not sent.
            call = self.caller.call(service, operation, {"#poll": poll} if poll else {})
            if templates.first(await self.caller.asked(call), "State") == "COMPLETE":
                return
            await trio.sleep(REPORT_SECONDS)
        raise ReadError(
            Reason.TIMED_OUT,
            f"not ready after {REPORT_POLLS * REPORT_SECONDS:.0f} s",
            call=f"{service}.{operation}",
        )

    def share(self, items: Sequence[Item], batch: Batch, elements: Sequence[Any]) -> None:
        """Give each item the elements about it."""
        index: dict[str, list[Any]] = {}
        for element in elements:
            for key in templates.keys(element, batch.by):
                index.setdefault(key, []).append(element)
        for item in items:
            self.assign(item, batch, index.get(str(item.fill(batch.match)), []))

    def assign(self, item: Item, batch: Batch, elements: Sequence[Any]) -> None:
        if batch.flag:
            item.store(batch.field, bool(elements))
            return
        kept = [templates.first(e, batch.value) if batch.value else e for e in elements]
        if batch.many:
            item.store(batch.field, kept)
        elif kept:
            item.store(batch.field, kept[0])
        elif batch.otherwise == UNREAD:
            call = self.caller.call(self.service(batch), batch.operation)
            self.failed(item, batch, truncated(call, "the answer leaves this resource out"))
        else:
            item.store(batch.field, batch.otherwise)

    async def measure(self, items: Sequence[Item], region: str) -> None:
        """Add the metrics of items in one region."""
        window = Window(self.listing.metrics, self.caller.place.observed)
        answers = []
        try:
            for params in window.requests([{**item.scope, **item.data} for item in items]):
                call = self.caller.call("cloudwatch", "GetMetricData", params, region)
                answers.append(
                    await self.caller.everything(call, "MetricDataResults[]", NEXT_TOKEN)
                )
            measured = window.values(answers)
        except ReadError as error:
            for item in items:
                item.unread["metrics"] = error
        else:
            for item, metrics in zip(items, measured, strict=True):
                item.data["metrics"] = metrics

    def by_region(self, page: Sequence[Item]) -> dict[str, list[Item]]:
        found: dict[str, list[Item]] = {}
        for item in page:
            found.setdefault(self.region(item, self.listing.region), []).append(item)
        return found

    def region(self, item: Item, template: str) -> str:
        """The region of an item's own, or "" for the partition's."""
        try:
            return str(item.fill(template)) if template else ""
        except templates.MissingError:
            return ""

    def service(self, detail: Detail | Batch) -> str:
        return detail.service or self.listing.service

    def failed(self, item: Item, detail: Detail | Batch, error: ReadError) -> None:
        """Note what a failed call leaves unread."""
        for name in detail.beside if isinstance(detail, Detail) else ():
            item.unread[name] = error
        if detail.field:
            item.unread[detail.field] = error
            return
        from infrascan.providers.aws.fields import members

        for name in members(self.service(detail), detail):
            if name not in item.data:
                item.unread[name] = error
