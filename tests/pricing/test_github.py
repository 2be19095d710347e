"""Seats have a price; the bill is what GitHub says it was."""

from __future__ import annotations

from typing import Any

import pytest

from infrascan.model import Resource
from infrascan.pricing import quote


def resource(kind: str, **data: Any) -> Resource:
    return Resource(
        kind=f"github.{kind}", id="x", name="x", provider="github", account="acme", data=data
    )


def test_a_business_seat_costs_nineteen_dollars():
    price = quote(resource("copilot_seat", plan_type="business")).price
    assert price is not None
    assert (price.monthly, price.currency, price.date) == (19.0, "USD", "2026-06-01")
    assert price.source


@pytest.mark.parametrize("plan", ["enterprise", "unknown", None])
def test_other_seats_have_no_price(plan: str | None):
    found = quote(resource("copilot_seat", plan_type=plan))
    assert found.price is None
    assert "Copilot plan" in found.reason


def test_a_line_of_the_bill_costs_what_it_says():
    line = {"product": "actions", "sku": "Linux", "unitType": "minutes", "quantity": 100}
    price = quote(resource("usage", **line, netAmount=0.604, month="2026-10")).price
    assert price is not None
    assert (price.monthly, price.date) == (0.6, "2026-10")
    assert price.basis == "100 minutes, after discounts"


def test_seats_on_the_bill_are_counted_once():
    line = {"product": "copilot", "sku": "Copilot Business", "unitType": "user-months"}
    price = quote(resource("usage", **line, netAmount=57.0)).price
    assert price is not None
    assert price.monthly == 0


def test_a_line_without_an_amount_has_no_price():
    assert quote(resource("usage", product="actions", sku="Linux")).price is None
