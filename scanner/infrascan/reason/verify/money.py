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
    yield from group_faults(report, spend, stated)
    each = sum(number(row.get("monthly_cost")) or 0.0 for row in report.row_values("resources"))
    if abs(each - spend) > CENT:
        yield "summary", f"it sums costs to {spend:.2f}, the resources to {each:.2f}"


def group_faults(report: Document, spend: float, saved: float) -> Iterator[tuple[str, str]]:
    """The groups by owner, service and provider: each saves no more than it spends, all add up."""
    costs: dict[str, float] = {}
    savings: dict[str, float] = {}
    for row in report.row_values("spending"):
        by = str(row.get("by"))
        cost, saving = number(row.get("monthly_cost")), number(row.get("monthly_saving"))
        if cost is None or saving is None or not 0 <= saving <= cost + CENT:
            yield (
                "spending",
                f"the {by} {str(row.get('name')) or 'none'!r} saves more than it spends",
            )
            continue
        costs[by] = costs.get(by, 0.0) + cost
        savings[by] = savings.get(by, 0.0) + saving
    for by in costs:
        if abs(costs[by] - spend) > CENT:
            yield "spending", f"by {by} it sums to {costs[by]:.2f}, the spend is {spend:.2f}"
        if savings[by] > saved + CENT:
            yield "spending", f"by {by} it saves {savings[by]:.2f}, the findings {saved:.2f}"


def amount(price: Any) -> float | None:
    return number(price.get("monthly")) if isinstance(price, Mapping) else None


def number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return None
    return float(value)
