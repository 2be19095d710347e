"""Calls of a partition: page after page, until the end is certain."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from infrascan.collect.provider import Ask, Call
from infrascan.model import Partition, ReadError, Reason
from infrascan.providers import templates
from infrascan.providers.rest.tables import NULL, Optional, Paging

PAGES = 10_000  # no list is that long: a cursor that never ends is cut here


@dataclass(frozen=True)
class Caller:
    """Makes the calls of one partition; `scope` is what its templates can name."""

    partition: Partition
    scope: Mapping[str, Any]
    ask: Ask

    def call(self, api: str, params: Mapping[str, Any] | None = None) -> Call:
        return Call(
            provider=self.partition.provider,
            account=self.partition.account,
            region=self.partition.region,
            api=api,
            params=params or {},
            family="api",
        )

    async def asked(self, call: Call, permission: str = "") -> Any:
        """One answer. Raises `ReadError`, which names the permission when the answer did not."""
        try:
            return await self.ask(call)
        except ReadError as error:
            error.permission = error.permission or permission
            raise

    async def pages(
        self,
        call: Call,
        path: str,
        paging: Paging,
        permission: str = "",
        *,
        optional: Optional = False,
    ) -> AsyncIterator[list[Any]]:
        """The items of each page. Raises `ReadError`, also when the pages go round in a circle."""
        before: set[str] = set()
        page, seen = 1, 0
        for _ in range(PAGES):
            answer = await self.asked(call, permission)
            found = items(call, answer, path, optional=optional, total=paging.total)
            yield found
            page += 1
            seen += len(found)
            following = self.following(call, answer, paging, page, len(found))
            if following is None:
                total = templates.first(answer, paging.total) if paging.total else None
                if isinstance(total, int) and seen < total:
                    raise truncated(call, f"the list ended after {seen} of {total} items")
                return
            if following.digest in before or following == call:
                raise truncated(call, "the answer led back to a page that was read")
            before.add(call.digest)
            call = following
        raise truncated(call, f"the list went on after {PAGES} pages")

    def following(
        self, call: Call, answer: Any, paging: Paging, page: int, count: int
    ) -> Call | None:
        """The call for the next page; None after the last. Raises `ReadError` for a cut one."""
        if paging.warns and (said := templates.first(answer, paging.warns)):
            what = said[0] if isinstance(said, list) else said
            raise truncated(call, f"the answer leaves something out: {str(what)[:200]}")
        if paging.token:
            token = templates.first(answer, paging.token)
            if token in (None, "", False):
                return None
            return self.call(call.api, {**call.params, paging.param: token})
        if paging.link:
            link = templates.first(answer, paging.link)
            return self.linked(call, str(link)) if link else None
        if paging.pages:
            pages = templates.first(answer, paging.pages)
            if not isinstance(pages, int):
                raise malformed(call, f"the answer has no {paging.pages}")
            return (
                self.call(call.api, {**call.params, paging.param: page}) if page <= pages else None
            )
        if paging.full and count >= paging.full:
            return self.call(call.api, {**call.params, paging.param: page})
        return None

    def linked(self, call: Call, link: str) -> Call:
        """The call that a URL stands for. Its host is ignored: credentials go to no other."""
        query = dict(parse_qsl(urlsplit(link).query, keep_blank_values=True))
        if not query:
            raise malformed(call, "the link to the next page has no query")
        kept = {name: value for name, value in call.params.items() if "{" + name + "}" in call.api}
        return self.call(call.api, {**kept, **query})

    async def everything(
        self,
        call: Call,
        path: str,
        paging: Paging,
        permission: str = "",
        *,
        optional: Optional = False,
    ) -> list[Any]:
        """The items of all pages. Raises `ReadError`."""
        found: list[Any] = []
        async for page in self.pages(call, path, paging, permission, optional=optional):
            found.extend(page)
        return found


def items(call: Call, answer: Any, path: str, *, optional: Optional, total: str = "") -> list[Any]:
    """The items in an answer. Raises `ReadError` when the part that holds them is not there."""
    if path == "[]":
        if isinstance(answer, list):
            return answer
        raise malformed(call, "the answer is no list")
    there, found = templates.elements(answer, path)
    if there and isinstance(found, list):
        return found
    if optional and isinstance(answer, dict) and not there and none(answer, path, optional, total):
        return []
    raise malformed(call, f"the answer has no {path.removesuffix('[]')}")


def none(answer: Mapping[str, Any], path: str, optional: Optional, total: str) -> bool:
    """Whether an answer without items is one of those that say that there are none."""
    if optional == NULL:
        return not answer or (path.removesuffix("[]") in answer)
    if not total:
        return True
    return bool(templates.first(answer, total) == 0 or holder(answer, total) == {})


def holder(answer: Mapping[str, Any], path: str) -> Any:
    """What holds the last part of a path: vendors leave a zero out of it."""
    return templates.first(answer, path.rpartition(".")[0])


def above(answer: Any, path: str) -> bool:
    """Whether an answer has what holds the last part of a path, which may be left out of it."""
    parent = path.rpartition(".")[0]
    if not isinstance(answer, dict) or not parent:
        return isinstance(answer, dict)
    there, _ = templates.elements(answer, parent)
    return there or answer.get(parent, answer) is None


def label(scope: Mapping[str, Any], partition: Mapping[str, Any]) -> str:
    """What tells this scope from the others of its partition: the names that were given it."""
    given = (
        str(value)
        for name, value in scope.items()
        if name not in partition and isinstance(value, str | int) and not isinstance(value, bool)
    )
    return "/".join(dict.fromkeys(filter(None, given)))


def malformed(call: Call, detail: str) -> ReadError:
    return ReadError(Reason.MALFORMED, detail, call=call.api)


def truncated(call: Call, detail: str) -> ReadError:
    return ReadError(Reason.TRUNCATED, detail, call=call.api)
