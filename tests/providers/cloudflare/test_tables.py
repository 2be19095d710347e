"""The tables against Cloudflare's own documents, and what they need."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from fixtures.cloudflare.fields import OPERATIONS, Sdk, blind, operations

from infrascan.providers.cloudflare import LISTS, TABLES
from infrascan.providers.cloudflare.sending import JURISDICTION
from infrascan.providers.cloudflare.tables import PERMISSIONS
from infrascan.providers.rest.kinds import needed
from tests.providers.cloudflare.reader import provider

KNOWN = json.loads(OPERATIONS.read_text(encoding="utf-8"))
# Served, and used by Cloudflare's own tools, but left out of the SDK since its version 4.
OLD = {"GET /zones/{zone}/settings"}
# Parameters that Cloudflare documents in newer documents than the one at hand.
NEWER = {
    ("GET /accounts/{account}/pages/projects", "page"),
    ("GET /accounts/{account}/queues", "page"),
    ("GET /accounts/{account}/registrar/domains", "page"),
    ("GET /accounts/{account}/subscriptions", "page"),
}
CALLS = [(table, call) for table in TABLES for call, _ in operations(table)]


def test_every_operation_is_in_the_newest_document_of_the_vendor() -> None:
    sdk = Sdk()
    for _, call in CALLS:
        assert call.api.startswith("GET /")
        assert call.api in KNOWN, f"{call.api}: run fixtures/cloudflare/fields.py again"
        if call.api not in OLD:
            assert sdk.path(blind(call.api.removeprefix("GET "))), call.api


def test_every_permission_has_its_place() -> None:
    assert set(needed(TABLES)) <= PERMISSIONS.keys()
    for table, call in CALLS:
        assert call.permission, f"{table.kind}: {call.api}"


def test_a_token_is_made_of_read_permissions_only() -> None:
    template = provider().permissions()
    names = [one["name"] for policy in template["policies"] for one in policy["permission_groups"]]
    assert sorted(names) == needed(TABLES)
    assert all(name.endswith("Read") for name in names)
    assert {policy["effect"] for policy in template["policies"]} == {"allow"}


def test_each_kind_has_fields_and_a_name_of_its_own() -> None:
    kinds = provider().kinds
    assert len(kinds) == len(TABLES)
    for name, kind in kinds.items():
        assert re.fullmatch(r"cloudflare(\.[a-z0-9_]+){1,2}", name)
        assert len(kind.fields) > 2, name


def test_edges_lead_to_kinds_and_fields_that_are_there() -> None:
    kinds = provider().kinds
    for kind in kinds.values():
        for relation in kind.relations:
            assert relation.to in kinds
            by = relation.by.partition("[")[0]
            assert by == "id" or by in kinds[relation.to].fields, (kind.name, relation.name)


@pytest.mark.parametrize("api", sorted(LISTS))
def test_lists_are_those_whose_result_is_one(api: str) -> None:
    assert "{ruleset}" not in api
    assert not api.endswith(("/r2/buckets", "/dnssec"))


def test_importing_brings_in_no_sdk() -> None:
    code = (
        "import sys, infrascan.providers.cloudflare as c, datetime\n"
        "from infrascan.collect.provider import Selection\n"
        "c.Cloudflare(Selection(observed=datetime.datetime.now(datetime.UTC))).permissions()\n"
        "sys.exit(bool({'cloudflare', 'httpx'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_parameters_are_documented() -> None:
    for _, call in CALLS:
        asked = KNOWN[call.api]["query"]
        slots = {*re.findall(r"\{(\w+)\}", call.api), JURISDICTION}
        if asked is None:
            continue
        for name in set(call.params) - slots:
            assert name in asked or (call.api, name) in NEWER | PAGED, (call.api, name)


# Lists that take a page, as their `result_info` shows, without saying so in the document.
PAGED = {
    (api, name)
    for api in (
        "GET /accounts/{account}/access/apps",
        "GET /accounts/{account}/access/apps/{app}/policies",
        "GET /accounts/{account}/access/groups",
        "GET /accounts/{account}/access/identity_providers",
        "GET /accounts/{account}/access/service_tokens",
        "GET /accounts/{account}/access/users",
        "GET /accounts/{account}/rulesets",
        "GET /certificates",
        "GET /zones/{zone}/ssl/certificate_packs",
    )
    for name in ("page", "per_page")
}


def test_what_the_tables_say_is_small(tmp_path: Path) -> None:
    assert provider().fields.stat().st_size < 300_000
