"""What GitHub bills by the seat, and what its own report says it billed."""

from __future__ import annotations

from infrascan.model import Price, Resource
from infrascan.pricing.prices import Prices, UnpricedError
from infrascan.pricing.quote import free, number

SEAT = 19.0  # Copilot Business, a user and month; other plans have no price here
SOURCE = "GitHub documentation, plans of Copilot"
DATE = "2026-06-01"


def copilot_seat(resource: Resource, prices: Prices) -> Price:  # noqa: ARG001
    plan = resource.data.get("plan_type")
    if plan != "business":
        raise UnpricedError(f"no price for the Copilot plan {plan or 'that GitHub does not name'}")
    return Price(monthly=SEAT, source=SOURCE, date=DATE, basis="1 seat × 19 USD, without credits")


def usage(resource: Resource, prices: Prices) -> Price:  # noqa: ARG001
    data = resource.data
    if data.get("product") == "copilot" and "user" in str(data.get("unitType")).lower():
        return free("seats: counted one by one")
    amount = number(data, "netAmount")
    return Price(
        monthly=round(amount, 2),
        source="GitHub's usage report",
        date=str(data.get("month") or ""),
        basis=f"{data.get('quantity')} {data.get('unitType')}, after discounts",
    )
