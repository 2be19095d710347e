"""Networks, their firewalls, routes, addresses and tunnels; DNS."""

from __future__ import annotations

from infrascan.model import Relation
from infrascan.providers.gcp.asking import Parent, compute, listed
from infrascan.providers.gcp.tables import PAGED, Asset, Metric, address

DNS = "GET dns.googleapis.com/dns/v1/projects/{project}"

NETWORKS = Asset(
    kind="gcp.compute.network",
    title="VPC network",
    types=("compute.googleapis.com/Network",),
    schema="compute:v1:Network",
    policy=False,
    rest=compute(
        "gcp.compute.network",
        "VPC network",
        "networks",
        "compute.networks.list",
        aggregated=False,
    ),
)

SUBNETWORKS = Asset(
    kind="gcp.compute.subnetwork",
    title="Subnetwork",
    types=("compute.googleapis.com/Subnetwork",),
    schema="compute:v1:Subnetwork",
    rest=compute("gcp.compute.subnetwork", "Subnetwork", "subnetworks", "compute.subnetworks.list"),
    relations=(address("network_of", "network", "gcp.compute.network", "subnetwork_list"),),
)

FIREWALLS = Asset(
    kind="gcp.compute.firewall",
    title="Firewall rule",
    types=("compute.googleapis.com/Firewall",),
    schema="compute:v1:Firewall",
    policy=False,
    rest=compute(
        "gcp.compute.firewall",
        "Firewall rule",
        "firewalls",
        "compute.firewalls.list",
        aggregated=False,
    ),
    adds={
        "applies_to": {"[]": {}},
        "opens": {"[]": {"protocol": {}, "from": {}, "to": {}}},
    },
    relations=(address("network_of", "network", "gcp.compute.network", "firewalls"),),
)

ROUTES = Asset(
    kind="gcp.compute.route",
    title="Route",
    types=("compute.googleapis.com/Route",),
    schema="compute:v1:Route",
    policy=False,
    rest=compute("gcp.compute.route", "Route", "routes", "compute.routes.list", aggregated=False),
    relations=(
        address("network_of", "network", "gcp.compute.network", "routes"),
        address("next_instance", "nextHopInstance", "gcp.compute.instance", "routes"),
    ),
)

ROUTERS = Asset(
    kind="gcp.compute.router",
    title="Cloud Router",
    types=("compute.googleapis.com/Router",),
    schema="compute:v1:Router",
    policy=False,
    rest=compute("gcp.compute.router", "Cloud Router", "routers", "compute.routers.list"),
    drop=("md5AuthenticationKeys[].key",),
    relations=(
        address("network_of", "network", "gcp.compute.network", "routers"),
        address("nat_addresses", "nats[].natIps[]", "gcp.compute.address", "routers"),
    ),
    metrics=(
        Metric(
            name="nat_sent",
            type="router.googleapis.com/nat/sent_bytes_count",
            resource="nat_gateway",
            by="resource.router_id",
            match="{id}",
            aligners=("ALIGN_DELTA",),
            reducer="REDUCE_SUM",
        ),
    ),
)

ADDRESSES = Asset(
    kind="gcp.compute.address",
    title="Static address",
    types=("compute.googleapis.com/Address", "compute.googleapis.com/GlobalAddress"),
    schema="compute:v1:Address",
    policy=False,
    rest=compute("gcp.compute.address", "Static address", "addresses", "compute.addresses.list"),
    recommenders=("google.compute.address.IdleResourceRecommender",),
)

TUNNELS = Asset(
    kind="gcp.compute.vpn_tunnel",
    title="VPN tunnel",
    types=("compute.googleapis.com/VpnTunnel",),
    schema="compute:v1:VpnTunnel",
    policy=False,
    rest=compute("gcp.compute.vpn_tunnel", "VPN tunnel", "vpnTunnels", "compute.vpnTunnels.list"),
    drop=("sharedSecret", "sharedSecretHash"),
    relations=(
        address("gateway", "vpnGateway", "gcp.compute.vpn_gateway", "tunnels"),
        address("cloud_router", "router", "gcp.compute.router", "tunnels"),
    ),
    metrics=(
        Metric(
            name="sent",
            type="vpn.googleapis.com/network/sent_bytes_count",
            resource="vpn_gateway",
            by="metric.tunnel_name",
            match="{name}",
            aligners=("ALIGN_DELTA",),
            reducer="REDUCE_SUM",
        ),
    ),
)

