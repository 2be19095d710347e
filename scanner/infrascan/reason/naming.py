"""From what people write to keys and times: `checkout-api`, `shop/checkout-api`, `14:38`, `2h`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches

from infrascan.model import InputError, Resource, Scan
from infrascan.reason.change import moment, quoted

# What is meant by a name that several kinds have, the first of them.
PREFERRED = (
    *("k8s.deployment", "k8s.stateful_set", "k8s.daemon_set", "k8s.cron_job", "k8s.service"),
    *("k8s.pod", "aws.ecs.service", "aws.lambda.function", "aws.rds.db_instance"),
    *("aws.elbv2.load_balancer", "aws.elasticache.replication_group", "k8s.node"),
    *("aws.ec2.instance", "aws.cloudwatch.alarm"),
)
SPAN = re.compile(r"(\d{1,6})\s*(s|m|min|h|d|w)")
SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")
SHOWN = 5


def unseen(scan: Scan) -> str:
    """What to add where something was not found: what was not read may hold it."""
    gaps = [gap for gap in scan.gaps if not gap.field and not gap.resource]
    if not gaps:
        return ""
    more = f" (and {len(gaps) - 1} more)" if len(gaps) > 1 else ""
    first = gaps[0]
    closes = f"; {first.permission}" if first.permission else ""
    return f"; not all was read, so it may be there: {first.place}: {first.detail}{more}{closes}"


def find(scan: Scan, text: str) -> Resource:
    """The resource meant: a key, an id, a name, or `kind/name`. Raises `InputError`."""
    exact = [r for r in scan.resources if r.key == text]
    if exact:
        return exact[0]
    kind, slash, rest = text.partition("/")
    found = [r for r in scan.resources if text in {r.id, r.name}]
    if not found and slash:
        wanted = kind.removesuffix("s").replace("-", "_")
        found = [
            r
            for r in scan.resources
            if rest in {r.id, r.name} and wanted in {r.kind, short(r.kind), r.account}
        ]
    if not found:
        names = {r.name for r in scan.resources}
        near = get_close_matches(text, names, n=1)
        hint = f"; did you mean {quoted(near[0], 80)}?" if near else ""
        raise InputError(f"no resource is called {quoted(text, 80)}{hint}{unseen(scan)}")
    best = min(place(r) for r in found)
    meant = [r for r in found if place(r) == best]
    if len(meant) == 1:
        return meant[0]
    keys = ", ".join(quoted(r.key, 120) for r in meant[:SHOWN])
    more = f" and {len(meant) - SHOWN} more" if len(meant) > SHOWN else ""
    raise InputError(
        f"{quoted(text, 80)} is the name of several: {keys}{more}; give the key of one"
    )


def place(resource: Resource) -> int:
    return PREFERRED.index(resource.kind) if resource.kind in PREFERRED else len(PREFERRED)


def short(kind: str) -> str:
    return kind.rpartition(".")[2].replace("_", "")


def span(text: str) -> timedelta:
    """`30m`, `2h`, `1d` as a length of time. Raises `InputError`."""
    match = SPAN.fullmatch(text.strip().lower())
    if not match or not int(match[1]):
        raise InputError(f"{quoted(text, 40)} is no length of time: write it as 30m, 2h or 1d")
    return timedelta(seconds=int(match[1]) * SECONDS[match[2]])


def since(text: str, end: datetime) -> datetime:
    """When a window begins that ends at `end`: a length of time before it, or a time."""
    if SPAN.fullmatch(text.strip().lower()):
        return end - span(text)
    return when(text, end)


def when(text: str, observed: datetime) -> datetime:
    """A time in full, or of the clock: the latest such time that is not after `observed`."""
    if match := CLOCK.fullmatch(text.strip()):
        hour, minute, second = (int(part or 0) for part in match.groups())
        found = observed.astimezone(UTC).replace(
            hour=hour, minute=minute, second=second, microsecond=0
        )
        return found if found <= observed else found - timedelta(days=1)
    full = moment(text.strip())
    if full is None:
        raise InputError(
            f"{quoted(text, 40)} is no time: write it as 14:38 or 2026-11-20T14:38:00Z, in UTC"
        )
    return full
