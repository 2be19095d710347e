"""From the text of a state or plan to what is kept of it. Secrets go here, on the way in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from infrascan import redact
from infrascan.model import ReadError, Reason
from infrascan.providers.terraform import secrets
from infrascan.providers.terraform.opening import opened
from infrascan.providers.terraform.types import live

LARGEST = 256 << 20  # bytes
VERSION = 4
# What clouds change without anybody's doing.
VOLATILE = frozenset(
    {
        *("latest_restorable_time", "etag", "fingerprint", "last_modified", "last_updated"),
        *("label_fingerprint", "metadata_fingerprint", "tags_fingerprint", "update_time"),
        *("resource_version", "metadata[0].resource_version", "generation", "status", "state"),
    }
)
SHOWN = ("0.", "1.")  # major versions of `show -json`
PLANNED = re.compile(rb'"(?:resource_changes|planned_values)"')


def parse(text: bytes) -> dict[str, Any]:
    """What is kept of a document. Raises `ReadError` for what is no state and no plan."""
    if len(text) > LARGEST:
        raise ReadError(Reason.TRUNCATED, f"larger than {LARGEST >> 20} MB", code="size")
    if not text.strip():
        raise malformed("the file is empty")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise malformed(
            "not JSON: half written, or a plan file that is not shown as JSON"
        ) from error
    if not isinstance(found, dict):
        raise malformed("neither a state nor a plan")
    try:
        return read(found)
    except (AttributeError, KeyError, TypeError, IndexError, ValueError) as error:
        raise malformed(f"not of the form of a state or plan: {type(error).__name__}") from error


def read(found: dict[str, Any]) -> dict[str, Any]:
    if "encrypted_data" in found:
        return {"form": "encrypted", "serial": found.get("serial"), "lineage": found.get("lineage")}
    if "resource_changes" in found or "planned_values" in found:
        return plan(found)
    if "format_version" in found:
        return shown(found)
    version = found.get("version")
    if version == VERSION and isinstance(found.get("resources"), list):
        return state(found)
    if isinstance(version, int) and version < VERSION:
        detail = f"a state of version {version}, which Terraform 0.11 or older wrote; apply once with a newer one"
        raise malformed(detail)
    raise malformed("neither a state of version 4 nor a plan")


def kind_of(text: bytes) -> str:
    """Whether a file holds a plan or a state, for those that cannot be told by their names.

    A plan that was cut off while it was written is still one: it must be said that it is there.
    """
    try:
        return "plan" if parse(text)["form"] == "plan" else "state"
    except ReadError:
        return "plan" if PLANNED.search(text) else "state"


def state(found: Mapping[str, Any]) -> dict[str, Any]:
    resources = [
        instance(block, item) for block in found["resources"] for item in block["instances"]
    ]
    return {
        "form": "state",
        "version": VERSION,
        "terraform_version": found.get("terraform_version"),
        "serial": found.get("serial"),
        "lineage": found.get("lineage"),
        "outputs": [
            output(name, value, bool(value.get("sensitive")))
            for name, value in sorted((found.get("outputs") or {}).items())
        ],
        "resources": resources,
    }


def instance(block: Mapping[str, Any], item: Mapping[str, Any]) -> dict[str, Any]:
    """An instance of a resource block, as format 4 has them."""
    kind = str(block["type"])
    place = f"{block['module']}." if block.get("module") else ""
    data = "data." if block.get("mode") == "data" else ""
    index = item.get("index_key")
    name = f"{place}{data}{kind}.{block['name']}{indexed(index)}"
    return resource(
        {
            "address": name,
            "mode": block.get("mode", "managed"),
            "type": kind,
            "name": block["name"],
            "index": index,
            "module": block.get("module"),
            "provider_name": source(str(block.get("provider", ""))),
            "tainted": item.get("status") == "tainted",
            "deposed": item.get("deposed"),
            "depends_on": item.get("dependencies") or [],
        },
        item.get("attributes") or {},
        item.get("sensitive_attributes") or (),
    )


def shown(found: Mapping[str, Any]) -> dict[str, Any]:
    """A state as `terraform show -json` gives it; it knows no serial and no lineage."""
    check_version(found)
    values = found.get("values") or {}
    return {
        "form": "state",
        "version": None,
        "terraform_version": found.get("terraform_version"),
        "serial": None,
        "lineage": None,
        "outputs": [
            output(name, value, bool(value.get("sensitive")))
            for name, value in sorted((values.get("outputs") or {}).items())
        ],
        "resources": list(in_module(values.get("root_module") or {}, "")),
    }


def in_module(module: Mapping[str, Any], address: str) -> Iterator[dict[str, Any]]:
    for item in module.get("resources") or ():
        yield resource(
            {
                "address": item["address"],
                "mode": item.get("mode", "managed"),
                "type": item["type"],
                "name": item["name"],
                "index": item.get("index"),
                "module": address or None,
                "provider_name": item.get("provider_name", ""),
                "tainted": bool(item.get("tainted")),
                "deposed": item.get("deposed_key"),
                "depends_on": item.get("depends_on") or [],
            },
            item.get("values") or {},
            item.get("sensitive_values") or {},
        )
    for child in module.get("child_modules") or ():
        yield from in_module(child, str(child.get("address", "")))


def resource(about: dict[str, Any], values: Mapping[str, Any], marks: Any) -> dict[str, Any]:
    kept = secrets.attributes(about["type"], values, marks)
    managed = about["mode"] == "managed"
    kind, identifier, key = live(about["type"], kept) if managed else ("", "", "")
    return {
        **about,
        "provider": about["provider_name"].partition("/")[2] or about["provider_name"],
        "attributes": kept,
        "secrets": [{"path": path, "class": name} for path, name in secrets.found_in(kept)],
        "live_kind": kind or None,
        "live_id": identifier or None,
        "live_key": (key or None) if not about["deposed"] else None,
    }


def plan(found: Mapping[str, Any]) -> dict[str, Any]:
    check_version(found)
    changes = [change(item, "planned") for item in found.get("resource_changes") or ()]
    drift = [change(item, "drift") for item in found.get("resource_drift") or ()]
    return {
        "form": "plan",
        "terraform_version": found.get("terraform_version"),
        "timestamp": found.get("timestamp"),
        "errored": bool(found.get("errored")),
        "complete": found.get("complete", True),
        "changes": [c for c in changes if c["actions"] not in (["no-op"], ["read"])],
        "drift": [c for c in drift if c["changed_paths"] or "delete" in c["actions"]],
    }


def change(item: Mapping[str, Any], phase: str) -> dict[str, Any]:
    what = item["change"]
    kind = str(item["type"])
    before, after = what.get("before") or {}, what.get("after") or {}
    return {
        "phase": phase,
        "address": item["address"],
        "mode": item.get("mode", "managed"),
        "type": kind,
        "name": item["name"],
        "module": item.get("module_address"),
        "provider_name": item.get("provider_name", ""),
        "actions": what["actions"],
        "action_reason": item.get("action_reason"),
        "deposed": item.get("deposed"),
        "replace_paths": what.get("replace_paths") or [],
        "changed_paths": changed_paths(before, after),
        "opens_to_all": opened(kind, before, after),
        "before": secrets.attributes(kind, before, what.get("before_sensitive") or {}),
        "after": secrets.attributes(kind, after, what.get("after_sensitive") or {}),
        **dict(zip(("live_kind", "live_id"), live_of(kind, before or after), strict=True)),
    }


def changed_paths(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Where a resource differs, without what changes by itself; [] for one that comes or goes."""
    if not before or not after:
        return []
    return [path for path in secrets.changed(before, after) if path not in VOLATILE]


