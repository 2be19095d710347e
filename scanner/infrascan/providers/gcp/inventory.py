"""One listing of the inventory for all partitions of a scope.

The first partition that is read makes the calls: the resources in a few lists side by side, their
IAM and organisation policies beside them. The others wait, and take what is theirs; what was taken
is forgotten here, so that nothing is held twice.
"""

from __future__ import annotations

import marshal
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import trio

from infrascan.collect.provider import Ask, Call
from infrascan.model import ReadError, Reason
from infrascan.providers.gcp.kinds import (
    ASSETS,
    BY_TYPE,
    INVENTORY,
    LIST,
    NODES,
    ORG_POLICY,
    POLICY,
    TABLES,
)

API = INVENTORY
PAGE = 1000  # the most that a page holds
PAGES = 10_000  # no list is that long: a token that never ends is cut here
LISTS = 4  # of resources, side by side
PERMISSIONS: Mapping[str, str] = {
    "RESOURCE": LIST,
    "IAM_POLICY": POLICY,
    "ORG_POLICY": ORG_POLICY,
}


def call(parent: str, content: str, types: Sequence[str], token: str = "") -> Call:
    params: dict[str, Any] = {
        "parent": parent,
        "contentType": content,
        "assetTypes": list(types),
        "pageSize": PAGE,
    }
    if token:
        params["pageToken"] = token
    return Call(provider="gcp", account=parent, region="", api=API, params=params)


async def pages(
    ask: Ask, parent: str, content: str, types: Sequence[str]
) -> AsyncIterator[list[dict[str, Any]]]:
    """The assets of each page. Raises `ReadError`, also when the pages go round in a circle."""
    seen: set[str] = set()
    token = ""
    for _ in range(PAGES):
        try:
            answer = await ask(call(parent, content, types, token))
        except ReadError as error:
            error.permission = error.permission or PERMISSIONS[content]
            raise
        found = answer.get("assets") if isinstance(answer, dict) else None
        if not isinstance(found, list):
            raise ReadError(Reason.MALFORMED, "the answer has no assets", call=API)
        yield found
        token = str(answer.get("nextPageToken") or "")
        if not token:
            return
        if token in seen:
            detail = "the answer led back to a page that was read"
            raise ReadError(Reason.TRUNCATED, detail, call=API)
        seen.add(token)
    raise ReadError(Reason.TRUNCATED, f"the list went on after {PAGES} pages", call=API)


@dataclass(slots=True, frozen=True)
class Found:
    """An asset on its way to the partition it belongs to; its data wait as bytes."""

    name: str
    packed: bytes
    location: str
    ancestors: list[str]

    def data(self) -> dict[str, Any]:
        found: dict[str, Any] = marshal.loads(self.packed)  # noqa: S302 (bytes of our own)
        return found