GATEWAYS = Asset(
    kind="gcp.compute.vpn_gateway",
    title="HA VPN gateway",
    types=("compute.googleapis.com/VpnGateway",),
    schema="compute:v1:VpnGateway",
    policy=False,
    rest=compute(
        "gcp.compute.vpn_gateway", "HA VPN gateway", "vpnGateways", "compute.vpnGateways.list"
    ),
    relations=(address("network_of", "network", "gcp.compute.network", "vpn_gateways"),),
)

CONNECTORS = Asset(
    kind="gcp.vpcaccess.connector",
    title="Serverless VPC Access connector",
    types=("vpcaccess.googleapis.com/Connector",),
    schema="vpcaccess:v1:Connector",
    policy=False,
    rest=listed(
        "gcp.vpcaccess.connector",
        "Serverless VPC Access connector",
        "GET vpcaccess.googleapis.com/v1/projects/{project}/locations/{location}/connectors",
        "connectors[]",
        "vpcaccess.connectors.list",
        region="{location}",
        parents=(
            Parent(
                api="GET vpcaccess.googleapis.com/v1/projects/{project}/locations",
                items="locations[]",
                gives={"location": "locationId"},
                paging=PAGED,
                permission="vpcaccess.locations.list",
            ),
        ),
    ),
)

ZONES = Asset(
    kind="gcp.dns.managed_zone",
    title="DNS zone",
    types=("dns.googleapis.com/ManagedZone",),
    schema="dns:v1:ManagedZone",
    id="projects/{account}/managedZones/{name}",
    rest=listed(
        "gcp.dns.managed_zone",
        "DNS zone",
        f"{DNS}/managedZones",
        "managedZones[]",
        "dns.managedZones.list",
        id="projects/{account}/managedZones/{name}",
    ),
)

RECORDS = Asset(
    kind="gcp.dns.resource_record_set",
    title="DNS record",
    schema="dns:v1:ResourceRecordSet",
    container="gcp.dns.managed_zone",
    name=("{type} {name}",),
    policy=False,
    rest=listed(
        "gcp.dns.resource_record_set",
        "DNS record",
        f"{DNS}/managedZones/{{managedZone}}/rrsets",
        "rrsets[]",
        "dns.resourceRecordSets.list",
        id="projects/{account}/managedZones/{managedZone}/rrsets/{name}/{type}",
        parents=(
            Parent(
                api=f"{DNS}/managedZones",
                items="managedZones[]",
                gives={"managedZone": "name", "visibility": "visibility"},
                paging=PAGED,
                permission="dns.managedZones.list",
                optional=True,
            ),
        ),
        adds={
            "managed_zone": "projects/{account}/managedZones/{managedZone}",
            "visibility": "{visibility}",
        },
    ),
    relations=(
        Relation(
            name="zone",
            path="managed_zone",
            to="gcp.dns.managed_zone",
            by="id",
            reverse="records",
            within="account",
        ),
        Relation(
            name="addresses",
            path="rrdatas[]",
            to="gcp.compute.address",
            by="address",
            reverse="dns_records",
            within="anywhere",
        ),
        Relation(
            name="buckets",
            path="name",
            to="gcp.storage.bucket",
            by="id",
            reverse="dns_records",
            within="anywhere",
            matching=r"^(.+)\.$",
        ),
    ),
)

DNS_POLICIES = Asset(
    kind="gcp.dns.policy",
    title="DNS server policy",
    types=("dns.googleapis.com/Policy",),
    schema="dns:v1:Policy",
    id="projects/{account}/policies/{name}",
    policy=False,
    rest=listed(
        "gcp.dns.policy",
        "DNS server policy",
        f"{DNS}/policies",
        "policies[]",
        "dns.policies.list",
        id="projects/{account}/policies/{name}",
    ),
    relations=(
        address("network_list", "networks[].networkUrl", "gcp.compute.network", "dns_policies"),
    ),
)

TABLES = (
    NETWORKS,
    SUBNETWORKS,
    FIREWALLS,
    ROUTES,
    ROUTERS,
    ADDRESSES,
    TUNNELS,
    GATEWAYS,
    CONNECTORS,
    ZONES,
    RECORDS,
    DNS_POLICIES,
)
