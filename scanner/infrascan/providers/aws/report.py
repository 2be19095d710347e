"""IAM's credential report: CSV in, typed rows out."""

from __future__ import annotations

import csv
import io
from typing import Any

NOTHING = frozenset({"N/A", "no_information", "not_supported", ""})


def rows(text: str) -> list[dict[str, Any]]:
    """One mapping per user; flags are booleans, times end in Z, what does not apply is None."""
    return [
        {name: cell(value) for name, value in row.items() if name}
        for row in csv.DictReader(io.StringIO(text))
    ]


def cell(value: str | None) -> Any:
    if value is None or value in NOTHING:
        return None
    if value in {"true", "false"}:
        return value == "true"
    if len(value) == 25 and value.endswith("+00:00"):
        return value[:19] + "Z"
    return value
