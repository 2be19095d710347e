"""Why something is unwell: the hypotheses of `reason.causes`, as an answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import trio

from infrascan.model import Evidence, Gap, InputError, Reason, Resource
from infrascan.questions.answer import Item, name
from infrascan.questions.seeing import Context, Result, nearest, unnamed
from infrascan.reason import causes, naming, telling
from infrascan.reason.explanation import Explanation
from infrascan.render.inert import visible

STATUS = {"inconclusive": "inconclusive", "well": ""}


async def why(context: Context) -> Result:
    """The likeliest causes, each with evidence and the check that would tell it apart."""
    resource = meant(context)
    if resource is None:
        return unnamed(context, "service or pod")
    span = timedelta(seconds=context.seconds(120))
    explanation = await trio.to_thread.run_sync(
        lambda: causes.explain(context.scan, resource.key, since=span)
    )
    evidence = stood_on(context, explanation)
    sentence = visible(explanation.verdict).rstrip(".")
    sentence = sentence[:1].upper() + sentence[1:]
    for one in explanation.hypotheses[:1]:
        if one.change.what not in explanation.verdict:
            sentence += f". Likeliest: {visible(one.change.what)}"
        sentence += f". To tell: {visible(one.check.says)}"
    if not explanation.hypotheses:
        for diagnosis in explanation.diagnoses[:1]:
            said = "" if diagnosis.says in explanation.verdict else f" {visible(diagnosis.says)};"
            sentence += f".{said} {visible(diagnosis.advice)}"
    told = telling.as_dict(context.scan, explanation)
    context.gaps = unseen(context, explanation, resource)
    return Result(
        sentence=sentence.rstrip(".") + ".",
        rows=[summary(context, one) for one in told["hypotheses"]],
        more={"explanation": told},
        evidence=evidence,
        ok=True if explanation.status == "well" else False if explanation.symptoms else None,
        status=STATUS.get(explanation.status, ""),
        needs=list(explanation.needs),
        subject={"name": resource.name, "resource": resource.key, "kind": resource.kind},
        state={"": {"status": explanation.status, "verdict": explanation.verdict}},
    )


def meant(context: Context) -> Resource | None:
    """The resource in the question: as `infrascan why` finds it, else the nearest by name."""
    words = [*context.names()]
    if not words and (earlier := context.previous.get("subject", {}).get("resource")):
        words = [str(earlier)]
    for word in words:
        try:
            return naming.find(context.scan, word)
        except InputError:
            pool = {
                r.name: r
                for r in reversed(context.resources)
                if naming.place(r) < len(naming.PREFERRED)
            }
            if found := nearest(word, pool):
                best = min((pool[one] for one in found), key=lambda r: (naming.place(r), r.key))
                context.notes.append(f"nothing is named {name(word)}; {name(best.name)} is taken")
                return best
    return None


def unseen(context: Context, explanation: Explanation, resource: Resource) -> list[Gap]:
    """The gaps that bear on this: of the accounts it and its causes are in, and the sources of
    changes that the explanation misses."""
    keys = [resource.key, *(one.change.resource for one in explanation.hypotheses)]
    accounts = {r.account for r in context.scan.resources if r.key in keys}
    found = [gap for gap in context.gaps if gap.account in accounts or not gap.account]
    told = {(gap.kind, gap.account) for gap in found}
    for one in explanation.blind:
        account = one.place.partition("/")[0]
        if (one.source, account) not in told:
            found.append(
                Gap(
                    provider=one.source.partition(".")[0],
                    account=account,
                    kind=one.source,
                    reason=Reason.TRUNCATED,
                    detail=one.sentence,
                    permission=one.closes,
                )
            )
    return found


def stood_on(context: Context, explanation: Explanation) -> list[Item]:
    """What the explanation stands on, and the sentences that its numbers come from."""
    facts: list[Evidence] = []
    for one in explanation.hypotheses:
        facts += one.evidence
    for known in explanation.diagnoses:
        facts += known.evidence
    for symptom in explanation.symptoms:
        facts += symptom.evidence
    found = [
        Item(resource=e.resource, path=e.path, value=e.value, observed_at=context.scan.observed)
        for e in facts
    ]
    ids = tuple(dict.fromkeys(item.id for item in found))
    said = [explanation.verdict, explanation.name]
    said += [text for one in explanation.hypotheses for text in (one.change.what, one.check.says)]
    said += [text for one in explanation.diagnoses for text in (one.says, one.advice)]
    return [
        *found,
        Item(
            resource=explanation.resource,
            path="explanation",
            value=said,
            observed_at=context.scan.observed,
            of=ids,
        ),
    ]


def summary(context: Context, one: dict[str, Any]) -> dict[str, Any]:
    change = one["change"]
    return {
        "resource": change["resource"],
        "name": change["name"],
        "rank": one["rank"],
        "weight": one["weight"],
        "time": change["time"],
        "what": change["what"],
        "sha": one["sha"] or "",
        "check": one["check"]["says"],
        "observed_at": context.scan.observed,
    }
