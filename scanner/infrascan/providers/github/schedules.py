"""How often a cron line runs. Days are left out: what is counted is a day on which it runs."""

from __future__ import annotations

from typing import Any

DAY = 24 * 60


def of(triggers: Any) -> list[dict[str, Any]]:
    """The schedules of a workflow: runs a day, and the shortest time between two."""
    lines = triggers.get("schedule") if isinstance(triggers, dict) else None
    found = []
    for line in lines if isinstance(lines, list) else ():
        cron = line.get("cron") if isinstance(line, dict) else None
        if not isinstance(cron, str):
            continue
        times = minutes(cron)
        entry: dict[str, Any] = {"cron": cron}
        if times:
            gaps = [
                (b - a) % DAY or DAY for a, b in zip(times, [*times[1:], times[0]], strict=True)
            ]
            entry |= {"runs_per_day": len(times), "every_minutes": min(gaps)}
        found.append(entry)
    return found


def minutes(cron: str) -> list[int]:
    """The minutes of a day at which it runs; empty for a line that is not understood."""
    fields = cron.split()
    if len(fields) != 5:
        return []
    try:
        at, hours = values(fields[0], 60), values(fields[1], 24)
    except ValueError:
        return []
    return [hour * 60 + minute for hour in hours for minute in at]


def values(text: str, size: int) -> list[int]:
    """What a field of a cron line stands for. Raises `ValueError`."""
    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        if span == "*":
            start, end = 0, size - 1
        else:
            start = int(first)
            end = int(last) if last else (size - 1 if step else start)
        found.update(range(start, end + 1, max(int(step), 1) if step else 1))
    if not found or max(found) >= size or min(found) < 0:
        raise ValueError(text)
    return sorted(found)
