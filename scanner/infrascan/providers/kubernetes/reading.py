"""Reading one kind of one cluster: the whole of it, or the namespaces the identity may see."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import trio

from infrascan.collect.provider import Emit
from infrascan.model import Gap, ReadError, Reason, Resource
from infrascan.providers.kubernetes import flavour
from infrascan.providers.kubernetes.discovery import Served
from infrascan.providers.kubernetes.listing import Get, items_of, pages
from infrascan.providers.kubernetes.objects import Usage, identity, measured, resource
from infrascan.providers.kubernetes.tables import (
    BY_KIND,
    CLUSTER,
    METRICS_GROUP,
    METRICS_VERSION,
    PROVIDER,
    Table,
    permission,
)

RULES_REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
MOST_NAMESPACES = 100  # asked one by one where the cluster as a whole is denied

Memo: TypeAlias = Callable[
    [str, Callable[[], Awaitable[Mapping[str, Any]]]], Awaitable[Mapping[str, Any]]
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A context as the readers see it."""

    name: str
    server: str
    namespace: str  # the context's own, "" for none
    served: Served
    get: Get
    post: Get
    reviews: Memo


def gap(cluster: Cluster, kind: str, field: str, error: ReadError) -> Gap:
    """The gap that a failed detail leaves in every object of a kind."""
    return Gap(
        provider=PROVIDER,
        account=cluster.name,
        kind=kind,
        call=error.call,
        reason=error.reason,
        detail=error.detail,
        permission=error.permission,
        field=field,
    )


async def read_table(cluster: Cluster, table: Table, emit: Emit) -> None:
    version = cluster.served.version(table)
    if not version:
        return
    usage = await read_usage(cluster, table) if table.usage else None

    async def listed(namespace: str = "") -> None:
        path = table.path(version, namespace)

        def take(items: list[Any]) -> None:
            for item in items:
                emit(resource_of(cluster, table, item, usage, path))

        await pages(cluster.get, path, f"{table.object}List", take)

    try:
        await listed()
    except ReadError as error:
        if error.reason is not Reason.DENIED or not table.namespaced:
            raise
        await read_namespaces(cluster, table, listed, error)


def resource_of(
    cluster: Cluster, table: Table, item: Any, usage: Usage | None, path: str
) -> Resource:
    try:
        return resource(table, item, cluster.name, usage)
    except ReadError as error:
        error.call = f"GET {path}"
        raise


async def read_namespaces(
    cluster: Cluster,
    table: Table,
    listed: Callable[[str], Awaitable[None]],
    denied: ReadError,
) -> None:
    """List in each namespace that the identity may read; raise for what stays unread."""
    known = await cluster.reviews(cluster.name, lambda: review(cluster))
    unread = [name for name, rules in known["rules"].items() if not allows(rules, table)]
    readable = [name for name in known["rules"] if name not in unread]
    for name in readable:
        try:
            await listed(name)
        except ReadError as error:
            if error.reason is not Reason.DENIED:
                raise
            unread.append(name)
    if known["complete"] and known["rules"] and not unread:
        return  # a cluster without any namespace is none: that list was not the whole truth
    read = [name for name in readable if name not in unread]
    if read:
        denied.detail += f"; read in {len(read)} of its namespaces: {', '.join(read[:10])}"
        if len(read) > 10:
            denied.detail += ", …"
    raise denied


async def review(cluster: Cluster) -> Mapping[str, Any]:
    """The rules that hold for us in each namespace we know of, and whether these are all."""
    namespaces = BY_KIND["k8s.namespace"]
    names: list[str] = []
    complete = True

    def take(items: list[Any]) -> None:
        names.extend(identity(namespaces, item)[0] for item in items)

    try:
        await pages(cluster.get, namespaces.path("v1"), "NamespaceList", take)
    except ReadError:
        complete = False
        names = names or [cluster.namespace or "default"]
    if len(names) > MOST_NAMESPACES:
        names, complete = names[:MOST_NAMESPACES], False
    rules: dict[str, Any] = dict.fromkeys(names)

    async def one(namespace: str) -> None:
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectRulesReview",
            "spec": {"namespace": namespace},
        }
        try:
            answer = await cluster.post(RULES_REVIEW, body)
        except ReadError:
            return  # unknown: the list call itself will tell
        status = answer.get("status") if isinstance(answer, dict) else None
        if isinstance(status, dict) and not status.get("incomplete"):
            rules[namespace] = status.get("resourceRules") or []

    async with trio.open_nursery() as nursery:
        for name in names:
            nursery.start_soon(one, name)
    return {"rules": rules, "complete": complete}


