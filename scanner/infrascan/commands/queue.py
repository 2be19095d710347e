"""The approval queue: what agents propose, and what operators make of it. Kept in SQLite.

A proposal is pending until one operator decides, or it expires. What is approved is bound by hash
to the exact words, the target, the folder, the files and the tool's version; it runs once. Who runs
it holds a lock that the kernel gives back when its process dies, so that "running" without a holder
is known to be "outcome unknown".
"""

from __future__ import annotations

import fcntl
import getpass
import hashlib
import json
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infrascan.commands.nouns import Effect, Output, Proposal, RefusedError, Requester, Status
from infrascan.model import InputError
from infrascan.store.audit import Entry, append
from infrascan.store.home import explained, prepared
from infrascan.store.state import opened

NAME = "approvals"
FOLDER = "running"
PENDING = 200  # of one requester at a time
SCHEMA = """
CREATE TABLE IF NOT EXISTS proposals (
  id TEXT PRIMARY KEY, status TEXT NOT NULL, identity TEXT NOT NULL, session TEXT NOT NULL,
  hash TEXT NOT NULL, created TEXT NOT NULL, expires TEXT NOT NULL, decided TEXT NOT NULL,
  operator TEXT NOT NULL, note TEXT NOT NULL, body TEXT NOT NULL, output TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS proposals_by_status ON proposals (status, created);
"""
Clock = Callable[[], datetime]


def now() -> datetime:
    return datetime.now(UTC)


