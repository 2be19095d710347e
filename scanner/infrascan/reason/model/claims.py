"""The shape in which a model has to speak: claims that cite, with a next check from a menu."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, Field

Operator = Literal["eq", "ne", "lt", "le", "gt", "ge", "contains", "exists"]
Grade = Literal["critical", "high", "medium", "low", "info"]
Probe = Literal[
    "read_metrics",
    "read_logs",
    "read_events",
    "read_recent_changes",
    "read_access_policy",
    "read_network_reach",
    "read_cost",
    "ask_owner",
]

# What a hypothesis may ask for next: reads, and a question to a person. {} is the resource.
PROBES: Mapping[str, str] = {
    "read_metrics": "read the metrics of {} over the last 7 days",
    "read_logs": "read the latest logs of {}",
    "read_events": "read the events of {}",
    "read_recent_changes": "read what changed on {} in the last 24 hours",
    "read_access_policy": "read who may act on {}, and as whom it acts",
    "read_network_reach": "read from where {} can be reached",
    "read_cost": "read what {} cost in the last 30 days",
    "ask_owner": "ask the owner of {}",
}


class Cited(BaseModel):
    """A fact of the table, and what holds of it."""

    id: str = Field(description="E1, E2, ...")
    operator: Operator
    value: str | float | bool | None = Field(
        default=None, description="as the table shows it; null for exists"
    )


class Said(BaseModel):
    """One claim: what several findings mean together."""

    resources: list[str] = Field(description="R ids, in the order of the path")
    findings: list[str] = Field(default_factory=list, description="F ids that it rests on")
    facts: list[Cited] = Field(description="each fact that it needs, with what holds of it")
    path: list[str] = Field(default_factory=list, description="L ids that join the resources")
    confirmed: bool = Field(description="true only when the findings themselves show it")
    severity: Grade
    saving_usd: float | None = Field(default=None, description="a month; null when none")
    sentences: list[str] = Field(
        default_factory=list, description="at most 2, each citing its facts as [E1]"
    )
    next_check: Probe | None = Field(default=None, description="of a hypothesis: what to read")
    next_resource: str | None = Field(default=None, description="R id to read it of")


class Claims(BaseModel):
    """All that a model has to say of one cluster; none is an answer too."""

    claims: list[Said] = Field(default_factory=list)
