"""The real command in a process of its own, with none of this machine's configuration."""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CLEAN, FINDINGS, USAGE, COVERAGE, DEFECT, INTERRUPTED = 0, 1, 2, 3, 4, 130
# What a run says on its way; everything else on standard error is a complaint.
PROGRESS = re.compile(
    r"infrascan: (?:\w+: (?:reading \d+ partitions|read \d+ resources)|wrote |resuming: )"
)
ESCAPE = "\x1b"


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str

    def __post_init__(self) -> None:
        assert "Traceback" not in self.err, self.err

    @property
    def complaints(self) -> list[str]:
        """The lines of standard error that are not progress."""
        return [line for line in self.err.splitlines() if not PROGRESS.match(line)]

    @property
    def complaint(self) -> str:
        """The one line that says what is wrong."""
        (line,) = self.complaints
        assert line.startswith("infrascan"), line
        return line

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Command:
    """Runs `infrascan` in `folder`, with a home, a store and an environment of its own."""

    folder: Path
    cache: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        (self.folder / "home").mkdir(exist_ok=True)

    @property
    def kept(self) -> Path:
        """INFRASCAN_HOME."""
        return self.folder / "kept"

    def variables(self, **changes: str) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "LC_ALL": "C.UTF-8",
            "HOME": str(self.folder / "home"),
            "INFRASCAN_HOME": str(self.kept),
            "INFRASCAN_CACHE": str(self.cache),
            "AWS_EC2_METADATA_DISABLED": "true",
            **self.environment,
            **changes,
        }

    def start(
        self, *arguments: object, env: dict[str, str] | None = None, **options: Any
    ) -> subprocess.Popen[str]:
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
        return subprocess.Popen(
            [sys.executable, "-m", "infrascan", *map(str, arguments)],
            cwd=self.folder,
            env=self.variables(**(env or {})),
            stdin=subprocess.DEVNULL,
            text=True,
            **options,
        )

    def __call__(
        self, *arguments: object, env: dict[str, str] | None = None, **options: Any
    ) -> Done:
        with self.start(*arguments, env=env, **options) as process:
            return ended(process)

    def report(self, folder: str = "infrascan-report") -> Any:
        return json.loads((self.folder / folder / "report.json").read_text())


def ended(process: subprocess.Popen[str], seconds: float = 60) -> Done:
    """Wait for the end of a command."""
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return Done(process.returncode, out or "", err or "")


def squeezed(infrascan: Command, size: int, *arguments: object) -> Done:
    """Run where no file can grow beyond `size`: as on a full disk, writes fail half-way."""
    return infrascan(
        *arguments,
        env={"PYTHONDONTWRITEBYTECODE": "1"},  # Python would keep half a compiled module
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
    )
