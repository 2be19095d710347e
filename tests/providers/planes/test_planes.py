"""Metrics, logs, traces, dashboards and incidents are read; one that is down costs no other."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import trio

from infrascan.collect.nursery import open_nursery
from infrascan.graph import link
from infrascan.model import Connection, InputError, ReadError, Reason, Resource, Scan, State
from infrascan.pipeline import Request, identities, live, look
from infrascan.providers import PLANES, configured, load
from infrascan.providers.planes import queries, tables
from infrascan.providers.planes.tables import PAGERDUTY
from tests.servers.planes import SECRET, TOKEN, Observatory
from tests.servers.rest import RestServer

VARIABLES = {name: (f"{name.upper()}_URL", f"{name.upper()}_TOKEN") for name in PLANES}
NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
KINDS = {
    listing.kind: name
    for name, listings in {
        "prometheus": tables.PROMETHEUS,
        "alertmanager": tables.ALERTMANAGER,
        "loki": tables.LOKI,
        "grafana": tables.GRAFANA,
        "jaeger": tables.JAEGER,
        "ollama": tables.OLLAMA,
        "pagerduty": tables.PAGERDUTY,
    }.items()
    for listing in listings
}
Open = Callable[..., RestServer]


@pytest.fixture
def plane(monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens a plane and names it in the environment: `plane("loki")`."""
    for url, token in VARIABLES.values():
        monkeypatch.delenv(url, raising=False)
        monkeypatch.delenv(token, raising=False)
    with ExitStack() as stack:

        def opened(name: str, **changes: Any) -> RestServer:
            server = stack.enter_context(RestServer(Observatory(name, changes).answer))
            url, token = VARIABLES[name]
            monkeypatch.setenv(url, server.url)
            monkeypatch.setenv(token, TOKEN)
            return server

        yield opened


def seen(*kinds: str) -> Scan:
    request = Request(providers=tuple(dict.fromkeys(KINDS[kind] for kind in kinds)))
    return trio.run(look, request, kinds)


def test_every_kind_of_every_plane_is_read_and_no_secret_is_kept(plane: Open):
    servers = [plane(name) for name in PLANES]
    scan = seen(*KINDS)

    assert {r.kind for r in scan.resources} == KINDS.keys() - {"alertmanager.silence"}
    assert {c.state for c in scan.coverage} == {State.READ}
    assert scan.gaps == []
    kept = json.dumps([resource.data for resource in scan.resources])
    assert SECRET not in kept
    assert TOKEN not in kept
    assert {request.method for server in servers for request in server.requests} == {"GET"}


def test_what_is_read_says_what_its_vendor_says(plane: Open):
    for name in PLANES:
        plane(name)
    found = {(r.kind, r.name): r for r in seen(*KINDS).resources}

    alerts = [r for r in found.values() if r.kind == "prometheus.alert"]
    assert {r.data["state"] for r in alerts} <= {"firing", "pending"}
    target = found["prometheus.target", "dcgm"]
    assert (target.data["health"], target.data["lastError"]) == ("down", "connection refused")
    gpu = found["prometheus.gpu", "gpu-node-1/0"]
    assert (gpu.data["value"], gpu.data["metric"]["pod"]) == (93.0, "ollama-0")
    assert found["ollama.running_model", "hermes3:70b"].data["size_vram"] == 40_000_000_000
    assert found["pagerduty.incident", "Checkout is slow"].data["urgency"] == "high"
    assert {name for kind, name in found if kind == "loki.label"} == {"app", "namespace"}
    assert ("jaeger.service", "checkout") in found
    assert found["grafana.datasource", "Prometheus"].data["type"] == "prometheus"


