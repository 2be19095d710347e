"""Commands that change something: proposed here, decided by an operator on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

import mcp_types as types
import trio
from mcp.server.mcpserver import Context
from pydantic import BaseModel, Field

from infrascan import commands
from infrascan.lookups.pods import past_mending
from infrascan.mcp_server.asking import told
from infrascan.mcp_server.callers import CALLER
from infrascan.mcp_server.door import Answer, Door, result
from infrascan.mcp_server.workspace import Workspace
from infrascan.model import InputError

Reason = Annotated[
    str,
    Field(description="Why it is needed and what you saw: the operator decides by it", min_length=8, max_length=2000),
]  # fmt: skip
Word = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.\-]{0,251}[a-z0-9])?$")]
OUTPUT = 30_000


class ProposalAnswer(BaseModel):
    """A command in the queue. It has not run."""

    status: str = Field(description="pending_approval, until an operator decides")
    approval_id: str
    command: list[str]
    effect: str = Field(description="read, write or destructive")
    target: dict[str, str]
    plan: dict[str, Any] = Field(description="Preview, blast radius, rollback, warnings")
    expires_at: str
    next: str


class ResultAnswer(BaseModel):
    """What became of a command."""

    status: str
    approval_id: str
    command: list[str]
    decided_by: str = ""
    note: str = ""
    exit_code: int | None = None
    output: str = ""
    errors: str = ""
    truncated: bool = False
    expires_at: str = ""


def add(door: Door) -> None:
    space = door.workspace

    async def run_command(
        command: Annotated[
            list[str],
            Field(
                description='Argument vector, no shell: ["kubectl", "scale", "deployment/web", '
                '"-n", "shop", "--replicas=3"]',
                min_length=2,
                max_length=200,
            ),
        ],
        reason: Reason,
        ctx: Context,
    ) -> Annotated[types.CallToolResult, ProposalAnswer] | types.InputRequiredResult:
        """Propose a command that changes infrastructure (kubectl, helm, aws, gcloud, az, terraform,
        docker, gh, doctl, hcloud): scale, apply, modify, roll back, delete.

        Never executes: it queues the command for an operator with a plan, blast radius and rollback,
        and answers pending_approval. No argument can approve it.
        """
        return await proposed(space, command, reason, ctx=ctx)

    door.tool("commands", "Propose a command", writes=True)(run_command)
    if space.options.compat == "clanker":
        door.tool("commands", "Propose a command (alias)", name="clanker_run_command", writes=True)(
            run_command
        )

    @door.tool("commands", "Propose a rolling restart", writes=True)
    async def restart_deployment(
        deployment: Annotated[Word, Field(description="Name of the Deployment")],
        reason: Reason,
        ctx: Context,
        namespace: Annotated[Word, Field(description="Its namespace")] = "default",
        context: Annotated[str, Field(description="Kubernetes context", max_length=200)] = "",
    ) -> Annotated[types.CallToolResult, ProposalAnswer] | types.InputRequiredResult:
        """Ask an operator to approve a rolling restart of a Kubernetes Deployment. Does not restart
        by itself; warns where a bad image or start command will crash again all the same.
        """
        where = [f"--context={context}"] if context else []
        vector = [
            "kubectl",
            *where,
            "rollout",
            "restart",
            f"deployment/{deployment}",
            "-n",
            namespace,
        ]
        warnings = await past_mending(
            space.connections,
            deployment,
            namespace=namespace,
            contexts=(context,) if context else (),
        )
        return await proposed(space, vector, reason, warnings, ctx=ctx)

    @door.tool("commands", "Propose a container restart", writes=True)
    async def restart_container(
        container: Annotated[
            str, Field(description="Name or id", pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_.\-]{0,127}$")
        ],
        reason: Reason,
        ctx: Context,
    ) -> Annotated[types.CallToolResult, ProposalAnswer] | types.InputRequiredResult:
        """Ask an operator to approve the restart of one Docker container. Does not restart by
        itself; warns where its command exits again at once.
        """
        return await proposed(space, ["docker", "restart", container], reason, ctx=ctx)

    @door.tool("commands", "Result of a proposed command", live=False)
    async def command_result(
        approval_id: Annotated[
            str, Field(description="Id that run_command gave. Empty: all that you proposed")
        ] = "",
    ) -> Annotated[types.CallToolResult, ResultAnswer]:
        """Outcome of a command proposed before, by its approval id: still pending, denied, expired,
        or executed with exit code and output.
        """
        who = CALLER.get().requester
        if not approval_id:
            mine = await trio.to_thread.run_sync(commands.mine, space.home, who)
            if not mine:
                raise InputError("you have proposed no command; run_command proposes one")
            approval_id = mine[0].id
        work = partial(commands.result, space.home, approval_id, who)
        found = await trio.to_thread.run_sync(work)
        output = found.output
        answer = ResultAnswer(
            status=str(found.status),
            approval_id=found.id,
            command=list(found.vector),
            decided_by=found.by,
            note=found.note,
            exit_code=output.exit_code if output else None,
            output=output.stdout[-OUTPUT:] if output else "",
            errors=output.stderr[-4000:] if output else "",
            truncated=bool(output and (output.truncated or len(output.stdout) > OUTPUT)),
            expires_at=found.expires,
        )
        said = {
            "pending_approval": "waits for an operator: infrascan approvals list",
            "denied": f"was denied: {found.note or 'no reason given'}",
        }.get(answer.status, answer.status.replace("_", " "))
        lines = [f"{found.id}: {said}"]
        if answer.exit_code is not None:
            lines += [f"exit code {answer.exit_code}", answer.output, answer.errors]
        return result(answer, "\n".join(filter(None, lines)))


async def proposed(
    space: Workspace,
    vector: list[str],
    reason: str,
    warnings: Sequence[str] = (),
    *,
    ctx: Context | None = None,
) -> Answer:
    """Queue a command of this caller, and tell its user where the policy wants that.

    Runs nothing that was not approved. Raises `InputError` for a command that is never accepted.
    """
    work = partial(
        commands.propose,
        space.home,
        vector,
        reason,
        CALLER.get().requester,
        warnings=lambda _: warnings,
    )
    found = await told(space, await trio.to_thread.run_sync(work), ctx)
    if isinstance(found, types.InputRequiredResult):
        return found
    waits = found.status is commands.Status.PENDING
    then = f"An operator decides: infrascan approvals show {found.id}. " if waits else ""
    answer = ProposalAnswer(
        status=str(found.status),
        approval_id=found.id,
        command=list(found.vector),
        effect=str(found.effect),
        target=dict(found.target),
        plan=dict(found.plan),
        expires_at=found.expires,
        next=f"{then}Ask command_result for the outcome.",
    )
    lines = [
        f"{answer.status}:{' NOT executed.' if waits else ''} {found.plan.get('summary', '')}",
        f"Approval id {found.id}, expires {found.expires}. {answer.next}",
        *(f"Warning: {each}" for each in found.plan.get("warnings", ())),
    ]
    return result(answer, "\n".join(lines))
