"""What decides an Azure price: power, licence, tier, copies, and when there is none."""

from __future__ import annotations

from typing import Any

import pytest

from infrascan.model import Resource
from infrascan.pricing import price_all, quote, saving
from tests.pricing.estate import resource
from tests.pricing.test_azure_oracle import azure, machine
from tests.pricing.test_oracle import monthly


def reason(found: Resource) -> str:
    answer = quote(found)
    assert answer.price is None
    return answer.reason


def disk(kind: str, size: int, **properties: Any) -> Resource:
    return azure("compute.disk", sku={"name": kind}, properties={"diskSizeGB": size, **properties})


def powered(state: str, *disks: Resource) -> Resource:
    found = machine("Standard_D2s_v3", "Linux")
    found.data["properties"]["extended"] = {"instanceView": {"powerState": {"code": state}}}
    found.links["disks"] = list(disks)
    return found


def test_a_deallocated_machine_costs_what_its_disks_cost() -> None:
    kept = disk("Premium_LRS", 128)
    assert quote(powered("PowerState/deallocated", kept)).of == (kept,)
    assert monthly(powered("PowerState/deallocated", kept)) == monthly(kept)


def test_a_machine_that_is_shut_down_from_inside_costs_what_it_did() -> None:
    assert monthly(powered("PowerState/stopped")) == monthly(powered("PowerState/running")) > 50


def test_disks_of_a_deallocated_machine_are_counted_once() -> None:
    kept = disk("Premium_LRS", 128)
    total, unpriced = price_all([powered("PowerState/deallocated", kept), kept])
    assert (total, unpriced) == (monthly(kept), {})


def test_a_windows_licence_costs_the_same_everywhere() -> None:
    def gap(region: str) -> float:
        both = [machine("Standard_D2s_v3", name) for name in ("Windows", "Linux")]
        costs = [
            monthly(resource(one.kind, one.data, region=region)) for one in both
        ]  # fmt: skip
        return round(costs[0] - costs[1], 2)

    assert gap("eastus") == gap("westeurope") == pytest.approx(0.092 * 730, abs=0.02)


def test_what_hybrid_benefit_saves_is_the_licence() -> None:
    windows = machine("Standard_D2s_v3", "Windows")
    _, saved, _ = saving(windows, {"to": {"properties.licenseType": "Windows_Server"}})
    assert saved is not None
    assert saved.monthly == pytest.approx(0.092 * 730, abs=0.02)


@pytest.mark.parametrize("publisher", ["RedHat", "MicrosoftSQLServer"])
def test_software_that_the_image_sells_has_no_price(publisher: str) -> None:
    found = machine("Standard_D2s_v3", "Linux")
    found.data["properties"]["storageProfile"]["imageReference"] = {"publisher": publisher}
    assert reason(found) == f"no price for the software of {publisher}"


def test_a_region_is_known_by_its_name_and_by_its_title() -> None:
    named = resource("azure.network.nat_gateway", {}, region="West Europe")
    assert monthly(named) == monthly(azure("network.nat_gateway", "westeurope")) == 32.85


@pytest.mark.parametrize(
    ("kind", "size", "usd"),
    [
        ("Standard_LRS", 4, 1.54),  # hard disks have no smaller tier
        ("Standard_LRS", 33, 3.01),
        ("StandardSSD_LRS", 4, 0.3),
        ("StandardSSD_LRS", 129, 19.2),
        ("Premium_LRS", 128, 19.71),
    ],
)
def test_a_disk_is_billed_as_the_tier_that_holds_it(kind: str, size: int, usd: float) -> None:
    assert monthly(disk(kind, size)) == usd


