"""What is read of an account, page after page, and what is dropped on the way."""

from __future__ import annotations

import copy
import json
from collections import Counter
from typing import Any

import pytest
from fixtures.estates.cloudflare_acme import ACCOUNT, SHOP_TUNNEL, A
from fixtures.estates.cloudflare_acme_zones import OUTLET, SHOP, record

from infrascan.model import Reason
from infrascan.providers.cloudflare import TABLES
from tests.providers.cloudflare.reader import everything, provider, read
from tests.servers.cloudflare import Estate, ok, refused
from tests.servers.proxy import Answer
from tests.servers.rest import Request, RestServer, json_answer

RECORDS = "cloudflare.dns.record"


def test_each_kind_is_read(full: RestServer) -> None:
    found = read(provider())
    assert not found.errors
    assert not [one for one in found.resources if one.unread]
    counts = Counter(one.kind for one in found.resources)
    empty = {"cloudflare.access.group", "cloudflare.firewall.account_access_rule", "cloudflare.logpush.account_job"}  # fmt: skip
    assert counts.keys() == {table.kind for table in TABLES if not table.live} - empty
    assert counts[RECORDS] == 23
    assert all(one.method == "GET" for one in full.requests)


def test_the_list_of_zones_is_asked_for_once(full: RestServer) -> None:
    read(provider())
    zones = [one for one in full.requests if one.path.endswith("/v4/zones")]
    assert len(zones) == 1


def test_a_zone_carries_its_settings_by_name_and_its_rules_by_phase(full: RestServer) -> None:
    shop = read(provider(), ("cloudflare.zone",)).one("cloudflare.zone", "acme-shop.com")
    assert shop.data["settings"]["ssl"]["value"] == "strict"
    assert shop.data["dnssec"]["status"] == "active"
    assert [rule["action"] for rule in shop.data["custom_waf"]["rules"]] == ["block", "skip"]
    assert shop.data["rate_limits"]["rules"] == []
    assert shop.data["plan"]["price"] == 250


def test_what_the_plan_lacks_is_absent_and_not_unread(server: RestServer) -> None:
    shop = read(provider(), ("cloudflare.zone",)).one("cloudflare.zone", "acme-shop.com")
    assert shop.data["total_tls"] is None
    assert not shop.unread
    assert shop.data["rate_limits"] is None  # the zone has no rules in that phase


def test_records_carry_what_other_providers_look_for(server: RestServer) -> None:
    found = read(provider(), (RECORDS,)).one(RECORDS, "acme-shop.com A")
    keys = ("type", "name", "content", "proxied", "zone_name", "zone_id")
    assert [found.data[key] for key in keys] == ["A", "acme-shop.com", "203.0.113.101", True, "acme-shop.com", SHOP]  # fmt: skip


def test_an_address_is_hidden_or_exposed(server: RestServer) -> None:
    found = read(provider(), (RECORDS,))
    www, ftp = (found.one(RECORDS, f"{name}.acme-shop.com A").data for name in ("www", "ftp"))
    assert (www.get("hidden_address"), www.get("exposed_address")) == ("203.0.113.101", None)
    assert (ftp.get("hidden_address"), ftp.get("exposed_address")) == (None, "203.0.113.101")
    mail = found.one(RECORDS, "acme-shop.com MX").data
    assert "exposed_address" not in mail


@pytest.mark.parametrize("bare", [False, True])
def test_every_page_is_read(server: RestServer, acme: Estate, bare: bool) -> None:
    many = [record(n % 90, "A", f"n{n}.acme-shop.com", "203.0.113.7") for n in range(2500)]
    path = f"/zones/{SHOP}/dns_records"
    acme.put(path, [{**one, "id": str(n)} for n, one in enumerate(many)])
    if bare:
        acme.bare.add(path)
    found = read(provider("acme-shop.com"), (RECORDS,))
    assert len({one.id for one in found.resources}) == 2500
    assert not found.errors


def test_rulesets_and_buckets_go_on_by_cursor(server: RestServer, acme: Estate) -> None:
    managed = [{"id": f"m{n}", "kind": "managed", "phase": "p", "name": "m"} for n in range(120)]
    acme.put(f"{A}/rulesets", [*managed, {"id": "aa", "kind": "root", "phase": "p", "name": "r"}])
    acme.put(f"{A}/rulesets/aa", {"id": "aa", "rules": [{"id": "r"}]})
    found = read(provider(), ("cloudflare.ruleset",))
    assert [one.data["rules"] for one in found.resources] == [[{"id": "r"}]]
    assert sum(one.path.endswith("/rulesets") for one in server.requests) == 3

    def pages(request: Request) -> Answer | None:
        if not request.path.endswith("/r2/buckets"):
            return None
        if "cf-r2-jurisdiction" in request.headers:
            return None
        later = "cursor" in request.query
        info = {} if later else {"cursor": "later"}
        return ok({"buckets": [{"name": "acme-media" if later else "acme-edge-logs"}]}, info)

    server.fault = pages
    assert len(read(provider(), ("cloudflare.r2.bucket",)).resources) == 2


