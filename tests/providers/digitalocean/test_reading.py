"""Reading acme's team: every kind, every page, every way to fail."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from fixtures.estates.digitalocean_acme import SECRETS, droplet

from infrascan import redact
from infrascan.graph import link
from infrascan.model import Gap, Reason, Resource
from infrascan.providers.digitalocean import TABLES, DigitalOcean
from infrascan.providers.digitalocean.reading import cpu, ports
from infrascan.providers.digitalocean.scrubbing import arrived
from infrascan.reason.changes import ACTIONS
from tests.providers.rest_faults import FAULTS, cases, check
from tests.providers.token_platforms import everything, one_kind
from tests.servers.digitalocean import Team, error
from tests.servers.proxy import Answer
from tests.servers.rest import RestServer, json_answer

Open = Callable[[], DigitalOcean]


def linked(provider: DigitalOcean) -> dict[str, Resource]:
    found, errors = everything(provider)
    assert [error.reason for error in errors] == [Reason.OUT_OF_SCOPE]  # Spaces, without keys
    link(found, provider.kinds, [])
    return {f"{resource.kind}/{resource.name}": resource for resource in found}


def test_every_kind_is_read(opened: Open):
    found, errors = everything(opened())

    assert [error.reason for error in errors] == [Reason.OUT_OF_SCOPE]  # Spaces, without keys
    assert set(Counter(resource.kind for resource in found)) == {
        t.kind for t in TABLES if not t.live
    }
    assert not [(resource.key, resource.unread) for resource in found if resource.unread]
    one = next(resource for resource in found if resource.name == "blog-1")
    assert (one.id, one.account, one.region) == ("401", "default", "fra1")
    assert (one.data["tags"], one.data["tag_names"]) == ({"web": ""}, ["web"])


def test_passwords_keys_and_variables_do_not_arrive(opened: Open):
    found, _ = everything(opened())

    text = json.dumps([resource.data for resource in found])
    assert "SMTP_PASSWORD" in text
    assert '"bound": true' in text
    assert not [secret for secret in SECRETS if secret in text]
    assert "EV[" not in text


CANARY = "canary-7f3a"


def test_no_string_of_what_is_dropped_survives():
    part = {
        "name": "a",
        "image": {"registry_credentials": CANARY, "tag": "v1"},
        "envs": [{"key": "A", "value": CANARY}, {"key": "B", "value": "${db." + CANARY + "}"}],
        "log_destinations": [{"logtail": {"token": CANARY}, "datadog": {"api_key": CANARY}}],
    }
    groups = ("services", "static_sites", "jobs", "workers", "functions")
    spec = {"name": "x", "envs": [{"key": "C", "value": CANARY}]}
    spec |= {group: [json.loads(json.dumps(part))] for group in groups}
    deployments = {
        f"{name}_deployment": {"id": "d", "spec": {"a": [{"b": CANARY}]}}
        for name in ("active", "in_progress", "pending", "pinned")
    }

    found = arrived("GET /v2/apps", {"apps": [{"id": "1", "spec": spec, **deployments}]})

    assert CANARY not in json.dumps(found)
    envs = found["apps"][0]["spec"]["services"][0]["envs"]
    assert envs == [{"key": "A", "bound": False}, {"key": "B", "bound": True}]


def test_spaces_keys_are_told_apart(opened: Open):
    found = one_kind(opened(), "digitalocean.spaces_key").resources

    assert {key.id: key.name for key in found} == {
        "DO801ACMEBLOGMEDIA01": "blog-media",
        "DO801ACMEOLDBACKUP01": "old-backup-script",
    }


def test_what_a_function_is_called_with_does_not_arrive(
    acme: Team, opened: Open, monkeypatch: pytest.MonkeyPatch
):
    one = acme.lists["/v2/functions/namespaces"][0]["namespace"]
    trigger = {"name": "nightly", "scheduled_details": {"cron": "@daily", "body": {"k": CANARY}}}
    path = f"/v2/functions/namespaces/{one}/triggers"
    monkeypatch.setitem(acme.answers, path, {"triggers": [trigger]})

    (found,) = one_kind(opened(), "digitalocean.functions_namespace").resources

    assert found.data["triggers"] == [{"name": "nightly", "scheduled_details": {"cron": "@daily"}}]


def test_the_token_in_a_link_to_a_page_is_left_out_ahead_of_redaction():
    place = "https://api.digitalocean.com/v2/registry/acme/repositoriesV2"
    answer = {
        "links": {"pages": {"next": f"{place}?page=2&page_token=JPZmZzZXQiOjB9&per_page=100"}},
        "repositories": [],
    }

    found = redact.scrub(arrived("GET /v2/registries/{registry_name}/repositoriesV2", answer))

    assert found["links"]["pages"]["next"] == f"{place}?page=2&per_page=100"


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        {"apps": None},
        {"apps": [], "links": None},
        {"apps": [], "links": {"pages": []}},
        {"apps": [], "links": {"pages": {"next": "?page_token=a"}}},
        {"apps": [7, None]},
        {"apps": [{"spec": "text"}]},
        {
            "apps": [
                {"spec": {"envs": "text", "services": [3, {"envs": [1], "image": "x"}], "jobs": {}}}
            ]
        },
    ],
)
def test_odd_answers_about_apps_pass_unharmed(answer: Any):
    arrived("GET /v2/apps", answer)


def test_resources_are_linked(opened: Open):
    by_name = linked(opened())

    def names(kind: str, name: str, relation: str) -> list[str]:
        found = by_name[f"digitalocean.{kind}/{name}"].links.get(relation, [])
        return [one.name for one in found]

    assert names("droplet", "blog-1", "firewalls") == ["web"]  # by its tag
    assert names("droplet", "preview", "firewalls") == ["lab", "opened-for-a-test"]
    assert names("volume", "comments-data", "droplets") == ["comments-db"]
    assert names("droplet", "comments-db", "snapshots") == ["comments-db before upgrade"]
    assert names("snapshot", "comments-data weekly", "source") == ["comments-data"]
    assert names("load_balancer", "blog", "certificates") == ["blog"]
    assert names("kubernetes_cluster", "acme-blog-search", "droplets") == ["pool-blog-a"]
    assert names("vpc", "acme-fra1", "databases") == ["blog", "sessions", "landing"]
    assert names("domain_record", "comments.acme-blog.example", "apps") == ["comments"]
    assert names("app", "comments", "sizes") == ["apps-s-1vcpu-1gb"]
    assert names("registry_repository", "acme/comments", "registry") == ["acme"]
    assert len(names("account", "Acme", "droplets")) == 8
    orphan = by_name["digitalocean.snapshot/shop-landing final"]
    assert set(orphan.data["missing_sources"]) == {"377"}
    promo = by_name["digitalocean.domain_record/promo.acme-blog.example"]
    assert promo.data["missing_apps"] == ["promo-q7x2k.ondigitalocean.app"]
    cluster = by_name["digitalocean.kubernetes_cluster/acme-blog-search"]
    assert cluster.data["missing_versions"] == ["1.33.6-do.2"]


def test_counters_become_shares():
    def series(mode: str, *values: float) -> dict[str, Any]:
        points = [[86_400 * (day + 1), str(value)] for day, value in enumerate(values)]
        return {"metric": {"mode": mode}, "values": points}

    result = [series("idle", 0, 90, 180, 10, 100), series("user", 0, 10, 30, 0, 10)]

    assert cpu({"result": result})["cpu"] == {
        "days": 14,
        "datapoints": 3,  # one interval has a reboot in it
        "average": pytest.approx((10 + 100 * 20 / 110 + 10) / 3, abs=0.001),
        "maximum": pytest.approx(100 * 20 / 110, abs=0.001),
        "minimum": 10.0,
    }
    assert cpu({"result": []})["cpu"] == {"days": 14, "datapoints": 0}


@pytest.mark.parametrize(
    ("text", "protocol", "expected"),
    [
        ("22", "tcp", (22, 22)),
        ("8000-9000", "udp", (8000, 9000)),
        ("0", "tcp", (1, 65535)),
        ("all", "tcp", (1, 65535)),
        ("", "tcp", (1, 65535)),
        ("0", "icmp", None),
    ],
)
def test_ports_become_numbers(text: str, protocol: str, expected: tuple[int, int] | None):
    rule = ports({"protocol": protocol, "ports": text})

    assert ((rule["from_port"], rule["to_port"]) if "from_port" in rule else None) == expected


def test_five_hundred_droplets_come_in_three_pages(
    opened: Open, server: RestServer, acme: Team, monkeypatch: pytest.MonkeyPatch
):
    many = [droplet(n, f"d-{n}", ip=90, status="off") for n in range(1000, 1500)]
    monkeypatch.setitem(acme.lists, "/v2/droplets", many)
    provider = opened()

    outcome = one_kind(provider, "digitalocean.droplet")

    assert outcome.error is None
    assert {one.id for one in outcome.resources} == {str(n) for n in range(1000, 1500)}
    lists = [r.query for r in server.requests if r.path == "/v2/droplets"]
    assert [one.get("page") for one in lists if "type" not in one] == [None, "2", "3"]
    hosts = {r.headers["host"] for r in server.requests}
    assert hosts == {server.url.removeprefix("http://")}  # the links name another


def test_gpu_droplets_are_read_from_a_list_of_their_own(
    opened: Open, acme: Team, monkeypatch: pytest.MonkeyPatch
):
    gpu = {**droplet(9, "trainer", ip=90), "size_slug": "gpu-h100x1-80gb"}
    monkeypatch.setitem(acme.lists, "/v2/droplets", [*acme.lists["/v2/droplets"], gpu])

    outcome = one_kind(opened(), "digitalocean.droplet")

    assert outcome.error is None
    assert [one.name for one in outcome.resources].count("trainer") == 1
    assert len(outcome.resources) == 9


@pytest.mark.parametrize("gpus", [True, False])
def test_one_list_of_droplets_that_fails_hides_not_the_other(
    opened: Open, server: RestServer, acme: Team, monkeypatch: pytest.MonkeyPatch, gpus: bool
):
    gpu = {**droplet(9, "trainer", ip=90), "size_slug": "gpu-h100x1-80gb"}
    monkeypatch.setitem(acme.lists, "/v2/droplets", [*acme.lists["/v2/droplets"], gpu])
    provider = opened()
    server.fault = lambda r: (
        error(500, "server_error", "oh")
        if r.path == "/v2/droplets" and ("type" in r.query) is gpus
        else None
    )

    outcome = one_kind(provider, "digitalocean.droplet")

    assert outcome.error is not None
    assert outcome.error.reason is Reason.UNREACHABLE
    assert len(outcome.resources) == (8 if gpus else 1)


def test_a_list_that_ends_early_is_truncated(opened: Open, server: RestServer):
    short = json_answer({"volumes": [{"id": "a", "name": "a"}], "links": {}, "meta": {"total": 9}})

    provider = opened()
    server.fault = lambda r: short if r.path == "/v2/volumes" else None
    outcome = one_kind(provider, "digitalocean.volume")

    assert [one.id for one in outcome.resources] == ["a"]
    assert outcome.error is not None
    assert outcome.error.reason is Reason.TRUNCATED
    assert outcome.error.detail == "the list ended after 1 of 9 items"


def test_pages_that_go_round_in_a_circle_are_cut(opened: Open, server: RestServer):
    link = "https://api.digitalocean.com/v2/volumes?page=2&per_page=200"
    round_and_round = json_answer({"volumes": [], "links": {"pages": {"next": link}}})

    provider = opened()
    server.fault = lambda r: round_and_round if r.path == "/v2/volumes" else None
    outcome = one_kind(provider, "digitalocean.volume")

    assert outcome.error is not None
    assert outcome.error.reason is Reason.TRUNCATED


@pytest.mark.parametrize(
    ("answer", "reason", "wait"),
    [
        (error(429, "too_many_requests", "API rate limit exceeded."), Reason.THROTTLED, None),
        (json_answer({"id": "x"}, 429, {"retry-after": "11"}), Reason.THROTTLED, 11.0),
        (error(403, "Forbidden", "You are missing a permission"), Reason.DENIED, None),
        (error(401, "Unauthorized", "Unable to authenticate you"), Reason.UNAUTHENTICATED, None),
        (error(500, "server_error", "Unexpected server-side error"), Reason.UNREACHABLE, None),
        (error(404, "not_found", "not here"), Reason.DISABLED, None),
        (error(412, "precondition_failed", "not enabled"), Reason.DISABLED, None),
    ],
)
def test_refusals_keep_their_meaning(
    opened: Open, server: RestServer, answer: Answer, reason: Reason, wait: float | None
):
    provider = opened()
    server.fault = lambda request: answer if request.path == "/v2/vpcs" else None
    outcome = one_kind(provider, "digitalocean.vpc")

    assert outcome.error is not None
    assert (outcome.error.reason, outcome.error.retry_after) == (reason, wait)
    assert outcome.error.permission == "vpc:read"


def test_a_team_without_a_registry_has_none(opened: Open, server: RestServer):
    provider = opened()
    server.fault = lambda r: (
        error(404, "not_found", "registry does not exist")
        if r.path == "/v2/registry/subscription"
        else None
    )
    outcome = one_kind(provider, "digitalocean.registry_subscription")

    assert (outcome.resources, outcome.error) == ([], None)


def test_one_database_that_is_denied_hides_no_other(opened: Open, server: RestServer):
    provider = opened()
    server.fault = lambda r: (
        error(403, "Forbidden", "no") if r.path.endswith("30/firewall") else None
    )
    outcome = one_kind(provider, "digitalocean.database_cluster")

    by_name = {one.name: one for one in outcome.resources}
    assert by_name["blog"].unread["trusted_sources"].permission == "database:read"
    assert by_name["landing"].data["trusted_sources"] == []


def test_trusted_sources_that_are_missing_are_not_none(opened: Open, server: RestServer):
    provider = opened()
    server.fault = lambda r: json_answer({"ok": 1}) if r.path.endswith("/firewall") else None
    outcome = one_kind(provider, "digitalocean.database_cluster")

    for one in outcome.resources:
        assert one.unread["trusted_sources"].reason is Reason.MALFORMED
        assert "trusted_sources" not in one.data


def test_what_was_not_read_leaves_relations_open(opened: Open):
    provider = opened()
    found, _ = everything(provider)
    denied = Gap(
        provider="digitalocean",
        account="default",
        kind="digitalocean.app",
        reason=Reason.DENIED,
        detail="no",
    )
    others = [one for one in found if one.kind != "digitalocean.app"]

    link(others, provider.kinds, [denied])

    promo = next(one for one in others if one.name == "promo.acme-blog.example")
    assert "missing_apps" in promo.unread


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("case", cases(TABLES), ids=str)
def test_a_failed_call_is_said(opened: Open, server: RestServer, case: Any, fault: str):
    check(opened(), server, case, fault)


def test_the_newest_actions_are_read_in_one_answer(
    opened: Open, server: RestServer, acme: Team, monkeypatch: pytest.MonkeyPatch
):
    actions = [
        {"id": number, "status": "completed", "type": "power_off", "resource_type": "droplet",
         "resource_id": 401, "started_at": "2026-11-20T05:00:00Z", "completed_at": None,
         "region_slug": "fra1", "region": {"slug": "fra1", "features": []}}
        for number in range(250)
    ]  # fmt: skip
    monkeypatch.setitem(acme.lists, "/v2/actions", actions)
    found = one_kind(opened(), "digitalocean.action")

    assert len(found.resources) == ACTIONS
    assert "region" not in found.resources[0].data
    assert [r.path for r in server.requests].count("/v2/actions") == 1
