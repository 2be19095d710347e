"""The local files that a command reads: only manifests below the working folder, and bound by hash.

A path in a command is the request of somebody who may not read files here: an error message of the
tool that quotes a key file would hand it over. So only what looks like a manifest is accepted, and
an approval covers its content.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from infrascan.commands.nouns import Parsed, RefusedError

SUFFIXES = (".yaml", ".yml", ".json", ".tfplan")
CONFIGURED = (".tf", ".tf.json", "compose.yaml", "compose.yml")
MOST = 5_000  # files of a configuration
HEAVIEST = 64 * 1024 * 1024
LARGEST = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A file as it was when the command was proposed."""

    path: str
    sha256: str
    size: int


def bound(parsed: Parsed, cwd: Path) -> tuple[Bound, ...]:
    """Each file the command reads, with its hash. Raises `RefusedError`."""
    named = tuple(one(path, cwd) for path in parsed.files)
    configured = (parsed.tool == "terraform" and not named) or parsed.verb.startswith("compose ")
    return (*named, tree(cwd)) if configured else named


def one(name: str, cwd: Path) -> Bound:
    content = read(name, cwd)
    return Bound(path=name, sha256=hashlib.sha256(content).hexdigest(), size=len(content))


def tree(cwd: Path) -> Bound:
    """The working folder's configuration, which Terraform and Compose run as a whole.

    Where the folder has none, that is what is bound: none may have come before it runs.
    """
    digest, size, count = hashlib.sha256(), 0, 0
    try:
        mine = any(name.endswith(CONFIGURED) for name in os.listdir(cwd))  # noqa: PTH208
        for path in sorted(walked(cwd)) if mine else ():
            content = path.read_bytes() if path.is_file() else b""
            size, count = size + len(content), count + 1
            if count > MOST or size > HEAVIEST:
                raise RefusedError(
                    f"{cwd} is too large to approve: {MOST:,} files, {HEAVIEST:,} bytes"
                )
            for part in (str(path.relative_to(cwd)).encode("utf-8", "surrogateescape"), content):
                digest.update(len(part).to_bytes(8, "big") + part)
    except OSError as error:
        raise RefusedError(f"{cwd} cannot be read: {error.strerror}") from error
    return Bound(path=".", sha256=digest.hexdigest(), size=size)


def walked(cwd: Path) -> Iterator[Path]:
    """The files of a configuration: not its history, and not what Terraform writes or checks itself."""
    for folder, folders, names in os.walk(cwd):
        folders[:] = [name for name in folders if name not in {".git", "providers"}]
        for name in names:
            if ".tfstate" not in name or folder.endswith(".terraform"):
                yield Path(folder) / name


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
