"""An AWS scan of some 300 resources in 3 regions, 100 ms a call: python tests/benchmarks/bench_aws.py

The command runs as a user runs it, against moto behind a proxy, each in a process of its own. The
proxy answers from memory after a first pass, so that moto's own speed is not what is measured.

The ideal is the longest chain of dependent calls: the same scan, replayed on a virtual clock with
100 ms a call and no limit on what is in flight, so that only dependencies take time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import trio
import trio.testing

from infrascan.collect import limits
from infrascan.collect.engine import Collection
from infrascan.collect.provider import Call
from infrascan.collect.recording import Replay
from infrascan.pipeline import replayed
from infrascan.providers.aws import Aws
from tests.servers.aws import MotoServer, environment
from tests.servers.aws_estate import build

LATENCY = 0.1
REGIONS = ("us-east-1", "eu-west-1", "eu-central-1")
VOLUMES = 40  # more of a common kind in each region, up to some 300 resources


# ru_maxrss of a child begins with its parent's; the kernel's own high-water mark does not.
COMMAND = """
import atexit, sys
from infrascan.cli import main

def peak():
    with open("/proc/self/status") as status:
        print(next(line.split()[1] for line in status if line.startswith("VmHWM")))

atexit.register(peak)
main()
"""


def estate(server: MotoServer) -> None:
    for number, region in enumerate(REGIONS):
        if number == 0:
            build(server, region)
        ec2 = server.client("ec2", region)
        for _ in range(VOLUMES):
            ec2.create_volume(AvailabilityZone=f"{region}a", Size=100, VolumeType="gp2")
        for name in range(8):
            server.client("sqs", region).create_queue(QueueName=f"queue-{name}")
            server.client("sns", region).create_topic(Name=f"topic-{name}")


def run(home: Path, url: str, *extra: str) -> dict[str, float]:
    """One scan in a child: wall and CPU seconds, peak megabytes."""
    variables = {**os.environ, **environment(home, url), "HOME": str(home)}
    variables["INFRASCAN_HOME"] = str(home / "scans")
    variables["XDG_CACHE_HOME"] = str(home / "cache")
    command = [sys.executable, "-c", COMMAND, "run", "--providers", "aws", "--quiet"]
    command += ["--region", ",".join(REGIONS), "--output", str(home / "report"), *extra]
    began = time.monotonic()
    child = subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True)
    assert child.stdout
    peak = int(child.stdout.read().split()[-1]) / 1024
    child.stdout.close()
    _, status, used = os.wait4(child.pid, 0)
    wall = time.monotonic() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"the scan ended with {child.returncode}")
    return {"wall": wall, "cpu": used.ru_utime + used.ru_stime, "peak": peak}


class Delayed:
    """An `Aws` whose calls take the latency on the clock and answer from a recording."""

    def __init__(self, replay: Replay) -> None:
        self.inner = Aws(replayed(replay))
        self.replay = replay
        self.name, self.kinds, self.permissions = "aws", self.inner.kinds, self.inner.permissions
        self.connect, self.partitions = self.inner.connect, self.inner.partitions
        self.read, self.close = self.inner.read, self.inner.close

    async def send(self, call: Call) -> Any:
        if not call.api.startswith("local."):
            await trio.sleep(LATENCY)
        return self.replay.answer(call)


def ideal(recording: Path) -> tuple[float, int]:
    """Seconds of the longest chain of dependent calls, and how many calls there are."""
    limits.WINDOW = limits.WIDEST = 1e9
    limits.Limit.__dataclass_fields__["window"].default = 1e9
    replay = Replay.open(recording)

    async def main() -> tuple[float, int]:
        began = trio.current_time()
        provider = Delayed(replay)
        limits.Limits.of = lambda self, quota: self.by_quota.setdefault(
            quota, limits.Limit(window=1e9)
        )
        result = await Collection(providers=[provider]).run()
        return trio.current_time() - began, result.calls

    return trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


def measured(home: Path, url: str) -> tuple[int, list[dict[str, float]]]:
    """Calls of a scan, and what three scans took, after one that fills memory and caches."""
    run(home, url, "--record", str(home / "recording"))
    before = counts(url)
    runs = [run(home, url) for _ in range(3)]
    return (counts(url) - before) // len(runs), runs


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, MotoServer() as server:
        home = Path(folder)
        estate(server)
        command = [
            sys.executable,
            "-m",
            "tests.servers.proxy",
            server.url,
            str(LATENCY),
            "remember",
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as proxy:
            assert proxy.stdout
            url = f"http://127.0.0.1:{proxy.stdout.readline().strip()}"
            try:
                calls, runs = measured(home, url)
            finally:
                proxy.kill()
        least = {name: min(one[name] for one in runs) for name in runs[0]}
        chain, _ = ideal(home / "recording")
        report = json.loads(
            subprocess.run(
                [sys.executable, "-m", "infrascan", "report", "--format", "json", "--output", "-"],
                env={**os.environ, "INFRASCAN_HOME": str(home / "scans")},
                capture_output=True,
                check=True,
            ).stdout
        )
        kinds = Counter(row["kind"] for row in report.get("resources", ()))
        print(
            f"calls             {calls}, {len(REGIONS)} regions, {sum(kinds.values())} resources in the report"
        )
        print(
            f"ideal             {chain:.2f} s, {chain / LATENCY:.0f} dependent calls of {LATENCY:.1f} s"
        )
        print(f"wall              {least['wall']:.2f} s, {least['wall'] / chain:.2f} × the ideal")
        print(
            f"CPU               {least['cpu']:.2f} s, {1000 * least['cpu'] / calls:.1f} ms a call"
        )
        print(f"peak memory       {least['peak']:.0f} MB")


def counts(url: str) -> int:
    with urllib.request.urlopen(f"{url}/proxy-counts", timeout=10) as answer:
        return int(json.load(answer)["calls"])


if __name__ == "__main__":
    main()
