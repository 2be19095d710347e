"""Reports of 100,000 findings: size, time and memory of each format, and the page in Chromium.

    python tests/benchmarks/bench_render.py [--findings N] [--format NAME]... [--browser]

Each format runs in a process of its own. Memory is the peak above that of the scan itself.
The browser needs Chromium and the Node packages of the browser tests.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from infrascan.render import FORMATS, write
from tests.render import made_scans

MARK = b"<!-- The first view ends here"


def measure(name: str, findings: int) -> dict[str, float]:
    scan = made_scans.estate(findings)
    # The first report pays for imports and templates, whatever its size.
    with Path("/dev/null").open("wb") as nowhere:
        write(name, made_scans.estate(10), nowhere)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with tempfile.TemporaryFile() as out:
        start = time.process_time()
        size = write(name, scan, out)
        cpu = time.process_time() - start
        out.seek(0)
        first = out.read(4_000_000).find(MARK)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"bytes": size, "cpu": cpu, "memory": (after - before) / 1024, "first": max(first, 0)}


def in_browser(findings: int) -> None:
    from tests.render.browsing import check

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.html"
        with path.open("wb") as out:
            write("html", made_scans.estate(findings), out)
        for name, value in check("timing", path).items():
            print(f"  {name:<32} {value:>10.0f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--findings", type=int, default=100_000)
    parser.add_argument("--format", action="append", choices=tuple(FORMATS))
    parser.add_argument("--browser", action="store_true")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one, options.findings)))
        return
    print(f"{options.findings:,} findings")
    print(f"  {'format':<10} {'size':>10} {'CPU':>8} {'per finding':>12} {'memory':>9}")
    for name in options.format or FORMATS:
        command = [sys.executable, __file__, "--one", name, "--findings", str(options.findings)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        r = json.loads(done.stdout)
        each = 1e6 * r["cpu"] / max(1, options.findings)
        print(
            f"  {name:<10} {r['bytes'] / 1e6:>7.2f} MB {r['cpu']:>6.2f} s {each:>9.1f} µs"
            f" {r['memory']:>6.0f} MB"
            + (f"   first view {r['first'] / 1e3:,.0f} kB" if r["first"] else "")
        )
    if options.browser:
        print("in Chromium")
        in_browser(options.findings)


if __name__ == "__main__":
    main()
