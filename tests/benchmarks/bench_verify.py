"""What proof costs: the JSON report of the demo estate, its parts, and verifying it.

    python -m tests.benchmarks.bench_verify [--findings N]

With N, also a made-up report of that many findings, whose rules are nowhere and whose facts stand
in none of its resources: the dearest case, each finding is broken. Nothing is asserted about time.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import trio

from infrascan.evaluate import RuleSet
from infrascan.pipeline import DEMO, Request, all_kinds, chosen_rules, scan
from infrascan.proof import bundle, ledger
from infrascan.reason.spending import spending
from infrascan.reason.verify import verify
from infrascan.render import render
from infrascan.shipped import shipped
from tests.render import made_scans

ROUNDS = 3


def timed(name: str, work: Callable[[], Any]) -> Any:
    """The best of some rounds, in process time."""
    best, result = float("inf"), None
    for _ in range(ROUNDS):
        began = time.process_time()
        result = work()
        best = min(best, time.process_time() - began)
    print(f"  {name:<28} {best * 1e3:>9.1f} ms")
    return result


def of_demo() -> None:
    request = Request(replay=shipped("estates") / DEMO)
    with tempfile.TemporaryDirectory() as home:
        found = trio.run(scan, request, Path(home))
    print(f"demo: {len(found.resources):,} resources, {len(found.findings):,} findings")
    timed("spending", lambda: spending(found))
    facts = timed("ledger", lambda: ledger(found))
    kept = timed("bundle", lambda: list(bundle(found)))
    report = timed("JSON report", lambda: "".join(render("json", found)).encode())
    sections = {name: len(json.dumps(value)) for name, value in json.loads(report).items()}
    print(f"  {len(facts):,} facts, {len(kept):,} resources in the bundle")
    print(f"  {len(report) / 1e6:.2f} MB: ledger {sections['ledger'] / 1e6:.2f},", end=" ")
    print(f"bundle {sections['bundle'] / 1e6:.2f}, findings {sections['findings'] / 1e6:.2f}")
    rules = timed("rules", lambda: chosen_rules(Request(), all_kinds()))
    result = timed("verify", lambda: verify(report, lambda _: rules))
    print(f"  {len(result.checked):,} things checked, {len(result.broken)} broken")


def of_made(findings: int) -> None:
    found = made_scans.estate(findings)
    print(f"made up: {findings:,} findings")
    report = timed("JSON report", lambda: "".join(render("json", found)).encode())
    print(f"  {len(report) / 1e6:.1f} MB")
    timed("verify", lambda: verify(report, lambda _: RuleSet()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--findings", type=int, default=0)
    options = parser.parse_args()
    of_demo()
    if options.findings:
        of_made(options.findings)


if __name__ == "__main__":
    main()
