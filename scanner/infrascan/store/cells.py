"""Values of SQL as JSON values."""

from __future__ import annotations

import math
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any


def cell(value: Any) -> Any:
    """The value itself where JSON has it, else the nearest that JSON has."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            # JSON has no infinity; a text says more than null.
            return value if math.isfinite(value) else str(value)
        case Decimal():
            return float(value)
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case bytes() | bytearray() | memoryview():
            return bytes(value).hex()
        case list() | tuple():
            return [cell(item) for item in value]
        case dict():
            return {str(key): cell(item) for key, item in value.items()}
        case _:
            return str(value)
