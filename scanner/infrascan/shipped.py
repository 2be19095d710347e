"""Where the data that ships with infrascan is, in a wheel and in a checkout."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).parent
CHECKOUT = PACKAGE.parent.parent


def shipped(name: str) -> Path:
    """The folder `rules`, `reports` or `estates`.

    In a wheel they lie inside the package; in a checkout at the top level, which
    `pip install -e .` leaves where they are.
    """
    inside = PACKAGE / name
    if inside.is_dir():
        return inside
    return CHECKOUT / ("fixtures/estates" if name == "estates" else name)
