"""What watches an estate besides its providers: metrics, logs, traces, dashboards, incidents.

Small read-only sources, one provider each, so that one that is down costs the others nothing. Where
each is, and its token, stand in the environment; nothing is read of one that is not named there.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import SplitResult, urlsplit

from infrascan.collect.provider import Ask, Call
from infrascan.model import Connection, Identity, ReadError, Reason
from infrascan.providers.http import Client
from infrascan.providers.planes import tables
from infrascan.providers.rest.kinds import needed
from infrascan.providers.rest.platform import Platform
from infrascan.providers.rest.tables import Listing

LOCAL = "local.Endpoint"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a plane is, by the environment: address, token, and what is wrong with them."""

    url: str = ""
    token: str = field(default="", repr=False)
    source: str = ""
    problem: str = ""

    @property
    def host(self) -> str:
        """Host and port: what the plane's resources are kept under. Never a name or password."""
        parts = urlsplit(self.url)
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.hostname or ''}{port}"


def taken_apart(url: str) -> SplitResult | None:
    """The parts of an http(s) address; None where it is none."""
    try:
        parts = urlsplit(url)
        whole = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        return None
    return parts if whole else None


@dataclass(eq=False)
class Plane(Platform):
    """One address to read. A plane adds its tables, its variables and a cheap call to begin with."""

    fields: ClassVar[Path] = Path(__file__).with_name("none")  # each table says its own
    url: ClassVar[str]  # variable that holds the address
    token: ClassVar[str] = ""  # variable that holds the token
    usual: ClassVar[str] = ""  # the address where none is given but a token is
    probe: ClassVar[str]
    least: ClassVar[str] = "read access to its HTTP API; it has no finer right"

    place: Place | None = None

    def permissions(self) -> Mapping[str, Any]:
        variables = [name for name in (self.url, self.token) if name]
        return {"variables": variables, "least": self.least, "reads": self.reads()}

    def reads(self) -> list[str]:
        return sorted({listing.api for listing in self.tables}) + needed(self.tables)

    @property
    def here(self) -> Place:
        if self.place is None:
            self.place = self.found()
        return self.place

    def found(self) -> Place:
        token = os.environ.get(self.token, "").strip() if self.token else ""
        given = os.environ.get(self.url, "").strip()
        url = given or (self.usual if token else "")
        if not url:
            return Place()
        source = self.url if given else self.token
        parts = taken_apart(url)
        if parts is None:
            return Place(source=source, problem=f"{self.url} is no http(s) address")
        if token and not (token.isascii() and token.isprintable()):
            return Place(source=source, problem=f"{self.token} holds what no header can")
        loopback = parts.hostname in {"localhost", "127.0.0.1", "::1"}
        if token and parts.scheme == "http" and not loopback:
            return Place(
                source=source,
                problem=f"{self.token} is not sent over http to {parts.hostname}; use https",
            )
        return Place(url, token, source)

    @abstractmethod
    def headers(self, token: str) -> Mapping[str, str]: ...

    def client(self, account: str) -> Client:
        if account not in self.clients:
            headers = self.headers(self.here.token)
            self.clients[account] = Client(self.here.url, headers)
        return self.clients[account]

    async def local(self, call: Call) -> Any:  # noqa: ARG002 (there is one local fact)
        """Where the plane is, without the token and without what an address may hold of one."""
        here = self.here
        return {
            "host": here.host if here.url else "",
            "source": here.source,
            "problem": here.problem,
        }

    async def connect(self, ask: Ask) -> Sequence[Identity]:
        """One identity: the address answers, or why not."""
        here = await ask(Call(provider=self.name, account="", region="", api=LOCAL))
        host, source = str(here["host"]), str(here["source"])
        if here["problem"]:
            return [
                self.broken(host, source, Reason.MALFORMED, str(here["problem"]), "set it right")
            ]
        if not host:
            variables = " or ".join(name for name in (self.url, self.token) if name)
            return [
                Identity(
                    provider=self.name,
                    state=Connection.NOT_CONFIGURED,
                    detail=f"no address in {self.url}",
                    remedy=f"set {variables}",
                )
            ]
        call = Call(
            provider=self.name, account=host, region="", api=f"GET {self.probe}", family="api"
        )
        try:
            await ask(call)
        except ReadError as error:
            refused = error.reason in {Reason.UNAUTHENTICATED, Reason.DENIED}
            remedy = (
                f"set {self.token}: {self.least}" if refused and self.token else "check the network"
            )
            return [self.broken(host, source, error.reason, error.detail, remedy)]
        self.accounts[host] = {}
        return [
            Identity(
                provider=self.name,
                state=Connection.CONNECTED,
                source=source,
                account=host,
                who=host,
            )
        ]

    def broken(self, host: str, source: str, reason: Reason, detail: str, remedy: str) -> Identity:
        return Identity(
            provider=self.name,
            state=Connection.ERROR,
            source=source,
            account=host,
            reason=reason,
            detail=detail,
            remedy=remedy,
        )


