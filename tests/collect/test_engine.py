"""What the fan-out promises: nothing unread looks empty, nothing read is lost."""

from __future__ import annotations

import random

import trio
import trio.testing

from infrascan.collect.engine import Collection
from infrascan.collect.provider import Call
from infrascan.collect.recording import Recorder, Replay
from infrascan.model import InputError, ReadError, Reason, State
from tests.collect.platforms import Platform


def run(clock: trio.abc.Clock, **options):
    async def main():
        collection = Collection(**options)
        return await collection.run()

    return trio.run(main, clock=clock)


def autojump() -> trio.testing.MockClock:
    return trio.testing.MockClock(autojump_threshold=0)


async def two_things(call: Call):
    return {"items": ["a", "b"]}


def test_everything_is_read_and_ordered():
    result = run(autojump(), providers=[Platform(two_things, regions=("south", "north"))])

    assert [
        "toy.thing/1/north/a",
        "toy.thing/1/north/b",
        "toy.thing/1/south/a",
        "toy.thing/1/south/b",
    ] == [r.key for r in result.resources]
    assert [State.READ] * 2 == [c.state for c in result.coverage]
    assert [] == result.gaps


def test_a_denied_list_is_a_gap_and_its_neighbour_is_read():
    async def answer(call: Call):
        if call.region == "south":
            raise ReadError(Reason.DENIED, "no", code="AccessDenied", permission="toy:List")
        return {"items": ["a"]}

    result = run(autojump(), providers=[Platform(answer, regions=("north", "south"))])

    assert [("toy.thing.List", Reason.DENIED, "toy:List", "south")] == [
        (g.call, g.reason, g.permission, g.region) for g in result.gaps
    ]
    assert [State.READ, State.UNREAD] == [c.state for c in result.coverage]


def test_a_failing_second_page_keeps_the_first_and_says_partial():
    async def answer(call: Call):
        if call.params["token"]:
            raise ReadError(Reason.UNREACHABLE, "reset")
        return {"items": ["a"], "token": "2"}

    result = run(autojump(), providers=[Platform(answer)])

    assert ["a"] == [r.name for r in result.resources]
    assert [State.PARTIAL] == [c.state for c in result.coverage]
    assert [Reason.UNREACHABLE] == [g.reason for g in result.gaps]


def test_what_two_pages_give_alike_is_counted_once():
    async def answer(call: Call):
        if call.params["token"]:
            return {"items": ["b", "c"]}
        return {"items": ["a", "b"], "token": "2"}

    result = run(autojump(), providers=[Platform(answer)])

    assert ["a", "b", "c"] == [r.name for r in result.resources]
    assert [(State.READ, 3)] == [(c.state, c.resources) for c in result.coverage]


def test_a_defect_in_one_reader_is_a_bug_gap_without_its_secrets():
    async def answer(call: Call):
        if call.region == "south":
            raise KeyError("https://bob:hunter2hunter2@db.example")
        return {"items": ["a"]}

    result = run(autojump(), providers=[Platform(answer, regions=("north", "south"))])

    (gap,) = result.gaps
    assert Reason.BUG is gap.reason
    assert "KeyError" in gap.detail
    assert "hunter2" not in gap.detail
    assert ["a"] == [r.name for r in result.resources]


def test_a_mistake_of_the_user_ends_the_run():
    class Wrong(Platform):
        async def connect(self, ask):
            raise InputError("unknown region 'eu-wset-1'; did you mean 'eu-west-1'?")

    try:
        run(autojump(), providers=[Wrong(two_things), Platform(two_things, name="other")])
    except InputError as error:
        assert "eu-west-1" in str(error)
    else:
        raise AssertionError("no InputError")


def test_throttling_is_waited_out():
    refusals = iter([True, True, True])

    async def answer(call: Call):
        if next(refusals, False):
            raise ReadError(Reason.THROTTLED, "slow down", code="Throttling", retry_after=5)
        return {"items": ["a"]}

    result = run(autojump(), providers=[Platform(answer)])

    assert ["a"] == [r.name for r in result.resources]
    assert [] == result.gaps


def test_endless_throttling_becomes_a_gap():
    async def answer(call: Call):
        raise ReadError(Reason.THROTTLED, "slow down", code="Throttling")

    result = run(autojump(), providers=[Platform(answer)])

    assert [Reason.THROTTLED] == [g.reason for g in result.gaps]


def test_a_server_error_is_tried_three_times():
    async def answer(call: Call):
        raise ReadError(Reason.UNREACHABLE, "internal error", code="500")

    platform = Platform(answer)
    result = run(autojump(), providers=[platform])

    assert 3 == len(platform.sent)
    assert [Reason.UNREACHABLE] == [g.reason for g in result.gaps]


