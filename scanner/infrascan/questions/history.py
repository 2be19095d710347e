"""Every question that was asked: when, by whom, what was answered; and what changed since.

One SQLite file in the home. A question is the same question when it is routed the same and names
the same things; its answers can then be compared.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infrascan.questions.answer import Answer, hash_of
from infrascan.store.state import opened

SCHEMA = """
CREATE TABLE IF NOT EXISTS asked (
    id INTEGER PRIMARY KEY,
    time TEXT NOT NULL, session TEXT NOT NULL, client TEXT NOT NULL, question TEXT NOT NULL,
    route TEXT NOT NULL, subject TEXT NOT NULL, status TEXT NOT NULL, ok INTEGER,
    model TEXT NOT NULL, answer_hash TEXT NOT NULL, state_hash TEXT NOT NULL,
    same TEXT NOT NULL, estate TEXT NOT NULL, changes INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS asked_session ON asked (session, id);
CREATE TABLE IF NOT EXISTS states (
    same TEXT PRIMARY KEY, time TEXT NOT NULL, state_hash TEXT NOT NULL, state TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS workspace (id TEXT NOT NULL);
"""
MOST_STATE = 4_000_000  # characters of one answer's state; larger ones are compared by hash alone
KEPT = 100_000  # questions


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """Who asks: the client, and its session."""

    client: str = "cli"
    session: str = ""


@contextmanager
def database(home: Path) -> Iterator[sqlite3.Connection]:
    connection = opened(home, "history", SCHEMA)
    try:
        yield connection
    finally:
        connection.close()


def workspace_id(home: Path) -> str:
    """What stays the same of this home, whichever process asks."""
    import secrets

    with database(home) as connection:
        connection.execute("BEGIN IMMEDIATE")
        row = connection.execute("SELECT id FROM workspace").fetchone()
        if row is None:
            row = (secrets.token_hex(8),)
            connection.execute("INSERT INTO workspace VALUES (?)", row)
        connection.execute("COMMIT")
        return str(row[0])


def previous(home: Path, who: Who) -> dict[str, Any]:
    """What this session last asked: route and what it was about. Empty for none."""
    if not who.session:
        return {}
    with database(home) as connection:
        row = connection.execute(
            "SELECT route, subject FROM asked WHERE session = ? AND client = ? AND route <> ''"
            " ORDER BY id DESC LIMIT 1",
            (who.session, who.client),
        ).fetchone()
    return {} if row is None else {"route": row["route"], **json.loads(row["subject"])}


def record(
    home: Path,
    who: Who,
    answer: Answer,
    *,
    time: str,
    subject: Mapping[str, Any],
    state: Any,
    estate: str,
) -> None:
    """Note the question; put into the answer its hash and what changed since it was last asked."""
    answer.state_hash = hash_of(state)
    same = hash_of([answer.route, answer.routing.get("slots", {}), estate])
    comparable = answer.status in ("answered", "partial") and answer.route != ""
    text = json.dumps(state, sort_keys=True, default=str)
    with database(home) as connection:
        connection.execute("BEGIN IMMEDIATE")
        before = connection.execute(
            "SELECT time, state_hash, state FROM states WHERE same = ?", (same,)
        ).fetchone()
        if before is not None and comparable and before["state_hash"] != answer.state_hash:
            earlier = json.loads(before["state"])
            if answer.gaps:
                state = carried(earlier, state)
                text = json.dumps(state, sort_keys=True, default=str)
            answer.changes = differing(earlier, state, time)
        if comparable:
            kept = text if len(text) <= MOST_STATE else "{}"
            connection.execute(
                "INSERT INTO states VALUES (?, ?, ?, ?) ON CONFLICT (same) DO UPDATE SET"
                " time = excluded.time, state_hash = excluded.state_hash, state = excluded.state",
                (same, time, answer.state_hash, kept),
            )
        connection.execute(
            "INSERT INTO asked (time, session, client, question, route, subject, status, ok,"
            " model, answer_hash, state_hash, same, estate, changes)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                time,
                who.session,
                who.client,
                answer.question,
                answer.route if answer.status != "unknown" or subject else "",
                json.dumps(dict(subject), default=str),
                answer.status,
                None if answer.ok is None else int(answer.ok),
                answer.model,
                hash_of(answer.answer),
                answer.state_hash,
                same,
                estate,
                len(answer.changes),
            ),
        )
        connection.execute("DELETE FROM asked WHERE id <= (SELECT max(id) FROM asked) - ?", (KEPT,))
        connection.execute("COMMIT")


def carried(before: Any, after: Any) -> Any:
    """The state with what was there before and is not now, because not all was read: a thing that
    was not read is not gone, and a value that was not read has not changed."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        return after
    found = dict(before)
    for resource, new in after.items():
        old = before.get(resource)
        if isinstance(old, dict) and isinstance(new, dict):
            found[resource] = {**old, **{k: v for k, v in new.items() if v is not None}}
        else:
            found[resource] = new
    return found


def differing(before: Any, after: Any, time: str) -> list[dict[str, Any]]:
    """What differs between two states: `{resource: {field: value}}`, in order."""
    changes = []
    if not isinstance(before, dict) or not isinstance(after, dict):
        return []
    for resource in sorted({*before, *after}):
        old, new = before.get(resource), after.get(resource)
        if old == new:
            continue
        if not isinstance(old, dict) or not isinstance(new, dict):
            changes.append(change(resource, "", old, new, time))
            continue
        changes += [
            change(resource, field, old.get(field), new.get(field), time)
            for field in sorted({*old, *new})
            if old.get(field) != new.get(field)
        ]
    return changes


def change(resource: str, field: str, before: Any, after: Any, time: str) -> dict[str, Any]:
    return {
        "resource": resource,
        "field": field,
        "before": before,
        "after": after,
        "first_seen": time,
    }


def entries(home: Path, *, limit: int = 50, session: str = "") -> list[dict[str, Any]]:
    """The questions asked, the newest first."""
    condition, values = ("WHERE session = ?", [session]) if session else ("", [])
    with database(home) as connection:
        rows = connection.execute(
            "SELECT time, client, session, question, route, status, ok, model, answer_hash,"  # noqa: S608
            f" state_hash, changes FROM asked {condition} ORDER BY id DESC LIMIT ?",
            [*values, max(1, min(limit, 1_000))],
        ).fetchall()
    return [{**dict(row), "ok": None if row["ok"] is None else bool(row["ok"])} for row in rows]
