"""GitHub: organisations, users and their repositories, through its REST API.

The client is `providers.http`, not PyGithub or githubkit. PyGithub blocks, sleeps and retries by
itself, and both turn answers into models that drop fields they do not know and cost more to import
than a scan's first answers take. What is needed of a library here is a request, a Link header and
the reading of refusals; the tables hold the rest.

Tokens of users (classic and fine-grained), of Apps and of Actions are read alike. GitHub asks for
little at once: no more than `AT_ONCE` calls of one token are in flight.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import trio

from infrascan.collect.provider import Ask, Call, Emit
from infrascan.model import Connection, Identity, Partition, ReadError, Reason
from infrascan.providers.github import (
    actions,
    alerts,
    answers,
    credentials,
    deploying,
    organization,
    permissions,
    refusals,
    repositories,
)
from infrascan.providers.github.credentials import Credentials
from infrascan.providers.github.owners import Owners
from infrascan.providers.github.reading import ALL_MEMBERS, Owner, OwnerReading
from infrascan.providers.http import Answer, Client
from infrascan.providers.rest.calling import Caller
from infrascan.providers.rest.contexts import otherwise
from infrascan.providers.rest.platform import Platform

AT_ONCE = 20
SCOPELESS = ("github_pat_", "ghs_", "ghu_")  # fine-grained tokens and those of Apps
LOCAL = "local.Credentials"


@dataclass(eq=False)
class Github(Platform):
    """GitHub or a GitHub Enterprise server."""

    name = "github"
    tables = (
        *organization.TABLES,
        *repositories.TABLES,
        *actions.TABLES,
        *alerts.TABLES,
        *deploying.TABLES,
    )
    fields = Path(__file__).with_name("fields.json.gz")

    owners: dict[str, Owner] = field(default_factory=dict)
    ask: Ask | None = None
    places: trio.CapacityLimiter = field(default_factory=lambda: trio.CapacityLimiter(AT_ONCE))

    @cached_property
    def credentials(self) -> Credentials:
        return credentials.find()

    def permissions(self) -> Mapping[str, Any]:
        return permissions.least(self.tables)

    def client(self, account: str) -> Client:  # noqa: ARG002 - one token reads every owner
        if "" not in self.clients:
            headers = {
                "Authorization": f"Bearer {self.credentials.token}",
                "Accept": "application/vnd.github+json",
                "X-GitHub-Api-Version": "2022-11-28",
            }
            self.clients[""] = Client(self.credentials.url, headers, refusals.refusal)
        return self.clients[""]

    async def local(self, call: Call) -> Any:  # noqa: ARG002 - there is one local fact
        """Where the token is from; the token stays here."""
        found = await trio.to_thread.run_sync(lambda: self.credentials)
        return {
            "found": bool(found.token),
            "source": found.source,
            "problem": found.problem,
            "remedy": found.remedy,
        }

    async def connect(self, ask: Ask) -> Sequence[Identity]:
        """One identity per owner that is read. `InputError` for an owner that is not there."""
        here = await ask(Call(provider=self.name, account="", region="", api=LOCAL))
        if not here["found"]:
            missing = not here["problem"]
            return [
                Identity(
                    provider=self.name,
                    state=Connection.NOT_CONFIGURED if missing else Connection.ERROR,
                    detail=here["problem"] or "no token in GITHUB_TOKEN or GH_TOKEN, and no gh CLI",
                    remedy=here["remedy"],
                )
            ]
        source = str(here["source"])
        looking = Owners(ask, self.selection.scopes.get(self.name, ()))
        try:
            found = await looking.find()
        except ReadError as error:
            return [self.failed(source, error)]
        for owner in found:
            owner.scopes = looking.scopes
        self.owners = {owner.login: owner for owner in found}
        self.accounts = {owner.login: owner.scope for owner in found}
        if not found:
            nothing = ReadError(Reason.DENIED, "the token opens no organisation or repository")
            return [self.failed(source, nothing)]
        return [
            Identity(
                provider=self.name,
                state=Connection.CONNECTED,
                source=source,
                account=owner.login,
                who=looking.who,
                detail=permissions.too_narrow(looking.scopes),
            )
            for owner in found
        ] + [self.hidden(source, number) for number in sorted(looking.hidden)]

    def hidden(self, source: str, number: str) -> Identity:
        """An organisation that was left out of a list, of which GitHub tells only the id."""
        return Identity(
            provider=self.name,
            state=Connection.ERROR,
            source=source,
            account=f"organisation {number}",
            reason=Reason.DENIED,
            detail="the organisation's single sign-on hides it from this token",
            remedy=f"authorise the token for it: {refusals.AUTHORISED}",
        )

    def failed(self, source: str, error: ReadError) -> Identity:
        refused = error.reason in {Reason.UNAUTHENTICATED, Reason.DENIED}
        return Identity(
            provider=self.name,
            state=Connection.ERROR,
            source=source,
            reason=error.reason,
            detail=error.detail,
            remedy="make a new token, or run: gh auth refresh"
            if refused
            else otherwise(error.reason),
        )

    async def partitions(self, ask: Ask) -> Sequence[Partition]:
        self.ask = ask
        return [
            Partition(provider=self.name, account=login, region="", kind=listing.kind)
            for login, owner in sorted(self.owners.items())
            for listing in self.tables
            if owner.reads(listing)
        ]

    async def read(self, partition: Partition, ask: Ask, emit: Emit) -> None:
        owner = self.owners[partition.account]
        listing = owner.table(self.listings[partition.kind])
        plain = Caller(partition, {**self.scope(partition.account), **owner.scope}, ask)
        # What several kinds need is asked by whichever comes first: it counts for none of them,
        # so that the ledger does not depend on timing.
        shared = replace(plain, ask=self.ask or ask)

        async def whole(call: Call) -> Any:
            if call.api == ALL_MEMBERS:
                await owner.all_members(shared)
            return await ask(call)

        caller = replace(plain, ask=whole)
        await OwnerReading(listing, caller, emit, owner=owner, shared=shared).run()

    def scope(self, account: str) -> dict[str, Any]:
        before = self.selection.observed.replace(day=1) - timedelta(days=1)
        month = {
            "last_month_year": before.year,
            "last_month": before.month,
            "billed_month": f"{before:%Y-%m}",
            "yesterday": f"{self.selection.observed - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}",
        }
        return {**super().scope(account), **month}

    @cached_property
    def secret(self) -> Mapping[str, tuple[str, ...]]:
        """The tables' secrets, and those of the same lists asked of each repository."""
        found = dict(super().secret)
        for listing in alerts.OF_REPOSITORIES.values():
            if listing.drop:
                found[listing.api] = listing.drop
        return found

    def received(self, call: Call, answer: Answer) -> Any:
        kept = answers.received(call, answer)
        if call.api == "GET /user" and isinstance(kept, dict):
            scopes = answer.headers.get("x-oauth-scopes")
            if scopes is None or self.credentials.token.startswith(SCOPELESS):
                kept["oauth_scopes"] = None
            else:
                kept["oauth_scopes"] = sorted(filter(None, scopes.replace(" ", "").split(",")))
        return kept

    async def send(self, call: Call) -> Any:
        if call.api.startswith("local."):
            return await super().send(call)
        async with self.places:
            return await super().send(call)
