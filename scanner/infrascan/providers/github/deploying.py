"""What was shipped: deployments that GitHub was told of, and runs of workflows in the last day.

Read only when asked for. Of deployments GitHub lists all there ever were, the newest first: the
newest `NEWEST` of each repository are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from infrascan.model import Relation
from infrascan.providers.github.repositories import owned
from infrascan.providers.github.words import (
    ACTIONS,
    ACTIVE,
    COUNTED,
    DEPLOYMENTS,
    PART_OF,
    REPO,
    scalars,
)
from infrascan.providers.rest.tables import Detail, Listing

NEWEST = 20
STATUS = f"{REPO}/deployments/{{deployment_id}}/statuses"


def latest(statuses: Sequence[Any]) -> Any:
    """The newest status of a deployment, in one word; None where there is none yet."""
    return next((s.get("state") for s in statuses if isinstance(s, dict)), None)


DEPLOYMENT = Listing(
    kind="github.deployment",
    title="Deployment that GitHub was told of",
    parents=(ACTIVE,),
    api=f"{REPO}/deployments",
    params={"per_page": NEWEST},
    items="items[]",
    adds=PART_OF,
    id="{repository}/{id}",
    name=("{repository} {environment}", "id"),
    permission=DEPLOYMENTS,
    live=True,
    fields={
        **scalars("id", "sha", "ref", "task", "environment", "original_environment"),
        **scalars("description", "created_at", "updated_at", "production_environment"),
        "creator": scalars("login", "id", "type"),
    },
    details=(
        Detail(
            field="state",
            api=STATUS,
            params={"deployment_id": "{id}", "per_page": 1},
            result="items",
            shape=latest,
            permission=DEPLOYMENTS,
            fields={},
        ),
    ),
    relations=(owned("deployments"),),
)

RUN = Listing(
    kind="github.workflow_run",
    title="Run of a GitHub Actions workflow in the last day",
    parents=(ACTIVE,),
    api=f"{REPO}/actions/runs",
    params={"per_page": 100, "exclude_pull_requests": True, "created": ">={yesterday}"},
    items="workflow_runs[]",
    paging=COUNTED,
    adds={**PART_OF, "workflow_id": "{repository}/{path}"},
    id="{repository}/{id}",
    name=("name", "path", "id"),
    permission=ACTIONS,
    live=True,
    fields={
        **scalars("id", "name", "path", "event", "status", "conclusion", "head_branch"),
        **scalars("created_at", "head_sha", "run_started_at", "updated_at", "display_title"),
        "actor": scalars("login", "id", "type"),
    },
    relations=(
        owned("workflow_runs"),
        Relation(
            name="workflow",
            path="workflow_id",
            to="github.workflow",
            by="id",
            reverse="runs",
            within="account",
            matching=r"^(.+?)(?:@[^/]+.*)?$",
        ),
    ),
)

TABLES = (DEPLOYMENT, RUN)
