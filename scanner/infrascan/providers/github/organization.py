"""An organisation: its settings, people, teams, Apps and webhooks."""

from __future__ import annotations

from typing import Any

from infrascan.model import Relation
from infrascan.providers.github.words import (
    COPILOT,
    COUNTED,
    LINKED,
    MEMBERS,
    METADATA,
    ORG,
    ORGANIZATION,
    ORGANIZATION_HOOKS,
    PACKAGES,
    PAGE,
    scalars,
)
from infrascan.providers.rest.tables import Batch, Detail, Listing


def logins(people: Any) -> list[str]:
    return sorted(person["login"] for person in people)


def setting(field: str, api: str, **more: Any) -> Detail:
    return Detail(field=field, api=f"{ORG}/{api}", permission=ORGANIZATION, **more)


ORGANIZATIONS = Listing(
    kind="github.organization",
    title="GitHub organisation",
    api=ORG,
    id="{login}",
    name=("login",),
    permission=ORGANIZATION,
    details=(
        Detail(
            field="owners",
            api=f"{ORG}/members",
            params={**PAGE, "role": "admin"},
            result="items[]",
            paging=LINKED,
            shape=logins,
            permission=MEMBERS,
            fields={"[]": {}},
        ),
        Detail(
            field="members_without_2fa",
            api=f"{ORG}/members",
            params={**PAGE, "filter": "2fa_disabled"},
            result="items[]",
            paging=LINKED,
            shape=logins,
            permission=f"{MEMBERS}, as an owner",
            fields={"[]": {}},
        ),
        setting("actions_permissions", "actions/permissions"),
        setting(
            "selected_actions",
            "actions/permissions/selected-actions",
            absent=("409",),  # all actions are allowed, or none
        ),
        setting("workflow_permissions", "actions/permissions/workflow"),
        setting("fork_pull_requests", "actions/permissions/fork-pr-contributor-approval"),
        setting(
            "private_fork_pull_requests", "actions/permissions/fork-pr-workflows-private-repos"
        ),
        setting("retention", "actions/permissions/artifact-and-log-retention"),
        setting("self_hosted_runners", "actions/permissions/self-hosted-runners"),
        setting("oidc_subject", "actions/oidc/customization/sub"),
        setting("cache_usage", "actions/cache/usage"),
    ),
)

MEMBER = Listing(
    kind="github.member",
    title="Member of a GitHub organisation",
    api=f"{ORG}/members",
    params={**PAGE, "role": "all"},
    items="items[]",
    paging=LINKED,
    id="{login}",
    name=("login",),
    permission=MEMBERS,
    details=(
        Batch(
            field="is_owner",
            api=f"{ORG}/members",
            params={**PAGE, "role": "admin"},
            result="items[]",
            paging=LINKED,
            by="login",
            match="{login}",
            shape=bool,
            otherwise=False,
            permission=MEMBERS,
            fields={},
        ),
        Batch(
            field="two_factor_disabled",
            api=f"{ORG}/members",
            params={**PAGE, "filter": "2fa_disabled"},
            result="items[]",
            paging=LINKED,
            by="login",
            match="{login}",
            shape=bool,
            otherwise=False,
            permission=f"{MEMBERS}, as an owner",
            fields={},
        ),
    ),
)

OUTSIDE_COLLABORATORS = Listing(
    kind="github.outside_collaborator",
    title="Outside collaborator of a GitHub organisation",
    api=f"{ORG}/outside_collaborators",
    params=PAGE,
    items="items[]",
    paging=LINKED,
    id="{login}",
    name=("login",),
    permission=MEMBERS,
    details=(
        Batch(
            field="two_factor_disabled",
            api=f"{ORG}/outside_collaborators",
            params={**PAGE, "filter": "2fa_disabled"},
            result="items[]",
            paging=LINKED,
            by="login",
            match="{login}",
            shape=bool,
            otherwise=False,
            permission=f"{MEMBERS}, as an owner",
            fields={},
        ),
    ),
)

