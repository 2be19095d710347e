"""What is read, and that what was withheld, cut short or refused is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infrascan.collect.recording import Recorder, Replay
from infrascan.graph import link
from infrascan.model import Reason, State
from infrascan.providers.azure import IN_GRAPH, TABLES, refusals
from infrascan.providers.azure.reading import slots
from infrascan.providers.http import Answer
from tests.providers.azure.estate import GROUP, ONE, TWO, everything, item, opened, read, scanned
from tests.servers.azure import AzureServer, refused
from tests.servers.rest import Request

DISKS = "Microsoft.Compute/disks"


def graphed(request: Request) -> bool:
    return request.path == "/providers/Microsoft.ResourceGraph/resources"


def test_every_kind_is_read_whole(server: AzureServer):
    found = scanned(ONE)
    assert not found.gaps
    assert {entry.state for entry in found.coverage} == {State.READ}
    kinds = {resource.kind for resource in found.resources}
    without = {
        "azure.authorization.lock",
        "azure.authorization.policy_assignment",
        "azure.advisor.recommendation",
        "azure.network.dns_record_set",
    }
    assert kinds == {listing.kind for listing in TABLES if not listing.live} - without
    assert sum(graphed(request) for request in server.requests) == 1


def test_details_are_asked_for_by_the_names_in_the_id(server: AzureServer):
    (found,), error = read("azure.sql.database")
    assert error is None
    assert found.id == f"{GROUP}/providers/Microsoft.Sql/servers/one/databases/one"
    assert found.data["short_term_retention"]["properties"]["retentionDays"] == 7
    paths = [request.path for request in server.requests]
    assert f"{found.id}/backupShortTermRetentionPolicies/default" in paths


def test_a_master_database_is_asked_for_nothing(server: AzureServer):
    server.estate.resources = [item("Microsoft.Sql/servers/databases", "master")]
    (found,), error = read("azure.sql.database")
    assert error is None
    assert found.data["transparent_data_encryption"] is None
    assert found.data["metrics"] is None


def test_metrics_are_summed_up_over_two_weeks(server: AzureServer):
    path = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/one".lower()
    server.estate.metrics[(path, "percentage cpu")] = [1.0, 2.0, 6.0]
    (found,), _ = read("azure.compute.virtual_machine")
    cpu = found.data["metrics"]["cpu"]
    assert cpu == {"days": 14, "datapoints": 3, "average": 3.0, "maximum": 6.0, "sum": 9.0}
    asked = next(r.query for r in server.requests if r.path.endswith("/metrics"))
    assert asked["timespan"] == "2026-11-06T06:00:00Z/2026-11-20T06:00:00Z"


def test_a_metric_without_values_has_no_numbers(server: AzureServer):
    path = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/one".lower()
    server.estate.metrics[(path, "percentage cpu")] = []
    (found,), _ = read("azure.compute.virtual_machine")
    assert found.data["metrics"]["cpu"] == {"days": 14, "datapoints": 0}


def test_a_key_has_the_time_it_ends(server: AzureServer):
    vault = f"{GROUP}/providers/Microsoft.KeyVault/vaults/one"
    server.estate.parts[f"{vault}/keys".lower()] = [
        {"name": "disks", "properties": {"attributes": {"enabled": True, "exp": 1767052800}}},
        {"name": "old", "properties": {"attributes": {"enabled": True}}},
    ]
    (found,), _ = read("azure.keyvault.vault")
    assert [key.get("expires") for key in found.data["keys"]] == ["2025-12-30T00:00:00Z", None]


def test_subnets_are_kinds_of_their_own(server: AzureServer):
    (subnet,), _ = read("azure.network.subnet")
    assert subnet.name == "web"
    assert subnet.region == "westeurope"


def test_record_sets_are_read_in_each_zone(server: AzureServer):
    zone = f"{GROUP}/providers/Microsoft.Network/dnsZones/one"
    server.estate.parts[f"{zone}/recordsets".lower()] = [
        {"id": f"{zone}/A/www", "name": "www", "properties": {"fqdn": "www.one.", "TTL": 60}}
    ]
    (found,), error = read("azure.network.dns_record_set")
    assert error is None
    assert found.name == "www.one."


@pytest.mark.parametrize("page", [1, 7, 1000])
def test_pages_make_no_difference(server: AzureServer, page: int):
    server.page = page
    found = scanned(ONE)
    assert not found.gaps
    assert (
        len([r for r in found.resources if r.kind != "azure.network.subnet"])
        == len(server.estate.resources) + 4
    )  # subscription, group, role, assignment


def test_one_denied_subscription_does_not_cost_the_others(server: AzureServer):
    def denied(request: Request):
        return refused(403, "AuthorizationFailed") if TWO in request.path else None

    server.fault = denied
    found = scanned()
    assert {gap.account for gap in found.gaps} == {TWO}
    assert {r.account for r in found.resources if r.kind == "azure.compute.disk"} == {ONE}


def test_a_denied_detail_names_its_action(server: AzureServer):
    action = "Microsoft.Storage/storageAccounts/blobServices/containers/read"
    server.estate.denied["/containers"] = action
    (found,), error = read("azure.storage.storage_account")
    assert error is None
    gap = found.unread["containers"]
    assert (gap.reason, gap.permission) == (Reason.DENIED, action)
    assert "containers" not in found.data
    assert found.data["blob_service"]


def test_a_part_that_was_never_configured_is_none(server: AzureServer):
    (found,), _ = read("azure.storage.storage_account")
    assert found.data["management_policy"] is None
    assert not found.unread


def test_a_namespace_that_is_not_registered_is_said(server: AzureServer):
    server.fault = lambda request: (
        refused(409, "MissingSubscriptionRegistration", "The subscription is not registered.")
        if request.path.endswith("/recommendations")
        else None
    )
    _, error = read("azure.advisor.recommendation")
    assert error and error.reason is Reason.DISABLED
    assert "not registered" in error.detail


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after": "17"}, 17.0),
        ({"x-ms-user-quota-resets-after": "00:00:05"}, 5.0),
        ({}, None),
    ],
)
@pytest.mark.parametrize("body", [{"error": {"code": "RateLimiting", "message": "m"}}, None])
def test_throttling_says_how_long(headers, wait, body):
    error = refusals.refusal(Answer(429, headers, body))
    assert error.reason is Reason.THROTTLED
    assert error.retry_after == wait


@pytest.mark.parametrize(
    ("status", "body", "reason", "code"),
    [
        (403, {"error": {"code": "AuthorizationFailed", "message": "m"}}, Reason.DENIED, "AuthorizationFailed"),
        (403, {"Code": "Forbidden", "Message": "m"}, Reason.DENIED, "Forbidden"),
        (404, {"error": {"code": "SubscriptionNotFound"}}, Reason.DISABLED, "SubscriptionNotFound"),
        (400, {"error": {"code": "FeatureNotSupportedForAccount"}}, Reason.DISABLED, "FeatureNotSupportedForAccount"),
        (400, {"error": {"code": "BadRequest"}}, Reason.MALFORMED, "BadRequest"),
        (503, {"error": {"code": "ServerBusy"}}, Reason.UNREACHABLE, "503"),
        (401, {"error": {"code": "InvalidAuthenticationToken"}}, Reason.UNAUTHENTICATED, "InvalidAuthenticationToken"),
        (502, "<html>", Reason.UNREACHABLE, "502"),
        (403, {"error": None}, Reason.DENIED, "403"),
        (404, {"error": ["odd"]}, Reason.DISABLED, "404"),
    ],
)  # fmt: skip
def test_refusals(status, body, reason, code):
    error = refusals.refusal(Answer(status, {}, body))
    assert (error.reason, error.code) == (reason, code)


def test_a_page_of_html_for_a_part_is_no_absence(server: AzureServer):
    """A proxy's 404 is not Azure's word that nothing was configured."""
    from tests.servers.proxy import Answer as Given

    server.fault = lambda request: (
        Given(404, {"content-type": "text/html"}, b"<html>")
        if request.path.endswith("/managementPolicies/default")
        else None
    )
    (found,), _ = read("azure.storage.storage_account")
    assert found.unread["management_policy"].reason is Reason.DISABLED


CANARY = "canary-Zm9vYmFy-secret"


def test_secrets_do_not_survive(server: AzureServer):
    """A canary in every place that the tables say to drop."""
    estate = everything()
    for listing in IN_GRAPH:
        for row in estate.resources:
            if row["type"].lower() == listing.params["type"] and not listing.params["inside"]:
                for path in listing.drop:
                    plant(row, path)
    server.estate.resources = estate.resources
    site = f"{GROUP}/providers/Microsoft.Web/sites/one/config/web".lower()
    config = {"id": site, "properties": {"appSettings": [{"name": "KEY", "value": CANARY}]}}
    server.estate.parts[site] = config
    secrets = f"{GROUP}/providers/Microsoft.KeyVault/vaults/one/secrets".lower()
    attributes = {"attributes": {"enabled": True}, "value": CANARY}
    server.estate.parts[secrets] = [{"name": "db", "properties": attributes}]
    found = scanned(ONE)
    assert not found.gaps
    assert len(found.resources) > 70
    for resource in found.resources:
        assert CANARY not in json.dumps(resource.data), resource.kind


def plant(place: dict, path: str) -> None:
    *above, last = path.split(".")
    for step in above:
        if step.endswith("[]"):
            place = place.setdefault(step[:-2], [{}])[0]
        else:
            place = place.setdefault(step, {})
    place[last] = CANARY


def test_ids_lead_to_each_other_in_any_case(server: AzureServer):
    server.estate.resources = [
        item(
            "Microsoft.Compute/virtualMachines",
            "web",
            properties={
                "storageProfile": {
                    "osDisk": {"managedDisk": {"id": f"{GROUP}/providers/{DISKS}/OS".upper()}}
                }
            },
        ),
        item(DISKS, "os"),
    ]
    found = scanned(ONE)
    kinds = opened().kinds
    link(found.resources, kinds, found.gaps, found.coverage)
    machine = next(r for r in found.resources if r.kind == "azure.compute.virtual_machine")
    disk = next(r for r in found.resources if r.kind == "azure.compute.disk")
    assert machine.links["disks"] == [disk]
    assert disk.links["virtual_machines"] == [machine]
    role = next(r for r in found.resources if r.kind == "azure.authorization.role_assignment")
    assert [one.name for one in role.links["role_definition"]] == ["Owner"]
    assert [one.name for one in role.links["subscription"]] == ["shop-prod"]


def test_a_target_in_a_subscription_that_is_not_read_is_unread(server: AzureServer):
    there = f"/subscriptions/{TWO}/resourceGroups/hub/providers/{DISKS}/golden"
    server.estate.resources = [
        item(
            "Microsoft.Compute/snapshots",
            "backup",
            properties={"creationData": {"sourceResourceId": there}},
        )
    ]
    found = scanned(ONE)
    link(found.resources, opened().kinds, found.gaps, found.coverage)
    snapshot = next(r for r in found.resources if r.kind == "azure.compute.snapshot")
    assert snapshot.unread["disk"].reason is Reason.OUT_OF_SCOPE
    assert "deleted_sources" in snapshot.unread


@pytest.mark.parametrize(
    ("id", "group", "own", "parent"),
    [
        (f"{GROUP}/providers/A.B/c/d", "shop", "d", ""),
        (f"{GROUP}/providers/A.B/c/d/e/f", "shop", "f", "d"),
        (f"/subscriptions/{ONE}/resourcegroups/Shop/providers/A.B/c/d", "Shop", "d", ""),
        (f"/subscriptions/{ONE}/providers/A.B/c/d", "", "d", ""),
        ("", "", "", ""),
    ],
)
def test_what_an_id_says(id: str, group: str, own: str, parent: str):
    assert slots(id) == {"group": group, "resource": own, "parent": parent}


def test_a_replay_gives_what_was_recorded(server: AzureServer, tmp_path: Path):
    recorder = Recorder.create(tmp_path / "kept", {})
    first = scanned(recorder=recorder)
    recorder.close()
    kept = Replay.open(tmp_path / "kept")
    before = len(server.requests)
    again = scanned(replay=kept)
    assert len(server.requests) == before
    assert [(r.key, r.data) for r in again.resources] == [(r.key, r.data) for r in first.resources]
    assert (again.gaps, again.identities) == (first.gaps, first.identities)
    assert server.url not in json.dumps(list(kept.answers.values()))


def test_recorded_resources_are_read(server: AzureServer):
    """Resources of real subscriptions, as Resource Manager once gave them."""
    lines = Path("fixtures/azure/resources.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    subscription = rows[0]["id"].split("/")[2]
    server.estate.subscriptions = {subscription: "recorded"}
    server.estate.resources = rows
    found = scanned()
    types = {listing.params["type"] for listing in IN_GRAPH}
    assert len(found.resources) > sum(row["type"].lower() in types for row in rows)
    assert not [gap for gap in found.gaps if gap.reason in (Reason.BUG, Reason.MALFORMED)]
