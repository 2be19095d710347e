"""An explanation and a timeline as data, text and Markdown. Strings of the estate are made inert."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from infrascan import redact
from infrascan.model import Evidence, Scan
from infrascan.reason.change import Change
from infrascan.reason.changes import Blind
from infrascan.reason.diagnosis import Diagnosis
from infrascan.reason.explanation import Explanation, Hypothesis
from infrascan.reason.incident import back, facts, record
from infrascan.reason.symptoms import Symptom
from infrascan.render.inert import code, fence, markdown, visible

ROWS = 40  # entries of a timeline that text shows; JSON has all
FACTS = 6  # lines of evidence for each hypothesis


def plain(text: str) -> str:
    return visible(redact.text(text))


def as_dict(scan: Scan, explanation: Explanation) -> dict[str, Any]:
    """All of it, for programs; the shape is stable."""
    found: dict[str, Any] = {
        "resource": explanation.resource,
        "name": explanation.name,
        "at": explanation.at,
        "since": explanation.since,
        "status": explanation.status,
        "verdict": explanation.verdict,
        "symptoms": [symptom(s) for s in explanation.symptoms],
        "dependencies": [symptom(s) for s in explanation.relayed],
        "diagnoses": [diagnosis(d) for d in explanation.diagnoses],
        "hypotheses": [hypothesis(h) for h in explanation.hypotheses],
        "left_out": {
            "unrelated": explanation.unrelated,
            "later": explanation.later,
            "other_environment": explanation.elsewhere,
            "weak": [change(c) for c in explanation.weak],
        },
        "timeline": [change(c) for c in explanation.timeline],
        "not_read": [blind(b) for b in explanation.blind],
        "needs": list(explanation.needs),
        "incident": record(scan, explanation),
    }
    cleaned: dict[str, Any] = redact.scrub(found)
    return cleaned


def symptom(found: Symptom) -> dict[str, Any]:
    return {
        "sort": str(found.sort),
        "resource": found.resource,
        "since": found.since,
        "says": found.says,
        "evidence": facts(found.evidence),
    }


def diagnosis(found: Diagnosis) -> dict[str, Any]:
    return {
        "code": found.code,
        "resource": found.resource,
        "says": found.says,
        "advice": found.advice,
        "restart_helps": found.restart_helps,
        "check": found.check,
        "evidence": facts(found.evidence),
    }


def change(found: Change) -> dict[str, Any]:
    return {
        "time": found.time,
        "kind": str(found.kind),
        "is_symptom": found.is_symptom,
        "resource": found.resource,
        "name": found.name,
        "what": found.what,
        "before": found.before,
        "after": found.after,
        "actor": found.actor,
        "source": found.source,
        "count": found.count,
        "evidence": facts(found.evidence),
    }


def hypothesis(found: Hypothesis) -> dict[str, Any]:
    return {
        "rank": found.rank,
        "weight": found.weight.total,
        "parts": {
            "fit": found.weight.fit,
            "recency": found.weight.recency,
            "nearness": found.weight.nearness,
            "coverage": found.weight.coverage,
            "signal": found.weight.signal,
        },
        "change": change(found.change),
        "also": [change(c) for c in found.also],
        "sha": found.sha or None,
        "explains": list(found.explains),
        "path": [
            {"source": hop.source, "relation": hop.relation, "target": hop.target}
            for hop in found.hops
        ],
        "reasons": list(found.reasons),
        "check": {"says": found.check.says, "command": found.check.command},
        "rollback": back(found),
        "evidence": facts(found.evidence),
    }


def blind(found: Blind) -> dict[str, Any]:
    return {
        "source": found.source,
        "place": found.place,
        "tells": found.tells,
        "why": found.why,
        "closes": found.closes,
        "forgets": found.forgets,
    }


def timeline_dict(
    changes: Sequence[Change], unread: Sequence[Blind], since: str, until: str
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "since": since,
        "until": until,
        "changes": [change(c) for c in changes],
        "not_read": [blind(b) for b in unread],
    }
    cleaned: dict[str, Any] = redact.scrub(found)
    return cleaned


def text(scan: Scan, explanation: Explanation) -> str:
    """For a terminal: verdict, hypotheses, next checks, what was left out and not read."""
    return "\n".join(plain(line) for line in lines(scan, explanation)) + "\n"


def lines(scan: Scan, explanation: Explanation) -> Iterator[str]:
    yield f"{explanation.name}: {explanation.status}"
    yield explanation.verdict
    if explanation.symptoms:
        yield ""
        yield "Symptoms"
        for found in explanation.symptoms[:10]:
            yield f"  {clock(found.since)}  {found.says}"
    if explanation.relayed:
        yield ""
        yield "What it depends on is unwell too"
        for found in explanation.relayed[:10]:
            yield f"  {clock(found.since)}  {found.says}"
    for known, more in together(explanation.diagnoses)[:5]:
        yield ""
        yield f"Known from its state: {known.says}"
        if more:
            yield f"  and the same of {more} more"
        yield f"  to mend: {known.advice}"
        if known.check:
            yield f"  look: {known.check}"
        yield from cited(known.evidence)
    for supposed in explanation.hypotheses:
        yield ""
        yield from of_hypothesis(supposed)
    for delta in record(scan, explanation)["deltas"]:
        yield ""
        yield (
            f"{delta['metric']}: {delta['before']:g} → {delta['after']:g}"
            f" ({delta['delta']:+g}; before is {delta['before_is']})"
        )
    yield ""
    yield (
        f"Left out: {explanation.unrelated} changes of what it does not depend on,"
        f" {explanation.later} after it began, {explanation.elsewhere} of another environment,"
        f" {len(explanation.weak)} too unlike to explain it"
    )
    for source in explanation.blind:
        yield f"Not known: {source.sentence}"


def together(found: Sequence[Diagnosis]) -> list[tuple[Diagnosis, int]]:
    """The first of each sort, with how many more there are."""
    groups: dict[str, list[Diagnosis]] = {}
    for diagnosis_ in found:
        groups.setdefault(diagnosis_.code, []).append(diagnosis_)
    return [(group[0], len(group) - 1) for group in groups.values()]


def of_hypothesis(found: Hypothesis) -> Iterator[str]:
    yield f"{found.rank}. {found.change.time[11:16]}  {found.change.what}"
    if found.change.actor:
        yield f"   by {found.change.actor}"
    for other in found.also:
        if not other.reaction:
            yield f"   also {other.time[11:16]}  {other.what}"
    for reason in found.reasons:
        yield f"   {reason}"
    yield f"   weight {found.weight.total:g} (of 1; it orders, and is no probability)"
    yield f"   next: {found.check.says}"
    if found.check.command:
        yield f"   look: {found.check.command}"
    if found.rollback:
        yield f"   back (needs approval, not run): {shlex.join(found.rollback.vector)}"
    yield from cited(found.evidence)


def cited(evidence: Sequence[Evidence]) -> Iterator[str]:
    for fact in evidence[:FACTS]:
        yield f"     {fact.resource} {fact.path} = {short(fact.value)}"
    if len(evidence) > FACTS:
        yield f"     and {len(evidence) - FACTS} more facts, with --json"


def short(value: Any) -> str:
    shown = str(value)
    return shown if len(shown) <= 120 else f"{shown[:117]}…"


def clock(time: str) -> str:
    return time.replace("T", " ").removesuffix("Z")


def timeline_text(
    changes: Sequence[Change], unread: Sequence[Blind], since: str, until: str
) -> str:
    found = [f"From {clock(since)} to {clock(until)} (UTC): {len(changes)} entries"]
    for entry in changes[-ROWS:]:
        mark = "!" if entry.is_symptom else " "
        by = f"  by {entry.actor}" if entry.actor else ""
        found.append(f"{mark} {clock(entry.time)}  {entry.kind:<10}  {entry.what}{by}")
    if len(changes) > ROWS:
        found.insert(1, f"  the last {ROWS} are shown; --json has all")
    found += [f"Not known: {source.sentence}" for source in unread]
    return "\n".join(plain(line) for line in found) + "\n"


def incident_markdown(scan: Scan, explanation: Explanation) -> str:
    """The record of the incident, for a ticket."""
    data = redact.scrub(record(scan, explanation))
    found = [f"# {markdown(data['title'])}", "", markdown(redact.text(explanation.verdict)), ""]
    sha = code(data["deployment_sha"]) if data["deployment_sha"] else "none that was read"
    found += [
        f"- Affected service: {code(data['affected_service'])}",
        f"- Began: {markdown(clock(data['began'])) if data['began'] else 'not known'} UTC",
        f"- Deployment SHA: {sha}",
    ]
    for delta in data["deltas"]:
        found.append(
            f"- {code(delta['metric'])}: {delta['before']:g} → {delta['after']:g}, delta"
            f" {delta['delta']:+g} (before is {markdown(delta['before_is'])})"
        )
    if not data["deltas"]:
        found.append("- Delta: no alarm on a metric was read")
    found += ["", "## Suggested rollback", ""]
    if data["suggested_rollback"]:
        found.append("Not run: it needs the approval of an operator.")
        found += ["", fence(shlex.join(data["suggested_rollback"]["vector"]), "console")]
    else:
        found.append("None: no single command takes back what explains it.")
    found += ["", "## Hypotheses", ""]
    for supposed in explanation.hypotheses:
        found.append(f"{supposed.rank}. {markdown(redact.text(supposed.change.what))}")
        found.append(f"   - next: {markdown(redact.text(supposed.check.says))}")
    if not explanation.hypotheses:
        found.append("None qualifies.")
    found += ["", "## Timeline", "", "| time (UTC) | what | source |", "|---|---|---|"]
    for entry in explanation.timeline[-ROWS:]:
        found.append(
            f"| {clock(entry.time)} | {markdown(redact.text(entry.what))} | {code(entry.source)} |"
        )
    if explanation.blind:
        found += ["", "## Not known", ""]
        found += [f"- {markdown(redact.text(source.sentence))}" for source in explanation.blind]
    return "\n".join(found) + "\n"