def test_a_refusal_is_not_tried_again():
    async def answer(call: Call):
        raise ReadError(Reason.DENIED, "no", code="AccessDenied")

    platform = Platform(answer)
    run(autojump(), providers=[platform])

    assert 1 == len(platform.sent)


def test_a_provider_that_hangs_ends_as_a_gap_and_delays_nobody():
    finished: dict[str, float] = {}

    async def hang(call: Call):
        await trio.sleep_forever()

    async def quick(call: Call):
        finished["quick"] = trio.current_time()
        return {"items": ["a"]}

    start = trio.testing.MockClock(autojump_threshold=0)
    result = run(start, providers=[Platform(hang, name="slow"), Platform(quick, name="quick")])

    assert [("slow", Reason.TIMED_OUT)] == [(g.provider, g.reason) for g in result.gaps]
    assert ["a"] == [r.name for r in result.resources]
    assert finished["quick"] - start.current_time() < 1


def test_a_silent_endpoint_is_given_up_after_a_few_calls():
    async def hang(call: Call):
        await trio.sleep_forever()

    platform = Platform(hang, kind_names=[f"toy.k{i}" for i in range(200)])
    platform.kind_names = [f"one.k{i}" for i in range(200)]  # one API family, one quota
    result = run(autojump(), providers=[platform])

    assert 200 == len(result.gaps)
    assert len(platform.sent) < 60
    assert any("not tried" in g.detail for g in result.gaps)


def test_the_deadline_cuts_what_is_left_and_says_so():
    async def answer(call: Call):
        if call.region == "south":
            await trio.sleep(20)
        return {"items": ["a"]}

    result = run(autojump(), providers=[Platform(answer, regions=("north", "south"))], seconds=10)

    assert [("south", Reason.TIMED_OUT)] == [(g.region, g.reason) for g in result.gaps]
    assert ["a"] == [r.name for r in result.resources]
    assert not result.interrupted


def test_a_stop_keeps_what_was_read_and_closes_the_providers():
    async def answer(call: Call):
        if call.region == "south":
            await trio.sleep(20)
        return {"items": ["a"]}

    platform = Platform(answer, regions=("north", "south"))

    async def main():
        collection = Collection(providers=[platform])
        async with trio.open_nursery() as nursery:

            async def stop() -> None:
                await trio.sleep(3)
                collection.stop()

            nursery.start_soon(stop)
            return await collection.run()

    result = trio.run(main, clock=autojump())

    assert result.interrupted
    assert [("south", Reason.INTERRUPTED)] == [(g.region, g.reason) for g in result.gaps]
    assert ["a"] == [r.name for r in result.resources]
    assert platform.closed


def test_a_replay_gives_what_was_recorded_without_the_platform(tmp_path):
    async def answer(call: Call):
        if call.region == "south":
            raise ReadError(Reason.DENIED, "no", code="AccessDenied", permission="toy:List")
        if call.params["token"] is None:
            return {"items": ["a", "postgres://bob:hunter2@db"], "token": "2"}
        return {"items": ["c"]}

    async def gone(call: Call):
        raise AssertionError("a replay must not reach the platform")

    folder = tmp_path / "recording"
    recorder = Recorder.create(folder, {"observed": "2026-11-21T00:00:00Z"})
    regions = ("north", "south")
    live = run(autojump(), providers=[Platform(answer, regions=regions)], recorder=recorder)
    recorder.close()
    replay = Replay.open(folder)
    again = run(autojump(), providers=[Platform(gone, regions=regions)], replay=replay)

    assert [r.key for r in live.resources] == [r.key for r in again.resources]
    assert live.gaps == again.gaps
    assert live.coverage == again.coverage
    assert all(b"hunter2" not in path.read_bytes() for path in folder.iterdir())


def test_a_recording_cut_short_replays_up_to_the_cut(tmp_path):
    async def answer(call: Call):
        return {"items": [f"{call.region}-{i}-{random.random()}" for i in range(50)]}

    folder = tmp_path / "recording"
    regions = [f"r{i}" for i in range(40)]
    recorder = Recorder.create(folder, {})
    run(autojump(), providers=[Platform(answer, regions=regions)], recorder=recorder)
    recorder.close()
    (file,) = folder.glob("answers-*")
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])

    again = run(
        autojump(), providers=[Platform(answer, regions=regions)], replay=Replay.open(folder)
    )

    read = [c for c in again.coverage if c.state is State.READ]
    assert 0 < len(read) < len(regions)
    assert len(regions) - len(read) == len(again.gaps)
    assert {Reason.TRUNCATED} == {g.reason for g in again.gaps}
