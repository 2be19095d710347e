"""Google Cloud's prices against Infracost's, whose golden files price us-central1 to the cent."""

from __future__ import annotations

import re
from typing import Any

import pytest

from infrascan.model import Resource
from tests.pricing.estate import resource
from tests.pricing.test_oracle import CENT, golden, monthly, named

ZONE = "https://www.googleapis.com/compute/v1/projects/acme/zones/us-central1-a"
# Infracost takes a sustained-use discount off these families, which a list price does not have.
DISCOUNTED = re.compile(r"(n1|n2|n2d|m1|c2)-|f1-|g1-")


def gcp(kind: str, **data: Any) -> Resource:
    return resource(f"gcp.{kind}", data, region="us-central1")


def named_disk(label: str) -> str:
    found = re.search(r"\((.*)\)", label)
    assert found
    return found[1]


@pytest.mark.parametrize(
    ("groups", "hours", "usd"),
    [
        line
        for line in named(
            golden(
                "compute_instance_test",
                "container_cluster_test",
                "container_node_pool_test",
                "compute_address_test",
            ),
            r"Instance usage \(Linux/UNIX, on-demand, (.*)\)",
        )
        if not DISCOUNTED.match(line.values[0][0])
    ],
)
def test_a_machine_costs_what_infracost_says(groups: tuple[str], hours: float, usd: float) -> None:
    machine = gcp(
        "compute.instance",
        status="RUNNING",
        zone=ZONE,
        machineType=f"{ZONE}/machineTypes/{groups[0]}",
    )
    assert monthly(machine) * hours / 730 == pytest.approx(usd, abs=CENT * max(1, hours / 730))


@pytest.mark.parametrize(
    ("groups", "size", "usd"),
    named(
        golden("compute_disk_test", "compute_instance_test", "container_cluster_test"),
        r"(Standard|SSD) provisioned storage \(.*\)",
    ),
)
def test_a_disk_costs_what_infracost_says(groups: tuple[str], size: float, usd: float) -> None:
    kind = {"Standard": "pd-standard", "SSD": "pd-ssd"}[groups[0]]
    disk = gcp("compute.disk", zone=ZONE, type=f"{ZONE}/diskTypes/{kind}", sizeGb=str(int(size)))
    assert monthly(disk) == pytest.approx(usd, abs=CENT)


@pytest.mark.parametrize(
    ("kind", "size", "iops", "usd"),
    [
        ("hyperdisk-extreme", 1000, 350000, 125.00 + 11200.00),
        ("hyperdisk-extreme", 128, 20000, 16.00 + 640.00),
        ("pd-extreme", 40, 5000, 5.00 + 325.00),
    ],
)
def test_provisioned_operations_cost_what_infracost_says(
    kind: str, size: int, iops: int, usd: float
) -> None:
    disk = gcp(
        "compute.disk",
        zone=ZONE,
        type=f"{ZONE}/diskTypes/{kind}",
        sizeGb=str(size),
        provisionedIops=str(iops),
    )
    assert monthly(disk) == pytest.approx(usd, abs=CENT)


@pytest.mark.parametrize(
    ("groups", "size", "usd"),
    [line for line in named(golden("compute_image_test"), r"Storage()") if line.values[2] != 26.0],
)
def test_an_image_costs_what_infracost_says(groups: tuple[str], size: float, usd: float) -> None:
    image = gcp(
        "compute.image", archiveSizeBytes=str(int(size * 2**30)), storageLocations=["us-central1"]
    )
    assert monthly(image) == pytest.approx(usd, abs=CENT)


@pytest.mark.parametrize(
    ("data", "usd"),
    [
        ({"status": "RESERVED"}, 7.30),
        ({"status": "IN_USE", "users": [f"{ZONE}/instances/a"]}, 3.65),
    ],
)
def test_an_address_costs_what_infracost_says(data: dict[str, Any], usd: float) -> None:
    theirs = {cost for *_, cost in golden("compute_address_test")}
    assert usd in theirs
    assert monthly(gcp("compute.address", region=ZONE[:-2], **data)) == pytest.approx(usd, abs=CENT)


