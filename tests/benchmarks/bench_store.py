"""Writing, reading and comparing stored scans: seconds and megabytes per million resources.

python tests/benchmarks/bench_store.py [resources]
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from infrascan.store.diff import diff
from infrascan.store.inventory import OnDisk
from infrascan.store.scans import read, scans, write
from infrascan.store.sql import query
from tests.store.estate import estate


def timed(name: str, size: int, work: Callable[[], Any]) -> Any:
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(
        f"{name:40} {wall:8.2f} s wall {cpu:8.2f} s CPU {1e6 * cpu / size:8.1f} s CPU per million"
    )
    return result


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    scan = estate(size)
    print(f"{len(scan.resources):,} resources, {len(scan.findings):,} findings")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        path = timed("write", size, lambda: write(scan, home))
        stored = sum(file.stat().st_size for file in path.iterdir())
        print(f"{'size':40} {stored / 1e6:8.1f} MB")
        timed("list", size, lambda: scans(home))
        timed("read without resources", size, lambda: read(home, with_resources=False))
        timed("read", size, lambda: read(home))
        changed = estate(size, id="changed")
        for number, one in enumerate(changed.resources):
            if "metrics" in one.data:
                one.data["metrics"]["CPUUtilization"]["maximum"] = number % 90
            if number % 1_000 == 0:
                one.data["Description"] = "changed"
        other = write(changed, home)
        statement = "SELECT severity, count(*) FROM findings GROUP BY 1"
        timed("sql, hashes checked", size, lambda: query(home, statement))
        timed("sql in a process of its own", size, lambda: query(home, statement, untrusted=True))
        compared = timed("match resources", size, lambda: OnDisk(path, other).compared())
        print(f"{len(compared.altered)} altered, {len(compared.added)} added")
        timed("diff, findings included", size, lambda: diff(home, path.name, "changed"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{'peak memory, two scans included':40} {peak:8.0f} MB")


if __name__ == "__main__":
    main()