def live_of(kind: str, values: Mapping[str, Any]) -> tuple[str | None, str | None]:
    found, identifier, _ = live(kind, secrets.attributes(kind, values))
    return found or None, identifier or None


def output(name: str, value: Mapping[str, Any], sensitive: bool) -> dict[str, Any]:
    """An output by name; its value never, only whether it looks like a secret."""
    kept = value.get("value")
    text = kept if isinstance(kept, str) else ""
    found = redact.secret_class(name, text) if text else ""
    if found == "aws-access-key":  # the id of a key, which is no secret
        found = ""
    if not found and text and secrets.secret_name(name):
        found = "password"
    return {"name": name, "sensitive": sensitive, "looks_like": found or None}


def indexed(index: Any) -> str:
    if index is None:
        return ""
    return f"[{index}]" if isinstance(index, int) else f'["{index}"]'


def source(provider: str) -> str:
    """`provider["registry.terraform.io/hashicorp/aws"].west` -> the address between the quotes."""
    return provider.split('"')[1] if provider.count('"') > 1 else provider


def check_version(found: Mapping[str, Any]) -> None:
    version = str(found.get("format_version", ""))
    if not version.startswith(SHOWN):
        raise malformed(
            f"JSON of format {version or 'unknown'}, which is newer than this version knows"
        )


def malformed(detail: str) -> ReadError:
    return ReadError(Reason.MALFORMED, detail)
