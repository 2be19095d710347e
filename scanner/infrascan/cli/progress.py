"""What a person, or a log, sees while a scan reads. Always on standard error."""

from __future__ import annotations

import logging
import sys
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Self, TypeAlias

from infrascan import cli, redact
from infrascan.collect.engine import Silent
from infrascan.collect.provider import Call
from infrascan.model import Coverage, ReadError, State

Shown: TypeAlias = "Bars | Lines | Events | Quiet"


def progress(*, quiet: bool, json_logs: bool) -> Shown:
    """The fitting kind: JSON lines, nothing, live bars on a terminal, or a few plain lines."""
    if json_logs:
        return Events()
    if quiet:
        return Quiet()
    return Bars() if sys.stderr.isatty() else Lines()


class Logged(logging.Handler):
    """Says what is logged where the progress is shown, redacted and in its form."""

    def __init__(self, shown: Shown) -> None:
        super().__init__(logging.WARNING)
        self.shown = shown

    def emit(self, record: logging.LogRecord) -> None:
        self.shown.said(self.format(record))


def show_logs(shown: Shown) -> None:
    """Show what infrascan logs. What libraries log or warn of is dropped: the gaps say it."""
    logging.captureWarnings(True)
    logging.getLogger().addHandler(logging.NullHandler())
    logging.getLogger("infrascan").addHandler(Logged(shown))


class Quiet(Silent, AbstractContextManager["Quiet"]):
    """Shows nothing."""

    def __exit__(self, *_: object) -> None: ...


class Bars(Silent, AbstractContextManager["Bars"]):
    """A live bar per provider: partitions read, resources found, gaps met."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
        )

        self.console = Console(stderr=True)
        self.bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TextColumn("{task.fields[resources]} resources"),
            TextColumn("{task.fields[calls]} calls"),
            TextColumn("[yellow]{task.fields[gaps]}"),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
        )
        self.tasks: dict[str, Any] = {}
        self.counts: dict[str, dict[str, int]] = {}

    def __enter__(self) -> Self:
        self.bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.bars.stop()

    def task(self, provider: str) -> Any:
        if provider not in self.tasks:
            self.counts[provider] = {"resources": 0, "calls": 0, "unread": 0}
            self.tasks[provider] = self.bars.add_task(
                provider, total=None, resources=0, calls=0, gaps=""
            )
        return self.tasks[provider]

    def planned(self, provider: str, partitions: int) -> None:
        self.bars.update(self.task(provider), total=partitions)

    def finished(self, coverage: Coverage) -> None:
        provider = coverage.partition.provider
        task, counts = self.task(provider), self.counts[provider]
        counts["resources"] += coverage.resources
        counts["unread"] += coverage.state is not State.READ
        gaps = f"{counts['unread']} with gaps" if counts["unread"] else ""
        self.bars.update(task, advance=1, resources=counts["resources"], gaps=gaps)

    def called(self, call: Call, seconds: float, error: ReadError | None) -> None:  # noqa: ARG002
        task, counts = self.task(call.provider), self.counts[call.provider]
        counts["calls"] += 1
        self.bars.update(task, calls=counts["calls"])

    def said(self, text: str) -> None:
        self.console.print(redact.text(text), style="dim", markup=False, highlight=False)


class Lines(Silent, AbstractContextManager["Lines"]):
    """One line when a provider's plan is known and one when it is through: fit for a CI log."""

    def __init__(self) -> None:
        self.planned_for: dict[str, int] = {}
        self.done: dict[str, int] = {}
        self.resources: dict[str, int] = {}

    def __exit__(self, *_: object) -> None: ...

    def planned(self, provider: str, partitions: int) -> None:
        self.planned_for[provider] = partitions
        self.said(f"{provider}: reading {partitions} partitions")

    def finished(self, coverage: Coverage) -> None:
        provider = coverage.partition.provider
        self.done[provider] = self.done.get(provider, 0) + 1
        self.resources[provider] = self.resources.get(provider, 0) + coverage.resources
        if self.done[provider] == self.planned_for.get(provider):
            self.said(f"{provider}: read {self.resources[provider]} resources")

    def said(self, text: str) -> None:
        print(f"infrascan: {redact.text(text)}", file=sys.stderr, flush=True)


class Events(Silent, AbstractContextManager["Events"]):
    """One JSON object a line: `{"time", "event", ...}`."""

    def __exit__(self, *_: object) -> None: ...

    def event(self, name: str, **fields: object) -> None:
        print(cli.event(name, **fields), file=sys.stderr, flush=True)

    def planned(self, provider: str, partitions: int) -> None:
        self.event("planned", provider=provider, partitions=partitions)

    def finished(self, coverage: Coverage) -> None:
        self.event(
            "partition",
            place=coverage.partition.place,
            state=coverage.state,
            resources=coverage.resources,
            calls=coverage.calls,
            failed=coverage.failed,
        )

    def called(self, call: Call, seconds: float, error: ReadError | None) -> None:
        if error is None:
            return
        self.event(
            "call_failed",
            provider=call.provider,
            account=call.account,
            region=call.region,
            call=call.api,
            reason=error.reason,
            code=error.code,
            detail=error.detail,
            seconds=round(seconds, 3),
        )

    def said(self, text: str) -> None:
        self.event("note", text=redact.text(text))
