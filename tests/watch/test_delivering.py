"""Notifications arrive: once, whole, in order, only where they are sent, and without secrets."""

from __future__ import annotations

import json
import random
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infrascan.model import InputError, Severity
from infrascan.shipped import shipped
from infrascan.watch.delivering import FIRST, SLOWEST, Courier
from infrascan.watch.memory import AGE, Kept, Memory
from infrascan.watch.news import Stand, Standing, Subject, Transition, Turn
from infrascan.watch.notifiers import Lines, Slack, Terminal, Webhook, notifier
from infrascan.watch.payload import SLACK_BLOCKS, lines, notification, slack
from infrascan.watch.schedule import QuietHours
from tests.servers.webhook import Receiver
from tests.watch.lab import START, Lab, blind, seen

SECRET = "T0KEN-abcdefghijklmnop"


def test_a_letter_that_is_refused_is_sent_again_the_same_and_later_each_time(tmp_path: Path):
    with Receiver(answers=[500, 429, 404]) as receiver:
        lab = Lab(tmp_path, seen, [Webhook(receiver.url)]).run(1)

    keys = {p.headers["idempotency-key"] for p in (*receiver.refused, *receiver.posts)}
    assert (len(receiver.refused), len(receiver.posts), lab.left) == (3, 1, 0)
    assert keys == {receiver.posts[0].body["id"]}
    assert all(post.body == receiver.posts[0].body for post in receiver.refused)
    waits = [int(line.split(" in ")[1].split()[0]) for line in lab.said]
    assert waits == sorted(waits)
    assert waits[0] <= FIRST < waits[-1]


def test_the_pause_doubles_to_a_limit_and_heeds_what_is_asked_for():
    courier = Courier(Terminal(print), None, None, print, random.Random(3))  # type: ignore[arg-type]

    pauses = [courier.pause(attempts, None) for attempts in range(30)]
    assert all(0.8 * FIRST * 2**n <= pauses[n] <= FIRST * 2**n for n in range(7))
    assert max(pauses) <= SLOWEST
    assert courier.pause(0, 120.0) == 120.0
    assert courier.pause(0, 1e9) == SLOWEST


def test_what_a_receiver_asks_to_wait_is_waited(tmp_path: Path):
    with Receiver(answers=[(429, {"Retry-After": "40"})]) as receiver:
        lab = Lab(tmp_path, seen, [Webhook(receiver.url)]).run(1)

    assert lab.said == ["not delivered, tried again in 40 s: webhook at 127.0.0.1: HTTP 429"]
    assert len(receiver.posts) == 1


def test_a_redirect_is_not_followed(tmp_path: Path):
    with Receiver() as elsewhere:
        moved = (307, {"Location": f"{elsewhere.url}/there"})
        with Receiver(answers=[moved] * 20) as receiver:
            lab = Lab(tmp_path, seen, [Webhook(receiver.url)]).run(1)

    assert (len(elsewhere.posts), lab.left) == (0, 1)
    assert "HTTP 307" in lab.said[0]


def test_news_behind_a_failed_letter_come_after_it(tmp_path: Path):
    def script(run: int) -> Any:
        return seen(run, open_groups=list(range(run)))

    with Receiver(answers=[503] * 4) as receiver:
        Lab(tmp_path, script, [Webhook(receiver.url)]).run(4)

    runs = [run for body in receiver.bodies for run in body.get("runs") or [body["run"]]]
    assert runs == [1, 2, 3, 4]


def test_what_nobody_takes_for_days_is_given_up_and_said(tmp_path: Path):
    with Receiver(answers=[500] * 9999) as receiver:
        every = 12 * 3600.0
        options = {"every": every}
        lab = Lab(tmp_path, seen, [Webhook(receiver.url)], options).run(8)

    assert timedelta(seconds=7 * every) > AGE
    assert any("given up" in line for line in lab.said)
    assert lab.left == 0


def test_an_address_is_never_shown_nor_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    with Receiver(answers=[500] * 30) as receiver:
        monkeypatch.setenv("HOOK", f"{receiver.url}/services/{SECRET}?key={SECRET}")
        lab = Lab(tmp_path, seen, [notifier("webhook:env:HOOK", print)]).run(1)
        assert receiver.refused[0].path == f"/services/{SECRET}?key={SECRET}"

    everything = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    shown = "\n".join((*lab.said, *capfd.readouterr()))
    assert SECRET.encode() not in everything
    assert SECRET not in shown
    assert "webhook at 127.0.0.1" in shown


@pytest.mark.parametrize(
    "text",
    [
        *("webhook:", "webhook:ftp://x/" + SECRET, f"webhook:/{SECRET}", "webhook:env:NOWHERE"),
        *("mail:me", "terminal:x", "slack:http://[" + SECRET, "webhook:http://a b/" + SECRET),
    ],
)
def test_a_wrong_place_is_one_line_that_repeats_no_address(text: str):
    with pytest.raises(InputError) as wrong:
        notifier(text, print)
    assert SECRET not in str(wrong.value)
    assert "\n" not in str(wrong.value)


def test_a_file_is_made_for_its_owner_and_gets_whole_lines(tmp_path: Path):
    file = tmp_path / "news.jsonl"
    Lab(tmp_path / "home", lambda run: seen(run, open_groups=[run]), [Lines(file)]).run(3)

    bodies = [json.loads(line) for line in file.read_text().splitlines()]
    assert [body["run"] for body in bodies] == [1, 2, 3]
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(InputError, match="name a file that can be written"):
        notifier(f"file:{tmp_path}/no/such/folder.jsonl", print)


HOSTILE = "<!channel> *bold* <https://evil.example|click> @here `x` \u202e\x1b[31m ghp_" + "a" * 36


