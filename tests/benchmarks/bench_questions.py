"""What a question costs on the demo estate: CPU and wall of each, after imports.

Run: python tests/benchmarks/bench_questions.py [part of an id]
"""

from __future__ import annotations

import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import trio

from infrascan.pipeline import DEMO, Request
from infrascan.questions import Who, ask, shipped_catalogue, shipped_router
from infrascan.shipped import shipped

ACME = Request(replay=shipped("estates") / DEMO)


def main(part: str = "") -> None:
    with tempfile.TemporaryDirectory() as folder:
        began = time.process_time()
        router = shipped_router()
        print(f"catalogue and index     {1e3 * (time.process_time() - began):8.1f} ms CPU")
        text = "which pods are using more than 80% of their memory limit right now?"
        began = time.process_time()
        for _ in range(200):
            router.route(text)
        print(f"to route one question   {1e3 * (time.process_time() - began) / 200:8.2f} ms CPU")
        trio.run(partial(ask, Path(folder), text, request=ACME, who=Who()))  # imports
        spent = []
        for question in shipped_catalogue().questions:
            if part not in question.id:
                continue
            example = question.examples[0].replace("{", "").replace("}", "")
            cpu, wall = time.process_time(), time.perf_counter()
            answer = trio.run(partial(ask, Path(folder), example, request=ACME, who=Who()))
            spent.append((time.process_time() - cpu, time.perf_counter() - wall, question.id, answer.status))  # fmt: skip
    for cpu, wall, name, status in sorted(spent, reverse=True):
        print(f"{name:32} {cpu:6.2f} s CPU {wall:6.2f} s wall  {status}")
    middle = sorted(cpu for cpu, *_ in spent)[len(spent) // 2]
    print(f"{len(spent)} questions, median {middle:.2f} s CPU")


if __name__ == "__main__":
    main(*sys.argv[1:2])
