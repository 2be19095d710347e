"""One answer over everything: the parts are computed from one reading of all providers at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from infrascan.questions.answer import Item, counted, listed, name
from infrascan.questions.functions.happenings import last_deployment
from infrascan.questions.functions.health import services_healthy
from infrascan.questions.functions.memory import node_memory
from infrascan.questions.functions.money import by_list_price
from infrascan.questions.functions.pods import failing_pods
from infrascan.questions.functions.stores import caches, databases
from infrascan.questions.seeing import Context, Result
from infrascan.questions.slots import Slots

Part = Callable[[Context], Awaitable[Result]]


async def alarms(context: Context) -> Result:
    """CloudWatch alarms that ring or lack data."""
    found = context.of("aws.cloudwatch.alarm")
    ringing = [r for r in found if r.data.get("StateValue") != "OK"]
    evidence = [item for r in ringing for item in context.cite(r, "AlarmName", "StateValue", "StateUpdatedTimestamp")]  # fmt: skip
    evidence += [
        context.computed("count(alarms)", len(found)),
        context.computed("count(ringing)", len(ringing)),
        context.computed("count(not named)", max(0, len(ringing) - 8)),
    ]
    parts = [f"{name(r.name)} ({name(r.data.get('StateValue'))})" for r in ringing]
    sentence = f"{len(ringing)} of {counted(len(found), 'alarm')} not OK: {listed(parts)}."
    return Result(
        sentence=sentence if ringing else f"None of {counted(len(found), 'alarm')} rings.",
        rows=[context.row(r, state=r.data.get("StateValue"), since=r.data.get("StateUpdatedTimestamp")) for r in ringing],
        evidence=evidence,
        ok=None if not found else not ringing,
    )  # fmt: skip


async def containers(context: Context) -> Result:
    """Docker containers that are not as they should be."""
    found = context.of("docker.container")
    bad = [r for r in found if wrong(r.data)]
    evidence = [item for r in bad for item in context.cite(r, "name", "State.Status", "State.ExitCode", "State.Health.Status")]  # fmt: skip
    evidence += [
        context.computed("count(containers)", len(found)),
        context.computed("count(wrong)", len(bad)),
        context.computed("count(not named)", max(0, len(bad) - 8)),
    ]
    parts = [f"{name(r.name)} ({wrong(r.data)})" for r in bad]
    sentence = f"{len(bad)} of {counted(len(found), 'container')} not well: {listed(parts)}."
    return Result(
        sentence=sentence if bad else f"{counted(len(found), 'container')} well.",
        rows=[context.row(r, state=wrong(r.data)) for r in bad],
        evidence=evidence,
        ok=None if not found else not bad,
    )


def wrong(data: dict[str, Any]) -> str:
    """What is wrong with a container, in a word; "" for nothing."""
    state = data.get("State") or {}
    if (state.get("Health") or {}).get("Status") == "unhealthy":
        return "unhealthy"
    if state.get("Restarting"):
        return "restarting"
    if state.get("OOMKilled"):
        return "OOMKilled"
    if state.get("Status") == "dead":
        return "dead"
    return ""


async def cost(context: Context) -> Result:
    return await by_list_price(replace(context, slots=Slots(), scan=context.scan), [])


HEALTH: tuple[tuple[str, Part, str], ...] = (
    ("services", services_healthy, "k8s.service"),
    ("pods", failing_pods, "k8s.pod"),
    ("nodes", node_memory, "k8s.node"),
    ("alarms", alarms, "aws.cloudwatch.alarm"),
    ("databases", databases, "aws.rds.db_instance"),
    ("containers", containers, "docker.container"),
    ("cost", cost, ""),
)
FACTS: tuple[tuple[str, Part, str], ...] = (
    ("caches", caches, ""),
    ("databases", databases, "aws.rds.db_instance"),
    ("last deployment", last_deployment, ""),
    ("services", services_healthy, "k8s.service"),
)


async def merged(context: Context, parts: tuple[tuple[str, Part, str], ...], head: str) -> Result:
    """The parts' answers, one after the other, each with its own verdict."""
    read = {c.partition.kind for c in context.scan.coverage if c.calls > c.failed}
    sections: dict[str, Any] = {}
    evidence: list[Item] = []
    rows: list[dict[str, Any]] = []
    gaps = []
    sentences = []
    verdicts: list[bool | None] = []
    for title, part, kind in parts:
        if kind and kind not in read:
            sections[title] = {"ok": None, "answer": "not read", "rows": []}
            sentences.append(f"{title}: not read")
            verdicts.append(None)
            continue
        own = replace(context, slots=replace(context.slots, names=(), maybe=()), notes=[])
        own.question = replace(context.question, reads=narrowed(context, title))
        result = await part(own)
        sections[title] = {"ok": result.ok, "answer": result.sentence, "rows": result.rows}
        rows += [{"section": title, **row} for row in result.rows if row.get("healthy") is not True]
        evidence += result.evidence
        gaps += [gap for gap in result.gaps if gap not in gaps and gap not in context.gaps]
        verdicts.append(result.ok)
        sentences.append(f"{title}: {result.sentence.rstrip('.')}")
    bad = sum(verdict is False for verdict in verdicts)
    evidence.append(context.computed("count(areas not well)", bad))
    evidence.append(context.computed("count(areas)", len(verdicts)))
    summary = f"{head}: {bad} of {counted(len(verdicts), 'area')} not well. " if bad else f"{head}: nothing that was read is wrong. "  # fmt: skip
    judged = [verdict for verdict in verdicts if verdict is not None]
    return Result(
        sentence=summary + ". ".join(sentences) + ".",
        rows=rows,
        more={"sections": sections},
        evidence=evidence,
        ok=False if bad else True if judged else None,
        gaps=gaps,
        state={title: {"answer": section["answer"]} for title, section in sections.items()},
    )


def narrowed(context: Context, title: str) -> dict[str, tuple[str, ...]]:
    """The kinds of one part, of those that the question read."""
    if title != "databases":
        return dict(context.question.reads)
    return {k: v for k, v in context.question.reads.items() if any(word in k for word in ("db_instance", "sqladmin", "flexible", "sql.database", "database_cluster"))}  # fmt: skip


async def health_report(context: Context) -> Result:
    return await merged(context, HEALTH, "Health report")


async def live_facts(context: Context) -> Result:
    return await merged(context, FACTS, "Live facts")
