"""The kinds of Terraform, and the paths their data can have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infrascan.model import Kind, Relation
from infrascan.providers.terraform.places import SETTINGS

READ = "read access to the state"


def plain(*names: str) -> dict[str, Any]:
    """A tree of scalars."""
    return {name: {} for name in names}


STATE: dict[str, Any] = {
    **plain("version", "terraform_version", "serial", "lineage", "encrypted", "size_bytes"),
    **plain("encryption", "kms_key", "versioned", "modified", "resource_count", "data_count"),
    **plain("tainted_count", "deposed_count", "secrets_count"),
    "secret_addresses": {"[]": {}},
    "providers": {"[]": {}},
    "outputs": {"[]": plain("name", "sensitive", "looks_like")},
    "lock": plain("Operation", "Who", "Version", "Created"),
    "backend": {
        **plain("type", "locking", "object"),
        **{name: {} for names in SETTINGS.values() for name in names},
    },
}
RESOURCE: dict[str, Any] = {
    **plain("address", "mode", "type", "name", "index", "module", "provider", "provider_name"),
    **plain("tainted", "deposed", "live_kind", "live_id", "live_key", "lineage", "stateful"),
    "depends_on": {"[]": {}},
    "attributes": None,  # each type has its own
    "secrets": {"[]": plain("path", "class")},
}
PLAN: dict[str, Any] = plain(
    *("terraform_version", "timestamp", "errored", "complete", "size_bytes", "to_create"),
    *("to_update", "to_replace", "to_delete", "drifted"),
)
CHANGE: dict[str, Any] = {
    **plain("phase", "address", "mode", "type", "name", "module", "provider_name"),
    **plain("action_reason", "deposed", "live_kind", "live_id", "stateful", "access"),
    "actions": {"[]": {}},
    "changed_paths": {"[]": {}},
    "replace_paths": {"[]": None},
    "opens_to_all": {"[]": plain("from", "to")},  # what `opening.py` makes of before and after
    "before": None,
    "after": None,
}


def kind(name: str, title: str, fields: Any, *relations: Relation) -> Kind:
    return Kind(
        name=name,
        title=title,
        provider="terraform",
        fields=fields,
        relations=relations,
        permissions={"": READ},
        calls={"": "the state or plan, as its backend gives it"},
    )


KINDS: Mapping[str, Kind] = {
    found.name: found
    for found in (
        kind("terraform.state", "Terraform state", STATE),
        kind(
            "terraform.resource",
            "Resource in a Terraform state",
            RESOURCE,
            # Itself among them: a state that nobody else fights with leads to one.
            Relation(
                name="managers",
                path="live_key",
                to="terraform.resource",
                by="live_key",
                reverse="managers",  # both ways: unread wherever a state was not read
                within="anywhere",
            ),
            # A state is an account, so its resources are those of its account.
            Relation(
                name="state",
                path="@account",
                to="terraform.state",
                by="@account",
                reverse="resources",
                within="account",
            ),
        ),
        kind("terraform.plan", "Terraform plan", PLAN),
        kind("terraform.change", "Change in a Terraform plan", CHANGE),
    )
}
KINDS_OF: Mapping[str, tuple[str, ...]] = {
    "state": ("terraform.state", "terraform.resource"),
    "plan": ("terraform.plan", "terraform.change"),
}
