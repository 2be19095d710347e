"""What faces the outside: load balancers, certificates, DNS, and Storage Boxes."""

from __future__ import annotations

from infrascan.model import Relation
from infrascan.providers.hetzner.reading import FULL, PAGES, READ, leads, of_project
from infrascan.providers.rest.tables import Listing, Parent

LOAD_BALANCERS = Listing(
    kind="hetzner.load_balancer",
    title="Hetzner load balancer",
    api="GET /load_balancers",
    items="load_balancers[]",
    params=FULL,
    paging=PAGES,
    id="{id}",
    name=("name",),
    region="{location.name|}",
    tags="labels",
    permission=READ,
    relations=(
        of_project("load_balancers"),
        leads("servers", "targets[].server.id", "server", "serving_load_balancers"),
        # A target by labels holds the servers that the labels lead to.
        leads("servers", "targets[].targets[].server.id", "server", "serving_load_balancers"),
        leads(
            "certificates",
            "services[].http.certificates[]",
            "certificate",
            "load_balancers",
            missing="missing_certificates",
        ),
    ),
)

CERTIFICATES = Listing(
    kind="hetzner.certificate",
    title="Hetzner certificate",
    api="GET /certificates",
    items="certificates[]",
    params=FULL,
    paging=PAGES,
    id="{id}",
    name=("name",),
    tags="labels",
    drop=("certificates[].certificate",),  # the chain in PEM: public, large, and of no use here
    permission=READ,
)

ZONES = Listing(
    kind="hetzner.zone",
    title="Hetzner DNS zone",
    api="GET /zones",
    items="zones[]",
    params=FULL,
    paging=PAGES,
    id="{id}",
    name=("name",),
    tags="labels",
    drop=("zones[].primary_nameservers[].tsig_key",),
    permission=READ,
)

RRSETS = Listing(
    kind="hetzner.rrset",
    title="Hetzner DNS record set",
    parents=(
        Parent(
            api="GET /zones",
            items="zones[]",
            params=FULL,
            paging=PAGES,
            gives={"id_or_name": "id", "zone_name": "name"},
            when="mode=primary",  # the sets of a secondary zone are kept elsewhere
            drop=("zones[].primary_nameservers[].tsig_key",),
            permission=READ,
        ),
    ),
    api="GET /zones/{id_or_name}/rrsets",
    items="rrsets[]",
    params=FULL,
    paging=PAGES,
    id="{zone_name}/{id}",
    name=("{name}.{zone_name}/{type}",),
    adds={"zone_name": "{zone_name}"},
    tags="labels",
    permission=READ,
    relations=(
        leads("in_zone", "zone", "zone", "rrsets"),
        Relation(
            name="servers",
            path="records[].value",
            to="hetzner.server",
            by="public_net.ipv4.ip",
            reverse="rrsets",
            within="account",
        ),
        Relation(
            name="primary_ips",
            path="records[].value",
            to="hetzner.primary_ip",
            by="ip",
            reverse="rrsets",
            within="account",
        ),
        Relation(
            name="floating_ips",
            path="records[].value",
            to="hetzner.floating_ip",
            by="ip",
            reverse="rrsets",
            within="account",
        ),
    ),
)

STORAGE_BOXES = Listing(
    kind="hetzner.storage_box",
    title="Hetzner Storage Box",
    api="GET /storage_boxes",
    items="storage_boxes[]",
    params=FULL,
    paging=PAGES,
    id="{id}",
    name=("name",),
    region="{location.name|}",
    tags="labels",
    permission=READ,
    relations=(of_project("storage_boxes"),),
)

EDGE = (LOAD_BALANCERS, CERTIFICATES, ZONES, RRSETS, STORAGE_BOXES)
