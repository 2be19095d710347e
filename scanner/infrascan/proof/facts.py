"""One form of a JSON value, and the hashes over it."""

from __future__ import annotations

import json
import math
from hashlib import sha256
from typing import Any

# Made once: to make an encoder takes as long as to use it on a fact.
encoded = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode


def canonical(value: Any) -> str:
    """The value as JSON in one form: sorted names, no spaces, nothing but ASCII.

    JSON has no infinity: a number that is not finite is null, here as in the report.
    """
    try:
        return encoded(value)
    except ValueError:
        return encoded(finite(value))


def finite(value: Any) -> Any:
    """The value with null for each number that JSON has no word for."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value


def digest(value: Any) -> str:
    """SHA-256 over the canonical form, in hex digits."""
    return sha256(canonical(value).encode()).hexdigest()


def fact_id(resource: str, path: str, value: Any) -> str:
    """ "E" and twelve hex digits: the same fact has the same id in every scan and report."""
    return f"E{sha256(canonical([resource, path, value]).encode()).hexdigest()[:12]}"
