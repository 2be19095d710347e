"""What all of Cloudflare's tables share, and the tables in one sequence.

Permissions are the permission groups that a token is made of, by the names that Cloudflare gives
them. An account's kinds carry `account_id`, a zone's `zone_id` and `zone_name`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infrascan.model import Relation
from infrascan.providers.rest.tables import Paging, Parent

PAGES = Paging(param="page", pages="result_info.total_pages", total="result_info.total_count")
CURSOR = Paging(param="cursor", token="result_info.cursor")  # noqa: S106 (a path)
AFTER = Paging(param="cursor", token="result_info.cursors.after")  # noqa: S106 (a path)

ZONE_READ = "Zone Read"
PERMISSIONS: Mapping[str, str] = {
    # permission group -> what it is granted on
    "Account Settings Read": "account",
    "Account API Tokens Read": "account",
    "API Tokens Read": "user",
    "Access: Apps and Policies Read": "account",
    "Access: Organizations, Identity Providers, and Groups Read": "account",
    "Access: Service Tokens Read": "account",
    "Account Firewall Access Rules Read": "account",
    "Account WAF Read": "account",
    "Billing Read": "account",
    "Bot Management Read": "zone",
    "Cloudflare Tunnel Read": "account",
    "D1 Read": "account",
    "DNS Read": "zone",
    "Domain Page Shield Read": "zone",
    "Firewall Services Read": "zone",
    "Health Checks Read": "zone",
    "Load Balancers Read": "zone",
    "Load Balancing: Monitors and Pools Read": "account",
    "Logs Read": "account",
    "Notifications Read": "account",
    "Page Rules Read": "zone",
    "Pages Read": "account",
    "Queues Read": "account",
    "Registrar: Domains Read": "account",
    "SSL and Certificates Read": "zone",
    "Workers KV Storage Read": "account",
    "Workers R2 Storage Read": "account",
    "Workers Routes Read": "zone",
    "Workers Scripts Read": "account",
    "Zone Logs Read": "zone",
    "Zone Read": "zone",
    "Zone Settings Read": "zone",
    "Zone WAF Read": "zone",
}

ZONES = Parent(
    api="GET /zones",
    items="result[]",
    params={"account.id": "{account}", "per_page": 50},
    paging=PAGES,
    gives={"zone": "id", "zone_name": "name"},
    permission=ZONE_READ,
)
OF_ZONE: Mapping[str, Any] = {"zone_id": "{zone}", "zone_name": "{zone_name}"}
OF_ACCOUNT: Mapping[str, Any] = {"account_id": "{account}"}


def in_zone(reverse: str) -> Relation:
    """The edge from something in a zone to the zone."""
    return Relation(
        name="zone",
        path="zone_id",
        to="cloudflare.zone",
        by="id",
        reverse=reverse,
        within="account",
    )


def in_account(reverse: str) -> Relation:
    """The edge from something of an account to the account."""
    return Relation(
        name="owner_account",
        path="account_id",
        to="cloudflare.account",
        by="id",
        reverse=reverse,
        within="account",
    )
