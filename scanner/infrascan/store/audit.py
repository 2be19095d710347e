"""The audit log: who asked for what, why, and what came of it. Append-only, each entry chained.

One JSON object a line in `home/audit.jsonl`; `hash` covers the entry and the `previous` one's
hash. Beside it, `audit.head` holds the number and hash of the last entry, so that a log whose end
was cut off is told from a shorter one. Entries are redacted here, whoever writes them, and are on
the disk when `append` returns.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infrascan import redact
from infrascan.model import InputError
from infrascan.store.home import explained, prepared

NAME = "audit.jsonl"
HEAD = "audit.head"
FIRST = "0" * 64  # what the first entry follows
LONGEST = 4_000  # characters of one string in an entry
TAIL = 65_536  # bytes looked at, at a time, to find the last line
HEAD_BYTES = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One event. Times are added when it is appended."""

    event: str  # "tool.called", "command.proposed", "command.approved", "command.executed"
    tool: str = ""
    client: str = ""
    session: str = ""
    user: str = ""
    address: str = ""
    reason: str = ""
    model: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    outcome: str = ""  # "ok", "error", "denied", "pending", "approved", "executed 0"
    duration_ms: int = 0
    bytes: int = 0
    truncated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What `verify` found: how many entries hold, and what is wrong with the first that does not."""

    entries: int
    problem: str = ""  # "entry 7 (line 7): its hash does not match what it says"
    broken: int = 0  # number of the first broken entry, 0 for none

    @property
    def ok(self) -> bool:
        return not self.problem


def append(home: Path, entry: Entry) -> int:
    """Add an entry and give its number. Safe in several processes and threads at once."""
    with writing(home) as (log, head):
        number, previous = last(log, head)
        record = {
            "seq": number + 1,
            "time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            **fields(entry),
            "previous": previous,
        }
        record["hash"] = digest(record)
        line = json.dumps(record, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"
        os.lseek(log, 0, os.SEEK_END)
        written(log, line)
        os.fsync(log)
        os.pwrite(head, headed(number + 1, record["hash"]), 0)
        return number + 1


def fields(entry: Entry) -> dict[str, Any]:
    """The entry as JSON, redacted, without characters that hide or steer."""
    plain = {
        "event": entry.event,
        "tool": entry.tool,
        "client": entry.client,
        "session": entry.session,
        "user": entry.user,
        "address": entry.address,
        "reason": entry.reason,
        "model": entry.model,
        "arguments": dict(entry.arguments),
        "outcome": entry.outcome,
        "duration_ms": int(entry.duration_ms),
        "bytes": int(entry.bytes),
        "truncated": bool(entry.truncated),
    }
    shortened: dict[str, Any] = short(json.loads(json.dumps(plain, default=str)))
    cleaned: dict[str, Any] = redact.scrub(shortened)
    return cleaned


def short(value: Any) -> Any:
    if isinstance(value, str):
        text = redact.text(value)  # ahead of cutting: half a secret is not recognised
        text = "".join(each if each.isprintable() else " " for each in text)
        return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"
    if isinstance(value, list):
        return [short(item) for item in value]
    if isinstance(value, dict):
        return {str(short(str(key))): short(item) for key, item in value.items()}
    return value


def digest(record: Mapping[str, Any]) -> str:
    """The hash of an entry over all of it but the hash itself."""
    covered = {key: value for key, value in record.items() if key != "hash"}
    text = json.dumps(covered, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def verify(home: Path) -> Verdict:
    """Whether the log is whole and as it was written; names the first entry that is not."""
    path = home / NAME
    try:
        with reading(home):
            head = read_head(home)
            number, problem = chained(path) if path.exists() else (0, "")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    if problem:
        return Verdict(entries=number, broken=number + 1, problem=f"entry {number + 1}{problem}")
    if head and head[0] > number:
        missing = f"entry {number + 1} is missing: the log ends at {number}, {head[0]} were written"
        return Verdict(entries=number, broken=number + 1, problem=missing)
    if not head and number:
        said = f"{HEAD} is missing: the end is not known"
        return Verdict(entries=number, broken=number, problem=said)
    return Verdict(entries=number)


def chained(path: Path) -> tuple[int, str]:
    """How many entries follow each other from the first, and what is wrong with the next, if any."""
    previous, number = FIRST, 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                return number - 1, ": its line is cut off"
            if problem := broken(line[:-1], number, previous):
                return number - 1, f" (line {number}): {problem}"
            previous = json.loads(line)["hash"]
    return number, ""


def broken(line: bytes, number: int, previous: str) -> str:
    """What is wrong with a line, "" for nothing."""
    try:
        record = json.loads(line)
    except ValueError:
        return "it is not JSON"
    if not isinstance(record, dict) or digest(record) != record.get("hash"):
        return "its hash does not match what it says"
    if record.get("previous") != previous:
        return "it does not follow the entry before it"
    if record.get("seq") != number:
        return f"it says that it is entry {record.get('seq')}"
    canonical = json.dumps(record, ensure_ascii=True, separators=(",", ":")).encode()
    return "" if canonical == line else "it is not spelled as it was written"


def entries(home: Path, *, limit: int = 50) -> list[dict[str, Any]]:
    """The latest entries, the oldest of them first."""
    path = home / NAME
    try:
        with path.open("rb") as file:
            lines = deque(file, maxlen=limit)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    found = []
    for line in lines:
        try:
            found.append(json.loads(line))
        except ValueError:
            found.append({"event": "(this line is broken; see: infrascan audit verify)"})
    return found


@contextmanager
def writing(home: Path) -> Iterator[tuple[int, int]]:
    """Descriptors of log and head, locked against every other writer."""
    prepared(home)
    with explained(f"write {home / NAME}"):
        head = os.open(home / HEAD, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(head, fcntl.LOCK_EX)
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            log = os.open(home / NAME, flags, 0o600)
            try:
                yield log, head
            finally:
                os.close(log)
        finally:
            os.close(head)


@contextmanager
def reading(home: Path) -> Iterator[None]:
    """Hold writers off, where there is a log at all."""
    if not (home / HEAD).exists():
        yield
        return
    head = os.open(home / HEAD, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(head, fcntl.LOCK_SH)
        yield
    finally:
        os.close(head)


def last(log: int, head: int) -> tuple[int, str]:
    """Number and hash of the last whole entry. A line that a crash cut off was never acknowledged
    and is taken away; anything else that is wrong stays for `verify` to name.
    """
    size = os.lseek(log, 0, os.SEEK_END)
    tail = b""
    while size > len(tail):
        take = min(TAIL, size - len(tail))
        tail = os.pread(log, take, size - len(tail) - take) + tail
        if tail.rstrip(b"\n").count(b"\n"):
            break
    whole, _, torn = tail.rpartition(b"\n")
    if torn:
        os.ftruncate(log, size - len(torn))
    line = whole.rpartition(b"\n")[2]
    try:
        record = json.loads(line) if line else {}
        found = (int(record["seq"]), str(record["hash"])) if record else (0, FIRST)
    except (ValueError, KeyError, TypeError):
        found = (0, FIRST)
    said = parsed_head(os.pread(head, HEAD_BYTES, 0))
    # Entries were taken away behind our back: go on from what was written, so that it stays visible.
    return said if said and said[0] > found[0] else found


def headed(number: int, hash: str) -> bytes:
    return f"{number} {hash}".ljust(HEAD_BYTES - 1).encode() + b"\n"


def parsed_head(raw: bytes) -> tuple[int, str] | None:
    words = raw.decode("ascii", "replace").split()
    return (int(words[0]), words[1]) if len(words) == 2 and words[0].isdigit() else None


def read_head(home: Path) -> tuple[int, str] | None:
    try:
        return parsed_head((home / HEAD).read_bytes())
    except FileNotFoundError:
        return None


def written(descriptor: int, data: bytes) -> None:
    """Write all of it, or none: a full disk leaves no half entry."""
    start = os.lseek(descriptor, 0, os.SEEK_CUR)
    done = 0
    try:
        while done < len(data):
            done += os.write(descriptor, data[done:])
    except OSError:
        os.ftruncate(descriptor, start)
        raise
