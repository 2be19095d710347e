"""Which ports a firewall rule opens to the whole internet, in the words of each cloud's provider."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

EVERYONE = frozenset({"0.0.0.0/0", "::/0", "*", "internet", "any"})
ALL = (0, 65535)
Ports: TypeAlias = tuple[int, int]


def opened(kind: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, int]]:
    """The ranges of ports that are open to everyone after the change and were not before it."""
    read = READERS.get(kind)
    if read is None:
        return []
    fresh = {*read(after)} - {*read(before)}
    return [{"from": low, "to": high} for low, high in sorted(fresh)]


def everyone(*places: Any) -> bool:
    """Whether an address, or one in a list of them, is the whole internet."""
    for place in places:
        for address in place if isinstance(place, list) else [place]:
            if isinstance(address, str) and address.lower() in EVERYONE:
                return True
    return False


def ports(low: Any, high: Any, protocol: Any = None) -> Iterator[Ports]:
    """The range; nothing where the protocol has no ports, or they are not known before the apply."""
    if str(protocol) in {"-1", "all"}:
        yield ALL
    elif portless(protocol) or not isinstance(low, int) or not isinstance(high, int):
        return
    else:
        yield low, high


def portless(protocol: Any) -> bool:
    return str(protocol).lower() in {"1", "58", "icmp", "icmpv6", "esp", "gre", "ah", "50", "47"}


def spelled(text: Any) -> Ports:
    """ "22", "8000-9000", "any" or nothing, which is every port."""
    low, _, high = str(text or "any").partition("-")
    return (int(low), int(high or low)) if low.isdigit() and (high or low).isdigit() else ALL


def blocks(values: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    for block in values.get(name) or ():
        if isinstance(block, dict):
            yield block


def aws_group(values: Mapping[str, Any]) -> Iterator[Ports]:
    for rule in blocks(values, "ingress"):
        if everyone(rule.get("cidr_blocks"), rule.get("ipv6_cidr_blocks")):
            yield from ports(rule.get("from_port"), rule.get("to_port"), rule.get("protocol"))


def aws_rule(values: Mapping[str, Any]) -> Iterator[Ports]:
    inward = values.get("type") == "ingress"
    if inward and everyone(values.get("cidr_blocks"), values.get("ipv6_cidr_blocks")):
        yield from ports(values.get("from_port"), values.get("to_port"), values.get("protocol"))


def aws_ingress(values: Mapping[str, Any]) -> Iterator[Ports]:
    if everyone(values.get("cidr_ipv4"), values.get("cidr_ipv6")):
        yield from ports(values.get("from_port"), values.get("to_port"), values.get("ip_protocol"))


def google(values: Mapping[str, Any]) -> Iterator[Ports]:
    inward = values.get("direction") in (None, "INGRESS") and not values.get("disabled")
    if inward and everyone(values.get("source_ranges")):
        for rule in blocks(values, "allow"):
            if portless(rule.get("protocol")):
                continue
            yield from map(spelled, rule.get("ports") or [None])


def azure(values: Mapping[str, Any]) -> Iterator[Ports]:
    inward = values.get("direction") == "Inbound" and values.get("access") == "Allow"
    if inward and everyone(
        values.get("source_address_prefix"), values.get("source_address_prefixes")
    ):
        single = values.get("destination_port_range")
        if not portless(values.get("protocol")):
            yield from map(
                spelled, values.get("destination_port_ranges") or [single] * bool(single)
            )


def hetzner(values: Mapping[str, Any]) -> Iterator[Ports]:
    for rule in blocks(values, "rule"):
        inward = rule.get("direction") == "in" and not portless(rule.get("protocol"))
        if inward and everyone(rule.get("source_ips")):
            yield spelled(rule.get("port"))


def digitalocean(values: Mapping[str, Any]) -> Iterator[Ports]:
    for rule in blocks(values, "inbound_rule"):
        if everyone(rule.get("source_addresses")) and not portless(rule.get("protocol")):
            yield spelled(rule.get("port_range"))


READERS: Mapping[str, Callable[[Mapping[str, Any]], Iterator[Ports]]] = {
    "aws_security_group": aws_group,
    "aws_security_group_rule": aws_rule,
    "aws_vpc_security_group_ingress_rule": aws_ingress,
    "azurerm_network_security_rule": azure,
    "digitalocean_firewall": digitalocean,
    "google_compute_firewall": google,
    "hcloud_firewall": hetzner,
}
