"""The command line: parses, calls, prints, and turns errors into one line and an exit code.

Only this package prints. Each command's module is imported when the command runs, so that
`infrascan --help` loads nothing but argparse.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

from infrascan.cli.parser import parser

CLEAN = 0
FINDINGS = 1
USAGE = 2
COVERAGE = 3
DEFECT = 4
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit with its code."""
    options = parser().parse_args(arguments)
    try:
        code = dispatch(options)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, `head` for one, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = CLEAN
    except KeyboardInterrupt:
        code = INTERRUPTED
    sys.exit(code)


def dispatch(options: object) -> int:
    from infrascan.model import InputError

    module, _, function = options.run.partition(":")  # type: ignore[attr-defined]
    try:
        command = getattr(importlib.import_module(f"infrascan.cli.{module}"), function)
        return int(command(options) or CLEAN)
    except InputError as error:
        from infrascan import redact

        for line in redact.text(str(error)).splitlines():
            print(f"infrascan: {line}", file=sys.stderr)
        return USAGE
    except OSError as error:
        named = f"{error.filename}: " if error.filename else ""
        print(f"infrascan: {named}{error.strerror or error}", file=sys.stderr)
        return USAGE
