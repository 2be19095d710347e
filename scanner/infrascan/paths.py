"""Plain paths into JSON data, as tables spell them: `Reservations[].Instances[]`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def values(data: Any, path: str) -> Iterator[Any]:
    """All values at a plain path (`a.b[].c`, `a.["k.l"].c`); missing steps and nulls give nothing."""
    if data is None:
        return
    if not path:
        yield data
        return
    if path.startswith('["'):  # a key with dots in it
        step, _, rest = path[2:].partition('"]')
        inner = data.get(step) if isinstance(data, dict) else None
        yield from values(inner, rest.removeprefix("."))
        return
    step, _, rest = path.partition(".")
    if step.endswith("[]"):
        step = step[:-2]
        items = data.get(step) if step and isinstance(data, dict) else data if not step else None
        for item in items if isinstance(items, list) else ():
            yield from values(item, rest)
    elif isinstance(data, dict):
        yield from values(data.get(step), rest)
