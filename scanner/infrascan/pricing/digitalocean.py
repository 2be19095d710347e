"""DigitalOcean: sizes, apps and registries by the prices in the API's answers, the rest by the price
pages. Databases have no price: neither the API nor a page that we could read gives them.
"""

from __future__ import annotations

from infrascan.model import Price, Resource
from infrascan.pricing.prices import Prices, UnpricedError
from infrascan.pricing.quote import Part, free, number, text, total

SOURCE = "prices in the DigitalOcean API's answers"


def answered(monthly: float, basis: str) -> Price:
    return Price(monthly=round(monthly, 2), source=SOURCE, date="", basis=basis)


def droplet(resource: Resource, prices: Prices) -> Price:  # noqa: ARG001
    """A Droplet, on or off, without volumes. Backups come on top: the answer does not say which."""
    amount = number(resource.data, "size", "price_monthly")
    note = ", without its backups" if "backups" in (resource.data.get("features") or ()) else ""
    return answered(amount, f"size {text(resource.data, 'size_slug')}{note}")


def volume(resource: Resource, prices: Prices) -> Price:
    size = number(resource.data, "size_gigabytes")
    return total([Part(size, "GiB", prices.rate("do.volume.gib", resource.region))])


def snapshot(resource: Resource, prices: Prices) -> Price:
    size = number(resource.data, "size_gigabytes")
    return total([Part(size, "GB", prices.rate("do.snapshot.gb", resource.region))])


def load_balancer(resource: Resource, prices: Prices) -> Price:
    kind = resource.data.get("type") or "REGIONAL"
    nodes = resource.data.get("size_unit")
    if kind == "GLOBAL":
        return total([Part(1, "load balancer", prices.rate("do.lb.global.month", ""))], "global")
    if not isinstance(nodes, int) or isinstance(nodes, bool):
        raise UnpricedError("size_unit is not known")
    item = "do.lb.network.month" if kind == "REGIONAL_NETWORK" else "do.lb.regional.month"
    return total([Part(nodes, "nodes", prices.rate(item, resource.region))])


def reserved_ip(resource: Resource, prices: Prices) -> Price:
    if resource.data.get("droplet"):
        return free("assigned to a Droplet: not billed")
    return total([Part(1, "address", prices.rate("do.reserved-ip.month", resource.region))])


def database(resource: Resource, prices: Prices) -> Price:  # noqa: ARG001
    raise UnpricedError(f"no price for size {resource.data.get('size')}: the API gives none")


def cluster(resource: Resource, prices: Prices) -> Price:
    """The control plane; the nodes are Droplets, with prices of their own."""
    if not resource.data.get("ha"):
        return free("a control plane without high availability is not billed")
    return total([Part(1, "control plane", prices.rate("do.kubernetes.ha.month", resource.region))])


def app(resource: Resource, prices: Prices) -> Price:  # noqa: ARG001
    """Services and workers times the price of their size; jobs, databases and traffic are extra."""
    if gap := resource.unread.get("sizes"):
        raise UnpricedError(f"the prices of its sizes were not read: {gap.detail}")
    sizes = {size.id: size for size in resource.links.get("sizes", ())}
    spec = resource.data.get("spec") or {}
    amount, words = 0.0, []
    for part in (*(spec.get("services") or ()), *(spec.get("workers") or ())):
        if part.get("autoscaling"):
            raise UnpricedError(f"{part.get('name')} has as many instances as it needs")
        slug = text(part, "instance_size_slug")
        if slug not in sizes:
            raise UnpricedError(f"no price for {slug} in the answer")
        monthly = float(text(sizes[slug].data, "usd_per_month"))
        count = int(part.get("instance_count") or 1)
        amount += count * monthly
        words.append(f"{count} × {monthly:.6g} USD ({slug})")
    return answered(amount, " + ".join(words) or "static sites and functions only")


def subscription(resource: Resource, prices: Prices) -> Price:  # noqa: ARG001
    cents = number(resource.data, "subscription", "tier", "monthly_price_in_cents")
    return answered(cents / 100, f"tier {text(resource.data, 'subscription', 'tier', 'name')}")
