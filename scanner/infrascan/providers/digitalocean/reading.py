"""What all tables of DigitalOcean share: pages, links, and a few shapes. Plain functions."""

from __future__ import annotations

from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

from infrascan.model import Relation
from infrascan.providers.rest.tables import Paging

PAGES = Paging(link="links.pages.next", total="meta.total")
FULL = {"per_page": 200}  # the most that DigitalOcean gives
NUMBER = "^([0-9]+)$"  # ids of Droplets are numbers in the answers, and text in ours
EVERY_PORT = (1, 65535)
METRIC: Any = {"cpu": {"average": {}, "maximum": {}, "minimum": {}, "days": {}, "datapoints": {}}}
CONNECTIONS = (
    *("connection", "private_connection", "standby_connection", "standby_private_connection"),
    *("ui_connection", "schema_registry_connection"),
)


def secrets(place: str) -> tuple[str, ...]:
    """The paths of what opens a database: passwords, URIs that hold them, keys of users."""
    return (
        *(f"{place}.{name}.{part}" for name in CONNECTIONS for part in ("uri", "password")),
        *(f"{place}.users[].{part}" for part in ("password", "access_cert", "access_key")),
    )


def leads(
    name: str,
    path: str,
    to: str,
    reverse: str,
    *,
    by: str = "id",
    matching: str = "",
    missing: str = "",
) -> Relation:
    """A link within the team."""
    return Relation(
        name=name,
        path=path,
        to=f"digitalocean.{to}",
        by=by,
        reverse=reverse,
        within="account",
        matching=matching,
        missing=missing,
    )


def of_account(reverse: str) -> Relation:
    return leads("of_account", "@account", "account", reverse, by="@account")


def ports(rule: dict[str, Any]) -> dict[str, Any]:
    """A firewall rule with its ports as numbers: "8000-9000", "22", "all" or "0" for every one."""
    if rule["protocol"] not in {"tcp", "udp"}:
        return rule
    text = str(rule.get("ports") or "all")
    first, last = EVERY_PORT
    if text not in {"all", "0"}:
        low, _, high = text.partition("-")
        first, last = int(low), int(high or low)
    return {**rule, "from_port": first, "to_port": last}


def firewall(item: dict[str, Any]) -> dict[str, Any]:
    inbound = item.get("inbound_rules") or []
    return {**item, "inbound_rules": [ports(rule) for rule in inbound]}


def the_account(answer: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = answer["account"]
    return dict(found)


def sources(answer: dict[str, Any]) -> list[Any]:
    """A database's trusted sources; none means that the whole internet may connect."""
    return list(answer["rules"] or [])


def app(item: dict[str, Any]) -> dict[str, Any]:
    """An app with the host of its default address, which DNS names point at."""
    host = urlsplit(str(item.get("default_ingress") or "")).hostname
    return {**item, "default_host": host} if host else item


def cpu(data: dict[str, Any]) -> dict[str, Any]:
    """How busy a Droplet was, in percent, from counters of seconds for each mode of its CPUs.

    Between two readings, what was not idle is a share of all. A counter that went back (a reboot)
    is passed over. `datapoints` counts the days with a share.
    """
    at: dict[float, dict[str, float]] = {}
    for series in data["result"]:
        mode = series["metric"]["mode"]
        for moment, value in series["values"]:
            at.setdefault(float(moment), {})[mode] = float(value)
    shares: list[tuple[float, float]] = []
    moments = sorted(at)
    for before, after in pairwise(moments):
        grown = {mode: value - at[before].get(mode, value) for mode, value in at[after].items()}
        spent = sum(grown.values())
        if spent > 0 and min(grown.values()) >= 0 and "idle" in grown:
            shares.append((after, 100 * (1 - grown["idle"] / spent)))
    found: dict[str, Any] = {
        "days": 14,
        "datapoints": len({int(moment // 86_400) for moment, _ in shares}),
    }
    if shares:
        values = [share for _, share in shares]
        found["average"] = round(sum(values) / len(values), 3)
        found["maximum"], found["minimum"] = round(max(values), 3), round(min(values), 3)
    return {"cpu": found}
