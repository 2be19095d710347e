"""Docker containers of the engines at hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from infrascan.lookups.connections import Connections, Seen
from infrascan.lookups.pods import listed

CONTAINER = "docker.container"


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """One row of `docker ps`."""

    resource: str
    engine: str
    name: str
    image: str
    state: str  # "running", "exited", …
    status: str  # "Up 12 days"
    ports: tuple[str, ...]
    restarts: int
    health: str


async def containers(
    connections: Connections, *, engines: Sequence[str] = (), stopped: bool = True
) -> tuple[list[Running], Seen]:
    """The containers of each engine, the stopped ones too unless told otherwise."""
    seen = await connections.look(connections.narrowed(docker=engines), [CONTAINER])
    found = []
    for each in seen.of(CONTAINER):
        if engines and each.account not in engines:
            continue
        data = each.data
        state: dict[str, Any] = data.get("State") or {}
        found.append(
            Running(
                resource=each.key,
                engine=each.account,
                name=each.name,
                image=str((data.get("Config") or {}).get("Image") or data.get("Image") or ""),
                state=str(state.get("Status") or "unknown"),
                status=str(data.get("Status") or ""),
                ports=tuple(port_of(port) for port in listed(data.get("Ports"))),
                restarts=int(data.get("RestartCount") or 0),
                health=str((state.get("Health") or {}).get("Status") or ""),
            )
        )
    kept = [each for each in found if stopped or each.state == "running"]
    return kept, seen.regardless_of("stats")


def port_of(port: dict[str, Any]) -> str:
    """As docker writes it: `0.0.0.0:8080->80/tcp`, `6379/tcp`."""
    inside = f"{port.get('PrivatePort')}/{port.get('Type', 'tcp')}"
    if port.get("PublicPort"):
        return f"{port.get('IP') or '0.0.0.0'}:{port['PublicPort']}->{inside}"  # noqa: S104 (shown)
    return inside
