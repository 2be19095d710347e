"""Docker, read through the API of each engine that a context or `DOCKER_HOST` names.

The client is ours (`providers.http`), over a Unix socket or tcp. Docker's Python SDK is built on
requests: it blocks, reads TLS files and the docker command's configuration in its own way, and
would add to the twelve GETs made here only classes that nobody needs. Podman's service answers the
same API and is read like an engine.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, ClassVar

from infrascan.collect.provider import Ask, Call
from infrascan.model import Connection, Identity, InputError, ReadError, Reason
from infrascan.providers.docker import contexts
from infrascan.providers.docker.arrival import kept
from infrascan.providers.docker.tables import NOT_A_MANAGER, TABLES
from infrascan.providers.http import Answer, Client
from infrascan.providers.rest.contexts import noted
from infrascan.providers.rest.kinds import needed
from infrascan.providers.rest.platform import Platform

OLDEST, NEWEST = (1, 24), (1, 47)  # of the API: what the tables were written for
# What stands between us and the socket, by what the operating system says of it.
SOCKETS: Mapping[str, tuple[Reason, str, str]] = {
    "Permission denied": (
        Reason.DENIED,
        "EACCES",
        "this user may not open the engine's socket",
    ),
    "No such file or directory": (
        Reason.UNREACHABLE,
        "ENOENT",
        "there is no socket: the engine is not running, or listens elsewhere",
    ),
    "Connection refused": (
        Reason.UNREACHABLE,
        "ECONNREFUSED",
        "nothing listens there: the engine is not running",
    ),
}
REMEDIES: Mapping[str, str] = {
    "EACCES": "add the user to the group docker, use a rootless engine, or run as one who may",
    "ENOENT": "start the engine, or name another with DOCKER_HOST or docker context use",
    "ECONNREFUSED": "start the engine, or name another with DOCKER_HOST or docker context use",
    "scheme": "run docker context use with another, or set DOCKER_HOST to one that can be read",
}


@dataclass(eq=False)
class Docker(Platform):
    """The provider of the engines that `selection` names; each context is an account."""

    name: ClassVar[str] = "docker"
    tables: ClassVar[Sequence[Any]] = TABLES
    fields: ClassVar[Path] = Path(__file__).with_name("fields.json.gz")

    versions: dict[str, str] = field(default_factory=dict)  # context -> version of the API, "1.41"

    def permissions(self) -> Mapping[str, Any]:
        """Docker has one right, which is root's. A proxy that passes only these GETs is less."""
        return {
            "engine": "membership of the group docker, which is worth as much as root",
            "least privilege": "a proxy before the socket that lets through only these",
            "allow": ["GET /_ping", *(p for p in needed(TABLES) if p.startswith("GET "))],
            "swarm": ["GET /services", "GET /nodes", "GET /secrets"],
            "docker-socket-proxy": dict.fromkeys(
                (
                    *("CONTAINERS", "IMAGES", "INFO", "NETWORKS", "NODES", "PING"),
                    *("SECRETS", "SERVICES", "SYSTEM", "VERSION", "VOLUMES"),
                ),
                1,
            ),
        }

    async def connect(self, ask: Ask) -> Sequence[Identity]:
        """One identity per engine chosen. Raises `InputError` for a context that is not there."""
        found = await ask(self.call("", "local.Contexts"))
        chosen, problem = choose(found, self.selection.scopes.get("docker", ()))
        if problem:
            return [problem]
        identities = []
        for account in chosen:
            given = await ask(self.call(account, "local.Endpoint"))
            identities.append(await self.identity(account, given, str(found["source"]), ask))
        known = {str(context["name"]) for context in found["contexts"]}
        unchosen = () if self.selection.scopes.get("docker") else known - set(chosen)
        return [noted(identity, unchosen) for identity in identities]

    async def identity(
        self, account: str, given: Mapping[str, Any], source: str, ask: Ask
    ) -> Identity:
        where = source if account == contexts.DEFAULT else f"context {account}"
        if "://" in account:
            where = "the address given"
        try:
            if given["refusal"]:
                raise ReadError(Reason.OUT_OF_SCOPE, str(given["refusal"]), code="scheme")
            version = negotiated(await ask(self.call(account, "GET /_ping")))
            self.versions[account] = version
            about = await ask(self.call(account, "GET /version"))
            if not isinstance(about, dict) or not about.get("Version"):
                raise ReadError(Reason.MALFORMED, "GET /version names no version of an engine")
        except ReadError as error:
            self.versions.pop(account, None)
            return Identity(
                provider=self.name,
                state=Connection.ERROR,
                source=where,
                account=account,
                detail=error.detail,
                remedy=REMEDIES.get(error.code, remedy(error.reason)),
                reason=error.reason,
            )
        self.accounts[account] = {"way": given["way"]}
        return Identity(
            provider=self.name,
            state=Connection.CONNECTED,
            source=where,
            account=account,
            who=f"{product(about)} {about['Version']}, API {version}, {WAYS[str(given['way'])]}",
        )

    def client(self, account: str) -> Client:
        """The connection to an engine, speaking the version of the API that was agreed on."""
        if account not in self.clients:
            endpoint = contexts.named(account)
            try:
                trust = endpoint.trust()
            except (OSError, ValueError) as error:
                detail = f"the certificates for this engine cannot be used: {what(error)}"
                raise ReadError(Reason.UNAUTHENTICATED, detail, code="tls") from error
            self.clients[account] = Client(
                endpoint.url, refusal=refusal, socket=endpoint.socket, verify=trust
            )
        return self.clients[account]

    async def send(self, call: Call) -> Any:
        """Make one call, live. What nothing may keep is taken out of the answer."""
        if call.api.startswith("local."):
            return await self.local(call)
        ping = call.api == "GET /_ping"
        logs = call.api == "GET /containers/{Id}/logs"
        client = self.client(call.account)
        try:
            answer = await client.request(
                self.versioned(call),
                call.params,
                text=ping or logs,
                encoding="latin-1" if logs else "utf-8",
            )
        except ReadError as error:
            for words, (reason, code, detail) in SOCKETS.items():
                if client.socket and error.detail.endswith(words):
                    raise ReadError(reason, detail, code=code) from error
            raise
        if ping:
            return {
                "ApiVersion": answer.headers.get("api-version", ""),
                "Server": answer.headers.get("server", ""),
            }
        return kept(call.api, answer.body)

    def versioned(self, call: Call) -> str:
        """The call under the version agreed on; engines do away with paths that name none."""
        version = self.versions.get(call.account)
        return call.api.replace(" /", f" /v{version}/", 1) if version else call.api

    async def local(self, call: Call) -> Any:
        """Answer from the docker command's variables and configuration."""
        if call.api == "local.Endpoint":
            endpoint = contexts.named(call.account)
            return {"way": endpoint.way, "refusal": endpoint.refusal}
        return contexts.available()

    def call(self, account: str, api: str) -> Call:
        return Call(provider=self.name, account=account, region="", api=api, family="api")