TEAMS = Listing(
    kind="github.team",
    title="GitHub team",
    api=f"{ORG}/teams",
    params=PAGE,
    items="items[]",
    paging=LINKED,
    id="{slug}",
    name=("name", "slug"),
    permission=MEMBERS,
    details=(
        Detail(
            field="repositories",
            api=f"{ORG}/teams/{{slug}}/repos",
            params=PAGE,
            result="items[]",
            paging=LINKED,
            drop=("items[].temp_clone_token",),
            shape=lambda found: [
                {"full_name": repo["full_name"], "role_name": repo.get("role_name")}
                for repo in found
            ],
            permission=METADATA,
            fields={"[]": {"full_name": {}, "role_name": {}}},
        ),
        Detail(
            field="members",
            api=f"{ORG}/teams/{{slug}}/members",
            params=PAGE,
            result="items[]",
            paging=LINKED,
            shape=logins,
            permission=MEMBERS,
            fields={"[]": {}},
        ),
    ),
    relations=(
        Relation(
            name="repository",
            path="repositories[].full_name",
            to="github.repository",
            by="full_name",
            reverse="teams",
            within="account",
        ),
        Relation(
            name="member",
            path="members[]",
            to="github.member",
            by="login",
            reverse="teams",
            within="account",
        ),
    ),
)

APPS = Listing(
    kind="github.app_installation",
    title="App installed in a GitHub organisation",
    api=f"{ORG}/installations",
    params=PAGE,
    items="installations[]",
    paging=COUNTED,
    id="{id}",
    name=("app_slug", "id"),
    permission=ORGANIZATION,
)

WEBHOOKS = Listing(
    kind="github.organization_webhook",
    title="Webhook of a GitHub organisation",
    api=f"{ORG}/hooks",
    params=PAGE,
    items="items[]",
    paging=LINKED,
    id="{id}",
    name=("config.url", "id"),
    drop=("items[].config.secret",),
    permission=ORGANIZATION_HOOKS,
)

RULESETS = Listing(
    kind="github.ruleset",
    title="Ruleset of a GitHub organisation",
    api=f"{ORG}/rulesets",
    params={**PAGE, "targets": "branch,tag,push"},
    items="items[]",
    paging=LINKED,
    id="{id}",
    name=("name", "id"),
    permission=ORGANIZATION,
    details=(
        Detail(
            field="",
            api=f"{ORG}/rulesets/{{ruleset_id}}",
            params={"ruleset_id": "{id}"},
            permission=ORGANIZATION,
            fields={"rules": None, "conditions": None, "bypass_actors": None},
        ),
    ),
)

COPILOT_SEATS = Listing(
    kind="github.copilot_seat",
    title="GitHub Copilot seat",
    api=f"{ORG}/copilot/billing/seats",
    params=PAGE,
    items="seats[]",
    paging=LINKED,
    adds={"login": "{assignee.login}"},
    # GitHub's document allows a seat whose assignee is null; it is paid for all the same.
    id="{assignee.login|created_at}",
    name=("assignee.login",),
    permission=COPILOT,
    relations=(
        Relation(
            name="member",
            path="login",
            to="github.member",
            by="login",
            reverse="copilot_seats",
            within="account",
        ),
    ),
)

CONTAINER_PACKAGES = Listing(
    kind="github.package",
    title="Container image in GitHub's registry",
    api=f"{ORG}/packages",
    params={**PAGE, "package_type": "container"},
    items="items[]",
    paging=LINKED,
    adds={"image": "ghcr.io/{account}/{name}", "repository_name": "{repository.full_name}"},
    id="{name}",
    name=("name",),
    drop=("items[].repository.temp_clone_token",),
    permission=PACKAGES,
    relations=(
        Relation(
            name="source",
            path="repository_name",
            to="github.repository",
            by="full_name",
            reverse="packages",
            within="account",
        ),
    ),
)

USAGE = Listing(
    kind="github.usage",
    title="Line of a GitHub bill, of the last whole month",
    api="GET /organizations/{org}/settings/billing/usage",
    params={"year": "{last_month_year}", "month": "{last_month}"},
    items="usageItems[]",
    adds={"month": "{billed_month}"},
    id="{product}/{sku}",
    name=("sku",),
    permission=ORGANIZATION,
    fields={
        **scalars("product", "sku", "unitType", "quantity"),
        **scalars("grossAmount", "discountAmount", "netAmount"),
        "repositories": {"*": {}},
    },
)

TABLES = (
    ORGANIZATIONS,
    MEMBER,
    OUTSIDE_COLLABORATORS,
    TEAMS,
    APPS,
    WEBHOOKS,
    RULESETS,
    COPILOT_SEATS,
    CONTAINER_PACKAGES,
    USAGE,
)
