"""What the command line says of a model."""

from __future__ import annotations

import argparse
import os

from infrascan.reason.model.choice import ModelChoice
from infrascan.reason.model.names import NONE, parsed


def model_choice(options: argparse.Namespace) -> ModelChoice | None:
    """The model to use, or None for none. Raises `InputError` for a name that cannot be."""
    name = options.model or os.environ.get("INFRASCAN_MODEL", "") or NONE
    if name == NONE:
        return None
    parsed(name)
    return ModelChoice(
        name=name,
        max_usd=options.max_usd,
        max_tokens=options.max_tokens,
        seconds=options.model_deadline,
        url=options.model_url,
        anonymize=options.anonymize,
        window=options.model_window,
    )