def test_a_list_that_says_no_total_goes_on_while_pages_are_full(
    server: RestServer, acme: Estate
) -> None:
    items = [{"id": f"n{n}", "title": str(n)} for n in range(250)]

    def silent(request: Request) -> Answer | None:
        if not request.path.endswith("/storage/kv/namespaces"):
            return None
        page, size = int(request.query.get("page", 1)), int(request.query["per_page"])
        return ok(items[(page - 1) * size : page * size])

    server.fault = silent
    assert len(read(provider(), ("cloudflare.kv.namespace",)).resources) == 250


@pytest.mark.parametrize(
    ("info", "said"),
    [
        ({"page": 1, "per_page": 1000, "total_pages": 3, "total_count": 3000}, "got page 1"),
        ({"total_pages": 2, "total_count": 9000}, "ended after"),
        ({"total_pages": 10**9}, "went on after"),
    ],
    ids=["the same page", "too few", "no end"],
)
def test_paging_that_cannot_be_trusted_is_truncated(
    server: RestServer, monkeypatch: pytest.MonkeyPatch, info: dict[str, Any], said: str
) -> None:
    monkeypatch.setattr("infrascan.providers.rest.calling.PAGES", 20)

    def odd(request: Request) -> Answer | None:
        if not request.path.endswith("/dns_records"):
            return None
        return ok([record(1, "A", "a.acme-shop.com", "203.0.113.7")], info)

    server.fault = odd
    error = read(provider("acme-shop.com"), (RECORDS,)).errors[RECORDS]
    assert error.reason is Reason.TRUNCATED
    assert said in error.detail


def test_a_cursor_that_leads_back_is_truncated(server: RestServer) -> None:
    def circle(request: Request) -> Answer | None:
        if request.path.endswith("/r2/buckets"):
            return ok({"buckets": [{"name": "a"}]}, {"cursor": "again"})
        return None

    server.fault = circle
    error = read(provider(), ("cloudflare.r2.bucket",)).errors["cloudflare.r2.bucket"]
    assert error.reason is Reason.TRUNCATED


def test_null_is_an_empty_list_and_a_missing_result_is_not(server: RestServer) -> None:
    kind = "cloudflare.workers.domain"
    for body, expected in (
        ({"success": True, "errors": [], "result": None}, None),
        ({"success": True, "errors": []}, Reason.MALFORMED),
        ({"success": True, "result": {"id": 1}}, Reason.MALFORMED),
        ({"success": True, "result": ["text"]}, Reason.MALFORMED),
    ):
        server.fault = lambda request, body=body: (
            json_answer(body) if request.path.endswith("/workers/domains") else None
        )
        found = read(provider(), (kind,))
        assert not found.resources
        reason = found.errors[kind].reason if found.errors else None
        assert reason is expected


def test_one_denied_zone_leaves_the_others(server: RestServer, acme: Estate) -> None:
    acme.refuse(f"/zones/{OUTLET}/dns_records", 403, 10000, "Authentication error")
    found = read(provider(), (RECORDS,))
    assert {one.data["zone_id"] for one in found.resources} == {SHOP}
    error = found.errors[RECORDS]
    assert (error.reason, error.permission) == (Reason.DENIED, "DNS Read")
    assert "1 of 2 lists failed" in error.detail
    assert "acme-outlet.com" in error.detail


def test_one_denied_account_leaves_the_others(server: RestServer, acme: Estate) -> None:
    other = "b" * 32
    acme.results["/accounts"].append({"id": other, "name": "Beta"})
    acme.refuse(
        f"/accounts/{other}/members", 403, 9109, "Unauthorized to access requested resource"
    )
    found = read(provider(), ("cloudflare.member",))
    assert {one.account for one in found.resources} == {ACCOUNT}
    assert found.errors["cloudflare.member"].reason is Reason.DENIED


def test_a_denied_detail_is_unread_and_names_the_permission(
    server: RestServer, acme: Estate
) -> None:
    acme.refuse(f"/zones/{SHOP}/settings", 403, 10000, "Authentication error")
    acme.refuse(f"/zones/{SHOP}/rulesets", 403, 10000, "Authentication error")
    shop = read(provider(), ("cloudflare.zone",)).one("cloudflare.zone", "acme-shop.com")
    assert set(shop.unread) == {"settings", "rulesets", "managed_waf", "custom_waf", "rate_limits"}
    gap = shop.unread["settings"]
    assert (gap.reason, gap.call, gap.permission) == (Reason.DENIED, "GET /zones/{zone}/settings", "Zone Settings Read")  # fmt: skip
    assert "settings" not in shop.data


