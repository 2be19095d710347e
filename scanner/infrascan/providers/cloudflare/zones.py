"""Zones with their settings, DNS records and certificates."""

from __future__ import annotations

from typing import Any

from infrascan.model import Relation
from infrascan.providers.cloudflare.errors import NOT_ENTITLED
from infrascan.providers.cloudflare.tables import OF_ZONE, PAGES, ZONE_READ, ZONES, in_zone
from infrascan.providers.rest.tables import Detail, Listing

DNS = "DNS Read"
SSL = "SSL and Certificates Read"
WAF = "Zone WAF Read"
SETTINGS = "Zone Settings Read"


def by_id(settings: list[dict[str, Any]]) -> dict[str, Any]:
    """Settings as a map, so that a rule can name one: `settings.ssl.value`."""
    return {setting["id"]: setting for setting in settings}


def by_phase(rulesets: list[dict[str, Any]]) -> dict[str, Any]:
    """The zone's own rulesets, one per phase. Those that Cloudflare manages are not of the zone."""
    return {"rulesets": {one["phase"]: one for one in rulesets if one.get("kind") == "zone"}}


def with_address(record: dict[str, Any]) -> dict[str, Any]:
    """A record with its address as what it shows to everyone, or as what the proxy hides."""
    if record.get("type") not in {"A", "AAAA"} or not record.get("content"):
        return record
    field = "hidden_address" if record.get("proxied") else "exposed_address"
    return {**record, field: record["content"]}


def rules_of(phase: str, field: str) -> Detail:
    """The rules that a zone has in a phase; null without any."""
    return Detail(
        field=field,
        api="GET /zones/{zone}/rulesets/{ruleset}",
        params={"zone": "{id}", "ruleset": "{rulesets." + phase + ".id}"},
        result="result",
        when=f"rulesets.{phase}.id",
        permission=WAF,
    )


def of_zone(
    field: str,
    path: str,
    permission: str,
    absent: tuple[str, ...] = (),
) -> Detail:
    """A setting with a call of its own."""
    return Detail(
        field=field,
        api=f"GET /zones/{{zone}}/{path}",
        params={"zone": "{id}"},
        result="result",
        absent=absent,
        permission=permission,
    )


ZONE = Listing(
    kind="cloudflare.zone",
    title="Cloudflare zone",
    api="GET /zones",
    items="result[]",
    params={"account.id": "{account}", "per_page": 50},
    paging=PAGES,
    permission=ZONE_READ,
    id="{id}",
    name=("name",),
    adds={"account_id": "{account.id}"},
    details=(
        Detail(
            field="",
            api="GET /zones/{zone}/rulesets",
            params={"zone": "{id}"},
            result="result[]",
            shape=by_phase,
            permission=WAF,
            fields={"rulesets": {"*": {"id": {}, "name": {}, "phase": {}, "last_updated": {}}}},
        ),
        Detail(
            field="settings",
            api="GET /zones/{zone}/settings",
            params={"zone": "{id}"},
            result="result[]",
            shape=by_id,
            permission=SETTINGS,
        ),
        rules_of("http_request_firewall_managed", "managed_waf"),
        rules_of("http_request_firewall_custom", "custom_waf"),
        rules_of("http_ratelimit", "rate_limits"),
        of_zone("dnssec", "dnssec", DNS),
        of_zone("universal_ssl", "ssl/universal/settings", SSL),
        of_zone("total_tls", "acm/total_tls", SSL, (NOT_ENTITLED,)),
        of_zone("origin_pulls", "origin_tls_client_auth/settings", SSL, (NOT_ENTITLED,)),
        of_zone("bot_management", "bot_management", "Bot Management Read", (NOT_ENTITLED,)),
        of_zone("page_shield", "page_shield", "Domain Page Shield Read", (NOT_ENTITLED,)),
        of_zone("argo", "argo/smart_routing", SETTINGS, (NOT_ENTITLED,)),
    ),
    relations=(
        Relation(
            name="owner_account",
            path="account_id",
            to="cloudflare.account",
            by="id",
            reverse="zones",
            within="account",
        ),
        Relation(
            name="account_rulesets",
            path="account_id",
            to="cloudflare.ruleset",
            by="account_id",
            within="account",
        ),
        Relation(
            name="registration",
            path="name",
            to="cloudflare.registrar.domain",
            by="name",
            reverse="zones",
            within="anywhere",
        ),
    ),
)

RECORDS = Listing(
    kind="cloudflare.dns.record",
    title="DNS record",
    parents=(ZONES,),
    api="GET /zones/{zone}/dns_records",
    items="result[]",
    params={"per_page": 1000},
    paging=PAGES,
    permission=DNS,
    id="{id}",
    name=("{name} {type}", "name"),
    adds=OF_ZONE,
    shape=with_address,
    relations=(
        in_zone("dns_records"),
        Relation(
            name="hidden_as",
            path="exposed_address",
            to="cloudflare.dns.record",
            by="hidden_address",
            reverse="given_away_by",
            within="account",
        ),
        Relation(
            name="tunnel",
            path="content",
            to="cloudflare.tunnel",
            by="id",
            reverse="public_names",
            within="account",
            matching=r"^([0-9a-f-]{36})\.cfargotunnel\.com\.?$",
        ),
        Relation(
            name="pages_project",
            path="content",
            to="cloudflare.pages.project",
            by="subdomain",
            reverse="public_names",
            within="anywhere",
            matching=r"^(?:[a-z0-9-]+\.)?([a-z0-9-]+\.pages\.dev)\.?$",
        ),
    ),
)

CERTIFICATE_PACKS = Listing(
    kind="cloudflare.tls.certificate_pack",
    title="Edge certificate pack",
    parents=(ZONES,),
    api="GET /zones/{zone}/ssl/certificate_packs",
    items="result[]",
    params={"status": "all", "per_page": 50},
    paging=PAGES,
    permission=SSL,
    id="{id}",
    name=("hosts[]", "id"),
    adds=OF_ZONE,
    drop=("result[].validation_records", "result[].dcv_delegation_records"),
    relations=(in_zone("certificate_packs"),),
)

CUSTOM_CERTIFICATES = Listing(
    kind="cloudflare.tls.custom_certificate",
    title="Uploaded edge certificate",
    parents=(ZONES,),
    api="GET /zones/{zone}/custom_certificates",
    items="result[]",
    params={"per_page": 50},
    paging=PAGES,
    permission=SSL,
    id="{id}",
    name=("hosts[]", "id"),
    adds=OF_ZONE,
    drop=("result[].private_key",),
    relations=(in_zone("custom_certificates"),),
)

ORIGIN_CERTIFICATES = Listing(
    kind="cloudflare.tls.origin_certificate",
    title="Origin CA certificate",
    parents=(ZONES,),
    api="GET /certificates",
    items="result[]",
    params={"zone_id": "{zone}", "per_page": 50},
    paging=PAGES,
    permission=SSL,
    id="{id}",
    name=("hostnames[]", "id"),
    adds=OF_ZONE,
    drop=("result[].certificate", "result[].csr", "result[].private_key"),
    relations=(in_zone("origin_certificates"),),
)

TABLES = (ZONE, RECORDS, CERTIFICATE_PACKS, CUSTOM_CERTIFICATES, ORIGIN_CERTIFICATES)
