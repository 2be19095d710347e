"""Open alerts of Dependabot, code scanning and secret scanning.

An organisation lists those of all its repositories; where it is not all of it that is read, each
repository is asked. The leaked secret itself is hidden by GitHub at our request, and dropped.
"""

from __future__ import annotations

import dataclasses

from infrascan.providers.github.repositories import owned
from infrascan.providers.github.words import (
    ACTIVE,
    CODE_SCANNING,
    DEPENDABOT,
    LINKED,
    ORG,
    PAGE,
    REPO,
    SECRET_SCANNING,
)
from infrascan.providers.rest.tables import Listing

DEPENDENCIES = Listing(
    kind="github.dependabot_alert",
    title="Open Dependabot alert of severity high or critical",
    api=f"{ORG}/dependabot/alerts",
    params={**PAGE, "state": "open", "severity": "high,critical"},
    items="items[]",
    paging=LINKED,
    adds={"full_name": "{repository.full_name}"},
    id="{full_name}/{number}",
    name=("{full_name}: {security_advisory.summary}", "number"),
    permission=DEPENDABOT,
    relations=(owned("dependabot_alerts", "full_name"),),
)

CODE = Listing(
    kind="github.code_scanning_alert",
    title="Open code scanning alert",
    api=f"{ORG}/code-scanning/alerts",
    params={**PAGE, "state": "open"},
    items="items[]",
    paging=LINKED,
    adds={"full_name": "{repository.full_name}"},
    id="{full_name}/{number}",
    name=("{full_name}: {rule.description}", "number"),
    permission=CODE_SCANNING,
    relations=(owned("code_scanning_alerts", "full_name"),),
)

SECRETS = Listing(
    kind="github.secret_scanning_alert",
    title="Open alert of a leaked secret",
    api=f"{ORG}/secret-scanning/alerts",
    params={**PAGE, "state": "open", "hide_secret": True},
    items="items[]",
    paging=LINKED,
    adds={"full_name": "{repository.full_name}"},
    id="{full_name}/{number}",
    name=("{full_name}: {secret_type_display_name}", "number"),
    drop=("items[].secret",),
    permission=SECRET_SCANNING,
    relations=(owned("secret_scanning_alerts", "full_name"),),
)


def of_repository(listing: Listing) -> Listing:
    """The same alerts, asked of each repository; one without the feature has none."""
    return dataclasses.replace(
        listing,
        parents=(ACTIVE,),
        api=listing.api.replace(ORG, REPO),
        adds={"full_name": "{account}/{repo}"},
        absent=("absent",),
    )


TABLES = (DEPENDENCIES, CODE, SECRETS)
OF_REPOSITORIES = {listing.kind: of_repository(listing) for listing in TABLES}
