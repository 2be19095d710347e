"""What of Google Cloud is priced, what is not, and why."""

from __future__ import annotations

from typing import Any

import pytest

from infrascan.model import Gap, Reason, Resource
from infrascan.pricing import price_all, quote, saving
from tests.pricing.estate import resource

ZONE = "https://www.googleapis.com/compute/v1/projects/acme/zones/europe-west1-b"
REGION = "https://www.googleapis.com/compute/v1/projects/acme/regions/europe-west1"
LICENCES = "https://www.googleapis.com/compute/v1/projects"


def gcp(kind: str, **data: Any) -> Resource:
    return resource(f"gcp.{kind}", data, region="")


def machine(kind: str = "e2-standard-4", status: str = "RUNNING", **data: Any) -> Resource:
    fields = {"machineType": f"{ZONE}/machineTypes/{kind}", "zone": ZONE, "status": status, **data}
    return gcp("compute.instance", **fields)


def disk(kind: str = "pd-balanced", size: str = "100", **data: Any) -> Resource:
    fields = {"type": f"{ZONE}/diskTypes/{kind}", "zone": ZONE, "sizeGb": size, **data}
    return gcp("compute.disk", **fields)


def sql(**settings: Any) -> Resource:
    given = {"tier": "db-custom-2-8192", "dataDiskType": "PD_SSD", "dataDiskSizeGb": "100"}
    return gcp(
        "sqladmin.instance",
        databaseVersion="POSTGRES_16",
        region="us-central1",
        settings={**given, **settings},
    )


def monthly(found: Resource) -> float:
    price = quote(found).price
    assert price is not None, quote(found).reason
    return price.monthly


def reason(found: Resource) -> str:
    assert quote(found).price is None
    return quote(found).reason


def licensed(project: str, name: str) -> list[dict[str, Any]]:
    return [{"licenses": [f"{LICENCES}/{project}/global/licenses/{name}"]}]


def test_a_price_says_where_it_is_from_and_how_it_came_about() -> None:
    price = quote(machine()).price
    assert price is not None
    assert (price.source, price.date) == (
        "Cyclenerd google-cloud-pricing-cost-calculator",
        "2026-07-30",
    )
    assert price.basis.startswith("730 h × ")
    assert price.basis.endswith("; e2-standard-4")


