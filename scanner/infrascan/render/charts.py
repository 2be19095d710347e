"""Bars for the HTML report: what to draw, in the units of a viewBox a thousand wide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from infrascan.model import SEVERITIES, Coverage, Scan, Severity, State, share_read
from infrascan.render.grade import percent
from infrascan.render.summary import Spend, Summary, money, number

WIDTH = 1000.0
LEAST = 8.0  # a count that is not zero stays visible
KINDS = 8
ACCOUNTS = 40


@dataclass(frozen=True, slots=True)
class Segment:
    style: str  # class of the colour
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Bar:
    label: str
    value: str
    detail: str  # all of it in words, for who cannot see the bar
    segments: tuple[Segment, ...]


def stacked(label: str, counts: Mapping[Severity, int], most: int) -> Bar:
    """A bar of findings by severity, as long as its share of the longest one."""
    total = sum(counts.values())
    spoken = ", ".join(f"{number(counts[s])} {s}" for s in SEVERITIES if counts[s])
    parts = [(str(s), counts[s]) for s in SEVERITIES]
    return Bar(label, number(total), spoken or "no findings", laid(parts, total, most))


def laid(parts: Sequence[tuple[str, float]], total: float, most: float) -> tuple[Segment, ...]:
    segments: list[Segment] = []
    x = 0.0
    full = WIDTH * total / most if most else 0.0
    shown = [(style, size) for style, size in parts if size > 0]
    spare = max(0.0, full - LEAST * len(shown))
    for style, size in shown:
        width = round(LEAST + spare * size / total, 1)
        segments.append(Segment(style, round(x, 1), width))
        x += width
    return tuple(segments)


def by_severity(summary: Summary) -> list[Bar]:
    most = max(summary.severities.values())
    return [
        stacked(str(s), {**dict.fromkeys(SEVERITIES, 0), s: summary.severities[s]}, most)
        for s in SEVERITIES
    ]


def by_category(summary: Summary) -> list[Bar]:
    most = max(sum(row.values()) for row in summary.matrix.values())
    return [stacked(str(name), row, most) for name, row in summary.matrix.items()]


def by_provider(summary: Summary) -> list[Bar]:
    most = max((sum(row.values()) for row in summary.providers.values()), default=0)
    return [stacked(name, row, most) for name, row in summary.providers.items()]


def spend_bars(spends: Sequence[Spend], limit: int = KINDS, nouns: str = "kinds") -> list[Bar]:
    """Cost with the part that could be saved; the smallest are summed up in the last bar."""
    shown = list(spends[:limit])
    rest = spends[limit:]
    if rest:
        shown.append(
            Spend(
                name=f"{len(rest)} more {nouns}",
                cost=sum(s.cost for s in rest),
                saving=sum(s.saving for s in rest),
                resources=sum(s.resources for s in rest),
            )
        )
    most = max((s.cost for s in shown), default=0.0)
    bars: list[Bar] = []
    for s in shown:
        saving = min(s.saving, s.cost)
        parts = [("saving", saving), ("cost", s.cost - saving)]
        spoken = f"{money(s.cost)} a month"
        if s.saving:
            spoken += f", {money(s.saving)} could be saved"
        bars.append(Bar(s.name, money(s.cost), spoken, laid(parts, s.cost, most)))
    return bars


def coverage_bars(scan: Scan) -> tuple[list[Bar], int]:
    """What was read of each account, the least read first; and how many accounts are not shown."""
    accounts: dict[tuple[str, str], list[Coverage]] = {}
    for entry in scan.coverage:
        place = (entry.partition.provider, entry.partition.account)
        accounts.setdefault(place, []).append(entry)
    ranked = sorted(
        accounts.items(), key=lambda item: (sum(map(share_read, item[1])) / len(item[1]), item[0])
    )
    bars: list[Bar] = []
    for (provider, account), entries in ranked[:ACCOUNTS]:
        counts = {s: sum(e.state is s for e in entries) for s in State}
        read = 100 * sum(map(share_read, entries)) / len(entries)
        spoken = (
            f"{number(counts[State.READ])} of {number(len(entries))} partitions read,"
            f" {number(counts[State.PARTIAL])} in part, {number(counts[State.UNREAD])} not;"
            f" {number(sum(e.resources for e in entries))} resources"
        )
        parts = [(f"state-{s}", counts[s]) for s in State]
        segments = laid(parts, len(entries), len(entries))
        bars.append(Bar(f"{provider} · {account}", percent(read), spoken, segments))
    return bars, len(ranked) - len(bars)
