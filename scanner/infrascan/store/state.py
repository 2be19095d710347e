"""Small mutable state: approvals, questions asked, what a watch saw. One SQLite file for each.

In WAL mode, so that several processes read and write at once; private to the user, as the home is.
"""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

from infrascan.model import InputError
from infrascan.store.home import explained, prepared

FOLDER = "state"
WAIT = 10.0  # seconds for another process to finish writing


def opened(home: Path, name: str, schema: str) -> sqlite3.Connection:
    """A connection to `home/state/<name>.sqlite`, made with `schema` where it is new.

    `schema` is CREATE ... IF NOT EXISTS statements. Rows come as `sqlite3.Row`; transactions are
    begun by the caller (`BEGIN IMMEDIATE`). A connection belongs to one thread; close it. Raises
    `InputError` where the file cannot be used.
    """
    if not re.fullmatch(r"[a-z][a-z-]*", name):
        raise ValueError(name)
    prepared(home)
    path = prepared(home, FOLDER) / f"{name}.sqlite"
    with explained(f"open {path}"):
        path.touch(mode=0o600)
    try:
        connection = sqlite3.connect(path, timeout=WAIT, isolation_level=None)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.executescript(schema)
    except sqlite3.DatabaseError as error:
        raise InputError(f"{path} cannot be used: {error}; move it away to begin anew") from error
    return connection
