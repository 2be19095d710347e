"""Platforms whose credentials are one token, or one for each context of the vendor's CLI.

A token in the environment is the context "default", as which no context of a file is then read.
Tokens stay in this process: what `local.Contexts` answers are names and places.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, ClassVar

import trio

from infrascan.collect.provider import Ask, Call
from infrascan.model import Connection, Identity, InputError, ReadError, Reason
from infrascan.providers.http import Answer, Client
from infrascan.providers.rest.platform import Platform

DEFAULT = "default"
ALL = "all"
NETWORK = "check the network and the proxy settings"
LATER = "run again later"


@dataclass(frozen=True, slots=True)
class Held:
    """The credentials found here: tokens by context, with their places."""

    tokens: Mapping[str, tuple[str, str]] = field(default_factory=dict)  # name -> token, source
    active: str = ""
    problem: str = ""  # why a file could not be read


@dataclass(eq=False)
class Contexts(Platform):
    """A platform with contexts. It adds `held`, `who`, `endpoint`, and the words of a remedy."""

    title: ClassVar[str]
    variables: ClassVar[tuple[str, ...]]  # environment variables that hold a token; the first wins
    command: ClassVar[str]  # makes a context
    probe: ClassVar[str]  # a cheap call that any token may make
    remedy: ClassVar[str]  # what to do about a refused token

    holding: Held | None = None

    @abstractmethod
    def held(self) -> Held:
        """Look for credentials in the environment and the CLI's file. Raises nothing expected."""

    @abstractmethod
    def who(self, context: str, answer: Any) -> str:
        """As whom a context reads, by the answer to `probe`."""

    @abstractmethod
    def endpoint(self) -> str: ...

    def refusal(self, answer: Answer) -> ReadError | None:  # noqa: ARG002
        return None

    def too_narrow(self, error: ReadError) -> bool:  # noqa: ARG002
        """Whether a refused probe only means that the token may not make this one call."""
        return False

    @property
    def credentials(self) -> Held:
        if self.holding is None:
            self.holding = self.held()
        return self.holding

    def client(self, account: str) -> Client:
        if account not in self.clients:
            token, _ = self.credentials.tokens[account]
            headers = {"Authorization": f"Bearer {token}"}
            self.clients[account] = Client(self.endpoint(), headers, self.refusal)
        return self.clients[account]

    async def local(self, call: Call) -> Any:  # noqa: ARG002
        """The contexts there are here, without their tokens."""
        held = await trio.to_thread.run_sync(lambda: self.credentials)
        return {
            "contexts": [
                {"name": name, "source": source} for name, (_, source) in held.tokens.items()
            ],
            "active": held.active,
            "problem": held.problem,
        }

    async def connect(self, ask: Ask) -> Sequence[Identity]:
        """One identity per chosen context. `InputError` for a context that there is not."""
        call = Call(provider=self.name, account="", region="", api="local.Contexts")
        try:
            here = await ask(call)
        except ReadError as error:
            return [self.failed("", "", error)]
        sources = {entry["name"]: str(entry["source"]) for entry in here["contexts"]}
        chosen = self.chosen(sources, str(here["active"]))
        if not chosen:
            return [self.nothing(str(here["problem"]))]
        found = [await self.identity(name, sources[name], ask) for name in chosen]
        unchosen = () if self.selection.scopes.get(self.name) else sources.keys() - set(chosen)
        return [noted(identity, unchosen) for identity in found]

    def chosen(self, sources: Mapping[str, str], active: str) -> list[str]:
        """The contexts to read: those that were asked for; else the active one; else all."""
        wanted = self.selection.scopes.get(self.name, ())
        if ALL in wanted:
            return sorted(sources)
        for name in wanted:
            if name not in sources:
                near = get_close_matches(name, sources, n=1, cutoff=0.5)
                meant = f"did you mean {near[0]}? " if near else ""
                there = "there is" if len(sources) < 2 else "there are"
                known = ", ".join(sorted(sources)) or "none"
                raise InputError(f"unknown {self.title} context {name!r}: {meant}{there} {known}")
        if wanted:
            return list(dict.fromkeys(wanted))
        return [active] if active in sources else sorted(sources)

    async def identity(self, name: str, source: str, ask: Ask) -> Identity:
        call = Call(
            provider=self.name, account=name, region="", api=f"GET {self.probe}", family="api"
        )
        try:
            answer = await ask(call)
        except ReadError as error:
            if not self.too_narrow(error):
                return self.failed(name, source, error)
            answer = None
        self.accounts[name] = {}
        return Identity(
            provider=self.name,
            state=Connection.CONNECTED,
            source=source,
            account=name,
            who=self.who(name, answer),
        )

    def failed(self, name: str, source: str, error: ReadError) -> Identity:
        refused = error.reason in {Reason.UNAUTHENTICATED, Reason.DENIED}
        return Identity(
            provider=self.name,
            state=Connection.ERROR,
            source=source,
            account=name,
            reason=error.reason,
            detail=error.detail,
            remedy=self.remedy if refused else otherwise(error.reason),
        )

    def nothing(self, problem: str) -> Identity:
        return Identity(
            provider=self.name,
            state=Connection.ERROR if problem else Connection.NOT_CONFIGURED,
            reason=Reason.MALFORMED if problem else Reason.UNAUTHENTICATED,
            detail=problem or f"no token in {' or '.join(self.variables)}, and no context",
            remedy=f"set {self.variables[0]}, or run: {self.command}",
        )


def otherwise(reason: Reason) -> str:
    """What to do when it was not the credentials that failed."""
    return LATER if reason is Reason.THROTTLED else NETWORK


def noted(identity: Identity, unchosen: Collection[str]) -> Identity:
    """The identity, with a word about the contexts that nobody chose: they are not read."""
    if identity.state is not Connection.CONNECTED or identity.detail or not unchosen:
        return identity
    names = ", ".join(sorted(unchosen)[:10])
    more = f" and {len(unchosen) - 10} more" if len(unchosen) > 10 else ""
    return replace(identity, detail=f"not read, unless chosen by name or by all: {names}{more}")


def from_environment(variables: Sequence[str]) -> dict[str, tuple[str, str]]:
    """The token that the environment holds, as the context "default"."""
    for name in variables:
        if token := os.environ.get(name, "").strip():
            return {DEFAULT: (token, name)}
    return {}


def homely(path: Path) -> str:
    """A path as people write it, without the name of a home directory."""
    try:
        return f"~/{path.relative_to(Path.home())}"
    except (ValueError, RuntimeError):
        return str(path)
