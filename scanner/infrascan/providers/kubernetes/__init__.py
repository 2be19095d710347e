"""Kubernetes, read through the API server of each context of the kubeconfig."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from threading import Lock
from typing import Any, Generic, TypeVar

import trio

from infrascan.collect.provider import Ask, Call, Emit, Selection
from infrascan.model import (
    Connection,
    Identity,
    InputError,
    Kind,
    Partition,
    ReadError,
    Reason,
)
from infrascan.providers.kubernetes import contexts as local
from infrascan.providers.kubernetes.client import Client
from infrascan.providers.kubernetes.discovery import Served, discover
from infrascan.providers.kubernetes.permissions import cluster_role
from infrascan.providers.kubernetes.reading import Cluster, read_cluster, read_table
from infrascan.providers.kubernetes.tables import BY_KIND, CLUSTER, PROVIDER, TABLES, kinds

CONNECT_SECONDS = 3.0  # for the first answer of an API server
T = TypeVar("T")


@dataclass(eq=False)
class Memo(Generic[T]):
    """Values that take calls to find, each found once however many ask for it at a time."""

    found: dict[str, T] = field(default_factory=dict)
    locks: dict[str, trio.Lock] = field(default_factory=dict)

    async def of(self, key: str, find: Callable[[], Awaitable[T]]) -> T:
        async with self.locks.setdefault(key, trio.Lock()):
            if key not in self.found:
                self.found[key] = await find()
            return self.found[key]


@dataclass(eq=False)
class Kubernetes:
    """The provider of the contexts that `selection` names; each context is an account."""

    selection: Selection
    service_account: Path = local.SERVICE_ACCOUNT
    contexts: dict[str, dict[str, Any]] = field(default_factory=dict)  # connected, by name
    served: Memo[Served] = field(default_factory=lambda: Memo[Served]())
    reviews: Memo[Mapping[str, Any]] = field(default_factory=lambda: Memo[Mapping[str, Any]]())
    clients: dict[str, Client] = field(default_factory=dict)
    locks: dict[str, Lock] = field(default_factory=dict)
    limiters: dict[str, trio.CapacityLimiter] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return PROVIDER

    @property
    def kinds(self) -> Mapping[str, Kind]:
        return kinds()

    def permissions(self) -> Mapping[str, Any]:
        """The ClusterRole to grant; a binding to the scanner's account is up to its owner."""
        return cluster_role(secrets=self.selection.secrets)

    async def connect(self, ask: Ask) -> Sequence[Identity]:
        """One identity per context chosen. Raises `InputError` for a context that is not there."""
        try:
            found = await ask(self.call("", "local.Contexts"))
        except ReadError as error:
            return [
                Identity(
                    provider=PROVIDER,
                    state=Connection.ERROR,
                    detail=error.detail,
                    reason=error.reason,
                    remedy="correct the kubeconfig, or point KUBECONFIG at another",
                )
            ]
        chosen = choose(found, self.selection.contexts)
        if not chosen:
            return [nothing_configured(found)]
        identities: list[Identity] = []

        async def one(context: dict[str, Any]) -> None:
            identities.append(await self.identity(context, str(found["source"]), ask))

        async with trio.open_nursery() as nursery:
            for context in chosen:
                nursery.start_soon(one, context)
        connected = {i.account for i in identities if i.state is Connection.CONNECTED}
        self.contexts = {c["name"]: c for c in chosen if c["name"] in connected}
        return sorted(identities, key=lambda i: i.account)

    async def identity(self, context: dict[str, Any], source: str, ask: Ask) -> Identity:
        name = context["name"]
        where = f"context {name} ({source})"
        server = context["server"] or "the API server"
        try:
            await ask(self.call(name, "local.Credentials"))
            with trio.move_on_after(CONNECT_SECONDS) as waiting:
                await self.version(name, ask)
            if waiting.cancelled_caught:
                raise ReadError(
                    Reason.TIMED_OUT, f"{server} gave no answer in {CONNECT_SECONDS:.0f} s"
                )
            who = await self.who(name, ask)
        except ReadError as error:
            return Identity(
                provider=PROVIDER,
                state=Connection.ERROR,
                source=where,
                account=name,
                who=context["user"],
                detail=error.detail,
                remedy=remedy(error.reason, name, server),
                reason=error.reason,
            )
        return Identity(
            provider=PROVIDER,
            state=Connection.CONNECTED,
            source=where,
            account=name,
            who=who or context["user"],
        )

    async def version(self, context: str, ask: Ask) -> Any:
        """What /version says, or {} where it may not be read. Raises `ReadError`."""
        try:
            answer = await ask(self.call(context, "GET /version"))
        except ReadError as error:
            if error.reason is Reason.DENIED:
                return {}
            raise
        if not isinstance(answer, dict) or not isinstance(answer.get("gitVersion"), str):
            raise ReadError(Reason.MALFORMED, "GET /version was not answered by Kubernetes")
        return answer

    async def who(self, context: str, ask: Ask) -> str:
        """The user name the API server knows us by, or "" where it does not say."""
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
        # A pace of its own: being told to wait here must not slow the lists.
        call = self.call(context, f"POST {path}", review, family="identity")
        try:
            with trio.move_on_after(CONNECT_SECONDS):
                answer = await ask(call)
                user = (answer.get("status") or {}).get("userInfo") or {}
                return str(user.get("username") or "")
        except ReadError as error:
            if error.reason is Reason.UNAUTHENTICATED:
                raise
        return ""  # served from 1.28 on, and only a courtesy

    async def partitions(self, ask: Ask) -> Sequence[Partition]:  # noqa: ARG002
        """Each kind of each connected cluster. One that a cluster does not serve is read as empty:
        there are none, which is not the same as not having looked."""
        return [
            Partition(provider=PROVIDER, account=context, region="", kind=kind)
            for context in sorted(self.contexts)
            for kind in (CLUSTER, *(table.kind for table in TABLES))
        ]

    async def read(self, partition: Partition, ask: Ask, emit: Emit) -> None:
        context = partition.account
        cluster = Cluster(
            name=context,
            server=str(self.contexts.get(context, {}).get("server", "")),
            namespace=str(self.contexts.get(context, {}).get("namespace", "")),
            served=await self.serves(context, ask),
            get=self.getter(context, ask),
            post=self.poster(context, ask),
            reviews=self.reviews.of,
        )
        if partition.kind == CLUSTER:
            await read_cluster(cluster, emit)
            return
        if partition.kind == "k8s.secret" and not self.selection.secrets:
            raise ReadError(
                Reason.OUT_OF_SCOPE,
                "Secrets are listed, by name and type, only when asked for",
                permission="Run with --k8s-secrets.",
            )
        await read_table(cluster, BY_KIND[partition.kind], emit)

    async def serves(self, context: str, ask: Ask) -> Served:
        get = self.getter(context, ask)

        async def bare(path: str) -> Any:
            return await get(path, {})

        return await self.served.of(context, lambda: discover(bare))

    async def send(self, call: Call) -> Any:
        """Answer one call live: from the kubeconfig, or from the API server of a context."""
        if call.api == "local.Contexts":
            return await self.in_thread("", local.available, self.service_account)
        if call.api == "local.Credentials":
            client = await self.in_thread(call.account, self.client, call.account)
            return {"server": client.settings.host}
        return await self.in_thread(call.account, self.request, call)

    def request(self, call: Call) -> Any:
        method, _, path = call.api.partition(" ")
        return self.client(call.account).request(method, path, call.params)

    def client(self, context: str) -> Client:
        """The context's client, made at its first use and again when its credentials expire."""
        with self.locks.setdefault(context, Lock()):
            if context not in self.clients or self.clients[context].expired:
                self.clients[context] = Client(*local.connection(context, self.service_account))
            return self.clients[context]

    async def in_thread(self, context: str, work: Callable[..., T], *arguments: Any) -> T:
        """Run blocking work; reads may be abandoned, so a stop need not wait for an answer."""
        if context not in self.limiters:
            self.limiters[context] = trio.CapacityLimiter(local.POOL)
        return await trio.to_thread.run_sync(
            work, *arguments, abandon_on_cancel=True, limiter=self.limiters[context]
        )

    def close(self) -> None:
        for client in self.clients.values():
            client.close()

    def call(
        self,
        context: str,
        api: str,
        params: Mapping[str, Any] | None = None,
        family: str = "apiserver",
    ) -> Call:
        return Call(
            provider=PROVIDER,
            account=context,
            region="",
            api=api,
            params=params or {},
            family=family,
        )

    def getter(self, context: str, ask: Ask) -> Callable[[str, Mapping[str, Any]], Awaitable[Any]]:
        return lambda path, params: ask(self.call(context, f"GET {path}", params))

    def poster(self, context: str, ask: Ask) -> Callable[[str, Mapping[str, Any]], Awaitable[Any]]:
        return lambda path, body: ask(self.call(context, f"POST {path}", body))


