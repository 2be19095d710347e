"""What happened: one entry of a timeline, with the fields that say so.

A change is what somebody or something altered; a symptom is what it did to those that depend on
it. Both stand in a timeline, and only changes can be causes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeAlias

from infrascan.model import JSON, Evidence, Resource

Step: TypeAlias = str | int
NAME = re.compile(r"[A-Za-z0-9_$@][A-Za-z0-9_$@/:\-]*")


class What(StrEnum):
    """The sort of an entry. Those up to `CALL` are changes, the others symptoms."""

    ROLLOUT = "rollout"  # other pods than before: image, settings, limits
    SCALING = "scaling"  # more or fewer of the same
    CONFIG = "config"  # an object that others read was written
    ACCESS = "access"  # roles, policies, bindings, keys
    NETWORK = "network"  # rules, routes, names, balancers
    MACHINE = "machine"  # nodes and instances: joined, left, cordoned, not ready
    DEPLOYMENT = "deployment"  # GitHub was told of one
    RUN = "run"  # a workflow ran
    CALL = "call"  # a write to a cloud's API, of no sort above
    RESTART = "restart"
    FAILURE = "failure"  # a pod that does not start, a probe that fails
    ALARM = "alarm"


SYMPTOMS = frozenset({What.RESTART, What.FAILURE, What.ALARM})


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One entry. `what` is a sentence of ours; names and texts of the estate stand in it quoted."""

    time: str  # ISO 8601, UTC
    kind: What
    resource: str  # key of what is different from then on
    name: str
    what: str
    source: str  # kind of the resource that tells: "k8s.event"
    before: str = ""
    after: str = ""
    actor: str = ""  # who, as the source names them
    touches: tuple[str, ...] = ()  # keys of other resources that are different too
    evidence: tuple[Evidence, ...] = ()
    facets: frozenset[str] = field(default_factory=frozenset)  # what of it: "image", "memory"
    count: int = 1  # how often, up to the end of what was read
    reaction: bool = False  # a controller's answer to load or to a failure, not a cause of it
    earliest: str = ""  # where only a span is known: it happened after this, and by `time`

    @property
    def is_symptom(self) -> bool:
        return self.kind in SYMPTOMS

    @property
    def keys(self) -> tuple[str, ...]:
        return (self.resource, *self.touches)


def cite(resource: Resource, *steps: Step) -> Evidence | None:
    """The value at these steps of a resource's data, as evidence; None where there is none."""
    value = at(resource.data, steps)
    if value is None:
        return None
    return Evidence(resource=resource.key, path=spelled(steps), value=value)


def cited(resource: Resource, *paths: Sequence[Step]) -> tuple[Evidence, ...]:
    """What there is of several places."""
    found = (cite(resource, *steps) for steps in paths)
    return tuple(evidence for evidence in found if evidence is not None)


def at(data: Any, steps: Sequence[Step]) -> JSON:
    """The value at these steps, or None."""
    for step in steps:
        if isinstance(step, int):
            data = data[step] if isinstance(data, list) and -len(data) <= step < len(data) else None
        else:
            data = data.get(step) if isinstance(data, dict) else None
    found: JSON = data
    return found


def spelled(steps: Sequence[Step]) -> str:
    """The steps as evidence spells paths: `status.conditions[0]["a.b"]`."""
    text = ""
    for step in steps:
        if isinstance(step, int):
            text += f"[{step}]"
        elif NAME.fullmatch(step):
            text += f".{step}" if text else step
        else:
            text += f'["{step}"]'
    return text


def moment(text: Any) -> datetime | None:
    """A time of an API as a datetime in UTC; None where it is not one."""
    if isinstance(text, int | float) and not isinstance(text, bool):
        try:
            return datetime.fromtimestamp(text, UTC)
        except (OverflowError, OSError, ValueError):
            return None
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def stamp(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def dicts(value: Any) -> list[tuple[int, dict[str, Any]]]:
    """The objects of a list, with their places in it."""
    if not isinstance(value, list):
        return []
    return [(place, item) for place, item in enumerate(value) if isinstance(item, dict)]


def mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def quoted(text: Any, limit: int = 160) -> str:
    """Text of the estate as one short, visible line in quotation marks: data, never instruction."""
    from infrascan.render.inert import short, visible

    return f'"{short(visible(str(text)), limit)}"'
