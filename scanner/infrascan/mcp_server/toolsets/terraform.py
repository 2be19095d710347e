"""Terraform: what states hold, and plans of folders that the operator named.

A plan is no plain read. It starts the providers that a folder names and runs its external data
sources, which are programs. So it goes through the queue as any command does, unless the operator
started the server with --allow-plan; and only in folders below --terraform-root.
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Annotated

import mcp_types as types
import trio
from pydantic import BaseModel, Field

from infrascan import commands
from infrascan.commands.process import run
from infrascan.lookups import states
from infrascan.mcp_server.answers import quoted
from infrascan.mcp_server.callers import CALLER
from infrascan.mcp_server.door import Door, result
from infrascan.mcp_server.toolsets.live import LiveAnswer, seen, warning
from infrascan.mcp_server.workspace import Workspace
from infrascan.model import InputError

PLAN = ("terraform", "plan", "-input=false", "-lock=false", "-no-color")
SECONDS = 300.0
OUTPUT = 40_000
RUNS = re.compile(r'^\s*(?:data\s+"external"|provisioner\s+"[\w-]+")', re.MULTILINE)
FILES = 500
LARGEST = 1 << 20


class StateRow(BaseModel):
    resource: str
    name: str
    terraform_version: str
    serial: int
    resources: int
    by_type: dict[str, int]
    tainted: int
    outputs: list[str] = Field(description="Names only; values are never shown")
    sensitive_outputs: list[str]
    secrets: int = Field(description="Attributes of the state that hold a secret in the clear")
    locked_by: str


class StatesAnswer(LiveAnswer):
    states: list[StateRow]


class PlanAnswer(BaseModel):
    """A plan that ran, or one that waits for an operator."""

    status: str = Field(description="executed or pending_approval")
    directory: str
    command: list[str]
    warnings: list[str]
    approval_id: str = ""
    expires_at: str = ""
    exit_code: int | None = None
    summary: str = ""
    output: str = ""
    truncated: bool = False


def add(door: Door) -> None:
    space = door.workspace

    @door.tool("terraform", "Terraform states")
    async def terraform_state(
        name: Annotated[str, Field(description="One state. Empty: each that can be read")] = "",
    ) -> Annotated[types.CallToolResult, StatesAnswer]:
        """Summarise Terraform state files: how many managed resources of which type, tainted ones,
        who holds the lock, names of outputs. Values of outputs stay hidden.
        """
        rows, found = await states.states(space.connections, names=(name,) if name else ())
        if name and not rows and found.whole:
            raise InputError(f"there is no Terraform state named {name[:80]!r}")
        answer = StatesAnswer(
            states=[
                StateRow(
                    resource=s.resource,
                    name=s.name,
                    terraform_version=s.terraform_version,
                    serial=s.serial,
                    resources=s.resources,
                    by_type=dict(s.by_type),
                    tainted=s.tainted,
                    outputs=[name for name, sensitive in s.outputs if not sensitive],
                    sensitive_outputs=[name for name, sensitive in s.outputs if sensitive],
                    secrets=s.secrets,
                    locked_by=s.locked_by,
                )
                for s in rows
            ]
        )
        seen(answer, found)
        lines = []
        for s in answer.states:
            types_ = ", ".join(f"{n} {kind}" for kind, n in s.by_type.items())
            lines.append(
                f"{quoted(s.name)}: {s.resources} resources ({types_}), {s.tainted} tainted"
            )
            if s.sensitive_outputs:
                lines.append(f"  sensitive outputs, hidden: {', '.join(s.sensitive_outputs)}")
        return result(answer, "\n".join([*(lines or ["No state was read."]), *warning(answer)]))

    # Not read-only: a plan runs programs that the folder names.
    @door.tool("terraform", "Terraform plan", writes=True)
    async def terraform_plan(
        directory: Annotated[
            str, Field(description="Folder with the configuration", max_length=1000)
        ],
        reason: Annotated[
            str,
            Field(
                description="Why, for the operator and the audit log", min_length=8, max_length=2000
            ),
        ],
    ) -> Annotated[types.CallToolResult, PlanAnswer]:
        """Preview what terraform would add, change or destroy in a configuration folder, without
        applying (-input=false -lock=false).

        A plan starts providers and external programs, so it waits for an operator's approval unless
        the server was started with --allow-plan.
        """
        return await planned(space, directory, reason)


async def planned(space: Workspace, directory: str, reason: str) -> types.CallToolResult:
    folder = await trio.to_thread.run_sync(allowed, space, directory)
    warnings = await trio.to_thread.run_sync(runs, folder)
    if not space.options.allow_plan:
        propose = partial(
            commands.propose,
            space.home,
            list(PLAN),
            reason,
            CALLER.get().requester,
            cwd=folder,
            warnings=lambda _: warnings,
        )
        found = await trio.to_thread.run_sync(propose)
        answer = PlanAnswer(
            status=str(found.status),
            directory=str(folder),
            command=list(found.vector),
            warnings=warnings,
            approval_id=found.id,
            expires_at=found.expires,
        )
        lines = [f"{answer.status}: NOT executed. Approval id {found.id}, expires {found.expires}."]
        return result(answer, "\n".join([*lines, *(f"Warning: {each}" for each in warnings)]))
    output = await run("terraform", PLAN, cwd=folder, seconds=SECONDS)
    counted = re.findall(r"^(?:Plan: .*|No changes\..*)$", output.stdout, re.MULTILINE)
    answer = PlanAnswer(
        status="executed",
        directory=str(folder),
        command=list(PLAN),
        warnings=warnings,
        exit_code=output.exit_code,
        summary=counted[-1] if counted else "",
        output=output.stdout[-OUTPUT:] + output.stderr[-4000:],
        truncated=output.truncated or len(output.stdout) > OUTPUT,
    )
    lines = [answer.summary or f"exit code {answer.exit_code}", answer.output]
    return result(answer, "\n".join([*(f"Warning: {each}" for each in warnings), *lines]))


def allowed(space: Workspace, directory: str) -> Path:
    """The folder, where the operator allows it. Raises `InputError`."""
    roots = [root.resolve() for root in space.options.roots]
    if not roots:
        raise InputError(
            "no folder may be planned: the operator names them at the start with --terraform-root"
        )
    given = Path(directory).expanduser()
    found = (given if given.is_absolute() else roots[0] / given).resolve()
    if not any(found.is_relative_to(root) for root in roots):
        shown = ", ".join(map(str, roots))
        raise InputError(f"{directory!r} is outside of what the operator allows: {shown}")
    if not found.is_dir():
        raise InputError(f"{directory!r} is no folder")
    return found


def runs(folder: Path) -> list[str]:
    """What in the configuration runs programs of its own, as warnings."""
    warnings = []
    for path in sorted(folder.rglob("*.tf"))[:FILES]:
        if path.is_symlink() or path.stat().st_size > LARGEST:
            warnings.append(f"{path.name} was not looked into")
            continue
        for match in RUNS.finditer(path.read_text(encoding="utf-8", errors="replace")):
            what = " ".join(match[0].split())
            when = "runs a program during the plan" if "external" in what else "runs on apply"
            warnings.append(f"{path.relative_to(folder)}: {what} {when}")
    return warnings[:50]
