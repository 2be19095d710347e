"""Metrics, logs, traces, alerts and incidents over MCP, each from its own server on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.mcp_server.conftest import called
from tests.servers.planes import SECRET, TOKEN, Observatory
from tests.servers.rest import RestServer

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
Open = Callable[..., RestServer]
NAMES = ("prometheus", "alertmanager", "loki", "jaeger", "pagerduty")


@pytest.fixture
def plane(monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens a plane and names it in the environment: `plane("loki")`."""
    for name in NAMES:
        monkeypatch.delenv(f"{name.upper()}_URL", raising=False)
        monkeypatch.delenv(f"{name.upper()}_TOKEN", raising=False)
    with ExitStack() as stack:

        def opened(name: str, **changes: Any) -> RestServer:
            server = stack.enter_context(RestServer(Observatory(name, changes).answer))
            monkeypatch.setenv(f"{name.upper()}_URL", server.url)
            monkeypatch.setenv(f"{name.upper()}_TOKEN", TOKEN)
            return server

        yield opened


def test_promql_gives_the_value_now_and_points_over_a_time(plane: Open, bare: Path):
    server = plane("prometheus")
    now = called(bare, "query_prometheus", query="DCGM_FI_DEV_GPU_UTIL")
    (series,) = now.structured_content["series"]
    assert (series["points"][0]["value"], series["labels"]["pod"]) == ("93", "ollama-0")
    assert 'gpu="0"' in now.content[0].text

    over = called(bare, "query_prometheus", query="up", minutes=60, step_seconds=60)
    assert over.structured_content["series"][0]["points"] == [
        {"at": "1970-01-01T00:00:01Z", "value": "0.5"}
    ]
    asked = server.requests[-1].query
    assert float(asked["end"]) - float(asked["start"]) == 3600


def test_no_series_is_said_to_be_no_zero_and_half_an_answer_is_an_error(plane: Open, bare: Path):
    empty = {"status": "success", "data": {"resultType": "vector", "result": []}}
    plane("prometheus", **{"/api/v1/query": empty})
    found = called(bare, "query_prometheus", query="rate(errors[5m])")
    assert "it is no zero" in found.content[0].text

    plane("prometheus", **{"/api/v1/query": {**empty, "warnings": ["a store is down"]}})
    assert called(bare, "query_prometheus", query="up").is_error
    histogram = {"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "histogram": [1, {}]}]}}  # fmt: skip
    plane("prometheus", **{"/api/v1/query": histogram})
    refused = called(bare, "query_prometheus", query="h")
    assert refused.is_error
    assert "histograms are not read" in refused.content[0].text


def test_log_lines_come_newest_first_cleaned_and_without_secrets(plane: Open, bare: Path):
    lines = [
        {"stream": {"app": "a"}, "values": [["1795250000000000000", "older"]]},
        {"stream": {"app": "b"}, "values": [["1795250009000000000", f"password={SECRET}\u202e"]]},
    ]
    answer = {"status": "success", "data": {"resultType": "streams", "result": lines}}
    plane("loki", **{"/loki/api/v1/query_range": answer})
    found = called(bare, "search_logs", query='{app=~"a|b"}', lines=2)

    rows = found.structured_content["lines"]
    assert [row["labels"]["app"] for row in rows] == ["b", "a"]
    assert found.structured_content["full"]
    assert SECRET not in found.model_dump_json()
    assert "\u202e" not in found.content[0].text


def test_traces_say_where_the_time_went(plane: Open, bare: Path):
    def span(name: str, start: int, duration: int, *tags: dict[str, Any]) -> dict[str, Any]:
        return {"operationName": name, "startTime": start, "duration": duration, "tags": [*tags]}

    wrong = {"key": "error", "type": "bool", "value": True}
    begin = 1795250000000000
    traces = [
        {"traceID": "fast", "spans": [span("GET /", begin, 2000)]},
        {"traceID": "slow", "spans": [
            span("SELECT orders", begin + 1000, 1400_000, wrong), span("POST /pay", begin, 1500_000),
        ]},
    ]  # fmt: skip
    plane("jaeger", **{"/api/traces": {"data": traces, "errors": None}})
    found = called(bare, "search_traces", service="checkout").structured_content["traces"]

    assert [row["id"] for row in found] == ["slow", "fast"]
    assert found[0] == {
        "id": "slow", "operation": "POST /pay", "began": "2026-11-21T08:33:20Z",
        "milliseconds": 1500.0, "spans": 2, "errors": 1, "slowest": "SELECT orders",
    }  # fmt: skip


def test_alerts_of_both_are_listed_and_one_that_is_down_is_said(
    plane: Open, bare: Path, monkeypatch: pytest.MonkeyPatch
):
    plane("prometheus")
    plane("alertmanager")
    found = called(bare, "list_alerts")
    assert {(a["source"], a["state"]) for a in found.structured_content["alerts"]} == {
        ("prometheus", "firing"),
        ("prometheus", "pending"),
        ("alertmanager", "active"),
    }
    assert found.structured_content["complete"]

    monkeypatch.setenv("ALERTMANAGER_URL", "http://127.0.0.1:9")
    half = called(bare, "list_alerts")
    assert not half.structured_content["complete"]
    assert half.structured_content["total"] == 2
    assert "INCOMPLETE" in half.content[0].text


def test_incidents_say_who_has_them(plane: Open, bare: Path):
    plane("pagerduty")
    (row,) = called(bare, "list_incidents").structured_content["incidents"]
    assert (row["title"], row["service"], row["urgency"]) == (
        "Checkout is slow",
        "checkout",
        "high",
    )
    assert row["assigned"] == []


@pytest.mark.parametrize(
    ("tool", "arguments", "variable"),
    [
        ("query_prometheus", {"query": "up"}, "PROMETHEUS_URL"),
        ("search_logs", {"query": '{app="a"}'}, "LOKI_URL"),
        ("search_traces", {"service": "a"}, "JAEGER_URL"),
        ("list_alerts", {}, "ALERTMANAGER_URL"),
        ("list_incidents", {}, "PAGERDUTY_TOKEN"),
    ],
)
def test_a_plane_that_is_not_named_says_which_variable_names_it(
    plane: Open, bare: Path, tool: str, arguments: dict[str, Any], variable: str
):
    found = called(bare, tool, **arguments)
    assert found.is_error
    assert variable in found.content[0].text