def stamp(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def digest(
    vector: Sequence[str],
    target: Mapping[str, str],
    cwd: str,
    files: Sequence[Mapping[str, Any]],
    tool: str,
) -> str:
    """What an approval is bound to."""
    bound = [list(vector), dict(target), cwd, [dict(file) for file in files], tool]
    return hashlib.sha256(json.dumps(bound, sort_keys=True).encode()).hexdigest()


@contextmanager
def database(home: Path) -> Iterator[sqlite3.Connection]:
    with closing(opened(home, NAME, SCHEMA)) as connection:
        try:
            yield connection
        except sqlite3.OperationalError as error:
            raise InputError(f"the approval queue cannot be used: {error}") from error


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing: whatever leaves the block undoes what it did."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def add(home: Path, proposal: Proposal, clock: Clock = now) -> Proposal:
    """Queue a proposal; the same command of the same requester, while pending, is the one there is."""
    requester = proposal.requester
    with database(home) as connection, transaction(connection):
        expire(connection, clock)
        rows = connection.execute(
            "SELECT * FROM proposals WHERE status = ? AND identity = ? AND session = ?",
            (Status.PENDING.value, requester.identity, requester.session),
        ).fetchall()
        for row in rows:
            if row["hash"] == proposal.hash:
                return restored(row)
        if len(rows) >= PENDING:
            raise RefusedError(f"{PENDING} of your commands wait for an operator already")
        connection.execute(
            "INSERT INTO proposals VALUES (?, ?, ?, ?, ?, ?, ?, '', '', '', ?, '')",
            (
                proposal.id,
                proposal.status.value,
                requester.identity,
                requester.session,
                proposal.hash,
                proposal.created,
                proposal.expires,
                body(proposal),
            ),
        )
    return proposal


def new_id() -> str:
    """80 bits: whoever has it was given it."""
    return secrets.token_hex(10)


def body(proposal: Proposal) -> str:
    data = asdict(proposal)
    for column in ("id", "status", "hash", "created", "expires", "decided", "by", "note", "output"):
        del data[column]
    return json.dumps(data)


def restored(row: sqlite3.Row) -> Proposal:
    data = json.loads(row["body"])
    output = json.loads(row["output"]) if row["output"] else None
    return Proposal(
        id=row["id"],
        status=Status(row["status"]),
        vector=tuple(data["vector"]),
        tool=data["tool"],
        verb=data["verb"],
        effect=Effect(data["effect"]),
        target=data["target"],
        reason=data["reason"],
        requester=Requester(**data["requester"]),
        plan=data["plan"],
        hash=row["hash"],
        cwd=data["cwd"],
        created=row["created"],
        expires=row["expires"],
        decided=row["decided"],
        by=row["operator"],
        note=row["note"],
        output=Output(**output) if output else None,
    )


def expire(connection: sqlite3.Connection, clock: Clock) -> None:
    connection.execute(
        "UPDATE proposals SET status = ?, note = 'nobody decided in time'"
        " WHERE status = ? AND expires <= ?",
        (Status.EXPIRED.value, Status.PENDING.value, stamp(clock())),
    )


def proposals(
    home: Path, *, status: str = "", requester: Requester | None = None, clock: Clock = now
) -> list[Proposal]:
    """All proposals, or those of one requester in its session; the latest first."""
    with database(home) as connection:
        expire(connection, clock)
        settle(home, connection, clock)
        rows = connection.execute("SELECT * FROM proposals ORDER BY created DESC, id").fetchall()
    found = [restored(row) for row in rows]
    return [
        one
        for one in found
        if (not status or one.status == status)
        and (
            requester is None
            or (one.requester.identity, one.requester.session)
            == (requester.identity, requester.session)
        )
    ]


def proposal(home: Path, id: str, *, clock: Clock = now) -> Proposal:
    """One proposal by its id or the beginning of it. Raises `InputError`."""
    with database(home) as connection:
        expire(connection, clock)
        settle(home, connection, clock)
        rows = connection.execute(
            "SELECT * FROM proposals WHERE substr(id, 1, ?) = ? LIMIT 2", (len(id), id)
        ).fetchall()
    if len(rows) != 1 or not id:
        several = "several proposals begin with" if len(rows) > 1 else "there is no proposal"
        raise InputError(f"{several} {id[:60]!r}; see: infrascan approvals list")
    return restored(rows[0])


def decide(
    home: Path,
    id: str,
    status: Status,
    *,
    operator: str,
    note: str = "",
    hash: str = "",
    clock: Clock = now,
) -> None:
    """Take a pending proposal out of the queue, for one caller only. Raises `RefusedError`."""
    with database(home) as connection, transaction(connection):
        expire(connection, clock)
        row = connection.execute("SELECT * FROM proposals WHERE id = ?", (id,)).fetchone()
        if row is None:
            raise RefusedError(f"there is no proposal {id[:60]!r}")
        if row["status"] != Status.PENDING.value:
            raise RefusedError(f"proposal {id} is {row['status'].replace('_', ' ')} already")
        if hash and row["hash"] != hash:
            raise RefusedError(f"proposal {id} is not what was shown")
        connection.execute(
            "UPDATE proposals SET status = ?, decided = ?, operator = ?, note = ? WHERE id = ?",
            (status.value, stamp(clock()), operator, note, id),
        )


def finish(home: Path, id: str, status: Status, output: Output | None, note: str = "") -> None:
    with database(home) as connection, transaction(connection):
        connection.execute(
            "UPDATE proposals SET status = ?, output = ?, note = ? WHERE id = ? AND status = ?",
            (
                status.value,
                json.dumps(asdict(output)) if output else "",
                note,
                id,
                Status.RUNNING.value,
            ),
        )


def annotate(home: Path, id: str, plan: Mapping[str, Any]) -> None:
    """Keep what a preview showed with its proposal, while it is pending."""
    with database(home) as connection, transaction(connection):
        row = connection.execute("SELECT body FROM proposals WHERE id = ?", (id,)).fetchone()
        changed = json.loads(row["body"]) | {"plan": dict(plan)}
        connection.execute(
            "UPDATE proposals SET body = ? WHERE id = ? AND status = ?",
            (json.dumps(changed), id, Status.PENDING.value),
        )


@contextmanager
def held(home: Path, id: str) -> Iterator[None]:
    """Hold the lock that says that somebody runs this proposal."""
    path = prepared(home, FOLDER) / f"{id}.lock"
    with explained(f"write {path}"):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RefusedError(f"proposal {id} is being run") from None
        yield
        path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def settle(home: Path, connection: sqlite3.Connection, clock: Clock) -> None:
    """Say of each command whose process is gone that its outcome is not known."""
    rows = connection.execute(
        "SELECT id FROM proposals WHERE status = ?", (Status.RUNNING.value,)
    ).fetchall()
    for row in rows:
        if not running(home, row["id"]):
            settled = connection.execute(
                "UPDATE proposals SET status = ?, note = ? WHERE id = ? AND status = ?",
                (
                    Status.UNKNOWN.value,
                    f"it was started, and whoever ran it was gone at {stamp(clock())}",
                    row["id"],
                    Status.RUNNING.value,
                ),
            )
            if settled.rowcount:
                about = {"approval_id": row["id"]}
                lost = Entry(event="command.lost", tool="run_command", arguments=about)
                append(home, replace(lost, outcome="started, outcome unknown"))


def running(home: Path, id: str) -> bool:
    """True while a process holds the lock of this proposal."""
    try:
        descriptor = os.open(home / FOLDER / f"{id}.lock", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def operator() -> str:
    """The user of the operating system, as the system knows it and not as the environment says."""
    try:
        import pwd

        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return getpass.getuser()
