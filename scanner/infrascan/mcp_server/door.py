"""How a tool is made: a function with a docstring, typed arguments and a typed answer.

    def add(door: Door) -> None:
        @door.tool("k8s", "Failing pods")
        async def get_failing_pods(namespace: str = "*") -> Answered[PodsAnswer]:
            \"\"\"What it gives, and when to call it.\"\"\"

The docstring is the description that an agent chooses by. Mistakes in arguments and errors of
an API become answers the agent can act on; nothing a tool does takes the server down.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from typing import Any

import mcp_types as types
from mcp.server.mcpserver import MCPServer

from infrascan.mcp_server.egress import failed
from infrascan.mcp_server.workspace import Workspace
from infrascan.model import InputError, ReadError

# What agents and people call the groups.
TOOLSETS = {
    "stored": "scans kept on this machine: findings, paths, differences, SQL",
    "questions": "scans, questions in plain words, causes, versions",
    "k8s": "pods, logs, deployments; kubectl and helm, read-only",
    "aws": "spend, instances, alarms, buckets",
    "docker": "containers and their logs",
    "planes": "metrics, logs, traces, alerts and incidents: Prometheus, Loki, Jaeger, PagerDuty",
    "terraform": "states and plans",
    "commands": "commands that an operator approves",
}
SPELLED = {"kubernetes": "k8s", "amazon": "aws"}
Answer = types.CallToolResult | types.InputRequiredResult  # the latter asks the client back
Function = Callable[..., Awaitable[Answer]]


@dataclass(eq=False)
class Door:
    """Registers tools, those that this server is to offer."""

    mcp: MCPServer
    workspace: Workspace
    toolsets: frozenset[str] = frozenset(TOOLSETS)
    read_only: bool = False
    effects: dict[str, str] = field(default_factory=dict)

    def tool(
        self,
        toolset: str,
        title: str,
        *,
        name: str = "",
        live: bool = True,
        writes: bool = False,
        stops: bool = False,
    ) -> Callable[[Function], Function]:
        """Make the function a tool of a group. `live` reaches beyond this machine's store; `writes`
        asks for a change, which an operator then decides; `stops` ends work of our own.
        """
        hints = types.ToolAnnotations(
            title=title,
            read_only_hint=not (writes or stops),
            destructive_hint=writes,
            idempotent_hint=True,  # asking again gives the same proposal, never a second one
            open_world_hint=live,
        )

        def register(function: Function) -> Function:
            called = name or function.__name__
            if toolset not in self.toolsets and toolset in TOOLSETS:
                return function
            if self.read_only and writes:
                return function
            self.effects[called] = "write" if writes else "read"
            described = inspect.cleandoc(function.__doc__ or "")
            self.mcp.tool(
                name=called,
                title=title,
                annotations=hints,
                description=described,
                meta={"category": toolset},
            )(answering(function))
            return function

        return register


def answering(function: Function) -> Function:
    """The function, whose expected errors are answers."""

    @functools.wraps(function)
    async def answered(*arguments: Any, **named: Any) -> Answer:
        try:
            return await function(*arguments, **named)
        except InputError as error:
            return failed(str(error))
        except ReadError as error:
            return failed(worded(error), reason=str(error.reason), permission=error.permission)

    return answered


def worded(error: ReadError) -> str:
    """An API's refusal in one or two sentences: what came back, and what to do."""
    call = f"{error.call}: " if error.call else ""
    need = f" Grant {error.permission} and ask again." if error.permission else ""
    return f"{call}{error.reason}: {error.detail}.{need}"


def chosen(names: Collection[str]) -> frozenset[str]:
    """The toolsets of these names; all where none is named. Raises `InputError`."""
    found = {SPELLED.get(name.strip(), name.strip()) for name in names if name.strip()}
    if strange := sorted(found - TOOLSETS.keys()):
        raise InputError(f"unknown toolset {strange[0]!r}: there are {', '.join(TOOLSETS)}")
    return frozenset(found or TOOLSETS)


def result(answer: Any, text: str) -> types.CallToolResult:
    """A typed answer and the same in a few words."""
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=text)],
        structured_content=answer.model_dump(mode="json"),
    )
