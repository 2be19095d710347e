"""The bodies that the loopback API server answers with."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

WIRE = Path(__file__).parents[2] / "fixtures" / "kubernetes" / "wire"
READING = ["get", "list", "watch"]


@dataclass
class Answer:
    status: int
    body: bytes
    type: str = "application/json"
    cache: str = "no-cache, private"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Resource:
    """One line of discovery."""

    group: str
    version: str
    name: str
    kind: str
    singular: str
    namespaced: bool
    verbs: tuple[str, ...]

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version


@dataclass(frozen=True)
class User:
    """Who asks. An administrator may read all but `denied`, pairs of group and resource.

    Others may list `namespaced` resources in `namespaces` only, and `cluster` resources anywhere.
    """

    name: str
    admin: bool = True
    denied: frozenset[tuple[str, str]] = frozenset()
    namespaces: frozenset[str] = frozenset()
    namespaced: frozenset[tuple[str, str]] = frozenset()
    cluster: frozenset[tuple[str, str]] = frozenset()

    def may(self, verb: str, group: str, resource: str, namespace: str) -> bool:
        if self.admin:
            return (group, resource) not in self.denied
        if verb not in READING:
            return False
        inside = namespace in self.namespaces and (group, resource) in self.namespaced
        return inside or (group, resource) in self.cluster


def served_resources() -> dict[tuple[str, str, str], Resource]:
    """All resources of the recorded server, by group, version and plural."""
    found: dict[tuple[str, str, str], Resource] = {}
    core = json.loads((WIRE / "discovery-legacy.body").read_bytes())
    for entry in core["resources"]:
        if "/" not in entry["name"]:
            found["", "v1", entry["name"]] = Resource(
                "",
                "v1",
                entry["name"],
                entry["kind"],
                entry["singularName"],
                entry["namespaced"],
                tuple(entry["verbs"]),
            )
    for group in json.loads((WIRE / "discovery-aggregated.body").read_bytes())["items"]:
        name = group["metadata"]["name"]
        for version in group["versions"]:
            for entry in version["resources"]:
                found[name, version["version"], entry["resource"]] = Resource(
                    name,
                    version["version"],
                    entry["resource"],
                    entry["responseKind"]["kind"],
                    entry["singularResource"],
                    entry["scope"] == "Namespaced",
                    tuple(entry["verbs"]),
                )
    return found


def compact(body: Any) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode() + b"\n"


def error(
    code: int,
    reason: str,
    message: str,
    *,
    details: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    sniff: bool = False,
) -> Answer:
    """A Status, as the API server words its refusals."""
    body: dict[str, Any] = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": dict(metadata or {}),
        "status": "Failure",
        "message": message,
        "reason": reason,
    }
    if details is not None:
        body["details"] = dict(details)
    body["code"] = code
    headers = {"X-Content-Type-Options": "nosniff"} if sniff else {}
    return Answer(code, compact(body), headers=headers)


def by_group(served: Iterable[Resource]) -> dict[str, dict[str, list[Resource]]]:
    groups: dict[str, dict[str, list[Resource]]] = {}
    for resource in served:
        groups.setdefault(resource.group, {}).setdefault(resource.version, []).append(resource)
    return groups


def discovery(
    path: str, accept: str, served: Iterable[Resource], stale: frozenset[str]
) -> Answer | None:
    """/api, /apis, /api/v1 and /apis/GROUP/VERSION; None for other paths."""
    groups = by_group(served)
    if path in {"/api", "/apis"}:
        wanted = [""] if path == "/api" else sorted(set(groups) - {""})
        if "as=APIGroupDiscoveryList" in accept:
            items = [aggregated(name, groups[name], name in stale) for name in wanted]
            body = {
                "kind": "APIGroupDiscoveryList",
                "apiVersion": "apidiscovery.k8s.io/v2",
                "metadata": {},
                "items": items,
            }
            kind = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
            return Answer(200, compact(body), kind, "public", {"Vary": "Accept", "ETag": '"0"'})
        if path == "/api":
            return Answer(200, compact({"kind": "APIVersions", "versions": ["v1"]}))
        legacy = {"kind": "APIGroupList", "apiVersion": "v1"}
        return Answer(200, compact({**legacy, "groups": [group_of(n, groups[n]) for n in wanted]}))
    parts = path.strip("/").split("/")
    group, version = ("", parts[1]) if parts[0] == "api" and len(parts) == 2 else ("-", "")
    if parts[0] == "apis" and len(parts) == 3:
        group, version = parts[1], parts[2]
    if version not in groups.get(group, {}):
        return None
    if group in stale:
        return error(
            503, "ServiceUnavailable", "the server is currently unable to handle the request"
        )
    resources = [
        {
            "name": r.name,
            "singularName": r.singular,
            "namespaced": r.namespaced,
            "kind": r.kind,
            "verbs": list(r.verbs),
        }
        for r in groups[group][version]
    ]
    full = f"{group}/{version}" if group else version
    body = {"kind": "APIResourceList", "groupVersion": full, "resources": resources}
    return Answer(200, compact(body))


def aggregated(name: str, versions: Mapping[str, list[Resource]], stale: bool) -> dict[str, Any]:
    return {
        "metadata": {"name": name} if name else {},
        "versions": [
            {
                "version": version,
                "resources": []
                if stale
                else [
                    {
                        "resource": r.name,
                        "responseKind": {"group": "", "version": "", "kind": r.kind},
                        "scope": "Namespaced" if r.namespaced else "Cluster",
                        "singularResource": r.singular,
                        "verbs": list(r.verbs),
                    }
                    for r in resources
                ],
                "freshness": "Stale" if stale else "Current",
            }
            for version, resources in versions.items()
        ],
    }


def group_of(name: str, versions: Mapping[str, list[Resource]]) -> dict[str, Any]:
    found = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": found, "preferredVersion": found[0]}


def rules_of(user: User, namespace: str, served: Iterable[Resource]) -> dict[str, Any]:
    """What a SelfSubjectRulesReview says: one rule per resource that the user may list."""
    rules: list[dict[str, Any]] = [
        {
            "verbs": ["create"],
            "apiGroups": ["authorization.k8s.io"],
            "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
        }
    ]
    seen = {(r.group, r.name) for r in served if "list" in r.verbs}
    rules += [
        {"verbs": READING, "apiGroups": [group], "resources": [name]}
        for group, name in sorted(seen)
        if user.may("list", group, name, namespace)
    ]
    urls = {"verbs": ["get"], "nonResourceURLs": ["/api", "/api/*", "/apis", "/apis/*", "/version"]}
    return {"resourceRules": rules, "nonResourceRules": [urls], "incomplete": False}


def token_of(revision: int, start: str) -> str:
    body = {"v": "meta.k8s.io/v1", "rv": revision, "start": f"{start}\0"}
    return b64encode(json.dumps(body, separators=(",", ":")).encode()).decode().rstrip("=")


def listing(
    resource: Resource,
    namespace: str,
    query: Mapping[str, str],
    accept: str,
    revision: int,
    snapshot: Callable[[int], list[Any] | None],
) -> Answer:
    """A page of a list, at one revision from the first page to the last."""
    form = form_of(accept)
    if not form:
        body = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": "406: Not Acceptable\n\nAvailable representations: application/json",
            "reason": "NotAcceptable",
            "details": {},
            "code": 406,
        }
        return Answer(406, json.dumps(body, indent=2).encode())
    after = ""
    at = revision
    if token := query.get("continue"):
        try:
            padded = token + "=" * (-len(token) % 4)
            found = json.loads(b64decode(padded, validate=True))
            at, after = int(found["rv"]), str(found["start"]).rstrip("\0")
        except (ValueError, KeyError, TypeError):
            message = "invalid continue token: continue key is not valid: invalid character"
            return error(400, "BadRequest", message)
    items = snapshot(revision if at == -1 else at)
    if items is None:
        message = (
            "The provided continue parameter is too old to display a consistent list result. You "
            "can start a new list without the continue parameter, or use the continue token in "
            "this response to retrieve the remainder of the results. Continuing with the provided "
            "token results in an inconsistent list - objects that were created, modified, or "
            "deleted between the time the first chunk was returned and now may show up in the list."
        )
        return error(410, "Expired", message, metadata={"continue": token_of(-1, after)})
    prefix = f"{namespace}/" if namespace else ""
    rest = [(key, item) for key, item in items if key.startswith(prefix) and key > after]
    limit = int(query.get("limit") or 0)
    page = rest[:limit] if limit else rest
    metadata: dict[str, Any] = {"resourceVersion": str(revision if at == -1 else at)}
    if len(rest) > len(page):
        metadata["continue"] = token_of(revision if at == -1 else at, page[-1][0])
        metadata["remainingItemCount"] = len(rest) - len(page)
    return Answer(200, compact(shaped(form, resource, metadata, [item for _, item in page])))


def form_of(accept: str) -> str:
    """The first form of the Accept header that is served: "List", "Table", "Partial" or ""."""
    for part in accept.split(",") if accept else ["*/*"]:
        kind, *parameters = (piece.strip() for piece in part.split(";"))
        if kind not in {"application/json", "*/*", "application/*"}:
            continue
        asked = next((p[3:] for p in parameters if p.startswith("as=")), "")
        form = {"": "List", "Table": "Table", "PartialObjectMetadataList": "Partial"}.get(asked)
        if form:
            return form
    return ""


def shaped(
    form: str, resource: Resource, metadata: Mapping[str, Any], items: list[Any]
) -> dict[str, Any]:
    if form == "List":
        kind = f"{resource.kind}List"
        return {
            "kind": kind,
            "apiVersion": resource.api_version,
            "metadata": metadata,
            "items": items,
        }
    partial = [
        {
            "kind": "PartialObjectMetadata",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": item["metadata"],
        }
        for item in items
    ]
    meta = {"apiVersion": "meta.k8s.io/v1", "metadata": metadata}
    if form == "Partial":
        return {"kind": "PartialObjectMetadataList", **meta, "items": partial}
    columns = COLUMNS.get(resource.name, DEFAULT_COLUMNS)
    rows = [
        {"cells": [cell(item) for _, cell in columns], "object": shown}
        for item, shown in zip(items, partial, strict=True)
    ]
    definitions = [
        {"name": name, "type": "string", "format": "", "description": "", "priority": 0}
        for name, _ in columns
    ]
    return {"kind": "Table", **meta, "columnDefinitions": definitions, "rows": rows}


Column = tuple[str, Callable[[Any], Any]]
NAME: Column = ("Name", lambda item: item["metadata"]["name"])
AGE: Column = ("Age", lambda item: "8m")
DEFAULT_COLUMNS: tuple[Column, ...] = (NAME, AGE)
COLUMNS: Mapping[str, tuple[Column, ...]] = {
    "secrets": (
        NAME,
        ("Type", lambda item: item.get("type", "Opaque")),
        ("Data", lambda item: len(item.get("data") or ())),
        AGE,
    ),
    "pods": (
        NAME,
        ("Ready", lambda item: "0/1"),
        ("Status", lambda item: (item.get("status") or {}).get("phase", "Pending")),
        ("Restarts", lambda item: "0"),
        AGE,
        ("IP", lambda item: (item.get("status") or {}).get("podIP", "<none>")),
        ("Node", lambda item: (item.get("spec") or {}).get("nodeName", "<none>")),
        ("Nominated Node", lambda item: "<none>"),
        ("Readiness Gates", lambda item: "<none>"),
    ),
}
