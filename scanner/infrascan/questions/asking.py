"""One question, from words to an answer: understood, read live, computed, checked, recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import trio

from infrascan import redact
from infrascan.lookups.connections import Connections
from infrascan.model import InputError, Scan
from infrascan.pipeline import DEMO, Request, now, stamp
from infrascan.questions.answer import (
    ANSWERED,
    INCONCLUSIVE,
    PARTIAL,
    UNKNOWN,
    Answer,
    Item,
    cleaned,
    counted,
    gap_said,
    hash_of,
    listed,
    name,
    unbacked,
)
from infrascan.questions.catalogue import Question, shipped_catalogue
from infrascan.questions.functions import function
from infrascan.questions.functions.flagged import flagged, reads_of
from infrascan.questions.history import Who, previous, record
from infrascan.questions.reading import read
from infrascan.questions.replies import (
    absent,
    no_act,
    no_secrets,
    not_understood,
    nothing_read,
)
from infrascan.questions.routing import Routed, Router, shipped_router
from infrascan.questions.seeing import Context, Result, narrowed, read_at_all
from infrascan.questions.selecting import selected
from infrascan.reason.model.choice import ModelChoice
from infrascan.render.inert import visible
from infrascan.shipped import shipped

# What a Terraform state may manage of what is read live.
MANAGED = (
    *("aws.ec2.instance", "aws.ec2.security_group", "aws.ec2.vpc", "aws.s3.bucket"),
    *("aws.rds.db_instance", "aws.rds.db_cluster", "aws.iam.role", "aws.lambda.function"),
    *("aws.elasticache.replication_group", "aws.eks.cluster", "aws.elbv2.load_balancer"),
    *("aws.sqs.queue", "aws.dynamodb.table", "aws.kms.key", "aws.sns.topic"),
    *("gcp.storage.bucket", "gcp.compute.instance", "gcp.sqladmin.instance"),
)
MOCK = "MOCK: a recorded estate of a company that does not exist; nothing was read from a network."
LONGEST = 2_000  # characters of a question
WITHHELD = (
    "The sentence for this answer did not stand on its evidence and is withheld; the data follow."
)


async def ask(
    home: Path,
    question: str,
    *,
    request: Request,
    model: ModelChoice | str | None = None,
    who: Who | None = None,
    router: Router | None = None,
    clock: Callable[[], datetime] = now,
    connections: Connections | None = None,
) -> Answer:
    """Answer a question about the estate, read now. Raises `InputError` for an empty one.

    Without a model the catalogue alone is asked; `model` (of `infrascan.reason.model`) is used
    where that does not understand the question. Over `connections` nobody signs in again.
    """
    text = redact.text(visible(" ".join(question.split())))
    if not text:
        raise InputError("a question has at least one word")
    if len(text) > LONGEST:
        raise InputError(f"a question has at most {LONGEST} characters")
    who = who or Who()
    asked_at = clock()
    earlier = await trio.to_thread.run_sync(previous, home, who)
    router = router or shipped_router()
    routed = router.route(text, earlier)
    if routed.follows:
        routed = continued(routed, earlier)
    answer, result = await answered(home, routed, request, earlier, model, asked_at, connections)
    answer.question = text
    if request.replay == shipped("estates") / DEMO:
        answer.notes.insert(0, MOCK)
    subject = remembered(routed, result, earlier)
    state = result.state if result.state is not None else state_of(result.rows, result.more)
    note = partial(
        record,
        home,
        who,
        answer,
        time=stamp(asked_at),
        subject=subject,
        state=redact.scrub(state),
        estate=hash_of([str(request.replay or ""), request.providers, request.profiles, request.regions, request.contexts, dict(request.scopes)]),
    )  # fmt: skip
    await trio.to_thread.run_sync(note)
    return scrubbed(answer)


async def answered(
    home: Path,
    routed: Routed,
    request: Request,
    earlier: Mapping[str, Any],
    model: ModelChoice | str | None,
    asked_at: datetime,
    connections: Connections | None,
) -> tuple[Answer, Result]:
    if routed.asks_for_secret:
        return plain(routed, no_secrets(), "none")
    if routed.write and routed.question is None:
        return plain(routed, no_act(routed.write), "run_command")
    if routed.question is not None:
        return await computed(
            home, routed, routed.question, request, earlier, asked_at, connections
        )
    if model is None:
        return plain(routed, not_understood(routed), "")
    return await modelled(home, routed, request, earlier, model, asked_at, connections)


async def modelled(
    home: Path,
    routed: Routed,
    request: Request,
    earlier: Mapping[str, Any],
    model: ModelChoice | str,
    asked_at: datetime,
    connections: Connections | None,
) -> tuple[Answer, Result]:
    """The answer where a model has to read the question; without one that helps, none."""
    from infrascan.questions.choosing import choose

    found = await choose(home, routed, request, shipped_catalogue(), model)
    if found.routed.question is not None:
        answer, result = await computed(
            home, found.routed, found.routed.question, request, earlier, asked_at, connections
        )
        answer.routing["by"] = "model"
    elif found.result is not None and found.scan is not None:
        answer, result = of_select(found.routed, found.result, found.scan)
        answer.routing |= {"by": "sql", "sql": found.sql}
    else:
        answer, result = plain(routed, not_understood(routed), "")
        if found.failed:
            answer.notes.append(f"model: {found.failed}")
    answer.model = found.model
    answer.routing["usage"] = list(found.usage)
    return answer, result


def of_select(routed: Routed, result: Result, scan: Scan) -> tuple[Answer, Result]:
    """The answer to a question that a SELECT answers: all gaps of what it read are its gaps."""
    kinds = {entry.partition.kind for entry in scan.coverage}
    question = Question(
        id="sql",
        answers="",
        examples=(),
        reads={kind: tuple({gap.field for gap in scan.gaps} - {""}) for kind in kinds},
        needs="permission to read these kinds",
    )
    context = Context(
        question=question,
        text=routed.text,
        slots=routed.slots,
        request=Request(),
        home=Path(),
        scan=scan,
        now=datetime.fromisoformat(scan.observed),
    )
    narrowed(context)
    if not read_at_all(context):
        result = nothing_read(context)
    return finished(context, routed, result), result


async def computed(
    home: Path,
    routed: Routed,
    question: Question,
    request: Request,
    earlier: Mapping[str, Any],
    asked_at: datetime,
    connections: Connections | None,
) -> tuple[Answer, Result]:
    """The answer to a question of the catalogue."""
    question = await trio.to_thread.run_sync(resolved, question)
    seconds = min(request.deadline_seconds, question.within)
    request = replace(request, deadline_seconds=seconds)
    scan = await read(request, question.reads, connections)
    context = Context(
        question=question,
        text=routed.text,
        slots=routed.slots,
        request=request,
        home=home,
        scan=scan,
        connections=connections,
        now=datetime.fromisoformat(scan.observed) if request.replay else asked_at,
        previous=earlier if routed.follows else {},
    )
    narrowed(context)
    if question.reads and not read_at_all(context):
        result = nothing_read(context)
    elif context.absent:
        result = absent(context)
    else:
        compute = function(question.function) if question.function else selected
        compute = flagged if question.rules else compute
        result = await compute(context)
    return finished(context, routed, result), result


def resolved(question: Question) -> Question:
    """The question with all that it reads: what its rules need, or its function names."""
    if question.rules:
        return replace(question, reads=reads_of(question.rules))
    if question.function == "why":
        from infrascan.reason.causes import KINDS

        return replace(question, reads=dict.fromkeys(KINDS, ()))
    if question.function == "terraform_managed":
        return replace(question, reads={**dict.fromkeys(MANAGED, ()), **question.reads})
    return question


def finished(context: Context, routed: Routed, result: Result) -> Answer:
    """The result as an answer: its status, what it lacks, and the check that it is backed."""
    question = context.question
    gaps = [*context.gaps, *result.gaps]
    status = result.status or (PARTIAL if gaps else ANSWERED)
    ok = result.ok
    if ok is True and (gaps or status in (UNKNOWN, INCONCLUSIVE)):
        ok = None  # all that was read is well; what was not read may not be
    sentence = result.sentence
    if gaps and status == PARTIAL:
        found = result.rows or result.more or result.ok is False
        nothing = "" if found else "Of what was read: "
        sentence = f"{nothing}{sentence} {not_all(gaps)}"
    scope = context.computed("scope", context.where)
    evidence = [
        item.said() for item in unique([*result.evidence, *([scope] if context.where else [])])
    ]
    notes = [*context.notes, *result.notes]
    if missing := unbacked(result.sentence, evidence):
        sentence, status, ok = WITHHELD, INCONCLUSIVE, None
        notes.append(f"not in the evidence: {listed(missing)}")
    needs = list(result.needs)
    for gap in gaps:
        if gap.permission and gap.permission not in needs:
            needs.append(gap.permission)
    if status == UNKNOWN and not needs:
        needs.append(question.needs)
    read_from = {c.partition.provider for c in context.scan.coverage if c.calls > c.failed}
    return Answer(
        question=routed.text,
        answer=sentence,
        status=status,
        ok=ok,
        data={"rows": result.rows, **result.more},
        evidence=evidence,
        providers=sorted(read_from | set(result.more.get("providers", ()))),
        observed_at=context.scan.observed,
        route="deep_research" if question.function == "deep_research" else question.id,
        routing=routing(routed, question),
        gaps=[gap_said(gap) for gap in gaps],
        needs=needs,
        notes=notes,
    )


def routing(routed: Routed, question: Question | None, by: str = "catalogue") -> dict[str, Any]:
    found: dict[str, Any] = {
        "by": by,
        "question": question.id if question else "",
        "slots": routed.slots.said(),
        "confidence": routed.confidence,
        "nearest": [match.question.id for match in routed.nearest],
    }
    if routed.write:
        found["write"] = routed.write
    if routed.follows:
        found["follows"] = True
    return found


def not_all(gaps: list[Any]) -> str:
    """What the answer does not see, in one sentence."""
    first = gaps[0]
    what = first.field or first.kind or first.provider
    where = "/".join(part for part in (first.account, first.region) if part) or first.provider
    more = f", and {counted(len(gaps) - 1, 'more gap')}" if len(gaps) > 1 else ""
    return f"Not all was seen: {what} of {name(where)} ({first.reason.value}){more}."


def unique(evidence: list[Item]) -> list[Item]:
    return list({item.id: item for item in evidence}.values())


def plain(routed: Routed, result: Result, route: str) -> tuple[Answer, Result]:
    """An answer that reads nothing."""
    return (
        Answer(
            question=routed.text,
            answer=result.sentence,
            status=result.status or UNKNOWN,
            data={"rows": result.rows, **result.more},
            observed_at=stamp(now()),
            route=route,
            routing=routing(routed, None),
            needs=result.needs,
            notes=result.notes,
        ),
        result,
    )


def continued(routed: Routed, earlier: Mapping[str, Any]) -> Routed:
    """The question with what the one before it named, where it names nothing itself."""
    before = earlier.get("slots", {})
    slots = routed.slots
    elsewhere = slots.environment or slots.namespace or slots.cluster
    found: dict[str, Any] = {}
    if not elsewhere:
        found = {k: before[k] for k in ("namespace", "cluster", "environment") if k in before}
    if "percent" in before and slots.percent is None:
        found["percent"] = before["percent"]
    if not slots.names and before.get("names") and not earlier.get("subject", {}).get("name"):
        found["names"] = tuple(before["names"])
    return replace(routed, slots=replace(slots, **found))


def remembered(routed: Routed, result: Result, earlier: Mapping[str, Any]) -> dict[str, Any]:
    """What a question that follows may refer to."""
    subject = result.subject if result.subject.get("name") else {}
    if not subject and routed.follows:
        subject = dict(earlier.get("subject", {}))
    return {"slots": routed.slots.said(), "subject": subject}


TIMES = frozenset({"observed_at", "age_seconds", "age"})


def state_of(rows: list[dict[str, Any]], more: Mapping[str, Any]) -> dict[str, Any]:
    """The rows by resource, without when they were seen."""
    found: dict[str, Any] = {}
    for place, row in enumerate(rows):
        key = str(row.get("resource") or place)
        while key in found:
            key += "+"
        found[key] = {k: v for k, v in row.items() if k not in TIMES and k != "resource"}
    if not rows:
        found = {"": {k: v for k, v in more.items() if k != "candidates"}} if more else {}
    return found


def scrubbed(answer: Answer) -> Answer:
    """The answer as it may leave: no secret in any string of it."""
    answer.answer = redact.text(answer.answer)
    answer.data = cleaned(redact.scrub(answer.data))
    answer.evidence = redact.scrub(answer.evidence)
    answer.gaps = redact.scrub(answer.gaps)
    answer.changes = cleaned(redact.scrub(answer.changes))
    return answer
