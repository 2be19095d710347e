"""Single questions to a plane, now: PromQL, LogQL, traces. Called through `pipeline.live`.

    async with live(request, "prometheus") as (plane, ask):
        found = await instant(plane, ask, "up == 0")

Each raises `ReadError` for what the plane refuses, and `InputError` for what is not asked of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from infrascan.collect.provider import Ask, Call, Provider
from infrascan.model import InputError, ReadError, Reason

LONGEST = 4_000  # characters of a query
POINTS = 11_000  # of a range, as Prometheus allows
LINES = 1_000
TRACES = 100


async def instant(plane: Provider, ask: Ask, query: str, at: datetime | None = None) -> Any:
    """PromQL at one time: `{"resultType": ..., "result": [...]}`."""
    params: dict[str, Any] = {"query": sane(query)}
    if at is not None:
        params["time"] = at.timestamp()
    return await data(plane, ask, "GET /api/v1/query", params)


async def over(
    plane: Provider, ask: Ask, query: str, start: datetime, end: datetime, step: float
) -> Any:
    """PromQL over a time, a value each `step` seconds."""
    seconds = span(start, end)
    if step <= 0 or seconds / step > POINTS:
        raise InputError(f"{seconds:.0f} s in steps of {step:g} s are more than {POINTS} points")
    params = {
        "query": sane(query),
        "start": start.timestamp(),
        "end": end.timestamp(),
        "step": step,
    }
    return await data(plane, ask, "GET /api/v1/query_range", params)


async def logs(
    plane: Provider, ask: Ask, query: str, start: datetime, end: datetime, lines: int = 100
) -> Any:
    """LogQL over a time, the newest lines first. What programs wrote is data, and redacted."""
    span(start, end)
    params = {
        "query": sane(query),
        "start": int(start.timestamp() * 1e9),
        "end": int(end.timestamp() * 1e9),
        "limit": max(1, min(lines, LINES)),
        "direction": "backward",
    }
    return await data(plane, ask, "GET /loki/api/v1/query_range", params)


async def traces(
    plane: Provider, ask: Ask, service: str, start: datetime, end: datetime, most: int = 20
) -> Any:
    """Traces of a service that began in a time, the newest first."""
    span(start, end)
    params = {
        "service": sane(service),
        "start": int(start.timestamp() * 1e6),
        "end": int(end.timestamp() * 1e6),
        "limit": max(1, min(most, TRACES)),
    }
    return await data(plane, ask, "GET /api/traces", params)


async def data(plane: Provider, ask: Ask, api: str, params: Mapping[str, Any]) -> Any:
    account = next(iter(plane.accounts), "")  # type: ignore[attr-defined]
    call = Call(
        provider=plane.name, account=account, region="", api=api, params=params, family="queries"
    )
    answer = await ask(call)
    if not isinstance(answer, Mapping) or answer.get("data") is None:
        said = answer.get("error") if isinstance(answer, Mapping) else ""
        raise ReadError(Reason.MALFORMED, f"the answer has no data: {said or 'no word'}", call=api)
    if warnings := answer.get("warnings"):  # a part of the answer may be missing
        raise ReadError(
            Reason.TRUNCATED, f"the answer is not whole: {str(warnings[0])[:300]}", call=api
        )
    return answer["data"]


def sane(query: str) -> str:
    if not query.strip():
        raise InputError("the query is empty")
    if len(query) > LONGEST:
        raise InputError(f"the query has more than {LONGEST} characters")
    return query


def span(start: datetime, end: datetime) -> float:
    seconds = (end - start).total_seconds()
    if seconds <= 0:
        raise InputError("the time asked for ends before it begins")
    return seconds
