"""Virtual machines, their disks, and what they reach the internet through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infrascan.model import Price, Resource
from infrascan.pricing.prices import Prices, UnpricedError
from infrascan.pricing.quote import Part, free, hourly, number, text, total

PLATFORMS = {
    "Linux/UNIX": "linux",
    "Windows": "windows",
    "Windows BYOL": "linux",  # with a licence of one's own the machine costs what Linux costs
    "Red Hat Enterprise Linux": "rhel",
    "Red Hat BYOL Linux": "linux",
    "SUSE Linux": "suse",
}
ENDED = ("terminated", "shutting-down")
STOPPED = ("stopped", "stopping")

GP3_IOPS, GP3_THROUGHPUT = 3000, 125  # free with each volume; throughput in MiB/s
IO2_TIERS = (("", 0, 32000), ("-above-32000", 32000, 64000), ("-above-64000", 64000, 10**9))


def instance(resource: Resource, prices: Prices) -> Price:
    """A running EC2 instance, without its volumes. A stopped one has no cost of its own."""
    data = resource.data
    state = text(data, "State", "Name")
    if state in ENDED:
        return free(f"{state}: not billed")
    placement = data.get("Placement") or {}
    if placement.get("Tenancy") == "host":
        return free("on a dedicated host, which is billed instead")
    kind = text(data, "InstanceType")
    rate = prices.machine("ec2", kind, place(resource), platform(data))
    notes = []
    if data.get("InstanceLifecycle") == "spot":
        notes.append("spot, so at most this")
    if placement.get("Tenancy") == "dedicated":
        notes.append("dedicated tenancy, so at least this")
    return total([hourly(rate)], "; ".join((kind, *notes)))


def place(resource: Resource) -> str:
    """The region, or the local zone: that of us-west-2-lax-1a is us-west-2-lax-1."""
    zone = (resource.data.get("Placement") or {}).get("AvailabilityZone") or ""
    return zone[:-1] if zone.count("-") > 2 else resource.region


def platform(data: Mapping[str, Any]) -> str:
    """The column of the price table. AWS leaves `Platform` empty unless it is Windows."""
    details = data.get("PlatformDetails") or ""
    if not details:
        return "windows" if data.get("Platform") == "windows" else "linux"
    if details not in PLATFORMS:
        raise UnpricedError(f"no price for {details}")
    return PLATFORMS[details]


def volume(resource: Resource, prices: Prices) -> Price:
    data, region = resource.data, resource.region
    kind = text(data, "VolumeType")
    parts = [Part(number(data, "Size"), "GB", prices.rate(f"ebs.{kind}.gb", region, kind))]
    if kind == "gp3":
        iops = (data.get("Iops") or GP3_IOPS) - GP3_IOPS
        throughput = (data.get("Throughput") or GP3_THROUGHPUT) - GP3_THROUGHPUT
        if iops > 0:
            parts.append(Part(iops, "IOPS", prices.rate("ebs.gp3.iops", region)))
        if throughput > 0:
            parts.append(Part(throughput, "MB/s", prices.rate("ebs.gp3.throughput", region)))
    elif kind == "io1":
        parts.append(Part(number(data, "Iops"), "IOPS", prices.rate("ebs.io1.iops", region)))
    elif kind == "io2":
        iops = number(data, "Iops")
        for tier, start, end in IO2_TIERS:
            if iops > start:
                rate = prices.rate(f"ebs.io2.iops{tier}", region)
                parts.append(Part(min(iops, end) - start, "IOPS", rate))
    return total(parts, kind)


def snapshot(resource: Resource, prices: Prices) -> Price:
    data = resource.data
    if data.get("StorageTier") == "archive":
        raise UnpricedError("no price for archived snapshots")
    if full := data.get("FullSnapshotSizeInBytes"):
        size, of = full / 2**30, "the full snapshot"
    else:
        size, of = number(data, "VolumeSize"), "the volume"
    rate = prices.rate("ebs.snapshot.gb", resource.region)
    note = f"at most: the size of {of}; snapshots are incremental"
    return total([Part(size, "GB", rate)], note)


def address(resource: Resource, prices: Prices) -> Price:
    if resource.data.get("PublicIpv4Pool", "amazon") != "amazon":
        return free("an address of one's own")
    return total([hourly(prices.rate("ipv4.hour", resource.region))])


def nat_gateway(resource: Resource, prices: Prices) -> Price:
    if resource.data.get("State") in ("deleted", "deleting", "failed"):
        return free(f"{resource.data['State']}: not billed")
    rate = prices.rate("nat.hour", resource.region, "NAT gateways")
    return total([hourly(rate)], "without data processed")


CLOUDS = {"aws": "ec2", "gce": "gce", "azure": "aks"}  # scheme of providerID -> table
SPOT = {
    "eks.amazonaws.com/capacityType": "SPOT",
    "karpenter.sh/capacity-type": "spot",
    "cloud.google.com/gke-spot": "true",
    "cloud.google.com/gke-preemptible": "true",
    "kubernetes.azure.com/scalesetpriority": "spot",
}


def node(resource: Resource, prices: Prices) -> Price:
    """The machine that a Kubernetes node runs on, by its well-known labels."""
    labels = (resource.data.get("metadata") or {}).get("labels") or {}
    scheme = ((resource.data.get("spec") or {}).get("providerID") or "").partition("://")[0]
    if scheme not in CLOUDS:
        raise UnpricedError("not a node of EKS, GKE or AKS")
    kind = labels.get("node.kubernetes.io/instance-type") or labels.get(
        "beta.kubernetes.io/instance-type"
    )
    region = labels.get("topology.kubernetes.io/region")
    if not kind or not region:
        raise UnpricedError("no labels with instance type and region")
    cloud = CLOUDS[scheme]
    system = "windows" if labels.get("kubernetes.io/os") == "windows" else "linux"
    name = kind.removeprefix("Standard_").replace("_", "").lower() if cloud == "aks" else kind
    spot = any(labels.get(label) == value for label, value in SPOT.items())
    note = f"{kind}; spot, so at most this" if spot else kind
    return total([hourly(prices.machine(cloud, name, region, system))], note)
