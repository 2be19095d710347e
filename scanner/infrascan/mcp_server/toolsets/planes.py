"""What watches the estate: Prometheus, Loki, Jaeger, Alertmanager, PagerDuty."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import mcp_types as types
from pydantic import BaseModel, Field

from infrascan.lookups import planes
from infrascan.mcp_server.answers import quoted
from infrascan.mcp_server.door import Door, result
from infrascan.mcp_server.toolsets.live import LiveAnswer, plain, seen, warning

POINTS = 200  # of one series; the newest are kept
SHOWN = 20  # rows in the text
Minutes = Annotated[int, Field(ge=1, le=44_640, description="How far back, up to now")]


class Point(BaseModel):
    at: str
    value: str = Field(description="As Prometheus spells it: also NaN, +Inf")


class SeriesRow(BaseModel):
    labels: dict[str, str]
    points: list[Point]
    left_out: int = Field(description="Older points beyond the limit")


class MetricsAnswer(BaseModel):
    query: str
    series: list[SeriesRow]
    total: int
    left_out: int = Field(description="Series beyond the limit")
    observed_at: str


class LineRow(BaseModel):
    at: str
    labels: dict[str, str]
    text: str


class LinesAnswer(BaseModel):
    query: str
    lines: list[LineRow] = Field(description="The newest first")
    full: bool = Field(description="As many as were asked for: there may be more")
    observed_at: str


class TraceRow(BaseModel):
    id: str
    operation: str
    began: str
    milliseconds: float
    spans: int
    errors: int
    slowest: str


class TracesAnswer(BaseModel):
    service: str
    traces: list[TraceRow] = Field(description="The longest first")
    full: bool = Field(description="As many as were asked for: there may be more")
    observed_at: str


class AlertRow(BaseModel):
    resource: str
    source: str
    name: str
    state: str
    severity: str
    since: str
    labels: dict[str, str]
    says: str


class AlertsAnswer(LiveAnswer):
    alerts: list[AlertRow]
    total: int


class IncidentRow(BaseModel):
    resource: str
    title: str
    status: str
    urgency: str
    service: str
    since: str
    assigned: list[str]
    url: str


class IncidentsAnswer(LiveAnswer):
    incidents: list[IncidentRow]
    total: int


def named(labels: dict[str, str]) -> str:
    """A series as Prometheus writes it, cleaned."""
    rest = ", ".join(
        f"{plain(k)}={quoted(v)}" for k, v in sorted(labels.items()) if k != "__name__"
    )
    return f"{plain(labels.get('__name__', ''))}{{{rest}}}"


def add(door: Door) -> None:
    open_ones = door.workspace.connections

    @door.tool("planes", "PromQL on Prometheus")
    async def query_prometheus(
        query: Annotated[str, Field(description="PromQL")],
        minutes: Annotated[
            int, Field(ge=0, le=44_640, description="Over so long, up to now; 0: the value now")
        ] = 0,
        step_seconds: Annotated[int, Field(ge=1, le=86_400, description="Between points")] = 60,
        limit: Annotated[int, Field(ge=1, le=500, description="Series")] = 50,
    ) -> Annotated[types.CallToolResult, MetricsAnswer]:
        """Run a PromQL expression on Prometheus: time series such as request rate, error ratio, p99
        latency quantile, or GPU utilisation by DCGM, as an instant value or a range.
        """
        found, observed = await planes.metrics(open_ones, query, minutes=minutes, step=step_seconds)
        rows = [
            SeriesRow(
                labels=one.labels,
                points=[Point(at=at, value=value) for at, value in one.values[-POINTS:]],
                left_out=max(0, len(one.values) - POINTS),
            )
            for one in found[:limit]
        ]
        left = max(0, len(found) - limit)
        answer = MetricsAnswer(
            query=query, series=rows, total=len(found), left_out=left, observed_at=observed
        )
        lines = [f"{len(found)} series."] if found else ["No series has a value: it is no zero."]
        for row in rows[:SHOWN]:
            if row.points:
                last = row.points[-1]
                lines.append(f"- {named(row.labels)} {plain(last.value)} at {last.at}")
        if left or len(rows) > SHOWN:
            lines.append("More are left out; narrow the query.")
        return result(answer, "\n".join(lines))

    @door.tool("planes", "Logs in Loki")
    async def search_logs(
        query: Annotated[
            str, Field(description='LogQL with a selector: {app="checkout"} |= "error"')
        ],
        minutes: Minutes = 60,
        lines: Annotated[int, Field(ge=1, le=1000, description="At most so many")] = 100,
    ) -> Annotated[types.CallToolResult, LinesAnswer]:
        """Search the aggregated log lines in Loki with LogQL, across every pod and host that ships
        to it. Secrets are redacted.
        """
        found, observed = await planes.logs(open_ones, query, minutes=minutes, lines=lines)
        answer = LinesAnswer(
            query=query,
            lines=[LineRow(**asdict(one)) for one in found],
            full=len(found) >= lines,
            observed_at=observed,
        )
        said = [f"{one.at} {plain(one.text)}" for one in answer.lines]
        head = f"{len(found)} lines of the last {minutes} minutes, the newest first."
        if answer.full:
            head += " There may be more: narrow the query, or raise lines."
        return result(answer, "\n".join([head, *said]))

    @door.tool("planes", "Traces in Jaeger")
    async def search_traces(
        service: Annotated[str, Field(description="As Jaeger names it")],
        minutes: Minutes = 60,
        limit: Annotated[int, Field(ge=1, le=100, description="Traces")] = 20,
    ) -> Annotated[types.CallToolResult, TracesAnswer]:
        """Find distributed traces of a microservice in Jaeger: the slowest requests, their spans,
        which span failed and where the time went.
        """
        found, observed = await planes.traces(open_ones, service, minutes=minutes, most=limit)
        answer = TracesAnswer(
            service=service,
            traces=[TraceRow(**asdict(one)) for one in found],
            full=len(found) >= limit,
            observed_at=observed,
        )
        lines = [f"{len(found)} traces of {quoted(service)} in the last {minutes} minutes."]
        lines += [
            f"- {one.milliseconds:g} ms {quoted(one.operation)} at {one.began}: {one.spans} spans,"
            f" {one.errors} failed; longest inside: {quoted(one.slowest)} ({plain(one.id)})"
            for one in answer.traces[:SHOWN]
        ]
        return result(answer, "\n".join(lines))

    @door.tool("planes", "Firing alerts")
    async def list_alerts(
        limit: Annotated[int, Field(ge=1, le=500, description="Rows")] = 100,
    ) -> Annotated[types.CallToolResult, AlertsAnswer]:
        """List Prometheus and Alertmanager alerts: firing, pending or silenced, with severity label
        and since when. Not CloudWatch.
        """
        found, read = await planes.alerts(open_ones)
        answer = AlertsAnswer(
            alerts=[AlertRow(**asdict(one)) for one in found[:limit]], total=len(found)
        )
        seen(answer, read)
        answer.left_out = max(0, len(found) - limit)
        lines = [f"{len(found)} alerts."] if found or read.whole else []
        lines += [
            f"- {plain(one.state)} {quoted(one.name)} ({plain(one.severity) or 'no severity'})"
            f" since {one.since}: {quoted(one.says)}"
            for one in answer.alerts[:SHOWN]
        ]
        return result(answer, "\n".join([*lines, *warning(answer)]))

    @door.tool("planes", "Open incidents")
    async def list_incidents(
        limit: Annotated[int, Field(ge=1, le=100, description="Rows")] = 50,
    ) -> Annotated[types.CallToolResult, IncidentsAnswer]:
        """List open PagerDuty incidents, triggered or acknowledged: urgency, affected service, and
        who is assigned on call.
        """
        found, read = await planes.incidents(open_ones)
        answer = IncidentsAnswer(
            incidents=[
                IncidentRow(**{**asdict(one), "assigned": list(one.assigned)})
                for one in found[:limit]
            ],
            total=len(found),
        )
        seen(answer, read)
        answer.left_out = max(0, len(found) - limit)
        lines = [f"{len(found)} open incidents."] if found or read.whole else []
        lines += [
            f"- {plain(one.status)} {quoted(one.title)} ({plain(one.urgency)}) on"
            f" {quoted(one.service)} since {one.since}; "
            + (f"assigned to {', '.join(map(quoted, one.assigned))}" if one.assigned else "nobody")
            for one in answer.incidents[:SHOWN]
        ]
        return result(answer, "\n".join([*lines, *warning(answer)]))
