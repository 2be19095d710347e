"""From the tables: kinds, permissions, and the paths that their data can have."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from infrascan.model import Kind
from infrascan.providers.rest.tables import Detail, Listing

Trees = Callable[[], Mapping[str, Any]]


@cache
def trees(file: Path) -> Mapping[str, Any]:
    """The field trees in a file beside the tables: kind -> tree. Made by a program in `fixtures`."""
    found: Mapping[str, Any] = json.loads(gzip.decompress(file.read_bytes()))
    return found


class Tree(Mapping[str, Any]):
    """The field tree of a kind, made when it is first looked into: only rule checks need it."""

    __slots__ = ("_paths", "file", "listing")

    def __init__(self, listing: Listing, file: Path) -> None:
        self.listing = listing
        self.file = file
        self._paths: dict[str, Any] | None = None

    @property
    def paths(self) -> dict[str, Any]:
        if self._paths is None:
            listing = self.listing
            found = dict(listing.fields or trees(self.file).get(listing.kind) or {})
            if listing.wrap:
                found[listing.wrap] = {}
            for name, template in listing.adds.items():
                found[name] = {"[]": {}} if isinstance(template, list) else {}
            for detail in listing.details:
                if detail.field:
                    found[detail.field] = detail.fields or found.get(detail.field)
                else:
                    found = {**(detail.fields or {}), **found}  # the vendor's tree knows more
            if listing.tags:
                found["tags"] = {"*": {}}
            for relation in listing.relations:
                if relation.missing:
                    found[relation.missing] = {"[]": {}}
            self._paths = found
        return self._paths

    def __getitem__(self, name: str) -> Any:
        return self.paths[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.paths)

    def __len__(self) -> int:
        return len(self.paths)


def kinds(provider: str, tables: Sequence[Listing], file: Path) -> Mapping[str, Kind]:
    """What the rest of infrascan sees of the tables. `file` holds the vendor's field trees."""
    return {
        listing.kind: Kind(
            name=listing.kind,
            title=listing.title,
            provider=provider,
            relations=listing.relations,
            permissions=dict(permissions(listing)),
            calls=calls(listing),
            fields=Tree(listing, file),
            live=listing.live,
        )
        for listing in tables
    }


def permissions(listing: Listing) -> Iterator[tuple[str, str]]:
    """Pairs of field and permission; the field of the list call is ""."""
    if listing.permission:
        yield "", listing.permission
    for detail in listing.details:
        if detail.field and detail.permission:
            yield detail.field, detail.permission


def calls(listing: Listing) -> dict[str, str]:
    """Field -> operation that gives it; "" has the list call, and those that complete its items."""
    listed = [listing.api, *(detail.api for detail in listing.details if not detail.field)]
    found = {detail.field: detail.api for detail in listing.details if detail.field}
    return {"": ", ".join(dict.fromkeys(listed)), **found}


def needed(tables: Sequence[Listing]) -> list[str]:
    """Every permission that reading these tables takes, sorted."""
    found = {permission for listing in tables for _, permission in permissions(listing)}
    for listing in tables:
        found |= {parent.permission for parent in listing.parents}
        found |= {detail.permission for detail in listing.details}
    return sorted(found - {""})


def drops(tables: Sequence[Listing]) -> Mapping[str, tuple[str, ...]]:
    """The secrets in the answers of each operation: api -> paths to drop on arrival."""
    found: dict[str, set[str]] = {}
    for listing in tables:
        for call in (listing, *listing.parents, *listing.details):
            if call.drop:
                found.setdefault(call.api, set()).update(call.drop)
    return {api: tuple(sorted(paths)) for api, paths in found.items()}


def details(tables: Sequence[Listing]) -> Iterator[tuple[Listing, Detail]]:
    """Every detail of every table."""
    for listing in tables:
        for detail in listing.details:
            if isinstance(detail, Detail):
                yield listing, detail
