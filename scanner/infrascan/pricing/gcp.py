"""Google Cloud: machines and disks, addresses, databases, caches, buckets, clusters.

List prices on demand: without sustained-use and committed-use discounts and without the free tier.
Fields are those of Cloud Asset Inventory, in which whole numbers are often strings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from infrascan.model import Price, Resource
from infrascan.pricing.prices import Prices, UnpricedError
from infrascan.pricing.quote import HOURS, Part, free, hourly, text, total

GB = 2**30
STOPPED = ("TERMINATED", "STOPPED")
LOCAL_SSD = 375  # GB of each, where the machine type does not say otherwise

# What an image's licence says of the system; the first that fits. Others, such as Debian's,
# Ubuntu's and those one brings along, cost nothing.
SYSTEMS = (
    (re.compile(r"^(ubuntu-pro|sql-?server)-"), "paid software"),
    (re.compile(r"^(?:rhel|sles)-.*sap"), "SAP"),
    (re.compile(r"^windows-(?!.*byol)"), "windows"),
    (re.compile(r"^rhel-(?!.*byos)"), "rhel"),
    (re.compile(r"^sles-(?!.*byos)"), "suse"),
)
INCLUDES_LOCAL_SSD = re.compile(r"^(z3|a2-ultragpu|a3|a4|g4)-|-(standard|high)?lssd")


def instance(resource: Resource, prices: Prices) -> Price:
    """A running Compute Engine instance, without its disks; a stopped one costs what they cost."""
    data = resource.data
    if data.get("status") == "SUSPENDED":
        raise UnpricedError("no price for the memory of a suspended instance")
    kind = last(text(data, "machineType"))
    if "custom-" in kind:
        raise UnpricedError(f"no price for custom machine types ({kind})")
    if data.get("guestAccelerators") and kind.startswith("n1-"):
        raise UnpricedError("no price for accelerators that are not part of the machine type")
    region = place(resource)
    parts = [hourly(prices.machine("gce", kind, region, system(data)))]
    disks = data.get("disks") or ()
    scratch = [float(disk.get("diskSizeGb") or LOCAL_SSD) for disk in disks if local(disk)]
    if scratch and not INCLUDES_LOCAL_SSD.search(kind):
        rate = prices.rate("gcp.disk.local-ssd.gb", region, "local SSD")
        parts.append(Part(sum(scratch), "GB local SSD", rate))
    notes = [kind]
    scheduling = data.get("scheduling") or {}
    if scheduling.get("preemptible") or scheduling.get("provisioningModel") == "SPOT":
        notes.append("spot, so at most this")
    return total(parts, "; ".join(notes))


def local(disk: Mapping[str, Any]) -> bool:
    return disk.get("type") == "SCRATCH"


def system(data: Mapping[str, Any]) -> str:
    """The column of the price table, by the licences of the disks."""
    licences = [
        last(licence) for disk in data.get("disks") or () for licence in disk.get("licenses") or ()
    ]
    for pattern, name in SYSTEMS:
        if any(pattern.search(licence) for licence in licences):
            return name
    return "linux"


def disk(resource: Resource, prices: Prices) -> Price:
    data, region = resource.data, place(resource)
    kind = last(text(data, "type"))
    item = f"regional-{kind}" if data.get("replicaZones") else kind
    size = whole(data, "sizeGb")
    parts = [Part(size, "GB", prices.rate(f"gcp.disk.{item}.gb", region, item))]
    if kind in ("pd-extreme", "hyperdisk-extreme"):
        rate = prices.rate(f"gcp.disk.{kind}.iops", region, f"the operations of {kind}")
        parts.append(Part(whole(data, "provisionedIops"), "IOPS", rate))
    return total(parts, item)


def snapshot(resource: Resource, prices: Prices) -> Price:
    """What a snapshot stores, which is what Google bills; it is measured, not estimated."""
    data = resource.data
    if data.get("snapshotType") == "ARCHIVE":
        raise UnpricedError("no price for archive snapshots")
    places = list(data.get("storageLocations") or ())
    if len(places) != 1:
        raise UnpricedError("storageLocations is not known")
    rate = prices.rate("gcp.snapshot.gb", places[0], "snapshots")
    return total([Part(round(whole(data, "storageBytes") / GB, 3), "GB", rate)])


def image(resource: Resource, prices: Prices) -> Price:
    data = resource.data
    places = list(data.get("storageLocations") or ())
    if len(places) != 1:
        raise UnpricedError("storageLocations is not known")
    rate = prices.rate("gcp.image.gb", places[0], "images")
    return total([Part(round(whole(data, "archiveSizeBytes") / GB, 3), "GB", rate)])


def address(resource: Resource, prices: Prices) -> Price:
    """A reserved external address: dearer while unused, free in front of a load balancer."""
    data, region = resource.data, place(resource)
    if data.get("addressType") == "INTERNAL":
        return free("an internal address")
    if data.get("ipVersion") == "IPV6":
        return free("IPv6 addresses are not billed")
    status = text(data, "status")
    if status == "RESERVED":
        return total(
            [hourly(prices.rate("gcp.address.unused.hour", region, "addresses"))], "unused"
        )
    users = data.get("users") or ()
    if any("forwardingRules/" in user for user in users):
        return free("in use by a load balancer, which is billed instead")
    if status != "IN_USE" or not users:
        raise UnpricedError("what uses it is not known")
    return total([hourly(prices.rate("gcp.address.vm.hour", region, "addresses"))], "in use")


def vpn_tunnel(resource: Resource, prices: Prices) -> Price:
    rate = prices.rate("gcp.vpn.hour", place(resource), "VPN tunnels")
    return total([hourly(rate)], "without traffic")


def cluster(resource: Resource, prices: Prices) -> Price:
    """The fee for the control plane. The nodes are instances, with a cost of their own."""
    rate = prices.rate("gcp.cluster.hour", place(resource))
    return total([hourly(rate)], "management fee, before the free tier's credit; without nodes")


CUSTOM = re.compile(r"db-custom-(\d+)-(\d+)")
SHARED = ("db-f1-micro", "db-g1-small")


def sql_instance(resource: Resource, prices: Prices) -> Price:
    """A Cloud SQL instance of the Enterprise edition with its disk; two of each where regional."""
    data = resource.data
    settings = data.get("settings") or {}
    region = place(resource)
    if "SQLSERVER" in text(data, "databaseVersion"):
        raise UnpricedError("no price for SQL Server on Cloud SQL")
    if settings.get("edition") == "ENTERPRISE_PLUS":
        raise UnpricedError("no price for Cloud SQL Enterprise Plus")
    copies = 2 if settings.get("availabilityType") == "REGIONAL" else 1
    tier = text(settings, "tier")
    parts = []
    if settings.get("activationPolicy") != "NEVER":
        if tier in SHARED:
            parts.append(hourly(prices.rate(f"gcp.sql.{tier}.hour", region, tier), copies))
        elif match := CUSTOM.fullmatch(tier):
            cores, memory = int(match[1]), int(match[2]) / 1024
            parts.append(
                Part(
                    copies * cores * HOURS, "vCPU h", prices.rate("gcp.sql.vcpu.hour", region, tier)
                )
            )
            parts.append(
                Part(
                    copies * memory * HOURS,
                    "GB h",
                    prices.rate("gcp.sql.memory.hour", region, tier),
                )
            )
        else:
            raise UnpricedError(f"no price for {tier}")
    medium = (settings.get("dataDiskType") or "PD_SSD").removeprefix("PD_").lower()
    rate = prices.rate(f"gcp.sql.{medium}.gb", region, f"{settings.get('dataDiskType')} storage")
    parts.append(Part(copies * whole(settings, "dataDiskSizeGb"), "GB", rate))
    return total(parts, f"{tier}, {'regional' if copies == 2 else 'zonal'}; without backups")


SIZES = (("m1", 5), ("m2", 11), ("m3", 36), ("m4", 101), ("m5", 10**6))  # tier, below so many GB


def redis_instance(resource: Resource, prices: Prices) -> Price:
    data, region = resource.data, place(resource)
    if data.get("readReplicasMode") == "READ_REPLICAS_ENABLED":
        raise UnpricedError("no price for caches with read replicas")
    size = whole(data, "memorySizeGb")
    tier = "standard" if text(data, "tier") == "STANDARD_HA" else "basic"
    capacity = next(name for name, end in SIZES if size < end)
    rate = prices.rate(f"gcp.redis.{tier}.{capacity}.hour", region, f"{tier} Redis")
    return total([Part(size * HOURS, "GB h", rate)], f"{tier}, {capacity.upper()}")


def bucket(resource: Resource, prices: Prices) -> Price:
    """What a bucket stores, at the rate of its default class, where Monitoring gives the size."""
    data = resource.data
    metrics = data.get("metrics") or {}
    size = whole(metrics.get("size") or {}, "average") / GB
    if (data.get("autoclass") or {}).get("enabled"):
        raise UnpricedError("its objects are in classes that Autoclass chooses")
    storage_class = text(data, "storageClass").lower()
    if storage_class in ("multi_regional", "regional"):
        storage_class = "standard"
    where = text(data, "location").lower()
    rate = prices.rate(f"gcp.bucket.{storage_class}.gb", where, f"{storage_class} storage")
    note = f"all objects taken as {storage_class}, without requests and traffic"
    return total([Part(round(size, 3), "GB", rate)], note)


def managed_zone(resource: Resource, prices: Prices) -> Price:
    rate = prices.rate("gcp.zone.month", resource.region)
    return total([Part(1, "zone", rate)], "at the rate of the first 25, without queries")


def secret(resource: Resource, prices: Prices) -> Price:
    """Each version that is not destroyed, in each place it is kept in."""
    replication = (resource.data.get("replication") or {}).get("userManaged") or {}
    places = len(replication.get("replicas") or ()) or 1
    kept = versions(resource, ("ENABLED", "DISABLED"))
    rate = prices.rate("gcp.secret-version.month", resource.region)
    return total([Part(kept * places, "versions", rate)], "before the free tier, without reads")


def crypto_key(resource: Resource, prices: Prices) -> Price:
    level = text(resource.data.get("versionTemplate") or {}, "protectionLevel")
    if level != "SOFTWARE":
        raise UnpricedError(f"no price for keys of protection level {level}")
    kept = versions(resource, ("ENABLED", "DISABLED"))
    rate = prices.rate("gcp.key-version.month", resource.region)
    return total([Part(kept, "versions", rate)], "without operations")


def versions(resource: Resource, states: tuple[str, ...]) -> int:
    """How many versions are in one of the states. Raises `UnpricedError` where not all were read."""
    if gap := resource.unread.get("versions"):
        raise UnpricedError(f"not all of its versions were read: {gap.detail}")
    return sum(each.data.get("state") in states for each in resource.links.get("versions", ()))


def last(address: str) -> str:
    """What follows the last slash of a self link."""
    return address.rpartition("/")[2]


def place(resource: Resource) -> str:
    """The region: that of the zone europe-west1-b is europe-west1."""
    data = resource.data
    given = data.get("region") or data.get("zone") or data.get("location") or resource.region
    name = last(given) if isinstance(given, str) else ""
    return re.sub(r"-[a-z]$", "", name)


def whole(data: Mapping[str, Any], *path: str) -> float:
    """The number at a path, which may be a string of digits. Raises `UnpricedError` without one."""
    value: Any = data
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    if isinstance(value, str) and re.fullmatch(r"\d+(\.\d+)?", value):
        return float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnpricedError(f"{'.'.join(path)} is not known")
    return float(value)