class Bearer(Plane):
    """A plane whose token, if it has one, is a bearer's."""

    def headers(self, token: str) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {token}"} if token else {}


class Prometheus(Bearer):
    name: ClassVar[str] = "prometheus"
    tables: ClassVar[Sequence[Listing]] = tables.PROMETHEUS
    url: ClassVar[str] = "PROMETHEUS_URL"
    token: ClassVar[str] = "PROMETHEUS_TOKEN"  # noqa: S105 (a variable's name)
    probe: ClassVar[str] = "/api/v1/status/buildinfo"


class Alertmanager(Bearer):
    name: ClassVar[str] = "alertmanager"
    tables: ClassVar[Sequence[Listing]] = tables.ALERTMANAGER
    url: ClassVar[str] = "ALERTMANAGER_URL"
    token: ClassVar[str] = "ALERTMANAGER_TOKEN"  # noqa: S105
    probe: ClassVar[str] = "/api/v2/status"


class Loki(Bearer):
    name: ClassVar[str] = "loki"
    tables: ClassVar[Sequence[Listing]] = tables.LOKI
    url: ClassVar[str] = "LOKI_URL"
    token: ClassVar[str] = "LOKI_TOKEN"  # noqa: S105
    probe: ClassVar[str] = "/loki/api/v1/status/buildinfo"


class Grafana(Bearer):
    name: ClassVar[str] = "grafana"
    tables: ClassVar[Sequence[Listing]] = tables.GRAFANA
    url: ClassVar[str] = "GRAFANA_URL"
    token: ClassVar[str] = "GRAFANA_TOKEN"  # noqa: S105
    probe: ClassVar[str] = "/api/org"
    least: ClassVar[str] = "a service account's token with the role Viewer and datasources:read"


class Jaeger(Bearer):
    name: ClassVar[str] = "jaeger"
    tables: ClassVar[Sequence[Listing]] = tables.JAEGER
    url: ClassVar[str] = "JAEGER_URL"
    token: ClassVar[str] = "JAEGER_TOKEN"  # noqa: S105
    probe: ClassVar[str] = "/api/services"


class Ollama(Bearer):
    name: ClassVar[str] = "ollama"
    tables: ClassVar[Sequence[Listing]] = tables.OLLAMA
    url: ClassVar[str] = "OLLAMA_URL"
    probe: ClassVar[str] = "/api/version"


class PagerDuty(Plane):
    name: ClassVar[str] = "pagerduty"
    tables: ClassVar[Sequence[Listing]] = tables.PAGERDUTY
    url: ClassVar[str] = "PAGERDUTY_URL"
    token: ClassVar[str] = "PAGERDUTY_TOKEN"  # noqa: S105
    usual: ClassVar[str] = "https://api.pagerduty.com"
    probe: ClassVar[str] = "/abilities"
    least: ClassVar[str] = "a read-only API key of the account"

    def headers(self, token: str) -> Mapping[str, str]:
        return {
            "Authorization": f"Token token={token}",
            "Accept": "application/vnd.pagerduty+json;version=2",
        }
