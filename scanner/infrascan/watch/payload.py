"""What is sent: a documented JSON object, Slack's blocks, and lines for people.

Names, titles and values come from estates that anyone may write to: they go through
`redact`, lose what cannot be seen, and never become markup, a mention or a link.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from infrascan import redact
from infrascan.model import Severity
from infrascan.render.inert import short, visible
from infrascan.watch.memory import named
from infrascan.watch.news import FORMAT, TURNS, Stand, Standing, Standings, Subject, Transition

SHOWN = 200  # transitions in one notification; `counts` has all
WORST = 10  # of what stands, in a baseline
LONGEST = 2_000  # characters of one text
DEEPEST = 6  # levels of an answer's data
WIDEST = 50  # items of a list in it
SLACK_BLOCKS = 40  # Slack takes 50
SLACK_TEXT = 2_800  # and 3,000 characters in each
SLACK_HEADER = 140
SIGNS = {"fixed": "✓", "recovered": "✓", "better": "↓", "known": "=", "left": "–", "unknown": "?"}

Notification = Mapping[str, Any]


def notification(
    watch: str,
    run: int,
    at: str,
    scan: str,
    transitions: Sequence[Transition],
    standings: Standings,
    *,
    baseline: bool,
    usage: Mapping[str, Any],
) -> dict[str, Any]:
    """The payload of one run. Its `id` is the same whenever the same run is told again."""
    counts = Counter(transition.turn.value for transition in transitions)
    body: dict[str, Any] = {
        "format": FORMAT,
        "id": named((watch, str(run), at)),
        "kind": "baseline" if baseline else "transitions",
        "watch": watch,
        "run": run,
        "at": at,
        "scan": scan,
        "counts": {turn.value: counts[turn.value] for turn in TURNS if counts[turn.value]},
        "standing": standing(standings),
        "usage": dict(usage),
        "transitions": [inert(transition.told()) for transition in transitions[:SHOWN]],
    }
    if baseline:
        body["worst"] = [inert(stood) for stood in worst(standings)]
    body["summary"] = summary(body)
    return dict(redact.scrub(body))


def digest(bodies: Sequence[Notification]) -> dict[str, Any]:
    """Several notifications as one, for the end of quiet hours; what turned stays in its order."""
    if len(bodies) == 1:
        return dict(bodies[0])
    last = bodies[-1]
    counts: Counter[str] = Counter()
    for body in bodies:
        counts.update(body["counts"])
    turned = [one for body in bodies for one in body["transitions"]]
    merged = {
        **last,
        "id": named(body["id"] for body in bodies),
        "kind": "digest",
        "from": bodies[0]["at"],
        "runs": [body["run"] for body in bodies],
        "counts": {turn.value: counts[turn.value] for turn in TURNS if counts[turn.value]},
        "transitions": turned[:SHOWN],
    }
    firsts = [body for body in bodies if body["kind"] == "baseline"]
    if firsts:
        merged["worst"] = firsts[0]["worst"]
    merged["summary"] = summary(merged)
    return merged


def standing(standings: Standings) -> dict[str, Any]:
    """Counts of what stands now: findings by severity, and what is not known."""
    of = Counter(
        (stood.subject, stood.stand, stood.severity)
        for stood in standings.values()
        if stood.stand is not Stand.WELL
    )

    def count(subject: Subject, stand: Stand, severity: Severity | None = None) -> int:
        return sum(
            number
            for (one, how, bad), number in of.items()
            if one is subject and how is stand and severity in (None, bad)
        )

    return {
        "findings": {s.value: count(Subject.FINDING, Stand.OPEN, s) for s in Severity},
        "unknown": count(Subject.FINDING, Stand.UNKNOWN),
        "checks_failing": count(Subject.CHECK, Stand.OPEN),
        "checks_unknown": count(Subject.CHECK, Stand.UNKNOWN),
        "providers_unread": count(Subject.PROVIDER, Stand.OPEN),
    }


def worst(standings: Standings) -> list[dict[str, Any]]:
    """The worst of what stands, for the first notification: checks and providers ahead."""
    bad = [stood for stood in standings.values() if stood.stand is not Stand.WELL]
    order = list(Subject)

    def rank(stood: Standing) -> tuple[bool, int, int, str]:
        finding = stood.subject is Subject.FINDING
        return finding, stood.severity.rank, order.index(stood.subject), stood.key

    return [
        {
            "subject": stood.subject.value,
            "id": stood.key,
            "stand": stood.stand.value,
            "severity": stood.severity.value,
            "title": str(stood.said.get("title", "")),
            "detail": str(stood.said.get("detail", "")),
            "resource": str(stood.said.get("resource", "")),
            "name": str(stood.said.get("name", "")),
        }
        for stood in sorted(bad, key=rank)[:WORST]
    ]


def summary(body: Notification) -> str:
    """One line of our own words and counts: nothing of the estate is in it."""
    stands = body["standing"]
    parts = [f"{number} {turn}" for turn, number in body["counts"].items()]
    findings = [f"{number} {name}" for name, number in stands["findings"].items() if number]
    rest = [
        f"{stands[name]} {words}"
        for name, words in (
            ("unknown", "findings unknown"),
            ("checks_failing", "checks failing"),
            ("checks_unknown", "checks unknown"),
            ("providers_unread", "providers not read"),
        )
        if stands[name]
    ]
    now = ", ".join([*findings, *rest]) or "nothing"
    if body["kind"] == "baseline":
        return f"baseline: {now} stand{'s' if now == 'nothing' else ''}"
    return f"{', '.join(parts) or 'nothing turned'}; standing now: {now}"


def inert(value: Any, depth: int = 0) -> Any:
    """JSON values that cannot steer who shows them, cut to a size that can be sent."""
    if isinstance(value, str):
        return visible(short(redact.text(value), LONGEST))
    if isinstance(value, Mapping):
        if depth >= DEEPEST:
            return "…"
        some = list(value.items())[:WIDEST]
        return {visible(str(name)): inert(item, depth + 1) for name, item in some}
    if isinstance(value, list | tuple):
        if depth >= DEEPEST:
            return "…"
        return [inert(item, depth + 1) for item in value[:WIDEST]]
    return value


# For people.


def lines(body: Notification) -> Iterator[str]:
    """A notification as lines of plain text."""
    when = f"{body['from']} to {body['at']}" if "from" in body else body["at"]
    yield f"{when} {body['summary']}"
    for one in body.get("worst", ()):
        yield f"  · {one['severity']:<8} {titled(one)}"
    for one in body["transitions"]:
        yield f"  {SIGNS.get(one['turn'], '!')} {one['turn']:<9} {one['severity']:<8} {titled(one)}"
        if said := behind(one):
            yield f"      {said}"
    if more := sum(body["counts"].values()) - len(body["transitions"]):
        yield f"  and {more} more"


def titled(one: Mapping[str, Any]) -> str:
    name = one.get("name") or one.get("resource") or ""
    return f"{one['title']}: {name}" if name else str(one["title"])


def behind(one: Mapping[str, Any]) -> str:
    """What is behind a transition: where, why, since when."""
    where = "/".join(str(one[p]) for p in ("provider", "account", "region") if one.get(p))
    parts = [where, one["detail"]]
    if pod := one.get("degraded"):
        parts.append(
            f"pod {pod.get('pod')} in {pod.get('namespace')}: {pod.get('reason')}"
            + (f" since {pod['since']}" if pod.get("since") else "")
        )
    elif one["since"] != one["at"]:
        parts.append(f"since {one['since']}")
    if closer := one.get("closer"):
        parts.append(str(closer.get("verdict", "")))
        proposal = closer.get("proposal", {})
        if proposal.get("approval_id"):
            parts.append(f"proposed, not run: infrascan approvals show {proposal['approval_id']}")
    return "; ".join(part for part in parts if part)


def slack(body: Notification) -> dict[str, Any]:
    """The message for Slack's incoming webhooks, and for what is compatible with them.

    Text of the estate stands in `plain_text` objects only, where Slack looks for no mention, link
    or markup.
    """
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": plain(f"infrascan: {body['summary']}", SLACK_HEADER)}
    ]
    shown = [*body.get("worst", ()), *body["transitions"]]
    for one in shown[: SLACK_BLOCKS - 2]:
        turn = one.get("turn", "standing")
        text = f"{SIGNS.get(turn, '!')} {turn} · {one['severity']} · {titled(one)}"
        if said := behind(one) if "turn" in one else one.get("detail", ""):
            text += f"\n{said}"
        blocks.append({"type": "section", "text": plain(text, SLACK_TEXT)})
    more = len(body.get("worst", ())) + sum(body["counts"].values()) - (len(blocks) - 1)
    last = f"and {more} more · " if more > 0 else ""
    told = f"{last}run {body['run']} at {body['at']} · scan {body['scan'] or 'none'}"
    blocks.append({"type": "context", "elements": [plain(told, SLACK_TEXT)]})
    return {
        "text": escaped(f"infrascan: {body['summary']}"),
        "blocks": blocks,
        "unfurl_links": False,
        "unfurl_media": False,
    }


def plain(text: str, limit: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": short(text, limit), "emoji": False}


def escaped(text: str) -> str:
    """Text for Slack's markup: the three characters that begin anything in it are escaped."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
