"""What becomes of an answer when it arrives: secrets and ballast are dropped before anything else.

Runs in the thread that made the request, so a recording never holds what is dropped here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import islice
from typing import Any

from infrascan import redact
from infrascan.providers.kubernetes.calls import called
from infrascan.providers.kubernetes.fields import DROPPED
from infrascan.providers.kubernetes.references import containers, pod_spec
from infrascan.providers.kubernetes.tables import BY_RESOURCE, Table

LIST_PATH = re.compile(
    r"^/(?:api|apis/(?P<group>[^/]+))/(?P<version>[^/]+)"
    r"(?:/namespaces/(?P<namespace>[^/]+))?/(?P<resource>[^/]+)$"
)
# Annotations in which tools keep the object as it was applied, Secrets' data and all.
COPIES = re.compile(r"last-applied|^objectset\.rio\.cattle\.io/applied$|^kapp\.k14s\.io/original")
BEFORE = 64  # characters ahead of a hint that may belong to the secret's name
MOST_PLACES = 1000  # in one value
LONG = 256  # characters; an annotation of a Secret or ConfigMap beyond this is content, not a note


def target(path: str) -> tuple[Table | None, str]:
    """The table whose objects a path lists, and the namespace it is limited to."""
    match = LIST_PATH.match(path)
    if not match:
        return None, ""
    return BY_RESOURCE.get((match["group"] or "", match["resource"])), match["namespace"] or ""


def received(path: str, answer: Any) -> Any:
    """The answer to a GET without secrets and ballast."""
    if not isinstance(answer, dict):
        return answer
    table, _ = target(path)
    if table is not None and answer.get("kind") == "Table":
        answer = from_table(table, answer)
    items = answer.get("items")
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict):
            reduce(table.kind if table else "", item)
    return answer


def from_table(table: Table, answer: dict[str, Any]) -> dict[str, Any]:
    """A list in place of a Table, which is how Secrets come without their data.

    A Table without rows gives a list without items, which is then refused as malformed.
    """
    columns = answer.get("columnDefinitions")
    names = (
        [str(c.get("name")) for c in columns if isinstance(c, dict)]
        if isinstance(columns, list)
        else []
    )
    listed: dict[str, Any] = {"kind": f"{table.object}List", "metadata": answer.get("metadata")}
    rows = answer.get("rows")
    if isinstance(rows, list):
        listed["items"] = [from_row(names, row) for row in rows]
    elif "rows" in answer and rows is None:
        listed["items"] = None
    return listed


def from_row(names: list[str], row: Any) -> Any:
    if not isinstance(row, dict) or not isinstance(row.get("object"), dict):
        return row
    cells = row.get("cells")
    shown = dict(zip(names, cells, strict=False)) if isinstance(cells, list) else {}
    item: dict[str, Any] = {"metadata": row["object"].get("metadata")}
    if "Type" in shown:
        item["type"] = shown["Type"]
    if "Data" in shown:
        item["entry_count"] = shown["Data"]
    return item


def reduce(kind: str, item: dict[str, Any]) -> None:
    """Drop and derive in place."""
    item.pop("kind", None)
    item.pop("apiVersion", None)
    metadata = item.get("metadata")
    if isinstance(metadata, dict):
        changed = latest_change(metadata.get("managedFields"))
        if changed:
            item["changed"] = changed
        metadata["annotations"] = notes(kind, metadata.get("annotations"))
        if not metadata["annotations"]:
            del metadata["annotations"]
    if kind == "k8s.config_map":
        item["entries"] = entries(item.get("data"), item.get("binaryData"))
    if kind == "k8s.secret" and "entry_count" not in item:
        item["entry_count"] = len(item.get("data") or ())
    for path in (*DROPPED["*"], *DROPPED.get(kind, ())):
        drop(item, path)
    spec = pod_spec(kind, item)
    if spec is not None:
        if hosts := called(containers(spec)):
            item["calls"] = hosts
        for container in containers(spec):
            if "env" in container:
                container["env"] = redact.environment(container["env"])
    if kind == "k8s.event":
        for name in ("message", "note"):
            if isinstance(item.get(name), str):
                item[name] = redact.text(item[name])


def latest_change(managed: Any) -> dict[str, str]:
    """When, and by which client, anything but the status was last written."""
    latest: dict[str, str] = {}
    for entry in managed if isinstance(managed, list) else ():
        if isinstance(entry, dict) and entry.get("subresource") != "status":
            moment = entry.get("time")
            if isinstance(moment, str) and moment > latest.get("at", ""):
                latest = {"at": moment, "by": str(entry.get("manager", ""))}
    return latest


def notes(kind: str, found: Any) -> dict[str, Any]:
    if not isinstance(found, Mapping):
        return {}
    kept = {name: value for name, value in found.items() if not COPIES.search(name)}
    if kind in {"k8s.secret", "k8s.config_map"}:
        return {
            name: redact.MARK if isinstance(value, str) and len(value) > LONG else value
            for name, value in kept.items()
        }
    return kept


def entries(data: Any, binary: Any) -> list[dict[str, Any]]:
    """The keys of a ConfigMap, the size of each value, and what kind of secret it looks like."""
    found = [
        {"key": key, "bytes": len(str(value).encode()), "holds": holds(key, value)}
        for key, value in (data.items() if isinstance(data, Mapping) else ())
    ]
    found += [
        {"key": key, "bytes": len(str(value)) * 3 // 4, "holds": ""}  # base64
        for key, value in (binary.items() if isinstance(binary, Mapping) else ())
    ]
    return found


def holds(key: str, value: Any) -> str:
    """The class of secret in one value: by its name, or by what it contains.

    A long value is looked at around each place where a secret may begin, so that a value made
    to be slow costs milliseconds.
    """
    if not isinstance(value, str):
        return ""
    if len(value) <= LONG:
        return redact.secret_class(key, value)
    for place in islice(redact.hint().finditer(value), MOST_PLACES):
        around = value[max(0, place.start() - BEFORE) : place.end() + LONG]
        if found := redact.secret_class("", around):
            return found
    return redact.secret_class(key, "long")


def drop(data: Any, path: tuple[str, ...]) -> None:
    step, *rest = path
    if step == "[]":
        for entry in data if isinstance(data, list) else ():
            drop(entry, tuple(rest))
    elif isinstance(data, dict):
        if rest:
            drop(data.get(step), tuple(rest))
        else:
            data.pop(step, None)
