"""`infrascan scans`, `report`, `diff` and `sql`."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict

from infrascan import cli
from infrascan.cli.output import Output
from infrascan.model import Severity
from infrascan.store.home import home
from infrascan.store.manifest import ScanInfo


def listing(options: argparse.Namespace) -> int:
    """List the stored scans, newest first; with --prune, delete all but the newest."""
    from infrascan.store.scans import prune, scans

    if options.prune is not None:
        for gone in prune(home(), options.prune):
            print(f"infrascan: deleted {gone}", file=sys.stderr)
    found = scans(home())
    if options.json:
        print(json.dumps([{**asdict(info), "path": str(info.path)} for info in found], indent=2))
        return cli.CLEAN
    for info in found:
        print(line(info))
    if not found:
        print("infrascan: no scans yet; make one with: infrascan run --demo", file=sys.stderr)
    return cli.CLEAN


def line(info: ScanInfo) -> str:
    """A scan in one line: id, providers, findings by severity, coverage."""
    if info.problem:
        return f"{info.id}  cannot be used: {info.problem}"
    counts = ", ".join(f"{count} {name}" for name, count in info.severities.items() if count)
    providers = ",".join(info.scope.get("providers", ()))
    ended = "  interrupted" if info.interrupted else ""
    return (
        f"{info.id}  {providers:<8}  {info.resources} resources, {counts or 'no findings'}, "
        f"{info.coverage_percent:.0f} % read{ended}"
    )


def report(options: argparse.Namespace) -> int:
    """Render a stored scan again."""
    from infrascan.store.scans import read

    output = Output.of(options.format, options.output)
    output.write(read(home(), options.scan), said)
    return cli.CLEAN


def said(text: str) -> None:
    print(f"infrascan: {text}", file=sys.stderr)


def diff(options: argparse.Namespace) -> int:
    """Compare two stored scans."""
    from infrascan.render.diff import render
    from infrascan.store.changes import as_dict
    from infrascan.store.diff import diff as compare

    found = compare(home(), options.before, options.after)
    sys.stdout.write(render(as_dict(found), options.format))
    if options.fail_on and found.exceeds(Severity(options.fail_on)):
        return cli.FINDINGS
    return cli.CLEAN


def sql(options: argparse.Namespace) -> int:
    """Run one read-only query on stored scans."""
    from infrascan.store.sql import query

    rows = query(home(), options.query, scan=options.scan)
    if options.json:
        print(
            json.dumps([dict(zip(rows.columns, row, strict=True)) for row in rows.rows], indent=2)
        )
    else:
        table(rows.columns, rows.rows)
    if rows.truncated:
        print(f"infrascan: only the first {len(rows.rows)} rows are shown", file=sys.stderr)
    return cli.CLEAN


def table(columns: list[str], rows: list[list[object]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from infrascan.render.inert import visible

    shown = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        shown.add_column(Text(visible(column)), overflow="fold")
    for row in rows:
        shown.add_row(*(Text(visible("" if cell is None else str(cell))) for cell in row))
    Console(highlight=False).print(shown)
