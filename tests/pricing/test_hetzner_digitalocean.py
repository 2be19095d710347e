"""Prices that come with the answers, and what becomes of a currency that is not ours."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fixtures.estates import hetzner_acme
from fixtures.estates.digitalocean_acme import balancer, droplet, volume

from infrascan.model import Price, Resource
from infrascan.pricing import price_all, quote, saving, shipped
from infrascan.pricing.exchange import dollars
from infrascan.pricing.prices import UnpricedError
from tests.pricing.estate import instance, resource

RATE = 1.1761  # USD for a euro, 2026-05-08


def hetzner(
    kind: str, data: dict[str, Any], currency: str = "EUR", *, project: bool = True
) -> Resource:
    found = resource(f"hetzner.{kind}", data)
    pricing = {**hetzner_acme.PRICES, "currency": currency}
    if project:
        found.links["project"] = [resource("hetzner.project", {"pricing": pricing})]
    return found


def priced(found: Resource) -> Price:
    asked = quote(found)
    assert asked.price is not None, asked.reason
    return asked.price


def test_a_server_costs_what_its_location_asks_in_dollars():
    price = priced(hetzner("server", hetzner_acme.server(1, "a", "cx23")))

    assert price.currency == "USD"
    assert price.monthly == round(3.49 * RATE, 2)
    assert price.basis == "3.49 EUR; cx23 in fsn1; at 1.1761 USD/EUR"
    assert "European Central Bank" in price.source
    assert price.date == "2026-05-08"


def test_backups_cost_their_share_more_and_being_off_saves_nothing():
    data = hetzner_acme.server(1, "a", "cx23", backups=True, status="off")

    assert priced(hetzner("server", data)).monthly == round(3.49 * 1.2 * RATE, 2)


@pytest.mark.parametrize(
    ("kind", "data", "euros"),
    [
        ("volume", hetzner_acme.volume(1, "v", 200, of=None), 200 * 0.044),
        ("image", hetzner_acme.snapshot(1, "s", 9, of=1), 12.5 * 0.0119),
        ("primary_ip", hetzner_acme.ADDRESSES[0], 0.5),
        ("floating_ip", hetzner_acme.FLOATING, 3.0),
        ("load_balancer", hetzner_acme.BALANCERS[0], 5.39),
        ("storage_box", hetzner_acme.BOX, 3.2),
    ],
)
def test_the_rest_is_priced_by_the_projects_list(kind: str, data: dict[str, Any], euros: float):
    assert priced(hetzner(kind, data)).monthly == round(euros * RATE, 2)


def test_a_backup_is_in_the_price_of_its_server():
    data = {**hetzner_acme.snapshot(1, "b", 1, of=1), "type": "backup"}

    assert priced(hetzner("image", data)).monthly == 0


def test_without_the_price_list_nothing_is_guessed():
    found = hetzner("server", hetzner_acme.server(1, "a"), project=False)

    assert quote(found).reason == "the price list of its project was not read"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"location": {"name": "ash"}}, "no price for ash in the answer"),
        ({"server_type": {"name": "x", "prices": None}}, "no price for fsn1 in the answer"),
        ({"server_type": None}, "no price for fsn1 in the answer"),
        ({"location": None}, "location.name is not known"),
    ],
)
def test_what_the_answer_does_not_say_has_no_price(change: dict[str, Any], reason: str):
    found = hetzner("server", {**hetzner_acme.server(1, "a"), **change})

    assert quote(found).reason == reason


def test_a_currency_without_a_rate_is_said_and_added_to_nothing():
    francs = hetzner("server", hetzner_acme.server(1, "a", "cx23"), "CHF")
    dollar = instance("m5.large")

    total, unpriced = price_all([francs, dollar])

    assert quote(francs).reason == "3.49 CHF a month, and no exchange rate for it"
    assert total == 70.08
    assert unpriced == {"hetzner.server": 1}
    assert "monthly_cost" not in francs.data
    assert saving(francs, "all") == (None, None, "3.49 CHF a month, and no exchange rate for it")


def test_a_total_adds_dollars_to_dollars():
    euros = hetzner("server", hetzner_acme.server(1, "a", "ccx33"))
    same = hetzner("server", hetzner_acme.server(2, "b", "ccx33"), "USD")

    total, unpriced = price_all([euros, same, instance("m5.large")])

    assert total == round(round(48.49 * RATE, 2) + 48.49 + 70.08, 2)
    assert euros.data["monthly_cost"] == round(48.49 * RATE, 2)
    assert unpriced == {}


def test_a_saving_is_in_dollars_too():
    cost, saved, note = saving(hetzner("server", hetzner_acme.server(1, "a", "ccx33")), "all")

    assert cost is not None
    assert saved is not None
    assert (saved.currency, saved.monthly, note) == ("USD", cost.monthly, "")


def test_dollars_stay_as_they_are():
    price = Price(monthly=3.0, source="s", date="2026-01")

    assert dollars(price, shipped()) is price
    with pytest.raises(UnpricedError, match=r"12\.00 JPY a month"):
        dollars(replace(price, monthly=12.0, currency="JPY"), shipped())


def digitalocean(kind: str, data: dict[str, Any]) -> Resource:
    return resource(f"digitalocean.{kind}", data, region="fra1")


@pytest.mark.parametrize(
    ("kind", "data", "usd"),
    [
        ("droplet", droplet(1, "a", "s-4vcpu-8gb", ip=70), 48.0),
        ("droplet", droplet(1, "a", ip=70, status="off"), 24.0),
        ("volume", volume(1, "v", 250), 25.0),
        ("snapshot", {"size_gigabytes": 22.4}, 1.34),
        ("load_balancer", balancer(1, "b", 70, []), 12.0),
        ("load_balancer", {"type": "REGIONAL_NETWORK", "size_unit": 2}, 30.0),
        ("load_balancer", {"type": "GLOBAL"}, 15.0),
        ("reserved_ip", {"droplet": None}, 5.0),
        ("reserved_ip", {"droplet": {"id": 1}}, 0.0),
        ("kubernetes_cluster", {"ha": True}, 40.0),
        ("kubernetes_cluster", {"ha": False}, 0.0),
        (
            "registry_subscription",
            {"subscription": {"tier": {"name": "Basic", "monthly_price_in_cents": 500}}},
            5.0,
        ),
    ],
)
def test_digitalocean_is_priced_by_answers_and_price_pages(
    kind: str, data: dict[str, Any], usd: float
):
    assert priced(digitalocean(kind, data)).monthly == usd


def test_a_database_has_no_price_and_is_counted_as_such():
    found = digitalocean("database_cluster", {"size": "db-s-1vcpu-1gb"})

    assert quote(found).reason == "no price for size db-s-1vcpu-1gb: the API gives none"
    assert price_all([found]) == (0.0, {"digitalocean.database_cluster": 1})


def app(*services: dict[str, Any]) -> Resource:
    found = digitalocean("app", {"spec": {"services": list(services)}})
    found.links["sizes"] = [resource("digitalocean.app_size", {"usd_per_month": "12.00"}, id="s1")]
    return found


def test_an_app_costs_its_instances():
    found = app({"name": "a", "instance_count": 2, "instance_size_slug": "s1"})

    assert priced(found).monthly == 24.0
    assert priced(found).basis == "2 × 12 USD (s1)"


def test_an_app_whose_size_is_not_listed_or_that_scales_has_no_price():
    assert quote(app({"name": "a", "instance_size_slug": "s9"})).reason == (
        "no price for s9 in the answer"
    )
    scales = app({"name": "a", "instance_size_slug": "s1", "autoscaling": {"max": 3}})
    assert quote(scales).reason == "a has as many instances as it needs"
    assert priced(app()).monthly == 0.0
