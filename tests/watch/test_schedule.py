"""When a watch looks, and when it is quiet."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infrascan.model import InputError
from infrascan.watch.schedule import QuietHours, next_look, period, put_off

GOOD = {"30m": 1800, "1h": 3600, "90s": 90, "1h30m": 5400, " 2H ": 7200, "1d": 86400}
BAD = ("", "30", "m", "30 m", "1.5h", "-5m", "5s", "31d", "30m!", "h1", "٣0m")
QUIET = (
    "22:00-07:00",
    "22:00 - 07:00 UTC",
    "9:00-17:30 Europe/Zurich",
    "00:00-23:59 America/New_York",
)
LOUD = ("", "22-07", "22:00", "25:00-07:00", "22:00-07:61", "08:00-08:00", "22:00-07:00 Mars/Phobos",
        "22:00-07:00 ../../etc/passwd", "22:00-07:00 Europe/Zurich twice")  # fmt: skip


@pytest.mark.parametrize(("text", "seconds"), GOOD.items())
def test_a_time_is_read(text: str, seconds: int):
    assert period(text) == seconds


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_time_is_one_line(text: str):
    with pytest.raises(InputError):
        period(text)


@given(
    st.floats(0, 1e6),
    st.floats(0, 1e7),
    st.floats(10, 1e5),
)
def test_the_next_look_is_on_the_grid_and_to_come(began: float, passed: float, every: float):
    now = began + passed
    at = next_look(began, now, every)

    assert now < at <= now + every * (1 + 1e-6) + 1e-6
    grid = (at - began) / every
    assert abs(grid - round(grid)) < 1e-3


@given(st.floats(10, 30 * 86400))
def test_chance_puts_off_by_a_small_part(every: float):
    assert 0 < put_off(every) <= min(every / 10, 60)


@pytest.mark.parametrize("text", LOUD)
def test_what_are_no_quiet_hours_is_one_line(text: str):
    with pytest.raises(InputError) as wrong:
        QuietHours.of(text)
    assert "\n" not in str(wrong.value)


@pytest.mark.parametrize("text", QUIET)
def test_quiet_hours_are_read(text: str):
    QuietHours.of(text)


clock = st.times().map(lambda t: time(t.hour, t.minute))
zones = st.sampled_from(
    [UTC, ZoneInfo("Europe/Zurich"), ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe"),
     timezone(timedelta(hours=5, minutes=45)), None]
)  # fmt: skip
first, last = datetime(2025, 1, 1), datetime(2028, 1, 1)  # noqa: DTZ001 (hypothesis wants them so)
moments = st.datetimes(first, last, timezones=st.just(UTC))


@given(clock, clock, zones, moments)
def test_quiet_ends_after_it_holds_and_within_a_day(start, end, zone, moment):
    if start == end:
        return
    quiet = QuietHours(start, end, zone)
    over = quiet.over(moment)

    if not quiet.holds(moment):
        assert over == moment
        return
    assert moment < over <= moment + timedelta(hours=25, minutes=30)
    assert not quiet.holds(over) or (over - moment) >= timedelta(hours=23)


def test_quiet_hours_follow_the_clock_on_the_wall_when_it_is_changed():
    quiet = QuietHours.of("22:00-07:00 Europe/Zurich")
    before = datetime(2026, 10, 24, 23, 0, tzinfo=UTC)  # 01:00, summer time ends two hours later

    assert quiet.over(before) == datetime(2026, 10, 25, 6, 0, tzinfo=UTC)
    assert quiet.holds(datetime(2026, 10, 25, 5, 59, tzinfo=UTC))
    assert not quiet.holds(datetime(2026, 10, 25, 6, 0, tzinfo=UTC))
