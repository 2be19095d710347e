"""Telling a client's user that a command waits, where the operator's policy wants that.

`elicitation: notify` shows it, and whatever is answered changes nothing: a client may answer by
itself. With `elicitation: approve` a yes counts as the operator's. Without either nobody is asked,
and a terminal decides alone.
"""

from __future__ import annotations

import shlex
from typing import Any

import mcp_types as types
import trio
from mcp.server.mcpserver import Context

from infrascan.commands import Proposal, Status
from infrascan.commands.approving import elicited
from infrascan.commands.policy import Policy, policy
from infrascan.mcp_server.callers import CALLER
from infrascan.mcp_server.egress import clean
from infrascan.mcp_server.workspace import Workspace

PATIENCE = 120.0  # seconds that a call waits for its user; the proposal waits on after that
ROUNDS = "2026-07-28"  # since this version a server asks by answering, and is called again
FIELD = "approve"


async def told(
    space: Workspace, found: Proposal, ctx: Context | None
) -> Proposal | types.InputRequiredResult:
    """The proposal after its user was told, run where that user may and did approve it; or the
    question, for clients that are asked by an answer. Raises `RefusedError`.
    """
    if ctx is None or found.status is not Status.PENDING:
        return found
    rules: Policy = await trio.to_thread.run_sync(policy, space.home)
    can = ctx.client_capabilities
    if not rules.notifies or can is None or can.elicitation is None:
        return found
    if (ctx.protocol_version or "") >= ROUNDS:
        replies = ctx.input_responses
        if replies is None or ctx.request_state != found.id:
            ask = types.ElicitRequest(params=form(found, rules))
            return types.InputRequiredResult(input_requests={FIELD: ask}, request_state=found.id)
        reply: Any = replies.get(FIELD)
    else:
        reply = None
        with trio.move_on_after(PATIENCE):
            asked = form(found, rules)
            reply = await ctx.session.elicit_form(
                asked.message, asked.requested_schema, related_request_id=ctx.request_id
            )
    if not rules.elicitation or not agreed(reply):
        return found
    return await elicited(space.home, found.id, CALLER.get().requester)


def form(found: Proposal, rules: Policy) -> types.ElicitRequestFormParams:
    """What the user is shown: the command word by word, where it goes, and how to decide."""
    where = ", ".join(f"{name} {value}" for name, value in found.target.items() if value)
    lines = [
        f"{found.requester.client or 'A client'} proposes, and it has NOT run:",
        shlex.join(found.vector),
        f"Effect: {found.effect}. Target: {where or 'not known'}.",
        *(f"Warning: {each}" for each in found.plan.get("warnings", ())),
    ]
    properties: dict[str, Any] = {}
    if rules.elicitation:
        lines.append("Approving runs it now, once.")
        properties[FIELD] = {"type": "boolean", "title": "Run it", "default": False}
    else:
        lines.append(f"Nothing you answer here decides: infrascan approvals show {found.id}")
    return types.ElicitRequestFormParams(
        message=clean("\n".join(lines)),
        requested_schema={"type": "object", "properties": properties},
    )


def agreed(reply: Any) -> bool:
    """Whether the user said yes: an accepted form alone, with its box unticked, is none."""
    content = getattr(reply, "content", None)
    return (
        getattr(reply, "action", "") == "accept"
        and isinstance(content, dict)
        and content.get(FIELD) is True
    )
