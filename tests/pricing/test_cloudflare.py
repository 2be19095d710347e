"""Cloudflare's plans and subscriptions, by what its API says."""

from __future__ import annotations

from typing import Any

import pytest

from infrascan.model import Resource
from infrascan.pricing import quote

MONTHLY = {"currency": "USD", "frequency": "monthly"}


def of(kind: str, **data: Any) -> Resource:
    return Resource(kind=f"cloudflare.{kind}", id="a", name="a", provider="cloudflare", account="b", data=data)  # fmt: skip


@pytest.mark.parametrize(
    ("found", "monthly"),
    [
        (of("zone", plan={"legacy_id": "free", "price": 0}), 0),
        (of("zone", plan={"legacy_id": "pro", "name": "Pro Website", "price": 25, **MONTHLY}), 25),
        (of("zone", plan={"legacy_id": "pro", "price": 240, "currency": "USD", "frequency": "yearly"}), 20),
        (of("subscription", state="Paid", price=5, rate_plan={"id": "argo"}, **MONTHLY), 5),
        (of("subscription", state="Paid", price=12, rate_plan={"id": "x"}, currency="USD", frequency="weekly"), 52),
        (of("subscription", state="Paid", price=25, rate_plan={"id": "pro"}, zone={"id": "z"}, **MONTHLY), 0),
        (of("subscription", state="Cancelled", price=5, rate_plan={"id": "argo"}, **MONTHLY), 0),
        (of("subscription", state="Paid", price=0, rate_plan={"id": "teams_free"}), 0),
    ],
)  # fmt: skip
def test_what_is_billed(found: Resource, monthly: float) -> None:
    price = quote(found).price
    assert price is not None
    assert price.monthly == monthly
    assert price.basis


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (of("zone", plan={"legacy_id": "enterprise", "price": 0}), "contract"),
        (of("zone", plan={"legacy_id": "pro", "price": 25, "externally_managed": True}), "contract"),
        (of("zone", plan={"legacy_id": "pro"}), "price is not known"),
        (of("zone"), "price is not known"),
        (of("subscription", price=5, currency="USD"), "how often"),
        (of("subscription", price=5, frequency="monthly", currency="XTS"), "XTS"),
    ],
)  # fmt: skip
def test_what_is_not_known_is_not_guessed(found: Resource, said: str) -> None:
    assert quote(found).price is None
    assert said in quote(found).reason
