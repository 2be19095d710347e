"""CloudWatch metrics in batches: which queries to make, and what their answers say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from infrascan.model import ReadError, Reason
from infrascan.providers import templates
from infrascan.providers.aws.tables import Metric

METRICS = "cloudwatch:GetMetricData"
AT_A_TIME = 500  # queries that one GetMetricData takes
DAY = 86_400  # seconds in a period: each metric gets one value a day


@dataclass(frozen=True, slots=True)
class Query:
    """One statistic of one metric of one item."""

    item: int
    metric: Metric
    statistic: str
    dimensions: Sequence[Mapping[str, Any]]


@dataclass(eq=False)
class Window:
    """The metrics of a table, over the days that end at the time of observation."""

    metrics: Sequence[Metric]
    observed: datetime
    queries: list[Query] = field(default_factory=list)
    scopes: Sequence[Mapping[str, Any]] = ()

    def requests(self, scopes: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
        """The parameters of each GetMetricData that the items need."""
        self.scopes = scopes
        self.queries = [
            Query(at, metric, statistic, dimensions)
            for at, scope in enumerate(scopes)
            for metric in self.metrics
            if (dimensions := self.dimensions(metric, scope)) is not None
            for statistic in metric.statistics
        ]
        end = self.observed.replace(minute=0, second=0, microsecond=0)
        days = max((metric.days for metric in self.metrics), default=0)
        for start in range(0, len(self.queries), AT_A_TIME):
            yield {
                "StartTime": stamp(end - timedelta(days=days)),
                "EndTime": stamp(end),
                "ScanBy": "TimestampAscending",
                "MetricDataQueries": [
                    query_of(query, start + at)
                    for at, query in enumerate(self.queries[start : start + AT_A_TIME])
                ],
            }

    def dimensions(self, metric: Metric, scope: Mapping[str, Any]) -> list[dict[str, Any]] | None:
        if metric.when and not templates.holds(metric.when, scope):
            return None
        try:
            return [
                {"Name": name, "Value": templates.fill(template, scope)}
                for name, template in metric.dimensions.items()
            ]
        except templates.MissingError:
            return None

    def values(self, answers: Sequence[Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]]:
        """What each item's metrics are. Raises `ReadError` when an answer leaves one out."""
        points: dict[int, list[float]] = {}
        for results in answers:
            for result in results:
                if result.get("StatusCode") in {"InternalError", "Forbidden"}:
                    raise ReadError(
                        Reason.UNREACHABLE,
                        f"CloudWatch answered {result['StatusCode']} for a metric",
                        code=str(result["StatusCode"]),
                        call="cloudwatch.GetMetricData",
                    )
                name = str(result.get("Id", ""))[1:]
                if not name.isdecimal():
                    raise ReadError(
                        Reason.MALFORMED,
                        "CloudWatch answered for a metric that was not asked for",
                        call="cloudwatch.GetMetricData",
                    )
                number = int(name)
                points.setdefault(number, []).extend(result.get("Values") or ())
        found: list[dict[str, Any]] = [{} for _ in self.scopes]
        for number, query in enumerate(self.queries):
            if number not in points:
                raise ReadError(
                    Reason.MALFORMED,
                    f"the answer leaves out {query.metric.namespace} {query.metric.metric}",
                    call="cloudwatch.GetMetricData",
                )
            summary = found[query.item].setdefault(
                query.metric.name, {"days": query.metric.days, "datapoints": 0}
            )
            summarize(summary, query.statistic, points[number])
        return found


def query_of(query: Query, number: int) -> dict[str, Any]:
    return {
        "Id": f"m{number}",
        "MetricStat": {
            "Metric": {
                "Namespace": query.metric.namespace,
                "MetricName": query.metric.metric,
                "Dimensions": query.dimensions,
            },
            "Period": DAY,
            "Stat": query.statistic,
        },
        "ReturnData": True,
    }


def summarize(summary: dict[str, Any], statistic: str, points: Sequence[float]) -> None:
    """Add one statistic to what is said of a metric; `datapoints` counts days with a value."""
    summary["datapoints"] = max(summary["datapoints"], len(points))
    if not points:
        return
    if statistic == "Average":
        summary["average"] = sum(points) / len(points)
        summary["first"], summary["last"] = points[0], points[-1]
        if points[0]:
            summary["growth"] = points[-1] / points[0] - 1  # a share: 0.2 is a fifth more
    elif statistic == "Sum":
        summary["sum"] = sum(points)
        summary["average"] = sum(points) / len(points)  # a day
        summary["maximum"], summary["minimum"] = max(points), min(points)
    if statistic == "Maximum" or (statistic == "Average" and "maximum" not in summary):
        summary["maximum"] = max(points)
    if statistic == "Minimum" or (statistic == "Average" and "minimum" not in summary):
        summary["minimum"] = min(points)


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
