"""From the tables: kinds, IAM permissions, and the least-privilege policy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from infrascan.model import Kind
from infrascan.providers.aws.fields import Tree
from infrascan.providers.aws.tables import Batch, Detail, Listing, permission

# Calls that no table lists: who we are, which regions there are, and the metrics.
ALWAYS = ("sts:GetCallerIdentity", "ec2:DescribeRegions")
METRICS = "cloudwatch:GetMetricData"


def kind(listing: Listing) -> Kind:
    """What the rest of infrascan sees of a table."""
    return Kind(
        name=listing.kind,
        title=listing.title,
        provider="aws",
        relations=listing.relations,
        permissions=dict(permissions(listing)),
        calls=calls(listing),
        fields=Tree(listing),
        live=listing.live,
    )


def permissions(listing: Listing) -> Iterator[tuple[str, str]]:
    """Pairs of field and IAM action; the field of the list call is ""."""
    if listing.operation:
        yield "", permission(listing.service, listing.operation, listing.permission)
    for detail in listing.details:
        if detail.field:
            service = detail.service or listing.service
            yield detail.field, permission(service, detail.operation, detail.permission)
    if listing.metrics:
        yield "metrics", METRICS


def calls(listing: Listing) -> dict[str, str]:
    """Field -> operation that gives it; "" has the list call, and those that complete its items."""
    listed = [f"{listing.service}.{listing.operation}"] if listing.operation else []
    found: dict[str, str] = {}
    for detail in listing.details:
        operation = f"{detail.service or listing.service}.{detail.operation}"
        if not detail.field:
            listed.append(operation)
            continue
        found[detail.field] = operation
        if isinstance(detail, Detail):
            found |= dict.fromkeys(detail.beside, operation)
    if listing.metrics:
        found["metrics"] = METRICS.replace(":", ".")
    return {"": ", ".join(dict.fromkeys(listed)), **found} if listed else found


def actions(listings: Iterable[Listing]) -> list[str]:
    """Every IAM action that reading these listings takes, sorted."""
    found = set(ALWAYS)
    for listing in listings:
        found |= {action for _, action in permissions(listing)}
        for parent in listing.parents:
            service = parent.service or listing.service
            found.add(permission(service, parent.operation, parent.permission))
        for detail in listing.details:
            service = detail.service or listing.service
            found.add(permission(service, detail.operation, detail.permission))
            if isinstance(detail, Batch) and detail.prepare:
                found.add(permission(service, detail.prepare))
    return sorted(found)


def policy(listings: Iterable[Listing]) -> dict[str, Any]:
    """The IAM policy that allows these reads and nothing else."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "InfrascanRead",
                "Effect": "Allow",
                "Action": actions(listings),
                "Resource": "*",
            }
        ],
    }
