"""The process that reads some of a scan's providers: `python -m infrascan.workers.process`.

One Python process reads with one core, and large estates are bound by it. A job comes on standard
input; what is read goes to standard output, partition by partition, each message with its length
before it. The end of standard input asks the worker to stop; it then sends what it has.
"""

from __future__ import annotations

import gc
import logging
import os
import pickle
import signal
import sys
from dataclasses import replace
from functools import partial
from typing import Any, BinaryIO

import trio

from infrascan.collect.engine import Collection, Read, Silent
from infrascan.collect.nursery import open_nursery
from infrascan.collect.provider import Call
from infrascan.model import Coverage, InputError, ReadError
from infrascan.providers import load as load_provider
from infrascan.workers.job import LENGTH, Job


class Pipe:
    """Where messages go: a name and what belongs to it."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file

    def send(self, name: str, *parts: Any) -> None:
        message = pickle.dumps((name, *parts), protocol=pickle.HIGHEST_PROTOCOL)
        try:
            self.file.write(len(message).to_bytes(LENGTH, "big") + message)
            self.file.flush()
        except BrokenPipeError:  # nobody listens any more: the scan was killed
            os._exit(1)


class Reported(logging.Handler):
    """Sends what is logged to the process that shows it."""

    def __init__(self, pipe: Pipe) -> None:
        super().__init__(logging.WARNING)
        self.pipe = pipe

    def emit(self, record: logging.LogRecord) -> None:
        self.pipe.send("said", self.format(record))


class Told(Silent):
    """Tells the other process what happens while this one reads."""

    def __init__(self, pipe: Pipe) -> None:
        self.pipe = pipe
        self.reading: Reading | None = None

    def planned(self, provider: str, partitions: int) -> None:  # noqa: ARG002
        assert self.reading
        places = [place for place in self.reading.open if place.provider == provider]
        self.pipe.send("planned", provider, places)

    def said(self, text: str) -> None:
        self.pipe.send("said", text)

    def called(self, call: Call, seconds: float, error: ReadError | None) -> None:
        told = error and (error.reason, error.detail, error.code)
        self.pipe.send("called", replace(call, params={}), seconds, told)

    def finished(self, coverage: Coverage) -> None: ...  # the partition itself tells


class Reading(Collection):
    """A collection that gives away each partition as it finishes, and keeps none."""

    pipe: Pipe

    def take(self, read: Read) -> None:
        whole = read.coverage.partition not in self.open
        self.pipe.send("read", read, whole)


async def work(job: Job, pipe: Pipe) -> None:
    told = Told(pipe)
    reading = Reading(
        providers=[load_provider(name)(job.selection) for name in job.providers],
        progress=told,
        resumed=job.resumed,
        attempt_seconds=job.attempt_seconds,
        seconds=job.seconds,
        only=job.only,
        live=job.live,
    )
    reading.pipe, told.reading = pipe, reading

    async def stop_at_end_of_input() -> None:
        async with trio.lowlevel.FdStream(0) as stream:
            while await stream.receive_some():
                pass
        reading.stop()

    async with open_nursery() as nursery:
        nursery.start_soon(stop_at_end_of_input)
        result = await reading.run()
        nursery.cancel_scope.cancel()
    pipe.send("end", result.identities, result.gaps, result.calls)


def main() -> None:
    # Whoever started us gets these signals too, and ends our input. To ignore them outright would
    # be inherited by the programs that vendors' SDKs start.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    # Whatever a library prints must not come between the messages.
    pipe = Pipe(os.fdopen(os.dup(1), "wb"))
    os.dup2(2, 1)
    logging.captureWarnings(True)
    logging.getLogger().addHandler(logging.NullHandler())
    logging.getLogger("infrascan").addHandler(Reported(pipe))
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    length = int.from_bytes(exactly(LENGTH), "big")
    job: Job = pickle.loads(exactly(length))  # noqa: S301 (from the process that started us)
    try:
        trio.run(partial(work, job, pipe))
    except InputError as error:
        pipe.send("input_error", str(error))


def exactly(length: int) -> bytes:
    """So many bytes of standard input, and not one more: the rest is for others to read."""
    parts: list[bytes] = []
    while length:
        part = os.read(0, length)
        if not part:
            sys.exit(1)
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


if __name__ == "__main__":
    main()
