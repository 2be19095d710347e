"""Databases and caches."""

from __future__ import annotations

from infrascan.model import Price, Resource
from infrascan.pricing.prices import Prices, UnpricedError
from infrascan.pricing.quote import Part, free, hourly, number, text, total

OWN_LICENCE = "bring-your-own-license"
STILL = ("stopped", "stopping")


def db_instance(resource: Resource, prices: Prices) -> Price:
    data, region = resource.data, resource.region
    kind, engine = text(data, "DBInstanceClass"), text(data, "Engine")
    what = f"{kind} ({engine})"
    if kind == "db.serverless":
        raise UnpricedError("Aurora Serverless is billed by the capacity used")
    if data.get("LicenseModel") == OWN_LICENCE:
        raise UnpricedError(f"no price for {what} with a licence of one's own")
    copies = 2 if data.get("MultiAZ") else 1
    parts, notes = [], ["Multi-AZ, so twice"] if copies == 2 else []
    if data.get("DBInstanceStatus") in STILL:
        notes.append("stopped: storage only")
    else:
        parts.append(hourly(prices.rate(f"rds.{engine}.{kind}.hour", region, what), copies))
    if engine.startswith("aurora"):
        if data.get("StorageType") == "aurora-iopt1":
            raise UnpricedError(f"no price for {what} with I/O-Optimized storage")
        notes.append("without storage, which Aurora bills by use")
        copies = 0
    parts += storage(resource, prices) if copies else []
    scaled = [Part(p.quantity * (1 if p.unit == "h" else copies), p.unit, p.rate) for p in parts]
    return total(scaled, "; ".join((what, *notes)))


def storage(resource: Resource, prices: Prices) -> list[Part]:
    """One copy of an RDS instance's disk."""
    data, region = resource.data, resource.region
    kind, size = text(data, "StorageType"), number(data, "AllocatedStorage")
    parts = [Part(size, "GB", prices.rate(f"rds.{kind}.gb", region, f"RDS {kind} storage"))]
    iops, throughput = data.get("Iops") or 0, data.get("StorageThroughput") or 0
    if kind in ("io1", "io2"):
        parts.append(Part(number(data, "Iops"), "IOPS", prices.rate(f"rds.{kind}.iops", region)))
    if kind == "gp3":
        included, included_throughput = gp3_included(text(data, "Engine"), size)
        if iops > included:
            parts.append(Part(iops - included, "IOPS", prices.rate("rds.gp3.iops", region)))
        if throughput > included_throughput:
            rate = prices.rate("rds.gp3.throughput", region)
            parts.append(Part(throughput - included_throughput, "MB/s", rate))
    return parts


def gp3_included(engine: str, size: float) -> tuple[int, int]:
    """IOPS and MB/s that come with an RDS gp3 disk: RDS stripes it from a certain size on."""
    striped_from = 200 if engine.startswith("oracle") else 400
    if engine.startswith("sqlserver") or size < striped_from:
        return 3000, 125
    return 12000, 500


def db_snapshot(resource: Resource, prices: Prices) -> Price:
    data = resource.data
    if data.get("SnapshotType") != "manual":
        raise UnpricedError("automated backups are free up to the size of the databases")
    kind = "aurora-snapshot" if str(data.get("Engine", "")).startswith("aurora") else "snapshot"
    rate = prices.rate(f"rds.{kind}.gb", resource.region, "RDS snapshots")
    note = "at most: the size of the disk; a snapshot holds what is used"
    return total([Part(number(data, "AllocatedStorage"), "GB", rate)], note)


def cache_cluster(resource: Resource, prices: Prices) -> Price:
    data = resource.data
    kind, engine = text(data, "CacheNodeType"), data.get("Engine") or "redis"
    rate = prices.rate(f"cache.{engine}.{kind}.hour", resource.region, f"{kind} ({engine})")
    return total([hourly(rate, number(data, "NumCacheNodes"))], f"{kind} ({engine})")


def redshift_cluster(resource: Resource, prices: Prices) -> Price:
    data = resource.data
    kind = text(data, "NodeType")
    if data.get("ClusterStatus") == "paused":
        return free("paused: only backups are billed")
    rate = prices.rate(f"redshift.{kind}.hour", resource.region, kind)
    note = "without managed storage" if kind.startswith("ra3") else ""
    return total(
        [hourly(rate, number(data, "NumberOfNodes"))], "; ".join(filter(None, (kind, note)))
    )


def dynamodb_table(resource: Resource, prices: Prices) -> Price:
    data, region = resource.data, resource.region
    if (data.get("BillingModeSummary") or {}).get("BillingMode") == "PAY_PER_REQUEST":
        raise UnpricedError("billed by request")
    units = {"ReadCapacityUnits": 0.0, "WriteCapacityUnits": 0.0}
    for part in (data, *(data.get("GlobalSecondaryIndexes") or ())):
        for unit in units:
            units[unit] += number(part, "ProvisionedThroughput", unit)
    return total(
        [
            hourly(prices.rate("dynamodb.rcu.hour", region), units["ReadCapacityUnits"]),
            hourly(prices.rate("dynamodb.wcu.hour", region), units["WriteCapacityUnits"]),
        ],
        "provisioned capacity, without storage",
    )
