"""Stored scans: each an immutable folder that appears when it is whole.

A scan is written aside, brought to the disk and renamed, so that a reader never sees half of one,
a killed writer loses its own only, and any number of processes work at once.
"""

from __future__ import annotations

import gc
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from infrascan.model import InputError, Scan
from infrascan.store.home import PRIVATE, explained, flushed, locked, prepared
from infrascan.store.manifest import (
    NAME,
    CorruptError,
    File,
    ScanInfo,
    digest,
    empty_scan,
    info,
    manifest,
    opened,
    sealed,
    verified,
)
from infrascan.store.parquet import store, stored
from infrascan.store.tables import TABLES, VERDICTS, Table

FOLDER = "scans"
ID = re.compile(r"(?!latest)[A-Za-z0-9][A-Za-z0-9_-]{0,99}(?:\.[A-Za-z0-9_-]{1,99}){0,9}")


def write(scan: Scan, home: Path) -> Path:
    """Store the scan and return its folder.

    Storing the same scan again is no error and makes it the latest. Raises `InputError` when the
    disk is full or may not be written, or when another scan has this id; nothing is then left
    behind, and the caller still has the scan.
    """
    if not ID.fullmatch(scan.id):
        raise InputError(f"{scan.id!r} cannot be the id of a stored scan")
    folder = prepared(home, FOLDER)
    sweep(home)
    final = folder / scan.id
    with explained(f"store the scan in {folder}"), aside(folder, scan.id) as temporary:
        files = {table.name: written(temporary, table, scan) for table in TABLES}
        content = manifest(scan, files, datetime.now(UTC).isoformat())
        settle(temporary / NAME, sealed(content))
        flushed(temporary)
        try:
            temporary.rename(final)
        except OSError:
            if not final.exists():
                raise
            renew(final, content)
        flushed(folder)
    return final


def written(folder: Path, table: Table, scan: Scan) -> File:
    path = folder / f"{table.name}.parquet"
    rows = store(path, table.columns, table.rows(scan))
    flushed(path)
    return File(rows=rows, bytes=path.stat().st_size, sha256=digest(path))


