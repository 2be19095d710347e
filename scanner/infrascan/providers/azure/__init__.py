"""Microsoft Azure: one question to Resource Graph for most of a subscription, Resource Manager for the rest.

`azure-identity` signs in, because the ways to do so are many and change. All reads go through the
one REST client of ours: `azure-mgmt-resourcegraph` was weighed and left out. It would add a client
with threads, retries and models of its own for what is a single POST, and the details need plain
GETs to thirty services anyway, each of which would be another package.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import trio

from infrascan.collect.provider import Ask, Call, Emit
from infrascan.model import Identity, Partition, ReadError, Reason
from infrascan.providers import sdk
from infrascan.providers.azure import (
    applications,
    compute,
    databases,
    governance,
    names,
    network,
    storage,
    trailing,
)
from infrascan.providers.azure.connecting import connected
from infrascan.providers.azure.inventory import Inventory
from infrascan.providers.azure.reading import AzureReading
from infrascan.providers.azure.refusals import refusal, resets_after
from infrascan.providers.azure.signing import Session, bearer, brief, endpoint
from infrascan.providers.azure.tables import DAYS, GRAPH
from infrascan.providers.http import Answer, Client
from infrascan.providers.rest.calling import Caller
from infrascan.providers.rest.kinds import needed
from infrascan.providers.rest.platform import Platform
from infrascan.providers.rest.reading import drop
from infrascan.providers.rest.tables import Listing

TABLES: tuple[Listing, ...] = (
    *governance.TABLES,
    *compute.TABLES,
    *network.TABLES,
    *names.TABLES,
    *storage.TABLES,
    *databases.TABLES,
    *applications.TABLES,
    *trailing.TABLES,
)


# What no table names: asking the graph, and asking what we may see of it.
FOR_ALL = ("Microsoft.Authorization/permissions/read", "Microsoft.ResourceGraph/resources/read")
IN_GRAPH = tuple(listing for listing in TABLES if listing.api == GRAPH)
SIGNING_SECONDS = 60.0
# "$skiptoken=…" in a link would be taken for a secret; spelled otherwise it means the same.
TOKEN = re.compile(r"(?i)token=")
WEEKS = timedelta(days=DAYS)


@dataclass(eq=False)
class Azure(Platform):
    """Azure, seen through the subscriptions that the credentials open."""

    name: ClassVar[str] = "azure"
    tables: ClassVar[Sequence[Listing]] = TABLES
    fields: ClassVar[Path] = Path(__file__).with_name("fields.json.gz")

    session: Session = field(default_factory=Session)
    inventory: Inventory = field(default_factory=lambda: Inventory((), ()))
    renewing: trio.Lock = field(default_factory=trio.Lock)
    quota_from: float = 0.0  # when Resource Graph may be asked again

    def permissions(self) -> Mapping[str, Any]:
        """A custom role; the built-in role Reader allows all of it, and more."""
        return {
            "Name": "infrascan reader",
            "IsCustom": True,
            "Description": "Reads what infrascan reads; changes nothing and sees no secret values.",
            "Actions": sorted({*needed(self.tables), *FOR_ALL}),
            "NotActions": [],
            "DataActions": [],
            "NotDataActions": [],
            "AssignableScopes": ["/subscriptions/SUBSCRIPTION_ID"],
        }

    async def connect(self, ask: Ask) -> Sequence[Identity]:
        """Sign in; one identity for each subscription. `InputError` for a name that there is not."""
        found = await connected(ask, self.selection.scopes.get(self.name, ()))
        self.accounts = found.accounts
        self.inventory = Inventory(sorted(found.accounts), IN_GRAPH)
        return found.identities

    async def read(self, partition: Partition, ask: Ask, emit: Emit) -> None:
        """Read one kind of one subscription."""
        scope = {**self.scope(partition.account), **self.accounts.get(partition.account, {})}
        caller = Caller(partition, scope, ask)
        listing = self.listings[partition.kind]
        await AzureReading(listing, caller, emit, inventory=self.inventory).run()

    def scope(self, account: str) -> dict[str, Any]:
        """The window of metrics ends with an hour that is over."""
        until = self.selection.observed.replace(minute=0, second=0, microsecond=0)
        return {
            **super().scope(account),
            "since_2w": f"{until - WEEKS:%Y-%m-%dT%H:%M:%SZ}",
            "until": f"{until:%Y-%m-%dT%H:%M:%SZ}",
        }

    def client(self, account: str) -> Client:  # noqa: ARG002
        """One connection for all subscriptions: they are told apart by the path."""
        if "" not in self.clients:
            self.clients[""] = Client(endpoint(), refusal=refusal)
        return self.clients[""]

    async def token(self) -> str:
        """The token, renewed before it ends. Raises `ReadError`."""
        if not self.session.fresh:
            async with self.renewing:
                with trio.move_on_after(SIGNING_SECONDS):
                    return await trio.to_thread.run_sync(
                        renewed, self.session, abandon_on_cancel=True
                    )
            raise ReadError(Reason.TIMED_OUT, f"signing in took over {SIGNING_SECONDS:.0f} s")
        return self.session.token

    async def local(self, call: Call) -> Any:  # noqa: ARG002
        """Sign in; says as whom and by which way. The token stays here."""
        told = {"source": "", "who": "", "tenant": "", "problem": "", "code": "", "reason": ""}
        try:
            token = await self.token()
        except ReadError as error:
            told |= {"problem": error.detail, "code": error.code, "reason": error.reason.value}
        else:
            told |= bearer(token)
        return {**told, "source": self.session.way, "tried": dict(self.session.tried)}

    async def send(self, call: Call) -> Any:
        """Make one call, live; secrets that the tables name are dropped from its answer."""
        if call.api.startswith("local."):
            return await self.local(call)
        if call.api == GRAPH:
            await trio.sleep_until(self.quota_from)
        bearing = {"Authorization": f"Bearer {await self.token()}"}
        answer = await self.client("").request(call.api, call.params, headers=bearing)
        return self.received(call, answer)

    def received(self, call: Call, answer: Answer) -> Any:
        """What is kept of an answer: no secrets, no nulls of columns, no host in links."""
        found = answer.body
        if not isinstance(found, dict):
            return found
        if call.api == GRAPH:
            if answer.headers.get("x-ms-user-quota-remaining") == "0":
                self.quota_from = trio.current_time() + (resets_after(answer.headers) or 0.0)
            kept = {**found, "data": rows(found.get("data"))}
            # By its own name it would be taken for a secret, and be no use any more.
            kept["next_page"] = kept.pop("$skipToken", None)
            return kept
        for path in self.secret.get(call.api, ()):
            drop(found, path)
        if isinstance(found.get("nextLink"), str):
            place = urlsplit(found["nextLink"])
            query = TOKEN.sub("%74oken=", place.query)
            found["nextLink"] = f"{place.path}?{query}" if query else place.path
        return found


def renewed(session: Session) -> str:
    """A token that holds. Raises `ReadError`, also where a way to sign in is there no longer."""
    sdk.imported("requests", "azure.identity")
    from azure.identity import CredentialUnavailableError

    try:
        return session.renew()
    except CredentialUnavailableError as error:
        raise ReadError(Reason.UNAUTHENTICATED, brief(error), code="refused") from error


DROPS: Mapping[str, tuple[str, ...]] = {
    listing.params["type"]: listing.drop for listing in IN_GRAPH if listing.drop
}


def rows(found: Any) -> Any:
    """The rows of a page without their secrets, and without columns that hold nothing."""
    if not isinstance(found, list):
        return found
    for row in found:
        if not isinstance(row, dict):
            continue
        for name in [name for name, value in row.items() if value is None or value == ""]:
            del row[name]
        for path in DROPS.get(str(row.get("type", "")).lower(), ()):
            drop(row, path)
    return found
