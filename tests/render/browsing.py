"""Runs one check of `browser.mjs` on a report in headless Chromium."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
NODE = Path(os.environ.get("INFRASCAN_NODE", HERE.parent / "node"))
PACKAGES = ("playwright-core", "axe-core")


def chromium() -> str:
    named = os.environ.get("INFRASCAN_CHROMIUM", "")
    return named or next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), "")


def missing() -> str:
    """What the browser tests lack, or "" when they can run."""
    if not shutil.which("node"):
        return "Node.js is not installed"
    if not chromium():
        return "Chromium is not installed (or name it in INFRASCAN_CHROMIUM)"
    for name in PACKAGES:
        if not (NODE / "node_modules" / name).is_dir():
            return f"no {name} in {NODE} (npm install it there, or set INFRASCAN_NODE)"
    return ""


def check(name: str, report: Path, *arguments: str) -> Any:
    """The answer of a check; `AssertionError` with what the browser said when it fails."""
    command = ["node", str(HERE / "browser.mjs"), str(NODE), chromium(), name, report.as_uri()]
    done = subprocess.run(
        [*command, *arguments], capture_output=True, text=True, timeout=100, check=False
    )
    if done.returncode:
        raise AssertionError(f"{name}: {done.stderr or done.stdout}")
    return json.loads(done.stdout)
