"""The audit log keeps what happened, in order, and shows what was done to it since."""

from __future__ import annotations

import json
import multiprocessing
import os
from dataclasses import replace
from threading import Thread

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infrascan.store.audit import HEAD, NAME, Entry, append, entries, verify

ENTRY = Entry(
    event="tool.called",
    tool="get_findings",
    client="claude-code/2.1",
    session="s1",
    user="ops",
    address="127.0.0.1",
    reason="what is exposed?",
    model="anthropic/claude",
    arguments={"severity": "high"},
    outcome="ok",
    duration_ms=12,
    bytes=345,
)


def filled(home, count=10):
    for number in range(count):
        append(home, replace(ENTRY, arguments={"number": number}))
    return home / NAME


def test_an_entry_says_who_what_why_and_what_came_of_it(tmp_path):
    append(tmp_path, ENTRY)

    (entry,) = entries(tmp_path)
    assert {
        "seq": 1, "event": "tool.called", "tool": "get_findings", "client": "claude-code/2.1", "session": "s1",
        "user": "ops", "address": "127.0.0.1", "reason": "what is exposed?", "model": "anthropic/claude",
        "arguments": {"severity": "high"}, "outcome": "ok", "duration_ms": 12, "bytes": 345, "truncated": False,
        "previous": "0" * 64,
    } == {key: value for key, value in entry.items() if key not in {"time", "hash"}}  # fmt: skip
    assert 64 == len(entry["hash"])
    assert entry["time"].endswith("Z")
    assert 0o600 == (tmp_path / NAME).stat().st_mode & 0o777


def test_an_untouched_log_holds(tmp_path):
    assert (True, 0) == (verify(tmp_path).ok, verify(tmp_path).entries)
    filled(tmp_path)
    assert (True, 10) == (verify(tmp_path).ok, verify(tmp_path).entries)
    assert [9, 10] == [entry["seq"] for entry in entries(tmp_path, limit=2)]


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_flipped_bit_names_its_entry(tmp_path_factory, data):
    home = tmp_path_factory.mktemp("home")
    path = filled(home, 4)
    raw = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(raw) - 1))
    line = raw[:at].count(b"\n") + 1
    raw[at] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(bytes(raw))

    found = verify(home)

    assert not found.ok
    # A line break that is gone, or one too many, is seen in the line it belonged to or the next.
    assert found.broken in {line, line + 1}
    assert str(found.broken) in found.problem


def lines_of(path):
    return path.read_bytes().splitlines(keepends=True)


TAMPERINGS = {
    "a line is deleted": (lambda lines: lines[:4] + lines[5:], 5),
    "the first line is deleted": (lambda lines: lines[1:], 1),
    "lines are swapped": (lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]], 3),
    "a line is repeated": (lambda lines: [*lines[:3], lines[2], *lines[3:]], 4),
    "the end is cut off": (lambda lines: lines[:7], 8),
    "half a line is cut off": (lambda lines: [*lines[:9], lines[9][:40]], 10),
    "all is deleted": (lambda _: [], 1),
    "a line is put in": (lambda lines: [*lines[:2], b"{}\n", *lines[2:]], 3),
    "a line is empty": (lambda lines: [*lines[:2], b"\n", *lines[2:]], 3),
    "it is spelled otherwise": (lambda lines: [lines[0].replace(b'":', b'": ', 1), *lines[1:]], 1),
    "it is no list of entries": (lambda lines: [b"[]\n", *lines[1:]], 1),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_each_tampering_names_the_first_broken_entry(tmp_path, name):
    change, broken = TAMPERINGS[name]
    path = filled(tmp_path)
    path.write_bytes(b"".join(change(lines_of(path))))

    found = verify(tmp_path)

    assert (False, broken, broken - 1) == (found.ok, found.broken, found.entries)


def test_an_entry_that_was_forged_whole_is_seen(tmp_path):
    from infrascan.store.audit import digest

    path = filled(tmp_path)
    lines = lines_of(path)
    forged = json.loads(lines[4]) | {"outcome": "denied"}
    forged["hash"] = digest(forged)
    lines[4] = json.dumps(forged, separators=(",", ":")).encode() + b"\n"
    path.write_bytes(b"".join(lines))

    assert 6 == verify(tmp_path).broken


