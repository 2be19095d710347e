"""What a cluster serves: API groups, their versions, and the kinds that can be listed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from infrascan.model import ReadError, Reason
from infrascan.providers.kubernetes.tables import METRICS_GROUP, METRICS_VERSION, TABLES, Table

Get: TypeAlias = Callable[[str], Awaitable[Any]]

# Kind of an answer -> what holds its list: aggregated discovery, and that of clusters before 1.26.
PARTS = {"APIGroupDiscoveryList": "items", "APIGroupList": "groups", "APIVersions": "versions"}
READ_GROUPS = frozenset({table.group for table in TABLES} | {METRICS_GROUP})


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What discovery said. `unsure` groups are there, but what is in them could not be read.

    `error` is set when the whole list of groups could not be read.
    """

    groups: Mapping[str, Mapping[str, frozenset[str]]] = field(default_factory=dict)
    unsure: frozenset[str] = frozenset()
    error: ReadError | None = None

    def version(self, table: Table) -> str:
        """The version to read; the first choice where discovery cannot tell; "" for absent."""
        if self.error is not None or table.group in self.unsure:
            return table.versions[0]
        versions = self.groups.get(table.group, {})
        return next((v for v in table.versions if table.resource in versions.get(v, ())), "")

    @property
    def metrics(self) -> bool | None:
        """Whether metrics.k8s.io is served; None where that could not be read."""
        if self.error is not None or METRICS_GROUP in self.unsure:
            return None
        return METRICS_VERSION in self.groups.get(METRICS_GROUP, {})

    def listing(self) -> list[dict[str, Any]]:
        """Groups and versions as JSON, in order of name."""
        return [
            {"group": group, "versions": sorted(versions)}
            for group, versions in sorted(self.groups.items())
        ]


async def discover(get: Get) -> Served:
    """Ask the cluster what it serves: in two calls where it knows how, else group by group."""
    try:
        core, named = await get("/api"), await get("/apis")
    except ReadError as error:
        return Served(error=error)
    groups: dict[str, dict[str, frozenset[str]]] = {}
    unsure: set[str] = set()
    for path, answer in (("/api", core), ("/apis", named)):
        part = PARTS.get(kind(answer))
        if part is None or not isinstance(answer.get(part), list):
            # Taken for an empty list, this would make a whole cluster look empty.
            return Served(
                error=ReadError(
                    Reason.MALFORMED, "the answer has no list of API groups", call=f"GET {path}"
                )
            )
        if part == "items":
            aggregated(answer, groups, unsure)
        else:
            for group, version in legacy(answer):
                groups.setdefault(group, {})[version] = frozenset()
                if group in READ_GROUPS:
                    await fill(get, group, version, groups, unsure)
    return Served(groups=groups, unsure=frozenset(unsure))


def kind(answer: Any) -> str:
    return str(answer.get("kind")) if isinstance(answer, dict) else ""


def dicts(value: Any) -> list[dict[str, Any]]:
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []


def aggregated(answer: Any, groups: dict[str, dict[str, frozenset[str]]], unsure: set[str]) -> None:
    for item in dicts(answer.get("items")):
        group = str((item.get("metadata") or {}).get("name") or "")
        for version in dicts(item.get("versions")):
            stale = version.get("freshness") == "Stale"  # the server behind the group is down
            if stale or not isinstance(version.get("resources"), list):
                unsure.add(group)
            listable = {
                str(resource.get("resource"))
                for resource in dicts(version.get("resources"))
                if "list" in (resource.get("verbs") or ())
            }
            groups.setdefault(group, {})[str(version.get("version"))] = frozenset(listable)


def legacy(answer: Any) -> list[tuple[str, str]]:
    """(group, version) of an APIVersions or APIGroupList."""
    if kind(answer) == "APIVersions":
        return [("", str(version)) for version in answer.get("versions") or ()]
    return [
        (str(group.get("name")), str(version.get("version")))
        for group in dicts(answer.get("groups"))
        for version in dicts(group.get("versions"))
    ]


async def fill(
    get: Get,
    group: str,
    version: str,
    groups: dict[str, dict[str, frozenset[str]]],
    unsure: set[str],
) -> None:
    try:
        answer = await get(f"/apis/{group}/{version}" if group else f"/api/{version}")
    except ReadError:
        unsure.add(group)  # its kinds are then asked for, and leave gaps of their own
        return
    if kind(answer) != "APIResourceList" or not isinstance(answer.get("resources"), list):
        unsure.add(group)
        return
    groups[group][version] = frozenset(
        str(resource.get("name"))
        for resource in dicts(answer.get("resources"))
        if "list" in (resource.get("verbs") or ())
    )