def test_fields_that_come_and_go_break_nothing(full: RestServer) -> None:
    estate = everything()

    def altered(result: Any) -> Any:
        if isinstance(result, list):
            return [altered(one) for one in result]
        if isinstance(result, dict):
            kept = {k: v for k, v in result.items() if k in KEPT or isinstance(v, list | dict)}
            return {**{k: altered(v) for k, v in kept.items()}, "brand_new": {"of": ["tomorrow"]}}
        return result

    for path in estate.results:
        if not path.endswith(("/argo/smart_routing", "/settings")):
            estate.results[path] = altered(copy.deepcopy(estate.results[path]))
    full.answer = estate.answer
    found = read(provider())
    whole = read(provider())
    assert {one.kind for one in found.resources} == {one.kind for one in whole.resources}
    assert not found.errors


KEPT = {"id", "name", "uuid", "queue_id", "type", "kind", "phase", "status", "of_zone", "monitor", "remote_config"}  # fmt: skip


def test_no_secret_survives(full: RestServer, acme: Estate) -> None:
    found = read(provider())
    kept = json.dumps([[one.data, list(one.unread)] for one in found.resources])
    recorded = json.dumps([str(one) for one in found.answers.values()])
    for text in (kept, recorded):
        assert "Canary" not in text
        assert "CANARY" not in text
        assert "hunter2" not in text
    script = found.one("cloudflare.workers.script", "newsletter-form")
    texts = [one["text"] for one in script.data["settings"]["bindings"] if "text" in one]
    assert texts == ["[redacted:sendgrid-key]"]
    (job,) = found.of("cloudflare.logpush.job")
    assert job.data["destination_conf"] == "r2://acme-edge-logs/{DATE}"


def test_each_secret_place_is_emptied_whatever_it_holds(server: RestServer, acme: Estate) -> None:
    secret = "hunter2-canary"
    results = acme.results
    results[f"{A}/workers/scripts/order-consumer/settings"]["bindings"] = [
        {"type": "plain_text", "name": "HARMLESS", "text": secret},
        {"type": "json", "name": "CONFIG", "json": {"deep": [secret]}},
        {"type": "secret_key", "name": "K", "key_base64": secret, "key_jwk": {"k": secret}},
    ]
    pages = results[f"{A}/pages/projects"][0]
    pages["latest_deployment"] = {"env_vars": {"A": {"type": "plain_text", "value": secret}}}
    pages["canonical_deployment"] = {"env_vars": {"A": secret}, "build_config": {"web_analytics_token": secret}}  # fmt: skip
    pages["build_config"] = {"web_analytics_token": secret, "build_command": "make"}
    application = results[f"{A}/access/apps"][0]
    application["scim_config"] = {"authentication": {"password": secret}}
    application["saas_app"] = {"client_secret": secret}
    provider_of_identity = results[f"{A}/access/identity_providers"][0]
    provider_of_identity["config"]["client_secret"] = secret
    provider_of_identity["scim_config"] = {"secret": secret}
    results[f"{A}/access/service_tokens"][0]["client_secret"] = secret
    results[f"{A}/tokens"][0]["value"] = secret
    results[f"{A}/load_balancers/monitors"][0]["header"] = {"Authorization": [secret]}
    results[f"/zones/{SHOP}/healthchecks"][0]["http_config"]["header"] = {"X": [secret]}
    results["/certificates"][0]["private_key"] = secret
    results[f"/zones/{SHOP}/custom_certificates"][0]["private_key"] = secret
    results[f"/zones/{SHOP}/ssl/certificate_packs"][0]["validation_records"] = [
        {"txt_value": secret}
    ]
    results[f"/zones/{SHOP}/logpush/jobs"].append({"id": 2, "dataset": "x", "destination_conf": f"https://user:{secret}@logs.example/{secret}?header_Authorization={secret}", "ownership_challenge": secret})  # fmt: skip
    results[f"{A}/logpush/jobs"] = [{"id": 3, "dataset": "x", "destination_conf": f"splunk://logs.example/{secret}?header={secret}"}]  # fmt: skip
    hook = results[f"{A}/alerting/v3/destinations/webhooks"][0]
    hook["secret"], hook["url"] = secret, f"https://user:{secret}@hooks.example/{secret}"
    results[f"{A}/cfd_tunnel"][0]["credentials_file"] = {"TunnelSecret": secret}
    results[f"{A}/cfd_tunnel"][0]["token"] = secret
    found = read(provider())
    assert secret not in json.dumps([one.data for one in found.resources])
    assert secret not in repr(found.answers)
    hosts = {one.data["destination_conf"] for one in found.of("cloudflare.logpush.job")}
    assert "https://logs.example" in hosts


