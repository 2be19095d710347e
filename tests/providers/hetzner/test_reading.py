"""Reading acme's project: every kind, every page, every way to fail."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from fixtures.estates import hetzner_acme
from fixtures.estates.hetzner_acme import SECRETS

from infrascan.graph import link
from infrascan.model import Gap, Reason, Resource
from infrascan.providers.hetzner import TABLES, Hetzner
from infrascan.providers.hetzner.reading import cpu, ports
from tests.providers.rest_faults import FAULTS, cases, check
from tests.providers.token_platforms import everything, one_kind
from tests.servers.hetzner import Project, error
from tests.servers.proxy import Answer
from tests.servers.rest import Request, RestServer, json_answer

Open = Callable[[], Hetzner]


def linked(provider: Hetzner) -> dict[str, Resource]:
    found, errors = everything(provider)
    assert not errors
    link(found, provider.kinds, [])
    return {f"{resource.kind}/{resource.name}": resource for resource in found}


def test_every_kind_is_read(opened: Open):
    found, errors = everything(opened())

    assert not errors
    assert set(Counter(resource.kind for resource in found)) == {t.kind for t in TABLES}
    assert not [resource.key for resource in found if resource.unread]
    one = next(resource for resource in found if resource.name == "runner-1")
    assert (one.id, one.account, one.region) == ("101", "default", "fsn1")
    assert one.data["tags"] == {"role": "runner", "team": "platform"}


def test_secrets_and_what_is_of_no_use_do_not_arrive(opened: Open):
    found, _ = everything(opened())

    text = json.dumps([resource.data for resource in found])
    assert "hmac-sha256" in text
    assert not [secret for secret in SECRETS if secret in text]
    assert "BEGIN CERTIFICATE" not in text


def test_resources_are_linked(opened: Open):
    by_name = linked(opened())

    def names(kind: str, name: str, relation: str) -> list[str]:
        return [r.name for r in by_name[f"hetzner.{kind}/{name}"].links.get(relation, [])]

    assert names("server", "build-01", "attached_volumes") == ["build-cache"]
    assert names("server", "cache-1", "firewalls") == ["cache"]
    assert names("server", "mirror-1", "placement") == ["mirror"]
    assert names("load_balancer", "mirror", "servers") == ["mirror-1", "mirror-2"]
    assert names("server", "mirror-1", "serving_load_balancers") == ["mirror"]
    assert names("certificate", "mirror", "load_balancers") == ["mirror", "artefacts-old"]
    assert names("zone", "acme-tools.example", "rrsets") == [
        "@.acme-tools.example/MX",
        "www.acme-tools.example/A",
    ]
    assert names("primary_ip", "primary_ip-953", "rrsets") == ["build-01.builds.acme.example/A"]
    assert len(names("project", "default", "servers")) == 15
    orphan = by_name["hetzner.image/jenkins-1"]
    assert orphan.data["missing_servers"] == ["99"]


def test_servers_behind_labels_are_found(opened: Open, acme: Project, monkeypatch: Any):
    balancer = json.loads(json.dumps(acme.items["load_balancers"][0]))
    inner = [{"type": "server", "server": {"id": 110}, "health_status": []}]
    balancer["targets"] = [{"type": "label_selector", "targets": inner, "use_private_ip": True}]
    monkeypatch.setitem(acme.items, "load_balancers", [balancer])

    by_name = linked(opened())

    servers = by_name["hetzner.load_balancer/mirror"].links["servers"]
    assert [one.name for one in servers] == ["mirror-1"]


def test_metrics_are_summed_up_and_a_server_that_is_off_has_none(opened: Open):
    found = {one.name: one for one in one_kind(opened(), "hetzner.server").resources}

    assert found["runner-gpu-test"].data["metrics"]["cpu"]["datapoints"] == 14
    assert 0.7 < found["runner-gpu-test"].data["metrics"]["cpu"]["average"] < 1.1
    assert found["runner-old"].data["metrics"] is None


def test_a_sample_that_is_no_number_is_no_sample():
    metrics = {"time_series": {"cpu": {"values": [[0, "NaN"], [86400.5, "4"], [90000, "6.0"]]}}}

    assert cpu(metrics)["cpu"] == {
        "days": 14,
        "datapoints": 1,
        "average": 5.0,
        "maximum": 6.0,
        "minimum": 4.0,
    }


@pytest.mark.parametrize(
    ("port", "protocol", "expected"),
    [
        ("22", "tcp", (22, 22)),
        ("80-85", "tcp", (80, 85)),
        ("any", "udp", (1, 65535)),
        (None, "tcp", (1, 65535)),
        (None, "icmp", None),
        ("22", "gre", None),
    ],
)
def test_ports_become_numbers(port: str | None, protocol: str, expected: tuple[int, int] | None):
    rule = ports({"protocol": protocol, "port": port})

    assert ((rule["from_port"], rule["to_port"]) if "from_port" in rule else None) == expected


def test_a_hundred_and_thirty_servers_come_in_three_pages(
    opened: Open, server: RestServer, acme: Project, monkeypatch: pytest.MonkeyPatch
):
    many = [made(number) for number in range(1000, 1130)]
    monkeypatch.setitem(acme.items, "servers", many)
    provider = opened()

    outcome = one_kind(provider, "hetzner.server")

    assert outcome.error is None
    assert {one.id for one in outcome.resources} == {str(one["id"]) for one in many}
    pages = [r.query.get("page") for r in server.requests if r.path == "/v1/servers"]
    assert pages == [None, "2", "3"]


def made(number: int) -> dict[str, Any]:
    return {**hetzner_acme.server(number, f"s-{number}"), "status": "off"}


def test_a_list_that_ends_early_is_truncated(opened: Open, server: RestServer):
    def early(request: Request) -> Answer | None:
        if request.path != "/v1/volumes":
            return None
        meta = {"pagination": {"page": 1, "next_page": None, "total_entries": 3}}
        return json_answer({"volumes": [], "meta": meta})

    provider = opened()
    server.fault = early
    outcome = one_kind(provider, "hetzner.volume")

    assert outcome.error is not None
    assert outcome.error.reason is Reason.TRUNCATED
    assert outcome.error.detail == "the list ended after 0 of 3 items"


@pytest.mark.parametrize("step", [0, 1])
def test_pages_without_end_are_cut(
    opened: Open, server: RestServer, step: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("infrascan.providers.rest.calling.PAGES", 20)

    def endless(request: Request) -> Answer | None:
        if request.path != "/v1/volumes":
            return None
        page = int(request.query.get("page", "1"))
        return json_answer({"volumes": [], "meta": {"pagination": {"next_page": page + step or 1}}})

    provider = opened()
    server.fault = endless
    outcome = one_kind(provider, "hetzner.volume")

    assert outcome.error is not None
    assert outcome.error.reason is Reason.TRUNCATED


@pytest.mark.parametrize(
    ("answer", "reason", "wait"),
    [
        (error(429, "rate_limit_exceeded", "limit reached"), Reason.THROTTLED, None),
        (json_answer({"error": {}}, 429, {"retry-after": "9"}), Reason.THROTTLED, 9.0),
        (error(403, "forbidden", "no"), Reason.DENIED, None),
        (error(401, "unauthorized", "no"), Reason.UNAUTHENTICATED, None),
        (error(503, "unavailable", "later"), Reason.UNREACHABLE, None),
        (error(410, "deprecated_api_endpoint", "gone"), Reason.DISABLED, None),
    ],
)
def test_refusals_keep_their_meaning(
    opened: Open, server: RestServer, answer: Answer, reason: Reason, wait: float | None
):
    provider = opened()
    server.fault = lambda request: answer if request.path == "/v1/networks" else None
    outcome = one_kind(provider, "hetzner.network")

    assert outcome.error is not None
    assert (outcome.error.reason, outcome.error.retry_after) == (reason, wait)
    assert outcome.error.permission == "Read (permission of the API token)"


def test_one_zone_that_is_denied_hides_no_other(opened: Open, server: RestServer):
    provider = opened()
    server.fault = lambda r: error(403, "forbidden", "no") if "/zones/81/" in r.path else None
    outcome = one_kind(provider, "hetzner.rrset")

    assert {one.data["zone_name"] for one in outcome.resources} == {"acme-tools.example"}
    assert outcome.error is not None
    assert "1 of 2 lists failed" in outcome.error.detail


def test_answers_with_more_or_less_than_the_document_says_are_read(
    opened: Open, server: RestServer
):
    items = [{"id": 5, "brand_new_field": {"deep": [1]}}, {"id": 6, "name": "b", "labels": None}]
    meta = {"pagination": {"next_page": None, "total_entries": 2}}

    provider = opened()
    server.fault = lambda r: (
        json_answer({"volumes": items, "meta": meta}) if r.path == "/v1/volumes" else None
    )
    outcome = one_kind(provider, "hetzner.volume")

    assert outcome.error is None
    assert [(one.id, one.name, one.region) for one in outcome.resources] == [
        ("5", "5", ""),
        ("6", "b", ""),
    ]


@pytest.mark.parametrize("rules", [None, [{"protocol": "tcp", "port": "ssh"}], [7]])
def test_a_firewall_of_another_form_is_malformed(opened: Open, server: RestServer, rules: Any):
    meta = {"pagination": {"next_page": None, "total_entries": 1}}
    one = {"id": 1, "name": "odd", "rules": rules}

    provider = opened()
    server.fault = lambda r: (
        json_answer({"firewalls": [one], "meta": meta}) if r.path == "/v1/firewalls" else None
    )
    outcome = one_kind(provider, "hetzner.firewall")

    assert not outcome.resources
    assert outcome.error is not None
    assert outcome.error.reason is Reason.MALFORMED


def test_what_was_not_read_leaves_relations_open(opened: Open):
    provider = opened()
    found, _ = everything(provider)
    denied = Gap(
        provider="hetzner",
        account="default",
        kind="hetzner.server",
        reason=Reason.DENIED,
        detail="no",
    )
    others = [one for one in found if one.kind != "hetzner.server"]

    link(others, provider.kinds, [denied])

    balancer = next(one for one in others if one.kind == "hetzner.load_balancer")
    image = next(one for one in others if one.name == "jenkins-1")
    assert "servers" in balancer.unread
    assert "missing_servers" in image.unread


def is_call(request: Request, api: str) -> bool:
    method, _, path = api.partition(" ")
    return Request.match(request, f"{method} /v1{path}") is not None


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("case", cases(TABLES), ids=str)
def test_a_failed_call_is_said(opened: Open, server: RestServer, case: Any, fault: str):
    check(opened(), server, case, fault, is_call)
