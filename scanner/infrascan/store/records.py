"""Nouns as JSON and back, for the parts of a scan that are kept as text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from infrascan.model import (
    Category,
    Connection,
    Coverage,
    Gap,
    Identity,
    Partition,
    Price,
    Reason,
    Resource,
    RuleSummary,
    Severity,
    Spent,
    State,
)

# Reading goes through tables of the members: calling the enum costs three times as much.
REASONS: Mapping[str, Reason] = {member.value: member for member in Reason}
STATES: Mapping[str, State] = {member.value: member for member in State}
SEVERITY: Mapping[str, Severity] = {member.value: member for member in Severity}
CATEGORY: Mapping[str, Category] = {member.value: member for member in Category}

GAP = (
    "provider",
    "account",
    "region",
    "kind",
    "call",
    "reason",
    "detail",
    "permission",
    "resource",
    "field",
)

encoded = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
parsed = json.JSONDecoder().raw_decode


def decoded(text: str) -> Any:
    """The value of JSON text that `encoded` made: nothing stands before or after it."""
    return parsed(text)[0]


def gap_row(gap: Gap) -> tuple[str, ...]:
    """The gap's fields in the order of `GAP`."""
    return (
        gap.provider,
        gap.account,
        gap.region,
        gap.kind,
        gap.call,
        gap.reason.value,
        gap.detail,
        gap.permission,
        gap.resource,
        gap.field,
    )


class Gaps:
    """Gaps by their fields, each built once: a denied call explains thousands of fields."""

    __slots__ = ("known",)

    def __init__(self) -> None:
        self.known: dict[tuple[str, ...], Gap] = {}

    def __call__(self, row: tuple[str, ...]) -> Gap:
        gap = self.known.get(row)
        if gap is None:
            named: dict[str, Any] = dict(zip(GAP, row, strict=True))
            gap = Gap(**(named | {"reason": REASONS[named["reason"]]}))
            self.known[row] = gap
        return gap


def unread_json(unread: Mapping[str, Gap]) -> dict[str, dict[str, str]]:
    """`Resource.unread` as JSON values; empty fields of a gap are left out."""
    return {
        name: {key: value for key, value in zip(GAP, gap_row(gap), strict=True) if value}
        for name, gap in unread.items()
    }


def unread_of(value: Mapping[str, Mapping[str, str]], gaps: Gaps) -> dict[str, Gap]:
    return {name: gaps(tuple(gap.get(key, "") for key in GAP)) for name, gap in value.items()}


def resource_json(resource: Resource) -> dict[str, Any]:
    """A resource without its links, which the graph makes anew."""
    return {
        "kind": resource.kind,
        "id": resource.id,
        "name": resource.name,
        "provider": resource.provider,
        "account": resource.account,
        "region": resource.region,
        "data": resource.data,
        "unread": unread_json(resource.unread),
    }


def resource_of(value: Mapping[str, Any], gaps: Gaps) -> Resource:
    return Resource(**{**value, "unread": unread_of(value["unread"], gaps)})


def partition_json(partition: Partition) -> list[str]:
    return [partition.provider, partition.account, partition.region, partition.kind]


def partition_of(value: list[str]) -> Partition:
    provider, account, region, kind = value
    return Partition(provider=provider, account=account, region=region, kind=kind)


def coverage_json(entry: Coverage) -> list[Any]:
    return [
        *partition_json(entry.partition),
        entry.state.value,
        entry.resources,
        entry.calls,
        entry.failed,
    ]


def coverage_of(value: list[Any]) -> Coverage:
    *partition, state, resources, calls, failed = value
    return Coverage(
        partition=partition_of(partition),
        state=STATES[state],
        resources=resources,
        calls=calls,
        failed=failed,
    )


def price_json(price: Price | None) -> dict[str, Any] | None:
    if price is None:
        return None
    return {
        "monthly": price.monthly,
        "currency": price.currency,
        "source": price.source,
        "date": price.date,
        "basis": price.basis,
    }


def price_of(value: Mapping[str, Any] | None) -> Price | None:
    return None if value is None else Price(**value)


def identity_json(identity: Identity) -> dict[str, Any]:
    return {
        "provider": identity.provider,
        "state": identity.state.value,
        "source": identity.source,
        "account": identity.account,
        "who": identity.who,
        "detail": identity.detail,
        "remedy": identity.remedy,
    }


def identity_of(value: Mapping[str, Any]) -> Identity:
    return Identity(**{**value, "state": Connection(value["state"])})


def spent_json(spent: Spent) -> dict[str, Any]:
    return {**asdict(spent), "told": list(spent.told)}


def spent_of(value: Mapping[str, Any]) -> Spent:
    return Spent(**{**value, "told": tuple(value["told"])})


def rule_json(rule: RuleSummary) -> dict[str, Any]:
    return {
        "rule": rule.rule,
        "title": rule.title,
        "category": rule.category.value,
        "severity": rule.severity.value,
        "kind": rule.kind,
        "flagged": rule.flagged,
        "passed": rule.passed,
        "unknown": rule.unknown,
        "definition": rule.definition,
        "reads": list(rule.reads),
    }


def rule_of(value: Mapping[str, Any]) -> RuleSummary:
    return RuleSummary(
        **{
            **value,
            "category": CATEGORY[value["category"]],
            "severity": SEVERITY[value["severity"]],
            "reads": tuple(value.get("reads", ())),
        }
    )
