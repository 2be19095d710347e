"""`infrascan paths`: attack paths of a stored scan, and what ends them."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from typing import Any

from infrascan import cli
from infrascan.render.inert import visible
from infrascan.store.home import home


def show(options: argparse.Namespace) -> int:
    """Print the paths, the worst first, then the cuts."""
    from infrascan.reason.queries import paths

    answer = paths(home(), scan=options.scan, severity=options.severity or "", limit=options.limit)
    if options.json:
        print(json.dumps(answer, indent=2))
        return cli.CLEAN
    for line in lines(answer):
        print(line)
    for note in answer["notes"]:
        print(f"infrascan: {visible(note)}", file=sys.stderr)
    return cli.CLEAN


def lines(answer: dict[str, Any]) -> Iterator[str]:
    titles = {path["id"]: path["title"] for path in answer["paths"]}
    for path in answer["paths"]:
        yield f"{path['severity'].upper():<9}{visible(path['title'])}  [{path['id']}]"
        for step in path["steps"]:
            yield f"    {step['stage']:<9}{visible(step['says'])}"
        if path["blast"]:
            yield f"    beyond   {len(path['blast'])} more resources are within reach"
        if path["unsure"]:
            yield f"    unsure   {visible(path['unsure'])}"
        yield ""
    if not titles:
        yield "No path from the internet to data was found."
    if answer["total"] > len(answer["paths"]):
        yield f"{answer['total'] - len(answer['paths'])} more paths: --limit {answer['total']}"
    if answer["cuts"]:
        yield from cut_lines(answer["cuts"])
    yield f"{answer['coverage_percent']:.0f} % of the estate was read (scan {answer['scan']})"


def cut_lines(cuts: list[dict[str, Any]]) -> Iterator[str]:
    changes = sum(len(cut["fixes"]) for cut in cuts)
    ended = sum(len(cut["paths"]) for cut in cuts)
    yield f"{plural(changes, 'change')} {'ends' if changes == 1 else 'end'} {plural(ended, 'path')}:"
    for cut in cuts:
        small = "" if cut["exact"] else " (a small set, perhaps not the smallest)"
        yield f"  {plural(len(cut['paths']), 'path')} by {plural(len(cut['fixes']), 'change')}{small}"
        for fix in cut["fixes"]:
            yield f"    - {visible(' '.join(fix['text'].split()))}"
            if fix["command"]:
                yield f"      {visible(fix['command'])}"
    yield ""


def plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
