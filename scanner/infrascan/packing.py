"""Going through many resources in little memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from infrascan.model import Resource


def repacked(resources: Iterable[Resource]) -> Iterator[Resource]:
    """The resources in turn; one that came packed is packed again when the next is asked for."""
    for resource in resources:
        was_packed = bool(resource.packed)
        yield resource
        if was_packed:
            resource.pack()
