"""A `Diff` as JSON values, in a shape with a version of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from infrascan.model import Finding
from infrascan.store.diff import BUCKETS, THINGS, Change, Diff, Thing
from infrascan.store.records import price_json

FORMAT = "infrascan.diff/1"
THINGS_SHOWN = 1_000  # of a bucket: an account that left the scope takes all its resources along
PATHS_SHOWN = 50  # of a resource


def as_dict(diff: Diff) -> dict[str, Any]:
    """The whole diff; long lists of resources are cut, and `summary` has their true length."""
    return {
        "format": FORMAT,
        "before": diff.before,
        "after": diff.after,
        "summary": {
            "findings": {name: len(getattr(diff, name)) for name in BUCKETS}
            | {"unchanged": diff.unchanged},
            "resources": {name: len(getattr(diff.resources, name)) for name in THINGS}
            | {"unchanged": diff.resources.unchanged},
            "coverage": len(diff.coverage),
        },
        "findings": {name: [change(one) for one in getattr(diff, name)] for name in BUCKETS},
        "resources": {name: shown(getattr(diff.resources, name)) for name in THINGS},
        "coverage": [
            {**move.place._asdict(), "before": move.before, "after": move.after}
            for move in diff.coverage
        ],
    }


def change(one: Change) -> dict[str, Any]:
    said = {"cause": one.cause.value, "detail": one.detail, **finding(one.finding)}
    if one.before:
        said["before"] = finding(one.before)
    return said


def finding(one: Finding) -> dict[str, Any]:
    return {
        "id": one.id,
        "rule": one.rule,
        "title": one.title,
        "category": one.category.value,
        "severity": one.severity.value,
        "kind": one.kind,
        "resource": one.resource,
        "resource_id": one.resource_id,
        "name": one.name,
        "provider": one.provider,
        "account": one.account,
        "region": one.region,
        "evidence": [
            {"resource": evidence.resource, "path": evidence.path, "value": evidence.value}
            for evidence in one.evidence
        ],
        "saving": price_json(one.saving),
        "fix": one.fix,
        "command": one.command,
    }


def shown(things: Iterable[Thing]) -> list[dict[str, Any]]:
    return [
        {
            "key": one.key,
            "name": one.name,
            "kind": one.kind,
            "cause": one.cause.value,
            "changed": [
                {"path": path, "before": was, "after": now}
                for path, was, now in one.paths[:PATHS_SHOWN]
            ],
            "changed_paths": len(one.paths),
            "no_longer_read": list(one.lost),
        }
        for one, _ in zip(things, range(THINGS_SHOWN), strict=False)
    ]
