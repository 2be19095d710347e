"""The command line: parses, calls, prints, and turns errors into one line and an exit code.

Only this package prints. Each command's module is imported when the command runs, so that
`infrascan --help` loads nothing but argparse.
"""

from __future__ import annotations

import argparse
import errno
import importlib
import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from types import TracebackType

from infrascan.cli.parser import parser

CLEAN = 0
FINDINGS = 1
USAGE = 2
COVERAGE = 3
DEFECT = 4
INTERRUPTED = 130

MOCKS = ("INFRASCAN_MOCK", "KUBE_MOCK_MODE")  # variables that stand for --demo
NO = frozenset({"", "0", "false", "no"})

FULL = frozenset({errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EIO})


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit with its code."""
    usable_streams()
    try:
        with Defects():
            code = dispatch(arguments)
    except KeyboardInterrupt:
        code = INTERRUPTED
    sys.exit(code)


def dispatch(arguments: Sequence[str] | None) -> int:
    options = argparse.Namespace(json_logs=False)
    try:
        options = parser().parse_args(arguments, options)
        code = called(options)
        sys.stdout.flush()
    except SystemExit as ended:  # argparse: --help, --version, or a mistake
        code = ended.code if isinstance(ended.code, int) else USAGE
        if not flushed():
            complain("standard output could not be written")
            code = code or USAGE
    except BrokenPipeError:  # the reader, `head` for one, has seen enough
        give_up_stdout()
        return CLEAN
    except OSError as error:
        flushed()
        # Every file of ours is written under its name; what has none is the stream.
        where = error.filename or ("standard output" if error.errno in FULL else "")
        named = ": ".join(str(part) for part in (where, error.strerror) if part)
        complain(named or str(error), as_json=options.json_logs)
        return USAGE
    return code


def called(options: argparse.Namespace) -> int:
    from infrascan.model import InputError

    module, _, function = options.run.partition(":")
    mocked(options)
    try:
        command = getattr(importlib.import_module(f"infrascan.cli.{module}"), function)
        return int(command(options) or CLEAN)
    except InputError as error:
        for line in str(error).splitlines():
            complain(line, as_json=options.json_logs)
        return USAGE


def mocked(options: argparse.Namespace) -> None:
    """Read the demo estate where a variable asks for it, as with --demo, and say so.

    A recording or a stored scan that is named is read as it is: neither is the network.
    """
    if getattr(options, "demo", None) is not False:  # given, or a command that reads no estate
        return
    if getattr(options, "replay", None) or getattr(options, "scan", None):
        return
    given = [name for name in MOCKS if os.environ.get(name, "").lower() not in NO]
    if given:
        options.demo = True
        said = f"MOCK: {given[0]} is set, so the recorded demo estate is read, and not yours"
        line = event("mock", text=said) if options.json_logs else f"infrascan: {said}"
        print(line, file=sys.stderr, flush=True)


def complain(text: str, *, as_json: bool = False) -> None:
    """Say on standard error what went wrong: a line, or an object where logs are JSON."""
    from infrascan import redact

    line = f"infrascan: {redact.text(text)}"
    if as_json:
        line = event("error", text=redact.text(text))
    print(line, file=sys.stderr, flush=True)


def event(name: str, **fields: object) -> str:
    """A line of a JSON log."""
    time = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps({"time": time, "event": name, **fields}, ensure_ascii=True)


class Defects:
    """Ends with the code for a defect, not with Python's own, which is that for findings."""

    def __enter__(self) -> None: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not isinstance(error, Exception):
            return
        from traceback import format_exception

        from infrascan import redact

        print(redact.text("".join(format_exception(error))), file=sys.stderr)
        complain("a defect of infrascan; please report it with the lines above")
        sys.exit(DEFECT)


def usable_streams() -> None:
    """Let any name be printed whatever the locale, and nothing be printed where a stream is closed."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123
        else:
            stream.reconfigure(errors="backslashreplace")


def flushed() -> bool:
    """Bring out what was printed; False when that is not possible, and nothing more will be."""
    try:
        sys.stdout.flush()
    except OSError:
        give_up_stdout()
        return False
    return True


def give_up_stdout() -> None:
    """Let what is still to be printed vanish, so that the interpreter's end does not fail on it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
