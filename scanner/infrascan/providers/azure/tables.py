"""How Azure's kinds are described: rows of Resource Graph, lists of Resource Manager, their details.

A row of Resource Graph is an item of its resource provider, with the id, so one query gives every
kind of a subscription (see `inventory`). What the graph lacks is read from Resource Manager.
Slots of a detail: `group`, `resource` and, for what lies inside another resource, `parent` come out of
the item's id; `subscription`, `since_2w` and `until` are those of the partition.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from infrascan.model import Relation
from infrascan.providers.rest.tables import Batch, Detail, Listing, Paging, Parent

GRAPH_VERSION = "2022-10-01"
GRAPH = f"POST /providers/Microsoft.ResourceGraph/resources?api-version={GRAPH_VERSION}"
NEXT = Paging(link="nextLink")
SUBSCRIPTION = "/subscriptions/{subscription}"
INSIDE = SUBSCRIPTION + "/resourceGroups/{group}/providers/"
# What Resource Manager says of a part that was never configured.
ABSENT = ("ResourceNotFound", "NotFound")

DIAGNOSTICS = "Microsoft.Insights/diagnosticSettings/read"
METRICS = "Microsoft.Insights/metrics/read"


def row(
    kind: str,
    title: str,
    type: str,
    *,
    name: tuple[str, ...] = ("name",),
    details: tuple[Detail | Batch, ...] = (),
    relations: tuple[Relation, ...] = (),
    shape: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
    drop: tuple[str, ...] = (),
    inside: str = "",
) -> Listing:
    """A kind whose items are rows of Resource Graph of this type.

    With `inside` the items are those at this path of the rows: subnets of their networks.
    """
    return Listing(
        kind=f"azure.{kind}",
        title=title,
        api=GRAPH,
        params={"type": type.lower(), "inside": inside},
        items="data[]",
        id="{id}",
        name=name,
        tags="tags",
        region="{location|}",
        permission=f"{type}/read",
        shape=shape,
        details=details,
        relations=relations,
        drop=drop,
    )


def arm(
    kind: str,
    title: str,
    path: str,
    version: str,
    *,
    permission: str,
    params: Mapping[str, Any] | None = None,
    name: tuple[str, ...] = ("name",),
    details: tuple[Detail | Batch, ...] = (),
    relations: tuple[Relation, ...] = (),
    parents: tuple[Parent, ...] = (),
    shape: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
    one: bool = False,
) -> Listing:
    """A kind that Resource Manager lists; with `one` the answer is the one item."""
    return Listing(
        kind=f"azure.{kind}",
        title=title,
        api=f"GET {path}",
        params={"api-version": version, **(params or {})},
        items="" if one else "value[]",
        paging=NEXT,
        id="{id}",
        name=name,
        tags="tags",
        region="{location|}",
        permission=permission,
        shape=shape,
        details=details,
        relations=relations,
        parents=parents,
    )


def detail(
    field: str,
    type: str,
    below: str,
    version: str,
    *,
    permission: str,
    many: bool = False,
    absent: tuple[str, ...] = (),
    when: str = "",
    shape: Callable[[Any], Any] | None = None,
    drop: tuple[str, ...] = (),
    optional: bool = False,
) -> Detail:
    """What lies below a resource: its answer, or with `many` the list in it."""
    place = f"{INSIDE}{nested(type)}/{below}" if type else f"{SUBSCRIPTION}/{below}"
    return Detail(
        field=field,
        api=f"GET {place}",
        params={"api-version": version},
        result="value[]" if many else "",
        paging=NEXT,
        absent=absent,
        when=when,
        shape=shape,
        drop=drop,
        optional=optional,
        permission=permission,
    )


def nested(type: str) -> str:
    """The path of a type's resources: `Microsoft.Sql/servers/{parent}/databases/{resource}`."""
    space, *steps = type.split("/")
    slots = ("{resource}",) if len(steps) == 1 else ("{parent}", "{resource}")
    return "/".join((space, *(f"{step}/{slot}" for step, slot in zip(steps, slots, strict=True))))


def diagnostics(type: str) -> Detail:
    """Where a resource sends its logs."""
    return detail(
        "diagnostic_settings",
        type,
        "providers/Microsoft.Insights/diagnosticSettings",
        "2021-05-01-preview",
        permission=DIAGNOSTICS,
        many=True,
    )


def metrics(type: str, names: Mapping[str, str], *, aggregation: str, when: str = "") -> Detail:
    """Metrics of the last fourteen days, a value a day: the name in rules -> Azure Monitor's.

    Each is `{days, datapoints, average, maximum, minimum, sum, count}`, as far as asked for.
    """

    def shape(series: Any) -> dict[str, Any]:
        by_name = {one["name"]["value"].lower(): one for one in series}
        return {ours: summary(by_name[theirs.lower()]) for ours, theirs in names.items()}

    return Detail(
        field="metrics",
        api=f"GET {INSIDE}{nested(type)}/providers/Microsoft.Insights/metrics",
        params={
            "api-version": "2023-10-01",
            "metricnames": ",".join(names.values()),
            "timespan": "{since_2w}/{until}",
            "interval": "P1D",
            "aggregation": aggregation,
        },
        result="value[]",
        when=when,
        shape=shape,
        permission=METRICS,
        fields={name: {key: {} for key in SUMMARY} for name in names},
    )


DAYS = 14
SUMMARY = ("days", "datapoints", "average", "maximum", "minimum", "sum", "count")


def summary(metric: Mapping[str, Any]) -> dict[str, Any]:
    """One metric's days in a few numbers; a metric without values has no more than the counts."""
    points = [point for series in metric["timeseries"] for point in series["data"]]
    found: dict[str, Any] = {"days": DAYS, "datapoints": 0}
    for theirs, ours, fold in (
        ("average", "average", lambda numbers: sum(numbers) / len(numbers)),
        ("maximum", "maximum", max),
        ("minimum", "minimum", min),
        ("total", "sum", sum),
        ("count", "count", sum),
    ):
        numbers = [point[theirs] for point in points if point.get(theirs) is not None]
        if numbers:
            found["datapoints"] = max(found["datapoints"], len(numbers))
            found[ours] = fold(numbers)
    return found


def leads(
    name: str,
    path: str,
    to: str,
    *,
    by: str = "id",
    reverse: str = "",
    matching: str = "",
    missing: str = "",
) -> Relation:
    """A relation by Resource Manager id, which is the same in any case of letters."""
    return Relation(
        name=name,
        path=path,
        to=f"azure.{to}",
        by=by,
        reverse=reverse,
        within="account",
        matching=matching,
        missing=missing,
        folded=True,
    )


def child_of(name: str, to: str, reverse: str) -> Relation:
    """The resource that another lies inside, by the id without its last type and name."""
    return leads(name, "@id", to, reverse=reverse, matching=r"^(.+)/[^/]+/[^/]+$")


def of_group(reverse: str) -> Relation:
    """The resource group that a resource is in."""
    return leads(
        "resource_group",
        "@id",
        "resources.resource_group",
        reverse=reverse,
        matching=r"(?i)^(/subscriptions/[^/]+/resourceGroups/[^/]+)/",
    )


def of_subscription(reverse: str) -> Relation:
    """The subscription that a resource is in."""
    return leads(
        "subscription",
        "@id",
        "resources.subscription",
        reverse=reverse,
        matching=r"(?i)^(/subscriptions/[^/]+)",
    )
