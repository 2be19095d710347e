"""What to read: the chosen projects, folders and organisations, and which projects they hold."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from infrascan.collect.provider import Ask, Call
from infrascan.model import Connection, Identity, InputError, ReadError, Reason
from infrascan.providers.gcp.inventory import Inventory, pages
from infrascan.providers.gcp.kinds import ASSETS, NODES

MANAGER = "GET cloudresourcemanager.googleapis.com/v3/"
FORM = re.compile(r"(?:projects/[a-z0-9.:\-]+|folders/\d+|organizations/\d+)")
ENABLE = "gcloud services enable cloudasset.googleapis.com --project {}"
GRANT = "grant roles/cloudasset.viewer on {}"
# Why the inventory may not answer although the services do.
OFF = frozenset({Reason.DISABLED, Reason.DENIED})
LIVING = frozenset({"ACTIVE", "", "LIFECYCLE_STATE_UNSPECIFIED"})


@dataclass(eq=False)
class Scope:
    """A part of the hierarchy. With `off`, its services are asked one by one."""

    name: str  # "projects/shop-prod"
    accounts: dict[str, str] = field(default_factory=dict)  # number -> id of its living projects
    above: list[str] = field(default_factory=list)  # organisations seen, "organizations/1"
    off: ReadError | None = None
    closed: ReadError | None = None  # why nothing of it can be read
    missing: bool = False  # the scope itself could not be found
    inventory: Inventory | None = None

    @property
    def projects(self) -> list[str]:
        return sorted(set(self.accounts.values()))

    @property
    def remedy(self) -> str:
        """How to get the inventory to answer."""
        if self.off is not None and self.off.reason is Reason.DENIED:
            return GRANT.format(self.name)
        return ENABLE.format(self.projects[0] if self.projects else "PROJECT")


def chosen(names: Sequence[str]) -> list[str]:
    """The scopes that the user named. Raises `InputError` for one of another form."""
    for name in names:
        if FORM.fullmatch(name):
            continue
        if re.fullmatch(r"[a-z][a-z0-9.:\-]{4,}", name):
            raise InputError(f"GCP scope {name!r}: did you mean projects/{name}?")
        raise InputError(
            f"GCP scope {name!r}: name projects/ID, folders/NUMBER or organizations/NUMBER"
        )
    return list(dict.fromkeys(names))


async def visible(ask: Ask) -> list[dict[str, Any]]:
    """Every living project that the credentials can see. Raises `ReadError`."""
    return await every(ask, "", "projects:search", "projects", {"query": "state:ACTIVE"})


async def every(
    ask: Ask, scope: str, path: str, items: str, params: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """All pages of a list of the resource manager. Raises `ReadError`."""
    found: list[dict[str, Any]] = []
    seen: set[str] = set()
    token = ""
    while token not in seen:
        seen.add(token)
        more = {**params, "pageSize": 500, **({"pageToken": token} if token else {})}
        answer = await ask(asking(scope, MANAGER + path, more))
        if not isinstance(answer, dict) or not isinstance(answer.get(items, []), list):
            raise ReadError(Reason.MALFORMED, f"the answer has no {items}", call=MANAGER + path)
        found += [item for item in answer.get(items, []) if isinstance(item, dict)]
        token = str(answer.get("nextPageToken") or "")
        if not token:
            return found
    raise ReadError(Reason.TRUNCATED, "the list of projects goes round in a circle")


def asking(scope: str, api: str, params: Mapping[str, Any]) -> Call:
    family = api.partition(" ")[2].partition(".")[0]
    return Call(provider="gcp", account=scope, region="", api=api, params=params, family=family)


async def explore(ask: Ask, scope: Scope) -> None:
    """Find the projects of a scope: by the inventory, or by the resource manager.

    When neither answers, the scope is closed.
    """
    types = [name for kind in NODES for name in ASSETS[kind].types]
    try:
        try:
            async for assets in pages(ask, scope.name, "RESOURCE", types):
                for asset in assets:
                    note(scope, asset)
        except ReadError as error:
            if error.reason not in OFF:
                raise
            scope.off = error
            scope.accounts.clear()
            await descend(ask, scope)
    except ReadError as error:
        scope.closed = error
        return
    if not scope.accounts and scope.name.startswith("projects/"):
        project = scope.name.removeprefix("projects/")
        scope.accounts[project] = project


def note(scope: Scope, asset: Any) -> None:
    """What a node of the hierarchy says: a project's number and id, an organisation above it."""
    if not isinstance(asset, dict):
        return
    resource = asset.get("resource")
    data = resource.get("data") if isinstance(resource, dict) else None
    for name in asset.get("ancestors") or ():
        if str(name).startswith("organizations/") and name not in scope.above:
            scope.above.append(str(name))
    if not isinstance(data, dict) or not str(asset.get("assetType", "")).endswith("/Project"):
        return
    state = str(data.get("lifecycleState") or data.get("state") or "")
    number = str(data.get("projectNumber") or str(asset.get("name", "")).rpartition("/")[2])
    if data.get("projectId") and state in LIVING:
        scope.accounts[number] = str(data["projectId"])


