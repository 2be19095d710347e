"""The manifest of a stored scan: what the tables do not hold, and what proves that they are whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

from infrascan.model import SEVERITIES, InputError, Scan
from infrascan.store.connected import cut_json, cut_of, research_json, research_of
from infrascan.store.records import (
    identity_json,
    identity_of,
    rule_json,
    rule_of,
    spent_json,
    spent_of,
)
from infrascan.store.tables import TABLES

FORMAT = 2
NAME = "manifest.json"


class CorruptError(InputError):
    """A stored scan that cannot be used: damaged, or from a newer version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A table as it was when it was written."""

    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanInfo:
    """A stored scan in a few words, from its manifest alone.

    `problem` says why the scan cannot be used; the counts are then zero.
    """

    id: str
    path: Path
    stored: str  # when it was written here; a replay keeps the recording's `started`
    version: str = ""
    started: str = ""
    finished: str = ""
    observed: str = ""
    scope: Mapping[str, Any] = field(default_factory=dict)
    resources: int = 0
    findings: int = 0
    unknowns: int = 0
    gaps: int = 0
    severities: Mapping[str, int] = field(default_factory=dict)
    coverage_percent: float = 0.0
    monthly_cost: float = 0.0
    monthly_saving: float = 0.0
    interrupted: bool = False
    question: str = ""
    problem: str = ""


def manifest(scan: Scan, files: Mapping[str, File], stored: str) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "id": scan.id,
        "version": scan.version,
        "stored": stored,
        "started": scan.started,
        "finished": scan.finished,
        "observed": scan.observed,
        "interrupted": scan.interrupted,
        "question": scan.question,
        "scope": scan.scope,
        "identities": [identity_json(identity) for identity in scan.identities],
        "rules": [rule_json(rule) for rule in scan.rules],
        "monthly_cost": scan.monthly_cost,
        "unpriced": scan.unpriced,
        "cuts": [cut_json(cut) for cut in scan.cuts],
        "path_notes": scan.path_notes,
        "research": research_json(scan.research),
        "calls": scan.calls,
        "spending": [spent_json(spent) for spent in scan.spending],
        "summary": {
            "severities": {severity.value: scan.count(severity) for severity in SEVERITIES},
            "monthly_saving": scan.monthly_saving,
            "coverage_percent": scan.coverage_percent,
        },
        "tables": {
            name: {"rows": file.rows, "bytes": file.bytes, "sha256": file.sha256}
            for name, file in files.items()
        },
    }


def sealed(content: Mapping[str, Any]) -> bytes:
    """The manifest's bytes, with the hash of all that it says."""
    return json.dumps({**content, "sha256": hash_of(content)}, indent=1).encode()


def hash_of(content: Mapping[str, Any]) -> str:
    rest = {key: value for key, value in content.items() if key != "sha256"}
    return sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def opened(folder: Path) -> dict[str, Any]:
    """The manifest of the scan in `folder`. Raises `CorruptError`.

    Table files are there and have their length; that their content is right, `verified` says.
    """
    try:
        content = json.loads((folder / NAME).read_bytes())
    except OSError as error:
        raise CorruptError(f"its {NAME} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise CorruptError(f"its {NAME} is not JSON") from error
    if not isinstance(content, dict) or not isinstance(content.get("format"), int):
        raise CorruptError(f"its {NAME} is not one of infrascan's")
    if content["format"] > FORMAT:
        version = str(content.get("version", "a newer version"))[:40]
        raise CorruptError(f"it was written by infrascan {version}; upgrade to read it")
    if content["format"] < FORMAT:
        raise CorruptError("it was written by an older infrascan, whose scans this one cannot read")
    if content.get("sha256") != hash_of(content):
        raise CorruptError(f"its {NAME} was changed after it was written")
    for table in TABLES:
        file = content["tables"].get(table.name)
        if file is None:
            raise CorruptError(f"it lacks the table {table.name}")
        check_size(folder / f"{table.name}.parquet", file["bytes"])
    return content


def check_size(path: Path, expected: int) -> None:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise CorruptError(f"{path.name} cannot be read: {error.strerror}") from error
    if size != expected:
        raise CorruptError(f"{path.name} has {size:,} bytes instead of {expected:,}")


def verified(path: Path, file: Mapping[str, Any]) -> None:
    """Raise `CorruptError` unless the table's content is what was written."""
    try:
        found = digest(path)
    except OSError as error:
        raise CorruptError(f"{path.name} cannot be read: {error.strerror}") from error
    if found != file["sha256"]:
        raise CorruptError(f"{path.name} was changed after it was written")


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def info(content: Mapping[str, Any], path: Path) -> ScanInfo:
    summary, tables = content["summary"], content["tables"]
    return ScanInfo(
        path=path,
        **{
            name: content[name]
            for name in (
                "id",
                "stored",
                "version",
                "started",
                "finished",
                "observed",
                "scope",
                "monthly_cost",
                "interrupted",
                "question",
            )
        },
        **{name: tables[name]["rows"] for name in ("resources", "findings", "unknowns", "gaps")},
        **summary,
    )


def empty_scan(content: Mapping[str, Any]) -> Scan:
    """The scan without the rows of its tables."""
    return Scan(
        **{
            name: content[name]
            for name in (
                "id",
                "version",
                "started",
                "finished",
                "observed",
                "scope",
                "monthly_cost",
                "unpriced",
                "interrupted",
                "question",
            )
        },
        identities=[identity_of(identity) for identity in content["identities"]],
        rules=[rule_of(rule) for rule in content["rules"]],
        resources=[],
        edges=[],
        findings=[],
        unknowns=[],
        gaps=[],
        coverage=[],
        cuts=[cut_of(cut) for cut in content["cuts"]],
        path_notes=list(content.get("path_notes", ())),
        research=research_of(content["research"]),
        calls=content.get("calls", {}),
        spending=tuple(spent_of(row) for row in content.get("spending", ())),
    )
