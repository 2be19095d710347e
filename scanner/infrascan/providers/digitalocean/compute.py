"""Droplets and what they are made of: volumes, images, networks, firewalls, addresses."""

from __future__ import annotations

import dataclasses

from infrascan.providers.digitalocean.reading import (
    FULL,
    METRIC,
    NUMBER,
    PAGES,
    cpu,
    firewall,
    leads,
    of_account,
)
from infrascan.providers.rest.tables import Detail, Listing

DROPLETS = Listing(
    kind="digitalocean.droplet",
    title="Droplet",
    api="GET /v2/droplets",
    items="droplets[]",
    params=FULL,
    paging=PAGES,
    id="{id}",
    name=("name",),
    region="{region.slug|}",
    adds={"tag_names": "{tags}"},  # as a list, which firewalls name
    tags="tags",
    permission="droplet:read",
    details=(
        Detail(
            field="metrics",
            api="GET /v2/monitoring/metrics/droplet/cpu",
            params={"host_id": "{id}", "start": "{fortnight_ago}", "end": "{now}"},
            result="data",
            when="status=active",
            shape=cpu,
            permission="monitoring:read",
            fields=METRIC,
        ),
    ),
    relations=(
        of_account("droplets"),
        leads("vpc", "vpc_uuid", "vpc", "droplets"),
        leads("custom_image", "image.id", "image", "droplets", matching=NUMBER),
    ),
)

# The list leaves GPU Droplets out unless it is asked for them alone: a second list of one kind.
GPU_DROPLETS = dataclasses.replace(DROPLETS, params={**FULL, "type": "gpus"})

VOLUMES = Listing(
    kind="digitalocean.volume",
    title="DigitalOcean volume",
    api="GET /v2/volumes",
    items="volumes[]",
    params=FULL,
    paging=PAGES,
    id="{id}",
    name=("name",),
    region="{region.slug|}",
    tags="tags",
    permission="block_storage:read",
    relations=(leads("droplets", "droplet_ids[]", "droplet", "volumes", matching=NUMBER),),
)

SNAPSHOTS = Listing(
    kind="digitalocean.snapshot",
    title="DigitalOcean snapshot",
    api="GET /v2/snapshots",
    items="snapshots[]",
    params=FULL,
    paging=PAGES,
    id="{id}",
    name=("name",),
    tags="tags",
    permission="snapshot:read",
    relations=(
        leads("source", "resource_id", "droplet", "snapshots", missing="missing_sources"),
        leads("source", "resource_id", "volume", "snapshots", missing="missing_sources"),
    ),
)

IMAGES = Listing(
    kind="digitalocean.image",
    title="DigitalOcean custom image",
    api="GET /v2/images",
    items="images[]",
    only="type=custom",  # snapshots and backups are in the same list, and read elsewhere
    params={**FULL, "private": True},
    paging=PAGES,
    id="{id}",
    name=("name",),
    tags="tags",
    permission="image:read",
)

FIREWALLS = Listing(
    kind="digitalocean.firewall",
    title="DigitalOcean Cloud Firewall",
    api="GET /v2/firewalls",
    items="firewalls[]",
    params=FULL,
    paging=PAGES,
    id="{id}",
    name=("name",),
    shape=firewall,
    permission="firewall:read",
    relations=(
        leads("droplets", "droplet_ids[]", "droplet", "firewalls", matching=NUMBER),
        leads("droplets", "tags[]", "droplet", "firewalls", by="tag_names[]"),
    ),
)

VPCS = Listing(
    kind="digitalocean.vpc",
    title="DigitalOcean VPC",
    api="GET /v2/vpcs",
    items="vpcs[]",
    params=FULL,
    paging=PAGES,
    id="{id}",
    name=("name",),
    region="{region|}",
    permission="vpc:read",
)

RESERVED_IPS = Listing(
    kind="digitalocean.reserved_ip",
    title="DigitalOcean reserved IP",
    api="GET /v2/reserved_ips",
    items="reserved_ips[]",
    params=FULL,
    paging=PAGES,
    id="{ip}",
    name=("ip",),
    region="{region.slug|}",
    permission="reserved_ip:read",
    relations=(leads("of_droplet", "droplet.id", "droplet", "reserved_ips", matching=NUMBER),),
)

COMPUTE = (DROPLETS, VOLUMES, SNAPSHOTS, IMAGES, FIREWALLS, VPCS, RESERVED_IPS)
