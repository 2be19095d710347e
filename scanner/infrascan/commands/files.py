"""The local files that a command reads: only manifests below the working folder, and bound by hash.

A path in a command is the request of somebody who may not read files here: an error message of the
tool that quotes a key file would hand it over. So only what looks like a manifest is accepted, and
an approval covers its content.
"""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from infrascan.commands.nouns import Parsed, RefusedError

SUFFIXES = (".yaml", ".yml", ".json", ".tfplan")
LARGEST = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A file as it was when the command was proposed."""

    path: str
    sha256: str
    size: int


def bound(parsed: Parsed, cwd: Path) -> tuple[Bound, ...]:
    """Each file the command reads, with its hash. Raises `RefusedError`."""
    return tuple(one(path, cwd) for path in parsed.files)


def one(name: str, cwd: Path) -> Bound:
    content = read(name, cwd)
    return Bound(path=name, sha256=hashlib.sha256(content).hexdigest(), size=len(content))


def read(name: str, cwd: Path) -> bytes:
    """The content of a manifest below the working folder."""
    if "://" in name or name == "-" or name.startswith("~"):
        raise RefusedError(f"{name[:100]!r} is not a file of the working folder")
    path = PurePosixPath(name)
    parts = path.parts
    if path.is_absolute() or ".." in parts or any(part.startswith(".") for part in parts):
        raise RefusedError(f"{name[:100]!r} is not below the working folder, or is hidden")
    if path.suffix.lower() not in SUFFIXES:
        raise RefusedError(f"{name[:100]!r} is not a manifest: {', '.join(SUFFIXES)}")
    try:
        root = cwd.resolve(strict=True)
        if not (root / path).resolve(strict=True).is_relative_to(root):
            raise RefusedError(f"{name[:100]!r} leads out of the working folder")
        descriptor = os.open(
            root / path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        )
    except OSError as error:
        raise RefusedError(f"{name[:100]!r} cannot be read: {error.strerror}") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise RefusedError(f"{name[:100]!r} is not a file")
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise RefusedError(f"{name[:100]!r} is larger than {LARGEST:,} bytes")
    return content


def objects(parsed: Parsed, cwd: Path) -> list[dict[str, Any]]:
    """The Kubernetes objects in the command's manifests. Raises `RefusedError` for what is none."""
    import yaml

    found: list[dict[str, Any]] = []
    for name in parsed.files:
        if name.endswith(".tfplan"):
            continue
        try:
            documents = list(yaml.safe_load_all(read(name, cwd)))
        except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
            raise RefusedError(f"{name[:100]!r} is not YAML or JSON") from error
        for document in documents:
            items = document.get("items") if isinstance(document, dict) else None
            each = items if isinstance(items, list) else [document]
            found += [item for item in each if isinstance(item, dict)]
    return found
