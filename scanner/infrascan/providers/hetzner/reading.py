"""What all tables of Hetzner Cloud share: pages, links, and a few shapes. Plain functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from infrascan.model import Relation
from infrascan.providers.rest.tables import Paging

PAGES = Paging(
    param="page",
    token="meta.pagination.next_page",  # noqa: S106 (a path)
    total="meta.pagination.total_entries",
)
FULL = {"per_page": 50}  # the most that Hetzner gives
READ = "Read (permission of the API token)"
NUMBER = "^([0-9]+)$"  # ids are numbers in the answers, and text in ours
EVERY_PORT = (1, 65535)

METRIC: Any = {"cpu": {"average": {}, "maximum": {}, "minimum": {}, "days": {}, "datapoints": {}}}


def of_project(reverse: str) -> Relation:
    """The link to the one project that a token opens, where prices are."""
    return Relation(
        name="project",
        path="@account",
        to="hetzner.project",
        by="@account",
        reverse=reverse,
        within="account",
    )


def leads(name: str, path: str, to: str, reverse: str, *, missing: str = "") -> Relation:
    """A link by id within the project."""
    return Relation(
        name=name,
        path=path,
        to=f"hetzner.{to}",
        by="id",
        reverse=reverse,
        within="account",
        matching=NUMBER,
        missing=missing,
    )


def ports(rule: dict[str, Any]) -> dict[str, Any]:
    """A firewall rule with the first and last of its ports as numbers: "80-85", "22", "any"."""
    if rule.get("protocol") not in {"tcp", "udp"}:
        return rule
    first, last = EVERY_PORT
    port = rule.get("port")
    if port and port != "any":
        low, _, high = str(port).partition("-")
        first, last = int(low), int(high or low)
    return {**rule, "from_port": first, "to_port": last}


def firewall(item: dict[str, Any]) -> dict[str, Any]:
    return {**item, "rules": [ports(rule) for rule in item["rules"]]}


def cpu(metrics: dict[str, Any]) -> dict[str, Any]:
    """The mean, the highest and the lowest of the samples, in percent, over fourteen days.

    `datapoints` counts the days with a sample, so that a server made yesterday is not called idle.
    """
    samples = [
        (float(moment), float(value))
        for moment, value in metrics["time_series"]["cpu"]["values"]
        if value not in (None, "NaN")
    ]
    return {"cpu": summary(samples, 14)}


def summary(samples: Sequence[tuple[float, float]], days: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "days": days,
        "datapoints": len({int(moment // 86_400) for moment, _ in samples}),
    }
    if samples:
        values = [value for _, value in samples]
        found["average"] = round(sum(values) / len(values), 3)
        found["maximum"], found["minimum"] = max(values), min(values)
    return found
