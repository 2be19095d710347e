"""Where results go: files in a folder, or one format on standard output."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from infrascan.model import InputError, Scan
from infrascan.render import EXTENSIONS, known
from infrascan.render import write as render

DEFAULT = ("terminal", "html", "markdown")


@dataclass(frozen=True, slots=True)
class Output:
    """The formats to write, and the folder for them; None means standard output."""

    formats: tuple[str, ...]
    folder: Path | None

    @classmethod
    def of(cls, formats: Sequence[str] | None, output: str) -> Output:
        """Check the request before a long scan. Raises `InputError`."""
        given = (name for text in formats or DEFAULT for name in text.split(","))
        chosen = tuple(dict.fromkeys(known(name) for name in given))
        if output == "-":
            files = [name for name in chosen if name != "terminal"]
            if formats is None:
                return cls(("terminal",), None)
            if len(files) > 1:
                raise InputError(
                    f"--output - takes one format, {len(files)} were given: {', '.join(files)}"
                )
            return cls(chosen, None)
        folder = Path(output)
        if any(name != "terminal" for name in chosen):
            writable(folder)
        return cls(chosen, folder)

    def write(
        self, scan: Scan, said: Callable[[str], None], *, quiet: bool = False, stored: bool = True
    ) -> None:
        """Write each format; print the summary last, with where the files are.

        Raises `InputError`, which says how to get the report of a stored scan again.
        """
        again = f"render it again with: infrascan report {scan.id} --output DIR"
        try:
            self.write_formats(scan, said, quiet=quiet)
        except InputError as error:
            raise InputError(
                f"{error}; the scan is stored, {again}" if stored else error
            ) from error

    def write_formats(self, scan: Scan, said: Callable[[str], None], *, quiet: bool) -> None:
        reports = []
        for name in self.formats:
            if name == "terminal":
                continue
            if self.folder is None:
                write_stdout(name, scan)
            else:
                reports.append((name, str(self.write_file(scan, name, self.folder))))
        if quiet:
            return
        if "terminal" in self.formats:
            from rich.console import Console

            from infrascan.render.terminal import show

            beside = self.folder is None and len(self.formats) > 1
            show(scan, Console(stderr=beside, highlight=False), reports)
        else:
            for _, path in reports:
                said(f"wrote {path}")

    def write_file(self, scan: Scan, name: str, folder: Path) -> Path:
        """Write aside and rename, so that a full disk or a kill leaves the old report whole."""
        path = folder / f"report{EXTENSIONS[name]}"
        try:
            handle, temporary = tempfile.mkstemp(dir=folder, prefix=f".{path.name}.")
            try:
                with os.fdopen(handle, "wb") as file:
                    render(name, scan, file)
                Path(temporary).chmod(0o600)
                Path(temporary).replace(path)
            finally:
                Path(temporary).unlink(missing_ok=True)
        except OSError as error:
            raise InputError(f"{path} could not be written: {error.strerror}") from error
        return path


def write_stdout(name: str, scan: Scan) -> None:
    try:
        render(name, scan, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise InputError(f"standard output could not be written: {error.strerror}") from error


def writable(folder: Path) -> None:
    """Fail before the scan when its reports could not be written after it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(
            f"--output {folder}: {error.strerror}; name a folder that can be written"
        ) from error
