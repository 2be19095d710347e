"""Scans: begin one, follow it, find it again."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Literal

import mcp_types as types
import trio
from mcp.server.mcpserver import Context
from pydantic import BaseModel, Field

from infrascan import __version__, pipeline, question
from infrascan.mcp_server import answers, researched
from infrascan.mcp_server.callers import CALLER
from infrascan.mcp_server.door import Door, result
from infrascan.mcp_server.jobs import RUNNING, Steps
from infrascan.mcp_server.models import choice
from infrascan.mcp_server.workspace import Workspace
from infrascan.model import Category, InputError, Scan, Severity
from infrascan.providers import PROVIDERS, configured
from infrascan.reason.model.choice import MAX_USD
from infrascan.shipped import shipped
from infrascan.store.diff import diff
from infrascan.store.scans import read

SECONDS = 900.0  # a dropped connection is not always noticed, so every scan has an end of its own
HEALTH_SECONDS = 3.0


class JobAnswer(BaseModel):
    """Work under way, or what became of it."""

    job: str
    state: str = Field(description="running, done, failed, cancelled or interrupted")
    done: float = 0
    total: float = 0
    note: str = ""
    error: str = ""
    scan: str = Field(default="", description="Id of the stored scan, once done")
    created: str = ""
    research: researched.ResearchAnswer | None = None


def add(door: Door) -> None:
    space = door.workspace

    @door.tool("questions", "Deep research")
    async def deep_research(
        ctx: Context,
        question: Annotated[
            str,
            Field(
                description="What to find out, in plain words; narrows and ranks. Empty: everything",
                max_length=2000,
            ),
        ] = "",
        providers: Annotated[
            list[str],
            Field(description="Such as aws, k8s. Empty: each one that has credentials"),
        ] = [],  # noqa: B006 - pydantic copies defaults
        profiles: Annotated[list[str], Field(description="AWS profiles")] = [],  # noqa: B006
        regions: Annotated[
            list[str], Field(description="AWS regions. Empty: every enabled one")
        ] = [],  # noqa: B006
        contexts: Annotated[list[str], Field(description="Kubernetes contexts, or all")] = [],  # noqa: B006
        scopes: Annotated[
            dict[str, list[str]],
            Field(
                description='Parts of other providers: {"gcp": ["projects/shop"], '
                '"azure": ["subscriptions/ID"], "github": ["acme"], "terraform": ["prod.tfstate"]}'
            ),
        ] = {},  # noqa: B006
        categories: Annotated[
            list[Literal["cost", "security", "reliability"]], Field(description="Empty: all three")
        ] = [],  # noqa: B006
        severity: Annotated[
            Literal["critical", "high", "medium", "low", "info"],
            Field(description="This severity and worse"),
        ] = "info",
        limit: Annotated[int, Field(ge=1, le=200, description="Findings in the answer")] = 20,
        since: Annotated[
            str,
            Field(description="Id of an earlier scan: the answer has only what differs from it"),
        ] = "",
        model: Annotated[
            str,
            Field(
                description="VENDOR/MODEL that reads the findings, with the operator's key; or none"
            ),
        ] = "",
        max_usd: Annotated[
            float, Field(gt=0, le=100, description="What the model may cost")
        ] = MAX_USD,
        background: Annotated[
            bool,
            Field(
                description="Answer at once with a job id; the work goes on if the connection drops, "
                "and get_job has the result"
            ),
        ] = False,
        demo: Annotated[
            bool, Field(description="Scan the recorded demo estate; needs no credentials")
        ] = False,
    ) -> Annotated[types.CallToolResult, researched.ResearchAnswer]:
        """Deep research: scan the whole infrastructure for cost waste, security gaps and
        reliability issues, across clouds, clusters, code hosts and Terraform.

        Reads every provider that has credentials (AWS, GCP, Azure, Kubernetes, Cloudflare, Hetzner,
        DigitalOcean, GitHub, Docker, Terraform) in parallel, runs the rules, and returns graded
        findings with evidence, fix and dollars a month, attack paths, the changes that end most of
        them, and what could not be read. For a broad audit. Takes seconds to minutes; reports
        progress.
        """
        recorded = demo or space.options.demo
        request = pipeline.Request(
            providers=tuple(providers) or meant(question, scopes, demo=recorded),
            profiles=tuple(profiles),
            regions=tuple(regions),
            contexts=tuple(contexts),
            scopes={name: tuple(parts) for name, parts in scopes.items()},
            categories=tuple(Category(name) for name in categories) or categories_meant(question),
            severity=Severity(severity),
            replay=shipped("estates") / pipeline.DEMO if recorded else None,
            question=question,
            deadline_seconds=SECONDS,
            model=choice(model or space.options.model, max_usd),
        )
        for name in sorted({"aws", "k8s"} & scopes.keys()):
            raise InputError(
                f"{name} has no scopes: aws takes profiles and regions, k8s takes contexts"
            )
        job = await space.jobs.start(
            "deep_research",
            {"request": repr(request)},
            CALLER.get().client,
            partial(scanned, space, request),
            lambda scan: str(scan.id),
            background=background,
        )
        if background:
            answer = researched.ResearchAnswer(job=job.id, state=RUNNING, question=question)
            return result(answer, f"Research goes on as {job.id}; ask get_job for its result.")
        scan = await space.jobs.wait(job, ctx.report_progress)
        return await told(space, scan, question, limit, since, job.id)

    @door.tool("questions", "A job's progress or result", live=False)
    async def get_job(
        job: Annotated[str, Field(description="Id that deep_research gave: job-…")],
        wait_seconds: Annotated[
            float, Field(ge=0, le=55, description="How long to wait for it to be done")
        ] = 0.0,
        limit: Annotated[int, Field(ge=1, le=200, description="Findings in the answer")] = 20,
    ) -> Annotated[types.CallToolResult, JobAnswer]:
        """Progress or result of long work that was begun before, by its job id.

        Finds background research again after the connection was lost, from any session.
        """
        if running := space.jobs.of(job):
            with trio.move_on_after(wait_seconds):
                await running.ended.wait()
        found = await trio.to_thread.run_sync(space.jobs.found, job)
        answer = JobAnswer(
            job=job,
            state=found["state"],
            done=found["done"],
            total=found["total"],
            note=found["note"],
            error=found["error"],
            scan=found["result"],
            created=found["created"],
        )
        words = f"{job}: {answer.state}. {answer.error or answer.note}"
        if answer.scan:
            scan = await trio.to_thread.run_sync(read, space.home, answer.scan)
            inner = await told(space, scan, scan.question, limit, "", job)
            answer.research = researched.ResearchAnswer.model_validate(inner.structured_content)
            words = f"{job} is done. {researched.in_words(answer.research)}"
        return result(answer, words)

    @door.tool("questions", "Stop a job", live=False, stops=True)
    async def cancel_job(
        job: Annotated[str, Field(description="Id that deep_research gave: job-…")],
    ) -> Annotated[types.CallToolResult, JobAnswer]:
        """Stop research that is still going on in the background; nothing else is touched."""
        running = space.jobs.of(job)
        if running is not None:
            space.jobs.stop(running)
            with trio.move_on_after(10):
                await running.ended.wait()
        found = await trio.to_thread.run_sync(space.jobs.found, job)
        answer = JobAnswer(job=job, state=found["state"], created=found["created"])
        return result(answer, f"{job}: {answer.state}.")

    async def infrascan_version() -> Annotated[types.CallToolResult, answers.VersionAnswer]:
        """Version of infrascan and, per provider, whether credentials work: connected as whom, not
        configured, or the error. A free health check before other calls; at most three seconds.
        """
        answer = await version(space)
        states = ", ".join(f"{name}: {state}" for name, state in answer.providers.items())
        return result(answer, f"infrascan {__version__}; {states}")

    door.tool("questions", "Version and connections")(infrascan_version)
    if space.options.compat == "clanker":
        door.tool("questions", "Version (alias)", name="clanker_version")(infrascan_version)


async def version(space: Workspace) -> answers.VersionAnswer:
    """As whom each provider is read, without a call that costs anything."""
    if space.options.demo:
        known = await space.connections.recorded()
        return answers.version_answer(__version__, known, list(PROVIDERS))
    here = await trio.to_thread.run_sync(configured)
    found = (
        await pipeline.identities(pipeline.Request(providers=here), HEALTH_SECONDS) if here else []
    )
    return answers.version_answer(__version__, found, list(PROVIDERS))


async def scanned(space: Workspace, request: pipeline.Request, steps: Steps) -> Scan:
    return await pipeline.scan(request, space.home, steps)


async def told(
    space: Workspace, scan: Scan, asked: str, limit: int, since: str, job: str
) -> types.CallToolResult:
    """The scan as an answer to a question; with `since`, only what differs from that scan."""

    def work() -> tuple[list[Any], dict[str, Any]]:
        if not since:
            return question.relevant(scan.findings, asked), {}
        changes = diff(space.home, since, scan.id)
        moved = (*changes.new, *changes.changed, *changes.became_known)
        findings = [change.finding for change in moved]
        return findings, researched.differences(changes)

    findings, changes = await trio.to_thread.run_sync(work)
    answer = researched.research_answer(replace(scan, question=asked), findings, limit, job)
    if since:
        answer.since, answer.changes = since, changes
    return result(answer, researched.in_words(answer))


def meant(text: str, scopes: Any, *, demo: bool) -> tuple[str, ...]:
    """The providers that a question names and that can be read; empty for all.

    A provider of which a part is named belongs to them, whatever the question says.
    """
    at_hand = set(PROVIDERS) if demo else set(configured())
    named = tuple(name for name in question.providers_meant(text) if name in at_hand)
    return tuple(dict.fromkeys((*named, *scopes))) if named else ()


def categories_meant(text: str) -> tuple[Category, ...]:
    return question.categories_meant(text)