def settle(path: Path, content: bytes) -> None:
    """Write a file and bring it to the disk."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def renew(final: Path, content: dict[str, Any]) -> None:
    """Make a scan that is stored already the latest, provided that it is this one."""
    try:
        there = opened(final)
    except CorruptError as error:
        raise InputError(
            f"scan {final.name} is stored already and cannot be used, because {error}; "
            f"remove {final} and try again"
        ) from error
    if {**there, "sha256": "", "stored": ""} != {**content, "sha256": "", "stored": ""}:
        raise InputError(f"another scan is stored as {final.name}; it is not replaced")
    renewed = final / f".{secrets.token_hex(8)}"
    settle(renewed, sealed(content))
    renewed.replace(final / NAME)


@contextmanager
def aside(folder: Path, name: str) -> Iterator[Path]:
    """A folder that readers do not see, locked while it is filled, gone afterwards."""
    temporary, lock = claimed(folder, name)
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        os.close(lock)


def claimed(folder: Path, name: str) -> tuple[Path, int]:
    """A new hidden folder and its lock."""
    while True:  # a sweep may take a new folder before we have locked it
        temporary = folder / f".{name}-{secrets.token_hex(8)}"
        temporary.mkdir(mode=PRIVATE)
        if (lock := locked(temporary)) is not None:
            return temporary, lock


def sweep(home: Path) -> int:
    """Remove what killed writers and interrupted removals left; returns how many."""
    folder = home / FOLDER
    swept = 0
    for path in folder.glob(".*") if folder.is_dir() else ():
        if (lock := locked(path)) is not None:
            shutil.rmtree(path, ignore_errors=True)
            os.close(lock)
            swept += 1
    return swept


def scans(home: Path) -> list[ScanInfo]:
    """Every stored scan, the latest first. One that cannot be used is listed with its problem."""
    try:
        entries = [entry for entry in os.scandir(home / FOLDER) if not entry.name.startswith(".")]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InputError(f"cannot list the scans in {home}: {error.strerror}") from error
    found = [described(Path(entry.path)) for entry in entries if entry.is_dir()]
    return sorted(found, key=lambda scan: (scan.stored, scan.id), reverse=True)


def described(path: Path) -> ScanInfo:
    try:
        return info(checked(path), path)
    except InputError as error:
        changed = datetime.fromtimestamp(path.stat().st_mtime, UTC) if path.exists() else None
        stored = changed.isoformat() if changed else ""
        return ScanInfo(id=path.name, path=path, stored=stored, problem=str(error))


def checked(path: Path) -> dict[str, Any]:
    """The manifest of a scan. Raises `CorruptError`, also for one whose hash fits and whose shape does not."""
    try:
        content = opened(path)
        info(content, path)
    except (KeyError, TypeError, AttributeError) as error:
        raise CorruptError(f"its {NAME} is not one of infrascan's") from error
    return content


def resolve(home: Path, wanted: str) -> ScanInfo:
    """The stored scan meant by an id, the beginning of one, `latest`, or `latest~2`.

    Raises `InputError` when there is none, more than one, or when it cannot be used.
    """
    if ID.fullmatch(wanted) and (path := home / FOLDER / wanted).is_dir():
        return usable(described(path))
    known = scans(home)
    if not known:
        raise InputError(f"no scan is stored in {home}; `infrascan run` makes one")
    if found := re.fullmatch(r"latest(?:~(\d{1,9}))?", wanted):
        return usable(nth(known, int(found[1] or 0)))
    matching = [scan for scan in known if wanted and scan.id.startswith(wanted)]
    if len(matching) == 1:
        return usable(matching[0])
    if matching:
        some = ", ".join(scan.id for scan in matching[:4])
        more = f" and {len(matching) - 4} more" if len(matching) > 4 else ""
        raise InputError(f"{wanted!r} begins the ids of several scans: {some}{more}")
    near = get_close_matches(wanted, [scan.id for scan in known], n=1)
    hint = f"did you mean {near[0]}?" if near else f"the latest is {known[0].id}"
    raise InputError(f"no scan {wanted[:100]!r}; {hint} `infrascan scans` lists all")


def nth(known: list[ScanInfo], back: int) -> ScanInfo:
    """The usable scan so many before the latest; damaged ones do not count."""
    whole = [scan for scan in known if not scan.problem]
    if not whole:
        return known[0]
    if back >= len(whole):
        scans = "1 scan" if len(whole) == 1 else f"{len(whole)} scans"
        raise InputError(f"there is no scan {back} before the latest: {scans} can be used")
    return whole[back]


def usable(scan: ScanInfo) -> ScanInfo:
    if scan.problem:
        raise CorruptError(f"scan {scan.id} cannot be used: {scan.problem}")
    return scan


def latest(home: Path) -> ScanInfo | None:
    """The scan stored last that can be used."""
    return next((scan for scan in scans(home) if not scan.problem), None)


def read(home: Path, wanted: str = "latest", *, with_resources: bool = True) -> Scan:
    """The scan meant by `wanted`, see `resolve`.

    Without resources, edges are left out too; the rest is what reports need. Every table read is
    checked against its hash. Raises `InputError`.
    """
    found = resolve(home, wanted)
    try:
        content = checked(found.path)
        scan = without_rows(content)
        with growing():
            for table in TABLES if with_resources else VERDICTS:
                fill(scan, table, found.path, content["tables"][table.name])
    except CorruptError as error:
        raise CorruptError(f"scan {found.id} cannot be used: {error}") from error
    return scan


@contextmanager
def growing() -> Iterator[None]:
    """No collection of cycles while millions of objects are made that hold none.

    The collector would walk all of them again and again: more than half the time of a read.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def without_rows(content: dict[str, Any]) -> Scan:
    try:
        return empty_scan(content)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise CorruptError(f"its {NAME} is not one of infrascan's") from error


def fill(scan: Scan, table: Table, folder: Path, file: dict[str, Any]) -> None:
    """Read one table into the scan. Raises `CorruptError`."""
    path = folder / f"{table.name}.parquet"
    verified(path, file)
    import pyarrow as pa

    try:
        table.fill(scan, stored(path, table.columns))
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise CorruptError(f"{path.name} does not hold what a {table.name} table holds") from error


def prune(home: Path, keep: int) -> list[str]:
    """Remove all but the `keep` latest scans, damaged ones among the older; returns their ids."""
    if keep < 1:
        raise InputError(f"at least 1 scan is kept, not {keep}")
    known = scans(home)
    whole = [scan for scan in known if not scan.problem]
    if len(whole) <= keep:
        return []
    removed = known[known.index(whole[keep - 1]) + 1 :]
    with explained(f"remove scans from {home}"):
        for scan in removed:
            discarded(scan.path)
    return [scan.id for scan in removed]


def remove(home: Path, id: str) -> None:
    """Remove one scan; one that is gone already is no error. Raises `InputError`."""
    if not ID.fullmatch(id):
        raise InputError(f"{id!r} cannot be the id of a stored scan")
    with explained(f"remove scans from {home}"), suppress(FileNotFoundError):
        discarded(home / FOLDER / id)


def discarded(path: Path) -> None:
    """Renamed first, so that a reader sees the whole scan or none."""
    gone = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    path.rename(gone)
    shutil.rmtree(gone)
