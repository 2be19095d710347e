"""Repositories, with what protects them, and what hangs on them: keys, webhooks, environments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from infrascan.model import Relation
from infrascan.providers.github.words import (
    ACTIONS,
    ACTIVE,
    ADMINISTRATION,
    CODE_SCANNING,
    CONTENTS,
    COUNTED,
    HOOKS,
    LINKED,
    METADATA,
    MISSING,
    ORG,
    ORGANIZATION,
    PAGE,
    PAGES,
    PART_OF,
    REPO,
    REPOSITORIES,
    scalars,
)
from infrascan.providers.rest.tables import Batch, Detail, Listing

LIVE = "archived=False"
PUBLIC = "state=public"
ABSENT = ("absent",)
# A plan without the feature: a private repository of a free account has no protection at all.
PLAN = ("plan",)


def owned(reverse: str, path: str = "repository") -> Relation:
    """The edge from a thing to its repository."""
    return Relation(
        name="of_repository",
        path=path,
        to="github.repository",
        by="full_name",
        reverse=reverse,
        within="account",
    )


# What GitHub's own roles may do, where an answer names the role alone, as its document allows.
OF_ROLES = {
    "admin": {"admin": True},
    **{role: {"admin": False, "push": True} for role in ("maintain", "write")},
    **{role: {"admin": False, "push": False} for role in ("triage", "read")},
}


def access(people: Sequence[Any]) -> dict[str, list[str]]:
    """Who may do what without a team: logins by their role."""
    found: dict[str, list[str]] = {"admins": [], "writers": [], "readers": []}
    for person in people:
        may = person.get("permissions") or OF_ROLES[person["role_name"]]
        role = "admins" if may["admin"] else "writers" if may.get("push") else "readers"
        found[role].append(person["login"])
    return {role: sorted(people) for role, people in found.items()}


def latest(runs: Sequence[Any]) -> list[dict[str, Any]]:
    """The newest finished run of each workflow. Runs come newest first."""
    found: dict[str, dict[str, Any]] = {}
    for run in runs:
        if run["status"] == "completed":
            found.setdefault(run["path"], run)
    return [found[path] for path in sorted(found)]


def stated(repository: dict[str, Any]) -> dict[str, Any]:
    """A repository with `state`, which says in one word what is worth asking of it."""
    if repository.get("archived"):
        return {**repository, "state": "archived"}
    public = repository.get("visibility") == "public"
    return {**repository, "state": "public" if public else "private"}


def names(files: Sequence[Any]) -> list[str]:
    return sorted(file["name"] for file in files)


def on(field: str, api: str, permission: str, **more: Any) -> Detail:
    """A call about one repository, which an archived one is spared."""
    params = {"owner": "{owner.login}", "repo": "{name}", **more.pop("params", {})}
    when = more.pop("when", LIVE)
    return Detail(
        field=field, api=f"{REPO}/{api}", params=params, when=when, permission=permission, **more
    )


REPOSITORY = Listing(
    kind="github.repository",
    title="GitHub repository",
    parents=(REPOSITORIES,),
    api=REPO,
    id="{full_name}",
    name=("name",),
    tags="topics",
    shape=stated,
    drop=("temp_clone_token",),
    permission=METADATA,
    # Archived ones, and those of an owner without Actions, have none of this.
    details=(
        on(
            "branch_protection",
            "branches/{branch}/protection",
            ADMINISTRATION,
            params={"branch": "{default_branch}"},
            absent=(*ABSENT, *PLAN),
        ),
        on(
            "branch_rules",
            "rules/branches/{branch}",
            METADATA,
            params={"branch": "{default_branch}", **PAGE},
            result="items[]",
            paging=LINKED,
            absent=PLAN,
        ),
        on("actions_permissions", "actions/permissions", ADMINISTRATION),
        on("workflow_permissions", "actions/permissions/workflow", ADMINISTRATION),
        on(
            "fork_pull_requests",
            "actions/permissions/fork-pr-contributor-approval",
            ADMINISTRATION,
            when=PUBLIC,
        ),
        on(
            "vulnerability_alerts",
            "vulnerability-alerts",
            ADMINISTRATION,
            absent=ABSENT,
            shape=lambda _: True,
            fields={},
        ),
        on(
            "code_scanning",
            "code-scanning/default-setup",
            CODE_SCANNING,
            absent=("disabled", *PLAN),
        ),
        on(
            "direct_access",
            "collaborators",
            METADATA,
            params={**PAGE, "affiliation": "direct"},
            result="items[]",
            paging=LINKED,
            shape=access,
            fields={name: {"[]": {}} for name in ("admins", "writers", "readers")},
        ),
        on("oidc_subject", "actions/oidc/customization/sub", ACTIONS),
        on("pages", "pages", PAGES, when="has_pages=True"),
        on(
            "codeowners",
            "codeowners/errors",
            CONTENTS,
            absent=MISSING,
        ),
        on(
            "root_files",
            "contents/",
            CONTENTS,
            result="items[]",
            absent=("404", "absent"),
            shape=names,
            fields={"[]": {}},
        ),
        on(
            "github_files",
            "contents/.github",
            CONTENTS,
            result="items[]",
            absent=("404", "absent"),
            shape=names,
            fields={"[]": {}},
        ),
        on(
            "docs_files",
            "contents/docs",
            CONTENTS,
            when=PUBLIC,
            result="items[]",
            absent=("404", "absent"),
            shape=names,
            fields={"[]": {}},
        ),
        on(
            "latest_runs",
            "actions/runs",
            ACTIONS,
            params={
                "branch": "{default_branch}",
                "exclude_pull_requests": True,
                "per_page": 100,
            },
            result="workflow_runs",
            shape=latest,
            fields={
                "[]": scalars(
                    *("id", "name", "path", "event", "status", "conclusion"),
                    *("head_branch", "created_at"),
                )
            },
        ),
        Batch(
            field="cache_usage",
            api=f"{ORG}/actions/cache/usage-by-repository",
            params=PAGE,
            result="repository_cache_usages[]",
            paging=COUNTED,
            by="full_name",
            match="{full_name}",
            permission=ORGANIZATION,
            fields=scalars("active_caches_size_in_bytes", "active_caches_count"),
        ),
    ),
    adds={"defaults_repository": "{owner.login}/.github", "organization_login": "{owner.login}"},
    relations=(
        Relation(
            name="organization_settings",
            path="organization_login",
            to="github.organization",
            by="login",
            reverse="repositories",
            within="account",
        ),
        Relation(
            name="outside_admins",
            path="direct_access.admins[]",
            to="github.outside_collaborator",
            by="login",
            reverse="administers",
            within="account",
        ),
        Relation(
            name="outside_writers",
            path="direct_access.writers[]",
            to="github.outside_collaborator",
            by="login",
            reverse="writes",
            within="account",
        ),
        Relation(
            name="defaults",  # files in <owner>/.github count for every repository without its own
            path="defaults_repository",
            to="github.repository",
            by="full_name",
            reverse="defaults_of",
            within="account",
        ),
    ),
)
# A user has no list of the caches of all repositories.
OWN_CACHE_USAGE = on("cache_usage", "actions/cache/usage", ACTIONS)

DEPLOY_KEYS = Listing(
    kind="github.deploy_key",
    title="Deploy key of a GitHub repository",
    parents=(ACTIVE,),
    api=f"{REPO}/keys",
    params=PAGE,
    items="items[]",
    paging=LINKED,
    adds=PART_OF,
    id="{repository}/{id}",
    name=("title", "id"),
    permission=ADMINISTRATION,
    relations=(owned("deploy_keys"),),
)

WEBHOOKS = Listing(
    kind="github.webhook",
    title="Webhook of a GitHub repository",
    parents=(ACTIVE,),
    api=f"{REPO}/hooks",
    params=PAGE,
    items="items[]",
    paging=LINKED,
    adds={**PART_OF, "number": "{id}"},
    id="{repository}/{id}",
    name=("config.url", "id"),
    drop=("items[].config.secret",),
    permission=HOOKS,
    relations=(owned("webhooks"),),
)

ENVIRONMENTS = Listing(
    kind="github.environment",
    title="Environment of a GitHub repository",
    parents=(ACTIVE,),
    api=f"{REPO}/environments",
    params=PAGE,
    items="environments[]",
    paging=COUNTED,
    adds={**PART_OF, "is_private": "{is_private}"},
    id="{repository}/{name}",
    name=("name",),
    permission=ACTIONS,
    details=(
        Detail(
            field="branch_policies",
            api=f"{REPO}/environments/{{environment_name}}/deployment-branch-policies",
            params={"environment_name": "{name}", **PAGE},
            result="branch_policies[]",
            paging=COUNTED,
            when="deployment_branch_policy.custom_branch_policies=True",
            permission=ACTIONS,
            fields={"[]": {"name": {}, "type": {}}},
        ),
    ),
    relations=(owned("environments"),),
)

TABLES = (REPOSITORY, DEPLOY_KEYS, WEBHOOKS, ENVIRONMENTS)
