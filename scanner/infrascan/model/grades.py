"""How bad a finding is, what it is about, and the fact behind it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"


class Severity(StrEnum):
    """How bad a finding is. Compare with `rank`, not with `<`."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for critical up to 4 for info: sorts worst first."""
        return SEVERITIES.index(self)


SEVERITIES: tuple[Severity, ...] = tuple(Severity)


class Category(StrEnum):
    COST = "cost"
    SECURITY = "security"
    RELIABILITY = "reliability"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One fact behind a claim: what the API gave, and where.

    `path` starts at the data of `resource` (its key): `IpPermissions[0].IpRanges[0].CidrIp`.
    """

    resource: str
    path: str
    value: JSON
