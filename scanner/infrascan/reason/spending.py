"""Cost and saving by owner, service and provider, so that nothing counts twice.

The law: every dollar of the spend belongs to one resource that pays it, and is saved at most once.
What stands for others (a node pool for its machines, a node for its instance, a stopped machine for
its disks) pays nothing itself: its saving is parted among those that pay, by what they cost.
`pricing.count_once` sees to it that two counted savings never share a payer, the larger first. So in
every group, and in all, what is saved is no more than what is spent, whatever order rules ran in.
A saving on a machine and one on its disk do not overlap: each is of that resource's own cost.

An owner is what a tag says, else the Kubernetes namespace that a resource is in or serves, by that
namespace's own label or by its name, else the Terraform state that manages it. What has none is a
group of its own, and so is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from infrascan.model import Finding, Resource, Scan, Spent
from infrascan.packing import repacked
from infrascan.pricing import payers

BY = ("owner", "service", "provider")
# Tags that name who pays, the most telling first; case and punctuation do not matter.
OWNING = (
    *("owner", "owners", "ownedby", "serviceowner", "resourceowner", "owneremail"),
    *("team", "teamname", "squad", "tribe", "costcenter", "costcentre", "costcode"),
    *("billingcode", "chargecode", "businessunit", "department"),
)
PUNCTUATION = re.compile(r"[^a-z0-9]")
TERRAFORM = ("managed_by",)  # relation from a live resource to what manages it
# Relations along which a cloud's resource is of or for one in a cluster.
NAMESPACED = ("kubernetes_services", "persistent_volumes", "persistent_volume_claims")
DEPTH = 3


@dataclass(slots=True)
class Group:
    """What is added up under one name, in cents."""

    cost: int = 0
    saving: int = 0
    resources: int = 0
    unpriced: int = 0
    unsure: int = 0
    told: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Owner:
    """Who a resource is of: the name, how it is known, and whether its tags were not read."""

    name: str = ""
    told: str = ""
    unread: bool = False


def spending(scan: Scan) -> tuple[Spent, ...]:
    """Each owner, service and provider with what it costs, the dearest first."""
    saved = savings(scan.findings, scan.resources)
    groups: dict[str, dict[str, Group]] = {by: {} for by in BY}
    for resource in repacked(scan.resources):
        cost = priced(resource)
        lacking = (
            cost is None and resource.kind in scan.unpriced and payers(resource) == (resource,)
        )
        if cost is None and not lacking:
            continue
        owner = owner_of(resource)
        names = {
            "owner": owner.name,
            "service": service(resource.kind),
            "provider": resource.provider,
        }
        for by, name in names.items():
            group = groups[by].setdefault(name, Group())
            group.cost += cost or 0
            group.saving += saved.get(resource.key, 0)
            group.resources += cost is not None
            group.unpriced += lacking
            if by == "owner":
                group.unsure += owner.unread and not owner.name
                group.told |= {owner.told} - {""}
    return tuple(row for by in BY for row in rows(by, groups[by]))


def rows(by: str, groups: Mapping[str, Group]) -> Iterator[Spent]:
    for name, group in sorted(groups.items(), key=lambda item: (-item[1].cost, item[0])):
        yield Spent(
            by=by,
            name=name,
            cost=group.cost / 100,
            saving=group.saving / 100,
            resources=group.resources,
            unpriced=group.unpriced,
            told=tuple(sorted(group.told)),
            unsure=group.unsure,
        )


def priced(resource: Resource) -> int | None:
    """What the resource itself costs a month, in cents."""
    cost = resource.data.get("monthly_cost")
    return round(cost * 100) if isinstance(cost, int | float) else None


def savings(findings: Iterable[Finding], resources: Sequence[Resource]) -> dict[str, int]:
    """Key of whoever pays -> cents that the counted findings save of what it costs."""
    counted = [f for f in findings if f.saving and f.saving_counted and f.saving.monthly > 0]
    keys = {finding.resource for finding in counted}
    by_key = {resource.key: resource for resource in resources if resource.key in keys}
    found: dict[str, int] = {}
    for finding in counted:
        if (resource := by_key.get(finding.resource)) is None or finding.saving is None:
            continue
        paying = [(payer.key, priced(payer) or 0) for payer in payers(resource) or (resource,)]
        for key, cents in parted(round(finding.saving.monthly * 100), paying):
            found[key] = found.get(key, 0) + cents
    return found


def parted(cents: int, paying: Sequence[tuple[str, int]]) -> Iterator[tuple[str, int]]:
    """An amount among those that pay, by what each costs and to the cent, none above its cost."""
    total = sum(cost for _, cost in paying)
    left = min(cents, total)
    for key, cost in paying:
        part = min(cost, -(-left * cost // total)) if total else 0
        yield key, part
        left, total = left - part, total - cost


def service(kind: str) -> str:
    """`aws.ec2` of `aws.ec2.volume`; kinds of platforms without services are their own."""
    return ".".join(kind.split(".")[:2])


def owner_of(resource: Resource) -> Owner:
    """Who a resource is of, by the first of the three that tells."""
    if name := tagged(resource):
        return Owner(name[1], f"tag {name[0]}")
    if workload := workload_of(resource):
        for namespace in workload.links.get("namespace", ()):
            if name := tagged(namespace):
                return Owner(name[1], f"label {name[0]} of its namespace")
        return Owner(f"{workload.account}/{namespace_of(workload)}", "Kubernetes namespace")
    for relation in TERRAFORM:
        for manager in resource.links.get(relation, ()):
            return Owner(manager.account, "Terraform state")
    return Owner(unread="tags" in resource.unread)


def tagged(resource: Resource) -> tuple[str, str] | None:
    """The tag that names an owner, and the name in lower case; the most telling tag wins."""
    tags = resource.data.get("tags")
    if not isinstance(tags, dict):
        return None
    found: dict[str, tuple[str, str]] = {}
    for key in sorted(tags, key=str):
        value = tags[key]
        plain = PUNCTUATION.sub("", str(key).rpartition("/")[2].rpartition(":")[2].lower())
        if plain in OWNING and isinstance(value, str) and value.strip():
            found.setdefault(plain, (plain, value.strip().lower()))
    return next((found[name] for name in OWNING if name in found), None)


def namespace_of(resource: Resource) -> str:
    """The Kubernetes namespace that a resource is in, "" for none."""
    metadata = resource.data.get("metadata") if resource.provider == "k8s" else None
    name = metadata.get("namespace") if isinstance(metadata, dict) else None
    return name if isinstance(name, str) else ""


def workload_of(resource: Resource, depth: int = DEPTH) -> Resource | None:
    """What in a namespace the resource is, or serves; None where it serves several namespaces."""
    if namespace_of(resource):
        return resource
    if not depth:
        return None
    found: dict[tuple[str, str], Resource] = {}
    for relation in NAMESPACED:
        for target in resource.links.get(relation, ()):
            if workload := workload_of(target, depth - 1):
                found.setdefault((workload.account, namespace_of(workload)), workload)
    return next(iter(found.values())) if len(found) == 1 else None
