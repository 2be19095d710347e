"""What answers about now have in common: when, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, Field

from infrascan.lookups.connections import Seen
from infrascan.mcp_server.answers import GapAnswer, gap_answers

GAPS = 20


class LiveAnswer(BaseModel):
    """Read now. Where `complete` is false, what is missing may matter: it is no zero."""

    observed_at: str = ""
    complete: bool = True
    gaps: list[GapAnswer] = Field(
        default=[], description="What could not be read, and what to grant"
    )
    left_out: int = Field(default=0, description="Rows beyond the limit")


def seen(answer: LiveAnswer, found: Seen) -> None:
    """Put in when it was read, and what could not be."""
    answer.observed_at = found.observed
    answer.gaps = gap_answers(list(found.gaps))[:GAPS]
    answer.complete = found.whole


def warning(answer: LiveAnswer) -> list[str]:
    """The lines that an answer which is not whole ends with."""
    lines = []
    if answer.left_out:
        lines.append(f"{answer.left_out} more are left out; narrow the call, or raise limit.")
    if not answer.complete:
        gap = answer.gaps[0]
        lines.append(
            f"INCOMPLETE: not everything could be read ({gap.place}: {gap.reason}). {gap.remedy}"
        )
    return lines


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Aligned columns, as wide as what stands in them."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
             for row in (head, *rows)]  # fmt: skip
    return "\n".join(lines)


def plain(name: str) -> str:
    """A name from the estate as one cell of a table: no line breaks, nothing unseen."""
    return "".join(c if c.isprintable() else "?" for c in name)
