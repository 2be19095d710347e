"""What is priced, what is not, and why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from infrascan.model import Gap, Reason, Resource
from infrascan.pricing import price_all, quote, saving
from tests.pricing.estate import cache, database, group, instance, node, resource, volume


def monthly(found: Resource) -> float:
    priced = quote(found)
    assert priced.price is not None, priced.reason
    return priced.price.monthly


def test_a_price_says_where_it_is_from_and_how_it_came_about() -> None:
    price = quote(instance("m5.large")).price
    assert price is not None
    assert (price.monthly, price.currency) == (70.08, "USD")
    assert price.basis == "730 h × 0.096 USD; m5.large"
    assert price.source.startswith("Apache Libcloud")
    assert price.date == "2025-03-02"


@pytest.mark.parametrize(
    ("type", "region", "hour"),
    [
        ("t3.medium", "us-east-1", 0.0416),  # 0.0 in the source
        ("m5.large", "eu-west-1", 0.107),  # dedicated tenancy in the source
        ("r5.large", "us-east-1", 0.126),  # likewise, in two columns
        ("t3.large", "eu-west-1", 0.0912),
        ("c5.large", "us-east-1", 0.085),
        ("m6a.large", "us-east-1", 0.0864),
        ("t3.micro", "eu-central-1", 0.012),
        ("g4dn.xlarge", "us-east-1", 0.526),
        ("p3.2xlarge", "us-east-1", 3.06),
        ("m3.medium", "us-east-1", 0.067),  # settled by Infracost
    ],
)
def test_prices_that_the_source_has_wrong_are_right(type: str, region: str, hour: float) -> None:
    assert monthly(instance(type, region=region)) == pytest.approx(hour * 730, abs=0.01)


def test_no_price_is_taken_from_another_region() -> None:
    assert quote(database("db.x9.large", region="mx-central-1")).reason == (
        "no price for db.x9.large (mysql) in mx-central-1"
    )
    assert quote(instance("m5.large", region="xx-nowhere-1")).reason == (
        "no price for m5.large in xx-nowhere-1"
    )
    assert quote(instance("q7.mega")).price is None


@pytest.mark.parametrize(
    ("details", "hour"),
    [
        ("Linux/UNIX", 0.096),
        ("Windows", 0.096 + 0.092),
        ("Windows BYOL", 0.096),
        ("Red Hat Enterprise Linux", 0.125),
        ("SUSE Linux", 0.152),
    ],
)
def test_a_licence_adds_to_the_machine(details: str, hour: float) -> None:
    found = instance("m5.large", PlatformDetails=details)
    assert monthly(found) == pytest.approx(hour * 730, abs=0.01)


def test_a_platform_without_a_price_is_not_taken_for_linux() -> None:
    found = quote(instance("m5.large", PlatformDetails="Windows with SQL Server Standard"))
    assert (found.price, found.reason) == (None, "no price for Windows with SQL Server Standard")


def test_without_platform_details_the_platform_decides() -> None:
    assert monthly(instance("m5.large", Platform="windows")) == pytest.approx(137.24)


def test_tenancy_and_spot_are_said() -> None:
    spot = quote(instance(InstanceLifecycle="spot")).price
    dedicated = quote(instance(Placement={"Tenancy": "dedicated"})).price
    assert spot is not None
    assert dedicated is not None
    assert "spot, so at most this" in spot.basis
    assert "dedicated tenancy, so at least this" in dedicated.basis
    assert monthly(instance(Placement={"Tenancy": "host"})) == 0


def test_a_local_zone_has_prices_of_its_own() -> None:
    here = instance("t3.medium", region="us-west-2", Placement={"AvailabilityZone": "us-west-2a"})
    there = instance(
        "t3.medium", region="us-west-2", Placement={"AvailabilityZone": "us-west-2-lax-1a"}
    )
    assert monthly(there) > monthly(here)


def test_a_stopped_instance_costs_its_volumes_which_are_counted_once() -> None:
    disk = volume("gp3", 100)
    found = instance(state="stopped")
    found.links["volumes"] = [disk]
    assert monthly(found) == monthly(disk) == 8.0
    assert price_all([found, disk]) == (8.0, {})
    assert monthly(found) == 8.0
    assert "monthly_cost" not in found.data


def test_a_stopped_instance_whose_volumes_were_not_read_has_no_price() -> None:
    found = instance(state="stopped")
    found.links["volumes"] = []
    found.unread["volumes"] = Gap(provider="aws", reason=Reason.DENIED, detail="AccessDenied")
    assert quote(found).price is None
    assert "volumes" in quote(found).reason


def test_an_instance_that_is_gone_is_free() -> None:
    assert monthly(instance(state="terminated")) == 0


def test_a_group_costs_what_its_instances_cost_and_adds_nothing_to_the_total() -> None:
    members = [instance(id=f"i-{n}") for n in range(4)]
    pool = group(*members)
    total, unpriced = price_all([pool, *members])
    assert monthly(pool) == pytest.approx(4 * 30.37)
    assert (total, unpriced) == (pytest.approx(4 * 30.37), {})


def test_a_group_with_a_member_of_unknown_price_has_no_price() -> None:
    pool = group(instance(id="i-1"), instance("q7.mega", id="i-2"))
    assert quote(pool).reason == "no price for q7.mega in us-east-1"


def test_io2_iops_get_cheaper_in_steps() -> None:
    iops = 70_000
    expected = 100 * 0.125 + 32_000 * 0.065 + 32_000 * 0.046 + 6_000 * 0.032
    assert monthly(volume("io2", 100, Iops=iops)) == pytest.approx(expected)


def test_a_snapshot_is_an_upper_bound_and_says_so() -> None:
    price = quote(resource("aws.ec2.snapshot", {"VolumeSize": 100})).price
    assert price is not None
    assert price.monthly == 5.0
    assert "at most" in price.basis
    smaller = resource(
        "aws.ec2.snapshot", {"VolumeSize": 100, "FullSnapshotSizeInBytes": 10 * 2**30}
    )
    assert monthly(smaller) == 0.5


def test_only_manual_database_snapshots_have_a_price() -> None:
    kept = resource(
        "aws.rds.db_snapshot",
        {"SnapshotType": "manual", "Engine": "mysql", "AllocatedStorage": 1000},
    )
    assert monthly(kept) == 95.0  # as Infracost says of 1,000 GB of backup
    assert quote(resource("aws.rds.db_snapshot", {"SnapshotType": "automated"})).price is None


def test_databases_say_what_is_not_in_their_price() -> None:
    aurora = quote(database("db.r5.large", "aurora-postgresql", StorageType="aurora")).price
    assert aurora is not None
    assert aurora.monthly == pytest.approx(0.29 * 730, abs=0.01)
    assert "without storage" in aurora.basis
    assert quote(database("db.serverless", "aurora-mysql")).price is None
    assert quote(database(engine="oracle-ee", LicenseModel="bring-your-own-license")).price is None
    assert quote(database("db.r5.large", "aurora-mysql", StorageType="aurora-iopt1")).price is None


def test_valkey_is_a_fifth_cheaper_than_redis() -> None:
    redis, valkey = cache("cache.m5.large"), cache("cache.m5.large", "valkey")
    assert monthly(valkey) == pytest.approx(0.8 * monthly(redis), rel=0.001)


@pytest.mark.parametrize(
    ("found", "hour"),
    [
        (node("m5.large", "eu-west-1", "aws:///eu-west-1a/i-0abc"), 0.107),
        (node("e2-standard-4", "us-central1", "gce://acme/us-central1-a/node"), 0.134012),
        (node("Standard_D2s_v3", "eastus", "azure:///subscriptions/s/vm"), 0.096),
    ],
)
def test_nodes_of_three_clouds_have_a_price(found: Resource, hour: float) -> None:
    assert monthly(found) == pytest.approx(hour * 730, abs=0.02)


def test_a_node_elsewhere_has_none() -> None:
    assert quote(node("cx22", "fsn1", "hcloud://1")).reason == "not a node of EKS, GKE or AKS"
    assert quote(node("m5.large", "", "aws:///z/i-1")).price is None


def test_a_node_whose_instance_is_in_the_scan_is_shown_but_not_added() -> None:
    machine = instance("m5.large", id="i-0abc")
    worker = node("m5.large", "us-east-1", "aws:///us-east-1a/i-0abc")
    worker.links["instance"] = [machine]
    assert price_all([machine, worker]) == (70.08, {})
    assert monthly(worker) == 70.08
    assert "monthly_cost" not in worker.data
    alone = node("m5.large", "us-east-1", "aws:///us-east-1a/i-0abc")
    assert price_all([alone]) == (70.08, {})


def test_a_claim_costs_what_the_disk_beneath_it_costs() -> None:
    disk = volume("gp3", 100)
    held = resource("k8s.persistent_volume", {}, id="pv")
    claim = resource("k8s.persistent_volume_claim", {}, id="shop/data")
    claim.links["persistent_volume"] = [held]
    assert quote(claim).reason == "its volume is not in this scan"
    held.links["volume"] = [disk]
    assert monthly(claim) == monthly(held) == monthly(disk) == 8.0
    assert price_all([disk, held, claim]) == (8.0, {})
    assert saving(claim, "all")[1] is not None


def test_kinds_that_cost_money_without_a_price_are_counted_and_free_ones_are_not() -> None:
    found = [
        instance("q7.mega"),
        resource("aws.lambda.function", {}, id="f"),
        resource("aws.lambda.function", {}, id="g"),
        resource("aws.s3.bucket", {}, id="b"),
        resource("aws.iam.role", {}, id="r"),
    ]
    assert price_all(found) == (
        0.0,
        {"aws.ec2.instance": 1, "aws.lambda.function": 2, "aws.s3.bucket": 1},
    )
    assert all("monthly_cost" not in each.data for each in found)


def test_a_bucket_has_a_price_once_its_size_is_known() -> None:
    sized = resource("aws.s3.bucket", {"metrics": {"size_standard": {"average": 1000 * 2**30}}})
    assert monthly(sized) == 23.0


@pytest.mark.parametrize(
    ("found", "spec", "usd"),
    [
        (volume("gp2", 100), "all", 10.0),
        (volume("gp2", 100), {"share": 0.5}, 5.0),
        (volume("gp2", 100), {"to": {"VolumeType": "gp3"}}, 2.0),
        (volume("io1", 100, Iops=4000), {"to": {"VolumeType": "gp3"}}, 272.5 - 13.0),
        (instance("m5.xlarge"), {"to": {"InstanceType": "m5.large"}}, 70.08),
        (database(MultiAZ=True), {"to": {"MultiAZ": False}}, 99.28 + 2.30),
    ],
)
def test_a_saving_is_all_a_share_or_the_difference(found: Resource, spec: Any, usd: float) -> None:
    cost, saved, note = saving(found, spec)
    assert cost is not None
    assert saved is not None
    assert saved.monthly == pytest.approx(usd)
    assert note == ""


def test_repricing_leaves_the_resource_as_it_was() -> None:
    found = instance(Placement={"Tenancy": "dedicated", "AvailabilityZone": "us-east-1a"})
    before = {**found.data, "Placement": dict(found.data["Placement"])}
    saving(found, {"to": {"Placement.Tenancy": "host"}})
    assert found.data == before


def test_a_change_that_saves_nothing_says_so() -> None:
    cost, saved, note = saving(volume("gp3", 100), {"to": {"VolumeType": "gp2"}})
    assert cost is not None
    assert saved is None
    assert note.startswith("it would cost no less")


def test_a_saving_without_a_price_gives_the_reason() -> None:
    assert saving(instance("q7.mega"), "all") == (
        None,
        None,
        "no price for q7.mega in us-east-1",
    )
    cost, saved, note = saving(instance(), {"to": {"InstanceType": "q7.mega"}})
    assert cost is not None
    assert (saved, note) == (None, "no price for q7.mega in us-east-1")


def test_a_field_that_was_not_read_is_no_guess() -> None:
    assert quote(volume(size=100, VolumeType=None)).reason == "VolumeType is not known"
    assert quote(replace(volume(), data={"VolumeType": "gp2"})).reason == "Size is not known"
    assert quote(resource("aws.ec2.instance", {"InstanceType": "m5.large"})).price is None
