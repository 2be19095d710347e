"""Cloudflare: accounts, zones, and what runs at its edge, read through the vendor's SDK.

`AsyncCloudflare` runs on trio as it is, knows where the API is and signs; it is imported at the
first call, in a thread, and gives raw answers (see `sending`). Tables say what to ask.

A scope is the id or name of an account, or the name of a zone, with which only that zone is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import trio

from infrascan.collect.provider import Ask, Call, Emit
from infrascan.model import Connection, Identity, InputError, Partition, ReadError, Reason
from infrascan.paths import values
from infrascan.providers.cloudflare import access, accounts, traffic, workers, zones
from infrascan.providers.cloudflare.arrival import hide, settled
from infrascan.providers.cloudflare.sending import Api, credentials
from infrascan.providers.cloudflare.tables import PAGES, PERMISSIONS, ZONES
from infrascan.providers.http import Client
from infrascan.providers.rest.calling import Caller
from infrascan.providers.rest.kinds import needed
from infrascan.providers.rest.platform import Platform
from infrascan.providers.rest.reading import drop
from infrascan.providers.rest.tables import Detail

TABLES = zones.TABLES + traffic.TABLES + workers.TABLES + access.TABLES + accounts.TABLES
OF_USER = frozenset({accounts.USER_TOKENS.kind})
OF_ZONES = frozenset(
    table.kind for table in TABLES if table is zones.ZONE or ZONES in table.parents
)
ACCOUNTS = "GET /accounts"
VERIFY = "GET /user/tokens/verify"
VERIFY_OWNED = "GET /accounts/{account}/tokens/verify"
LISTS = frozenset(
    call.api
    for table in TABLES
    for call in (table, *table.parents, *table.details)
    if (call.result if isinstance(call, Detail) else getattr(call, "items", "")) == "result[]"
) | {ACCOUNTS}
RESOURCES = {
    "account": "com.cloudflare.api.account.*",
    "zone": "com.cloudflare.api.account.zone.*",
    "user": "com.cloudflare.api.user.<your user id>",
}


@dataclass(eq=False)
class Cloudflare(Platform):
    name = "cloudflare"
    tables = TABLES
    fields = Path(__file__).with_name("fields.json.gz")

    api: Api = field(default_factory=Api)
    chosen: dict[str, set[str]] = field(default_factory=dict)  # account -> its zones to read
    whole: set[str] = field(default_factory=set)  # accounts that are read with all zones
    single: bool = False  # the token opens zones and no account: maybe not all of its zones
    pages: dict[str, Any] = field(default_factory=dict)  # pages of lists of zones, read once
    reading: trio.Lock = field(default_factory=trio.Lock)

    def permissions(self) -> Mapping[str, Any]:
        """A token with the least permissions, as the API takes it: by the names of its groups."""
        groups: dict[str, list[dict[str, str]]] = {}
        for name in needed(self.tables):
            groups.setdefault(PERMISSIONS[name], []).append({"name": name})
        return {
            "name": "infrascan, read only",
            "policies": [
                {
                    "effect": "allow",
                    "resources": {RESOURCES[scope]: "*"},
                    "permission_groups": groups[scope],
                }
                for scope in sorted(groups)
            ],
        }

    def client(self, account: str) -> Client:
        raise NotImplementedError("calls go through the SDK, see `send`")

    async def local(self, call: Call) -> Any:  # noqa: ARG002
        return credentials()

    async def send(self, call: Call) -> Any:
        """Make one call, live. Secrets are taken out of the answer before anything keeps it."""
        if call.api.startswith("local."):
            return await self.local(call)
        answer = await self.api.get(call.api, call.params)
        body = settled(call, answer.body, lists=call.api in LISTS)
        hide(body, call)
        for path in self.secret.get(call.api, ()):
            drop(body, path)
        return body

    def close(self) -> None:
        self.api.close()

    async def connect(self, ask: Ask) -> Sequence[Identity]:
        """One identity per account that the credentials open, or one that says why there is none."""
        here = await ask(self.first("local.Credentials"))
        source, method = str(here["source"]), str(here["method"])
        if not source:
            return [
                Identity(
                    provider=self.name,
                    state=Connection.NOT_CONFIGURED,
                    detail="no CLOUDFLARE_API_TOKEN in the environment",
                    remedy="export CLOUDFLARE_API_TOKEN with a token of the permissions "
                    "that `infrascan permissions cloudflare` lists",
                )
            ]
        if here["wrong"]:
            wrong = ReadError(Reason.UNAUTHENTICATED, str(here["wrong"]))
            return [self.failed(source, wrong, "set the variable again")]
        try:
            found = await self.opened(ask)
            who = await self.who(ask, method, found)
            await self.choose(ask, found)
        except ReadError as error:
            return [self.failed(source, error, remedy(error))]
        if not found:
            none = ReadError(Reason.DENIED, f"the {method} opens no account and no zone")
            return [self.failed(source, none, "grant it Account Settings Read and Zone Read")]
        for account in sorted(self.whole | set(self.chosen)):
            self.accounts[account] = {"account_name": found[account], "method": method}
        return [
            Identity(
                provider=self.name,
                state=Connection.CONNECTED,
                source=source,
                account=account,
                who=f"{who} ({self.accounts[account]['account_name']})",
            )
            for account in sorted(self.accounts)
        ]

    def first(self, api: str, **params: Any) -> Call:
        """A call before it is known which account it is for."""
        return Call(provider=self.name, account="", region="", api=api, params=params, family="api")

    def failed(self, source: str, error: ReadError, advice: str) -> Identity:
        return Identity(
            provider=self.name,
            state=Connection.ERROR,
            source=source,
            detail=error.detail,
            remedy=advice,
            reason=error.reason,
        )

    async def opened(self, ask: Ask) -> dict[str, str]:
        """Id and name of each account; of a token for zones alone, of the accounts of its zones."""
        try:
            listed = await self.listed(ask, ACCOUNTS, per_page=50)
        except ReadError as error:
            if error.reason is not Reason.DENIED:
                raise
            listed = []
        found = {
            str(one["id"]): str(one.get("name") or one["id"]) for one in listed if one.get("id")
        }
        self.single = not found
        if self.single:
            for zone in await self.listed(ask, "GET /zones", per_page=50):
                owner = zone.get("account") or {}
                if owner.get("id"):
                    found[str(owner["id"])] = str(owner.get("name") or owner["id"])
        return found

    async def listed(self, ask: Ask, api: str, **params: Any) -> list[dict[str, Any]]:
        """All items of a list that belongs to no account. Raises `ReadError`."""
        partition = Partition(provider=self.name, account="", region="", kind="")
        caller = Caller(partition, {}, ask)
        found = await caller.everything(self.first(api, **params), "result[]", PAGES)
        return [one for one in found if isinstance(one, dict)]

    async def who(self, ask: Ask, method: str, found: Mapping[str, str]) -> str:
        """Whose the credentials are, as far as they may know; a token is named by its id.

        Raises `ReadError` for a token that is switched off or has expired.
        """
        if method != "API token":
            return await self.holder(ask, method)
        calls = [self.first(VERIFY)]
        calls += [self.first(VERIFY_OWNED, account=account) for account in sorted(found)[:1]]
        for call in calls:  # a token of an account is unknown to the first
            try:
                answer = await ask(call)
            except ReadError as error:
                if error.reason in {Reason.UNREACHABLE, Reason.TIMED_OUT, Reason.THROTTLED}:
                    raise
                continue
            status = next(values(answer, "result.status"), "active")
            if status != "active":
                raise ReadError(Reason.UNAUTHENTICATED, f"the token is {status}", call=call.api)
            name = next(values(answer, "result.id"), "")
            return f"API token {name}".rstrip()
        return "API token"

    async def holder(self, ask: Ask, method: str) -> str:
        try:
            answer = await ask(self.first("GET /user"))
        except ReadError:
            return method
        return f"{next(values(answer, 'result.email'), '')} with the {method}".lstrip()

    async def choose(self, ask: Ask, found: Mapping[str, str]) -> None:
        """Which accounts and zones to read. Raises `InputError` for one that there is not."""
        wanted = self.selection.scopes.get(self.name, ())
        self.chosen, self.whole = {}, set()
        if not wanted:
            self.whole = set(found)
            return
        names = {name.casefold(): account for account, name in found.items()}
        names |= {account.casefold(): account for account in found}
        rest = [name for name in wanted if name.casefold() not in names]
        self.whole = {names[name.casefold()] for name in wanted if name.casefold() in names}
        if not rest:
            return
        zone_of = {
            str(zone["name"]).casefold(): (str(zone["account"]["id"]), str(zone["name"]))
            for zone in await self.listed(ask, "GET /zones", per_page=50)
            if zone.get("name") and (zone.get("account") or {}).get("id") in found
        }
        for name in rest:
            if name.casefold().rstrip(".") not in zone_of:
                known = [*found.values(), *(shown for _, shown in zone_of.values())]
                near = get_close_matches(name, known, n=1, cutoff=0.5)
                meant = f"did you mean {near[0]}? " if near else ""
                raise InputError(
                    f"unknown Cloudflare account or zone {name!r}: {meant}there are "
                    f"{', '.join(known[:20])}"
                )
            account, zone = zone_of[name.casefold().rstrip(".")]
            self.chosen.setdefault(account, set()).add(zone)
        for account in self.whole:
            self.chosen.pop(account, None)

    async def partitions(self, ask: Ask) -> Sequence[Partition]:  # noqa: ARG002
        """Each kind of each account; of an account with chosen zones, only what is in zones.

        A person's own tokens are of no account: they are one partition more.
        """
        planned = [
            Partition(provider=self.name, account=account, region="", kind=table.kind)
            for account in sorted(self.accounts)
            for table in self.tables
            if table.kind not in OF_USER and (account in self.whole or table.kind in OF_ZONES)
        ]
        if self.whole:
            planned += [
                Partition(provider=self.name, account=accounts.USER, region="", kind=kind)
                for kind in sorted(OF_USER)
            ]
        return planned

    async def read(self, partition: Partition, ask: Ask, emit: Emit) -> None:
        """Read one kind of one account; the list of zones is asked for once for all kinds."""

        async def shared(call: Call) -> Any:
            if call.api != ZONES.api:
                return await ask(call)
            async with self.reading:
                if call.digest not in self.pages:
                    self.pages[call.digest] = await ask(call)
            return self.narrowed(partition.account, self.pages[call.digest])

        await super().read(partition, shared, emit)
        if self.single and partition.kind in OF_ZONES and partition.account in self.whole:
            raise ReadError(
                Reason.OUT_OF_SCOPE,
                "the token opens zones and no account, so the account may have zones that it hides",
                permission="Account Settings Read, and all zones of the account",
                call=ZONES.api,
            )

    def narrowed(self, account: str, answer: Any) -> Any:
        """A page of zones with the chosen ones only."""
        wanted = self.chosen.get(account)
        found = answer.get("result") if isinstance(answer, dict) else None
        if wanted is None or not isinstance(found, list):
            return answer
        info = {k: v for k, v in (answer.get("result_info") or {}).items() if k != "total_count"}
        kept = [zone for zone in found if isinstance(zone, dict) and zone.get("name") in wanted]
        return {**answer, "result": kept, "result_info": info}


def remedy(error: ReadError) -> str:
    """What to try when connecting failed."""
    if error.reason in {Reason.UNAUTHENTICATED, Reason.DENIED}:
        return "make a new API token and export it as CLOUDFLARE_API_TOKEN"
    if error.reason is Reason.THROTTLED:
        return "run again later"
    return "check the network and CLOUDFLARE_BASE_URL"
