"""CPU of `infrascan --help`, against a bare interpreter: python tests/benchmarks/bench_help.py"""

from __future__ import annotations

import resource
import subprocess
import sys

RUNS = 15
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "infrascan --help": ["-m", "infrascan", "--help"],
    "infrascan run --help": ["-m", "infrascan", "run", "--help"],
    "infrascan rules list": ["-m", "infrascan", "rules", "list"],
}


def cpu(arguments: list[str]) -> float:
    """The least user and system seconds of a few runs: noise only ever adds."""
    least = float("inf")
    for _ in range(RUNS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [sys.executable, *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        least = min(least, used)
    return least


def main() -> None:
    bare = cpu(COMMANDS["python -c pass"])
    for name, arguments in COMMANDS.items():
        seconds = cpu(arguments)
        print(f"{name:24} {seconds * 1000:6.0f} ms CPU   {seconds / bare:5.1f} × bare")


if __name__ == "__main__":
    main()
