"""What is done to an answer on arrival: secrets out, and the end of a list made certain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from infrascan.collect.provider import Call
from infrascan.model import ReadError, Reason
from infrascan.redact import blank

# Log destinations whose path names a bucket; of others it may be a secret, so only the host stays.
BUCKETS = frozenset({"s3", "gs", "r2", "azure"})
# Bindings of a Worker that hold a value, and in which field.
VALUES = ("text", "json", "key_jwk", "key_base64", "part")


def settled(call: Call, body: Any, *, lists: bool) -> Any:
    """The answer with its number of pages, where Cloudflare left that to be worked out.

    Raises `ReadError` for a page that is not the one asked for.
    """
    if not isinstance(body, dict):
        return body
    if lists and "result" in body and body["result"] is None and body.get("success") is True:
        body["result"] = []  # Cloudflare's way to say that a list is empty
    if "page" not in call.params and "per_page" not in call.params:
        return body
    found = body.get("result")
    if not isinstance(found, list):
        return body
    asked = number(call.params.get("page")) or 1
    size = number(call.params.get("per_page"))
    info = body.get("result_info")
    info = dict(info) if isinstance(info, dict) else {}
    given = number(info.get("page"))
    if given is not None and given != asked and found:
        raise ReadError(
            Reason.TRUNCATED, f"asked for page {asked}, got page {given}", call=call.api
        )
    if number(info.get("total_pages")) is None:
        info["total_pages"] = pages(info, asked, size, len(found))
    else:
        info["total_pages"] = number(info["total_pages"])
    body["result_info"] = info
    return body


def pages(info: Mapping[str, Any], asked: int, size: int | None, found: int) -> int:
    """How many pages there are: by the total, or one more as long as pages come full."""
    total, size = number(info.get("total_count")), number(info.get("per_page")) or size
    if total is not None and size:
        return -(-total // size)
    return asked + 1 if size and found >= size else asked


def number(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def hide(body: Any, call: Call) -> None:
    """Take out of an answer what is secret by its place, not by its name."""
    found = body.get("result") if isinstance(body, dict) else None
    path = call.api
    if path.endswith("/workers/scripts/{script}/settings") and isinstance(found, dict):
        for binding in dicts(found.get("bindings")):
            bound(binding)
    elif path.endswith("/pages/projects"):
        for project in dicts(found):
            variables(project)
    elif path.endswith("/logpush/jobs"):
        for job in dicts(found):
            destination(job)
    elif path.endswith("/destinations/webhooks"):
        for hook in dicts(found):
            if isinstance(hook.get("url"), str):
                hook["url"] = host_of(hook["url"])


def dicts(found: Any) -> list[dict[str, Any]]:
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def bound(binding: dict[str, Any]) -> None:
    """A binding without its value; what kind of secret a plain text looks like stays."""
    name = str(binding.get("name") or "")
    for field in VALUES:
        if field in binding:
            value = binding[field]
            binding[field] = blank(name, value if isinstance(value, str) else str(value))


def variables(project: dict[str, Any]) -> None:
    """A Pages project without the values of its variables, in each place that has them."""
    places: list[Any] = []
    configs = project.get("deployment_configs")
    if isinstance(configs, dict):
        places += configs.values()
    places += [project.get("latest_deployment"), project.get("canonical_deployment")]
    for place in places:
        found = place.get("env_vars") if isinstance(place, dict) else None
        if not isinstance(found, dict):
            continue
        for name, variable in found.items():
            if isinstance(variable, dict) and "value" in variable:
                variable["value"] = blank(str(name), variable["value"])
            elif isinstance(variable, str):
                found[name] = blank(str(name), variable)


def destination(job: dict[str, Any]) -> None:
    """A log job without the keys that its destination carries in path and query."""
    place = job.get("destination_conf")
    if isinstance(place, str):
        job["destination_conf"] = host_of(place)


def host_of(place: str) -> str:
    """Scheme and host of a URL, and the path where that names a bucket."""
    try:
        parts = urlsplit(place)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return ""
    if not parts.scheme:
        return ""
    return f"{parts.scheme}://{host}" + (parts.path if parts.scheme in BUCKETS else "")
