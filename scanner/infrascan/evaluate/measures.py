"""Numbers, quantities, networks, durations and moments, as operators read them from data.

Each function returns None for what it cannot read: data is the vendor's and may hold anything.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import ip_network
from typing import Any, NamedTuple

QUANTITY = re.compile(
    r"([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))(?:([eE][+-]?[0-9]{1,4})|([KMGTPE]i|[numkMGTPE]))?"
)
FRACTIONS = {"n": 1e9, "u": 1e6, "m": 1e3}
MULTIPLES = {
    **{suffix: 1000.0 ** (i + 1) for i, suffix in enumerate("kMGTPE")},
    **{f"{suffix}i": 1024.0 ** (i + 1) for i, suffix in enumerate("KMGTPE")},
}
DURATION = re.compile(r"(-?)([0-9]{1,6})(s|m|h|d|w)")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


class Network(NamedTuple):
    """An address range: the IP version, and the first and last address as numbers."""

    version: int
    low: int
    high: int


def number(value: Any) -> float | None:
    """The number that a value is or spells: 5, "5", "100m", "1Gi"."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value if value == value else None  # NaN compares with nothing
    return quantity(value) if isinstance(value, str) else None


def quantity(text: str) -> float | None:
    match = QUANTITY.fullmatch(text)
    if not match:
        return None
    digits, exponent, suffix = match.groups()
    if exponent:
        return float(digits + exponent)
    if suffix in FRACTIONS:  # division keeps 700m equal to 0.7
        return float(digits) / FRACTIONS[suffix]
    return float(digits) * MULTIPLES[suffix] if suffix else float(digits)


@lru_cache(maxsize=8192)
def network(text: str) -> Network | None:
    """The range of a CIDR block or single address; None when it is neither."""
    try:
        parsed = ip_network(text, strict=False)
    except ValueError:
        return None
    return Network(
        parsed.version, int(parsed.network_address), int(parsed.network_address) | hosts(parsed)
    )


def hosts(parsed: Any) -> int:
    return int(parsed.hostmask)


def seconds(text: Any) -> int | None:
    """The length of "90d", "12h", "-30d" in seconds."""
    match = DURATION.fullmatch(text) if isinstance(text, str) else None
    if not match:
        return None
    sign, count, unit = match.groups()
    return (-1 if sign else 1) * int(count) * SECONDS[unit]


def moment(value: Any) -> float | None:
    """The time that an ISO 8601 string names, as a timestamp; without a zone it is UTC."""
    if not isinstance(value, str) or len(value) < 10:
        return None
    try:
        parsed = datetime.fromisoformat(value)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def equal(left: Any, right: Any) -> bool:
    """Whether two JSON values are the same; true is not 1."""
    return isinstance(left, bool) is isinstance(right, bool) and bool(left == right)
