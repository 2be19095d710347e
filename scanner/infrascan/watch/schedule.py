"""When to look, and when to be quiet. Nothing here reads a clock: times are given."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from infrascan.model import InputError

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
SHORTEST = 10.0  # seconds between two looks: below it, a scan is all there would be
LONGEST = 30 * 86400.0
SHARE = 0.05  # of the time between two looks that chance may put one off
MOST = 30.0  # seconds of it
CLOCKS = r"([0-9]{1,2}):([0-9]{2})\s*-\s*([0-9]{1,2}):([0-9]{2})(?:\s+(\S+))?"


def period(text: str) -> float:
    """Seconds of "30m", "1h", "90s" or "1h30m". Raises `InputError`."""
    parts = re.findall(r"([0-9]{1,9})([smhd])", text.strip().lower())
    whole = "".join(number + unit for number, unit in parts)
    seconds = float(sum(int(number) * UNITS[unit] for number, unit in parts))
    if not parts or whole != text.strip().lower():
        raise InputError(f"{text!r} is not a time such as 30m, 1h or 90s")
    if not SHORTEST <= seconds <= LONGEST:
        raise InputError(f"{text!r} is not between {SHORTEST:.0f}s and {LONGEST / 86400:.0f}d")
    return seconds


def put_off(every: float) -> float:
    """The most seconds by which a look may come late, so that many watches do not look at once."""
    return min(every * SHARE, MOST)


def next_look(began: float, now: float, every: float) -> float:
    """The first time of the grid `began`, `began + every`, ... that is still to come.

    A look that took longer than the time between two leaves out those that it missed.
    """
    passed = int((now - began) // every) + 1
    at = began + passed * every
    return at if at > now else at + every  # for sums that floats round down


@dataclass(frozen=True, slots=True)
class QuietHours:
    """A part of each day, by the clock of one place, in which nothing but the worst is told."""

    start: time
    end: time
    zone: tzinfo | None  # None: that of this machine

    @classmethod
    def of(cls, text: str) -> QuietHours:
        """`22:00-07:00 Europe/Zurich`; without a zone, that of this machine. Raises `InputError`."""
        found = re.fullmatch(CLOCKS, text.strip())
        try:
            if not found:
                raise ValueError
            start, end = time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4]))
        except ValueError:
            raise InputError(
                f"quiet hours {text!r} are not like 22:00-07:00 or 22:00-07:00 Europe/Zurich"
            ) from None
        if start == end:
            raise InputError(f"quiet hours {text!r} begin and end at the same time")
        return cls(start, end, zone_of(found[5]) if found[5] else None)

    def holds(self, moment: datetime) -> bool:
        """Whether it is quiet then."""
        at = moment.astimezone(self.zone).time()
        if self.start < self.end:
            return self.start <= at < self.end
        return at >= self.start or at < self.end

    def over(self, moment: datetime) -> datetime:
        """When the quiet that holds at `moment` ends; `moment` itself where none holds."""
        if not self.holds(moment):
            return moment
        here = moment.astimezone(self.zone)
        for days in (0, 1, 2):
            day = here.date() + timedelta(days=days)
            # Built from the wall clock of its own day: that day may have another offset.
            naive = datetime.combine(day, self.end)
            ends = (
                naive.replace(tzinfo=self.zone) if self.zone else naive.astimezone()
            ).astimezone(UTC)
            if ends > moment and not self.holds(ends):
                return ends
        return moment.astimezone(UTC) + timedelta(days=1)


def zone_of(name: str) -> tzinfo:
    if name.upper() in {"UTC", "Z"}:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InputError(f"no time zone {name!r}; name one such as Europe/Zurich or UTC") from None
