"""Making one call well: paced, retried, bounded in time, recorded or replayed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import trio

from infrascan import redact
from infrascan.collect.limits import LONGEST_WAIT, Limit, Limits, backoff
from infrascan.collect.missing import missing
from infrascan.collect.provider import Call, Provider
from infrascan.collect.recording import Recorder, Replay
from infrascan.model import ReadError, Reason

THROTTLED_ATTEMPTS = 10
UNREACHABLE_ATTEMPTS = 3
TIMED_OUT_ATTEMPTS = 2
SILENT_AFTER = 10  # attempts in a row without any answer, before the next are not made


class Watcher(Protocol):
    """Told of each call as it ends; must return at once."""

    def called(self, call: Call, seconds: float, error: ReadError | None) -> None: ...


@dataclass(eq=False)
class Asker:
    """The `Ask` that one provider gets. Its state is the limits, shared by the whole scan."""

    provider: Provider
    limits: Limits
    watcher: Watcher
    recorder: Recorder | None = None
    replay: Replay | None = None
    attempt_seconds: float = 30.0
    patient: bool = True  # False for a quick look: an endpoint that does not answer is not retried
    calls: int = field(default=0)

    async def __call__(self, call: Call) -> Any:
        self.calls += 1
        began = trio.current_time()
        try:
            answer = await self.answer(call)
        except ReadError as error:
            error.detail = redact.text(error.detail)
            error.call = error.call or call.api
            if self.recorder:
                self.recorder.keep(call, error=error)
            self.watcher.called(call, trio.current_time() - began, error)
            raise
        if self.recorder:
            self.recorder.keep(call, answer)
        self.watcher.called(call, trio.current_time() - began, None)
        return answer

    async def answer(self, call: Call) -> Any:
        if self.replay:
            await trio.lowlevel.checkpoint()
            return self.replay.answer(call)
        if call.api.startswith("local."):
            return redact.scrub(await self.sent(call))
        return redact.scrub(await self.tried(call))

    async def tried(self, call: Call) -> Any:
        limit = self.limits.of(call.quota)
        attempt = 0
        while True:
            attempt += 1
            async with limit.paced():
                if limit.silent >= SILENT_AFTER:
                    raise ReadError(
                        Reason.UNREACHABLE,
                        f"not tried: {limit.silent} attempts before it got no answer from the same endpoint",
                    )
                if limit.shut:
                    raise ReadError(
                        Reason.THROTTLED,
                        f"not tried: the API asked not to be called for {limit.shut_for:.0f} s",
                    )
                try:
                    answer = await self.attempt(call)
                except ReadError as error:
                    wait = self.wait(error, limit, attempt)
                    if wait is None:
                        raise
                else:
                    limit.succeeded()
                    return answer
            await trio.sleep(wait)

    async def sent(self, call: Call) -> Any:
        """What the provider's client gives. Raises `MissingError` when it has none."""
        try:
            return await self.provider.send(call)
        except ImportError as error:
            if absent := missing(error):
                raise absent from error
            raise

    async def attempt(self, call: Call) -> Any:
        with trio.move_on_after(self.attempt_seconds):
            return await self.sent(call)
        raise ReadError(Reason.TIMED_OUT, f"no answer in {self.attempt_seconds:.0f} s")

    def wait(self, error: ReadError, limit: Limit, attempt: int) -> float | None:
        """Seconds to wait before the next attempt, or None when there should be none."""
        if error.reason is Reason.THROTTLED:
            seconds = limit.throttled(error.retry_after, attempt)
            return seconds if attempt < THROTTLED_ATTEMPTS and seconds <= LONGEST_WAIT else None
        if error.reason not in {Reason.UNREACHABLE, Reason.TIMED_OUT}:
            limit.succeeded()  # a refusal is an answer
            return None
        if not error.code:  # a server that answers 500 is there; one that is silent may not be
            limit.silent += 1
        elif not error.code.startswith("5"):
            return None
        most = TIMED_OUT_ATTEMPTS if error.reason is Reason.TIMED_OUT else UNREACHABLE_ATTEMPTS
        if attempt >= most or not self.patient:
            return None
        wait = (
            error.retry_after if error.retry_after is not None else backoff(attempt, limit.jitter)
        )
        return wait if wait <= LONGEST_WAIT else None
