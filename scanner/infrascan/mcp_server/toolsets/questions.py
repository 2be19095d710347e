"""Questions in plain words about now, and why something is unwell."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import mcp_types as types
import trio
from pydantic import BaseModel, Field

from infrascan import questions
from infrascan.mcp_server.callers import CALLER
from infrascan.mcp_server.door import Door, result
from infrascan.mcp_server.models import choice
from infrascan.mcp_server.workspace import Workspace
from infrascan.pipeline import Request, look
from infrascan.reason import causes, changes, naming, telling
from infrascan.store.scans import read

FEW = 60  # pieces of evidence in an answer


class QuestionAnswer(BaseModel):
    """An answer, and all that it stands on."""

    question: str
    answer: str
    status: str = Field(description="answered, partial, unknown or inconclusive")
    ok: bool | None = Field(default=None, description="For yes-or-no checks; null: not known")
    data: dict[str, Any] = {}
    evidence: list[dict[str, Any]] = []
    evidence_left_out: int = 0
    providers: list[str] = []
    observed_at: str = ""
    route: str = Field(default="", description="Id of the question it was understood as")
    routing: dict[str, Any] = {}
    gaps: list[dict[str, Any]] = Field(default=[], description="What was not read, and is unknown")
    changes: list[dict[str, Any]] = Field(
        default=[], description="What differs from the last time this question was asked"
    )
    state_hash: str = ""
    needs: list[str] = Field(default=[], description="What would have to be told or granted")
    notes: list[str] = []
    model: str = ""


class CauseAnswer(BaseModel):
    """Why a resource is unwell: competing explanations, each with evidence and a check."""

    resource: str
    name: str
    at: str
    since: str
    status: str = Field(description="likely, competing, diagnosed, inconclusive or well")
    verdict: str
    incident: dict[str, Any] = Field(
        default={}, description="Symptoms, hypotheses with evidence, timeline, what was not read"
    )
    scan: str = Field(default="", description="The stored scan it rests on; empty: read now")


def add(door: Door) -> None:
    space = door.workspace

    async def route_question(
        question: Annotated[
            str, Field(description="In plain words", min_length=1, max_length=2000)
        ],
        providers: Annotated[
            list[str], Field(description="Only these, such as k8s. Empty: those it is about")
        ] = [],  # noqa: B006
        context: Annotated[str, Field(description="Kubernetes context")] = "",
        profile: Annotated[str, Field(description="AWS profile")] = "",
        model: Annotated[
            str,
            Field(description="VENDOR/MODEL for questions the catalogue does not know; or none"),
        ] = "",
        session: Annotated[
            str,
            Field(
                description="Any name for a conversation, for follow-ups such as 'and its logs?'"
            ),
        ] = "",
    ) -> Annotated[types.CallToolResult, QuestionAnswer]:
        """Answer a question in plain words about the live estate, routed to the right providers.

        For example: which pods use more than 80 % of their memory limit, what changed in production
        in the last 30 minutes, are all services healthy, what instance type does the cluster run,
        give me a health report. Read now, with evidence; repeated, it also says what changed since.
        Says unknown rather than guess. Changes nothing.
        """
        return await routed(space, question, providers, context, profile, model, session)

    door.tool("questions", "Ask in plain words")(route_question)
    if space.options.compat == "clanker":
        door.tool("questions", "Ask in plain words (alias)", name="clanker_route_question")(
            route_question
        )

    @door.tool("questions", "Why something is unwell")
    async def why(
        resource: Annotated[
            str,
            Field(
                description="Name, id or key: cart, deployment/cart, k8s.pod/prod/global/shop/cart-1"
            ),
        ],
        at: Annotated[str, Field(description="When it began: 14:38, or ISO 8601. Empty: now")] = "",
        context: Annotated[str, Field(description="Kubernetes context")] = "",
        scan: Annotated[
            str, Field(description="Id of a stored scan, or latest. Empty: read now")
        ] = "",
    ) -> Annotated[types.CallToolResult, CauseAnswer]:
        """Root cause of a crash, a latency alarm or a failing check: what changed before it.

        Ranks deployments, configuration edits and events that are earlier in time and upstream of
        the resource, with evidence, a rollback to propose and the check that would tell competing
        explanations apart. Says inconclusive where nothing read explains it.
        """
        return await explained(space, resource, at, context, scan)


async def routed(
    space: Workspace,
    question: str,
    providers: list[str],
    context: str,
    profile: str,
    model: str,
    session: str,
) -> types.CallToolResult:
    caller = CALLER.get()
    own = space.request
    request = Request(
        replay=own.replay,
        providers=tuple(providers),
        contexts=(context,) if context else (),
        profiles=(profile,) if profile else (),
    )
    who = questions.Who(
        client=caller.client or "mcp",
        session=f"{caller.name}:{session}" if session else caller.session,
    )
    chosen = choice(model or space.options.model)
    answer = await questions.ask(
        space.home,
        question,
        request=request,
        model=chosen,
        who=who,
        connections=space.connections,
    )
    said = answer.said()
    evidence = said["evidence"]
    said |= {"evidence": evidence[:FEW], "evidence_left_out": max(0, len(evidence) - FEW)}
    known = {name: value for name, value in said.items() if name in QuestionAnswer.model_fields}
    words = [answer.answer, *(f"Needed: {need}" for need in answer.needs[:3])]
    if answer.changes:
        words.append(f"{len(answer.changes)} changes since this was last asked.")
    return result(QuestionAnswer.model_validate(known), "\n".join(words))


async def explained(
    space: Workspace, resource: str, at: str, context: str, scan: str
) -> types.CallToolResult:
    """The causes of a symptom, read now or out of a stored scan. Raises `InputError`."""
    if scan:
        seen = await trio.to_thread.run_sync(read, space.home, scan)
    else:
        request = replace(space.request, contexts=(context,) if context else ())
        seen = await look(request, causes.KINDS)

    def work() -> tuple[CauseAnswer, str]:
        key = naming.find(seen, resource).key
        when = naming.when(at, changes.instant(seen.observed)) if at else None
        found = causes.explain(seen, key, when)
        said = telling.as_dict(seen, found)
        heads = ("resource", "name", "at", "since", "status", "verdict")
        answer = CauseAnswer(
            **{name: said[name] for name in heads},
            incident={name: value for name, value in said.items() if name not in heads},
            scan=seen.id,
        )
        return answer, telling.text(seen, found)

    answer, words = await trio.to_thread.run_sync(work)
    return result(answer, words)
