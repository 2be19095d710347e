"""What the search for paths costs on a big estate, against linking it.

    python -m tests.benchmarks.bench_paths [RESOURCES]

A made estate in proportion: for each open machine forty resources that nothing leads to. The
resources are packed, as in a scan of this size. Prints CPU seconds, the ratio, paths and peak.
"""

from __future__ import annotations

import resource
import sys
import time

from infrascan.graph import link
from infrascan.model import Resource
from infrascan.reason.cuts import cuts
from infrascan.reason.paths import find
from tests.reason.estates import (
    KINDS,
    NOW,
    allow,
    bucket,
    instance,
    role,
    rules,
    security_group,
)


def estate(size: int) -> list[Resource]:
    """Cells of fifty: one way in each, the rest private machines, roles and buckets."""
    found: list[Resource] = []
    for cell in range(size // 50):
        found += [
            security_group(f"sg-open-{cell}", "0.0.0.0/0"),
            security_group(f"sg-{cell}", "10.0.0.0/8"),
            instance(f"i-open-{cell}", f"sg-open-{cell}", f"web-{cell}"),
            role(f"web-{cell}", own=allow("s3:GetObject", f"arn:aws:s3:::data-{cell}-0/*")),
        ]
        found += [
            instance(f"i-{cell}-{n}", f"sg-{cell}", f"job-{cell}-{n % 5}", public=False)
            for n in range(31)
        ]
        found += [role(f"job-{cell}-{n}", own=allow("logs:*", "*")) for n in range(5)]
        found += [bucket(f"data-{cell}-{n}") for n in range(10)]
    return found


def measured(size: int) -> tuple[float, float, int, int]:
    """(seconds to link, seconds to search and cut, resources, paths)."""
    resources = estate(size)
    for one in resources:
        one.pack()
    began = time.process_time()
    link(resources, KINDS, [])
    linked = time.process_time()
    found = find(rules(), resources, KINDS, [], NOW)
    ended = cuts(found.paths)
    done = time.process_time()
    assert found.paths
    assert sum(len(cut.paths) for cut in ended) == len(found.paths)
    return linked - began, done - linked, len(resources), len(found.paths)


def main() -> None:
    sizes = [int(sys.argv[1])] if sys.argv[1:] else [12_500, 25_000, 50_000]
    rules()
    for size in sizes:
        linking, searching, count, paths = measured(size)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{count:>7,} resources: link {linking:.2f} s, paths and cuts {searching:.2f} s"
            f" ({searching / linking:.2f} of linking), {paths} paths, peak {peak:.0f} MB"
        )


if __name__ == "__main__":
    main()