def hostile() -> dict[str, Any]:
    transition = Transition(
        turn=Turn.NEW,
        subject=Subject.FINDING,
        key="k",
        severity=Severity.HIGH,
        title="Title",
        detail=HOSTILE,
        since="2026-11-21T08:00:00Z",
        at="2026-11-21T08:30:00Z",
        about={"name": HOSTILE, "resource": HOSTILE, "provider": "aws"},
        evidence=({"resource": HOSTILE, "path": "tags", "value": {"password": "hunter2hunter2"}},),
        degraded={"pod": HOSTILE, "namespace": "shop", "reason": HOSTILE, "since": "now"},
    )
    stood = Standing(
        subject=Subject.FINDING,
        key="k",
        stand=Stand.OPEN,
        severity=Severity.HIGH,
        since="",
        said={"title": HOSTILE, "name": HOSTILE},
    )
    return notification(
        "w",
        1,
        "2026-11-21T08:30:00Z",
        "s",
        [transition] * 300,
        {(Subject.FINDING, "k"): stood},
        baseline=True,
        usage={"model_calls": 0, "usd": 0.0},
    )


def test_text_of_the_estate_steers_nothing_and_leaks_nothing():
    body = hostile()
    for text in (json.dumps(body), json.dumps(slack(body)), json.dumps(list(lines(body)))):
        assert "ghp_" not in text
        assert "hunter2" not in text
        assert not {"\u202e", "\x1b"} & set(text)
        assert not re.search(r"(?<!\\)\\u(202e|001b)", text)  # JSON's own escapes would be them too


def test_slack_gets_names_as_plain_text_within_its_limits():
    message = slack(hostile())

    assert "<" not in message["text"]
    texts = [block.get("text") or block["elements"][0] for block in message["blocks"]]
    assert {text["type"] for text in texts} == {"plain_text"}
    assert all(len(text["text"]) <= 3000 for text in texts)
    assert len(message["blocks"]) <= SLACK_BLOCKS <= 50
    assert len(message["blocks"][0]["text"]["text"]) <= 150
    assert "more" in texts[-1]["text"]


def test_slack_is_sent_as_slack_takes_it(tmp_path: Path):
    with Receiver() as receiver:
        script = lambda run: seen(run, open_groups=[1] if run else [])  # noqa: E731
        Lab(tmp_path, script, [Slack(f"{receiver.url}/services/x")]).run(2)

    message = receiver.bodies[1]
    assert set(message) == {"text", "blocks", "unfurl_links", "unfurl_media"}
    assert "new · critical · Security group open to the internet: name of sg-1" in json.dumps(
        message, ensure_ascii=False
    )


letters = st.lists(
    st.tuples(st.sampled_from("ab"), st.booleans(), st.booleans()), min_size=1, max_size=25
)


@settings(max_examples=40, deadline=None)
@given(letters)
def test_each_letter_arrives_once_and_in_order_whatever_fails(steps: list[tuple[str, bool, bool]]):
    """Letters are added, delivered, refused, and the process restarts: the law of the outbox."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        memory = Memory(Path(folder), "law")
        now, sent, arrived = START, {"a": [], "b": []}, {"a": [], "b": []}
        for number, (place, works, restarts) in enumerate(steps):
            body = {"id": f"{number:032}", "number": number}
            memory.keep(Kept(runs=number), {}, {}, [(place, now, body)], now)
            sent[place].append(number)
            if restarts:
                memory.close()
                memory = Memory(Path(folder), "law")
            now += timedelta(minutes=20)
            if batch := memory.batch(place, now):
                if works:
                    arrived[place] += [one["number"] for one in batch.bodies]
                    memory.delivered(place, batch)
                else:
                    memory.failed(place, batch, now + timedelta(seconds=5))
        for place in "ab":
            now += timedelta(minutes=20)
            while batch := memory.batch(place, now):
                arrived[place] += [one["number"] for one in batch.bodies]
                memory.delivered(place, batch)
        assert arrived == sent
        assert memory.waiting() == {}
        memory.close()


def test_letters_are_tied_to_their_place_and_its_absence_is_said(tmp_path: Path):
    with Receiver(answers=[500] * 50) as receiver:
        Lab(tmp_path, seen, [Webhook(receiver.url)]).run(1)
    lab = Lab(tmp_path, seen, first=1).run(1)

    assert lab.said == ["1 notifications wait for a --notify that is not given now"]


def test_quiet_letters_are_kept_for_the_end_of_quiet(tmp_path: Path):
    quiet = QuietHours.of("00:00-12:00 UTC")
    start = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
    with Receiver() as receiver:
        lab = Lab(tmp_path, seen, [Webhook(receiver.url)], {"quiet": quiet}, start=start).run(1)
        assert (lab.left, receiver.posts) == (0, [])
        later = Lab(tmp_path, seen, [Webhook(receiver.url)], first=1, start=start.replace(hour=13))
        later.run(1)

        assert [body["kind"] for body in receiver.bodies] == ["baseline"]


def test_what_is_sent_keeps_to_its_schema(tmp_path: Path):
    schema = json.loads((shipped("reports") / "json/watch-1.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)

    def script(run: int) -> Any:
        if run == 3:
            return InputError("the network is down")
        return blind(run) if run == 2 else seen(run, open_groups=[1, 2][: run % 3])

    quiet = QuietHours.of("09:00-10:40 UTC")
    with Receiver() as receiver:
        lab = Lab(tmp_path, script, [Webhook(receiver.url)], {"quiet": quiet}).run(7)

    bodies = [*receiver.bodies, *lab.bodies, hostile()]
    assert {body["kind"] for body in bodies} == {"baseline", "transitions", "digest"}
    for body in bodies:
        jsonschema.validate(body, schema)
