"""Asking the checks: each is a question whose answer is yes while all is well."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from infrascan.model import InputError
from infrascan.pipeline import Request
from infrascan.questions import Answer, Who, ask
from infrascan.watch.degraded import rows
from infrascan.watch.news import Check, Result

ANSWERED = "answered"


async def answers(home: Path, checks: Sequence[Check], request: Request, who: Who) -> list[Result]:
    """The checks' results, in their order. Nothing is asked of a model."""
    found = []
    for check in checks:
        try:
            answer = await ask(home, check.question, request=request, who=who)
        except InputError as error:
            said = str(error).splitlines()[0]
            found.append(Result(check=check, ok=None, answer=f"it could not be asked: {said}"))
        else:
            found.append(result(check, answer))
    return found


def result(check: Check, answer: Answer) -> Result:
    """Well is only what was seen whole: a yes on half of it is no yes."""
    ok = answer.ok
    if ok and answer.status != ANSWERED:
        ok = None
    return Result(
        check=check,
        ok=ok,
        answer=answer.answer,
        # Of those that are well, their number is enough: what fails must not be cut off behind them.
        data=answer.data if ok else {**answer.data, "rows": rows(answer.data)},
        evidence=[
            {name: fact[name] for name in ("resource", "path", "value")} for fact in answer.evidence
        ],
        gaps=[
            f"{gap['call'] or gap['kind']}: {gap['detail']}"
            + (f" (needs {gap['permission']})" if gap.get("permission") else "")
            for gap in answer.gaps
        ],
    )