async def descend(ask: Ask, scope: Scope) -> None:
    """The projects of a scope from the resource manager. Raises `ReadError`."""
    if scope.name.startswith("projects/"):
        project = scope.name.removeprefix("projects/")
        try:
            found = await ask(
                asking(scope.name, MANAGER + "projects/{project}", {"project": project})
            )
        except ReadError as error:
            if error.code == "SERVICE_DISABLED":
                return  # the project is there: its other services can be asked
            scope.missing = error.reason in OFF
            raise
        scope.accounts[number(found)] = str(found.get("projectId") or project)
        return
    waiting = [scope.name]
    while waiting:
        parent = waiting.pop()
        params = {"parent": parent}
        for item in await every(ask, scope.name, "projects", "projects", params):
            if str(item.get("state", "")) in LIVING:
                scope.accounts[number(item)] = str(item.get("projectId"))
        waiting += [
            str(item["name"])
            for item in await every(ask, scope.name, "folders", "folders", params)
            if item.get("name")
        ]


def number(project: Mapping[str, Any]) -> str:
    return str(project.get("name", "")).rpartition("/")[2]


async def known(ask: Ask, scope: Scope) -> None:
    """Raise `InputError`, with the nearest name, for a project that is not among the visible."""
    if not scope.missing:
        return
    try:
        names = sorted(str(item.get("projectId")) for item in await visible(ask))
    except ReadError:
        return
    project = scope.name.removeprefix("projects/")
    if not names or project in names:
        return
    near = difflib.get_close_matches(project, names, n=1, cutoff=0.5)
    meant = f"did you mean projects/{near[0]}? " if near else ""
    listed = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    raise InputError(
        f"GCP project {project!r} is not there, or not visible: {meant}visible are {listed}"
    )


def identity(scope: Scope, local: Mapping[str, Any]) -> Identity:
    """As whom a scope is read, or why it is not."""
    if scope.closed is not None:
        return failed(scope.name, local, scope.closed)
    detail = ""
    if scope.off is not None:
        why = "off" if scope.off.reason is Reason.DISABLED else "denied"
        detail = f"Cloud Asset Inventory is {why}: services are read one by one, and less of them"
    return Identity(
        provider="gcp",
        state=Connection.CONNECTED,
        source=str(local.get("source", "")),
        account=scope.name,
        who=str(local.get("who", "")),
        detail=detail,
        remedy=scope.remedy if detail else "",
    )


def failed(scope: str, local: Mapping[str, Any], error: ReadError) -> Identity:
    """The identity of a scope that cannot be read."""
    remedy = str(local.get("remedy", ""))
    if error.reason is Reason.DENIED:
        remedy = f"grant roles/cloudasset.viewer and roles/viewer on {scope or 'a project'}"
    elif error.reason is Reason.THROTTLED:
        remedy = "run again later"
    elif error.reason is not Reason.UNAUTHENTICATED:
        remedy = "check the network and the proxy settings"
    return Identity(
        provider="gcp",
        state=Connection.ERROR,
        source=str(local.get("source", "")),
        account=scope,
        who=str(local.get("who", "")),
        detail=error.detail,
        remedy=remedy,
        reason=error.reason,
    )
