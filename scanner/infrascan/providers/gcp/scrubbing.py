"""What is taken out of answers on arrival, because it may hold secrets. Tables say where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infrascan import redact
from infrascan.paths import values
from infrascan.providers.gcp.kinds import TABLES
from infrascan.providers.gcp.tables import Asset
from infrascan.providers.rest.reading import drop

# Metadata keys whose values are settings; everything else there may be a script with a password.
SETTINGS = frozenset(
    {
        "block-project-ssh-keys",
        "created-by",
        "disable-legacy-endpoints",
        "enable-guest-attributes",
        "enable-osconfig",
        "enable-oslogin",
        "enable-oslogin-2fa",
        "enable-oslogin-sk",
        "google-logging-enabled",
        "google-monitoring-enabled",
        "proxy-mode",
        "serial-port-enable",
        "serial-port-logging-enable",
        "VmDnsSetting",
        "vmDnsSetting",
    }
)


def scrub(asset: Asset, data: Any) -> None:
    """Take the secrets that the table names out of a resource's data, in place."""
    for path in asset.drop:
        drop(data, path)
    for path in asset.blank:
        above, _, name = path.rpartition(".")
        for place in values(data, above):
            if isinstance(place, dict) and place.get(name):
                place[name] = blanked(place[name])


def blanked(variables: Any) -> Any:
    """Variables without their values, but for the settings that hold no secret."""
    found = redact.environment(variables)
    if isinstance(variables, Mapping) and isinstance(found, dict):
        return found | {name: variables[name] for name in SETTINGS & variables.keys()}
    if isinstance(variables, list):
        return [
            given if isinstance(given, dict) and given.get("key") in SETTINGS else kept
            for given, kept in zip(variables, found, strict=True)
        ]
    return found


def answers() -> Mapping[str, tuple[str, Asset]]:
    """The lists of the services: api -> (path of the items, the table they are of)."""
    return {table.rest.api: (table.rest.items, table) for table in TABLES if table.rest}
