"""Azure's prices against Infracost's, whose golden files price eastus (PostgreSQL: westus)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from infrascan.model import Resource
from tests.pricing.estate import resource
from tests.pricing.test_oracle import CENT, golden, monthly, named

MACHINES = (
    "virtual_machine_test",
    "linux_virtual_machine_test",
    "windows_virtual_machine_test",
    "kubernetes_cluster_test",
)
# Nothing lists this size with Linux, which the price with Windows is made of.
ONLY_WINDOWS = "Standard_E16-8as_v4"
RUNNING = {"instanceView": {"powerState": {"code": "PowerState/running"}}}


def azure(of: str, region: str = "eastus", **data: Any) -> Resource:
    return resource(f"azure.{of}", data, region=region)


def machine(size: str, system: str, licence: str | None = None) -> Resource:
    disk = {"osType": system, "managedDisk": {"id": "/disk"}}
    return azure(
        "compute.virtual_machine",
        properties={
            "hardwareProfile": {"vmSize": size},
            "storageProfile": {"osDisk": disk},
            "licenseType": licence,
            "extended": RUNNING,
        },
    )


@pytest.mark.parametrize(
    ("groups", "hours", "usd"),
    [
        line
        for line in named(
            golden(*MACHINES), r"Instance usage \((Linux|Windows), pay as you go, (.*)\)"
        )
        if line.values[0][1] != ONLY_WINDOWS
    ],
)
def test_a_machine_costs_what_infracost_says(
    groups: tuple[str, str], hours: float, usd: float
) -> None:
    ours = monthly(machine(groups[1], groups[0])) * hours / 730
    assert ours == pytest.approx(usd, rel=0.02, abs=CENT)


@pytest.mark.parametrize(
    ("groups", "hours", "usd"),
    named(golden(*MACHINES), r"Instance usage \(Windows, hybrid benefit, (.*)\)"),
)
def test_with_a_licence_of_ones_own_windows_costs_what_linux_does(
    groups: tuple[str], hours: float, usd: float
) -> None:
    ours = monthly(machine(groups[0], "Windows", "Windows_Server")) * hours / 730
    assert ours == pytest.approx(usd, rel=0.02)


SIZES = {"S4": 32, "S10": 128, "E4": 32, "E30": 1000, "P4": 32, "P10": 128}
KINDS = {"S": "Standard_LRS", "E": "StandardSSD_LRS", "P": "Premium_LRS"}


@pytest.mark.parametrize(
    ("groups", "count", "usd"),
    [
        line
        for line in named(
            golden("managed_disk_test", "snapshot_test", *MACHINES),
            r"Storage \(([SEP]\d+), LRS\)",
        )
        if line.values[0][0] in SIZES
    ],
)
def test_a_disk_costs_what_infracost_says(groups: tuple[str], count: float, usd: float) -> None:
    (name,) = groups
    disk = azure(
        "compute.disk",
        sku={"name": KINDS[name[0]]},
        properties={"diskSizeGB": SIZES[name]},
    )
    assert monthly(disk) * count == pytest.approx(usd, abs=CENT * count)


@pytest.mark.parametrize(
    ("groups", "count", "usd"), named(golden("image_test"), r"Storage \(([SEP]\d+), LRS\)")
)
def test_a_disk_in_europe_costs_what_infracost_says(
    groups: tuple[str], count: float, usd: float
) -> None:
    (name,) = groups
    sku, size = {"name": KINDS[name[0]]}, SIZES[name]
    disk = azure("compute.disk", "westeurope", sku=sku, properties={"diskSizeGB": size})
    assert monthly(disk) * count == pytest.approx(usd, abs=CENT * count)


def test_an_ultra_disk_costs_what_infracost_says() -> None:
    lines = {component: usd for _, component, _, usd in golden("managed_disk_test")}
    disk = azure(
        "compute.disk",
        sku={"name": "UltraSSD_LRS"},
        properties={"diskSizeGB": 2000, "diskIOPSReadWrite": 4000, "diskMBpsReadWrite": 20},
    )
    wanted = sum(
        lines[name]
        for name in ("Storage (ultra, 2048 GiB)", "Provisioned IOPS", "Throughput")
    )  # fmt: skip
    assert monthly(disk) == pytest.approx(wanted, abs=3 * CENT)


@pytest.mark.parametrize(
    ("groups", "size", "usd"),
    [line for line in named(golden("snapshot_test"), r"(Storage)") if line.values[1] >= 1],
)
def test_a_snapshot_costs_what_infracost_says(groups: tuple[str], size: float, usd: float) -> None:
    found = azure(
        "compute.snapshot", sku={"name": "Standard_LRS"}, properties={"diskSizeGB": int(size)}
    )
    assert monthly(found) == pytest.approx(usd, abs=CENT)


def plans() -> list[Any]:
    found = []
    for name, component, hours, usd in golden("service_plan_test"):
        match = re.search(r"\[\"+(Linux|Windows)\.([A-Za-z0-9]+)\.", name)
        if match and component.startswith("Instance usage") and hours == 730:
            found.append(pytest.param(match[1], match[2], usd, id=f"{match[1]}-{match[2]}"))
    assert len(found) > 40
    return found


@pytest.mark.parametrize(("system", "size", "usd"), plans())
def test_a_plan_costs_what_infracost_says(system: str, size: str, usd: float) -> None:
    kind = "linux" if system == "Linux" else "app"
    plan = azure(
        "web.serverfarm",
        kind=kind,
        sku={"name": size, "tier": "any", "capacity": 1},
        properties={"reserved": system == "Linux"},
    )
    assert monthly(plan) == pytest.approx(usd, abs=CENT)


@pytest.mark.parametrize(
    ("groups", "nodes", "usd"),
    named(golden("redis_cache_test"), r"Cache usage \((Basic|Standard|Premium)_([CP])(\d)\)"),
)
def test_a_cache_costs_what_infracost_says(
    groups: tuple[str, str, str], nodes: float, usd: float
) -> None:
    name, family, capacity = groups
    extra: dict[str, Any] = {"replicasPerPrimary": int(nodes) - 1} if nodes > 2 else {}
    cache = azure(
        "cache.redis",
        properties={
            "sku": {"name": name, "family": family, "capacity": int(capacity)},
            **extra,
        },
    )
    assert monthly(cache) == pytest.approx(usd, abs=CENT * nodes)


@pytest.mark.parametrize(
    ("groups", "hours", "usd"),
    named(golden("virtual_network_gateway_test"), r"VPN gateway \((.*)\)"),
)
def test_a_vpn_gateway_costs_what_infracost_says(
    groups: tuple[str], hours: float, usd: float
) -> None:
    gateway = azure("network.virtual_network_gateway", properties={"sku": {"name": groups[0]}})
    assert monthly(gateway) == pytest.approx(usd, abs=CENT)


HOURLY = [
    ("network.public_ip_address", "public_ip_test", r"IP address \(static, regional\)",
     {"properties": {"publicIPAllocationMethod": "Static"}}),
    ("network.private_endpoint", "private_endpoint_test", r"Private endpoint", {}),
    ("network.azure_firewall", "firewall_test", r"Deployment \(Premium\)",
     {"properties": {"sku": {"tier": "Premium"}}}),
    ("network.azure_firewall", "firewall_test", r"Deployment \(Standard\)",
     {"properties": {"sku": {"tier": "Standard"}}}),
    ("network.bastion_host", "bastion_host_test", r"Bastion host", {"sku": {"name": "Basic"}}),
    ("containerservice.managed_cluster", "kubernetes_cluster_test", r"Uptime SLA",
     {"sku": {"tier": "Standard"}}),
    ("servicebus.namespace", "servicebus_namespace_test", r"Base charge",
     {"sku": {"tier": "Standard"}}),
    ("network.application_gateway", "application_gateway_test", r"Gateway usage \(WAF v2\)",
     {"properties": {"sku": {"tier": "WAF_v2"}, "autoscaleConfiguration": {"minCapacity": 0}}}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "source", "component", "data"), HOURLY)
def test_what_has_one_rate_costs_what_infracost_says(
    kind: str, source: str, component: str, data: dict[str, Any]
) -> None:
    found = {
        usd for _, name, quantity, usd in golden(source)
        if re.fullmatch(component, name) and quantity == 730
    }  # fmt: skip
    assert len(found) == 1
    assert monthly(azure(kind, **data)) == pytest.approx(found.pop(), abs=CENT)


@pytest.mark.parametrize("kind", ["Basic", "Premium"])
def test_a_registry_costs_what_infracost_says(kind: str) -> None:
    found = {
        usd / days
        for _, name, days, usd in golden("container_registry_test")
        if name == f"Registry usage ({kind})"
    }
    assert len(found) == 1
    ours = monthly(azure("containerregistry.registry", sku={"name": kind}))
    assert ours * 24 / 730 == pytest.approx(found.pop(), rel=0.001)


DATABASES = {
    "standard1": ("S1", None),
    "standard12": ("S12", None),
    "premium6": ("P6", None),
    "general_purpose_gen_without_license": ("GP_Gen5_4", "BasePrice"),
    "general_purpose_gen": ("GP_Gen5_4", "LicenseIncluded"),
    "business_critical_gen": ("BC_Gen5_8", "LicenseIncluded"),
}
COUNTED = re.compile(r"Compute|SQL license|Storage")


@pytest.mark.parametrize("name", DATABASES)
def test_a_sql_database_costs_what_infracost_says(name: str) -> None:
    objective, licence = DATABASES[name]
    lines = [line for line in golden("mssql_database_test") if line[0] == name]
    gb = sum(quantity for _, component, quantity, _ in lines if component == "Storage")
    wanted = sum(usd for _, component, _, usd in lines if COUNTED.match(component))
    database = azure(
        "sql.database",
        name="erp",
        properties={
            "currentServiceObjectiveName": objective,
            "licenseType": licence,
            "maxSizeBytes": int(gb * 2**30),
        },
    )
    assert monthly(database) == pytest.approx(wanted, abs=0.05)


SERVERS = [
    ("dbforpostgresql", "postgresql", "gp", "Standard_D4s_v3", 32),
    ("dbforpostgresql", "postgresql", "mo", "Standard_E4s_v3", 64),
    ("dbforpostgresql", "postgresql", "burstable", "Standard_B1ms", 128),
    ("dbformysql", "mysql", "gp", "Standard_D2ads_v5", 20),
    ("dbformysql", "mysql", "burstable", "Standard_B1ms", 30),
]


@pytest.mark.parametrize(("service", "engine", "name", "size", "gb"), SERVERS)
def test_a_database_server_costs_what_infracost_says(
    service: str, engine: str, name: str, size: str, gb: int
) -> None:
    wanted = sum(
        usd
        for of, component, _, usd in golden(f"{engine}_flexible_server_test")
        if of == name and re.match(r"Compute|Storage", component)
    )
    server = azure(
        f"{service}.flexible_server",
        "westus",
        sku={"name": size},
        properties={"state": "Ready", "storage": {"storageSizeGB": gb}},
    )
    assert monthly(server) == pytest.approx(wanted, abs=2 * CENT)


POOLS = {
    "basic_100": ("BasicPool", "Basic", 100),
    "standard_200": ("StandardPool", "Standard", 200),
    "premium_500": ("PremiumPool", "Premium", 500),
    "gp_gen5": ("GP_Gen5", "GeneralPurpose", 4),
}


@pytest.mark.parametrize("name", POOLS)
def test_an_elastic_pool_costs_what_infracost_says(name: str) -> None:
    sku, tier, units = POOLS[name]
    counted = r"Compute|SQL license|Storage" if "gen5" in name else "Compute"
    wanted = sum(
        usd
        for of, component, _, usd in golden("mssql_elasticpool_test")
        if of == name and re.match(counted, component)
    )
    pool = azure(
        "sql.elastic_pool",
        "westeurope",
        sku={"name": sku, "tier": tier, "capacity": units},
        properties={"licenseType": "LicenseIncluded", "maxSizeBytes": 100 * 2**30},
    )
    assert monthly(pool) == pytest.approx(wanted, abs=0.05)
