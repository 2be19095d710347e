"""What faces the outside: load balancers, certificates, DNS, CDN endpoints."""

from __future__ import annotations

from infrascan.providers.digitalocean.reading import FULL, NUMBER, PAGES, leads
from infrascan.providers.rest.tables import Listing, Parent

APP_HOST = r"^([^/]*\.ondigitalocean\.app)\.?$"
CDN_HOST = r"^([^/]*\.digitaloceanspaces\.com)\.?$"

LOAD_BALANCERS = Listing(
    kind="digitalocean.load_balancer",
    title="DigitalOcean load balancer",
    api="GET /v2/load_balancers",
    items="load_balancers[]",
    params=FULL,
    paging=PAGES,
    id="{id}",
    name=("name",),
    region="{region.slug|}",
    permission="load_balancer:read",
    relations=(
        leads("droplets", "droplet_ids[]", "droplet", "load_balancers", matching=NUMBER),
        leads("vpc", "vpc_uuid", "vpc", "load_balancers"),
        leads(
            "certificates",
            "forwarding_rules[].certificate_id",
            "certificate",
            "load_balancers",
            missing="missing_certificates",
        ),
    ),
)

CERTIFICATES = Listing(
    kind="digitalocean.certificate",
    title="DigitalOcean certificate",
    api="GET /v2/certificates",
    items="certificates[]",
    params=FULL,
    paging=PAGES,
    id="{id}",
    name=("name",),
    permission="certificate:read",
)

DOMAINS = Listing(
    kind="digitalocean.domain",
    title="DigitalOcean domain",
    api="GET /v2/domains",
    items="domains[]",
    params=FULL,
    paging=PAGES,
    id="{name}",
    name=("name",),
    drop=("domains[].zone_file",),  # the records again, as text
    permission="domain:read",
)

RECORDS = Listing(
    kind="digitalocean.domain_record",
    title="DigitalOcean DNS record",
    parents=(
        Parent(
            api="GET /v2/domains",
            items="domains[]",
            params=FULL,
            paging=PAGES,
            gives={"domain_name": "name"},
            drop=("domains[].zone_file",),
            permission="domain:read",
        ),
    ),
    api="GET /v2/domains/{domain_name}/records",
    items="domain_records[]",
    params=FULL,
    paging=PAGES,
    id="{domain_name}/{id}",
    name=("{name}.{domain_name}",),
    adds={"domain_name": "{domain_name}"},
    permission="domain:read",
    relations=(
        leads("domain", "domain_name", "domain", "records"),
        leads("droplets", "data", "droplet", "records", by="networks.v4[].ip_address"),
        leads("reserved_ips", "data", "reserved_ip", "records", by="ip"),
        leads("load_balancers", "data", "load_balancer", "records", by="ip"),
        leads(
            "apps",
            "data",
            "app",
            "records",
            by="default_host",
            matching=APP_HOST,
            missing="missing_apps",
        ),
        leads(
            "cdn_endpoints",
            "data",
            "cdn_endpoint",
            "records",
            by="endpoint",
            matching=CDN_HOST,
        ),
    ),
)

CDN_ENDPOINTS = Listing(
    kind="digitalocean.cdn_endpoint",
    title="DigitalOcean CDN endpoint",
    api="GET /v2/cdn/endpoints",
    items="endpoints[]",
    params=FULL,
    paging=PAGES,
    id="{id}",
    name=("custom_domain", "endpoint"),
    permission="cdn:read",
    relations=(leads("certificate", "certificate_id", "certificate", "cdn_endpoints"),),
)

EDGE = (LOAD_BALANCERS, CERTIFICATES, DOMAINS, RECORDS, CDN_ENDPOINTS)
