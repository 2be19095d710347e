"""What the tables of GitHub have in common."""

from __future__ import annotations

import dataclasses
from typing import Any

from infrascan.providers.rest.tables import Paging, Parent

PAGE = {"per_page": 100}
LINKED = Paging(link="next")  # made of the Link header on arrival
COUNTED = Paging(link="next", total="total_count")
MISSING = ("404",)

# Permissions of fine-grained tokens and Apps, as GitHub's refusals name them.
METADATA = "metadata: read"
ADMINISTRATION = "administration: read"
CONTENTS = "contents: read"
ACTIONS = "actions: read"
SECRETS = "secrets: read"
VARIABLES = "actions_variables: read"
HOOKS = "repository_hooks: read"
PAGES = "pages: read"
DEPENDABOT = "vulnerability_alerts: read"
CODE_SCANNING = "security_events: read"
SECRET_SCANNING = "secret_scanning_alerts: read"  # noqa: S105 - a name
MEMBERS = "members: read"
ORGANIZATION = "organization_administration: read"
ORGANIZATION_SECRETS = "organization_secrets: read"
ORGANIZATION_VARIABLES = "organization_actions_variables: read"
ORGANIZATION_HOOKS = "organization_hooks: read"
RUNNERS = "organization_self_hosted_runners: read"
COPILOT = "organization_copilot_seat_management: read"
DEPLOYMENTS = "deployments: read"
PACKAGES = "scope read:packages"  # only classic tokens can list packages

REPO = "GET /repos/{owner}/{repo}"
ORG = "GET /orgs/{org}"

# Which list of repositories is asked for depends on whose they are: `reading.py`. Asked once for
# all kinds.
REPOSITORIES = Parent(
    api=f"{ORG}/repos",
    params={**PAGE, "type": "all"},
    items="items[]",
    paging=LINKED,
    gives={"repo": "name", "is_private": "private"},
    drop=("items[].temp_clone_token",),
    permission=METADATA,
)
# An archived repository can be read and no longer changed: what it could do is not asked for.
ACTIVE = dataclasses.replace(REPOSITORIES, when="archived=False")
PART_OF = {"repository": "{account}/{repo}"}


def scalars(*names: str) -> dict[str, Any]:
    """The field tree of some plain values."""
    return {name: {} for name in names}
