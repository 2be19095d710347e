"""Hetzner Cloud, by the prices that its own API answers with: net, a month, in the project's currency.

The price list of the project is linked to each resource; without it the currency is not known, and
nothing is priced. Servers are billed while they exist, also when they are off.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from infrascan.model import Price, Resource
from infrascan.pricing.prices import Prices, UnpricedError
from infrascan.pricing.quote import free, number, text

SOURCE = "prices in the Hetzner Cloud API's answers"


def listed(resource: Resource) -> Mapping[str, Any]:
    """The price list of the resource's project. Raises `UnpricedError`."""
    for project in resource.links.get("project", ()):
        pricing = project.data.get("pricing")
        if isinstance(pricing, Mapping) and pricing.get("currency"):
            return pricing
    raise UnpricedError("the price list of its project was not read")


def net(price: Any, *path: str) -> float:
    """The net amount at a path; the API writes amounts as text. Raises `UnpricedError`."""
    for step in path:
        price = price.get(step) if isinstance(price, Mapping) else None
    try:
        return float(text(price if isinstance(price, Mapping) else {}, "net"))
    except ValueError as error:
        raise UnpricedError("a price in the answer is no number") from error


def there(entries: Any, key: str, value: str) -> Mapping[str, Any]:
    """The entry for a location or a type. Raises `UnpricedError`."""
    for entry in entries if isinstance(entries, Iterable) else ():
        if isinstance(entry, Mapping) and entry.get(key) == value:
            return entry
    raise UnpricedError(f"no price for {value} in the answer")


def price(resource: Resource, monthly: float, basis: str) -> Price:
    currency = text(listed(resource), "currency")
    return Price(monthly=monthly, currency=currency, source=SOURCE, date="", basis=basis)


def place(resource: Resource, field: str = "location") -> str:
    return text(resource.data, field, "name")


def of_type(resource: Resource, field: str, location: str) -> float:
    kind = resource.data.get(field) or {}
    return net(there(kind.get("prices"), "location", location), "price_monthly")


def server(resource: Resource, prices: Prices) -> Price:  # noqa: ARG001
    """The server with its backups, without its volumes and addresses."""
    where, currency = place(resource), text(listed(resource), "currency")
    amount = of_type(resource, "server_type", where)
    basis = f"{amount:.6g} {currency}; {text(resource.data, 'server_type', 'name')} in {where}"
    if resource.data.get("backup_window"):
        share = float(text(listed(resource), "server_backup", "percentage"))
        amount *= 1 + share / 100
        basis += f", and {share:.6g} % for backups"
    return price(resource, amount, basis)


def by_size(resource: Resource, field: str, item: str) -> Price:
    pricing, size = listed(resource), number(resource.data, field)
    rate = net(pricing, item, "price_per_gb_month")
    return price(resource, size * rate, f"{size:.6g} GB × {rate:.6g} {text(pricing, 'currency')}")


def volume(resource: Resource, prices: Prices) -> Price:  # noqa: ARG001
    return by_size(resource, "size", "volume")


def image(resource: Resource, prices: Prices) -> Price:  # noqa: ARG001
    if resource.data.get("type") == "backup":
        return free("in the price of the server's backups")
    return by_size(resource, "image_size", "image")


def address(resource: Resource, table: str, location: str) -> Price:
    pricing, kind = listed(resource), text(resource.data, "type")
    entry = there(pricing.get(table), "type", kind)
    amount = net(there(entry.get("prices"), "location", location), "price_monthly")
    return price(resource, amount, f"{amount:.6g} {text(pricing, 'currency')}; {kind}")


def primary_ip(resource: Resource, prices: Prices) -> Price:  # noqa: ARG001
    return address(resource, "primary_ips", place(resource))


def floating_ip(resource: Resource, prices: Prices) -> Price:  # noqa: ARG001
    return address(resource, "floating_ips", place(resource, "home_location"))


def load_balancer(resource: Resource, prices: Prices) -> Price:  # noqa: ARG001
    return typed(resource, "load_balancer_type")


def storage_box(resource: Resource, prices: Prices) -> Price:  # noqa: ARG001
    return typed(resource, "storage_box_type")


def typed(resource: Resource, field: str) -> Price:
    where = place(resource)
    amount = of_type(resource, field, where)
    currency, kind = text(listed(resource), "currency"), text(resource.data, field, "name")
    return price(resource, amount, f"{amount:.6g} {currency}; {kind} in {where}")
