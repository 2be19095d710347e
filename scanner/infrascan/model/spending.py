"""Who spends what: the cost of an estate by owner, service and provider."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What the resources of one owner, service or provider cost a month, in USD.

    `cost` is of those that have a price; `unpriced` counts those that cost money and have none.
    `saving` is what the findings counted on them would save: never more than `cost`.
    """

    by: str  # "owner" | "service" | "provider"
    name: str  # "payments", "aws.ec2", "aws"; "" for what has no owner
    cost: float
    saving: float
    resources: int  # that have a price
    unpriced: int = 0
    told: tuple[str, ...] = ()  # how the owner is known: "tag owner", "Terraform state"
    unsure: int = 0  # resources without an owner whose tags were not read
