"""A watch over a day: it tells what turned, once, and nothing else."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infrascan.model import InputError, Scan, Severity
from infrascan.store.scans import scans
from infrascan.watch.memory import Memory
from infrascan.watch.notifiers import Lines, Webhook
from infrascan.watch.schedule import QuietHours, put_off
from tests.servers.webhook import Receiver
from tests.watch.lab import HALF_HOUR, Lab, blind, seen, shut_out

DAY = 48


def planted(run: int) -> Scan:
    """Three changes in a day: a group opened and closed, another one that stays, a third at night."""
    opened = []
    if 5 <= run < 17:
        opened.append(1)
    if 9 <= run:
        opened.append(2)
    if 30 <= run < 41:
        opened.append(3)
    return seen(run, open_groups=opened, plain_volumes=[0, 4])


def test_three_planted_changes_in_48_runs_are_three_alerts_and_two_recoveries(tmp_path: Path):
    with Receiver() as receiver:
        lab = Lab(tmp_path, planted, [Webhook(receiver.url)]).run(DAY)

    assert [body["kind"] for body in receiver.bodies] == ["baseline", *["transitions"] * 5]
    told = [
        (body["run"], one["turn"], one["resource_id"], one["severity"])
        for body in receiver.bodies
        for one in body["transitions"]
    ]
    assert told == [
        (6, "new", "sg-1", "critical"),
        (10, "new", "sg-2", "critical"),
        (18, "fixed", "sg-1", "critical"),
        (31, "new", "sg-3", "critical"),
        (42, "fixed", "sg-3", "critical"),
    ]
    assert len({post.headers["idempotency-key"] for post in receiver.posts}) == 6
    assert len(lab.bodies) == DAY


def test_watching_a_day_asks_no_model_and_costs_nothing(tmp_path: Path):
    lab = Lab(tmp_path, planted).run(DAY)

    assert {(body["usage"]["model_calls"], body["usage"]["usd"]) for body in lab.bodies} == {(0, 0)}


def test_runs_are_at_fixed_times_and_a_slow_one_overlaps_none(tmp_path: Path):
    minutes = {1: 45 * 60.0, 4: 90 * 60.0}
    lab = Lab(tmp_path, seen, took=lambda run: minutes.get(run, 0.0)).run(7)

    # The second run takes 45 minutes: that at 60 is left out. The fifth takes 90.
    assert [round(at / 60) for at in lab.began] == [0, 30, 90, 120, 150, 270, 300]


def test_jitter_puts_off_a_little_and_never_adds_up(tmp_path: Path):
    most = put_off(HALF_HOUR)
    lab = Lab(tmp_path, seen, options={"jitter": None, "chance": random.Random(7)}).run(20)
    late = [at - number * HALF_HOUR for number, at in enumerate(lab.began)]

    assert late[0] == 0
    assert all(0 <= seconds <= most + 0.001 for seconds in late)
    assert len({round(seconds, 3) for seconds in late}) > 10


def test_a_restart_neither_repeats_nor_forgets(tmp_path: Path):
    def script(run: int) -> Scan:
        return seen(run, open_groups=[1] if run >= 2 else [])

    first = Lab(tmp_path, script).run(4)
    second = Lab(tmp_path, script, first=4).run(2)
    third = Lab(tmp_path, lambda run: seen(run), first=6).run(1)

    assert first.turned == [(3, "new", "name of sg-1")]
    assert (second.turned, [body["kind"] for body in second.bodies]) == ([], ["transitions"] * 2)
    assert third.turned == [(7, "fixed", "name of sg-1")]
    since = third.bodies[0]["transitions"][0]["since"]
    assert since == first.bodies[2]["at"]


def test_what_is_not_delivered_before_a_restart_is_delivered_after_it(tmp_path: Path):
    with Receiver(answers=[500] * 50) as receiver:
        lab = Lab(tmp_path, seen, [Webhook(receiver.url)]).run(1)
        assert lab.left == 1
        tried = {post.headers["idempotency-key"] for post in receiver.refused}
        receiver.answers.clear()
        again = Lab(
            tmp_path, seen, [Webhook(receiver.url)], first=1, start=lab.start.replace(hour=9)
        )
        again.run(1)

        assert (again.left, [body["kind"] for body in receiver.bodies]) == (0, ["baseline"])
        assert {receiver.posts[0].headers["idempotency-key"]} == tried


def test_what_cannot_be_read_any_more_is_unknown_and_not_fixed(tmp_path: Path):
    def script(run: int) -> Scan:
        if run in (1, 2, 5):
            return blind(run, open_groups=[1])
        return seen(run, open_groups=[1] if run < 6 else [])

    lab = Lab(tmp_path, script).run(8)

    # Seen again at the fourth run, lost at the sixth, and passing when it is seen at the seventh.
    assert [(run, turn) for run, turn, _ in lab.turned] == [
        (2, "unknown"),
        (4, "known"),
        (6, "unknown"),
        (7, "fixed"),
    ]
    assert [body["standing"]["unknown"] for body in lab.bodies] == [0, 1, 1, 0, 0, 1, 0, 0]


def test_a_failed_scan_is_told_once_and_nothing_is_fixed_by_it(tmp_path: Path):
    def script(run: int) -> Scan | InputError:
        if 1 <= run <= 3:
            return InputError("no provider has credentials here\nand more")
        return seen(run, open_groups=[1, 2])

    lab = Lab(tmp_path, script).run(6)

    assert lab.turned == [
        (2, "failed", "The scan failed"),
        (5, "recovered", "The scan works again"),
    ]
    (failed,) = lab.bodies[1]["transitions"]
    assert failed["detail"] == "no provider has credentials here"
    assert {body["standing"]["findings"]["critical"] for body in lab.bodies} == {2}


def test_a_provider_that_is_shut_out_is_one_alert_and_its_findings_are_unknown(tmp_path: Path):
    def script(run: int) -> Scan:
        return shut_out(run) if run in (2, 3) else seen(run, open_groups=[1, 2, 3])

    lab = Lab(tmp_path, script).run(6)

    assert [(run, turn) for run, turn, _ in lab.turned] == [(3, "failed"), (5, "recovered")]
    (failed,) = lab.bodies[2]["transitions"]
    assert failed["subject"] == "provider"
    assert "the token has expired; sign in again" in failed["detail"]
    assert "3 findings are unknown meanwhile" in failed["detail"]
    assert [body["standing"]["unknown"] for body in lab.bodies] == [0, 0, 3, 3, 0, 0]


def test_a_first_run_that_fails_makes_no_baseline(tmp_path: Path):
    def script(run: int) -> Scan | InputError:
        return InputError("the network is down") if run == 0 else seen(run, open_groups=[1])

    lab = Lab(tmp_path, script).run(2)

    assert [body["kind"] for body in lab.bodies] == ["transitions", "baseline"]
    assert [(run, turn) for run, turn, _ in lab.turned] == [(1, "failed"), (2, "recovered")]
    assert lab.bodies[1]["worst"][0]["severity"] == "critical"


def test_findings_below_the_threshold_turn_silently(tmp_path: Path):
    def script(run: int) -> Scan:
        return seen(run, plain_volumes=[run % 2])  # medium ones come and go at each run

    assert Lab(tmp_path / "a", script).run(4).turned == []
    told = Lab(tmp_path / "b", script, options={"on": Severity.MEDIUM}).run(4).turned
    assert [turn for _, turn, _ in told] == ["new", "fixed"] * 3


def test_quiet_hours_end_with_one_digest_in_order(tmp_path: Path):
    def script(run: int) -> Scan:  # from 20:00; it is quiet from 22:00 to 07:00
        opened = {6: [1], 7: [1, 2], 8: [2]}.get(run, [2] if run > 8 else [])
        return seen(run, open_groups=opened)

    quiet = QuietHours.of("22:00-07:00 UTC")
    start = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)
    with Receiver() as receiver:
        Lab(tmp_path, script, [Webhook(receiver.url)], {"quiet": quiet}, start=start).run(24)

    assert [body["kind"] for body in receiver.bodies] == ["baseline", "digest"]
    digest = receiver.bodies[1]
    assert digest["runs"] == [7, 8, 9]
    assert [(one["turn"], one["resource_id"]) for one in digest["transitions"]] == [
        ("new", "sg-1"),
        ("new", "sg-2"),
        ("fixed", "sg-1"),
    ]
    assert (digest["counts"], digest["from"]) == ({"new": 2, "fixed": 1}, "2026-11-21T23:00:00Z")


def test_what_is_loud_enough_is_told_in_quiet_hours(tmp_path: Path):
    options = {"quiet": QuietHours.of("00:00-23:59 UTC"), "loud": Severity.CRITICAL}
    with Receiver() as receiver:
        lab = Lab(
            tmp_path,
            lambda run: seen(run, open_groups=[1] if run else []),
            [Webhook(receiver.url)],
            options,
        ).run(2)

    # It leads what had waited; the transitions come with it.
    assert [one["turn"] for body in receiver.bodies for one in body["transitions"]] == ["new"]
    assert lab.left == 0  # the baseline waits for the end of quiet hours, and is not overdue


def test_the_scan_before_may_be_gone(tmp_path: Path):
    script = lambda run: seen(run, open_groups=[1] if run < 3 else [2])  # noqa: E731
    Lab(tmp_path, script).run(2)
    for stored in scans(tmp_path):
        for file in stored.path.iterdir():
            file.unlink()
        stored.path.rmdir()
    lab = Lab(tmp_path, script, first=2).run(2)

    assert any("cannot be compared" in line for line in lab.said)
    assert [(run, turn) for run, turn, _ in lab.turned] == [(4, "new"), (4, "fixed")]


def test_only_scans_of_the_watch_are_deleted(tmp_path: Path):
    from infrascan.store.scans import write

    write(seen(9000), tmp_path)
    Lab(tmp_path, seen, options={"keep": 3}).run(8)

    assert {one.id for one in scans(tmp_path)} == {
        "scan-9000",
        "scan-0005",
        "scan-0006",
        "scan-0007",
    }


def test_the_same_is_not_watched_twice(tmp_path: Path):
    memory = Memory(tmp_path, "lab")
    with pytest.raises(InputError, match="another infrascan watch"):
        Memory(tmp_path, "lab")
    Memory(tmp_path, "other").close()
    memory.close()
    Memory(tmp_path, "lab").close()


def test_several_places_get_the_same_and_one_that_fails_holds_up_none(tmp_path: Path):
    with Receiver(answers=[503] * 20) as receiver:
        file = tmp_path / "news.jsonl"
        lab = Lab(
            tmp_path / "home",
            lambda run: seen(run, open_groups=[1] if run else []),
            [Webhook(receiver.url), Lines(file)],
        ).run(2)

    assert len(file.read_text().splitlines()) == 2
    assert file.stat().st_mode & 0o777 == 0o600
    assert lab.left == 2
