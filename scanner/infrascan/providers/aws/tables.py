"""The vocabulary in which AWS services are described. Plain data: no I/O, no closures.

A `Listing` is one kind of resource: the call that lists it, and the calls that complete each
item. Strings in braces are templates: `"{Bucket}"` is filled from the item, from the names a
parent call gave, or from `account` (the id), `region`, `partition` ("aws", "aws-cn"), and the
times `now` and `day_ago`.
`{A|B}` takes the first that holds something, `{A|}` may be empty, `{A!base}` passes the value
through one of `templates.FILTERS`. A string that is one template alone keeps the value's type.
Paths are those of `paths.values`: `Reservations[].Instances[]`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeAlias

from infrascan.model import Relation

Paging: TypeAlias = tuple[tuple[str, str], ...]
"""Pairs of (parameter that takes the token, path in the answer that gives it)."""

NEXT_TOKEN: Paging = (("NextToken", "NextToken"),)
NEXT_TOKEN_LOWER: Paging = (("nextToken", "nextToken"),)
MARKER: Paging = (("Marker", "Marker"),)
NEXT_MARKER: Paging = (("Marker", "NextMarker"),)
POSITION: Paging = (("position", "position"),)
ONE_PAGE: Paging = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """A call per resource, whose answer is stored under `field` of the resource's data.

    With `field=""` the answer is merged into the data: a list call that gives only names is
    completed so, ahead of the other details. A key that is not in a good answer is a fault,
    unless `optional` says that AWS leaves it out when nothing is configured.
    """

    field: str
    operation: str
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    result: str = ""  # path of what to keep; "" keeps the answer. With "[]" at its end: all pages
    optional: bool = False
    needs: str = ""  # a path that every good answer has, where `result` does not tell
    beside: Mapping[str, str] = dataclasses.field(default_factory=dict)  # more fields -> paths
    absent: tuple[str, ...] = ()  # error codes that mean "not configured": stored as None
    when: str = ""  # path that must hold something, or "path=value"; else nothing is asked: None
    documents: tuple[str, ...] = ()  # paths of strings, in what is kept, that hold JSON
    pairs: bool = False  # what is kept is a list of {Key, Value}: make it a map
    paging: Paging = ONE_PAGE
    service: str = ""  # when it is not the listing's
    region: str = ""  # template, when it is not the partition's
    permission: str = ""  # when it is not "service:Operation"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A call for many resources at once; each gets, under `field`, the element that is about it.

    `ids` is the parameter that takes up to `size` values of `match`; with `ids=""` one call
    (all its pages) covers the partition. The elements at `result` are told apart by `by`.
    `otherwise` is stored for a resource without an element; `UNREAD` makes that a gap.
    """

    field: str
    operation: str
    result: str
    by: str  # path in the element; "parts[].{a}:{b}" fills a template from each part
    match: str  # template over the resource's data
    ids: str = ""
    size: int = 0
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    value: str = ""  # path of what to keep of the element; "" keeps all of it
    otherwise: Any = None
    many: bool = False  # store the list of all elements about the resource
    flag: bool = False  # store True where there is an element, else False
    prepare: str = ""  # operation to repeat until its State is COMPLETE
    csv: bool = False  # `result` is a string of comma-separated rows under a header
    paging: Paging = ONE_PAGE
    optional: bool = False
    service: str = ""
    permission: str = ""


UNREAD: Any = "__unread__"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """A call whose items parametrise the list call: it is made once for each of them."""

    operation: str
    items: str
    gives: Mapping[str, str]  # name for templates -> path in the item; "" is the item itself
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    paging: Paging = NEXT_TOKEN
    service: str = ""
    permission: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A CloudWatch metric that rules want, kept as `metrics.<name>` with one value a day."""

    name: str
    namespace: str
    metric: str
    dimensions: Mapping[str, str]  # dimension -> template
    statistics: tuple[str, ...] = ("Average", "Maximum")
    days: int = 14
    when: str = ""  # as in `Detail`: where it does not hold, the metric does not exist


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One kind of resource. Without an `operation` it is a singleton: one item, all details."""

    kind: str
    title: str
    service: str  # botocore's name of the client
    id: str  # template
    name: tuple[str, ...]  # paths, or templates; the first that holds something
    operation: str = ""
    items: str = ""
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    paging: Paging = NEXT_TOKEN
    omitted_when_empty: bool = False  # AWS leaves the items out of a good answer without any
    needs: str = ""  # a path that every good answer has, where the items may be left out
    newest: str = ""  # template: of the items with equal values, only the first listed is kept
    wrap: str = ""  # items are strings: they become {wrap: item}
    adds: Mapping[str, Any] = dataclasses.field(default_factory=dict)  # extra data -> template
    tags: str = ""  # path of the tags in the item, when it carries them
    regional: bool = True
    region: str = ""  # template: region of one item, of a kind that is listed globally
    parents: tuple[Parent, ...] = ()
    details: tuple[Detail | Batch, ...] = ()
    documents: tuple[str, ...] = ()  # paths of strings in the item that hold JSON
    relations: tuple[Relation, ...] = ()
    metrics: tuple[Metric, ...] = ()
    permission: str = ""  # when it is not "service:Operation"
    live: bool = False  # as in `Kind`
    most: int = 0  # pages, of a list that begins with the newest and is read no further; 0 for all

    @property
    def depth(self) -> int:
        """How many calls wait for one another at least, where there is something to read."""
        merged = any(not detail.field for detail in self.details)
        added = any(detail.field for detail in self.details) or bool(self.metrics)
        prepared = any(isinstance(detail, Batch) and detail.prepare for detail in self.details)
        return len(self.parents) + bool(self.operation) + merged + added + 2 * prepared


PREFIXES: Mapping[str, str] = {
    "apigatewayv2": "apigateway",
    "efs": "elasticfilesystem",
    "elb": "elasticloadbalancing",
    "elbv2": "elasticloadbalancing",
    "s3control": "s3",
}


def permission(service: str, operation: str, override: str = "") -> str:
    """The IAM action that allows an operation: "ec2:DescribeInstances"."""
    return override or f"{PREFIXES.get(service, service)}:{operation}"