def test_a_premium_disk_may_be_billed_as_a_higher_tier() -> None:
    assert monthly(disk("Premium_LRS", 128, tier="P30")) == 135.17


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (disk("PremiumV2_LRS", 100), "no price for PremiumV2_LRS disks"),
        (disk("Premium_ZRS", 128), "no price for P10 disks (ZRS) in eastus"),
        (disk("Premium_LRS", 40000), "no price for a disk of 40000 GiB"),
        (azure("compute.disk", "brazilsouth", sku={"name": "Premium_LRS"},
               properties={"diskSizeGB": 128}), "no price for P10 disks (LRS) in brazilsouth"),
        (azure("compute.disk", sku={"name": "Premium_LRS"}), "properties.diskSizeGB is not known"),
        (azure("compute.snapshot", sku={"name": "Premium_LRS"}, properties={"diskSizeGB": 1}),
         "no price for snapshots on Premium_LRS"),
        (machine("Standard_X99_v9", "Linux"), "no price for x99v9 in eastus"),
        (azure("dbforpostgresql.flexible_server", "westeurope", sku={"name": "Standard_B1ms"},
               properties={"storage": {"storageSizeGB": 32}}),
         "no price for the storage of postgresql servers in westeurope"),
        (azure("sql.database", properties={"currentServiceObjectiveName": "GP_S_Gen5_2"}),
         "no price for GP_S_Gen5_2 databases"),
        (azure("sql.database", properties={"zoneRedundant": True}),
         "no price for zone-redundant databases"),
        (azure("sql.managed_instance"), "no prices for azure.sql.managed_instance"),
        (azure("sql.elastic_pool", sku={"name": "BC_DC", "tier": "BusinessCritical", "capacity": 8}),
         "no price for BC_DC pools"),
        (azure("storage.storage_account"), "billed by use"),
        (azure("servicebus.namespace", sku={"tier": "Basic"}), "billed by use"),
        (azure("network.public_ip_address", properties={"publicIPAllocationMethod": "Dynamic"}),
         "no price for dynamic addresses"),
    ],
)  # fmt: skip
def test_what_no_table_has_is_said_to_have_no_price(found: Resource, why: str) -> None:
    assert reason(found) == why


@pytest.mark.parametrize(
    "found",
    [
        azure("network.load_balancer", sku={"name": "Basic"}),
        azure("network.load_balancer", sku={"name": "Standard"}, properties={}),
        azure("network.application_gateway", properties={"operationalState": "Stopped"}),
        azure("network.public_ip_address", properties={"publicIPPrefix": {"id": "/prefix"}}),
        azure("sql.database", name="master"),
        azure("sql.database", name="erp", properties={"elasticPoolId": "/pool"}),
        azure("containerservice.managed_cluster", sku={"tier": "Free"}),
        azure("web.serverfarm", sku={"name": "Y1", "tier": "Dynamic"}),
        azure("search.search_service", sku={"name": "free"}),
        azure("compute.virtual_machine_scale_set", properties={"orchestrationMode": "Flexible"}),
        azure("compute.virtual_machine_scale_set", sku={"name": "Standard_D2s_v3", "capacity": 0}),
    ],
)
def test_what_is_not_billed_by_itself_costs_nothing(found: Resource) -> None:
    assert monthly(found) == 0


def test_rules_beyond_the_fifth_of_a_load_balancer_cost_extra() -> None:
    def balancer(rules: int) -> Resource:
        properties: dict[str, Any] = {"loadBalancingRules": [{}] * rules}
        return azure("network.load_balancer", sku={"name": "Standard"}, properties=properties)

    assert monthly(balancer(1)) == monthly(balancer(5)) == 18.25
    assert monthly(balancer(7)) == round(18.25 + 2 * 7.3, 2)


def test_an_instance_of_an_application_gateway_stands_for_ten_units() -> None:
    def gateway(**more: Any) -> Resource:
        return azure("network.application_gateway", properties=more)

    sku = {"tier": "WAF_v2", "capacity": 2}
    assert monthly(gateway(sku=sku)) == round(0.36 * 730 + 20 * 0.0144 * 730, 2)
    by_itself = gateway(sku=sku, autoscaleConfiguration={"minCapacity": 1})
    assert monthly(by_itself) == round(0.36 * 730 + 10 * 0.0144 * 730, 2)


def test_a_standby_doubles_a_database_server_and_a_stop_leaves_its_disk() -> None:
    def server(**properties: Any) -> Resource:
        return azure(
            "dbforpostgresql.flexible_server",
            sku={"name": "Standard_D4s_v3"},
            properties={"storage": {"storageSizeGB": 100}, **properties},
        )

    alone = monthly(server(highAvailability={"mode": "Disabled"}))
    assert monthly(server(highAvailability={"mode": "ZoneRedundant"})) == 2 * alone
    assert monthly(server(state="Stopped")) == 11.5


def test_a_uniform_scale_set_costs_its_machines() -> None:
    one = monthly(machine("Standard_D2s_v3", "Linux"))
    found = azure(
        "compute.virtual_machine_scale_set",
        sku={"name": "Standard_D2s_v3", "capacity": 3},
        properties={"virtualMachineProfile": {"storageProfile": {"osDisk": {"osType": "Linux"}}}},
    )
    assert monthly(found) == pytest.approx(3 * one, abs=0.02)


def test_a_slower_disk_for_a_stopped_machine_saves_the_difference() -> None:
    _, saved, _ = saving(disk("Premium_LRS", 512), {"to": {"sku.name": "Standard_LRS"}})
    assert saved is not None
    assert saved.monthly == round(73.22 - 21.76, 2)