@dataclass(eq=False)
class Inventory:
    """What a scope holds, listed once. `accounts` maps projects' numbers to their ids."""

    scope: str
    accounts: Mapping[str, str]
    planned: frozenset[tuple[str, str]] = frozenset()  # (account, kind) that will be read
    only: str = ""  # the one account of a scope that is a project
    resources: dict[tuple[str, str], list[Found]] = field(default_factory=dict)
    policies: dict[str, Any] = field(default_factory=dict)  # by name of the asset
    org_policies: dict[str, dict[str, Any]] = field(default_factory=dict)
    failures: dict[str, ReadError] = field(default_factory=dict)  # by type, or by content
    seen: set[tuple[str, str]] = field(default_factory=set)  # (account, kind) of which there is one
    lineages: dict[tuple[str, ...], list[str]] = field(default_factory=dict)
    started: bool = False
    whole: bool = False
    done: trio.Event = field(default_factory=trio.Event)

    async def ready(self, ask: Ask) -> None:
        """Wait until all is listed. Raises `ReadError` when the listing broke off."""
        if not self.started:
            self.started = True
            try:
                await self.fill(ask)
                self.whole = True
            finally:
                self.done.set()
        await self.done.wait()
        if not self.whole:
            raise ReadError(Reason.INTERRUPTED, "the listing of the inventory broke off", call=API)

    async def fill(self, ask: Ask) -> None:
        types = [name for table in TABLES for name in table.types]
        nodes = [name for kind in NODES for name in ASSETS[kind].types]
        carrying = [name for table in TABLES if table.policy for name in table.types]
        async with trio.open_nursery() as nursery:
            for part in range(LISTS):
                nursery.start_soon(self.gather, ask, "RESOURCE", types[part::LISTS])
            nursery.start_soon(self.gather, ask, "IAM_POLICY", carrying)
            nursery.start_soon(self.gather, ask, "ORG_POLICY", nodes)
        self.adopt()

    async def gather(self, ask: Ask, content: str, types: Sequence[str]) -> None:
        """List some types, and note what could not be listed."""
        begun = False
        try:
            async for assets in pages(ask, self.scope, content, types):
                begun = True
                for asset in assets:
                    for name in self.take(content, asset, types):
                        lacking = "an asset came without its name or its data"
                        error = ReadError(Reason.MALFORMED, lacking, call=API)
                        self.failures.setdefault(f"{content} {name}", error)
        except ReadError as error:
            if error.code == "INVALID_ARGUMENT" and not begun and len(types) > 1:
                # One type that the inventory does not know spoils the list: find out which.
                middle = len(types) // 2
                await self.gather(ask, content, types[:middle])
                await self.gather(ask, content, types[middle:])
                return
            if error.code == "INVALID_ARGUMENT" and not begun:
                detail = f"Cloud Asset Inventory does not list {types[0]}: {error.detail}"
                error = ReadError(Reason.DISABLED, detail, code=error.code, call=API)
            for name in types:
                self.failures[f"{content} {name}"] = error

    def take(self, content: str, asset: Any, types: Sequence[str]) -> Sequence[str]:
        """Keep what one asset says; gives the types of which it may be one, if it cannot be read."""
        if not isinstance(asset, dict) or not asset.get("name"):
            return types
        name = str(asset["name"])
        if content == "IAM_POLICY":
            self.policies[name] = asset.get("iamPolicy")
            return ()
        if content == "ORG_POLICY":
            self.org_policies[name] = {
                str(policy.get("constraint")): policy
                for policy in asset.get("orgPolicy") or ()
                if isinstance(policy, dict)
            }
            return ()
        sort = str(asset.get("assetType"))
        kind = BY_TYPE.get(sort)
        if kind is None:
            return ()
        resource = asset.get("resource")
        data = resource.get("data") if isinstance(resource, dict) else None
        if not isinstance(resource, dict) or not isinstance(data, dict) or not data:
            return (sort,)
        lineage = tuple(asset.get("ancestors") or ())
        found = Found(
            name=name,
            packed=marshal.dumps(data),
            location=str(resource.get("location") or ""),
            ancestors=self.lineages.setdefault(lineage, [*lineage]),
        )
        home = (self.account(kind, lineage, data), kind)
        self.seen.add(home)
        self.resources.setdefault(home, []).append(found)
        return ()

    def account(self, kind: str, lineage: Sequence[str], data: Mapping[str, Any]) -> str:
        """The project of an asset; the organisation of what stands above projects."""
        first = lineage[0] if lineage else ""
        if kind == "gcp.cloudresourcemanager.project":
            return str(data.get("projectId") or self.only)
        if self.only:
            return self.only
        if first.startswith("projects/"):
            number = first.removeprefix("projects/")
            return self.accounts.get(number, number)
        return lineage[-1] if lineage else self.scope

    def adopt(self) -> None:
        """Give what belongs to no partition, such as a project made meanwhile, to one of its kind."""
        homes: dict[str, tuple[str, str]] = {}
        for place in sorted(self.planned):
            homes.setdefault(place[1], place)
        for place in sorted(self.resources.keys() - self.planned):
            if home := homes.get(place[1]):
                self.resources.setdefault(home, []).extend(self.resources.pop(place))

    def pop(self, account: str, kind: str) -> list[Found]:
        """What a partition holds; it is forgotten here."""
        return self.resources.pop((account, kind), [])

    def failure(self, content: str, kind: str) -> ReadError | None:
        """Why the resources of a kind, or their policies, may be incomplete."""
        for name in ASSETS[kind].types:
            if error := self.failures.get(f"{content} {name}"):
                return error
        return None