def test_a_log_that_was_cut_stays_broken_when_it_goes_on(tmp_path):
    path = filled(tmp_path)
    path.write_bytes(b"".join(lines_of(path)[:6]))
    append(tmp_path, ENTRY)

    found = verify(tmp_path)

    assert (False, 7) == (found.ok, found.broken)
    assert 11 == entries(tmp_path)[-1]["seq"]


def test_a_line_that_a_crash_cut_off_is_taken_away_by_the_next_entry(tmp_path):
    path = filled(tmp_path, 3)
    with path.open("ab") as file:
        file.write(b'{"seq":4,"time":"2026')

    assert 4 == append(tmp_path, ENTRY)
    assert (True, 4) == (verify(tmp_path).ok, verify(tmp_path).entries)


def test_a_crash_between_log_and_head_loses_nothing(tmp_path):
    filled(tmp_path, 3)
    head = (tmp_path / HEAD).read_bytes()
    append(tmp_path, ENTRY)
    (tmp_path / HEAD).write_bytes(head)

    assert verify(tmp_path).ok
    assert 5 == append(tmp_path, ENTRY)
    assert (True, 5) == (verify(tmp_path).ok, verify(tmp_path).entries)


def test_a_missing_head_is_said(tmp_path):
    filled(tmp_path, 3)
    (tmp_path / HEAD).unlink()

    assert "the end is not known" in verify(tmp_path).problem


def write(home, count):
    for number in range(count):
        append(home, replace(ENTRY, client=f"process {os.getpid()}", arguments={"number": number}))


def test_processes_and_threads_write_one_chain(tmp_path):
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=write, args=(tmp_path, 25)) for _ in range(4)]
    threads = [Thread(target=write, args=(tmp_path, 25)) for _ in range(3)]
    for one in (*processes, *threads):
        one.start()
    for one in (*processes, *threads):
        one.join(30)

    found = entries(tmp_path, limit=1_000)
    assert (True, 175) == (verify(tmp_path).ok, verify(tmp_path).entries)
    assert list(range(1, 176)) == [entry["seq"] for entry in found]
    for client in {entry["client"] for entry in found}:
        numbers = [entry["arguments"]["number"] for entry in found if entry["client"] == client]
        if client != f"process {os.getpid()}":
            assert sorted(numbers) == numbers


def test_secrets_and_signs_that_hide_are_not_kept(tmp_path):
    secret = "ghp_" + "c" * 36
    append(
        tmp_path,
        Entry(
            event="x\x1b[2J",
            reason=f"use {secret}\u202e",
            arguments={"password": "hunter2-canary", "deep": [{"k": secret}], secret: 1},
            outcome="z" * 100_000,
        ),
    )

    raw = (tmp_path / NAME).read_text()
    (entry,) = entries(tmp_path)
    assert secret not in raw
    assert "hunter2-canary" not in raw
    assert "\x1b" not in entry["event"]
    assert "\u202e" not in entry["reason"]
    assert len(raw) < 10_000
    assert verify(tmp_path).ok


def test_a_full_disk_leaves_no_half_entry(tmp_path, monkeypatch):
    from infrascan.model import InputError

    path = filled(tmp_path, 3)
    before = path.read_bytes()
    really = os.write
    calls = []

    def full(descriptor, data):
        calls.append(1)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        return really(descriptor, data[:20])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(InputError, match="free some space"):
        append(tmp_path, ENTRY)
    monkeypatch.undo()

    assert before == path.read_bytes()
    assert 4 == append(tmp_path, ENTRY)
    assert verify(tmp_path).ok


@given(
    st.dictionaries(
        st.text(max_size=20),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=50),
            lambda inner: st.lists(inner, max_size=3),
        ),
        max_size=5,
    ),
    st.text(max_size=100),
)
@settings(max_examples=100, deadline=None)
def test_whatever_is_logged_is_verified(tmp_path_factory, arguments, reason):
    home = tmp_path_factory.mktemp("home")
    append(home, Entry(event="x", arguments=arguments, reason=reason))
    append(home, ENTRY)

    assert (True, 2) == (verify(home).ok, verify(home).entries)
