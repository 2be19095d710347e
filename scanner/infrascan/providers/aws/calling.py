"""Asking page by page, and refusing answers without the part they should have."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from infrascan.collect.provider import Ask, Call
from infrascan.model import Partition, ReadError, Reason
from infrascan.paths import values
from infrascan.providers import templates
from infrascan.providers.aws.tables import ONE_PAGE, Paging, permission

PAGES = 10_000  # a list longer than this is taken for one that never ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a partition is read from: with which profile, in which corner of AWS."""

    profile: str
    partition: str  # of ARNs: "aws", "aws-cn", "aws-us-gov"
    home: str  # the region that global services are called in
    observed: datetime


@dataclass(frozen=True, slots=True)
class Caller:
    """Makes the calls of one partition."""

    partition: Partition
    place: Place
    ask: Ask

    @property
    def scope(self) -> dict[str, Any]:
        """The names that every template can use."""
        return {
            "account": self.partition.account,
            "region": self.partition.region or self.place.home,
            "partition": self.place.partition,
            "now": f"{self.place.observed:%Y-%m-%dT%H:%M:%SZ}",
            "day_ago": f"{self.place.observed - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}",
        }

    def call(
        self,
        service: str,
        operation: str,
        params: Mapping[str, Any] | None = None,
        region: str = "",
    ) -> Call:
        return Call(
            provider="aws",
            account=self.place.profile,
            region=region or self.partition.region or self.place.home,
            api=f"{service}.{operation}",
            params=params or {},
        )

    async def asked(self, call: Call, action: str = "") -> Any:
        """The answer to a call. Raises `ReadError`, which names the permission when denied."""
        try:
            return await self.ask(call)
        except ReadError as error:
            error.call = error.call or call.api
            if error.reason is Reason.DENIED and not error.permission:
                service, _, operation = call.api.partition(".")
                error.permission = permission(service, operation, action)
            raise

    async def pages(
        self,
        call: Call,
        path: str,
        paging: Paging,
        action: str = "",
        *,
        omitted: bool = False,
        needs: str = "",
        most: int = 0,
    ) -> AsyncIterator[list[Any]]:
        """The items of each page, as they come. Raises `ReadError`."""
        own = {name for name, _ in paging}
        token: dict[str, Any] = {}
        before: set[str] = set()
        for number in range(PAGES):
            params = call.params
            if token:
                params = {name: params[name] for name in params if name not in own} | token
            answer = await self.asked(
                Call(
                    provider=call.provider,
                    account=call.account,
                    region=call.region,
                    api=call.api,
                    params=params,
                ),
                action,
            )
            if needs and not templates.elements(answer, needs)[0]:
                raise malformed(call, f"the answer has no {needs}")
            yield items_of(call, answer, path, omitted=omitted)
            token = next_token(call, answer, paging)
            if not token:
                return
            if number + 1 == most:
                raise truncated(
                    call, f"the list goes on after the {most} newest pages, read no further"
                )
            mark = repr(token)
            if mark in before:
                raise truncated(call, "the answer repeated a page token")
            before.add(mark)
        raise truncated(call, f"the list went on after {PAGES} pages")

    async def everything(
        self, call: Call, path: str, paging: Paging, action: str = "", *, omitted: bool = False
    ) -> list[Any]:
        """The items of all pages. Raises `ReadError`."""
        found: list[Any] = []
        async for items in self.pages(call, path, paging, action, omitted=omitted):
            found.extend(items)
        return found


def items_of(call: Call, answer: Any, path: str, *, omitted: bool) -> list[Any]:
    """The items in an answer. Raises `ReadError` when the part that holds them is not there."""
    there, items = templates.elements(answer, path)
    if there and isinstance(items, list):
        return items
    if omitted and templates.elements(answer, path.rpartition(".")[0])[0]:
        return []
    raise malformed(call, f"the answer has no {path.removesuffix('[]')}")


def next_token(call: Call, answer: Any, paging: Paging) -> dict[str, Any]:
    """The parameters of the next page; none when this is the last."""
    token = {name: value for name, path in paging if (value := next(values(answer, path), None))}
    more = answer.get("IsTruncated") is True or answer.get("Truncated") is True
    if more and not token and paging != ONE_PAGE:
        raise truncated(call, "the answer says there is more, and gives no page token")
    return token


def malformed(call: Call, detail: str) -> ReadError:
    return ReadError(Reason.MALFORMED, detail, call=call.api)


def truncated(call: Call, detail: str) -> ReadError:
    return ReadError(Reason.TRUNCATED, detail, call=call.api)
