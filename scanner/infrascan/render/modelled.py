"""The model's part of a report: what held, what did not, and what it cost. Shared by the formats."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from infrascan.model import Severity
from infrascan.model.research import Claim, Research
from infrascan.render.evidence import value_text
from infrascan.render.inert import prose, short, visible
from infrascan.render.summary import counted, number

if TYPE_CHECKING:
    from rich.text import Text

SHOWN = 30  # claims in the first view of a page
ON_TERMINAL = 5
LONG = 400
UNPRICED = "unpriced"
LEAST = 0.0001  # USD; less is said to be less, not nothing


def spent(usd: float | None) -> str:
    """Dollars of model calls; a model without a known price is never $0.00."""
    if usd is None:
        return UNPRICED
    if usd == 0:
        return "$0"
    if usd < LEAST:
        return f"<${LEAST}"
    return f"${usd:.4f}" if usd < 1 else f"${usd:,.2f}"


def total(research: Research) -> str:
    """What the model cost in all: "3 calls, 1,200 tokens in, 300 out, $0.0081"."""
    lines = research.usage
    calls = sum(line.calls for line in lines)
    told = [
        counted(calls, "call"),
        f"{number(sum(line.input_tokens for line in lines))} tokens in",
        f"{number(sum(line.output_tokens for line in lines))} out",
    ]
    amounts = [line.usd for line in lines]
    known = [usd for usd in amounts if usd is not None]
    told.append(spent(sum(known) if len(known) == len(amounts) else None))
    if cached := sum(line.cached for line in lines):
        told.append(f"{counted(cached, 'answer')} known from before")
    return ", ".join(told)


def believed(research: Research) -> str:
    """How many claims were published, repaired and dropped, and why."""
    dropped = sum(research.dropped.values())
    told = (
        f"{counted(research.accepted, 'claim')} held, {number(research.repaired)} of them repaired"
    )
    if not dropped:
        return f"{told}; none was dropped."
    reasons = sorted(research.dropped.items(), key=lambda item: (-item[1], item[0]))
    why = ", ".join(f"{reason} × {number(count)}" for reason, count in reasons)
    return f"{told}; {number(dropped)} dropped: {why}."


def facts(claim: Claim) -> Iterator[tuple[str, str]]:
    """Place and value of each fact, in the order in which sentences cite them."""
    for fact in claim.evidence:
        yield f"{fact.resource}: {fact.path}", value_text(fact.value)


def text(research: Research, styles: dict[Severity, str]) -> Text:
    """The section on a terminal."""
    from rich.text import Text

    made = Text()
    if research.banner:
        made.append(f"{short(prose(research.banner), LONG)}\n", style="bold yellow")
    for claim in research.claims[:ON_TERMINAL]:
        made.append(f"{claim.severity.upper()} ", style=styles[claim.severity])
        made.append(short(prose(claim.title), LONG), style="bold")
        made.append("\n")
        if claim.next_check:
            made.append(f"  next: {short(prose(claim.next_check), LONG)}\n", style="green")
    more = len(research.claims) - ON_TERMINAL
    if more > 0:
        made.append(f"and {counted(more, 'more claim')}\n", style="dim")
    if research.usage:
        made.append(
            f"{believed(research)} {visible(research.model)}: {total(research)}.", style="dim"
        )
    return made
