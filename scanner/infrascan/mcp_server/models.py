"""The model of one call: any that the operator has a key for, or none."""

from __future__ import annotations

from infrascan.reason.model.choice import MAX_USD, ModelChoice
from infrascan.reason.model.names import NONE, parsed


def choice(name: str, max_usd: float = MAX_USD) -> ModelChoice | None:
    """The model to use. Raises `InputError` for a name that cannot be."""
    if not name or name == NONE:
        return None
    parsed(name)
    return ModelChoice(name=name, max_usd=max_usd)
