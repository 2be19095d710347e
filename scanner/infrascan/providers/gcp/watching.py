"""What Google measures of resources and recommends for them: Monitoring and Recommender."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import trio

from infrascan.model import ReadError, Resource
from infrascan.paths import values
from infrascan.providers import templates
from infrascan.providers.gcp.kinds import RECOMMENDATIONS, SERIES, TIME_SERIES, recommending
from infrascan.providers.gcp.tables import PAGED, Asset, Metric
from infrascan.providers.rest.calling import Caller, malformed

DAY = 86_400  # seconds in a period: each metric gets one value a day
AT_ONCE = 16


async def measure(
    asset: Asset, resources: Sequence[Resource], caller: Caller, observed: datetime
) -> dict[str, ReadError]:
    """Put `metrics` into the data of each resource; the error, under its field, when one fails."""
    found: list[dict[str, dict[str, Any]]] = [{} for _ in resources]
    errors: list[tuple[str, ReadError]] = []

    async def one(metric: Metric, aligner: str) -> None:
        try:
            points = await series(metric, aligner, caller, observed)
        except ReadError as error:
            errors.append((f"{metric.name} {aligner}", error))
            return
        for resource, summaries in zip(resources, found, strict=True):
            summary = summaries.setdefault(metric.name, {"days": metric.days, "datapoints": 0})
            key = filled(metric.match, resource)
            summarize(summary, aligner, metric, points.get(key or "", []))

    async with trio.open_nursery() as nursery:
        for metric in asset.metrics:
            for aligner in metric.aligners:
                nursery.start_soon(one, metric, aligner)
    if errors:
        return {"metrics": min(errors, key=lambda pair: pair[0])[1]}
    for resource, summaries in zip(resources, found, strict=True):
        # Answers come in any order; what is stored must not.
        resource.data["metrics"] = {
            name: dict(sorted(summary.items())) for name, summary in sorted(summaries.items())
        }
    return {}


def filled(template: str, resource: Resource) -> str | None:
    try:
        scope = {**resource.data, "account": resource.account, "region": resource.region}
        return str(templates.fill(template, scope))
    except templates.MissingError:
        return None


async def series(
    metric: Metric, aligner: str, caller: Caller, observed: datetime
) -> dict[str, list[float]]:
    """The values of a metric, one a day, by the labels that tell resources apart."""
    end = observed.replace(minute=0, second=0, microsecond=0)
    labels = metric.by.split("/")
    highest = aligner == "ALIGN_MAX"
    params = {
        "project": caller.partition.account,
        "filter": f'metric.type="{metric.type}" AND resource.type="{metric.resource}"',
        "interval.startTime": stamp(end - timedelta(days=metric.days)),
        "interval.endTime": stamp(end),
        "aggregation.alignmentPeriod": f"{DAY}s",
        "aggregation.perSeriesAligner": aligner,
        "aggregation.crossSeriesReducer": "REDUCE_MAX" if highest else metric.reducer,
        "aggregation.groupByFields": [
            f"{label.partition('.')[0]}.labels.{label.partition('.')[2]}" for label in labels
        ],
        "pageSize": 10_000,
    }
    call = caller.call(TIME_SERIES, params)
    found: dict[str, list[float]] = {}
    for item in await caller.everything(call, "timeSeries[]", PAGED, SERIES, optional=True):
        if not isinstance(item, dict):
            raise malformed(call, "a time series is no object")
        key = "/".join(str(templates.first(item, of(label)) or "") for label in labels)
        found.setdefault(key, []).extend(amounts(item))
    return found


def of(label: str) -> str:
    """The path of a label in a time series: "resource.instance_id" is resource.labels.instance_id."""
    kind, _, name = label.partition(".")
    return f"{kind}.labels.{name}"


def amounts(item: Mapping[str, Any]) -> Iterator[float]:
    """The values of a series, oldest first; Monitoring gives the newest first."""
    for point in reversed(list(values(item, "points[]"))):
        value = point.get("value") if isinstance(point, dict) else None
        for name in ("doubleValue", "int64Value"):
            given = value.get(name) if isinstance(value, dict) else None
            try:
                if given is not None:
                    yield float(given)
            except (TypeError, ValueError):
                continue


def summarize(
    summary: dict[str, Any], aligner: str, metric: Metric, points: Sequence[float]
) -> None:
    """Add what one aligner gave to what is said of a metric; `datapoints` counts days."""
    summary["datapoints"] = max(summary["datapoints"], len(points))
    if not points:
        return
    if aligner == "ALIGN_MAX":
        summary["maximum"] = max(points)
        if len(metric.aligners) > 1:
            return
    if aligner == "ALIGN_DELTA":
        summary["sum"] = sum(points)
    summary["average"] = sum(points) / len(points)
    summary["first"], summary["last"] = points[0], points[-1]
    if points[0]:
        summary["growth"] = points[-1] / points[0] - 1  # a share: 0.2 is a fifth more
    summary.setdefault("maximum", max(points))
    summary["minimum"] = min(points)


async def recommend(
    asset: Asset, resources: Sequence[Resource], caller: Caller
) -> dict[str, ReadError]:
    """Put `recommendations` into the data of each resource; the error when a list fails."""
    places = sorted({resource.region or "global" for resource in resources})
    found: list[Mapping[str, Any]] = []
    errors: list[tuple[str, ReadError]] = []
    limit = trio.CapacityLimiter(AT_ONCE)

    async def one(recommender: str, place: str) -> None:
        params = {
            "project": caller.partition.account,
            "location": place,
            "recommender": recommender,
        }
        try:
            async with limit:
                found.extend(
                    item
                    for item in await caller.everything(
                        caller.call(RECOMMENDATIONS, params),
                        "recommendations[]",
                        PAGED,
                        recommending(recommender),
                        optional=True,
                    )
                    if isinstance(item, dict)
                )
        except ReadError as error:
            errors.append((f"{recommender} {place}", error))

    async with trio.open_nursery() as nursery:
        for recommender in asset.recommenders:
            for place in places:
                nursery.start_soon(one, recommender, place)
    if errors:
        return {"recommendations": min(errors, key=lambda pair: pair[0])[1]}
    by_place: dict[str, list[Mapping[str, Any]]] = {}
    for item in sorted(found, key=lambda item: str(item.get("name"))):
        for key in dict.fromkeys(map(inner, targets(item))):
            by_place.setdefault(key, []).append(item)
    for resource in resources:
        resource.data["recommendations"] = by_place.get(inner(resource.id), [])
    return {}


def targets(item: Mapping[str, Any]) -> Iterator[str]:
    """The full names of the resources that a recommendation is about."""
    for path in ("targetResources[]", "content.operationGroups[].operations[].resource"):
        for name in values(item, path):
            yield str(name)


def inner(name: str) -> str:
    """An address without its project, which is named by its id here and its number there."""
    parts = name.partition("projects/")[2].split("/", 1)
    return parts[1] if len(parts) > 1 else ""


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
