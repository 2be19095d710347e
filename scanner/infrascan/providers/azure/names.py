"""Names and delivery: DNS, CDN, Front Door, Traffic Manager."""

from __future__ import annotations

from typing import Any

from infrascan.providers.azure.tables import (
    ABSENT,
    INSIDE,
    NEXT,
    arm,
    child_of,
    detail,
    diagnostics,
    leads,
    row,
)
from infrascan.providers.rest.tables import Parent

ZONE = "Microsoft.Network/dnsZones"
PROFILE = "Microsoft.Cdn/profiles"

ZONES = row("network.dns_zone", "DNS zone", ZONE)

PRIVATE_ZONES = row(
    "network.private_dns_zone", "Private DNS zone", "Microsoft.Network/privateDnsZones"
)

RECORDS = arm(
    "network.dns_record_set",
    "DNS record set",
    f"{INSIDE}{ZONE}/{{parent}}/recordsets",
    "2018-05-01",
    permission="Microsoft.Network/dnsZones/recordsets/read",
    name=("properties.fqdn", "name"),
    parents=(
        Parent(
            api="GET /subscriptions/{subscription}/providers/Microsoft.Network/dnszones",
            params={"api-version": "2018-05-01"},
            items="value[]",
            paging=NEXT,
            gives={"parent_id": "id"},
            permission=f"{ZONE}/read",
        ),
    ),
    relations=(
        child_of("zone", "network.dns_zone", "record_sets"),
        leads(
            "target",
            "properties.targetResource.id",
            "network.public_ip_address",
            reverse="dns_record_sets",
            missing="dangling_targets",
        ),
        leads("target", "properties.targetResource.id", "network.traffic_manager_profile"),
        leads("target", "properties.targetResource.id", "network.front_door"),
        leads("target", "properties.targetResource.id", "cdn.endpoint"),
        leads("target", "properties.targetResource.id", "cdn.afd_endpoint"),
    ),
)


def delivered(profile: dict[str, Any]) -> dict[str, Any]:
    """Say which of the two products under one type this is: their parts differ."""
    name = str((profile.get("sku") or {}).get("name", ""))
    return {**profile, "front_door": True if name.endswith("_AzureFrontDoor") else None}


PROFILES = row(
    "cdn.profile",
    "CDN or Front Door profile",
    PROFILE,
    shape=delivered,
    details=(
        detail(
            "custom_domains",
            PROFILE,
            "customDomains",
            "2024-02-01",
            permission="Microsoft.Cdn/profiles/customdomains/read",
            many=True,
            when="front_door",
        ),
        detail(
            "security_policies",
            PROFILE,
            "securityPolicies",
            "2024-02-01",
            permission="Microsoft.Cdn/profiles/securitypolicies/read",
            many=True,
            when="front_door",
        ),
        diagnostics(PROFILE),
    ),
    relations=(
        leads(
            "firewall_policies",
            "security_policies[].properties.parameters.wafPolicy.id",
            "network.front_door_web_application_firewall_policy",
            reverse="profiles",
        ),
    ),
)

ENDPOINTS = row(
    "cdn.endpoint",
    "CDN endpoint",
    "Microsoft.Cdn/profiles/endpoints",
    details=(
        detail(
            "custom_domains",
            "Microsoft.Cdn/profiles/endpoints",
            "customDomains",
            "2024-02-01",
            permission="Microsoft.Cdn/profiles/endpoints/customdomains/read",
            many=True,
        ),
    ),
    relations=(child_of("profile", "cdn.profile", "endpoints"),),
)

DOOR_ENDPOINTS = row(
    "cdn.afd_endpoint",
    "Front Door endpoint",
    "Microsoft.Cdn/profiles/afdEndpoints",
    details=(
        detail(
            "routes",
            "Microsoft.Cdn/profiles/afdEndpoints",
            "routes",
            "2024-02-01",
            permission="Microsoft.Cdn/profiles/afdendpoints/routes/read",
            many=True,
            absent=ABSENT,
        ),
    ),
    relations=(child_of("profile", "cdn.profile", "afd_endpoints"),),
)

TRAFFIC = row(
    "network.traffic_manager_profile",
    "Traffic Manager profile",
    "Microsoft.Network/trafficManagerProfiles",
    relations=(
        leads(
            "targets",
            "properties.endpoints[].properties.targetResourceId",
            "network.public_ip_address",
            reverse="traffic_manager_profiles",
            missing="dangling_targets",
        ),
        leads(
            "targets",
            "properties.endpoints[].properties.targetResourceId",
            "web.site",
            reverse="traffic_manager_profiles",
        ),
    ),
)

TABLES = (ZONES, PRIVATE_ZONES, RECORDS, PROFILES, ENDPOINTS, DOOR_ENDPOINTS, TRAFFIC)
