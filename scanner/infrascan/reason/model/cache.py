"""What a model said of something, kept until that something changes.

The key holds the prompt, the shape of the answer, the model, and a hash of all evidence: a cluster
that is as it was costs no call. What is kept is checked again like anything that a model says.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infrascan.model import InputError
from infrascan.store.state import opened

SCHEMA = """\
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, answer TEXT NOT NULL, kept REAL NOT NULL
);
"""
READ = "SELECT answer FROM answers WHERE key = ?"
WRITE = "INSERT OR REPLACE INTO answers VALUES (?, ?, ?)"
FORGET = """\
DELETE FROM answers WHERE key IN (SELECT key FROM answers ORDER BY kept DESC LIMIT -1 OFFSET ?)
"""
MOST = 20_000  # answers; the oldest go


@dataclass(frozen=True, slots=True)
class Cache:
    home: Path | None  # None keeps nothing

    def get(self, key: str) -> Any:
        """What was kept under the key, or None."""
        if self.home is None:
            return None
        try:
            with closing(opened(self.home, "model-cache", SCHEMA)) as connection:
                row = connection.execute(READ, (key,)).fetchone()
        except (InputError, sqlite3.Error):  # a cache that fails costs calls, not the scan
            return None
        return json.loads(row["answer"]) if row else None

    def put(self, key: str, answer: Any) -> None:
        if self.home is None:
            return
        with (
            suppress(InputError, sqlite3.Error),
            closing(opened(self.home, "model-cache", SCHEMA)) as connection,
        ):
            connection.execute(WRITE, (key, json.dumps(answer), time.time()))
            connection.execute(FORGET, (MOST,))


def key_over(model: str, prompt: str, schema: str, evidence: Iterable[str]) -> str:
    """The key of a question: all that its answer hangs on."""
    parts = (digest(model), digest(prompt), digest(schema), *sorted(map(digest, evidence)))
    return digest("\0".join(parts))


def digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