def allows(rules: Any, table: Table) -> bool:
    """Whether the rules let us list a kind; true where they could not be read."""
    if rules is None:
        return True
    return any(
        isinstance(rule, dict)
        and not rule.get("resourceNames")
        and {"list", "*"} & set(rule.get("verbs") or ())
        and {table.group, "*"} & set(rule.get("apiGroups") or ())
        and {table.resource, "*"} & set(rule.get("resources") or ())
        for rule in rules
    )


async def read_usage(cluster: Cluster, table: Table) -> Usage:
    """What the metrics server measured, by id; or the gap that stands for all of it."""
    path = f"/apis/{METRICS_GROUP}/{METRICS_VERSION}/{table.resource}"
    if cluster.served.metrics is False:
        absent = ReadError(
            Reason.DISABLED,
            "metrics.k8s.io is not served: no metrics server is installed",
            call=f"GET {path}",
        )
        return Usage(gap=gap(cluster, table.kind, "usage", absent))
    try:
        answer = await cluster.get(path, {})
        items = items_of(answer, path, f"{table.object}MetricsList")
        amounts = dict(measured(table, item) for item in items)
    except ReadError as error:
        error.call = error.call or f"GET {path}"
        if error.reason is Reason.DENIED:
            error.permission = permission(table.resource, METRICS_GROUP)
        return Usage(gap=gap(cluster, table.kind, "usage", error))
    none = ReadError(
        Reason.DISABLED, "the metrics server has no sample of it yet", call=f"GET {path}"
    )
    return Usage(amounts=amounts, without=gap(cluster, table.kind, "usage", none))


async def read_cluster(cluster: Cluster, emit: Emit) -> None:
    """The cluster itself, as one resource named like its context."""
    found = Resource(
        kind=CLUSTER,
        id=cluster.name,
        name=cluster.name,
        provider=PROVIDER,
        account=cluster.name,
        data={"server": cluster.server},
    )
    version: Mapping[str, Any] = {}
    try:
        version = await cluster.get("/version", {})
    except ReadError as error:
        found.unread["version"] = gap(cluster, CLUSTER, "version", error)
        found.unread["minor"] = gap(cluster, CLUSTER, "minor", error)
    else:
        found.data["version"] = {
            key: version[key]
            for key in ("gitVersion", "major", "minor", "platform")
            if key in version
        }
        minor = str(version.get("minor", "")).rstrip("+")  # EKS and GKE write "31+"
        if minor.isdigit():
            found.data["minor"] = int(minor)
    served = cluster.served
    if served.error is not None:
        for field in ("apis", "metrics_available"):
            found.unread[field] = gap(cluster, CLUSTER, field, served.error)
    else:
        found.data["apis"] = served.listing()
        if served.metrics is not None:
            found.data["metrics_available"] = served.metrics
        else:
            down = ReadError(
                Reason.UNREACHABLE, "the server behind metrics.k8s.io is down", call="GET /apis"
            )
            found.unread["metrics_available"] = gap(cluster, CLUSTER, "metrics_available", down)
    await add_flavour(cluster, found, str(version.get("gitVersion", "")))
    emit(found)


async def add_flavour(cluster: Cluster, found: Resource, version: str) -> None:
    told = flavour.by_server(cluster.server, version, cluster.served.groups)
    if not told:
        path = BY_KIND["k8s.node"].path("v1")
        try:
            nodes = items_of(await cluster.get(path, {"limit": 1}), path, "NodeList")
        except ReadError as error:
            found.unread["flavour"] = gap(cluster, CLUSTER, "flavour", error)
            return
        told = next((flavour.by_node(node) for node in nodes if isinstance(node, dict)), "")
    found.data["flavour"] = told
