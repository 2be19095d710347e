"""kubectl and helm, in the verbs that only read: for what no narrower tool gives."""

from __future__ import annotations

from typing import Annotated

import mcp_types as types
from pydantic import BaseModel, Field

from infrascan import commands
from infrascan.mcp_server.callers import CALLER
from infrascan.mcp_server.door import Door, result
from infrascan.mcp_server.toolsets.kubernetes import Context
from infrascan.mcp_server.workspace import Workspace
from infrascan.model import InputError

OUTPUT = 30_000  # characters of a command's output: twice in an answer, it must not be too large


class CommandAnswer(BaseModel):
    command: list[str]
    exit_code: int | None
    output: str
    errors: str
    truncated: bool
    timed_out: bool


def add(door: Door) -> None:
    space = door.workspace

    @door.tool("k8s", "kubectl, read-only")
    async def kubectl(
        arguments: Annotated[
            list[str],
            Field(
                description='Words after kubectl: ["get", "pods", "-n", "shop", "-o", "wide"]',
                min_length=1,
                max_length=60,
            ),
        ],
        context: Context = "",
        reason: Annotated[str, Field(description="Why, for the audit log", max_length=500)] = "",
    ) -> Annotated[types.CallToolResult, CommandAnswer]:
        """Run a reading kubectl command (get, describe, top, explain, api-resources …) as an
        argument list, where no narrower tool fits. Anything that writes is refused: see run_command.
        """
        return await read(space, ["kubectl", *arguments], context, reason)

    @door.tool("k8s", "helm, read-only")
    async def helm(
        arguments: Annotated[
            list[str],
            Field(description='Words after helm: ["list", "-A"]', min_length=1, max_length=60),
        ],
        context: Context = "",
        reason: Annotated[str, Field(description="Why, for the audit log", max_length=500)] = "",
    ) -> Annotated[types.CallToolResult, CommandAnswer]:
        """Run a reading helm command (list, status, history, get values) as an argument list, to see
        which chart releases are installed in all namespaces. Installs, upgrades and rollbacks are refused.
        """
        return await read(space, ["helm", *arguments], context, reason)


async def read(
    space: Workspace, vector: list[str], context: str, reason: str
) -> types.CallToolResult:
    if space.options.demo:
        raise InputError("the demo estate is a recording: no command runs; use the narrower tools")
    who = CALLER.get().requester
    output = await commands.read(space.home, vector, context=context, requester=who, reason=reason)
    answer = CommandAnswer(
        command=vector,
        exit_code=output.exit_code,
        output=output.stdout[:OUTPUT],
        errors=output.stderr[:4000],
        truncated=output.truncated or len(output.stdout) > OUTPUT,
        timed_out=output.timed_out,
    )
    lines = [answer.output, answer.errors]
    if answer.exit_code:
        lines.append(f"(exit code {answer.exit_code})")
    if answer.truncated:
        lines.append("(the output was cut: narrow the command)")
    return result(answer, "\n".join(filter(None, lines)) or "(no output)")
