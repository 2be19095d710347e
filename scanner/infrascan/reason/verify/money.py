"""Do the sums of a report add up, and is less saved than spent?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any

from infrascan.reason.verify.lines import Document

CENT = 0.0051  # figures are rounded to cents


def money_faults(report: Document) -> Iterator[tuple[str, str]]:
    """Pairs of a section and what is wrong with the money in it."""
    summary = report.of("summary")
    stated, spend = number(summary.get("monthly_saving")), number(summary.get("monthly_cost"))
    if stated is None or spend is None:
        yield "summary", "it does not say what is spent and what could be saved"
        return
    counted = sum(
        amount(row.get("saving")) or 0.0
        for row in report.row_values("findings")
        if row.get("saving_counted")
    )
    if abs(counted - stated) > CENT:
        yield "summary", f"it sums savings to {stated:.2f}, the findings to {counted:.2f}"
    if stated > spend + CENT:
        yield "summary", f"{stated:.2f} a month is to be saved of {spend:.2f}"
    each = sum(number(row.get("monthly_cost")) or 0.0 for row in report.row_values("resources"))
    if abs(each - spend) > CENT:
        yield "summary", f"it sums costs to {spend:.2f}, the resources to {each:.2f}"


def amount(price: Any) -> float | None:
    return number(price.get("monthly")) if isinstance(price, Mapping) else None


def number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return None
    return float(value)
