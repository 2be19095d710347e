"""Reading one owner: which repositories there are is asked once, and told to every kind."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from infrascan.collect.provider import Call
from infrascan.model import ReadError
from infrascan.providers.github import alerts, repositories
from infrascan.providers.github.words import LINKED, METADATA, ORG, PAGE, REPO, REPOSITORIES
from infrascan.providers.rest.calling import Caller
from infrascan.providers.rest.reading import Lookup, Reading
from infrascan.providers.rest.tables import Batch, Listing, Parent

ORGANIZATION = "Organization"


@dataclass(eq=False)
class Owner:
    """An account that is read: an organisation, a user, or some repositories of either."""

    login: str
    type: str = ORGANIZATION
    own: bool = False  # the user whose token it is
    installed: bool = False  # read as an App, which sees the repositories it was given
    only: tuple[str, ...] = ()  # names of repositories; empty for all
    found: Lookup = field(default_factory=Lookup)

    @property
    def whole_organization(self) -> bool:
        return self.type == ORGANIZATION and not self.only

    @property
    def scope(self) -> dict[str, Any]:
        """What the tables' templates call it."""
        return dict.fromkeys(("org", "owner", "username"), self.login)

    def reads(self, listing: Listing) -> bool:
        """Whether there is such a thing here: a user has no members, webhooks or bill of its own."""
        return self.whole_organization or bool(self.table(listing).parents)

    def table(self, listing: Listing) -> Listing:
        """The table as it fits the owner: what only whole organisations list is asked of each repository."""
        if self.whole_organization:
            return listing
        if listing.kind in alerts.OF_REPOSITORIES:
            return alerts.OF_REPOSITORIES[listing.kind]
        if listing is repositories.REPOSITORY:
            details = [d for d in listing.details if not isinstance(d, Batch)]
            return dataclasses.replace(listing, details=(*details, repositories.OWN_CACHE_USAGE))
        return listing

    async def repositories(self, caller: Caller) -> list[Any]:
        """All repositories to read. Raises `ReadError`."""
        return await self.found.get(lambda: self.listed(caller))

    async def listed(self, caller: Caller) -> list[Any]:
        if self.only:
            return await self.named(caller)
        api, params, items = self.place()
        call = caller.call(api, params)
        found = await caller.everything(call, items, LINKED, METADATA)
        return [
            repo
            for repo in found
            if not isinstance(repo, dict)
            or str((repo.get("owner") or {}).get("login", self.login)).lower() == self.login.lower()
        ]

    def place(self) -> tuple[str, Mapping[str, Any], str]:
        """Where the list is: the call, its parameters, and the path of the items."""
        if self.installed:
            return "GET /installation/repositories", PAGE, "repositories[]"
        if self.type == ORGANIZATION:
            return f"{ORG}/repos", {"org": self.login, **REPOSITORIES.params}, "items[]"
        if self.own:
            return "GET /user/repos", {**PAGE, "affiliation": "owner"}, "items[]"
        return "GET /users/{username}/repos", {"username": self.login, **PAGE}, "items[]"

    async def named(self, caller: Caller) -> list[Any]:
        found = []
        for name in self.only:
            call = caller.call(REPO, {"owner": self.login, "repo": name})
            found.append(await caller.asked(call, METADATA))
        return found


@dataclass(eq=False, kw_only=True)
class OwnerReading(Reading):
    """One kind of one owner being read."""

    repositories: Callable[[Caller], Any]

    async def parent_items(self, parent: Parent, call: Call) -> Sequence[Any]:
        if parent.api != REPOSITORIES.api:
            return await super().parent_items(parent, call)
        try:
            found: Sequence[Any] = await self.repositories(self.caller)
        except ReadError as error:  # of the one call, told to each kind: none may change it
            raise ReadError(
                error.reason,
                error.detail,
                code=error.code,
                permission=error.permission,
                call=error.call,
            ) from error
        return found