SQL = golden("sql_database_instance_test")


@pytest.mark.parametrize("copies", [1, 2])
@pytest.mark.parametrize(
    ("cores", "memory"), [(96, 360), (64, 240), (32, 120), (16, 60), (8, 30), (2, 7.5), (1, 3.75)]
)
def test_a_database_costs_what_infracost_says(cores: int, memory: float, copies: int) -> None:
    where = "regional" if copies == 2 else "zonal"
    parts = (f"vCPUs ({cores}, {where})", f"Memory ({memory:g} GB, {where})")
    theirs = {component: usd for _, component, _, usd in SQL if component in parts}
    found = monthly(
        gcp(
            "sqladmin.instance",
            databaseVersion="POSTGRES_15",
            region="us-central1",
            settings={
                "tier": f"db-custom-{cores}-{int(memory * 1024)}",
                "availabilityType": "REGIONAL" if copies == 2 else "ZONAL",
                "dataDiskType": "PD_SSD",
                "dataDiskSizeGb": "10",
            },
        )
    )
    assert found == pytest.approx(sum(theirs.values()) + 1.70 * copies, abs=2 * CENT)


@pytest.mark.parametrize(("tier", "usd"), [("db-g1-small", 25.55), ("db-f1-micro", 7.67)])
def test_a_shared_core_database_costs_what_infracost_says(tier: str, usd: float) -> None:
    assert (f"SQL instance ({tier}, zonal)", usd) in {(line[1], line[3]) for line in SQL}
    found = gcp(
        "sqladmin.instance",
        databaseVersion="MYSQL_8_0",
        region="us-central1",
        settings={"tier": tier, "dataDiskType": "PD_SSD", "dataDiskSizeGb": "10"},
    )
    assert monthly(found) == pytest.approx(usd + 1.70, abs=CENT)


@pytest.mark.parametrize(
    ("groups", "size", "usd"),
    named(golden("redis_instance_test"), r"Redis instance \((\w+), (M\d)\)"),
)
def test_a_cache_costs_what_infracost_says(
    groups: tuple[str, str], size: float, usd: float
) -> None:
    tier = {"standard": "STANDARD_HA", "basic": "BASIC"}[groups[0]]
    cache = gcp("redis.instance", tier=tier, memorySizeGb=int(size), locationId="us-central1-a")
    assert monthly(cache) == pytest.approx(usd, abs=CENT)


@pytest.mark.parametrize(
    ("kind", "source", "component"),
    [
        ("container.cluster", "container_cluster_test", "Cluster management fee"),
        ("dns.managed_zone", "dns_managed_zone_test", "Managed zone"),
    ],
)
def test_a_flat_fee_is_what_infracost_says(kind: str, source: str, component: str) -> None:
    theirs = {usd for _, name, _, usd in golden(source) if name == component}
    assert {monthly(gcp(kind, location="us-central1"))} == theirs


def test_a_version_of_a_secret_costs_what_infracost_says() -> None:
    lines = golden("secret_manager_secret_version_test")
    assert lines
    for _, _, count, usd in lines:
        secret = gcp("secretmanager.secret")
        secret.links["versions"] = [gcp("a.version", state="ENABLED")] * int(count)
        assert monthly(secret) == pytest.approx(usd, abs=CENT)


@pytest.mark.parametrize(
    ("where", "storage_class", "usd"), [("EU", "STANDARD", 3.90), ("US", "STANDARD", 3.90)]
)
def test_a_bucket_costs_what_infracost_says(where: str, storage_class: str, usd: float) -> None:
    assert usd in {cost for *_, cost in golden("storage_bucket_test")}
    bucket = gcp(
        "storage.bucket",
        location=where,
        storageClass=storage_class,
        metrics={"size": {"average": 150 * 2**30}},
    )
    assert monthly(bucket) == pytest.approx(usd, abs=CENT)
