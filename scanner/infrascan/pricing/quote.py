"""What a price is made of: parts that are added up, and the words that say how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infrascan.model import Price, Resource
from infrascan.pricing.prices import Rate, UnpricedError

HOURS = 730  # in an average month, as in the price lists


@dataclass(frozen=True, slots=True)
class Part:
    """So many units at a rate, in a month. `unit` reads after the number: "GB", "h"."""

    quantity: float
    unit: str
    rate: Rate

    @property
    def monthly(self) -> float:
        return self.quantity * self.rate.usd

    def __str__(self) -> str:
        return f"{self.quantity:.10g} {self.unit} × {self.rate.usd:.6g} USD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A price, or the reason that there is none.

    `of` are the resources whose cost this is: the resource itself, or those that it stands for.
    An Auto Scaling group costs what its instances cost, so that its price must not be added to
    theirs, nor a saving on it to savings on them.
    """

    price: Price | None = None
    reason: str = ""
    of: tuple[Resource, ...]


def total(parts: Sequence[Part], note: str = "") -> Price:
    """The parts added up. Its date is that of the oldest rate in it."""
    basis = " + ".join(str(part) for part in parts)
    return Price(
        monthly=round(sum(part.monthly for part in parts), 2),
        source=", ".join(sorted({part.rate.source for part in parts})),
        date=min((part.rate.date for part in parts), default=""),
        basis="; ".join(filter(None, (basis, note))),
    )


def hourly(rate: Rate, count: float = 1) -> Part:
    """A month of something that is billed by the hour."""
    return Part(count * HOURS, "h", rate)


def free(why: str) -> Price:
    """Zero, for a reason."""
    return Price(monthly=0.0, source="", date="", basis=why)


def number(data: Mapping[str, Any], *path: str) -> float:
    """The number at a path of keys. Raises `UnpricedError` when it is not there."""
    value: Any = data
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnpricedError(f"{'.'.join(path)} is not known")
    return float(value)


def text(data: Mapping[str, Any], *path: str) -> str:
    """The string at a path of keys. Raises `UnpricedError` when it is not there."""
    value: Any = data
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    if not isinstance(value, str) or not value:
        raise UnpricedError(f"{'.'.join(path)} is not known")
    return value
