"""The tables as a whole: names, relations, permissions, secrets."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from infrascan.model import Kind
from infrascan.providers.azure import IN_GRAPH, TABLES, Azure
from infrascan.providers.azure.inventory import Inventory
from infrascan.providers.azure.tables import GRAPH
from infrascan.providers.rest.kinds import details
from tests.providers.azure.estate import opened

KINDS = opened().kinds
ACTION = re.compile(r"Microsoft\.\w+/[\w/]+/[Rr]ead")


def test_kinds_are_named_once_and_by_their_type():
    names = [listing.kind for listing in TABLES]
    assert len(names) == len(set(names)) >= 60
    assert all(re.fullmatch(r"azure\.[a-z]+\.[a-z_]+", name) for name in names)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_relations_lead_to_kinds_within_azure_regardless_of_case(kind: Kind):
    for relation in kind.relations:
        assert relation.to in KINDS
        assert relation.folded
        assert relation.within == "account"


@pytest.mark.parametrize("listing", TABLES, ids=lambda listing: listing.kind)
def test_every_call_names_its_action(listing):
    calls = [listing, *listing.parents, *listing.details]
    assert all(ACTION.fullmatch(call.permission) for call in calls), listing.kind


def test_every_call_only_reads():
    apis = {listing.api for listing in TABLES} | {detail.api for _, detail in details(TABLES)}
    assert {api for api in apis if not api.startswith("GET ")} == {GRAPH}
    assert not any("listKeys" in api or "listSecrets" in api or "/list" in api for api in apis)


def test_every_call_has_a_version():
    for listing in TABLES:
        for call in (listing, *listing.parents, *listing.details):
            assert call.api == GRAPH or re.match(r"20\d\d-\d\d-\d\d", call.params["api-version"])


def test_the_role_is_a_custom_role_that_reads():
    role = opened().permissions()
    assert role["IsCustom"] and role["AssignableScopes"]
    assert role["Actions"] == sorted(role["Actions"])
    assert all(action.lower().endswith("/read") for action in role["Actions"])
    assert "Microsoft.Authorization/permissions/read" in role["Actions"]
    assert "Microsoft.KeyVault/vaults/secrets/read" in role["Actions"]  # names, not values
    assert role["DataActions"] == []


def test_one_query_names_every_type():
    query = Inventory(("s",), IN_GRAPH).where
    for listing in IN_GRAPH:
        assert repr(listing.params["type"]) in query


def test_fields_know_each_kind():
    for kind in KINDS.values():
        bare = kind.name == "azure.resources.subscription" or kind.live  # a log has no properties
        assert "properties" in kind.fields or bare


def test_fields_leave_out_what_is_dropped():
    config = KINDS["azure.web.site"].fields["config"]["properties"]
    assert "minTlsVersion" in config
    assert "appSettings" not in config
    assert "settings" not in KINDS["azure.compute.virtual_machine_extension"].fields["properties"]


def test_fields_are_small():
    assert Path(Azure.fields).stat().st_size < 300_000