@pytest.mark.parametrize(
    ("project", "licence", "extra"),
    [
        ("debian-cloud", "debian-12-bookworm", 0.0),
        ("cos-cloud", "cos", 0.0),
        ("windows-cloud", "windows-server-2022-dc", 0.184),
        ("windows-cloud", "windows-server-2022-byol", 0.0),
        ("rhel-byos-cloud", "rhel-9-byos", 0.0),
        ("suse-cloud", "sles-15", 0.11),
        ("suse-byos-cloud", "sles-15-byos", 0.0),
    ],
)
def test_a_licence_comes_on_top(project: str, licence: str, extra: float) -> None:
    found = monthly(machine(disks=licensed(project, licence)))
    assert found - monthly(machine()) == pytest.approx(730 * extra, abs=0.02)


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (machine("n2-custom-6-20480"), "custom machine types (n2-custom-6-20480)"),
        (machine("e2-nonesuch"), "no price for e2-nonesuch in europe-west1"),
        (machine("n1-standard-8", guestAccelerators=[{"acceleratorCount": 1}]), "accelerators"),
        (machine(status="SUSPENDED"), "suspended"),
        (machine(disks=licensed("ubuntu-os-pro-cloud", "ubuntu-pro-2204-lts")), "paid software"),
        (machine(disks=licensed("rhel-sap-cloud", "rhel-9-sap")), "SAP"),
        (machine(disks=licensed("windows-sql-cloud", "sql-server-2019-standard")), "paid software"),
        (disk("hyperdisk-balanced"), "no price for hyperdisk-balanced in europe-west1"),
        (disk("pd-extreme"), "the operations of pd-extreme"),
        (disk(size="much"), "sizeGb is not known"),
        (gcp("compute.snapshot", storageBytes="1", snapshotType="ARCHIVE"), "archive"),
        (gcp("compute.snapshot", storageBytes="1"), "storageLocations is not known"),
        (gcp("compute.image", archiveSizeBytes="1"), "storageLocations is not known"),
        (gcp("compute.address", status="IN_USE", region=REGION), "what uses it"),
        (gcp("compute.address", status="RESERVED"), "no price for addresses in no region"),
        (sql(edition="ENTERPRISE_PLUS"), "Enterprise Plus"),
        (sql(tier="db-n1-standard-4"), "no price for db-n1-standard-4"),
        (gcp("sqladmin.instance", databaseVersion="SQLSERVER_2019_WEB"), "SQL Server"),
        (gcp("storage.bucket", location="US", storageClass="STANDARD"), "average is not known"),
        (
            gcp(
                "storage.bucket",
                location="US",
                storageClass="STANDARD",
                metrics={"size": {"average": 1}},
                autoclass={"enabled": True},
            ),
            "Autoclass",
        ),
        (
            gcp(
                "redis.instance",
                tier="STANDARD_HA",
                memorySizeGb=5,
                readReplicasMode="READ_REPLICAS_ENABLED",
            ),
            "read replicas",
        ),
        (gcp("run.service"), "billed by use"),
        (gcp("compute.network"), "no prices for gcp.compute.network"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_has_no_price_says_why(found: Resource, why: str) -> None:
    assert why in reason(found)


def test_spot_costs_at_most_the_list_price() -> None:
    price = quote(machine(scheduling={"provisioningModel": "SPOT"})).price
    assert price is not None
    assert price.basis.endswith("spot, so at most this")


def test_local_disks_are_part_of_some_machine_types() -> None:
    scratch = [{"type": "SCRATCH", "diskSizeGb": "375"}, {"type": "SCRATCH"}]
    assert monthly(machine("n2-standard-4", disks=scratch)) > monthly(machine("n2-standard-4"))
    included = "c3-standard-4-lssd"
    assert monthly(machine(included, disks=scratch)) == monthly(machine(included))


def test_a_stopped_machine_costs_what_its_disks_cost() -> None:
    stopped = machine(status="TERMINATED")
    boot, data = disk(), disk("pd-ssd", "10")
    boot.id, data.id = "boot", "data"
    stopped.links["attached_disks"] = [boot, data]
    assert monthly(stopped) == pytest.approx(monthly(boot) + monthly(data))
    total, unpriced = price_all([stopped, boot, data])
    assert total == pytest.approx(monthly(stopped))
    assert unpriced == {}


def test_a_regional_disk_costs_both_copies() -> None:
    zones = [f"{ZONE}", f"{ZONE[:-1]}c"]
    regional = gcp(
        "compute.disk",
        type=f"{REGION}/diskTypes/pd-ssd",
        region=REGION,
        replicaZones=zones,
        sizeGb="10",
    )
    assert monthly(regional) == pytest.approx(2 * monthly(disk("pd-ssd", "10")), abs=0.02)


@pytest.mark.parametrize(
    ("data", "usd"),
    [
        ({"status": "RESERVED"}, 7.30),
        ({"status": "RESERVED", "addressType": "INTERNAL"}, 0.0),
        ({"status": "RESERVED", "ipVersion": "IPV6"}, 0.0),
        ({"status": "IN_USE", "users": [f"{ZONE}/instances/web"]}, 3.65),
        ({"status": "IN_USE", "users": [f"{REGION}/forwardingRules/web"]}, 0.0),
    ],
)
def test_an_address_costs_what_its_use_says(data: dict[str, Any], usd: float) -> None:
    assert monthly(gcp("compute.address", region=REGION, **data)) == pytest.approx(usd)


def test_a_snapshot_costs_what_it_stores() -> None:
    found = gcp("compute.snapshot", storageBytes=str(20 * 2**30), storageLocations=["eu"])
    assert monthly(found) == pytest.approx(20 * 0.075)


def test_a_stopped_database_still_has_its_disk() -> None:
    assert monthly(sql(activationPolicy="NEVER")) == pytest.approx(17.0)
    assert monthly(sql()) == pytest.approx(17.0 + 730 * (2 * 0.0413 + 8 * 0.007), abs=0.02)
    assert monthly(sql(availabilityType="REGIONAL")) == pytest.approx(2 * monthly(sql()), abs=0.02)


def test_a_smaller_disk_type_saves_the_difference() -> None:
    found = disk("pd-ssd", "500")
    spec = {"to": {"type": f"{ZONE}/diskTypes/pd-balanced"}}
    _, saved, note = saving(found, spec)
    assert saved is not None, note
    less = monthly(disk("pd-balanced", "500"))
    assert saved.monthly == pytest.approx(monthly(found) - less, abs=0.01)


def test_versions_are_what_is_paid_for() -> None:
    secret = gcp("secretmanager.secret", replication={"userManaged": {"replicas": [{}, {}]}})
    key = gcp("cloudkms.crypto_key", versionTemplate={"protectionLevel": "SOFTWARE"})
    states = ("ENABLED", "ENABLED", "DISABLED", "DESTROYED")
    for found in (secret, key):
        found.links["versions"] = [gcp("a.version", state=state) for state in states]
    assert monthly(secret) == pytest.approx(3 * 2 * 0.06)
    assert monthly(key) == pytest.approx(3 * 0.06)


def test_versions_that_were_not_read_leave_no_price() -> None:
    secret = gcp("secretmanager.secret")
    secret.unread["versions"] = Gap(provider="gcp", reason=Reason.DENIED, detail="denied")
    assert "denied" in reason(secret)
    assert "HSM" in reason(gcp("cloudkms.crypto_key", versionTemplate={"protectionLevel": "HSM"}))
