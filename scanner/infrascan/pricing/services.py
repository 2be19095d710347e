"""What is billed by the hour, the month or the gigabyte, whatever it does."""

from __future__ import annotations

from infrascan.model import Price, Resource
from infrascan.pricing.prices import Prices, UnpricedError
from infrascan.pricing.quote import Part, free, hourly, number, total

GB = 2**30
FAST = 60  # seconds; alarms with a shorter period are high-resolution


def load_balancer(resource: Resource, prices: Prices) -> Price:
    kind = resource.data.get("Type") or "classic"
    rate = prices.rate(f"lb.{kind}.hour", resource.region, f"{kind} load balancers")
    return total([hourly(rate)], "without traffic")


def eks_cluster(resource: Resource, prices: Prices) -> Price:
    rate = prices.rate("eks.hour", resource.region)
    return total([hourly(rate)], "control plane, version in standard support")


def secret(resource: Resource, prices: Prices) -> Price:
    if resource.data.get("DeletedDate"):
        return free("scheduled for deletion: not billed")
    return total([Part(1, "secret", prices.rate("secret.month", resource.region))])


def kms_key(resource: Resource, prices: Prices) -> Price:
    data = resource.data.get("metadata") or resource.data
    if data.get("KeyManager") == "AWS":
        return free("managed by AWS")
    if data.get("KeyManager") != "CUSTOMER":
        raise UnpricedError("KeyManager is not known")
    if data.get("KeyState") in ("PendingDeletion", "PendingReplicaDeletion"):
        return free("pending deletion: not billed")
    return total([Part(1, "key", prices.rate("kms.month", resource.region))])


def alarm(resource: Resource, prices: Prices) -> Price:
    data = resource.data
    metrics = [m for m in data.get("Metrics") or () if m.get("MetricStat")]
    if not metrics and not data.get("MetricName"):
        raise UnpricedError("no price for composite alarms")
    periods = [m["MetricStat"].get("Period") for m in metrics] or [data.get("Period")]
    fast = any(isinstance(period, int) and period < FAST for period in periods)
    rate = prices.rate(f"alarm.{'high-resolution' if fast else 'standard'}.month", resource.region)
    return total([Part(max(len(metrics), 1), "metrics", rate)])


def log_group(resource: Resource, prices: Prices) -> Price:
    stored = number(resource.data, "storedBytes") / GB
    rate = prices.rate("logs.gb", resource.region, "log storage")
    return total([Part(round(stored, 3), "GB", rate)], "storage, without ingestion")


def file_system(resource: Resource, prices: Prices) -> Price:
    data, region = resource.data, resource.region
    if data.get("AvailabilityZoneName"):
        raise UnpricedError("no price for One Zone file systems")
    if data.get("ThroughputMode") == "provisioned":
        raise UnpricedError("no price for provisioned throughput")
    standard = number(data, "SizeInBytes", "ValueInStandard") / GB
    infrequent = number(data, "SizeInBytes", "ValueInIA") / GB
    parts = [Part(round(standard, 3), "GB", prices.rate("efs.standard.gb", region))]
    if infrequent:
        parts.append(Part(round(infrequent, 3), "GB infrequent", prices.rate("efs.ia.gb", region)))
    return total(parts, "storage, without requests")


def bucket(resource: Resource, prices: Prices) -> Price:
    """The standard-storage part of a bucket, where CloudWatch gives its size."""
    size = number(resource.data, "metrics", "size_standard", "average") / GB
    region = resource.data.get("BucketRegion") or resource.region  # buckets are listed globally
    rate = prices.rate("s3.standard.gb", region, "S3 standard storage")
    note = "standard storage at the first tier's rate, without requests and other classes"
    return total([Part(round(size, 3), "GB", rate)], note)


def hosted_zone(resource: Resource, prices: Prices) -> Price:
    return total([Part(1, "zone", prices.rate("zone.month", resource.region))], "without queries")
