"""`infrascan audit`."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import Any

from infrascan import cli
from infrascan.model import InputError
from infrascan.store import audit
from infrascan.store.home import home


def listing(options: argparse.Namespace) -> int:
    """Print the latest entries, the newest last."""
    if options.limit < 1:
        raise InputError(f"--limit is at least 1, not {options.limit}")
    for entry in audit.entries(home(), limit=options.limit):
        print(json.dumps(entry) if options.json else line(entry))
    return cli.CLEAN


def line(entry: dict[str, Any]) -> str:
    """An entry in one line: number, time, who, what, why, and what came of it."""
    who = entry.get("client") or entry.get("user") or "unknown"
    arguments = entry.get("arguments") or {}
    vector = arguments.get("vector") if isinstance(arguments, dict) else None
    what = " ".join(map(str, vector)) if vector else entry.get("tool", "")
    why = f"  because {entry['reason']!r}" if entry.get("reason") else ""
    return (
        f"{entry.get('seq', '?'):>6}  {entry.get('time', ''):<24}  {entry.get('event', ''):<18}"
        f"  {who}  {what!r}  {entry.get('outcome', '')}{why}"
    )


def verify(options: argparse.Namespace) -> int:
    """Check the chain; name the first entry that is broken."""
    found = audit.verify(home())
    if options.json:
        print(json.dumps({"ok": found.ok, **asdict(found)}))
    elif found.ok:
        print(f"{found.entries} entries, none changed or missing")
    else:
        print(f"broken: {found.problem}; the {found.entries} before it hold")
    return cli.CLEAN if found.ok else cli.FINDINGS
