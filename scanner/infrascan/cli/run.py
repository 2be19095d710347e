"""`infrascan run`."""

from __future__ import annotations

import argparse
import gc
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import trio

from infrascan import cli
from infrascan.cli import selection
from infrascan.cli.models import model_choice
from infrascan.cli.output import Output
from infrascan.cli.progress import Shown, progress, show_logs
from infrascan.collect.engine import Collection
from infrascan.collect.nursery import open_nursery
from infrascan.model import Category, Connection, InputError, Reason, Scan, Severity
from infrascan.pipeline import NotStoredError, Request, scan
from infrascan.render.gaps import remedy, why
from infrascan.store.home import home

GARBAGE = (50_000, 20, 100)  # new objects, and rounds of the collector, between its looks


def run(options: argparse.Namespace) -> int:
    """Scan, write the reports, print the summary; returns the exit code."""
    with seldom():
        return scanned_and_told(options)


@contextmanager
def seldom() -> Iterator[None]:
    """Collect cycles now and then: answers hold none, and looking for them took a tenth of a scan.

    What is there at the start, code above all, stays for good and is not looked through at all.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*GARBAGE)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def scanned_and_told(options: argparse.Namespace) -> int:
    request = request_of(options)
    output = Output.of(options.format, options.output)
    where = home()
    not_stored = ""
    with progress(quiet=options.quiet, json_logs=options.json_logs) as shown:
        show_logs(shown)
        try:
            result = trio.run(partial(scanned, request, where, shown))
        except NotStoredError as error:
            again = "" if request.replay else "; then the same command with --resume stores it"
            not_stored, result = f"{error}{again}", error.scan
    try:
        output.write(result, shown.said, quiet=options.quiet, stored=not not_stored)
    except InputError as error:
        raise InputError(f"{not_stored}\n{error}".strip()) from error
    if not_stored:
        raise InputError(not_stored)
    if result.interrupted:
        rest = "run it again" if request.replay else "the same command with --resume reads the rest"
        shown.said(f"stopped; what was read is stored as {result.id}; {rest}")
    code, why = verdict(result, options.fail_on, options.min_coverage)
    for line in why:
        cli.complain(line, as_json=options.json_logs)
    return code


async def scanned(request: Request, where: Path, shown: Shown) -> Scan:
    """Run the scan; the first Ctrl-C, or SIGTERM, ends reading and keeps what was read."""
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with open_nursery() as nursery:

            def started(collection: Collection) -> None:
                nursery.start_soon(stop_on_signal, signals, collection, shown)

            result = await scan(request, where, shown, started)
            nursery.cancel_scope.cancel()
    return result


async def stop_on_signal(signals: AsyncIterator[int], collection: Collection, shown: Shown) -> None:
    await anext(signals)
    shown.said("stopping; what was read is kept (again to quit at once)")
    collection.stop()
    await anext(signals)
    # Something does not let go. The journal is on the disk: nothing is lost by this.
    shown.__exit__(None, None, None)
    os._exit(cli.INTERRUPTED)


def request_of(options: argparse.Namespace) -> Request:
    replay = selection.recording(options)
    if replay and options.record:
        raise InputError(
            "--record keeps answers from the network; it cannot be used on a recording"
        )
    if options.resume and (replay or options.record):
        other = "--demo" if options.demo else "--replay" if replay else "--record"
        raise InputError(
            f"--resume goes on with a scan of the network, so {other} cannot be used with it"
        )
    return replace(
        selection.request(options, replay),
        rule_folders=tuple(Path(folder) for folder in options.rules),
        categories=tuple(Category(name) for name in options.category),
        severity=Severity(options.severity) if options.severity else None,
        record=Path(options.record) if options.record else None,
        resume=options.resume,
        processes=options.processes,
        call_seconds=options.call_timeout,
        deadline_seconds=options.deadline,
        model=model_choice(options),
    )


def verdict(result: Scan, fail_on: str | None, min_coverage: float | None) -> tuple[int, list[str]]:
    """The exit code, for the worst that applies, and why where the report alone would not say."""
    defects = [gap for gap in result.gaps if gap.reason is Reason.BUG]
    if defects:
        return cli.DEFECT, [f"{gap.place}: {gap.detail}; please report it" for gap in defects[:3]]
    if result.interrupted:
        return cli.INTERRUPTED, []
    if unread := result.silent_providers:
        return cli.COVERAGE, [f"{name} could not be read: {cause(result, name)}" for name in unread]
    percent = result.coverage_percent
    if min_coverage is not None and percent < min_coverage:
        return cli.COVERAGE, [f"{percent:.1f} % was read, --min-coverage asks for {min_coverage:g}"]
    if fail_on and any(f.severity.rank <= Severity(fail_on).rank for f in result.findings):
        return cli.FINDINGS, []
    return cli.CLEAN, []


def cause(result: Scan, provider: str) -> str:
    """Why a provider gave nothing, and what to do: of the account, or of the first call."""
    own = [i for i in result.identities if i.provider == provider]
    failed = [i for i in own if i.state is not Connection.CONNECTED]
    if failed:
        first, more = failed[0], len(failed) - 1
        if more:
            return f"{first.account}: {why(first)} (and {more} more, see the report)"
        known = first.state is Connection.ERROR and first.source
        said = f"{first.detail.removesuffix('.')} ({first.source})" if known else first.detail
        return why(replace(first, detail=said))
    for gap in result.gaps:
        if gap.provider == provider:
            return f"{f'{gap.place}: ' if gap.call else ''}{gap.detail}. {remedy(gap)}"
    return "it answered, but holds nothing to read; check the names that were given"
