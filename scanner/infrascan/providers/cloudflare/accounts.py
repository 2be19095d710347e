"""Accounts: members, tokens, bills, domains, alerts and logs."""

from __future__ import annotations

from typing import Any

from infrascan.model import Relation
from infrascan.providers.cloudflare.tables import (
    AFTER,
    OF_ACCOUNT,
    OF_ZONE,
    PAGES,
    ZONES,
    in_account,
    in_zone,
)
from infrascan.providers.rest.tables import Listing

SETTINGS = "Account Settings Read"
USER = "user"  # the account under which a person's own tokens are read
FAR = ("com.cloudflare.api.account.zone.*", "com.cloudflare.api.account.*")


def with_super(member: dict[str, Any]) -> dict[str, Any]:
    """A member, and whether it may do everything in the account."""
    roles = [role.get("name") for role in member.get("roles") or ()]
    groups = [
        group.get("name")
        for policy in member.get("policies") or ()
        if policy.get("access") == "allow"
        for group in policy.get("permission_groups") or ()
    ]
    found = any(str(name).startswith("Super Administrator") for name in (*roles, *groups))
    return {**member, "super_administrator": found}


def with_reach(token: dict[str, Any]) -> dict[str, Any]:
    """A token, and what it may change everywhere: permissions to write on all accounts or zones."""
    found = {
        str(group.get("name"))
        for policy in token.get("policies") or ()
        if policy.get("effect") == "allow" and wide(policy.get("resources"))
        for group in policy.get("permission_groups") or ()
        if str(group.get("name")).endswith((" Write", " Edit", " Revoke"))
    }
    return {**token, "writes_everywhere": sorted(found)}


def wide(resources: Any) -> bool:
    """Whether a policy covers all zones or accounts: `{"com.cloudflare.api.account.zone.*": "*"}`."""
    if not isinstance(resources, dict):
        return False
    nested = any(isinstance(inner, dict) and wide(inner) for inner in resources.values())
    return nested or any(resources.get(name) == "*" for name in FAR)


def inside(answer: dict[str, Any]) -> dict[str, Any]:
    """The one item that an answer holds."""
    return dict(answer["result"])


ACCOUNT = Listing(
    kind="cloudflare.account",
    title="Cloudflare account",
    api="GET /accounts/{account}",
    items="",
    shape=inside,
    permission=SETTINGS,
    id="{account}",
    name=("name", "id"),
    adds={"scanned_with": "{method}"},
)

MEMBERS = Listing(
    kind="cloudflare.member",
    title="Account member",
    api="GET /accounts/{account}/members",
    items="result[]",
    params={"per_page": 50},
    paging=PAGES,
    shape=with_super,
    permission=SETTINGS,
    id="{id}",
    name=("user.email", "email", "id"),
    adds={**OF_ACCOUNT, "administers": "{super_administrator}:{account}"},
    drop=("result[].roles[].permissions", "result[].code"),
    relations=(
        in_account("members"),
        Relation(
            name="administered_account",
            path="administers",
            to="cloudflare.account",
            by="id",
            reverse="super_administrators",
            within="account",
            matching=r"^True:(.+)$",
        ),
    ),
)

ACCOUNT_TOKENS = Listing(
    kind="cloudflare.account_token",
    title="API token of an account",
    api="GET /accounts/{account}/tokens",
    items="result[]",
    params={"per_page": 50},
    paging=PAGES,
    shape=with_reach,
    permission="Account API Tokens Read",
    id="{id}",
    name=("name", "id"),
    adds=OF_ACCOUNT,
    drop=("result[].value",),
    relations=(in_account("account_tokens"),),
)

AUDIT = Listing(
    kind="cloudflare.audit_log",
    title="Change in the audit log of an account",
    api="GET /accounts/{account}/logs/audit",
    items="result[]",
    params={"since": "{day_ago_utc}", "before": "{now_utc}", "limit": 1000},
    paging=AFTER,
    permission=SETTINGS,
    id="{id}",
    name=("action.description", "action.type", "id"),
    adds=OF_ACCOUNT,
    # What was sent and answered, and from where.
    drop=("result[].resource.request", "result[].resource.response", "result[].raw",
          "result[].actor.ip_address"),
    fields={
        "id": {},
        "account": {"id": {}, "name": {}},
        "action": {"description": {}, "result": {}, "time": {}, "type": {}},
        "actor": {"id": {}, "context": {}, "email": {}, "token_id": {}, "token_name": {}, "type": {}},
        "resource": {"id": {}, "product": {}, "scope": None, "type": {}},
        "zone": {"id": {}, "name": {}},
    },
    live=True,
    relations=(in_account("audit_logs"),),
)  # fmt: skip

