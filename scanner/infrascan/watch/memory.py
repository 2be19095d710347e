"""What a watch keeps: how everything stood, and the notifications that are not delivered yet.

Both are written in one transaction, so that a restart neither repeats a notification nor forgets
one. A notification is tied to the digest of where it goes, never to the address itself, which may
hold a secret.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from infrascan.model import InputError, Severity
from infrascan.store.home import explained, locked, prepared
from infrascan.store.state import FOLDER, opened
from infrascan.watch.news import Stand, Standing, Standings, Subject

FORMAT = 1  # of what is kept; another one begins anew
AGE = timedelta(days=3)  # after which a notification that nobody took is given up
SCHEMA = """
CREATE TABLE IF NOT EXISTS watches (
    id TEXT PRIMARY KEY, format INTEGER NOT NULL, scan TEXT NOT NULL, runs INTEGER NOT NULL,
    providers TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS standings (
    watch TEXT NOT NULL, subject TEXT NOT NULL, key TEXT NOT NULL, stand TEXT NOT NULL,
    severity TEXT NOT NULL, since TEXT NOT NULL, said TEXT NOT NULL,
    PRIMARY KEY (watch, subject, key));
CREATE TABLE IF NOT EXISTS outbox (
    id TEXT NOT NULL, watch TEXT NOT NULL, notifier TEXT NOT NULL, made TEXT NOT NULL,
    due TEXT NOT NULL, batch TEXT NOT NULL DEFAULT '', attempts INTEGER NOT NULL DEFAULT 0,
    body TEXT NOT NULL, PRIMARY KEY (id, notifier));
CREATE TABLE IF NOT EXISTS made (watch TEXT NOT NULL, scan TEXT NOT NULL, number INTEGER NOT NULL,
    PRIMARY KEY (watch, scan));
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Where a watch stands: its last scan, and the runs it made. `scan` is "" before the first."""

    scan: str = ""
    runs: int = 0
    providers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What is delivered at once, and always together again when it failed."""

    id: str
    bodies: tuple[Mapping[str, Any], ...]
    attempts: int


class Memory:
    """The state of one watch. Belongs to one thread and one process; close it."""

    def __init__(self, home: Path, watch: str) -> None:
        self.watch = watch
        self.lock = claimed(home, watch)
        try:
            self.db = opened(home, "watch", SCHEMA)
        except InputError:
            os.close(self.lock)
            raise
        row = self.row()
        if row and row["format"] != FORMAT:
            for table in ("watches", "standings", "outbox", "made"):
                name = "id" if table == "watches" else "watch"
                self.db.execute(f"DELETE FROM {table} WHERE {name} = ?", (watch,))  # noqa: S608

    def close(self) -> None:
        self.db.close()
        os.close(self.lock)

    def row(self) -> Any:
        return self.db.execute("SELECT * FROM watches WHERE id = ?", (self.watch,)).fetchone()

    def kept(self) -> Kept:
        row = self.row()
        if row is None:
            return Kept()
        providers = tuple(json.loads(row["providers"]))
        return Kept(scan=row["scan"], runs=row["runs"], providers=providers)

    def standings(self) -> Standings:
        rows = self.db.execute("SELECT * FROM standings WHERE watch = ?", (self.watch,))
        found = (
            Standing(
                subject=Subject(row["subject"]),
                key=row["key"],
                stand=Stand(row["stand"]),
                severity=Severity(row["severity"]),
                since=row["since"],
                said=json.loads(row["said"]),
            )
            for row in rows
        )
        return {(standing.subject, standing.key): standing for standing in found}

    def keep(
        self,
        kept: Kept,
        before: Standings,
        after: Standings,
        letters: Iterable[tuple[str, datetime, Mapping[str, Any]]],
        now: datetime,
    ) -> None:
        """Take down a run: how everything stands, and a letter for each (notifier, due, body)."""
        gone = [key for key in before if key not in after]
        changed = [one for key, one in after.items() if before.get(key) != one]
        with Transaction(self.db):
            self.db.execute(
                "INSERT OR REPLACE INTO watches VALUES (?, ?, ?, ?, ?)",
                (self.watch, FORMAT, kept.scan, kept.runs, json.dumps(kept.providers)),
            )
            self.db.executemany(
                "DELETE FROM standings WHERE watch = ? AND subject = ? AND key = ?",
                [(self.watch, subject.value, key) for subject, key in gone],
            )
            self.db.executemany(
                "INSERT OR REPLACE INTO standings VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        *(self.watch, one.subject.value, one.key, one.stand.value),
                        *(one.severity.value, one.since, json.dumps(dict(one.said))),
                    )
                    for one in changed
                ],
            )
            self.db.executemany(
                "INSERT OR IGNORE INTO outbox (id, watch, notifier, made, due, body)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (body["id"], self.watch, notifier, spelled(now), spelled(due), json.dumps(body))
                    for notifier, due, body in letters
                ],
            )
            if kept.scan:
                self.db.execute(
                    "INSERT OR REPLACE INTO made VALUES (?, ?, ?)",
                    (self.watch, kept.scan, kept.runs),
                )

    # Delivering.

    def batch(self, notifier: str, now: datetime) -> Batch | None:
        """What is to be delivered there now. What was tried once is tried again as it was."""
        if tried := self.rows(notifier, "batch != ''"):
            first = tried[0]["batch"]
            rows = [row for row in tried if row["batch"] == first]
            if any(row["due"] > spelled(now) for row in rows):
                return None  # its turn comes, and what is newer waits behind it
        else:
            rows = [row for row in self.rows(notifier, "batch = ''") if row["due"] <= spelled(now)]
            if not rows:
                return None
            first = named(row["id"] for row in rows)
            self.mark(notifier, rows, "batch = ?", first)
        bodies = tuple(json.loads(row["body"]) for row in rows)
        return Batch(id=first, bodies=bodies, attempts=rows[0]["attempts"])

    def rows(self, notifier: str, condition: str) -> list[sqlite3.Row]:
        query = f"SELECT * FROM outbox WHERE watch = ? AND notifier = ? AND {condition}"  # noqa: S608
        return self.db.execute(f"{query} ORDER BY made, rowid", (self.watch, notifier)).fetchall()

    def mark(self, notifier: str, rows: Iterable[sqlite3.Row], change: str, *values: Any) -> None:
        with Transaction(self.db):
            for row in rows:
                self.db.execute(
                    f"UPDATE outbox SET {change} WHERE id = ? AND notifier = ?",  # noqa: S608
                    (*values, row["id"], notifier),
                )

    def delivered(self, notifier: str, batch: Batch) -> None:
        self.db.execute(
            "DELETE FROM outbox WHERE watch = ? AND notifier = ? AND batch = ?",
            (self.watch, notifier, batch.id),
        )

    def failed(self, notifier: str, batch: Batch, again: datetime) -> None:
        self.db.execute(
            "UPDATE outbox SET attempts = attempts + 1, due = ?"
            " WHERE watch = ? AND notifier = ? AND batch = ?",
            (spelled(again), self.watch, notifier, batch.id),
        )

    def due(self, notifier: str) -> datetime | None:
        """When the next delivery there is due; None when nothing waits."""
        tried = self.rows(notifier, "batch != ''")
        waiting = tried or self.rows(notifier, "batch = ''")
        return min((datetime.fromisoformat(row["due"]) for row in waiting), default=None)

    def waiting(self) -> dict[str, int]:
        """Notifications that are not delivered, by notifier."""
        rows = self.db.execute(
            "SELECT notifier, count(*) FROM outbox WHERE watch = ? GROUP BY notifier", (self.watch,)
        )
        return {row[0]: row[1] for row in rows}

    def overdue(self, now: datetime) -> int:
        """Notifications that should have been delivered: those that wait out quiet hours are not."""
        (count,) = self.db.execute(
            "SELECT count(*) FROM outbox WHERE watch = ? AND (batch != '' OR due <= ?)",
            (self.watch, spelled(now)),
        ).fetchone()
        return int(count)

    def given_up(self, now: datetime) -> int:
        """Drop notifications that are too old to be news; returns how many."""
        return self.db.execute(
            "DELETE FROM outbox WHERE watch = ? AND made < ?", (self.watch, spelled(now - AGE))
        ).rowcount

    def outdated(self, keep: int) -> list[str]:
        """The scans of this watch beyond the latest `keep`; they are forgotten here."""
        rows = self.db.execute(
            "SELECT scan FROM made WHERE watch = ? ORDER BY number DESC LIMIT -1 OFFSET ?",
            (self.watch, keep),
        ).fetchall()
        found = [row["scan"] for row in rows]
        self.db.executemany(
            "DELETE FROM made WHERE watch = ? AND scan = ?", [(self.watch, one) for one in found]
        )
        return found


class Transaction:
    """Begins at once as a writer, so that it cannot fail half-way for another's write."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db

    def __enter__(self) -> None:
        self.db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, *_: object) -> None:
        self.db.execute("ROLLBACK" if kind else "COMMIT")


def claimed(home: Path, watch: str) -> int:
    """The lock of a watch. Raises `InputError` while another process has it."""
    prepared(home)
    path = prepared(home, FOLDER) / f"watch-{watch}.lock"
    with explained(f"open {path}"):
        path.touch(mode=0o600)
        lock = locked(path, os.O_RDWR)
    if lock is None:
        raise InputError(
            "the same is watched by another infrascan watch already; end that one, or watch "
            "something else"
        )
    return lock


def spelled(moment: datetime) -> str:
    """A time that sorts as text."""
    return moment.isoformat(timespec="milliseconds")


def named(parts: Iterable[str]) -> str:
    """A name for what these parts make up: 32 hex digits."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
