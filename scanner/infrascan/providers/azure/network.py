"""Networks: what is inside, what leads out, who may pass."""

from __future__ import annotations

from infrascan.model import Relation
from infrascan.providers.azure.tables import child_of, leads, metrics, row

PUBLIC_ADDRESS = "network.public_ip_address"


def addresses(path: str, reverse: str) -> Relation:
    return leads("public_ip_addresses", path, PUBLIC_ADDRESS, reverse=reverse)


NETWORKS = row(
    "network.virtual_network",
    "Virtual network",
    "Microsoft.Network/virtualNetworks",
    relations=(
        leads(
            "ddos_protection_plan",
            "properties.ddosProtectionPlan.id",
            "network.ddos_protection_plan",
            reverse="virtual_networks",
        ),
        leads(
            "peers",
            "properties.virtualNetworkPeerings[].properties.remoteVirtualNetwork.id",
            "network.virtual_network",
        ),
    ),
)

SUBNETS = row(
    "network.subnet",
    "Subnet",
    "Microsoft.Network/virtualNetworks",
    inside="properties.subnets[]",
    relations=(
        child_of("virtual_network", "network.virtual_network", "subnets"),
        leads(
            "network_security_group",
            "properties.networkSecurityGroup.id",
            "network.network_security_group",
            reverse="subnets",
        ),
        leads("route_table", "properties.routeTable.id", "network.route_table", reverse="subnets"),
        leads("nat_gateway", "properties.natGateway.id", "network.nat_gateway", reverse="subnets"),
    ),
)

INTERFACES = row(
    "network.network_interface",
    "Network interface",
    "Microsoft.Network/networkInterfaces",
    relations=(
        addresses(
            "properties.ipConfigurations[].properties.publicIPAddress.id", "network_interfaces"
        ),
        leads(
            "network_security_group",
            "properties.networkSecurityGroup.id",
            "network.network_security_group",
            reverse="network_interfaces",
        ),
        leads(
            "subnets",
            "properties.ipConfigurations[].properties.subnet.id",
            "network.subnet",
            reverse="network_interfaces",
        ),
    ),
)

GROUPS = row(
    "network.network_security_group",
    "Network security group",
    "Microsoft.Network/networkSecurityGroups",
)

ADDRESSES = row(
    "network.public_ip_address", "Public IP address", "Microsoft.Network/publicIPAddresses"
)

ROUTE_TABLES = row("network.route_table", "Route table", "Microsoft.Network/routeTables")

NAT_GATEWAYS = row(
    "network.nat_gateway",
    "NAT gateway",
    "Microsoft.Network/natGateways",
    relations=(addresses("properties.publicIpAddresses[].id", "nat_gateways"),),
)

LOAD_BALANCERS = row(
    "network.load_balancer",
    "Load balancer",
    "Microsoft.Network/loadBalancers",
    relations=(
        addresses(
            "properties.frontendIPConfigurations[].properties.publicIPAddress.id", "load_balancers"
        ),
    ),
)

GATEWAYS = row(
    "network.application_gateway",
    "Application gateway",
    "Microsoft.Network/applicationGateways",
    relations=(
        addresses(
            "properties.frontendIPConfigurations[].properties.publicIPAddress.id",
            "application_gateways",
        ),
        leads(
            "firewall_policy",
            "properties.firewallPolicy.id",
            "network.application_gateway_web_application_firewall_policy",
            reverse="application_gateways",
        ),
        leads(
            "subnets",
            "properties.gatewayIPConfigurations[].properties.subnet.id",
            "network.subnet",
            reverse="application_gateways",
        ),
    ),
    drop=(
        "properties.sslCertificates[].properties.data",
        "properties.sslCertificates[].properties.password",
    ),
)

GATEWAY_POLICIES = row(
    "network.application_gateway_web_application_firewall_policy",
    "WAF policy of application gateways",
    "Microsoft.Network/applicationGatewayWebApplicationFirewallPolicies",
)

FRONT_DOOR_POLICIES = row(
    "network.front_door_web_application_firewall_policy",
    "WAF policy of Front Door",
    "Microsoft.Network/frontDoorWebApplicationFirewallPolicies",
)

FRONT_DOORS = row("network.front_door", "Front Door (classic)", "Microsoft.Network/frontDoors")

FIREWALLS = row(
    "network.azure_firewall",
    "Azure Firewall",
    "Microsoft.Network/azureFirewalls",
    relations=(
        addresses("properties.ipConfigurations[].properties.publicIPAddress.id", "firewalls"),
        leads(
            "policy", "properties.firewallPolicy.id", "network.firewall_policy", reverse="firewalls"
        ),
        leads(
            "subnets",
            "properties.ipConfigurations[].properties.subnet.id",
            "network.subnet",
            reverse="firewalls",
        ),
    ),
)

FIREWALL_POLICIES = row(
    "network.firewall_policy", "Firewall policy", "Microsoft.Network/firewallPolicies"
)

