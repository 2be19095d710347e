"""The price tables that ship, read on first use."""

from __future__ import annotations

import csv
import gzip
import json
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

TABLES = Path(__file__).with_name("tables")
EVERYWHERE = "*"


class UnpricedError(Exception):
    """There is no price; the text says for what, and where: "no price for db.x9 in mx-central-1"."""


@dataclass(frozen=True, slots=True)
class Rate:
    """USD for one unit, and where that is from."""

    usd: float
    source: str
    date: str


@dataclass(frozen=True)
class Prices:
    """Rates by item and region. A region that a table lacks has no price; none is borrowed."""

    folder: Path = field(default=TABLES)

    @cached_property
    def rates(self) -> dict[tuple[str, str], Rate]:
        with (self.folder / "rates.csv").open(newline="", encoding="utf-8") as file:
            return {
                (row["item"], row["region"]): Rate(float(row["usd"]), row["source"], row["date"])
                for row in csv.DictReader(file)
            }

    @cached_property
    def ec2(self) -> dict[str, Any]:
        return self.machines("ec2")

    @cached_property
    def gce(self) -> dict[str, Any]:
        return self.machines("gce")

    @cached_property
    def aks(self) -> dict[str, Any]:
        return self.machines("aks")

    def machines(self, name: str) -> dict[str, Any]:
        """A table of hourly machine prices: {"linux": {region: {type: USD}}, "source": …}."""
        table: dict[str, Any] = json.loads(
            gzip.decompress((self.folder / f"{name}.json.gz").read_bytes())
        )
        return table

    def rate(self, item: str, region: str, what: str = "") -> Rate:
        """The rate of an item ("ebs.gp3.gb"). Raises `UnpricedError`."""
        found = self.rates.get((item, region)) or self.rates.get((item, EVERYWHERE))
        if found is None:
            raise UnpricedError(f"no price for {what or item} in {region or 'no region'}")
        return found

    def machine(self, cloud: str, kind: str, region: str, platform: str = "linux") -> Rate:
        """One hour of a virtual machine, on demand. Raises `UnpricedError`."""
        table: dict[str, Any] = getattr(self, cloud)
        usd = table["linux"].get(region, {}).get(kind)
        if usd is None:
            raise UnpricedError(f"no price for {kind} in {region or 'no region'}")
        if platform != "linux":
            licence = table.get("licence", {}).get(platform, {}).get(kind)
            if licence is None:
                raise UnpricedError(f"no price for {kind} with {platform} in {region}")
            usd += licence
        return Rate(usd, table["source"], table["date"])


@cache
def shipped() -> Prices:
    """The tables that come with the package."""
    return Prices()
