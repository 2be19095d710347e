"""Kubernetes label selectors, answered from an index of labels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from infrascan.model import Resource
from infrascan.paths import values


@dataclass(slots=True)
class Labels:
    """Resources of one scope by their labels. Positions keep the order they were added in."""

    resources: list[Resource] = field(default_factory=list)
    maps: list[dict[str, Any]] = field(default_factory=list)
    by_label: dict[tuple[str, Any], list[int]] = field(default_factory=dict)
    by_key: dict[str, list[int]] = field(default_factory=dict)

    def add(self, resource: Resource, path: str) -> None:
        labels = next(values(resource.data, path), None)
        labels = labels if isinstance(labels, dict) else {}
        position = len(self.resources)
        self.resources.append(resource)
        self.maps.append(labels)
        for key, value in labels.items():
            if isinstance(value, str):
                self.by_label.setdefault((key, value), []).append(position)
                self.by_key.setdefault(key, []).append(position)

    def selected(self, selector: Any) -> list[Resource]:
        """The resources that a selector matches; an empty one matches all, no selector none."""
        wanted = requirements(selector)
        if wanted is None:
            return []
        candidates = self.candidates(wanted)
        return [
            self.resources[position]
            for position in candidates
            if all(meets(self.maps[position], *one) for one in wanted)
        ]

    def candidates(self, wanted: list[tuple[str, str, list[Any]]]) -> Iterable[int]:
        """The shortest list of positions that can hold a match, so that a selector costs about
        what it matches and not what there is."""
        best: Iterable[int] = range(len(self.resources))
        length = len(self.resources)
        for key, operator, options in wanted:
            if operator == "In":
                lists = [self.by_label.get((key, option), []) for option in dict.fromkeys(options)]
                total = sum(map(len, lists))
                if total < length:
                    best, length = sorted(p for found in lists for p in found), total
            elif operator == "Exists" and len(self.by_key.get(key, ())) < length:
                best = self.by_key.get(key, [])
                length = len(self.by_key.get(key, ()))
        return best


def requirements(selector: Any) -> list[tuple[str, str, list[Any]]] | None:
    """(key, operator, values) for each thing a selector asks; None when it is no selector.

    A Service writes its labels as a plain map; everything else writes matchLabels and
    matchExpressions.
    """
    if not isinstance(selector, dict):
        return None
    nested = {"matchLabels", "matchExpressions"}
    labels = selector
    if nested & selector.keys() and all(not isinstance(selector.get(k), str) for k in nested):
        labels = selector.get("matchLabels") or {}
    else:
        selector = {}
    found: list[tuple[str, str, list[Any]]] = []
    for key, value in labels.items() if isinstance(labels, dict) else ():
        found.append((key, "In", [value] if isinstance(value, str) else []))
    for expression in selector.get("matchExpressions") or ():
        if not isinstance(expression, dict):
            return None
        options = [v for v in expression.get("values") or () if isinstance(v, str)]
        found.append((str(expression.get("key")), str(expression.get("operator")), options))
    return found


def meets(labels: dict[str, Any], key: str, operator: str, options: list[Any]) -> bool:
    if operator == "In":
        return labels.get(key) in options and key in labels
    if operator == "NotIn":
        return labels.get(key) not in options
    if operator == "Exists":
        return key in labels
    return operator == "DoesNotExist" and key not in labels
