"""Servers and what they are made of: volumes, images, networks, firewalls, addresses, keys."""

from __future__ import annotations

from infrascan.providers.hetzner.reading import (
    FULL,
    METRIC,
    PAGES,
    READ,
    cpu,
    firewall,
    leads,
    of_project,
)
from infrascan.providers.rest.tables import Detail, Listing

PROJECT = Listing(
    kind="hetzner.project",
    title="Hetzner Cloud project",
    api="GET /pricing",
    id="{account}",
    name=("{account}",),
    permission=READ,
)

SERVERS = Listing(
    kind="hetzner.server",
    title="Hetzner server",
    api="GET /servers",
    items="servers[]",
    params=FULL,
    paging=PAGES,
    id="{id}",
    name=("name",),
    region="{location.name|}",
    tags="labels",
    permission=READ,
    details=(
        Detail(
            field="metrics",
            api="GET /servers/{id}/metrics",
            params={"type": "cpu", "start": "{from}", "end": "{until}", "step": 3600},
            result="metrics",
            when="status=running",
            shape=cpu,
            permission=READ,
            fields=METRIC,
        ),
    ),
    relations=(
        of_project("servers"),
        leads("firewalls", "public_net.firewalls[].id", "firewall", "servers"),
        leads("networks", "private_net[].network", "network", "member_servers"),
        leads("placement", "placement_group.id", "placement_group", "members"),
    ),
)

VOLUMES = Listing(
    kind="hetzner.volume",
    title="Hetzner volume",
    api="GET /volumes",
    items="volumes[]",
    params=FULL,
    paging=PAGES,
    id="{id}",
    name=("name",),
    region="{location.name|}",
    tags="labels",
    permission=READ,
    relations=(
        of_project("volumes"),
        leads("attached_server", "server", "server", "attached_volumes"),
    ),
)

IMAGES = Listing(
    kind="hetzner.image",
    title="Hetzner snapshot or backup",
    api="GET /images",
    items="images[]",
    params={**FULL, "type": ["snapshot", "backup"]},
    paging=PAGES,
    id="{id}",
    name=("description", "name"),
    tags="labels",
    permission=READ,
    relations=(
        of_project("images"),
        leads(
            "source_server", "created_from.id", "server", "own_images", missing="missing_servers"
        ),
        leads("backup_of", "bound_to", "server", "backups"),
    ),
)

NETWORKS = Listing(
    kind="hetzner.network",
    title="Hetzner private network",
    api="GET /networks",
    items="networks[]",
    params=FULL,
    paging=PAGES,
    id="{id}",
    name=("name",),
    tags="labels",
    permission=READ,
)

FIREWALLS = Listing(
    kind="hetzner.firewall",
    title="Hetzner firewall",
    api="GET /firewalls",
    items="firewalls[]",
    params=FULL,
    paging=PAGES,
    id="{id}",
    name=("name",),
    tags="labels",
    shape=firewall,
    permission=READ,
)

PRIMARY_IPS = Listing(
    kind="hetzner.primary_ip",
    title="Hetzner primary IP",
    api="GET /primary_ips",
    items="primary_ips[]",
    params=FULL,
    paging=PAGES,
    id="{id}",
    name=("name", "ip"),
    region="{location.name|}",
    tags="labels",
    permission=READ,
    relations=(
        of_project("primary_ips"),
        leads("server", "assignee_id", "server", "primary_ips"),
    ),
)

FLOATING_IPS = Listing(
    kind="hetzner.floating_ip",
    title="Hetzner floating IP",
    api="GET /floating_ips",
    items="floating_ips[]",
    params=FULL,
    paging=PAGES,
    id="{id}",
    name=("name", "ip"),
    region="{home_location.name|}",
    tags="labels",
    permission=READ,
    relations=(
        of_project("floating_ips"),
        leads("assigned_server", "server", "server", "floating_ips"),
    ),
)

PLACEMENT_GROUPS = Listing(
    kind="hetzner.placement_group",
    title="Hetzner placement group",
    api="GET /placement_groups",
    items="placement_groups[]",
    params=FULL,
    paging=PAGES,
    id="{id}",
    name=("name",),
    tags="labels",
    permission=READ,
)

SSH_KEYS = Listing(
    kind="hetzner.ssh_key",
    title="Hetzner SSH key",
    api="GET /ssh_keys",
    items="ssh_keys[]",
    params=FULL,
    paging=PAGES,
    id="{id}",
    name=("name",),
    tags="labels",
    permission=READ,
)

COMPUTE = (
    PROJECT,
    SERVERS,
    VOLUMES,
    IMAGES,
    NETWORKS,
    FIREWALLS,
    PRIMARY_IPS,
    FLOATING_IPS,
    PLACEMENT_GROUPS,
    SSH_KEYS,
)
