"""`infrascan run`."""

from __future__ import annotations

import argparse
import signal
import sys
from functools import partial
from pathlib import Path

import trio

from infrascan import cli
from infrascan.cli.output import Output
from infrascan.cli.progress import progress
from infrascan.collect.engine import Collection, Progress
from infrascan.collect.nursery import open_nursery
from infrascan.model import Category, Connection, InputError, Reason, Scan, Severity
from infrascan.pipeline import DEMO, Request, scan
from infrascan.shipped import shipped
from infrascan.store.home import home


def run(options: argparse.Namespace) -> int:
    """Scan, write the reports, print the summary; returns the exit code."""
    request = request_of(options)
    output = Output.of(options.format, options.output)
    where = home()
    with progress(quiet=options.quiet, json_logs=options.json_logs) as shown:
        result = trio.run(partial(scanned, request, where, shown))
    output.write(result, quiet=options.quiet)
    if result.interrupted:
        notice(f"stopped; what was read until then is above and stored as {result.id}", options)
    return exit_code(result, options.fail_on, options.min_coverage)


async def scanned(request: Request, where: Path, shown: Progress) -> Scan:
    """Run the scan; the first Ctrl-C, or SIGTERM, ends reading and keeps what was read."""
    async with open_nursery() as nursery:
        watching = trio.CancelScope()

        def started(collection: Collection) -> None:
            nursery.start_soon(stop_on_signal, collection, shown, watching)

        result = await scan(request, where, shown, started)
        watching.cancel()
    return result


async def stop_on_signal(collection: Collection, shown: Progress, scope: trio.CancelScope) -> None:
    with scope, trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            shown.said("stopping; what was read is kept (again to quit at once)")
            collection.stop()
            break
    # The receiver is gone: a second Ctrl-C raises KeyboardInterrupt as usual.


def request_of(options: argparse.Namespace) -> Request:
    if options.demo and options.replay:
        raise InputError("--demo and --replay both name a recording; give one of them")
    replay = shipped("estates") / DEMO if options.demo else options.replay and Path(options.replay)
    if replay and options.record:
        raise InputError(
            "--record keeps answers from the network; it cannot be used on a recording"
        )
    if replay and (options.profile or options.region or options.context):
        raise InputError(
            "a recording holds its own profiles, regions and contexts; leave out --profile, --region and --context"
        )
    return Request(
        providers=names(options.providers),
        profiles=tuple(options.profile or ()),
        regions=names(options.region),
        contexts=tuple(options.context or ()),
        secrets=options.k8s_secrets,
        rule_folders=tuple(Path(folder) for folder in options.rules),
        categories=tuple(Category(name) for name in options.category),
        severity=Severity(options.severity) if options.severity else None,
        record=Path(options.record) if options.record else None,
        replay=replay or None,
        resume=options.resume,
        call_seconds=options.call_timeout,
        deadline_seconds=options.deadline,
    )


def names(given: list[str] | None) -> tuple[str, ...]:
    """`["aws,k8s", "gcp"]` as ("aws", "k8s", "gcp"), each once."""
    parts = (part.strip() for text in given or () for part in text.split(","))
    return tuple(dict.fromkeys(part for part in parts if part))


def exit_code(result: Scan, fail_on: str | None, min_coverage: float | None) -> int:
    """The worst that applies: a defect, a stop, too little coverage, findings."""
    if any(gap.reason is Reason.BUG for gap in result.gaps):
        return cli.DEFECT
    if result.interrupted:
        return cli.INTERRUPTED
    if unread_providers(result):
        return cli.COVERAGE
    if min_coverage is not None and result.coverage_percent < min_coverage:
        return cli.COVERAGE
    if fail_on and any(f.severity.rank <= Severity(fail_on).rank for f in result.findings):
        return cli.FINDINGS
    return cli.CLEAN


def unread_providers(result: Scan) -> list[str]:
    """Providers that were asked for and gave nothing at all."""
    connected = {i.provider for i in result.identities if i.state is Connection.CONNECTED}
    read = {c.partition.provider for c in result.coverage if c.calls > c.failed or c.resources}
    return [name for name in result.scope["providers"] if name not in connected & read]


def notice(text: str, options: argparse.Namespace) -> None:
    if not options.quiet:
        print(f"infrascan: {text}", file=sys.stderr)