WAYS: Mapping[str, str] = {
    "unix": "Unix socket",
    "tcp": "tcp without TLS",
    "tls": "tcp with TLS",
}


def choose(
    found: Mapping[str, Any], wanted: Sequence[str]
) -> tuple[tuple[str, ...], Identity | None]:
    """The contexts and addresses to read; or why there is none, though nothing wrong was asked."""
    known = {str(context["name"]) for context in found["contexts"]}
    current = str(found["current"])
    if wanted:
        every = tuple(sorted(known)) if "all" in wanted and "all" not in known else ()
        named = [name for name in wanted if not (every and name == "all")]
        for name in named:
            if name not in known and "://" not in name:
                near = get_close_matches(name, known, n=1, cutoff=0.5)
                there = f"there are: {', '.join(sorted(known))}" if known else "there is none"
                meant = f"did you mean '{near[0]}'?" if near else there
                raise InputError(f"unknown Docker context '{name}'; {meant}")
        return tuple(dict.fromkeys((*every, *named))), None
    if current in known:
        return (current,), None
    if current == contexts.DEFAULT:
        return (), Identity(
            provider="docker",
            state=Connection.NOT_CONFIGURED,
            detail="no DOCKER_HOST, no context in use, and no socket of an engine on this machine",
            remedy="start the engine, set DOCKER_HOST, or run docker context use NAME",
        )
    return (), Identity(
        provider="docker",
        state=Connection.ERROR,
        source=str(found["source"]),
        account=current,
        detail=f"the context in use, '{current}', is not in the configuration",
        remedy="run docker context ls to see those that are, and docker context use NAME",
    )


def negotiated(ping: Any) -> str:
    """The version to speak: the engine's newest, or ours when that is older. Raises `ReadError`."""
    offered = re.fullmatch(r"(\d+)\.(\d+)", str(ping.get("ApiVersion", "")))
    if not offered:
        raise ReadError(Reason.MALFORMED, "what answers there is no Docker engine")
    version = (int(offered[1]), int(offered[2]))
    if version < OLDEST:
        detail = f"the engine speaks API {offered[0]}; {text(OLDEST)} or later is needed"
        raise ReadError(Reason.DISABLED, detail, code="version")
    return text(min(version, NEWEST))


def text(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def product(version: Mapping[str, Any]) -> str:
    components = version.get("Components") or [{}]
    return "Podman" if "Podman" in str(components[0].get("Name", "")) else "Docker"


def refusal(answer: Answer) -> ReadError | None:
    """The engine's own refusals, where the status alone would mislead."""
    said = (
        str(answer.body.get("message", "")) if isinstance(answer.body, dict) else str(answer.body)
    )
    if answer.status == 503 and "not a swarm manager" in said:
        if said.startswith("This node is not a swarm manager. Worker"):
            detail = "this engine is a worker of its swarm; only managers show services and nodes"
            remedy = "Read a manager of the swarm too."
            return ReadError(Reason.OUT_OF_SCOPE, detail, code="worker", permission=remedy)
        return ReadError(Reason.DISABLED, "the engine is in no swarm", code=NOT_A_MANAGER)
    if answer.status == 400 and "client version" in said:
        return ReadError(Reason.DISABLED, said.partition(", please")[0], code="version")
    if answer.status == 400 and "HTTP request to an HTTPS server" in said:
        detail = "the engine wants TLS: set DOCKER_TLS_VERIFY and DOCKER_CERT_PATH"
        return ReadError(Reason.UNAUTHENTICATED, detail, code="tls")
    return None


def remedy(reason: Reason) -> str:
    if reason in {Reason.UNREACHABLE, Reason.TIMED_OUT}:
        return "check that docker version works from here with the same context"
    if reason is Reason.UNAUTHENTICATED:
        return "check DOCKER_CERT_PATH, or the certificates of the context"
    if reason is Reason.DENIED:
        return "let through what infrascan permissions docker lists"
    return "check what listens at this address"


def what(error: Exception) -> str:
    """The reason of an error about files, without their paths."""
    return (error.strerror if isinstance(error, OSError) else "") or type(error).__name__
