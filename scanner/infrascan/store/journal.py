"""The journal of a running scan: what each partition gave, kept as it finishes.

A scan that is killed leaves its journal, and the next one with the same scope reads only what is
missing. A record is a length, a checksum and compressed JSON; a half-written last one is dropped.
Records survive the death of the process at once, and that of the machine once the system has
written them back, always in order.
"""

from __future__ import annotations

import os
import secrets
import struct
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from infrascan import __version__
from infrascan.model import Coverage, Gap, Partition, Resource
from infrascan.packing import repacked
from infrascan.store.home import explained, locked, prepared
from infrascan.store.records import (
    Gaps,
    coverage_json,
    coverage_of,
    decoded,
    encoded,
    gap_row,
    partition_json,
    partition_of,
    resource_json,
    resource_of,
)

FOLDER = "journals"
FORMAT = 2
PART = 5_000  # resources in one record
FRAME = struct.Struct(">II")  # length and CRC-32 of the compressed record
KEPT_SECONDS = 7 * 24 * 3600.0  # what nobody resumed in a week is too old to mix with new reads


class Output(Protocol):
    """What one partition gave, links not yet made."""

    @property
    def resources(self) -> Sequence[Resource]: ...
    @property
    def gaps(self) -> Sequence[Gap]: ...
    @property
    def coverage(self) -> Coverage: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A partition's output as the journal kept it."""

    resources: list[Resource]
    gaps: list[Gap]
    coverage: Coverage


