"""Answers that are the same whatever the estate holds: what is not known, not done, not told."""

from __future__ import annotations

from infrascan.questions.answer import UNKNOWN, listed, name
from infrascan.questions.catalogue import Question
from infrascan.questions.routing import Routed
from infrascan.questions.seeing import Context, Result
from infrascan.render.inert import visible


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
        evidence=[context.computed("gaps", causes)],
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