@pytest.mark.parametrize("down", PLANES)
def test_one_that_is_down_is_its_own_error_and_the_others_are_read(
    plane: Open, monkeypatch: pytest.MonkeyPatch, down: str
):
    for name in PLANES:
        plane(name)
    monkeypatch.setenv(VARIABLES[down][0], "http://127.0.0.1:9")
    scan = seen(*KINDS)

    (broken,) = [i for i in scan.identities if i.state is not Connection.CONNECTED]
    assert (broken.provider, broken.state, broken.reason) == (
        down,
        Connection.ERROR,
        Reason.UNREACHABLE,
    )
    read = {r.provider for r in scan.resources}
    assert read == set(PLANES) - {down}


def test_a_refused_token_says_what_it_needs(plane: Open, monkeypatch: pytest.MonkeyPatch):
    plane("grafana")
    monkeypatch.setenv("GRAFANA_TOKEN", "another")
    (found,) = trio.run(identities, Request(providers=("grafana",)))

    assert found.reason is Reason.UNAUTHENTICATED
    assert "GRAFANA_TOKEN" in found.remedy
    assert "Viewer" in found.remedy


def test_a_list_that_is_not_whole_is_a_gap(plane: Open):
    plane("pagerduty", **{"/incidents": {"incidents": [], "more": True}})
    scan = seen("pagerduty.incident")

    assert [gap.reason for gap in scan.gaps] == [Reason.TRUNCATED]
    assert {c.state for c in scan.coverage} <= {State.PARTIAL, State.UNREAD}


@pytest.mark.parametrize(
    ("name", "kind", "path"),
    [
        ("prometheus", "prometheus.alert", "/api/v1/alerts"),
        ("loki", "loki.label", "/loki/api/v1/labels"),
        ("grafana", "grafana.datasource", "/api/datasources"),
        ("jaeger", "jaeger.service", "/api/services"),
        ("ollama", "ollama.running_model", "/api/ps"),
    ],
)
def test_an_answer_of_another_form_is_a_gap_and_not_nothing(
    plane: Open, name: str, kind: str, path: str
):
    plane(name, **{path: {"status": "error", "error": "no"}})
    if name == "jaeger":
        plane(name, **{path: {"errors": [{"msg": "no"}], "total": 0}})
    scan = seen(kind)

    assert scan.resources == []
    if name != "loki":  # without streams, Loki leaves the list out
        assert [gap.reason for gap in scan.gaps] == [Reason.MALFORMED]


def test_an_incident_is_joined_to_what_its_service_names():
    incident = Resource(
        kind="pagerduty.incident",
        id="Q1",
        name="slow",
        provider="pagerduty",
        account="api.pagerduty.com",
        data={"service": {"id": "S1", "summary": "checkout"}},
    )
    service = Resource(
        kind="k8s.service",
        id="shop/checkout",
        name="checkout",
        provider="k8s",
        account="lab",
        data={},
    )
    kinds = {**load("pagerduty")(selection()).kinds, **load("k8s")(selection()).kinds}
    link([incident, service], kinds, [], [])

    assert [r.key for r in service.links["incidents"]] == [incident.key]
    assert {relation.name for relation in PAGERDUTY[0].relations} >= {"services", "deployments"}


def selection() -> Any:
    from infrascan.collect.provider import Selection

    return Selection(observed=NOW)


# Single questions.


def asked(name: str, question: Callable[..., Any]) -> Any:
    async def ask() -> Any:
        async with live(Request(providers=(name,)), name) as (provider, ask):
            return await question(provider, ask)

    return trio.run(ask)


def test_promql_logql_and_traces_are_asked_now(plane: Open):
    servers = {name: plane(name) for name in ("prometheus", "loki", "jaeger")}
    hour = (NOW - timedelta(hours=1), NOW)

    now = asked("prometheus", partial(queries.instant, query="DCGM_FI_DEV_GPU_UTIL"))
    assert now["result"][0]["value"][1] == "93"
    over = asked(
        "prometheus", partial(queries.over, query="up", start=hour[0], end=hour[1], step=60)
    )
    assert over["resultType"] == "matrix"
    lines = asked(
        "loki", partial(queries.logs, query='{app="checkout"}', start=hour[0], end=hour[1])
    )
    assert lines["result"][0]["values"][0][1] == "login with password=[redacted:password]"
    found = asked("jaeger", partial(queries.traces, service="checkout", start=hour[0], end=hour[1]))
    assert found[0]["traceID"] == "abc"
    last = servers["loki"].requests[-1].query
    assert (last["limit"], last["direction"]) == ("100", "backward")
    assert int(last["end"]) - int(last["start"]) == 3600 * 10**9


