"""`infrascan watch`."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import trio

from infrascan import cli
from infrascan.cli import selection
from infrascan.cli.progress import Shown, progress, show_logs
from infrascan.collect.nursery import open_nursery
from infrascan.model import Category, InputError, Severity
from infrascan.pipeline import Request
from infrascan.questions import Who
from infrascan.store.home import home
from infrascan.watch import checklist, schedule
from infrascan.watch.asking import answers
from infrascan.watch.following import follower
from infrascan.watch.notifiers import Notifier, Terminal, notifier
from infrascan.watch.payload import lines
from infrascan.watch.running import Watch
from infrascan.watch.scanning import name_of, scanner

WHO = Who(client="infrascan watch")


def watch(options: argparse.Namespace) -> int:
    """Look until the runs are over or a signal comes; returns the exit code."""
    every = schedule.period(options.every)
    request = request_of(options, every)
    quiet = schedule.QuietHours.of(options.quiet_hours) if options.quiet_hours else None
    if options.loud and not quiet:
        raise InputError("--loud says what is told in quiet hours; give --quiet-hours too")
    if options.once and options.runs:
        raise InputError("--once and --runs both say when to end; give one of them")
    asked = checklist.checks(options.checks)
    where = home()
    with progress(quiet=not options.json_logs, json_logs=options.json_logs) as shown:
        show_logs(shown)
        said = partial(say, shown, options.json_logs)
        watching = Watch(
            home=where,
            name=name_of(request),
            scan=scanner(request, where),
            checks=partial(answers, where, asked, request, WHO),
            notifiers=notifiers(options),
            every=every,
            on=Severity(options.on),
            quiet=quiet,
            loud=Severity(options.loud) if options.loud else None,
            keep=options.keep,
            jitter=options.jitter,
            said=said,
            followed=follower(where, request) if options.propose else None,
            ran=partial(ran, said, options.json_logs),
        )
        runs = 1 if options.once else options.runs or float("inf")
        left = trio.run(watched, watching, runs)
    if left:
        cli.complain(
            f"{left} notifications are left to deliver; the same command goes on with them",
            as_json=options.json_logs,
        )
    return cli.COVERAGE if left or watching.failed else cli.CLEAN


async def watched(watching: Watch, runs: float) -> int:
    """Ctrl-C, or SIGTERM, ends the watch; what was taken down stays."""
    left = 0
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with open_nursery() as nursery:
            looking = trio.CancelScope()
            nursery.start_soon(end_on_signal, signals, looking)
            with looking:
                left = await watching.run(runs)
            nursery.cancel_scope.cancel()
    return left


async def end_on_signal(signals: AsyncIterator[int], looking: trio.CancelScope) -> None:
    await anext(signals)
    looking.cancel()
    await anext(signals)
    os._exit(cli.INTERRUPTED)  # something does not let go; what is taken down is on the disk


def request_of(options: argparse.Namespace, every: float) -> Request:
    return replace(
        selection.request(options, selection.recording(options)),
        rule_folders=tuple(Path(folder) for folder in options.rules),
        categories=tuple(Category(name) for name in options.category),
        call_seconds=options.call_timeout,
        deadline_seconds=options.deadline or every,
    )


def notifiers(options: argparse.Namespace) -> list[Notifier]:
    found = {
        one.key: one for text in options.notify or ("terminal",) if (one := notifier(text, written))
    }
    if options.json and "terminal" in found:
        found["terminal"] = JsonLines(written)
    return list(found.values())


class JsonLines(Terminal):
    """The terminal, for a program that reads it."""

    async def deliver(self, body: Mapping[str, Any]) -> None:
        self.write(json.dumps(body))


def written(text: str) -> None:
    print(text, flush=True)


def say(shown: Shown, as_json: bool, text: str) -> None:
    """What is to be said of the watch itself, on standard error."""
    if as_json:
        shown.said(text)
    else:
        cli.complain(text)


def ran(said: Callable[[str], None], as_json: bool, body: Mapping[str, Any]) -> None:
    if as_json:
        about = {
            name: body[name] for name in ("run", "scan", "kind", "counts", "standing", "usage")
        }
        print(cli.event("run", **about), file=sys.stderr, flush=True)
    elif not sum(body["counts"].values()) and body["kind"] != "baseline" and sys.stderr.isatty():
        said(next(lines(body)))
