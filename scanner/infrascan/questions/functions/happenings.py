"""What changed in a window, and in the last deployment: from every source that tells."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from infrascan import redact
from infrascan.model import Gap, Reason
from infrascan.pipeline import stamp
from infrascan.questions.answer import Item, counted, listed, name
from infrascan.questions.seeing import Context, Result, nearest
from infrascan.questions.selecting import minutes
from infrascan.reason import changes as reasons
from infrascan.reason.change import Change, What
from infrascan.render.inert import visible

SHOWN = 8
OTHERS = frozenset({"production", "staging", "development", "preview", "qa"})
SHIPPED = (What.ROLLOUT, What.DEPLOYMENT, What.RUN, What.SCALING)


async def changes(context: Context) -> Result:
    """The timeline of the window, oldest first; sources that were not read are said."""
    seconds = context.seconds(30)
    begin = context.now - timedelta(seconds=seconds)
    found = [c for c in reasons.timeline(context.scan, begin, context.now) if concerns(context, c)]
    # What a controller does to carry a rollout out is in the rows, and not said again.
    telling = [one for one in found if not one.reaction]
    unread = blind_gaps(context, begin)
    rows = [row(context, one) for one in found]
    evidence = [item for one in found for item in facts(context, one)]
    window = context.slots.window.said if context.slots.window else f"the last {minutes(seconds)}"
    evidence += [
        Item(resource="", path="question.window", value=window),
        context.computed("count(changes)", sum(not one.is_symptom for one in found)),
        context.computed("count(symptoms)", sum(one.is_symptom for one in found)),
        context.computed("count(not named)", max(0, len(telling) - SHOWN)),
    ]
    changed = counted(sum(not one.is_symptom for one in found), "change")
    symptoms = sum(one.is_symptom for one in found)
    also = f" and {counted(symptoms, 'symptom')}" if symptoms else ""
    parts = [f"{clock(one.time)} {visible(one.what)}" for one in telling]
    head = f"{changed}{also} {bare(window)}{context.where}"
    sentence = f"{head}: {'; '.join(parts[:SHOWN])}."
    if len(parts) > SHOWN:
        sentence = f"{head}: {'; '.join(parts[:SHOWN])}; and {len(parts) - SHOWN} more."
    if not found:
        sentence = f"Nothing that was read changed {bare(window)}{context.where}."
    return Result(
        sentence=sentence,
        rows=rows,
        more={"since": stamp(begin), "until": stamp(context.now)},
        evidence=evidence,
        gaps=unread,
        state={f"{one.resource}@{one.time}": {"what": one.what} for one in found},
    )


def bare(window: str) -> str:
    return window if window.startswith(("in ", "since", "over", "within", "during", "the last")) and not window.startswith("the last") else f"in {window}" if window.startswith(("the ", "last", "past")) else window  # fmt: skip


def concerns(context: Context, change: Change) -> bool:
    """Whether a change is in the question's scope: its resource is, or belongs to what is."""
    if not context.where:
        return True
    keys = {resource.key for resource in context.resources}
    if any(key in keys for key in change.keys):
        return True
    slots = context.slots
    if slots.namespace or slots.cluster:
        return False
    if change.source.startswith("github."):  # a repository is of no environment, a deployment is
        return not any(word in change.what for word in OTHERS - {slots.environment})
    parts = change.resource.split("/")
    return len(parts) > 1 and any(parts[1] == account for _, account in context.accounts or ())


def row(context: Context, change: Change) -> dict[str, Any]:
    return {
        "resource": change.resource,
        "name": change.name,
        "time": change.time,
        "kind": str(change.kind),
        "what": redact.text(visible(change.what)),
        "before": change.before,
        "after": change.after,
        "actor": change.actor,
        "source": change.source,
        "symptom": change.is_symptom,
        "evidence": [item.id for item in facts(context, change)],
        "observed_at": context.scan.observed,
    }


def facts(context: Context, change: Change) -> list[Item]:
    """The evidence of a change; its time and words are what the sources say, put together."""
    found = [
        Item(resource=e.resource, path=e.path, value=e.value, observed_at=context.scan.observed)
        for e in change.evidence
    ]
    said = {
        "time": change.time,
        "what": change.what,
        "before": change.before,
        "after": change.after,
    }
    return [
        *found,
        Item(
            resource=change.resource,
            path=f"change at {change.time}",
            value=said,
            observed_at=context.scan.observed,
            of=tuple(item.id for item in found),
        ),
    ]


def clock(time: str) -> str:
    return time[11:16] + " UTC" if len(time) >= 16 else time


def blind_gaps(context: Context, begin: Any) -> list[Gap]:
    """The sources of changes that were not read to their end, as gaps, if the scope has them."""
    accounts = {account for _, account in context.accounts or ()}
    found = []
    told = {(gap.kind, gap.account) for gap in context.gaps}
    for one in reasons.blind(context.scan, begin):
        kind = one.source if "." in one.source else ""
        account = one.place.partition("/")[0]
        if (
            not kind
            or (kind, account) in told
            or (accounts and account and account not in accounts)
        ):
            continue
        found.append(
            Gap(
                provider=one.source.partition(".")[0],
                account=account,
                kind=kind,
                reason=Reason.TRUNCATED,
                detail=one.sentence,
                permission=one.closes,
            )
        )
    return found


async def last_deployment(context: Context) -> Result:
    """The newest rollout, with what it changed and what belongs to it: scaling, run, commit."""
    found = [
        one
        for one in reasons.everything(context.scan)
        if one.kind in SHIPPED and not one.is_symptom and concerns(context, one)
    ]
    if wanted := context.names():
        known = {one.name for one in found}
        names = set(nearest(wanted[0], known))
        if names or context.slots.names:
            found = [one for one in found if one.name in names]
    found.sort(key=lambda one: (one.time, one.kind is What.ROLLOUT))
    main = next((one for one in reversed(found) if one.kind is What.ROLLOUT), None)
    main = main or next((one for one in reversed(found) if not one.reaction), None)
    if main is None:
        return Result(
            sentence=f"Unknown: no deployment was seen{context.where}.",
            evidence=[],
            status="unknown",
            needs=[context.question.needs],
        )
    near = [one for one in found if one is not main and together(one, main)]
    shown = [main, *near]
    evidence = [item for one in shown for item in facts(context, one)]
    evidence.append(context.computed("count(with it)", len(near)))
    when = main.time.replace("T", " ").removesuffix("Z")[:16]
    sentence = f"The last deployment was of {name(main.name)} at {when} UTC: {visible(main.what)}"
    if near:
        sentence += f"; with it: {listed([visible(one.what) for one in near], 4)}"
        evidence.append(context.computed("count(not named)", max(0, len(near) - 4)))
    return Result(
        sentence=sentence + ".",
        rows=[row(context, one) for one in shown],
        more={"deployed": main.name, "at": main.time, "before": main.before, "after": main.after},
        evidence=evidence,
        subject={"name": main.name, "resource": main.resource},
    )


def together(one: Change, main: Change) -> bool:
    """Whether a change is part of the same deployment: near in time, and of the same thing."""
    from infrascan.reason.change import moment

    a, b = moment(one.time), moment(main.time)
    near = a is not None and b is not None and abs(a - b) <= timedelta(minutes=15)
    same = bool(set(one.keys) & set(main.keys)) or main.name in one.what
    return near and same and not one.reaction
