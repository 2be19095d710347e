"""The account: who pays, who gets in, who is told, and what else belongs to a team."""

from __future__ import annotations

from infrascan.providers.digitalocean.reading import FULL, PAGES, of_account, the_account
from infrascan.providers.rest.tables import NULL, Detail, Listing

TEAM = Listing(
    kind="digitalocean.account",
    title="DigitalOcean account",
    api="GET /v2/account",
    id="{uuid}",
    name=("team.name", "name", "email"),
    shape=the_account,
    permission="account:read",
    details=(
        Detail(
            field="balance",
            api="GET /v2/customers/my/balance",
            permission="billing:read",
            fields={
                "month_to_date_balance": {},
                "account_balance": {},
                "month_to_date_usage": {},
                "generated_at": {},
            },
        ),
        Detail(
            field="invoices",
            api="GET /v2/customers/my/invoices",
            params={"per_page": 12},
            result="invoices",
            permission="billing:read",
            fields={
                "[]": {
                    "invoice_uuid": {},
                    "invoice_id": {},
                    "amount": {},
                    "invoice_period": {},
                    "updated_at": {},
                }
            },
        ),
    ),
)

PROJECTS = Listing(
    kind="digitalocean.project",
    title="DigitalOcean project",
    api="GET /v2/projects",
    items="projects[]",
    params=FULL,
    paging=PAGES,
    id="{id}",
    name=("name",),
    permission="project:read",
)

NEWEST = 200  # as many as one answer gives; the whole list goes back to the account's first day

ACTIONS = Listing(
    kind="digitalocean.action",
    title="DigitalOcean action",
    api="GET /v2/actions",
    items="actions[]",
    params={"per_page": NEWEST},
    id="{id}",
    name=("type",),
    region="{region_slug|}",
    drop=("actions[].region",),
    permission="actions:read",
    fields={
        "id": {},
        "status": {},
        "type": {},
        "started_at": {},
        "completed_at": {},
        "resource_id": {},
        "resource_type": {},
        "region_slug": {},
    },
    live=True,
)

SSH_KEYS = Listing(
    kind="digitalocean.ssh_key",
    title="DigitalOcean SSH key",
    api="GET /v2/account/keys",
    items="ssh_keys[]",
    params=FULL,
    paging=PAGES,
    id="{id}",
    name=("name",),
    permission="ssh_key:read",
)

ALERT_POLICIES = Listing(
    kind="digitalocean.alert_policy",
    title="DigitalOcean alert policy",
    api="GET /v2/monitoring/alerts",
    items="policies[]",
    params=FULL,
    paging=PAGES,
    id="{uuid}",
    name=("description", "uuid"),
    drop=("policies[].alerts.slack[].url",),
    permission="monitoring:read",
    relations=(of_account("alert_policies"),),
)

UPTIME_CHECKS = Listing(
    kind="digitalocean.uptime_check",
    title="DigitalOcean uptime check",
    api="GET /v2/uptime/checks",
    items="checks[]",
    params=FULL,
    paging=PAGES,
    id="{id}",
    name=("name",),
    permission="uptime:read",
    details=(
        Detail(
            field="alerts",
            api="GET /v2/uptime/checks/{check_id}/alerts",
            params={"check_id": "{id}", "per_page": 200},
            result="alerts[]",
            paging=PAGES,
            drop=("alerts[].notifications.slack[].url",),
            permission="uptime:read",
        ),
    ),
    relations=(of_account("uptime_checks"),),
)

SPACES_KEYS = Listing(
    kind="digitalocean.spaces_key",
    title="DigitalOcean Spaces key",
    api="GET /v2/spaces/keys",
    items="keys[]",
    params=FULL,
    paging=PAGES,
    # Redaction takes an `access_key` for a secret; `key_id` is the same, added on arrival.
    id="{key_id|access_key}",
    name=("name", "key_id"),
    drop=("keys[].secret_key",),
    permission="spaces_key:read",
)

NAMESPACES = Listing(
    kind="digitalocean.functions_namespace",
    title="DigitalOcean Functions namespace",
    api="GET /v2/functions/namespaces",
    items="namespaces[]",
    optional=NULL,
    id="{namespace}",
    name=("label", "namespace"),
    region="{region|}",
    drop=("namespaces[].key",),
    permission="function:read",
    details=(
        Detail(
            field="triggers",
            api="GET /v2/functions/namespaces/{namespace_id}/triggers",
            params={"namespace_id": "{namespace}"},
            result="triggers[]",
            optional=NULL,
            drop=("triggers[].scheduled_details.body",),  # what the function is called with
            permission="function:read",
            fields={"[]": {"name": {}, "function": {}, "type": {}, "is_enabled": {}}},
        ),
    ),
)

ACCOUNT = (
    TEAM,
    PROJECTS,
    ACTIONS,
    SSH_KEYS,
    ALERT_POLICIES,
    UPTIME_CHECKS,
    SPACES_KEYS,
    NAMESPACES,
)
