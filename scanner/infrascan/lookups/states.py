"""Terraform states in summary: how much of what type, and never the value of an output."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from infrascan.lookups.connections import Connections, Seen
from infrascan.lookups.pods import listed

STATE, RESOURCE = "terraform.state", "terraform.resource"


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One state: what it manages, by type, and the names of its outputs."""

    resource: str
    name: str
    terraform_version: str
    serial: int
    resources: int
    by_type: Mapping[str, int]
    tainted: int
    outputs: tuple[tuple[str, bool], ...]  # (name, sensitive)
    secrets: int  # attributes that hold one in the clear
    locked_by: str


async def states(
    connections: Connections, *, names: Sequence[str] = ()
) -> tuple[list[State], Seen]:
    """Each state that can be read, or those named."""
    seen = await connections.look(connections.request, [STATE, RESOURCE])
    types: dict[str, Counter[str]] = {}
    for each in seen.of(RESOURCE):
        if each.data.get("mode") != "data":  # what is only looked up is not managed
            types.setdefault(each.account, Counter())[str(each.data.get("type") or "unknown")] += 1
    found = []
    for each in seen.of(STATE):
        if names and each.name not in names and each.account not in names:
            continue
        data = each.data
        found.append(
            State(
                resource=each.key,
                name=each.name,
                terraform_version=str(data.get("terraform_version") or ""),
                serial=int(data.get("serial") or 0),
                resources=int(data.get("resource_count") or 0),
                by_type=dict(sorted(types.get(each.account, Counter()).items())),
                tainted=int(data.get("tainted_count") or 0),
                outputs=tuple(
                    (str(out.get("name") or ""), bool(out.get("sensitive")))
                    for out in listed(data.get("outputs"))
                ),
                secrets=int(data.get("secrets_count") or 0),
                locked_by=str((data.get("lock") or {}).get("Who") or ""),
            )
        )
    return found, seen
