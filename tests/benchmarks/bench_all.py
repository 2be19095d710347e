"""The demo estate, each answer 100 ms late: each provider alone, then all ten in one scan.

    python -m tests.benchmarks.bench_all [PROVIDER ...]

The servers run in a process of their own. The command runs as a user runs it, but for its clock,
which is the estate's, so that the AWS proxy can answer from memory after a first pass. With
providers named, only those are scanned, and then together. Nothing is asserted about time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from infrascan.providers import PROVIDERS

ROOT = Path(__file__).parents[2]
LATENCY = 0.1
RUNS = 3
HEAD = f"{'':14}{'wall s':>8}{'CPU s':>8}{'peak MB':>9}{'calls':>7}{'resources':>11}"
OPTIONS: Mapping[str, Sequence[str]] = {
    "aws": (
        *("--profile", "prod", "--profile", "staging"),
        *("--region", "us-east-1,eu-west-1,eu-central-1"),
    ),
    "k8s": ("--context", "acme-prod", "--context", "acme-staging", "--k8s-secrets"),
}
# ru_maxrss of a child begins with its parent's; the kernel's own high-water mark does not.
COMMAND = """
import atexit, json, sys
from fixtures.estates.clock import OBSERVED
from infrascan import cli, pipeline
from infrascan.collect.engine import Collection

pipeline.now = lambda: OBSERVED
found = {}
run = Collection.run

async def kept(self):
    result = await run(self)
    found.update(calls=result.calls, resources=len(result.resources), bugs=[
        gap.detail for gap in result.gaps if gap.reason == "bug"])
    return result

def told():
    with open("/proc/self/status") as status:
        peak = next(line.split()[1] for line in status if line.startswith("VmHWM"))
    print(json.dumps({**found, "peak": int(peak) / 1024}))

Collection.run = kept
atexit.register(told)
sys.exit(cli.main())
"""


@contextmanager
def estate() -> Iterator[dict[str, str]]:
    """Serve the estate; gives the environment of a scan."""
    with subprocess.Popen(
        [sys.executable, "-m", "fixtures.estates.all_served", str(LATENCY)],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "0"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdin
        assert server.stdout
        try:
            yield json.loads(server.stdout.readline())
        finally:
            server.stdin.close()


def options(names: Sequence[str]) -> list[str]:
    """The arguments that select these providers, and acme's part of each."""
    from fixtures.estates import recorded
    from fixtures.estates.all_served import SCOPES

    os.environ["ACME_SCOPES"] = json.dumps({n: p for n, p in SCOPES.items() if n in names})
    chosen = [option for name in names for option in OPTIONS.get(name, ())]
    return ["--providers", ",".join(names), *chosen, *recorded.scoped()]


def scan(variables: Mapping[str, str], names: Sequence[str]) -> dict[str, float]:
    """One scan in a child: wall and CPU seconds, peak megabytes, calls and resources."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        command = [sys.executable, "-c", COMMAND, "run", "--quiet", *options(names)]
        own = {"INFRASCAN_HOME": str(place / "home"), "XDG_CACHE_HOME": variables["HOME"]}
        began = time.monotonic()
        child = subprocess.Popen(
            [*command, "--output", str(place / "report")],
            cwd=place,
            env={**variables, **own},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout
        told = json.loads(child.stdout.read().splitlines()[-1])
        child.stdout.close()
        _, status, used = os.wait4(child.pid, 0)
        wall = time.monotonic() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode or told.pop("bugs"):
        raise SystemExit(f"the scan of {', '.join(names)} ended with {child.returncode}: {told}")
    return {"wall": wall, "cpu": used.ru_utime + used.ru_stime, **told}


def measured(variables: Mapping[str, str], title: str, names: Sequence[str]) -> dict[str, float]:
    """The median of a few scans, printed."""
    runs = [scan(variables, names) for _ in range(RUNS)]
    found = {name: median(run[name] for run in runs) for name in runs[0]}
    print(
        f"{title:14}{found['wall']:8.2f}{found['cpu']:8.2f}{found['peak']:9.0f}"
        f"{found['calls']:7.0f}{found['resources']:11.0f}",
        flush=True,
    )
    return found


def main(names: Sequence[str]) -> None:
    with estate() as variables:
        scan(variables, names)  # fills the memory of the servers and the caches of files
        print(HEAD)
        alone = {name: measured(variables, name, (name,)) for name in names}
        together = measured(variables, "together", names)
    slowest = max(alone, key=lambda name: alone[name]["wall"])
    spent = sum(one["cpu"] for one in alone.values())
    print(
        f"\ntogether is {together['wall'] / alone[slowest]['wall']:.2f} × {slowest} alone in wall,"
    )
    print(f"and {together['cpu'] / spent:.2f} × the sum of all alone in CPU")


if __name__ == "__main__":
    main(sys.argv[1:] or tuple(PROVIDERS))
