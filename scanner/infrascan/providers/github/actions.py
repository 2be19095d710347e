"""GitHub Actions: workflows, the machines they run on, the names of their secrets."""

from __future__ import annotations

from infrascan.model import Relation
from infrascan.providers.github import workflows
from infrascan.providers.github.answers import WORKFLOW_FILE
from infrascan.providers.github.repositories import owned
from infrascan.providers.github.words import (
    ACTIONS,
    ACTIVE,
    ADMINISTRATION,
    CONTENTS,
    COUNTED,
    LINKED,
    MISSING,
    ORG,
    ORGANIZATION_SECRETS,
    ORGANIZATION_VARIABLES,
    PAGE,
    PART_OF,
    REPO,
    RUNNERS,
    SECRETS,
    VARIABLES,
)
from infrascan.providers.rest.tables import Detail, Listing

WORKFLOWS = Listing(
    kind="github.workflow",
    title="GitHub Actions workflow",
    parents=(ACTIVE,),
    api=f"{REPO}/actions/workflows",
    params=PAGE,
    items="workflows[]",
    paging=LINKED,  # GitHub's own workflows are left out on arrival, so the count does not hold
    adds={**PART_OF, "is_private": "{is_private}", "number": "{id}"},
    id="{repository}/{path}",
    name=("{repo}/{path!base}", "path"),
    permission=ACTIONS,
    details=(
        Detail(
            field="",
            api=WORKFLOW_FILE,
            params={"file": "{path!base}"},
            absent=MISSING,  # deleted since it last ran
            permission=CONTENTS,
            fields=workflows.FIELDS,
        ),
    ),
    relations=(
        owned("workflows"),
        Relation(
            name="environments",
            path="environment_ids[]",
            to="github.environment",
            by="id",
            reverse="workflows",
            within="account",
        ),
        Relation(
            name="packages",
            path="images[]",
            to="github.package",
            by="image",
            reverse="pushed_by",
            within="account",
        ),
    ),
)

SECRET = Listing(
    kind="github.secret",
    title="Secret of a GitHub repository, by name",
    parents=(ACTIVE,),
    api=f"{REPO}/actions/secrets",
    params=PAGE,
    items="secrets[]",
    paging=COUNTED,
    adds=PART_OF,
    id="{repository}/{name}",
    name=("name",),
    permission=SECRETS,
    relations=(owned("secrets"),),
)

VARIABLE = Listing(
    kind="github.variable",
    title="Variable of a GitHub repository, by name",
    parents=(ACTIVE,),
    api=f"{REPO}/actions/variables",
    params={"per_page": 30},
    items="variables[]",
    paging=COUNTED,
    adds=PART_OF,
    id="{repository}/{name}",
    name=("name",),
    drop=("variables[].value",),
    permission=VARIABLES,
    relations=(owned("variables"),),
)

ORGANIZATION_SECRET = Listing(
    kind="github.organization_secret",
    title="Secret of a GitHub organisation, by name",
    api=f"{ORG}/actions/secrets",
    params=PAGE,
    items="secrets[]",
    paging=COUNTED,
    id="{name}",
    name=("name",),
    permission=ORGANIZATION_SECRETS,
)

ORGANIZATION_VARIABLE = Listing(
    kind="github.organization_variable",
    title="Variable of a GitHub organisation, by name",
    api=f"{ORG}/actions/variables",
    params={"per_page": 30},
    items="variables[]",
    paging=COUNTED,
    id="{name}",
    name=("name",),
    drop=("variables[].value",),
    permission=ORGANIZATION_VARIABLES,
)

RUNNER = Listing(
    kind="github.runner",
    title="Self-hosted runner of a GitHub organisation",
    api=f"{ORG}/actions/runners",
    params=PAGE,
    items="runners[]",
    paging=COUNTED,
    id="{id}",
    name=("name", "id"),
    permission=RUNNERS,
    relations=(
        Relation(
            name="group",
            path="runner_group_id",
            to="github.runner_group",
            by="number",
            reverse="runners",
            within="account",
        ),
    ),
)

RUNNER_GROUP = Listing(
    kind="github.runner_group",
    title="Group of runners of a GitHub organisation",
    api=f"{ORG}/actions/runner-groups",
    params=PAGE,
    items="runner_groups[]",
    paging=COUNTED,
    adds={"number": "{id}"},
    id="{id}",
    name=("name", "id"),
    permission=RUNNERS,
)

REPOSITORY_RUNNER = Listing(
    kind="github.repository_runner",
    title="Self-hosted runner of a GitHub repository",
    parents=(ACTIVE,),
    api=f"{REPO}/actions/runners",
    params=PAGE,
    items="runners[]",
    paging=COUNTED,
    adds={**PART_OF, "is_private": "{is_private}"},
    id="{repository}/{id}",
    name=("name", "id"),
    permission=ADMINISTRATION,
    relations=(owned("runners"),),
)

TABLES = (
    WORKFLOWS,
    SECRET,
    VARIABLE,
    ORGANIZATION_SECRET,
    ORGANIZATION_VARIABLE,
    RUNNER,
    RUNNER_GROUP,
    REPOSITORY_RUNNER,
)