def test_our_own_fields_lead_on(full: RestServer) -> None:
    found = read(provider())
    members = {one.name: one.data["super_administrator"] for one in found.of("cloudflare.member")}
    assert members["maria.lopez@acme.example"]
    assert not members["ext.petrov@agency.example"]
    tokens = {
        one.name: one.data["writes_everywhere"] for one in found.of("cloudflare.account_token")
    }
    assert tokens == {"terraform": [], "old deploy script": ["Zone Settings Write"]}
    tunnel = next(one for one in found.of("cloudflare.tunnel") if one.id == SHOP_TUNNEL)
    assert tunnel.data["configuration"]["guarding_hosts"] == [
        "ssh.acme-shop.com",
        "*.acme-shop.com",
    ]
    (balancer,) = found.of("cloudflare.load_balancing.balancer")
    assert len(balancer.data["pool_ids"]) == 2
    regions = found.one("cloudflare.load_balancing.pool", "shop-us").data["health"]["regions"]
    assert {one["healthy"] for one in regions} == {False}
    assert found.one("cloudflare.load_balancing.pool", "shop-2023").data["health"] is None


def test_a_recording_gives_the_same(server: RestServer) -> None:
    live = read(provider())
    again = read(provider(), answers=live.answers)
    first, second = ({one.key: one for one in run.resources} for run in (live, again))
    assert first.keys() == second.keys()
    for key, resource in first.items():
        assert resource.data == second[key].data
        assert resource.unread == second[key].unread
    assert again.errors.keys() == live.errors.keys()


def test_an_answer_that_failed_under_200_is_a_refusal(server: RestServer) -> None:
    body = json.loads(refused(403, 10000, "Authentication error").body)
    server.fault = lambda request: (
        json_answer(body) if request.path.endswith("/dns_records") else None
    )
    assert read(provider(), (RECORDS,)).errors[RECORDS].reason is Reason.DENIED


BUCKET = "cloudflare.r2.bucket"


def in_europe(acme: Estate) -> str:
    """Put a bucket of a name that is taken elsewhere into the EU; gives its path."""
    place = f"{A}/r2/buckets@eu"
    acme.put(place, {"buckets": [{"name": "acme-media", "jurisdiction": "eu"}]})
    path = f"{place}/acme-media"
    acme.put(
        f"{path}/domains/managed", {"bucketId": "e", "domain": "pub-e.r2.dev", "enabled": True}
    )
    acme.put(f"{path}/domains/custom", {"domains": []})
    acme.put(f"{path}/lifecycle", {"rules": []})
    acme.refuse(f"{path}/cors", 404, 10059, "The CORS configuration does not exist.")
    return path


def test_buckets_of_every_jurisdiction_are_read(server: RestServer, acme: Estate) -> None:
    in_europe(acme)
    found = read(provider(), (BUCKET,))
    assert BUCKET not in found.errors
    media = {one.region: one for one in found.of(BUCKET) if one.id == "acme-media"}
    assert media.keys() == {"", "eu"}
    assert not media["eu"].unread
    assert media["eu"].data["managed_domain"]["enabled"] is True
    assert media[""].data["managed_domain"]["enabled"] is False
    lists = [one for one in server.requests if one.path.endswith("/r2/buckets")]
    asked = sorted(one.headers.get("cf-r2-jurisdiction", "") for one in lists)
    assert asked == ["", "eu", "fedramp", "us"]
    assert not [one for one in lists if "cf-r2-jurisdiction" in one.query]


def test_a_jurisdiction_that_is_denied_is_said(server: RestServer, acme: Estate) -> None:
    acme.refuse(f"{A}/r2/buckets@eu", 403, 10000, "Authentication error")
    found = read(provider(), (BUCKET,))
    assert len(found.of(BUCKET)) == 3
    error = found.errors[BUCKET]
    assert error.reason is Reason.DENIED
    assert "1 of 4 lists failed, the first for eu" in error.detail


def test_a_jurisdiction_that_the_account_lacks_holds_no_bucket(
    server: RestServer, acme: Estate
) -> None:
    acme.refuse(f"{A}/r2/buckets@fedramp", 403, 10042, "FedRAMP is not enabled for this account")
    found = read(provider(), (BUCKET,))
    assert BUCKET not in found.errors
    assert len(found.of(BUCKET)) == 3


def test_buckets_of_a_jurisdiction_replay(server: RestServer, acme: Estate) -> None:
    in_europe(acme)
    live = read(provider(), (BUCKET,))
    again = read(provider(), (BUCKET,), live.answers)
    data = [{one.key: one.data for one in found.resources} for found in (live, again)]
    assert data[0] == data[1]
