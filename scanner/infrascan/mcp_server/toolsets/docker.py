"""Docker: containers of the engines at hand, and what they wrote."""

from __future__ import annotations

from typing import Annotated

import mcp_types as types
from pydantic import BaseModel, Field

from infrascan.lookups import containers, logs
from infrascan.mcp_server.answers import quoted
from infrascan.mcp_server.door import Door, result
from infrascan.mcp_server.toolsets.kubernetes import LogAnswer, log_answer
from infrascan.mcp_server.toolsets.live import LiveAnswer, plain, seen, table, warning

Engine = Annotated[str, Field(description="Docker context or address. Empty: the current one")]


class ContainerRow(BaseModel):
    resource: str
    engine: str
    name: str
    image: str
    state: str
    status: str
    ports: list[str]
    restarts: int
    health: str


class ContainersAnswer(LiveAnswer):
    containers: list[ContainerRow]
    total: int


def add(door: Door) -> None:
    open_ones = door.workspace.connections

    @door.tool("docker", "Docker containers")
    async def list_containers(
        engine: Engine = "",
        stopped: Annotated[bool, Field(description="Also those that do not run")] = True,
        limit: Annotated[int, Field(ge=1, le=500, description="Rows")] = 100,
    ) -> Annotated[types.CallToolResult, ContainersAnswer]:
        """List Docker containers on this host or engine, as docker ps does: name, image, status,
        published ports and health.
        """
        rows, found = await containers.containers(
            open_ones, engines=(engine,) if engine else (), stopped=stopped
        )
        answer = ContainersAnswer(
            containers=[
                ContainerRow(
                    resource=r.resource,
                    engine=r.engine,
                    name=r.name,
                    image=r.image,
                    state=r.state,
                    status=r.status,
                    ports=list(r.ports),
                    restarts=r.restarts,
                    health=r.health,
                )
                for r in rows[:limit]
            ],
            total=len(rows),
        )
        seen(answer, found)
        answer.left_out = max(0, len(rows) - limit)
        lines = table(
            ("NAME", "IMAGE", "STATUS", "PORTS"),
            [
                (
                    plain(r.name),
                    plain(r.image),
                    plain(r.status or r.state),
                    ", ".join(r.ports) or "-",
                )
                for r in answer.containers
            ],
        )
        return result(answer, "\n".join([lines, *warning(answer)]))

    @door.tool("docker", "Logs of a Docker container")
    async def container_logs(
        container: Annotated[str, Field(description="Name or id, as list_containers gives it")],
        tail: Annotated[
            int, Field(description="Last lines to return; kept within 1 to 2000")
        ] = 100,
        timestamps: Annotated[bool, Field(description="When each line was written")] = False,
        engine: Engine = "",
    ) -> Annotated[types.CallToolResult, LogAnswer]:
        """Tail the stdout and stderr of a local Docker container, like docker logs. Secrets are
        redacted. Not for pods in a cluster.
        """
        found = await logs.container_log(
            open_ones,
            container,
            lines=tail,
            timestamps=timestamps,
            engines=(engine,) if engine else (),
        )
        said = found.text or f"(container {quoted(container)} has written nothing)"
        return result(log_answer(found), said)
