"""Reading one owner: which repositories there are is asked once, and told to every kind."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from infrascan.collect.provider import Call
from infrascan.model import ReadError, Reason
from infrascan.providers.github import alerts, repositories
from infrascan.providers.github.words import (
    LINKED,
    MEMBERS,
    METADATA,
    ORG,
    PAGE,
    REPO,
    REPOSITORIES,
)
from infrascan.providers.rest.calling import Caller
from infrascan.providers.rest.reading import Lookup, Reading
from infrascan.providers.rest.tables import Batch, Listing, Parent

ORGANIZATION = "Organization"
ALL_MEMBERS = f"{ORG}/members"
MORE = "all repositories of the owner, and organization_administration: read to count them"


@dataclass(eq=False)
class Owner:
    """An account that is read: an organisation, a user, or some repositories of either."""

    login: str
    type: str = ORGANIZATION
    own: bool = False  # the user whose token it is
    installed: bool = False  # read as an App, which sees the repositories it was given
    only: tuple[str, ...] = ()  # names of repositories; empty for all
    scopes: Sequence[str] | None = None  # of a classic token
    found: Lookup = field(default_factory=Lookup)
    hidden: Lookup = field(default_factory=Lookup)  # why there may be more repositories
    members: Lookup = field(default_factory=Lookup)
    selection: str = ""  # of an App: "all", or "selected" repositories

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

        async def ask(call: Call) -> Any:
            answer = await caller.ask(call)
            if isinstance(answer, dict) and answer.get("repository_selection"):
                self.selection = str(answer["repository_selection"])
            return answer

        asking = dataclasses.replace(caller, ask=ask)
        found = await asking.everything(call, items, LINKED, METADATA)
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

    async def complete(self, caller: Caller) -> None:
        """Make sure that no repository was withheld. Raises `ReadError` when some may have been."""

        async def counted() -> list[Any]:
            if not self.only and (why := await self.withheld(caller)):
                raise ReadError(Reason.OUT_OF_SCOPE, why, call=self.place()[0], permission=MORE)
            return []

        try:
            await self.hidden.get(counted)
        except ReadError as error:
            raise copied(error) from error

    async def withheld(self, caller: Caller) -> str:
        """Why the list of repositories may be too short; "" where it is whole. Raises `ReadError`.

        GitHub leaves out what a token may not see, and answers 200. An App is told whether it was
        given all; otherwise the owner's own count says how many there are.
        """
        seen = len(await self.repositories(caller))
        if self.installed:
            few = f"the App was given {seen} chosen repositories of {self.login}"
            return "" if self.selection == "all" else f"{few}: there may be others"
        if self.type != ORGANIZATION and not self.own:
            return f"GitHub shows no private repository of {self.login}, who is another user"
        if self.own:
            about = await caller.asked(caller.call("GET /user"))
            private = "owned_private_repos"
            if self.scopes is not None and "repo" in self.scopes:
                return ""
        else:
            about = await caller.asked(caller.call(ORG, {"org": self.login}))
            private = "total_private_repos"
        public, closed = (about.get(name) for name in ("public_repos", private))
        if not isinstance(public, int) or not isinstance(closed, int):
            return (
                f"GitHub does not tell this token how many private repositories {self.login} has:"
                " some may be hidden from it"
            )
        if seen >= public + closed:
            return ""
        return f"{self.login} has {public + closed} repositories, and the token sees {seen}"

    async def all_members(self, caller: Caller) -> None:
        """Make sure that the list of members is whole. Raises `ReadError` when it may not be.

        Who may not see them is given those who chose to be public, without a word. Teams are shown
        by the same right, and to nobody else.
        """

        async def teams() -> list[Any]:
            call = caller.call(f"{ORG}/teams", {"org": self.login, **PAGE})
            await caller.asked(call, MEMBERS)
            return []

        try:
            await self.members.get(teams)
        except ReadError as error:
            found = copied(error)
            found.detail = f"only public members may be listed: {error.detail}"
            raise found from error

    async def named(self, caller: Caller) -> list[Any]:
        found = []
        for name in self.only:
            call = caller.call(REPO, {"owner": self.login, "repo": name})
            found.append(await caller.asked(call, METADATA))
        return found


@dataclass(eq=False, kw_only=True)
class OwnerReading(Reading):
    """One kind of one owner being read."""

    owner: Owner
    shared: Caller  # for calls whose answer several kinds use

    async def run(self) -> None:
        """Read it all; that there may be more repositories is said last."""
        await super().run()
        if any(parent.api == REPOSITORIES.api for parent in self.listing.parents):
            await self.owner.complete(self.shared)

    async def parent_items(self, parent: Parent, call: Call) -> Sequence[Any]:
        if parent.api != REPOSITORIES.api:
            return await super().parent_items(parent, call)
        try:
            found: Sequence[Any] = await self.owner.repositories(self.shared)
        except ReadError as error:
            raise copied(error) from error
        return found


def copied(error: ReadError) -> ReadError:
    """The error anew: it is of one call, told to each kind, and none may change it."""
    return ReadError(
        error.reason,
        error.detail,
        code=error.code,
        permission=error.permission,
        call=error.call,
    )
