"""Zero Trust: tunnels, and who may pass to what is behind Access."""

from __future__ import annotations

from typing import Any

from infrascan.model import Relation
from infrascan.providers.cloudflare.tables import OF_ACCOUNT, PAGES, in_account
from infrascan.providers.rest.tables import Detail, Listing

APPS = "Access: Apps and Policies Read"
PROVIDERS = "Access: Organizations, Identity Providers, and Groups Read"
TUNNELS_READ = "Cloudflare Tunnel Read"
ADMINISTRATION = ("ssh:", "rdp:", "smb:", "tcp:")


def with_hosts(application: dict[str, Any]) -> dict[str, Any]:
    """An Access application with the host names it stands before, without paths."""
    found = [application.get("domain"), *(application.get("self_hosted_domains") or ())]
    found += [
        place.get("uri")
        for place in application.get("destinations") or ()
        if isinstance(place, dict) and place.get("type") == "public"
    ]
    hosts = dict.fromkeys(str(one).partition("/")[0].lower() for one in found if one)
    return {**application, "hosts": list(hosts)}


def with_administration(configuration: dict[str, Any]) -> dict[str, Any]:
    """A tunnel's configuration with the host names that lead to shells, desktops and raw ports.

    Each comes with the wildcards that an Access application in front of it may have.
    """
    ingress = (configuration.get("config") or {}).get("ingress") or ()
    hosts = [
        str(entry["hostname"]).lower()
        for entry in ingress
        if entry.get("hostname") and str(entry.get("service") or "").startswith(ADMINISTRATION)
    ]
    wild = ["*." + host.partition(".")[2] for host in hosts]
    return {
        **configuration,
        "administration_hosts": hosts,
        "guarding_hosts": list(dict.fromkeys([*hosts, *wild])),
    }


TUNNELS = Listing(
    kind="cloudflare.tunnel",
    title="Cloudflare Tunnel",
    api="GET /accounts/{account}/cfd_tunnel",
    items="result[]",
    params={"is_deleted": False, "per_page": 100},
    paging=PAGES,
    permission=TUNNELS_READ,
    id="{id}",
    name=("name", "id"),
    adds=OF_ACCOUNT,
    drop=("result[].credentials_file", "result[].token"),
    details=(
        Detail(
            field="connectors",
            api="GET /accounts/{account}/cfd_tunnel/{tunnel}/connections",
            params={"tunnel": "{id}"},
            result="result[]",
            permission=TUNNELS_READ,
        ),
        Detail(
            field="configuration",
            api="GET /accounts/{account}/cfd_tunnel/{tunnel}/configurations",
            params={"tunnel": "{id}"},
            result="result",
            when="remote_config=True",  # the others keep it beside the connector
            shape=with_administration,
            permission=TUNNELS_READ,
            fields={
                "version": {},
                "config": {
                    "ingress": {
                        "[]": {"hostname": {}, "path": {}, "service": {}, "originRequest": None}
                    },
                    "originRequest": None,
                    "warp-routing": None,
                },
                "administration_hosts": {"[]": {}},
                "guarding_hosts": {"[]": {}},
            },
        ),
    ),
    relations=(
        in_account("tunnels"),
        Relation(
            name="guarding_applications",
            path="configuration.guarding_hosts[]",
            to="cloudflare.access.application",
            by="hosts[]",
            reverse="guarded_tunnels",
            within="account",
        ),
    ),
)

APPLICATIONS = Listing(
    kind="cloudflare.access.application",
    title="Access application",
    api="GET /accounts/{account}/access/apps",
    items="result[]",
    params={"per_page": 50},
    paging=PAGES,
    shape=with_hosts,
    permission=APPS,
    id="{id}",
    name=("name", "domain", "id"),
    adds=OF_ACCOUNT,
    drop=(
        "result[].scim_config.authentication",
        "result[].saas_app.client_secret",
        "result[].policies",
    ),
    details=(
        Detail(
            field="policies",
            api="GET /accounts/{account}/access/apps/{app}/policies",
            params={"app": "{id}", "per_page": 50},
            result="result[]",
            paging=PAGES,
            permission=APPS,
        ),
    ),
    relations=(
        Relation(
            name="groups",
            path="policies[].include[].group.id",
            to="cloudflare.access.group",
            by="id",
            reverse="applications",
            within="account",
        ),
        Relation(
            name="service_tokens",
            path="policies[].include[].service_token.token_id",
            to="cloudflare.access.service_token",
            by="id",
            reverse="applications",
            within="account",
        ),
        Relation(
            name="identity_providers",
            path="allowed_idps[]",
            to="cloudflare.access.identity_provider",
            by="id",
            reverse="applications",
            within="account",
        ),
    ),
)

GROUPS = Listing(
    kind="cloudflare.access.group",
    title="Access group",
    api="GET /accounts/{account}/access/groups",
    items="result[]",
    params={"per_page": 50},
    paging=PAGES,
    permission=PROVIDERS,
    id="{id}",
    name=("name", "id"),
    adds=OF_ACCOUNT,
)

IDENTITY_PROVIDERS = Listing(
    kind="cloudflare.access.identity_provider",
    title="Access identity provider",
    api="GET /accounts/{account}/access/identity_providers",
    items="result[]",
    params={"per_page": 50},
    paging=PAGES,
    permission=PROVIDERS,
    id="{id}",
    name=("name", "type", "id"),
    adds=OF_ACCOUNT,
    drop=("result[].config.client_secret", "result[].scim_config.secret"),
)

SERVICE_TOKENS = Listing(
    kind="cloudflare.access.service_token",
    title="Access service token",
    api="GET /accounts/{account}/access/service_tokens",
    items="result[]",
    params={"per_page": 50},
    paging=PAGES,
    permission="Access: Service Tokens Read",
    id="{id}",
    name=("name", "id"),
    adds=OF_ACCOUNT,
    drop=("result[].client_secret",),
)

USERS = Listing(
    kind="cloudflare.access.user",
    title="Zero Trust user",
    api="GET /accounts/{account}/access/users",
    items="result[]",
    params={"per_page": 100},
    paging=PAGES,
    permission=PROVIDERS,
    id="{id}",
    name=("email", "name", "id"),
    adds=OF_ACCOUNT,
)

TABLES = (TUNNELS, APPLICATIONS, GROUPS, IDENTITY_PROVIDERS, SERVICE_TOKENS, USERS)
