"""Azure: machines and disks, addresses, gateways, databases, caches, plans, clusters.

Pay-as-you-go list prices: without reservations, savings plans and free amounts. Fields are those of
Resource Manager; a region is spelled "westeurope" or "West Europe".
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from infrascan.model import Price, Resource
from infrascan.pricing.prices import Prices, Rate, UnpricedError
from infrascan.pricing.quote import HOURS, Part, free, hourly, number, text, total

DAYS = HOURS / 24
STOPPED = "PowerState/deallocated"
OWN_LICENCE = ("Windows_Server", "Windows_Client")
PAID_PUBLISHERS = ("microsoftsqlserver", "redhat", "suse", "oracle")
INCLUDED_RULES = 5  # of a load balancer, in its hourly price
GB = 2**30

# Size in GiB up to which a disk is billed as this tier.
TIERS = (
    (4, "1"), (8, "2"), (16, "3"), (32, "4"), (64, "6"), (128, "10"), (256, "15"), (512, "20"),
    (1024, "30"), (2048, "40"), (4096, "50"), (8192, "60"), (16384, "70"), (32767, "80"),
)  # fmt: skip
LETTERS = {"Standard": "S", "StandardSSD": "E", "Premium": "P"}
SMALLEST = {"S": 32, "E": 4, "P": 4}  # hard disks have no tier below 32 GiB


def place(resource: Resource) -> str:
    return resource.region.replace(" ", "").lower()


def short(size: str) -> str:
    """As the table spells a size: "Standard_D2s_v3" is d2sv3."""
    return size.lower().removeprefix("standard_").replace("_", "")


def power(resource: Resource) -> str:
    """`PowerState/running` and such; "" when it is not known."""
    step: Any = resource.data.get("properties")
    for key in ("extended", "instanceView", "powerState", "code"):
        step = step.get(key) if isinstance(step, Mapping) else None
    return step if isinstance(step, str) else ""


def machine(size: str, region: str, prices: Prices, system: str = "linux") -> Rate:
    """An hour of a size. What is listed for it by itself goes before the table of all."""
    listed = prices.rates.get((f"azure.vm.{short(size)}.hour", region))
    if listed is None:
        return prices.machine("aks", short(size), region, system)
    if system == "linux":
        return listed
    extra = prices.aks["licence"][system].get(short(size))
    if extra is None:
        raise UnpricedError(f"no price for {size} with {system} in {region}")
    return Rate(listed.usd + extra, listed.source, min(listed.date, prices.aks["date"]))


def virtual_machine(resource: Resource, prices: Prices) -> Price:
    """A machine that holds its place on a host, without its disks."""
    properties = resource.data.get("properties") or {}
    size = text(properties, "hardwareProfile", "vmSize")
    disk = (properties.get("storageProfile") or {}).get("osDisk") or {}
    rate = machine(size, place(resource), prices, system(properties, disk.get("osType")))
    spot = properties.get("priority") == "Spot"
    return total([hourly(rate)], f"{size}; spot, so at most this" if spot else size)


def system(profile: Mapping[str, Any], kind: Any) -> str:
    """The column of the price table. Software that the image sells has no price."""
    image = (profile.get("storageProfile") or {}).get("imageReference") or {}
    publisher = str(image.get("publisher") or "").lower()
    licence = profile.get("licenseType")
    if publisher in PAID_PUBLISHERS and not licence:
        raise UnpricedError(f"no price for the software of {image['publisher']}")
    return "windows" if kind == "Windows" and licence not in OWN_LICENCE else "linux"


def scale_set(resource: Resource, prices: Prices) -> Price:
    """The machines of a uniform set. Those of a flexible one are listed, and billed, by themselves."""
    data = resource.data
    properties = data.get("properties") or {}
    if properties.get("orchestrationMode") == "Flexible":
        return free("its machines are billed instead")
    size, count = text(data, "sku", "name"), number(data, "sku", "capacity")
    if not count:
        return free("no machines")
    profile = properties.get("virtualMachineProfile") or {}
    disk = (profile.get("storageProfile") or {}).get("osDisk") or {}
    kind = disk.get("osType") or (
        "Windows" if (profile.get("osProfile") or {}).get("windowsConfiguration") else "Linux"
    )
    rate = machine(size, place(resource), prices, system(profile, kind))
    spot = profile.get("priority") == "Spot"
    note = f"{count:g} × {size}, without disks"
    return total([hourly(rate, count)], f"{note}; spot, so at most this" if spot else note)


def disk(resource: Resource, prices: Prices) -> Price:
    data, region = resource.data, place(resource)
    kind = text(data, "sku", "name")
    size = number(data, "properties", "diskSizeGB")
    if kind == "UltraSSD_LRS":
        iops = number(data, "properties", "diskIOPSReadWrite")
        speed = number(data, "properties", "diskMBpsReadWrite")
        whole = 1024 * math.ceil(size / 1024) if size > 512 else 2 ** math.ceil(math.log2(size))
        return total(
            [
                Part(whole, "GiB", prices.rate("azure.disk.ultra.gb", region, "ultra disks")),
                Part(iops, "IOPS", prices.rate("azure.disk.ultra.iops", region, "ultra disks")),
                Part(speed, "MB/s", prices.rate("azure.disk.ultra.mbps", region, "ultra disks")),
            ],
            kind,
        )
    name = tier(kind, size, data["properties"].get("tier"))
    copies = kind.partition("_")[2]
    rate = prices.rate(f"azure.disk.{name}.{copies}.month", region, f"{name} disks ({copies})")
    return total([Part(1, "disk", rate)], f"{name} {copies}, without operations")


def tier(kind: str, size: float, stated: Any) -> str:
    """`P10` of a Premium_LRS disk of 100 GiB. A premium disk may state a higher one."""
    letter = LETTERS.get(kind.partition("_")[0])
    if letter is None:
        raise UnpricedError(f"no price for {kind} disks")
    if letter == "P" and isinstance(stated, str) and re.fullmatch(r"P\d+", stated):
        return stated
    wanted = max(size, SMALLEST[letter])
    for upto, number_ in TIERS:
        if wanted <= upto:
            return letter + number_
    raise UnpricedError(f"no price for a disk of {size:g} GiB")


def snapshot(resource: Resource, prices: Prices) -> Price:
    data = resource.data
    kind = text(data, "sku", "name")
    if kind not in ("Standard_LRS", "Standard_ZRS"):
        raise UnpricedError(f"no price for snapshots on {kind}")
    size = number(data, "properties", "diskSizeGB")
    rate = prices.rate("azure.snapshot.gb", place(resource), "snapshots")
    return total([Part(size, "GB", rate)], "at most: the size of the disk; what is used is billed")


def address(resource: Resource, prices: Prices) -> Price:
    data = resource.data
    if (data.get("properties") or {}).get("publicIPAllocationMethod") == "Dynamic":
        raise UnpricedError("no price for dynamic addresses")
    if (data.get("properties") or {}).get("publicIPAddressVersion") == "IPv6":
        return free("IPv6 addresses are not billed")
    if (data.get("properties") or {}).get("publicIPPrefix"):
        return free("of a prefix, which is billed instead")
    if (data.get("sku") or {}).get("tier") == "Global":
        raise UnpricedError("no price for global addresses")
    return total([hourly(prices.rate("azure.address.hour", place(resource), "addresses"))])


def load_balancer(resource: Resource, prices: Prices) -> Price:
    data = resource.data
    kind = text(data, "sku", "name")
    if kind == "Basic":
        return free("Basic load balancers are not billed")
    if kind != "Standard":
        raise UnpricedError(f"no price for {kind} load balancers")
    properties = data.get("properties") or {}
    rules = sum(len(properties.get(name) or ()) for name in ("loadBalancingRules", "outboundRules"))
    if not rules:
        return free("no rules: not billed")
    region = place(resource)
    parts = [hourly(prices.rate("azure.lb.rules.hour", region, "load balancers"))]
    if rules > INCLUDED_RULES:
        more = prices.rate("azure.lb.rule.hour", region, "load balancers")
        parts.append(hourly(more, rules - INCLUDED_RULES))
    return total(parts, "without traffic")


def application_gateway(resource: Resource, prices: Prices) -> Price:
    """What runs at all times: the gateway and the units that it never goes below."""
    properties = resource.data.get("properties") or {}
    if properties.get("operationalState") == "Stopped":
        return free("stopped: not billed")
    kind = text(properties, "sku", "tier")
    autoscale = properties.get("autoscaleConfiguration")
    units = (
        number(autoscale, "minCapacity")
        if isinstance(autoscale, Mapping)
        else number(properties, "sku", "capacity")
    )
    region, what = place(resource), f"{kind} application gateways"
    parts = [hourly(prices.rate(f"azure.gateway.{kind}.hour", region, what))]
    if units:
        # An instance that one asked for stands for ten units.
        rate = prices.rate(f"azure.gateway.{kind}.unit.hour", region, what)
        parts.append(hourly(rate, units * 10))
    return total(parts, "at least; requests beyond take further capacity units")


def firewall(resource: Resource, prices: Prices) -> Price:
    kind = text(resource.data, "properties", "sku", "tier")
    rate = prices.rate(f"azure.firewall.{kind}.hour", place(resource), f"{kind} firewalls")
    return total([hourly(rate)], "without data processed")


def bastion(resource: Resource, prices: Prices) -> Price:
    kind = text(resource.data, "sku", "name")
    if kind == "Developer":
        return free("the Developer tier is not billed")
    rate = prices.rate(f"azure.bastion.{kind}.hour", place(resource), f"{kind} bastions")
    return total([hourly(rate)], "without traffic")


def network_gateway(resource: Resource, prices: Prices) -> Price:
    kind = text(resource.data, "properties", "sku", "name")
    rate = prices.rate(f"azure.vpn.{kind}.hour", place(resource), f"{kind} gateways")
    return total([hourly(rate)], "without traffic")


def flat(item: str, note: str = "", **unit: str) -> Callable[[Resource, Prices], Price]:
    """An entry for what has one rate: by the hour, or with `month="zone"` by the month."""

    def entry(resource: Resource, prices: Prices) -> Price:
        rate = prices.rate(item, place(resource))
        return total([Part(1, unit["month"], rate) if unit else hourly(rate)], note)

    return entry


nat_gateway = flat("azure.nat.hour", "without data processed")
private_endpoint = flat("azure.private-endpoint.hour", "without data processed")
ddos_plan = flat("azure.ddos.month", "up to 100 addresses", month="plan")
dns_zone = flat("azure.dns.zone.month", "without queries", month="zone")


def cluster(resource: Resource, prices: Prices) -> Price:
    """The control plane; nodes are machines of scale sets of their own."""
    kind = (resource.data.get("sku") or {}).get("tier") or "Free"
    if kind == "Free":
        return free("the free tier; nodes are billed by themselves")
    rate = prices.rate(f"azure.aks.{kind}.hour", place(resource), f"{kind} clusters")
    return total([hourly(rate)], "control plane, without nodes")


def registry(resource: Resource, prices: Prices) -> Price:
    kind = text(resource.data, "sku", "name")
    rate = prices.rate(f"azure.registry.{kind}.day", place(resource), f"{kind} registries")
    return total(
        [Part(round(DAYS, 4), "days", rate)], "without replicas and storage beyond the included"
    )


def plan(resource: Resource, prices: Prices) -> Price:
    """An App Service plan: so many machines of a size."""
    data = resource.data
    size, kind = text(data, "sku", "name"), (data.get("sku") or {}).get("tier")
    if kind in ("Free", "Dynamic", "FlexConsumption"):
        return free("not billed by itself" if kind == "Free" else "billed by use")
    properties = data.get("properties") or {}
    linux = properties.get("reserved") is True or "linux" in str(data.get("kind") or "")
    item = f"azure.plan.{'linux' if linux else 'windows'}.{size.lower()}.hour"
    rate = prices.rate(item, place(resource), f"{size} plans")
    return total([hourly(rate, number(data, "sku", "capacity"))], size)


def redis(resource: Resource, prices: Prices) -> Price:
    properties = resource.data.get("properties") or {}
    family, name = text(properties, "sku", "family"), text(properties, "sku", "name")
    kind = f"{name}_{family}{number(properties, 'sku', 'capacity'):g}"
    replicas = properties.get("replicasPerPrimary")
    nodes = 1 if name == "Basic" else 1 + (replicas if isinstance(replicas, int) else 1)
    nodes *= max(properties.get("shardCount") or 1, 1)
    rate = prices.rate(f"azure.redis.{kind}.node.month", place(resource), f"{kind} caches")
    return total([Part(nodes, "nodes", rate)], kind)


def sql_database(resource: Resource, prices: Prices) -> Price:
    data = resource.data
    properties = data.get("properties") or {}
    if data.get("name") == "master" or (data.get("sku") or {}).get("tier") == "System":
        return free("the server's own database")
    if properties.get("elasticPoolId"):
        return free("in an elastic pool, which is billed instead")
    if properties.get("zoneRedundant") is True:
        raise UnpricedError("no price for zone-redundant databases")
    objective, region = text(properties, "currentServiceObjectiveName"), place(resource)
    if re.fullmatch(r"(S|P)\d+|Basic", objective):
        rate = prices.rate(f"azure.sql.{objective}.hour", region, f"{objective} databases")
        return total([hourly(rate)], f"{objective}, with the storage that it includes")
    match = re.fullmatch(r"(GP|BC)_Gen5_(\d+)", objective)
    if not match:
        raise UnpricedError(f"no price for {objective} databases")
    kind, cores = match[1], float(match[2])
    parts = [hourly(prices.rate(f"azure.sql.{kind}.vcore", region, objective), cores)]
    notes = [objective]
    if properties.get("licenseType") == "BasePrice":
        notes.append("with a licence of one's own")
    else:
        parts.append(hourly(prices.rate(f"azure.sql.licence.{kind}.vcore.hour", region), cores))
    size = number(properties, "maxSizeBytes") / GB
    parts.append(Part(round(size, 3), "GB", prices.rate(f"azure.sql.{kind}.gb", region)))
    return total(parts, "; ".join((*notes, "without backups")))


def elastic_pool(resource: Resource, prices: Prices) -> Price:
    data, region = resource.data, place(resource)
    properties = data.get("properties") or {}
    if properties.get("zoneRedundant") is True:
        raise UnpricedError("no price for zone-redundant pools")
    tier, units = text(data, "sku", "tier"), number(data, "sku", "capacity")
    if tier in ("Basic", "Standard", "Premium"):
        rate = prices.rate(f"azure.sql.pool.{tier}.dtu", region, f"{tier} pools")
        return total([hourly(rate, units)], f"{units:g} eDTU, with the storage that they include")
    name = text(data, "sku", "name")
    if name != "GP_Gen5":
        raise UnpricedError(f"no price for {name} pools")
    parts = [hourly(prices.rate("azure.sql.GP.vcore", region, f"{name} pools"), units)]
    if properties.get("licenseType") != "BasePrice":
        parts.append(hourly(prices.rate("azure.sql.licence.GP.vcore.hour", region), units))
    size = number(properties, "maxSizeBytes") / GB
    parts.append(Part(round(size, 3), "GB", prices.rate("azure.sql.GP.gb", region)))
    return total(parts, f"{name}, {units:g} cores, without backups")


def flexible_server(engine: str) -> Callable[[Resource, Prices], Price]:
    """The entry for flexible servers of an engine: the machine with its disk.

    A standby doubles both. A stopped server pays for the disk.
    """

    def entry(resource: Resource, prices: Prices) -> Price:
        data, region = resource.data, place(resource)
        properties = data.get("properties") or {}
        size = short(text(data, "sku", "name"))
        mode = (properties.get("highAvailability") or {}).get("mode")
        count = 2 if mode in ("ZoneRedundant", "SameZone") else 1
        rate = prices.rate(f"azure.{engine}.gb", region, f"the storage of {engine} servers")
        parts = [Part(number(properties, "storage", "storageSizeGB") * count, "GB", rate)]
        if properties.get("state") == "Stopped":
            return total(parts, "stopped: storage only, without backups")
        rate = prices.rate(f"azure.{engine}.{size}.hour", region, f"{engine} servers on {size}")
        note = f"{size} with a standby" if count == 2 else size
        return total([hourly(rate, count), *parts], f"{note}, without backups")

    return entry


postgresql, mysql = flexible_server("postgresql"), flexible_server("mysql")


def service_bus(resource: Resource, prices: Prices) -> Price:
    kind, region = text(resource.data, "sku", "tier"), place(resource)
    if kind == "Premium":
        units = number(resource.data, "sku", "capacity")
        rate = prices.rate("azure.servicebus.unit.month", region, "messaging units")
        return total([Part(units, "units", rate)])
    if kind != "Standard":
        raise UnpricedError("billed by use")
    rate = prices.rate("azure.servicebus.Standard.month", region)
    return total(
        [Part(1, "month", rate)], "base charge, once for the subscription; without messages"
    )


SEARCH = {"basic": "basic", "standard2": "S2"}


def search(resource: Resource, prices: Prices) -> Price:
    properties = resource.data.get("properties") or {}
    kind = text(resource.data, "sku", "name").lower()
    if kind == "free":
        return free("the free tier")
    units = number(properties, "replicaCount") * number(properties, "partitionCount")
    name = SEARCH.get(kind, kind)
    rate = prices.rate(f"azure.search.{name}.hour", place(resource), f"{kind} search services")
    return total([hourly(rate, units)], f"{kind}, {units:g} units")
