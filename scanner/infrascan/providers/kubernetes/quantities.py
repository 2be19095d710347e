"""Kubernetes quantities as numbers, and what a pod reserves, may use and does use."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

Amounts: TypeAlias = dict[str, float]  # "cpu" in cores, "memory" in bytes

MEASURED = ("cpu", "memory")
ENDED = frozenset({"Succeeded", "Failed"})

# https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
SUFFIXES: Mapping[str, float] = {
    "n": 1e-9,
    "u": 1e-6,
    "m": 1e-3,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "P": 1e15,
    "E": 1e18,
    "Ki": 2.0**10,
    "Mi": 2.0**20,
    "Gi": 2.0**30,
    "Ti": 2.0**40,
    "Pi": 2.0**50,
    "Ei": 2.0**60,
}


NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def quantity(value: Any) -> float | None:
    """The number that a quantity ("100m", "1Gi", "1e3", 2) stands for, or None if it is none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = str(value)
    number, factor = text, 1.0
    for length in (2, 1):
        if text[-length:] in SUFFIXES and len(text) > length:
            number, factor = text[:-length], SUFFIXES[text[-length:]]
            break
    return float(number) * factor if NUMBER.fullmatch(number) else None


def amounts(resources: Any) -> Amounts:
    """CPU and memory of a map of quantities; what it does not name is absent."""
    if not isinstance(resources, Mapping):
        return {}
    found = {name: quantity(resources.get(name)) for name in MEASURED}
    return {name: amount for name, amount in found.items() if amount is not None}


def total(parts: Iterable[Amounts]) -> Amounts:
    summed: Amounts = {}
    for part in parts:
        for name, amount in part.items():
            summed[name] = summed.get(name, 0.0) + amount
    return summed


def larger(one: Amounts, other: Amounts) -> Amounts:
    return {name: max(one.get(name, 0.0), other.get(name, 0.0)) for name in {**one, **other}}


def requests(container: Any) -> Amounts:
    """What a container reserves: its request, or its limit where only that is set."""
    resources = container.get("resources") or {}
    return {**amounts(resources.get("limits")), **amounts(resources.get("requests"))}


def requested(spec: Mapping[str, Any]) -> Amounts:
    """What the scheduler reserves for a pod.

    The larger of what its containers need together and what its init containers need one after
    another, sidecars (init containers that keep running) counted in both, plus the overhead.
    """
    sidecars: Amounts = {}
    peak: Amounts = {}
    for container in spec.get("initContainers") or ():
        own = requests(container)
        if container.get("restartPolicy") == "Always":
            sidecars = total((sidecars, own))
            peak = larger(peak, sidecars)
        else:
            peak = larger(peak, total((sidecars, own)))
    together = total((sidecars, *(requests(c) for c in spec.get("containers") or ())))
    pod_level = amounts((spec.get("resources") or {}).get("requests"))
    reserved = {**larger(together, peak), **pod_level}
    return dict.fromkeys(MEASURED, 0.0) | total((reserved, amounts(spec.get("overhead"))))


def limited(spec: Mapping[str, Any]) -> Amounts:
    """The sum of the containers' limits; a part is absent where a container has no limit."""
    containers = [
        *(spec.get("containers") or ()),
        *(c for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"),
    ]
    limits = [amounts((c.get("resources") or {}).get("limits")) for c in containers]
    summed = {
        name: amount
        for name, amount in total(limits).items()
        if all(name in limit for limit in limits)
    }
    return {**summed, **amounts((spec.get("resources") or {}).get("limits"))}


def shares(part: Amounts, whole: Amounts) -> Amounts:
    """Part of whole by name, rounded to four places; absent where there is no whole."""
    return {
        name: round(part[name] / whole[name], 4)
        for name in MEASURED
        if whole.get(name) and name in part
    }
