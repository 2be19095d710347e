"""Objects of the API as resources: identified, with references gathered and amounts added up."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from infrascan.model import Gap, ReadError, Reason, Resource
from infrascan.providers.kubernetes.quantities import (
    ENDED,
    Amounts,
    amounts,
    limited,
    quantity,
    requested,
    shares,
    total,
)
from infrascan.providers.kubernetes.references import own_pod_spec, refs
from infrascan.providers.kubernetes.tables import PROVIDER, Table

# Namespaces that Kubernetes or a managed service fills, and whose owner is not the cluster's user.
PLATFORM = re.compile(
    r"^kube-(?:system|public|node-lease)$|^openshift(?:-.*)?$|^gke-managed-|^gmp-(?:system|public)$"
    r"|^config-management-|^aks-command$|^amazon-(?:cloudwatch|guardduty)$|^calico-(?:system|apiserver)$"
    r"|^tigera-operator$|^cattle-.*system$|^local-path-storage$|^metallb-system$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What metrics.k8s.io gave for one kind: amounts by id, or why there are none.

    `without` explains a running object that has no sample yet.
    """

    amounts: Mapping[str, Amounts] = field(default_factory=dict)
    gap: Gap | None = None
    without: Gap | None = None


def identity(table: Table, item: Any) -> tuple[str, str]:
    """(id, name) of an item. Raises `ReadError` for one that has none."""
    metadata = item.get("metadata") if isinstance(item, dict) else None
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if not isinstance(metadata, dict) or not isinstance(name, str) or not name:
        raise ReadError(Reason.MALFORMED, f"an item of the {table.object}List has no name")
    if not table.namespaced:
        return name, name
    namespace = metadata.get("namespace")
    if not isinstance(namespace, str) or not namespace:
        raise ReadError(Reason.MALFORMED, f"{table.object} {name} has no namespace")
    return f"{namespace}/{name}", name


def resource(table: Table, item: dict[str, Any], context: str, usage: Usage | None) -> Resource:
    """The resource that an item of a list is. Raises `ReadError` for an item without a name."""
    unique, name = identity(table, item)
    item["tags"] = item["metadata"].get("labels") or {}
    if table.namespaced or table.kind == "k8s.namespace":
        item["platform_namespace"] = bool(PLATFORM.match(unique.partition("/")[0]))
    if table.kind == "k8s.resource_quota":
        item["used_share"] = used_share(item.get("status") or {})
    if (spec := own_pod_spec(table.kind, item)) is not None:
        item["pod_spec"] = spec
    gathered = refs(table.kind, item, context)
    if gathered:
        item["refs"] = gathered
    if table.kind == "k8s.service" and not (item.get("spec") or {}).get("selector"):
        # A service without a selector selects nothing; an empty one elsewhere selects all.
        (item.get("spec") or {}).pop("selector", None)
    found = Resource(
        kind=table.kind, id=unique, name=name, provider=PROVIDER, account=context, data=item
    )
    if table.kind == "k8s.node":
        zone = item["tags"].get("topology.kubernetes.io/zone")
        item["zones"] = {zone: 1} if zone else {}
        item["allocatable"] = amounts((item.get("status") or {}).get("allocatable"))
        measure(found, usage, {"of_allocatable": item["allocatable"]}, running=True)
    if table.kind == "k8s.pod":
        add_pod_amounts(found, usage)
    return found


def used_share(status: Mapping[str, Any]) -> dict[str, float]:
    """How much of each limit of a quota is used, 0 to 1; limits of zero are left out."""
    found = {}
    for name, hard in (status.get("hard") or {}).items():
        limit, used = quantity(hard), quantity((status.get("used") or {}).get(name))
        if limit and used is not None:
            found[name] = round(used / limit, 4)
    return found


def add_pod_amounts(pod: Resource, usage: Usage | None) -> None:
    spec = pod.data.get("spec") or {}
    phase = (pod.data.get("status") or {}).get("phase")
    pod.data["limited"] = limited(spec)
    if phase in ENDED:
        return
    pod.data["requested"] = requested(spec)
    wholes = {"of_requested": pod.data["requested"], "of_limited": pod.data["limited"]}
    measure(pod, usage, wholes, running=phase == "Running")


def measure(
    found: Resource, usage: Usage | None, wholes: Mapping[str, Amounts], *, running: bool
) -> None:
    """Put the usage into the data, or the reason for its absence into `unread`."""
    if usage is None:
        return
    if usage.gap is not None:
        found.unread["usage"] = usage.gap
    elif found.id in usage.amounts:
        used = usage.amounts[found.id]
        parts = {name: shares(used, whole) for name, whole in wholes.items()}
        found.data["usage"] = {**used, **parts}
    elif running and usage.without is not None:
        found.unread["usage"] = usage.without


def measured(table: Table, item: Any) -> tuple[str, Amounts]:
    """(id, amounts) of a PodMetrics or NodeMetrics. Raises `ReadError` for a malformed one."""
    unique, _ = identity(table, item)
    if table.kind == "k8s.node":
        return unique, amounts(item.get("usage"))
    containers = item.get("containers")
    if not isinstance(containers, list):
        raise ReadError(Reason.MALFORMED, f"the metrics of pod {unique} have no containers")
    return unique, total(amounts(c.get("usage")) for c in containers if isinstance(c, dict))
