"""Amazon Web Services: tables that say what to read, one module each for a family of services.

`sending` is the only module that calls AWS, and it is imported when the first call is made.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from infrascan.collect.provider import Ask, Call, Emit, Selection
from infrascan.model import Identity, InputError, Kind, Partition, ReadError, Reason
from infrascan.providers import sdk
from infrascan.providers.aws import (
    balancing,
    compute,
    containers,
    ec2,
    edge,
    iam,
    keys,
    messaging,
    network,
    rds,
    s3,
    storage,
    trailing,
    watching,
)
from infrascan.providers.aws.accounts import (
    ALWAYS_ON,
    HOMES,
    Account,
    chosen,
    enabled,
    identify,
    unknown,
)
from infrascan.providers.aws.calling import Caller, Place
from infrascan.providers.aws.kinds import kind, policy
from infrascan.providers.aws.reading import Reading
from infrascan.providers.aws.tables import Listing

if TYPE_CHECKING:
    from infrascan.providers.aws.sending import Sender

TABLES: tuple[Listing, ...] = (
    *ec2.TABLES,
    *network.TABLES,
    *s3.TABLES,
    *rds.TABLES,
    *iam.TABLES,
    *compute.TABLES,
    *balancing.TABLES,
    *containers.TABLES,
    *keys.TABLES,
    *messaging.TABLES,
    *storage.TABLES,
    *watching.TABLES,
    *trailing.TABLES,
    *edge.TABLES,
)
LISTINGS: Mapping[str, Listing] = {listing.kind: listing for listing in TABLES}


@cache
def described() -> Mapping[str, Kind]:
    """The kinds of all tables; made once, for an engine asks for each partition."""
    return {listing.kind: kind(listing) for listing in TABLES}


SHOWN = 5  # profiles that are named in one line


@dataclass(eq=False)
class Aws:
    """The AWS accounts that the chosen profiles open."""

    selection: Selection
    accounts: dict[str, Account] = field(default_factory=dict)  # by account id
    regions: dict[str, Sequence[str]] = field(default_factory=dict)  # by account id
    sender: Sender | None = None
    name: str = "aws"

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """Every kind the tables describe."""
        return described()

    def permissions(self) -> dict[str, Any]:
        """The least-privilege IAM policy for a whole scan."""
        return policy(TABLES)

    async def connect(self, ask: Ask) -> Sequence[Identity]:
        """As whom each profile reads; two profiles of one account are read once."""
        local = await ask(Call(provider="aws", account="", region="", api="local.Profiles"))
        available: Mapping[str, str] = local["available"]
        for name in self.selection.profiles:
            if name not in available:
                raise InputError(unknown("AWS profile", name, available))
        identities = []
        for profile in self.selection.profiles or (local["default"],):
            region = available.get(profile) or local["region"] or self.first_region()
            identity, opened = await identify(ask, profile, region)
            if opened:
                first = self.accounts.setdefault(opened.id, opened)
                if first.profile != profile:
                    note = f"the same account as profile {first.profile}, read once"
                    identity = replace(identity, detail=note)
                elif others := self.unnamed(available, profile):
                    identity = replace(identity, detail=others)
            identities.append(identity)
        return identities

    def unnamed(self, available: Collection[str], read: str) -> str:
        """Which profiles are here beside the one that is read because none was named."""
        others = [] if self.selection.profiles else sorted({*available} - {read})
        if not others:
            return ""
        more = f" and {len(others) - SHOWN} more" if len(others) > SHOWN else ""
        return f"not read: profile {', '.join(others[:SHOWN])}{more}; name one with --profile"

    def first_region(self) -> str:
        return self.selection.regions[0] if self.selection.regions else HOMES["aws"]

    async def partitions(self, ask: Ask) -> Sequence[Partition]:
        """Each kind in each region of each account; kinds without regions once an account."""
        found: list[Partition] = []
        for account in self.accounts.values():
            guessed = False
            try:
                self.regions[account.id] = await enabled(ask, account)
            except ReadError:
                guessed = True
                self.regions[account.id] = ALWAYS_ON.get(account.partition, ALWAYS_ON["aws"])
            places = await chosen(ask, account, self.selection.regions, self.regions[account.id])
            if guessed:
                # A region that was given is read whether or not the account's list can be.
                self.regions[account.id] = (*self.regions[account.id], *places)
            for listing in TABLES:
                here = [*places] if listing.regional else [""]
                if guessed and not self.selection.regions and listing is ec2.REGION:
                    here.append("")  # reading it asks for the regions again: the gap that is
                found += [
                    Partition(provider="aws", account=account.id, region=region, kind=listing.kind)
                    for region in here
                ]
        # What takes the most calls one after another goes first: the rest fills the waits.
        return sorted(found, key=lambda p: -LISTINGS[p.kind].depth)

    async def read(self, partition: Partition, ask: Ask, emit: Emit) -> None:
        """Read one kind in one region."""
        listing = LISTINGS[partition.kind]
        if partition.account not in self.accounts:
            await self.connect(ask)
        account = self.accounts.get(partition.account)
        if account is None:
            raise ReadError(
                Reason.UNAUTHENTICATED, f"no profile opens the account {partition.account}"
            )
        if listing is ec2.REGION and not partition.region:
            await enabled(ask, account)
            return
        known = self.regions.get(account.id)
        if listing.regional and known is not None and partition.region not in known:
            raise ReadError(
                Reason.DISABLED, f"the region is not switched on in account {account.id}"
            )
        place = Place(
            profile=account.profile,
            partition=account.partition,
            home=account.home,
            observed=self.selection.observed,
        )
        await Reading(listing, Caller(partition, place, ask), emit).run()

    async def send(self, call: Call) -> Any:
        """Make one call, live."""
        await sdk.ready("infrascan.providers.aws.sending")
        from infrascan.providers.aws import sending

        if call.api == "local.Profiles":
            return sending.profiles()
        if call.api == "local.Regions":
            return sending.known_regions(str(call.params["partition"]))
        if self.sender is None:
            self.sender = sending.Sender(chain=not self.selection.profiles)
        return await self.sender.send(call)

    def close(self) -> None:
        """Give back the connections."""
        if self.sender:
            self.sender.close()
