"""The folder where scans are kept: private to its user, and one line of words when it fails."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from infrascan.model import InputError

PRIVATE = 0o700


def home(environment: Mapping[str, str] | None = None) -> Path:
    """Where scans are kept: $INFRASCAN_HOME, or infrascan in the user's data folder (XDG)."""
    variables = os.environ if environment is None else environment
    if chosen := variables.get("INFRASCAN_HOME"):
        return Path(chosen).expanduser().absolute()
    data = variables.get("XDG_DATA_HOME", "")
    # The XDG specification says that a relative path is to be ignored.
    root = Path(data) if data.startswith("/") else Path("~/.local/share").expanduser()
    return root / "infrascan"


def prepared(path: Path, folder: str = "") -> Path:
    """The home, or a folder in it, made if need be and closed to other users.

    Looser permissions are repaired; a home that belongs to somebody else is refused, because its
    owner could read what is written there and change what is read.
    """
    with explained(f"prepare {path}"):
        path.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
        private(path)
        if not folder:
            return path
        inner = path / folder
        inner.mkdir(mode=PRIVATE, exist_ok=True)
        private(inner)
        return inner


def private(path: Path) -> None:
    """Close a folder to others. Raises `InputError` when that is not ours to do."""
    found = path.stat()
    if found.st_uid != os.geteuid():
        raise InputError(
            f"{path} belongs to another user (uid {found.st_uid}); "
            "set INFRASCAN_HOME to a folder of your own"
        )
    if stat.S_IMODE(found.st_mode) & 0o077:
        path.chmod(PRIVATE)


@contextmanager
def explained(doing: str) -> Iterator[None]:
    """Turn an `OSError` of the file system into one line that says what to do."""
    try:
        yield
    except OSError as error:
        raise InputError(f"cannot {doing}: {reason(error)}") from error


def reason(error: OSError) -> str:
    """What went wrong and the way out, for errors that people can do something about."""
    said = (error.strerror or str(error)).splitlines()[0].strip()
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT | errno.EFBIG:
            remedy = "free some space, or set INFRASCAN_HOME to another disk"
        case errno.EROFS | errno.EACCES | errno.EPERM:
            remedy = "set INFRASCAN_HOME to a folder you may write to"
        case errno.ENOTDIR | errno.EEXIST | errno.ENOENT | errno.ENAMETOOLONG:
            remedy = "set INFRASCAN_HOME to a folder"
        case _:
            return said
    return f"{said}; {remedy}"


def locked(path: Path, mode: int = os.O_RDONLY) -> int | None:
    """A descriptor that holds the lock of a file or folder, or None when somebody else has it.

    The kernel gives the lock back when its process ends, whatever ended it, so a lock that can be
    had means that the writer is gone. Process ids would be reused; locks are not.
    """
    try:
        descriptor = os.open(path, mode | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    if not same(descriptor, path):
        os.close(descriptor)
        return None
    return descriptor


def same(descriptor: int, path: Path) -> bool:
    """True while the open file is still the one at `path`."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def flushed(path: Path) -> None:
    """Bring a file, or the names in a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
