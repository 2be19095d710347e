"""The vocabulary in which REST APIs are described. Plain data: no I/O.

An operation is spelled as vendors document it: `"GET /zones/{zone}/dns_records"`. Its slots are
filled from the parameters; what is left of them is the query, or the JSON body of a POST.
Templates in parameters and ids are those of `providers.templates`, filled from the item, from the
names that parents gave, and from the partition's scope: `account`, and the times `now`, `day_ago`,
`week_ago` and `month_ago` in seconds since 1970, and `now_utc` and `day_ago_utc` as
`2026-11-20T06:00:00Z`. Paths are those of `paths.values`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, TypeAlias

from infrascan.model import Relation


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """How a list goes on. None of them set: one answer holds all.

    `token` is the path of the next page's token, which goes into `param`. `link` is the path of
    the next page's URL; its path and query are used, its host never. `pages` is the path of the
    number of pages, which are counted in `param`. `full` is for APIs that say nothing: a page of
    that many items is followed by the next, counted in `param`.

    `total` is the path of how many items there are in all, where the vendor says so: a list that
    ends before that many came is truncated.
    """

    param: str = ""
    token: str = ""
    link: str = ""
    pages: str = ""
    full: int = 0
    total: str = ""
    warns: str = ""  # path of what the answer says is missing from it


ONE_PAGE = Paging()
NULL: Final = "null"
Optional: TypeAlias = bool | Literal["null"]
"""Whether the items may be left out of a good answer when there are none. With NULL the vendor
gives null for them, or an answer with nothing in it at all; anything else is a fault. Where the
answer says how many items there are, they are left out of it only when there are none."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """A call per resource, whose answer is stored under `field` of the resource's data.

    With `field=""` the answer is merged into the data, ahead of the other details. A `result`
    that is not in a good answer is a fault, unless `optional` says that the vendor leaves it out.
    """

    field: str
    api: str
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    result: str = ""  # path of what to keep; "" keeps the answer. With "[]" at its end: all pages
    optional: Optional = False
    paging: Paging = ONE_PAGE
    absent: tuple[str, ...] = ()  # codes that mean "not configured": stored as None
    when: str = ""  # path that must hold something, or "path=value"; else nothing is asked: None
    shape: Callable[[Any], Any] | None = (
        None  # a plain function from what is kept to what is stored
    )
    drop: tuple[str, ...] = ()  # paths in the answer that hold secrets: dropped on arrival
    permission: str = ""
    fields: Any = None  # tree of what is stored, as in `Kind.fields`; None: not known


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One call that covers the partition; each resource gets, under `field`, what is about it.

    An element at `result` is about the resources whose filled `match` is among its values at `by`.
    """

    field: str
    api: str
    result: str
    by: str
    match: str
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    value: str = ""  # path of what to keep of the element; "" keeps all of it
    otherwise: Any = None  # stored for a resource without an element
    many: bool = False  # store the list of all elements about the resource
    paging: Paging = ONE_PAGE
    shape: Callable[[Any], Any] | None = None
    drop: tuple[str, ...] = ()
    permission: str = ""
    fields: Any = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """A call whose items parametrise the list call, which is made once for each of them.

    An item that lacks what `gives` names (a path, "" for the item itself) is a fault.
    """

    api: str
    items: str
    gives: Mapping[str, str]  # name for templates -> path in the item
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    paging: Paging = ONE_PAGE
    when: str = ""  # as in `Detail`, of the item: others are passed over
    optional: Optional = False  # the vendor leaves the items out of a good answer without any
    drop: tuple[str, ...] = ()
    permission: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One kind of resource. Without `items` the answer is the one item."""

    kind: str
    title: str
    api: str
    id: str  # template
    name: tuple[str, ...]  # paths, or templates; the first that holds something
    items: str = ""  # path of the list, "servers[]"; "[]" when the answer is the list
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    paging: Paging = ONE_PAGE
    optional: Optional = False  # the vendor leaves the items out of a good answer without any
    absent: tuple[str, ...] = ()  # codes that mean "there are none"
    only: str = ""  # as `when` in `Detail`, of the item: others are of another kind
    wrap: str = ""  # items are no objects: they become {wrap: item}
    adds: Mapping[str, Any] = dataclasses.field(default_factory=dict)  # extra data -> template
    shape: Callable[[dict[str, Any]], dict[str, Any]] | None = None  # from an item to its data
    tags: str = ""  # path of tags: a map, a list of {key, value}, or a list of words
    region: str = ""  # template of the item's region
    each: tuple[Mapping[str, str], ...] = ()  # names for templates: a list for each of these
    parents: tuple[Parent, ...] = ()
    details: tuple[Detail | Batch, ...] = ()
    relations: tuple[Relation, ...] = ()
    drop: tuple[str, ...] = ()
    permission: str = ""
    fields: Any = None  # tree of the item, where it is not in the provider's file of fields
    live: bool = False  # as in `Kind`
