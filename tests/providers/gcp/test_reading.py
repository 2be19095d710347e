"""What is read of an estate: by the inventory, by the services, and what is said to be missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import trio

from infrascan.collect.engine import Collection
from infrascan.collect.provider import Selection
from infrascan.collect.recording import Recorder, Replay
from infrascan.graph import link
from infrascan.model import ReadError, Reason, Resource
from infrascan.providers.gcp import NOWHERE, Gcp
from infrascan.providers.gcp.kinds import TABLES
from tests.providers.gcp.conftest import Start
from tests.providers.gcp.estate import (
    NUMBER,
    OBSERVED,
    ORGANIZATION,
    PROJECT,
    Reader,
    asset,
    everything,
    instance,
    policy,
    project,
    recorded,
)
from tests.servers.gcp import GcpServer, Refusal, disabled
from tests.servers.rest import json_answer


def everything_of(*scopes: str) -> tuple[dict[str, Resource], dict[str, ReadError]]:
    found, errors = trio.run(Reader(*scopes).all)
    keys = [resource.key for resource in found]
    assert sorted(set(keys)) == sorted(keys)
    return {resource.key: resource for resource in found}, errors


def one(kind: str) -> Resource:
    found, error = trio.run(Reader().kind, kind)
    assert error is None
    return found[0]


def test_the_inventory_gives_it_all(server: GcpServer):
    found, errors = everything_of()
    assert not errors
    assert not [resource.key for resource in found.values() if resource.unread]
    # Everything of the estate, and the DNS records.
    assert len(found) == len(server.estate.assets) + 1
    assert {resource.account for resource in found.values()} == {PROJECT}


def test_the_services_give_the_same(start: Start):
    start()
    whole, _ = everything_of()
    estate = everything()
    estate.off.add("cloudasset.googleapis.com")
    start(estate)
    found, errors = everything_of()
    without = {table.kind for table in TABLES if table.rest is None} - NOWHERE
    partly = {table.kind for table in TABLES if table.leaves}  # listed, but not those of regions
    assert {place.rpartition("/")[2] for place in errors} == without | partly
    for error in errors.values():
        assert error.reason is Reason.DISABLED
        assert "gcloud services enable cloudasset.googleapis.com" in error.detail
    assert found.keys() == {k for k, resource in whole.items() if resource.kind not in without}
    for key, resource in found.items():
        assert resource.name == whole[key].name
        assert resource.region == whole[key].region
        for name, value in resource.data.items():
            if name not in {"ancestors", "name", "parent", "state", "displayName", "location"}:
                assert value == whole[key].data[name], (key, name)
        for name in resource.unread:
            assert name in {"iam_policy", "iam_members", "org_policies"}
            assert name not in resource.data


def test_what_the_services_do_not_say_is_unread(start: Start):
    estate = everything()
    estate.blind.add(f"projects/{PROJECT}")
    start(estate)
    topic = one("gcp.pubsub.topic")
    gap = topic.unread["iam_policy"]
    assert (gap.reason, gap.permission) == (Reason.DENIED, "cloudasset.assets.listResource")
    assert "grant roles/cloudasset.viewer" in gap.detail
    assert one("gcp.storage.bucket").data["iam_policy"]["bindings"]


def test_recorded_assets_are_read_whole(start: Start):
    estate = recorded()
    start(estate)
    found, errors = everything_of("projects/recorded")
    assert not errors
    by_kind = {resource.kind for resource in found.values()}
    assert len(by_kind) > 60
    assert not [resource.key for resource in found.values() if resource.unread]


@pytest.mark.parametrize("size", [1, 3])
def test_page_by_page(start: Start, size: int):
    start()
    whole, _ = everything_of()
    server = start(page=size)
    found, errors = everything_of()
    assert not errors
    assert found.keys() == whole.keys()
    assert len(server.listed) > len(server.estate.assets) // size


def test_pages_in_a_circle(start: Start):
    server = start(page=1)
    reader = Reader()
    trio.run(reader.connect)
    server.endless = True

    async def main() -> ReadError:
        await reader.gcp.partitions(reader.ask)
        place = next(
            p for p in await reader.gcp.partitions(reader.ask) if p.kind == "gcp.pubsub.topic"
        )
        with pytest.raises(ReadError) as caught:
            await reader.gcp.read(place, reader.ask, lambda _: None)
        reader.gcp.close()
        return caught.value

    assert trio.run(main).reason is Reason.TRUNCATED


def test_a_type_that_the_inventory_does_not_list(start: Start):
    estate = everything()
    estate.unknown_types = frozenset(
        {"pubsub.googleapis.com/Topic", "bigquery.googleapis.com/Table"}
    )
    estate.assets[1]["iamPolicy"] = policy("user:a@b.example")
    start(estate)
    found, errors = everything_of()
    # Topics are asked of their service instead; tables cannot be.
    assert [key for key in found if "pubsub.topic" in key]
    assert [place.rpartition(".")[2] for place in errors] == ["table"]
    (error,) = errors.values()
    assert error.reason is Reason.DISABLED
    assert "does not list bigquery.googleapis.com/Table" in error.detail
    web = next(r for r in found.values() if r.kind == "gcp.compute.instance")
    assert web.data["iam_policy"]


def test_policies_that_are_denied_are_unread(start: Start):
    denied = Refusal(
        "PERMISSION_DENIED",
        "The caller does not have permission",
        "IAM_PERMISSION_DENIED",
        {"permission": "cloudasset.assets.listIamPolicy"},
    )
    start(fault=lambda asked: denied if asked["content"] == "IAM_POLICY" else None)
    found, errors = everything_of()
    assert not errors
    for resource in found.values():
        carries = next(t.policy for t in TABLES if t.kind == resource.kind)
        assert ("iam_policy" in resource.unread) == carries
        if carries:
            gap = resource.unread["iam_policy"]
            assert gap.permission == "cloudasset.assets.listIamPolicy"
            assert gap.call == "cloudasset.ListAssets"
    assert (
        "iam_members"
        in found[f"gcp.cloudresourcemanager.project/{PROJECT}/global/projects/{PROJECT}"].unread
    )


def test_org_policies_that_are_denied_are_unread(start: Start):
    denied = Refusal("PERMISSION_DENIED", "no")
    start(fault=lambda asked: denied if asked["content"] == "ORG_POLICY" else None)
    held = one("gcp.cloudresourcemanager.project")
    assert held.unread["org_policies"].permission == "cloudasset.assets.listOrgPolicy"
    assert held.data["iam_members"] == [
        {"member": "user:ada@acme.example", "roles": ["roles/owner"]}
    ]


def test_an_organization(start: Start):
    estate = everything()
    estate.assets += [
        {
            "name": f"//cloudresourcemanager.googleapis.com/{ORGANIZATION}",
            "assetType": "cloudresourcemanager.googleapis.com/Organization",
            "ancestors": [ORGANIZATION],
            "resource": {"data": {"name": ORGANIZATION, "displayName": "acme.example"}},
        },
        {
            "name": f"//logging.googleapis.com/{ORGANIZATION}/sinks/all",
            "assetType": "logging.googleapis.com/LogSink",
            "ancestors": [ORGANIZATION],
            "resource": {"data": {"name": "all"}},
        },
        project("acme-ml-sandbox", "200000000002"),
        asset("pubsub.googleapis.com/Topic", "//pubsub.googleapis.com/projects/late/topics/t",
              {"name": "projects/late/topics/t"}, number="200000000003"),
    ]  # fmt: skip
    start(estate)
    found, errors = everything_of(ORGANIZATION)
    assert not errors
    accounts = {resource.account for resource in found.values()}
    assert accounts >= {PROJECT, "acme-ml-sandbox", ORGANIZATION}
    assert len([r for r in found.values() if r.account == ORGANIZATION]) == 2
    # What belongs to a project that appeared meanwhile is not lost.
    assert [r.id for r in found.values() if r.id == "projects/late/topics/t"]


def test_one_project_denied_of_two(start: Start):
    estate = everything()
    second = project("acme-ml-sandbox", "200000000002")
    estate.assets += [second, {**instance("gpu", "7"), "ancestors": second["ancestors"]}]
    estate.blind.add("projects/acme-ml-sandbox")
    estate.off.add("cloudresourcemanager.googleapis.com")
    start(estate)
    reader = Reader(f"projects/{PROJECT}", "projects/acme-ml-sandbox")
    found, _ = trio.run(reader.all)
    assert len([r for r in found if r.account == PROJECT]) > 20
    sandbox = [r for r in found if r.account == "acme-ml-sandbox"]
    assert [r.name for r in sandbox if r.kind == "gcp.compute.instance"] == ["gpu"]


def test_metrics(server: GcpServer):
    cpu = one("gcp.compute.instance").data["metrics"]["cpu"]
    assert cpu["datapoints"] == 2
    assert (cpu["first"], cpu["last"]) == (0.02, 0.04)
    assert cpu["maximum"] == 0.04
    assert cpu["days"] == 14
    assert one("gcp.storage.bucket").data["metrics"]["size"]["average"] == 1000
    assert one("gcp.iam.service_account").data["metrics"]["sign_ins"]["datapoints"] == 0


def test_recommendations(server: GcpServer):
    (found,) = one("gcp.compute.instance").data["recommendations"]
    assert found["recommenderSubtype"] == "STOP_VM"
    assert one("gcp.compute.disk").data["recommendations"] == []


@pytest.mark.parametrize(
    ("service", "field", "kind"),
    [
        ("monitoring", "metrics", "gcp.compute.instance"),
        ("recommender", "recommendations", "gcp.compute.disk"),
    ],
)
def test_what_is_switched_off_is_unread(server: GcpServer, service: str, field: str, kind: str):
    server.estate.off.add(f"{service}.googleapis.com")
    found = one(kind)
    gap = found.unread[field]
    assert gap.reason is Reason.DISABLED
    assert f"gcloud services enable {service}.googleapis.com" in gap.detail
    assert field not in found.data


def test_records_are_not_asked_for_where_there_is_no_zone(start: Start):
    estate = everything()
    estate.assets = [a for a in estate.assets if not a["assetType"].endswith("/ManagedZone")]
    estate.off.add("dns.googleapis.com")
    server = start(estate)
    assert trio.run(Reader().kind, "gcp.dns.resource_record_set") == ([], None)
    assert not [r for r in server.rest.requests if "/at-dns/" in r.path]


def test_a_disabled_service_is_no_denial(start: Start):
    estate = everything()
    estate.off |= {"cloudasset.googleapis.com", "sqladmin.googleapis.com"}
    start(estate)
    found, error = trio.run(Reader().kind, "gcp.sqladmin.instance")
    assert not found
    assert error is not None
    assert error.reason is Reason.DISABLED
    assert "sqladmin.googleapis.com is not switched on" in error.detail


def test_places_that_an_aggregated_list_leaves_out(start: Start):
    estate = everything()
    estate.off.add("cloudasset.googleapis.com")
    server = start(estate)

    def partial(request: Any) -> Any:
        if "/aggregated/disks" not in request.path:
            return None
        held = {
            "zones/z": {
                "disks": [{"name": "d", "selfLink": "https://x/projects/p/zones/z/disks/d"}]
            }
        }
        return json_answer({"items": held, "unreachables": ["zones/europe-north1-a"]})

    server.rest.fault = partial
    found, error = trio.run(Reader().kind, "gcp.compute.disk")
    assert [resource.name for resource in found] == ["d"]
    assert error is not None
    assert error.reason is Reason.TRUNCATED
    assert "europe-north1-a" in error.detail


@pytest.mark.parametrize("inventory", [True, False])
def test_no_secret_gets_past_the_door(start: Start, inventory: bool):
    estate = everything()
    if not inventory:
        estate.off.add("cloudasset.googleapis.com")
    start(estate)
    reader = Reader()
    found, _ = trio.run(reader.all)
    assert "canary" in json.dumps(estate.assets)
    assert "canary" not in json.dumps(reader.answers)
    assert "canary" not in json.dumps([resource.data for resource in found])
    run = next(r for r in found if r.kind == "gcp.run.service")
    (container,) = run.data["spec"]["template"]["spec"]["containers"]
    assert container["env"] == [{"name": "DB", "value": "[redacted]"}]


def test_no_token_and_no_path_in_answers(server: GcpServer, tmp_path: Path):
    reader = Reader()
    trio.run(reader.all)
    kept = json.dumps(reader.answers)
    for text in ("ya29", str(tmp_path), "localhost", "127.0.0.1", "PRIVATE KEY"):
        assert text not in kept


def test_edges(server: GcpServer):
    reader = Reader()
    found, _ = trio.run(reader.all)
    link(found, reader.gcp.kinds, [])
    by_kind = {resource.kind: resource for resource in found}
    web, rule = by_kind["gcp.compute.instance"], by_kind["gcp.compute.firewall"]
    assert web.links["firewalls"] == [rule]
    assert web.links["attached_disks"] == [by_kind["gcp.compute.disk"]]
    assert web.links["service_accounts"] == [by_kind["gcp.iam.service_account"]]
    assert rule.data["opens"] == [
        {"protocol": "tcp", "from": 22, "to": 22},
        {"protocol": "tcp", "from": 8000, "to": 9000},
        {"protocol": "icmp", "from": 0, "to": 65535},
    ]
    assert by_kind["gcp.iam.service_account"].links["keys"]
    assert by_kind["gcp.container.cluster"].links["node_pools"]
    assert by_kind["gcp.dns.managed_zone"].links["records"]
    assert by_kind["gcp.compute.snapshot"].data["dangling_source_disk"]
    assert by_kind["gcp.compute.project"].links["instances"] == [web]


def test_an_asset_of_another_form_is_said(start: Start):
    estate = everything()
    for held in estate.assets:
        if held["assetType"].endswith("/Firewall"):
            held["resource"]["data"]["allowed"] = [{"IPProtocol": "tcp", "ports": ["twenty"]}]
    start(estate)
    rule = one("gcp.compute.firewall")
    assert rule.unread["opens"].reason is Reason.MALFORMED


def test_a_recording_gives_the_same(server: GcpServer, tmp_path: Path):
    def collected(**how: Any) -> Any:
        gcp = Gcp(Selection(observed=OBSERVED))
        found = trio.run(Collection(providers=[gcp], **how).run)
        return [(r.key, r.data, sorted(r.unread)) for r in found.resources], found.gaps

    server.estate.off.add("recommender.googleapis.com")
    recorder = Recorder.create(tmp_path / "recording", {"observed": "2026-11-20T06:00:00Z"})
    live = collected(recorder=recorder)
    recorder.close()
    replayed = collected(replay=Replay.open(tmp_path / "recording"))
    assert replayed == live
    assert live[0]


def test_the_engine_waits_as_long_as_it_is_told(start: Start, autojump: Any):
    asked: list[float] = []

    def slow(request: Any) -> Refusal | None:
        if request["content"] != "IAM_POLICY":
            return None
        asked.append(0)
        return (
            Refusal("RESOURCE_EXHAUSTED", "Quota exceeded", retry=30.0) if len(asked) == 1 else None
        )

    start(fault=slow)
    began = autojump.current_time()
    gcp = Gcp(Selection(observed=OBSERVED))
    found = trio.run(Collection(providers=[gcp]).run, clock=autojump)
    assert not found.gaps
    assert len(asked) == 2
    assert autojump.current_time() - began >= 30


def test_disabled_names_service_and_project():
    refusal = disabled("pubsub.googleapis.com", NUMBER)
    assert refusal.reason == "SERVICE_DISABLED"


@pytest.mark.parametrize("lacking", ["data", "name"])
def test_an_asset_that_lacks_its_data_is_not_absent(start: Start, lacking: str):
    estate = everything()
    for held in estate.assets:
        if held["assetType"].endswith("/Firewall"):
            if lacking == "data":
                del held["resource"]["data"]
            else:
                del held[lacking]
    start(estate)
    found, errors = everything_of()
    assert not [r for r in found.values() if r.kind == "gcp.compute.firewall"]
    error = next(e for place, e in errors.items() if place.endswith("gcp.compute.firewall"))
    assert error.reason is Reason.MALFORMED


@pytest.mark.parametrize("allowed", ["all", ["tcp"], [{"IPProtocol": "tcp", "ports": [22]}]])
def test_what_a_firewall_opens_is_unread_where_it_cannot_be_told(start: Start, allowed: Any):
    estate = everything()
    for held in estate.assets:
        if held["assetType"].endswith("/Firewall"):
            held["resource"]["data"]["allowed"] = allowed
    start(estate)
    assert one("gcp.compute.firewall").unread["opens"].reason is Reason.MALFORMED
