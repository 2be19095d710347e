"""Text that anyone may have put: lines of logs and messages, as data to be shown."""

from __future__ import annotations

from infrascan import redact
from infrascan.render.inert import short, visible

WIDEST = 2_000


def quoted_lines(text: str) -> list[str]:
    """The lines without secrets and without characters that steer; the text stays data."""
    return [short(visible(redact.text(line)), WIDEST) for line in text.splitlines()]