BASTIONS = row(
    "network.bastion_host",
    "Bastion host",
    "Microsoft.Network/bastionHosts",
    relations=(
        addresses("properties.ipConfigurations[].properties.publicIPAddress.id", "bastion_hosts"),
        leads(
            "subnets",
            "properties.ipConfigurations[].properties.subnet.id",
            "network.subnet",
            reverse="bastion_hosts",
        ),
    ),
)

NETWORK_GATEWAYS = row(
    "network.virtual_network_gateway",
    "VPN or ExpressRoute gateway",
    "Microsoft.Network/virtualNetworkGateways",
    relations=(
        addresses(
            "properties.ipConfigurations[].properties.publicIPAddress.id",
            "virtual_network_gateways",
        ),
        leads(
            "subnets",
            "properties.ipConfigurations[].properties.subnet.id",
            "network.subnet",
            reverse="virtual_network_gateways",
        ),
    ),
    drop=(
        "properties.vpnClientConfiguration.radiusServerSecret",
        "properties.vpnClientConfiguration.radiusServers[].radiusServerSecret",
    ),
)

CONNECTIONS = row(
    "network.connection",
    "Connection of a network gateway",
    "Microsoft.Network/connections",
    relations=(
        leads(
            "gateways",
            "properties.virtualNetworkGateway1.id",
            "network.virtual_network_gateway",
            reverse="connections",
        ),
        leads(
            "gateways",
            "properties.virtualNetworkGateway2.id",
            "network.virtual_network_gateway",
            reverse="connections",
        ),
        leads(
            "circuit",
            "properties.peer.id",
            "network.express_route_circuit",
            reverse="connections",
        ),
    ),
    drop=("properties.sharedKey", "properties.authorizationKey"),
)

CIRCUITS = row(
    "network.express_route_circuit",
    "ExpressRoute circuit",
    "Microsoft.Network/expressRouteCircuits",
    details=(
        metrics(
            "Microsoft.Network/expressRouteCircuits",
            {"bits_in": "BitsInPerSecond", "bits_out": "BitsOutPerSecond"},
            aggregation="Average,Maximum",
        ),
    ),
    drop=(
        "properties.serviceKey",
        "properties.authorizationKey",
        "properties.authorizations[].properties.authorizationKey",
        "properties.peerings[].properties.sharedKey",
    ),
)

WATCHERS = row("network.network_watcher", "Network Watcher", "Microsoft.Network/networkWatchers")

FLOW_LOGS = row(
    "network.flow_log",
    "Flow log",
    "Microsoft.Network/networkWatchers/flowLogs",
    relations=(
        child_of("network_watcher", "network.network_watcher", "flow_logs"),
        leads(
            "target",
            "properties.targetResourceId",
            "network.network_security_group",
            reverse="flow_logs",
        ),
        leads(
            "target", "properties.targetResourceId", "network.virtual_network", reverse="flow_logs"
        ),
        leads("target", "properties.targetResourceId", "network.subnet", reverse="flow_logs"),
        leads(
            "target",
            "properties.targetResourceId",
            "network.network_interface",
            reverse="flow_logs",
        ),
        leads("storage_account", "properties.storageId", "storage.storage_account"),
    ),
)

DDOS_PLANS = row(
    "network.ddos_protection_plan",
    "DDoS protection plan",
    "Microsoft.Network/ddosProtectionPlans",
)

# What a private endpoint can lead to, as far as we read it.
PRIVATE = (
    "storage.storage_account",
    "sql.server",
    "dbforpostgresql.flexible_server",
    "dbformysql.flexible_server",
    "documentdb.database_account",
    "cache.redis",
    "keyvault.vault",
    "web.site",
    "containerregistry.registry",
    "containerservice.managed_cluster",
    "servicebus.namespace",
    "eventhub.namespace",
    "search.search_service",
    "cognitiveservices.account",
    "machinelearningservices.workspace",
    "databricks.workspace",
    "synapse.workspace",
    "datafactory.factory",
    "recoveryservices.vault",
    "appconfiguration.configuration_store",
    "automation.automation_account",
)

PRIVATE_ENDPOINTS = row(
    "network.private_endpoint",
    "Private endpoint",
    "Microsoft.Network/privateEndpoints",
    relations=(
        leads("subnet", "properties.subnet.id", "network.subnet", reverse="private_endpoints"),
        *(
            leads(
                "targets",
                "properties.privateLinkServiceConnections[].properties.privateLinkServiceId",
                kind,
                reverse="private_endpoints",
            )
            for kind in PRIVATE
        ),
    ),
)

TABLES = (
    NETWORKS,
    SUBNETS,
    INTERFACES,
    GROUPS,
    ADDRESSES,
    ROUTE_TABLES,
    NAT_GATEWAYS,
    LOAD_BALANCERS,
    GATEWAYS,
    GATEWAY_POLICIES,
    FRONT_DOOR_POLICIES,
    FRONT_DOORS,
    FIREWALLS,
    FIREWALL_POLICIES,
    BASTIONS,
    NETWORK_GATEWAYS,
    CONNECTIONS,
    CIRCUITS,
    WATCHERS,
    FLOW_LOGS,
    DDOS_PLANS,
    PRIVATE_ENDPOINTS,
)