def test_a_refused_query_and_a_partial_answer_are_errors(plane: Open):
    partial_answer = {"status": "success", "data": {"result": []}, "warnings": ["a store is down"]}
    plane("prometheus", **{"/api/v1/query": partial_answer})
    with pytest.raises(ReadError, match="not whole: a store is down"):
        asked("prometheus", partial(queries.instant, query="up"))
    plane("prometheus", **{"/api/v1/query": {"status": "error", "error": "parse error"}})
    with pytest.raises(ReadError, match="parse error"):
        asked("prometheus", partial(queries.instant, query="up{"))


@pytest.mark.parametrize("query", ["", " ", "x" * 5000])
def test_what_is_no_query_is_not_sent(plane: Open, query: str):
    server = plane("prometheus")
    with pytest.raises(InputError):
        asked("prometheus", partial(queries.instant, query=query))
    assert all("query" not in request.path for request in server.requests)


def test_more_points_than_are_taken_are_not_asked_for(plane: Open):
    plane("prometheus")
    for start, step in ((NOW - timedelta(days=30), 1.0), (NOW + timedelta(hours=1), 60.0)):
        with pytest.raises(InputError):
            asked("prometheus", partial(queries.over, query="up", start=start, end=NOW, step=step))


# Where they are.


def test_a_plane_is_read_only_where_the_environment_names_it(plane: Open):
    assert not set(configured()) & set(PLANES)
    plane("loki")
    assert set(configured()) & set(PLANES) == {"loki"}


@pytest.mark.parametrize(
    ("url", "said"),
    {
        "ftp://x": "is no http(s) address",
        "nonsense": "is no http(s) address",
        "http://grafana.example": "is not sent over http",
    }.items(),
)
def test_an_address_that_cannot_be_used_is_said_and_nothing_is_sent(
    plane: Open, monkeypatch: pytest.MonkeyPatch, url: str, said: str
):
    plane("grafana")
    monkeypatch.setenv("GRAFANA_URL", url)
    (found,) = trio.run(identities, Request(providers=("grafana",)))

    assert found.state is Connection.ERROR
    assert said in found.detail
    assert TOKEN not in repr(found)


def test_a_password_in_an_address_is_not_shown(plane: Open, monkeypatch: pytest.MonkeyPatch):
    server = plane("prometheus")
    monkeypatch.setenv("PROMETHEUS_URL", server.url.replace("http://", f"http://me:{SECRET}@"))
    scan = seen("prometheus.alert")

    said = repr((scan.identities, scan.gaps, [(r.key, r.data) for r in scan.resources]))
    assert len(scan.resources) == 2
    assert SECRET not in said


def test_without_an_address_nothing_is_configured(plane: Open):
    async def all_of_them() -> list[Any]:
        found: list[Any] = []

        async def one(name: str) -> None:
            found.extend(await identities(Request(providers=(name,))))

        async with open_nursery() as nursery:
            for name in PLANES:
                nursery.start_soon(one, name)
        return found

    states = {i.provider: (i.state, i.remedy) for i in trio.run(all_of_them)}
    assert {state for state, _ in states.values()} == {Connection.NOT_CONFIGURED}
    assert states["pagerduty"][1] == "set PAGERDUTY_URL or PAGERDUTY_TOKEN"


def test_the_planes_say_what_they_need():
    for name in PLANES:
        least = load(name)(selection()).permissions()
        assert least["variables"]
        assert all(not line.startswith(("POST", "PUT", "DELETE")) for line in least["reads"])