@dataclass(slots=True, kw_only=True, eq=False)
class Journal:
    """An open journal, locked: while its process lives, nobody else resumes it.

    `about` is what the scan wants to know of itself when it is resumed: when it began, its id.
    """

    home: Path
    path: Path
    scope: Mapping[str, Any]
    about: Mapping[str, Any] = field(default_factory=dict)
    descriptor: int
    end: int  # where the last whole record ends

    @classmethod
    def begin(
        cls,
        home: Path,
        scope: Mapping[str, Any],
        *,
        resume: bool = False,
        about: Mapping[str, Any] | None = None,
    ) -> Journal:
        """The interrupted journal of this scope, if it is to be resumed and there is one; or a new one."""
        interrupted = resumable(home, scope) if resume else None
        return interrupted or cls.open(home, scope, about=about)

    @classmethod
    def open(
        cls, home: Path, scope: Mapping[str, Any], *, about: Mapping[str, Any] | None = None
    ) -> Journal:
        """A new journal. Raises `InputError` when the home cannot be written."""
        folder = prepared(home, FOLDER)
        clear(folder, lambda head, age: head is None or age > KEPT_SECONDS)
        with explained(f"begin a journal in {folder}"):
            path, descriptor = claimed(folder)
        journal = cls(
            home=home, path=path, scope=scope, about=about or {}, descriptor=descriptor, end=0
        )
        journal.put(
            {"format": FORMAT, "version": __version__, "scope": scope, "about": journal.about}
        )
        return journal

    def append(self, partition: Partition, read: Output) -> None:
        """Keep what a partition gave. Raises `InputError`, and stays usable, when the disk is full.

        A large one is written in parts, so that it never stands in memory as text; it counts once
        its last part is there.
        """
        place = partition_json(partition)
        resources = repacked(read.resources)
        for number in range(len(read.resources) // PART):
            part = [resource_json(resource) for resource in islice(resources, PART)]
            self.put({"partition": place, "number": number, "part": part})
        self.put(
            {
                "partition": place,
                "resources": [resource_json(resource) for resource in resources],
                "gaps": [gap_row(gap) for gap in read.gaps],
                "coverage": coverage_json(read.coverage),
            }
        )

    def put(self, record: Mapping[str, Any]) -> None:
        body = zlib.compress(encoded(record).encode("utf-8", "surrogatepass"), level=1)
        frame = memoryview(FRAME.pack(len(body), zlib.crc32(body)) + body)
        with explained(f"write to {self.path}"):
            try:
                while frame:
                    frame = frame[os.write(self.descriptor, frame) :]
            except OSError:
                os.ftruncate(self.descriptor, self.end)
                os.lseek(self.descriptor, self.end, os.SEEK_SET)
                raise
            self.end = os.lseek(self.descriptor, 0, os.SEEK_CUR)

    def finished(self) -> dict[Partition, Saved]:
        """What the journal holds of each partition that is whole."""
        gaps = Gaps()
        records = (record for record, _ in whole_records(self.path))
        next(records)  # the header
        parts: dict[Partition, list[Resource]] = {}
        found: dict[Partition, Saved] = {}
        for record in records:
            partition = partition_of(record["partition"])
            if "part" in record:
                if record["number"] == 0:  # what came before was cut off, and read again
                    parts[partition] = []
                parts[partition] += (resource_of(resource, gaps) for resource in record["part"])
            else:
                found[partition] = saved(record, gaps, parts.pop(partition, []))
        return found

    def discard(self) -> None:
        """Remove the journal: its scan is stored. Older ones of the same scope go with it."""
        self.drop()
        clear(
            self.path.parent, lambda head, _: head is None or head["scope"] == as_stored(self.scope)
        )

    def drop(self) -> None:
        """Remove the journal and let go of it."""
        self.path.unlink(missing_ok=True)
        self.close()

    def leave(self) -> None:
        """Let go of the journal: it stays where there is something to resume."""
        if self.descriptor >= 0 and not any(islice(whole_records(self.path), 1, None)):
            self.drop()
        self.close()

    def close(self) -> None:
        """Let go of the journal and leave it to be resumed."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


def resumable(home: Path, scope: Mapping[str, Any]) -> Journal | None:
    """The newest journal with this scope whose process is gone, taken over; or None.

    A journal of another version of infrascan does not count: its data may have another shape.
    """
    folder = home / FOLDER
    if not folder.is_dir():
        return None
    prepared(home, FOLDER)
    wanted = {"format": FORMAT, "version": __version__, "scope": as_stored(scope)}
    for path in sorted(folder.iterdir(), key=changed, reverse=True):
        if (descriptor := locked(path, os.O_RDWR)) is None:
            continue
        head = header(path)
        if head is None or {name: head[name] for name in wanted} != wanted:
            os.close(descriptor)
            continue
        end = max(end for _, end in whole_records(path))
        os.ftruncate(descriptor, end)
        os.lseek(descriptor, end, os.SEEK_SET)
        return Journal(
            home=home,
            path=path,
            scope=scope,
            about=head["about"],
            descriptor=descriptor,
            end=end,
        )
    return None


def as_stored(scope: Mapping[str, Any]) -> Any:
    """The scope as it reads when it comes back: tuples are lists."""
    return decoded(encoded(scope))


def whole_records(path: Path) -> Iterator[tuple[Any, int]]:
    """Each record and where it ends, up to the first that is not whole."""
    with path.open("rb") as file:
        while len(frame := file.read(FRAME.size)) == FRAME.size:
            length, checksum = FRAME.unpack(frame)
            body = file.read(length)
            if len(body) < length or zlib.crc32(body) != checksum:
                return
            try:
                record = decoded(zlib.decompress(body).decode("utf-8", "surrogatepass"))
            except (zlib.error, ValueError):
                return  # zeros, which a disk may leave after a power cut, fit their own checksum
            yield record, file.tell()


def header(path: Path) -> dict[str, Any] | None:
    """The first record, or None for a file that has none."""
    for record, _ in whole_records(path):
        if isinstance(record, dict) and record.keys() >= {"format", "version", "scope", "about"}:
            return record
        return None
    return None


def saved(record: Mapping[str, Any], gaps: Gaps, earlier: Sequence[Resource]) -> Saved:
    return Saved(
        resources=[
            *earlier,
            *(resource_of(resource, gaps) for resource in record["resources"]),
        ],
        gaps=[gaps(tuple(gap)) for gap in record["gaps"]],
        coverage=coverage_of(record["coverage"]),
    )


def claimed(folder: Path) -> tuple[Path, int]:
    """A new journal file and its lock."""
    while True:  # another process may clear an empty file before we have locked it
        path = folder / f"{secrets.token_hex(8)}.journal"
        path.touch(mode=0o600, exist_ok=False)
        if (descriptor := locked(path, os.O_RDWR)) is not None:
            return path, descriptor


def clear(folder: Path, useless: Callable[[dict[str, Any] | None, float], bool]) -> None:
    """Remove the journals that no process has open and that `useless` says, by header and age."""
    for path in folder.iterdir():
        if (descriptor := locked(path)) is not None:
            if useless(header(path), time.time() - changed(path)):
                path.unlink(missing_ok=True)
            os.close(descriptor)


def changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
