"""Whose repositories to read: those that were named, else what the token opens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from infrascan.collect.provider import Ask, Call
from infrascan.model import InputError, Partition, ReadError, Reason
from infrascan.providers.github.reading import Owner
from infrascan.providers.github.words import LINKED, PAGE, REPO
from infrascan.providers.rest.calling import Caller, malformed

GONE = frozenset({"404", "absent"})


@dataclass(eq=False)
class Owners:
    """The search. After `find`, `who` is whose token it is and `scopes` what a classic one may."""

    ask: Ask
    wanted: Sequence[str]
    who: str = ""
    scopes: Sequence[str] | None = None  # None where the token is not of the classic kind
    login: str = ""  # the token's user; "" for Apps
    hidden: set[str] = field(default_factory=set)  # ids of organisations behind single sign-on

    @property
    def caller(self) -> Caller:
        place = Partition(provider="github", account="", region="", kind="")
        return Caller(place, {}, self.noted)

    async def noted(self, call: Call) -> Any:
        """Ask, and note what the answer says that it leaves out."""
        answer = await self.ask(call)
        if isinstance(answer, dict):
            self.hidden.update(answer.get("hidden_organizations") or ())
        return answer

    async def find(self) -> list[Owner]:
        """The owners to read. Raises `ReadError`; `InputError` for a name that is not there."""
        installed = await self.identify()
        if self.wanted:
            return await self.named(installed)
        return await self.opened(installed)

    async def identify(self) -> list[str] | None:
        """Whose token it is. For an App's: the owners of the repositories that it was given."""
        try:
            user = await self.asked("GET /user")
        except ReadError as error:
            if error.reason is not Reason.DENIED or error.code != "403":
                raise
            return await self.installation()
        self.login = self.who = login_of(user, "GET /user")
        scopes = user.get("oauth_scopes")
        self.scopes = scopes if isinstance(scopes, list) else None
        return None

    async def installation(self) -> list[str]:
        repositories = await self.listed("GET /installation/repositories", "repositories[]")
        self.who = "a GitHub App or a workflow's token"
        return sorted(
            {login_of(repo.get("owner"), "GET /installation/repositories") for repo in repositories}
        )

    async def opened(self, installed: list[str] | None) -> list[Owner]:
        if installed is not None:
            return [await self.owner(login, installed=True) for login in installed]
        organizations = await self.listed("GET /user/orgs", "items[]")
        found = [Owner(login_of(entry, "GET /user/orgs")) for entry in organizations]
        return [*found, Owner(self.login, type="User", own=True)]

    async def named(self, installed: list[str] | None) -> list[Owner]:
        names: dict[str, set[str]] = {}
        for name in self.wanted:
            login, _, repository = name.partition("/")
            names.setdefault(login, set()).add(repository)
        found = []
        for login, repositories in sorted(names.items()):
            owner = await self.owner(login, installed=installed is not None)
            if "" not in repositories:
                exact = [await self.repository(owner, name) for name in sorted(repositories)]
                owner.only = tuple(exact)
            found.append(owner)
        return found

    async def owner(self, login: str, *, installed: bool) -> Owner:
        """What kind of account it is. Raises `InputError` when there is none."""
        api = "GET /users/{username}"
        try:
            user = await self.asked(api, username=login)
        except ReadError as error:
            if error.code not in GONE:
                raise
            raise await self.unknown(login) from None
        exact = login_of(user, api)
        kind = str(user.get("type"))
        return Owner(exact, type=kind, own=exact == self.login, installed=installed)

    async def unknown(self, login: str) -> InputError:
        known = [self.login] if self.login else []
        try:
            if self.login:
                entries = await self.listed("GET /user/orgs", "items[]")
                known += [login_of(entry, "GET /user/orgs") for entry in entries]
        except ReadError:
            pass  # only a suggestion is lost
        return InputError(f"GitHub has no organisation or user {login!r}{nearest(login, known)}")

    async def repository(self, owner: Owner, name: str) -> str:
        """The repository's exact name. Raises `InputError` when it is not there for this token."""
        try:
            found = await self.asked(REPO, owner=owner.login, repo=name)
        except ReadError as error:
            if error.code not in GONE:
                raise
        else:
            return str(found.get("name") or name)
        try:
            listed = await owner.listed(self.caller)
        except ReadError:
            listed = []
        known = [str(repo["name"]) for repo in listed if isinstance(repo, dict) and "name" in repo]
        raise InputError(
            f"{owner.login} has no repository {name!r}, or it is not visible to this token"
            f"{nearest(name, known)}"
        )

    async def asked(self, api: str, **params: Any) -> Any:
        answer = await self.noted(self.caller.call(api, params))
        if not isinstance(answer, dict):
            raise malformed(self.caller.call(api), "the answer is no object")
        return answer

    async def listed(self, api: str, items: str) -> list[Any]:
        call = self.caller.call(api, PAGE)
        found = await self.caller.everything(call, items, LINKED)
        if not all(isinstance(entry, dict) for entry in found):
            raise malformed(call, "an item is no object")
        return found


def login_of(user: Any, api: str) -> str:
    if not isinstance(user, dict) or not isinstance(user.get("login"), str) or not user["login"]:
        raise ReadError(Reason.MALFORMED, "the answer names no account", call=api)
    return str(user["login"])


def nearest(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    return f": did you mean {near[0]}?" if near else ""
