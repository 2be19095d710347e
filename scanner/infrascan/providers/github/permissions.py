"""The least a token needs, in the three forms that GitHub has for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from infrascan.providers.rest.kinds import needed
from infrascan.providers.rest.tables import Listing

# Scopes of a classic token. None of them can only read a private repository: `repo` writes too,
# so a fine-grained token or an App is the better reader.
CLASSIC = ("repo", "read:org", "admin:org_hook", "read:packages", "manage_billing:copilot")
ORGANIZATIONAL = ("organization_", "members")
WANTED = {
    "read:org": ("read:org", "write:org", "admin:org"),
    "repo": ("repo",),
}


def least(tables: Sequence[Listing]) -> dict[str, Any]:
    """Permissions of a fine-grained token or App, and what only a classic token can do."""
    found: dict[str, dict[str, str]] = {"repository": {}, "organization": {}}
    for permission in needed(tables):
        name, _, access = permission.partition(",")[0].partition(": ")
        if access:  # scopes of classic tokens have none
            whose = "organization" if name.startswith(ORGANIZATIONAL) else "repository"
            found[whose][name] = access
    return {
        "fine_grained": found,
        "role": "owner of the organisation, to see who has no second factor",
        "classic": {"scopes": list(CLASSIC)},
    }


def too_narrow(scopes: Sequence[str] | None) -> str:
    """What a classic token cannot read, in one sentence; "" where its scopes do, or are not known."""
    if scopes is None:
        return ""
    missing = [name for name, ways in WANTED.items() if not set(ways) & set(scopes)]
    if not missing:
        return ""
    return f"the token has no scope {' and '.join(missing)}: private settings will be missing"
