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
from infrascan.model import InputError, Scan
from infrascan.pipeline import Request, look, now, stamp
from infrascan.questions.answer import (
    ANSWERED,
    INCONCLUSIVE,
    PARTIAL,
    UNKNOWN,
    Answer,
    Item,
    counted,
    gap_said,
    hash_of,
    listed,
    name,
    unbacked,
)
from infrascan.questions.catalogue import Question
from infrascan.questions.functions import function
from infrascan.questions.functions.flagged import flagged, reads_of
from infrascan.questions.history import Who, previous, record
from infrascan.questions.routing import Routed, Router, shipped_router
from infrascan.questions.seeing import Context, Result, narrowed, read_at_all
from infrascan.questions.selecting import selected
from infrascan.render.inert import visible

# What a Terraform state may manage of what is read live.
MANAGED = (
    *("aws.ec2.instance", "aws.ec2.security_group", "aws.ec2.vpc", "aws.s3.bucket"),
    *("aws.rds.db_instance", "aws.rds.db_cluster", "aws.iam.role", "aws.lambda.function"),
    *("aws.elasticache.replication_group", "aws.eks.cluster", "aws.elbv2.load_balancer"),
    *("aws.sqs.queue", "aws.dynamodb.table", "aws.kms.key", "aws.sns.topic"),
    *("gcp.storage.bucket", "gcp.compute.instance", "gcp.sqladmin.instance"),
)
LONGEST = 2_000  # characters of a question
WITHHELD = (
    "The sentence for this answer did not stand on its evidence and is withheld; the data follow."
)


async def ask(
    home: Path,
    question: str,
    *,
    request: Request,
    model: Any = None,
    who: Who | None = None,
    router: Router | None = None,
    clock: Callable[[], datetime] = now,
) -> Answer:
    """Answer a question about the estate, read now. Raises `InputError` for an empty one.

    Without a model the catalogue alone is asked; `model` (of `infrascan.reason.model`) is used
    where that does not understand the question.
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
    answer, result = await answered(home, routed, request, earlier, model, asked_at)
    answer.question = text
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
    model: Any,
    asked_at: datetime,
) -> tuple[Answer, Result]:
    if routed.asks_for_secret:
        return plain(routed, no_secrets(), "none")
    if routed.write and routed.question is None:
        return plain(routed, no_act(routed.write), "run_command")
    if routed.question is None:
        return plain(routed, not_understood(routed), "")
    return await computed(home, routed, routed.question, request, earlier, asked_at)


async def computed(
    home: Path,
    routed: Routed,
    question: Question,
    request: Request,
    earlier: Mapping[str, Any],
    asked_at: datetime,
) -> tuple[Answer, Result]:
    """The answer to a question of the catalogue."""
    question = await trio.to_thread.run_sync(resolved, question)
    scan = await read(request, question)
    context = Context(
        question=question,
        text=routed.text,
        slots=routed.slots,
        request=request,
        home=home,
        scan=scan,
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


async def read(request: Request, question: Question) -> Scan:
    """What the question reads, now, from every provider concerned at once."""
    if question.reads:
        return await look(request, tuple(question.reads))
    moment = stamp(now())
    return Scan(
        id="", version="", started=moment, finished=moment, observed=moment, scope={},
        identities=[], resources=[], edges=[], findings=[], unknowns=[], gaps=[], coverage=[],
        rules=[],
    )  # fmt: skip


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
        sentence = f"{sentence} {not_all(gaps)}"
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


def not_understood(routed: Routed) -> Result:
    near = [match.question for match in routed.nearest]
    shown = "; ".join(f"{q.answers} ({q.id})" for q in near)
    return Result(
        sentence="I don't know what this asks. " + (f"Nearest: {shown}." if near else "Nothing I can answer comes near."),
        status=UNKNOWN,
        more={"nearest": [{"id": q.id, "answers": q.answers, "example": example(q)} for q in near]},
        needs=["the question in other words, or a model to read it (--model)"],
    )  # fmt: skip


def example(question: Question) -> str:
    return question.examples[0].replace("{", "").replace("}", "")


def no_act(verb: str) -> Result:
    return Result(
        sentence=f'This asks for an act ("{verb}"), and questions only read. run_command proposes it;'
        " it runs once an operator has approved it.",
        status=UNKNOWN,
        needs=["run_command with the command as a vector and a reason"],
    )


def no_secrets() -> Result:
    return Result(
        sentence="Credentials and values of secrets are never read out; infrascan keeps none.",
        status=UNKNOWN,
        needs=["the tool that owns the credential"],
    )


def nothing_read(context: Context) -> Result:
    """Nothing of what the question is about could be read."""
    causes = [f"{gap.provider}: {gap.detail}" for gap in context.gaps[:3]]
    kinds = listed(sorted({kind.partition(".")[0] for kind in context.question.reads}))
    said = f" ({'; '.join(causes)})" if causes else ""
    return Result(
        sentence=f"Unknown: nothing of {kinds} could be read{visible(said)}.",
        status=UNKNOWN,
        needs=[context.question.needs],
    )


def absent(context: Context) -> Result:
    """What the question names is in nothing that was read."""
    shown = [name(one) for one in context.candidates]
    rest = context.computed("count(others)", max(0, len(shown) - 8))
    has = f" There is {listed(shown)}." if shown else ""
    unread = " Not everything was read, so it may be there." if context.gaps else ""
    return Result(
        sentence=f"Unknown: no {context.absent} was found.{has}{unread}",
        rows=[],
        evidence=[context.computed("known", context.candidates), rest],
        more={"candidates": context.candidates},
        status=UNKNOWN,
        needs=[f"the name of an existing one instead of {context.absent}"],
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
    answer.data = redact.scrub(answer.data)
    answer.evidence = redact.scrub(answer.evidence)
    answer.gaps = redact.scrub(answer.gaps)
    answer.changes = redact.scrub(answer.changes)
    return answer
