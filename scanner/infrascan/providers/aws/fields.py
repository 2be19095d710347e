"""The paths that each kind's data can have, from botocore's own service models.

Only rule checks and tests need them, so nothing is loaded before the first look.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from infrascan.providers.aws.tables import Batch, Detail, Listing

DEPTH = 12  # shapes that contain themselves end here
# Strings and structures whose content no schema describes: policy documents.
OPAQUE = frozenset({"policyDocumentType"})
METRIC: Mapping[str, Any] = {
    name: {}
    for name in (
        *("average", "maximum", "minimum", "sum", "first", "last", "growth"),
        *("days", "datapoints"),
    )
}
CREDENTIALS: Mapping[str, Any] = {
    name: {}
    for name in (
        *("user", "arn", "user_creation_time", "mfa_active"),
        *("password_enabled", "password_last_used", "password_last_changed"),
        "password_next_rotation",
        *(
            f"access_key_{n}_{what}"
            for n in (1, 2)
            for what in (
                *("active", "last_rotated", "last_used_date"),
                *("last_used_region", "last_used_service"),
            )
        ),
        *(f"cert_{n}_{what}" for n in (1, 2) for what in ("active", "last_rotated")),
    )
}


class Tree(Mapping[str, Any]):
    """The field tree of a kind, made when it is first looked into."""

    __slots__ = ("_paths", "listing")

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self._paths: dict[str, Any] | None = None

    @property
    def paths(self) -> dict[str, Any]:
        if self._paths is None:
            self._paths = tree(self.listing)
        return self._paths

    def __getitem__(self, name: str) -> Any:
        return self.paths[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.paths)

    def __len__(self) -> int:
        return len(self.paths)


@cache
def model(service: str) -> Mapping[str, Any]:
    """botocore's model of a service: its operations and shapes."""
    from infrascan.providers.aws.models import loader

    found: Mapping[str, Any] = loader().load_service_model(service, "service-2")
    return found


def tree(listing: Listing) -> dict[str, Any]:
    """The tree of one kind: its item's fields, our own and those of the details."""
    found: dict[str, Any] = {}
    if listing.wrap:
        found[listing.wrap] = {}
    elif listing.operation:
        item = answer(listing.service, listing.operation, listing.items)
        found |= opened(item, listing.documents)
    found |= {
        name: {"[]": {}} if isinstance(template, list) else {}
        for name, template in listing.adds.items()
        if name not in found
    }
    for detail in listing.details:
        service = detail.service or listing.service
        kept = shape_of(detail, service)
        if isinstance(detail, Detail):
            for name, path in detail.beside.items():
                found[name] = answer(service, detail.operation, path)
        if detail.field:
            found[detail.field] = kept
        else:
            found |= kept
    if listing.tags or "tags" in found:
        found["tags"] = {"*": {}}
    if listing.metrics:
        found["metrics"] = {metric.name: dict(METRIC) for metric in listing.metrics}
    found["monthly_cost"] = {}
    return found


def members(service: str, detail: Detail | Batch) -> tuple[str, ...]:
    """The names a merged detail would have brought, to say of each that it was not read."""
    return tuple(shape_of(detail, service))


def shape_of(detail: Detail | Batch, service: str) -> Any:
    if isinstance(detail, Batch):
        if detail.flag:
            return {}
        if detail.csv:
            return dict(CREDENTIALS)
        element = at(answer(service, detail.operation, detail.result), detail.value)
        return {"[]": element} if detail.many else element
    kept = answer(service, detail.operation, detail.result)
    if detail.result.endswith("[]"):
        kept = {"[]": kept}
    if detail.pairs:
        return {"*": {}}
    return opened(kept, detail.documents)


def opened(kept: Any, documents: tuple[str, ...]) -> Any:
    """The tree with None at the strings that hold JSON, since no schema describes those."""
    for path in documents:
        if not path:
            return None
        *steps, last = path.split(".")
        place = kept
        for step in steps:
            name = step.removesuffix("[]")
            place = place[name] if name in place else place["*"]
            place = place["[]"] if step.endswith("[]") else place
        place[last] = None
    return kept


def answer(service: str, operation: str, path: str) -> Any:
    """The tree of what lies at a path of an operation's answer."""
    found = model(service)
    output = found["operations"][operation].get("output")
    whole = grow(found["shapes"], output["shape"], ()) if output else {}
    return at(whole, path)


def at(place: Any, path: str) -> Any:
    """The subtree at a path. Raises `KeyError` for a path that the answer cannot have."""
    for step in path.split(".") if path else ():
        name = step.removesuffix("[]")
        place = place[name] if name else place
        place = place["[]"] if step.endswith("[]") else place
    return place


def grow(shapes: Mapping[str, Any], name: str, above: tuple[str, ...]) -> Any:
    shape = shapes[name]
    if name in OPAQUE or name in above or len(above) > DEPTH or shape.get("document"):
        return None
    inside = (*above, name)
    if shape["type"] == "structure":
        return {
            member: grow(shapes, target["shape"], inside)
            for member, target in shape["members"].items()
        }
    if shape["type"] == "list":
        return {"[]": grow(shapes, shape["member"]["shape"], inside)}
    if shape["type"] == "map":
        keys = shapes[shape["key"]["shape"]].get("enum")
        value = grow(shapes, shape["value"]["shape"], inside)
        return dict.fromkeys(keys, value) if keys else {"*": value}
    return {}
