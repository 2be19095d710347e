"""What watches the estate, asked now: metrics, logs, traces, alerts, incidents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from infrascan.lookups.connections import Connections, Seen
from infrascan.lookups.pods import listed
from infrascan.model import InputError, ReadError, Reason, Resource
from infrascan.pipeline.request import stamp
from infrascan.providers import at_hand
from infrascan.providers.planes import queries

ALERTS = {"prometheus": "prometheus.alert", "alertmanager": "alertmanager.alert"}
INCIDENT = "pagerduty.incident"
DAYS = 31  # the longest window that is asked for
SILENT = frozenset({"suppressed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    labels: dict[str, str]
    values: tuple[tuple[str, str], ...]  # when, and the value as Prometheus spells it


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    at: str
    labels: dict[str, str]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    id: str
    operation: str
    began: str
    milliseconds: float
    spans: int
    errors: int
    slowest: str  # the operation of its longest span but the first


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    resource: str
    source: str
    name: str
    state: str
    severity: str
    since: str
    labels: dict[str, str]
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    resource: str
    title: str
    status: str
    urgency: str
    service: str
    since: str
    assigned: tuple[str, ...]
    url: str


async def metrics(
    connections: Connections, query: str, *, minutes: int, step: int
) -> tuple[list[Series], str]:
    """PromQL now, or with `minutes` over the time up to now; and when that was."""
    async with connections.asking(connections.request, "prometheus") as (plane, ask):
        end = plane.selection.observed
        if minutes:
            start = end - window(minutes)
            found = await queries.over(plane, ask, query, start, end, step)
        else:
            found = await queries.instant(plane, ask, query, end)
    return series(found), stamp(end)


def series(found: Any) -> list[Series]:
    """The series of an answer; a bare number or text is one without labels. Raises `ReadError`."""
    try:
        if found["resultType"] in {"scalar", "string"}:
            return [Series(labels={}, values=(point(found["result"]),))]
        return [
            Series(
                labels={str(name): str(value) for name, value in one["metric"].items()},
                values=tuple(map(point, one["values"] if "values" in one else [one["value"]])),
            )
            for one in found["result"]
        ]
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError) as error:
        wrong = f"the answer is of another form (native histograms are not read): {error!r}"
        raise ReadError(Reason.MALFORMED, wrong) from error


def point(pair: Sequence[Any]) -> tuple[str, str]:
    when, value = pair
    return stamp(datetime.fromtimestamp(float(when), UTC)), str(value)


async def logs(
    connections: Connections, query: str, *, minutes: int, lines: int
) -> tuple[list[Line], str]:
    """Lines that LogQL finds in the minutes up to now, the newest first."""
    async with connections.asking(connections.request, "loki") as (plane, ask):
        end = plane.selection.observed
        found = await queries.logs(plane, ask, query, end - window(minutes), end, lines)
    try:
        if found["resultType"] != "streams":
            raise InputError("the query gives numbers and no lines; leave out rate and count")
        rows = [
            (int(when), text, {str(k): str(v) for k, v in one["stream"].items()})
            for one in found["result"]
            for when, text, *_ in one["values"]
        ]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ReadError(Reason.MALFORMED, f"the answer is of another form: {error!r}") from error
    rows.sort(key=lambda row: -row[0])
    return [
        Line(at=stamp(datetime.fromtimestamp(when / 1e9, UTC)), labels=labels, text=str(text))
        for when, text, labels in rows[:lines]
    ], stamp(end)


async def traces(
    connections: Connections, service: str, *, minutes: int, most: int
) -> tuple[list[Trace], str]:
    """Traces of a service that began in the minutes up to now, the longest first."""
    async with connections.asking(connections.request, "jaeger") as (plane, ask):
        end = plane.selection.observed
        found = await queries.traces(plane, ask, service, end - window(minutes), end, most)
    try:
        kept = [trace(one) for one in found if one["spans"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ReadError(Reason.MALFORMED, f"the answer is of another form: {error!r}") from error
    return sorted(kept, key=lambda one: (-one.milliseconds, one.id)), stamp(end)


def trace(found: dict[str, Any]) -> Trace:
    """One trace in a line: from the begin of its first span to the end of its last."""
    spans = sorted(found["spans"], key=lambda span: int(span["startTime"]))
    first, *rest = spans
    began = int(first["startTime"])
    ended = max(int(span["startTime"]) + int(span["duration"]) for span in spans)
    longest = max(rest, key=lambda span: int(span["duration"]), default=None)
    return Trace(
        id=str(found["traceID"]),
        operation=str(first["operationName"]),
        began=stamp(datetime.fromtimestamp(began / 1e6, UTC)),
        milliseconds=round((ended - began) / 1000, 3),
        spans=len(spans),
        errors=sum(failed(span) for span in spans),
        slowest=str(longest["operationName"]) if longest else "",
    )


def failed(span: dict[str, Any]) -> bool:
    return any(
        tag.get("key") == "error" and tag.get("value") in (True, "true")
        for tag in span.get("tags") or ()
    )


def window(minutes: int) -> timedelta:
    if not 0 < minutes <= DAYS * 24 * 60:
        raise InputError(f"minutes must be from 1 to {DAYS * 24 * 60}")
    return timedelta(minutes=minutes)


async def alerts(connections: Connections) -> tuple[list[Alert], Seen]:
    """What fires or is pending, from Prometheus and Alertmanager, the oldest first.

    Raises `InputError` where neither is named here.
    """
    names = [name for name in ALERTS if await readable(connections, name)]
    if not names:
        raise InputError(
            "no Prometheus or Alertmanager is named here: set PROMETHEUS_URL or ALERTMANAGER_URL"
        )
    seen = await connections.look(connections.request, [ALERTS[name] for name in names])
    found = [alert(one) for name in names for one in seen.of(ALERTS[name])]
    return sorted(found, key=lambda one: (one.since, one.resource)), seen


async def readable(connections: Connections, name: str) -> bool:
    replay = await connections.replay()
    if replay:
        return name in replay.manifest["providers"]
    named = connections.request.providers
    return name in named if named else name in at_hand.planes()


def alert(found: Resource) -> Alert:
    data = found.data
    labels = {str(k): str(v) for k, v in (data.get("labels") or {}).items()}
    notes = data.get("annotations") or {}
    state = data.get("state") or (data.get("status") or {}).get("state") or "unknown"
    return Alert(
        resource=found.key,
        source=found.provider,
        name=found.name,
        state="silenced" if state in SILENT else str(state),
        severity=labels.get("severity", ""),
        since=str(data.get("activeAt") or data.get("startsAt") or ""),
        labels=labels,
        says=str(notes.get("summary") or notes.get("description") or ""),
    )


async def incidents(connections: Connections) -> tuple[list[Incident], Seen]:
    """Incidents of PagerDuty that are triggered or acknowledged. Raises `InputError`."""
    if not await readable(connections, "pagerduty"):
        raise InputError("no PagerDuty is named here: set PAGERDUTY_TOKEN")
    seen = await connections.look(connections.request, [INCIDENT])
    found = [incident(one) for one in seen.of(INCIDENT)]
    return sorted(found, key=lambda one: (one.urgency != "high", one.since, one.resource)), seen


def incident(found: Resource) -> Incident:
    data = found.data
    people = [(one.get("assignee") or {}).get("summary") for one in listed(data.get("assignments"))]
    return Incident(
        resource=found.key,
        title=found.name,
        status=str(data.get("status") or "unknown"),
        urgency=str(data.get("urgency") or ""),
        service=str((data.get("service") or {}).get("summary") or ""),
        since=str(data.get("created_at") or ""),
        assigned=tuple(str(name) for name in people if name),
        url=str(data.get("html_url") or ""),
    )
