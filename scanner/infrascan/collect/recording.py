"""Keep every answer of a scan in a folder, and run a scan on such a folder without a network.

A recording is `manifest.json` (format, version, observed time, selection) and one
`answers-<provider>.jsonl.gz` per provider: a line per call, in the order of arrival. Answers are
recorded after `redact.scrub`, so a recording holds no secrets that infrascan can recognise.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infrascan.collect.provider import Call
from infrascan.model import InputError, ReadError, Reason

FORMAT = 1
MANIFEST = "manifest.json"


@dataclass(eq=False)
class Recorder:
    """Writes a recording. Each call is on disk, up to the compressor's block, once answered."""

    folder: Path
    manifest: Mapping[str, Any]
    files: dict[str, gzip.GzipFile] = field(default_factory=dict)
    written: set[str] = field(default_factory=set)

    @classmethod
    def create(cls, folder: Path, manifest: Mapping[str, Any]) -> Recorder:
        """Start a recording in a new or empty folder. Raises `InputError` when it cannot be."""
        with written(folder, "name a folder that can be written"):
            folder.mkdir(parents=True, exist_ok=True)
            if any(folder.iterdir()):
                raise InputError(
                    f"--record {folder}: the folder is not empty; name a new one, a recording is never overwritten"
                )
            recorder = cls(folder, {"format": FORMAT, **manifest})
            recorder.put_manifest()
        return recorder

    def put_manifest(self) -> None:
        text = json.dumps(self.manifest, indent=2, sort_keys=True)
        with written(self.folder):
            (self.folder / MANIFEST).write_text(text + "\n", encoding="utf-8")

    def seal(self, **scan: str) -> None:
        """Note which scan this was, so that its replay can give the very same report."""
        self.manifest = {**self.manifest, "scan": scan}
        self.put_manifest()

    def keep(self, call: Call, answer: Any = None, error: ReadError | None = None) -> None:
        """Keep the answer, or the error, of one call."""
        if call.digest in self.written:  # asked twice in one scan: the first answer stands
            return
        self.written.add(call.digest)
        line: dict[str, Any] = {
            "id": call.digest,
            "account": call.account,
            "region": call.region,
            "api": call.api,
            "params": call.params,
        }
        if error is None:
            line["answer"] = answer
        else:
            line["error"] = {
                "reason": error.reason,
                "detail": error.detail,
                "code": error.code,
                "permission": error.permission,
            }
        text = json.dumps(line, separators=(",", ":"), ensure_ascii=False)
        with written(self.folder):
            self.file(call.provider).write(text.encode() + b"\n")

    def file(self, provider: str) -> gzip.GzipFile:
        if provider not in self.files:
            path = self.folder / f"answers-{provider}.jsonl.gz"
            self.files[provider] = gzip.GzipFile(path, "wb", compresslevel=6, mtime=0)
        return self.files[provider]

    def close(self) -> None:
        """Finish the files. Raises `InputError` when the disk is full."""
        with written(self.folder):
            while self.files:
                self.files.popitem()[1].close()


@contextmanager
def written(
    folder: Path, remedy: str = "run again with --resume and without --record"
) -> Iterator[None]:
    """Turn an `OSError` into one line. A recording with holes is of no use, so it ends the scan."""
    try:
        yield
    except OSError as error:
        raise InputError(f"--record {folder}: {error.strerror or error}; {remedy}") from error


@dataclass(eq=False)
class Replay:
    """Answers calls from a recording."""

    folder: Path
    manifest: Mapping[str, Any]
    answers: Mapping[str, Mapping[str, Any]]

    @classmethod
    def open(cls, folder: Path) -> Replay:
        """Read a recording. Raises `InputError` when the folder holds none that can be read."""
        try:
            manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise InputError(
                f"--replay {folder}: no recording there ({MANIFEST} is missing); make one with --record"
            ) from None
        except (OSError, ValueError) as error:
            raise InputError(f"--replay {folder}: {MANIFEST} cannot be read: {error}") from error
        if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
            raise InputError(
                f"--replay {folder}: format {manifest.get('format') if isinstance(manifest, dict) else None!r}, "
                f"this version reads {FORMAT}; record it again"
            )
        answers: dict[str, Mapping[str, Any]] = {}
        for path in sorted(folder.glob("answers-*.jsonl.gz")):
            for line in lines(path):
                if not usable(line):
                    raise InputError(f"{path}: not a file of recorded answers: {str(line)[:60]}")
                answers.setdefault(line["id"], line)
        return cls(folder, manifest, answers)

    def answer(self, call: Call) -> Any:
        """The recorded answer. Raises the recorded `ReadError`, or one that says it is missing."""
        line = self.answers.get(call.digest)
        if line is None:
            raise ReadError(
                Reason.TRUNCATED, f"the recording has no answer to {call.api}", code="NotRecorded"
            )
        if "error" in line:
            error = line["error"]
            raise ReadError(
                Reason(error["reason"]),
                error["detail"],
                code=error["code"],
                permission=error["permission"],
            )
        return line["answer"]


def usable(line: Any) -> bool:
    """Whether a line is an answer, or an error that this version knows."""
    if not isinstance(line, dict) or not isinstance(line.get("id"), str):
        return False
    if "answer" in line:
        return True
    error = line.get("error")
    parts = ("reason", "detail", "code", "permission")
    if not isinstance(error, dict) or not all(isinstance(error.get(part), str) for part in parts):
        return False
    return error["reason"] in set(Reason)


def lines(path: Path) -> Iterator[Mapping[str, Any]]:
    """The whole lines of a file of answers; the tail that a killed scan left behind is dropped."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            for text in file:
                if text.endswith("\n"):
                    yield json.loads(text)
    except (EOFError, zlib.error):
        return
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not a file of recorded answers: {error}") from error
