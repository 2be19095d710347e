"""What Cloudflare bills by the month, as its own API says.

Prices come with the resources: the plan of a zone, and the account's subscriptions. A
subscription that is a zone's plan is counted with the zone, so that no plan is counted twice.
"""

from __future__ import annotations

from typing import Any

from infrascan.model import Price, Resource
from infrascan.pricing.prices import Prices, UnpricedError
from infrascan.pricing.quote import free, number

MONTHS = {"weekly": 12 / 52, "monthly": 1.0, "quarterly": 3.0, "yearly": 12.0}
PLANS = frozenset({"free", "pro", "pro_plus", "business", "enterprise"})
ENDED = frozenset({"Cancelled", "Failed", "Expired", "Trial"})


def zone(resource: Resource, prices: Prices) -> Price:  # noqa: ARG001
    plan = resource.data.get("plan") or {}
    if plan.get("legacy_id") == "free":
        return free("free plan")
    if plan.get("legacy_id") == "enterprise" or plan.get("externally_managed"):
        raise UnpricedError("its plan is a contract, whose price the API does not give")
    return billed(plan, f"{plan.get('name') or 'plan'} of the zone")


def subscription(resource: Resource, prices: Prices) -> Price:  # noqa: ARG001
    data = resource.data
    plan = data.get("rate_plan") or {}
    name = str(plan.get("public_name") or plan.get("id") or "subscription")
    if str(plan.get("id") or "").removeprefix("cf_").lower() in PLANS and data.get("zone"):
        return free("the zone's plan: counted with the zone")
    if data.get("state") in ENDED:
        return free(f"state {data['state']}: not billed")
    return billed(data, name)


def billed(data: dict[str, Any], name: str) -> Price:
    """A price as the API gives it, by the month. Raises `UnpricedError`."""
    amount = number(data, "price")
    frequency = data.get("frequency")
    if not amount:
        return free(f"{name}: no charge")
    if frequency not in MONTHS:
        raise UnpricedError(f"it is not said how often {amount:g} is due")
    currency = str(data.get("currency") or "USD")
    return Price(
        monthly=round(amount / MONTHS[frequency], 2),
        source="Cloudflare's API, this account",
        date=str(data.get("current_period_start") or "")[:10],
        currency=currency,
        basis=f"{name}: {amount:g} {currency} {frequency}",
    )