def choose(found: Mapping[str, Any], wanted: Sequence[str]) -> list[dict[str, Any]]:
    """The contexts to read: those named, all, or the current one."""
    by_name = {context["name"]: context for context in found["contexts"]}
    if "all" in wanted and "all" not in by_name:
        return list(by_name.values())
    for name in wanted:
        if name not in by_name:
            near = get_close_matches(name, by_name, n=1, cutoff=0.5)
            known = (
                f"did you mean '{near[0]}'?"
                if near
                else f"there are: {', '.join(sorted(by_name))}"
                if by_name
                else "there is no kubeconfig with contexts"
            )
            raise InputError(f"unknown Kubernetes context '{name}'; {known}")
    if wanted:
        return [by_name[name] for name in dict.fromkeys(wanted)]
    current = by_name.get(str(found["current"]))
    return [current] if current else []


def nothing_configured(found: Mapping[str, Any]) -> Identity:
    """Why no context is read although none is wrong."""
    if found["contexts"]:
        named = found["current"]
        return Identity(
            provider=PROVIDER,
            state=Connection.ERROR,
            source=str(found["source"]),
            detail=f"the current context '{named}' is not in the kubeconfig"
            if named
            else "the kubeconfig has no current context",
            remedy="run kubectl config use-context NAME, or name one with --context NAME",
        )
    return Identity(
        provider=PROVIDER,
        state=Connection.NOT_CONFIGURED,
        detail="no kubeconfig with a context, and not running in a pod",
        remedy="create ~/.kube/config, or set KUBECONFIG",
    )


def remedy(reason: Reason, context: str, server: str) -> str:
    if reason is Reason.UNAUTHENTICATED:
        return f"log in again; kubectl --context {context} get --raw /version must work"
    if reason in {Reason.UNREACHABLE, Reason.TIMED_OUT}:
        return f"check that {server} can be reached from here (VPN, firewall, cluster stopped)"
    return f"check what answers at {server}"