USER_TOKENS = Listing(
    kind="cloudflare.user_token",
    title="API token of a user",
    api="GET /user/tokens",
    items="result[]",
    params={"per_page": 50},
    paging=PAGES,
    shape=with_reach,
    permission="API Tokens Read",
    id="{id}",
    name=("name", "id"),
    drop=("result[].value",),
)

SUBSCRIPTIONS = Listing(
    kind="cloudflare.subscription",
    title="Subscription",
    api="GET /accounts/{account}/subscriptions",
    items="result[]",
    params={"page": 1},
    paging=PAGES,
    permission="Billing Read",
    id="{id}",
    name=("{rate_plan.public_name} {zone.name}", "rate_plan.public_name", "id"),
    adds={**OF_ACCOUNT, "zone_id": "{zone.id}"},
    relations=(
        Relation(
            name="billed_zone",  # `zone` is what Cloudflare says of it
            path="zone_id",
            to="cloudflare.zone",
            by="id",
            reverse="subscriptions",
            within="account",
        ),
    ),
)

DOMAINS = Listing(
    kind="cloudflare.registrar.domain",
    title="Registered domain",
    api="GET /accounts/{account}/registrar/domains",
    items="result[]",
    params={"page": 1},
    paging=PAGES,
    permission="Registrar: Domains Read",
    id="{name|id}",
    name=("name", "id"),
    adds=OF_ACCOUNT,
    drop=(
        "result[].registrant_contact",
        "result[].admin_contact",
        "result[].billing_contact",
        "result[].technical_contact",
        "result[].auth_code",
    ),
)

ALERTS = Listing(
    kind="cloudflare.alerting.policy",
    title="Notification policy",
    api="GET /accounts/{account}/alerting/v3/policies",
    items="result[]",
    permission="Notifications Read",
    id="{id}",
    name=("name", "id"),
    adds=OF_ACCOUNT,
    drop=("result[].mechanisms.pagerduty[].secret",),
    relations=(
        in_account("notification_policies"),
        Relation(
            name="webhooks",
            path="mechanisms.webhooks[].id",
            to="cloudflare.alerting.webhook",
            by="id",
            reverse="notification_policies",
            within="account",
        ),
    ),
)

WEBHOOKS = Listing(
    kind="cloudflare.alerting.webhook",
    title="Notification webhook",
    api="GET /accounts/{account}/alerting/v3/destinations/webhooks",
    items="result[]",
    permission="Notifications Read",
    id="{id}",
    name=("name", "id"),
    adds=OF_ACCOUNT,
    drop=("result[].secret",),
)

LOG_JOBS = Listing(
    kind="cloudflare.logpush.job",
    title="Logpush job of a zone",
    parents=(ZONES,),
    api="GET /zones/{zone}/logpush/jobs",
    items="result[]",
    permission="Zone Logs Read",
    id="{zone}/{id}",
    name=("name", "{dataset} of {zone_name}"),
    adds=OF_ZONE,
    drop=("result[].ownership_challenge",),
    relations=(in_zone("logpush_jobs"),),
)

ACCOUNT_LOG_JOBS = Listing(
    kind="cloudflare.logpush.account_job",
    title="Logpush job of an account",
    api="GET /accounts/{account}/logpush/jobs",
    items="result[]",
    permission="Logs Read",
    id="{id}",
    name=("name", "dataset"),
    adds=OF_ACCOUNT,
    drop=("result[].ownership_challenge",),
    relations=(in_account("logpush_jobs"),),
)

TABLES = (
    ACCOUNT,
    MEMBERS,
    ACCOUNT_TOKENS,
    AUDIT,
    USER_TOKENS,
    SUBSCRIPTIONS,
    DOMAINS,
    ALERTS,
    WEBHOOKS,
    LOG_JOBS,
    ACCOUNT_LOG_JOBS,
)
