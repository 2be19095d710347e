"""Service models cut down to the operations the tables name."""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def loader() -> Any:
    """botocore's loader."""
    from botocore.loaders import create_loader

    return create_loader()
