"""A model that can be asked for an answer of a given shape, within a budget.

Every message goes out through `Model.ask`: secrets and unseen characters are taken out, and under
`--anonymize` names are replaced and put back in the answer.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar
from urllib.parse import urlsplit

import trio
from pydantic import BaseModel

from infrascan.model import InputError
from infrascan.reason.model.budget import Budget, BudgetError, Hold
from infrascan.reason.model.failing import PASSING, Failure, ModelError
from infrascan.reason.model.names import NONE, Card, address, card, key_of, loopback
from infrascan.reason.model.untrusted import outward
from infrascan.reason.model.vendors import Caller, Meter, caller_for

Answer = TypeVar("Answer", bound=BaseModel)

CALL_SECONDS = 60.0
ATTEMPTS = 3  # of a call that failed for the moment
FIRST_WAIT = 1.0
LONGEST_WAIT = 20.0
BYTES = 2  # of a token, at least, in the tables and prompts that we write: for packing only


class Names(Protocol):
    """Replaces names on the way out, and puts them back; see `Pseudonyms`."""

    def hide(self, text: str) -> str: ...

    def restore(self, text: str) -> str: ...


class Plain:
    """Names go as they are."""

    def hide(self, text: str) -> str:
        return text

    def restore(self, text: str) -> str:
        return text


@dataclass(eq=False)
class Model:
    """A model of a vendor. Close it, or use it in `async with`."""

    card: Card
    caller: Caller
    budget: Budget
    names: Names
    seconds: float = CALL_SECONDS
    warning: str = ""
    mode: int = 0  # which of the caller's modes works with this model

    @property
    def name(self) -> str:
        return self.card.full_name

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        with trio.CancelScope(shield=True, deadline=trio.current_time() + 2):
            await self.caller.close()

    def room(self, answer: type[BaseModel]) -> int:
        """How many bytes of messages fit into the model's window."""
        known = self.card
        room = BYTES * (known.window - known.output - known.overhead)
        return room if known.vendor.name == "ollama" else room - size(schema_of(answer))

    async def ask(
        self,
        answer: type[Answer],
        messages: Sequence[Mapping[str, str]] | str,
        *,
        step: str = "ask",
        output: int | None = None,
        nameless: bool = False,
    ) -> Answer:
        """Ask for an answer of the shape `answer`. Raises `ModelError`.

        Its text holds nothing of what was sent or came back. An answer of another shape is asked
        for once more, in the vendor's next way to fix a shape; a failure that passes is tried
        again. `nameless` messages hold no names by the way they are made, so none is hidden in
        them: kinds of resources and paths look like names of hosts.
        """
        if isinstance(messages, str):
            messages = [{"role": "user", "content": messages}]
        hide = Plain().hide if nameless else self.names.hide
        sent = [
            {"role": message["role"], "content": hide(outward(message["content"]))}
            for message in messages
        ]
        tokens = sum(size(message["content"]) for message in sent)
        if tokens > self.room(answer):
            raise ModelError(
                Failure.TOO_LONG,
                f"the question does not fit into the window of model {self.name} "
                f"({self.card.window} tokens)",
            )
        tokens += size(schema_of(answer)) + self.card.overhead
        call = One(self, step, tokens, min(output or self.card.output, self.card.output))
        try:
            made = (await self.again(call, answer, sent)).model_dump(mode="json")
        except BudgetError as error:
            raise ModelError(Failure.BUDGET, f"model {self.name}: {error}") from error
        # instructor's answer is of a class of its own, and holds the raw completion
        return answer.model_validate(walked(made, self.names))

    async def again(self, call: One, answer: type[Answer], sent: list[dict[str, str]]) -> Answer:
        waited, reshaped = 0, False
        while True:
            try:
                return await call.make(answer, sent)
            except ModelError as error:
                if error.failure is Failure.MALFORMED and not reshaped:
                    reshaped = True
                    self.mode = min(self.mode + 1, len(self.caller.modes) - 1)
                    continue
                if error.failure not in PASSING or waited + 1 >= ATTEMPTS:
                    raise
                wait = error.retry_after
                pause = min(FIRST_WAIT * 2**waited if wait is None else wait, LONGEST_WAIT)
                if pause >= self.budget.left():
                    raise
                waited += 1
            await trio.sleep(pause)


@dataclass(frozen=True, slots=True)
class One:
    """One call as it is paid for: its step and the most it may take."""

    model: Model
    step: str
    input: int
    output: int

    async def make(self, answer: type[Answer], sent: list[dict[str, str]]) -> Answer:
        model = self.model
        mode = model.caller.modes[model.mode]
        meter = Meter()
        async with model.budget.reserved(self.step, model.card, self.input, self.output) as hold:
            left = model.budget.left()
            try:
                with trio.fail_after(max(0.0, min(model.seconds, left))):
                    made = await model.caller.call(answer, sent, mode, self.output, meter)
            except trio.TooSlowError:
                raise ModelError(
                    Failure.TIMED_OUT,
                    f"model {model.name} did not answer within {min(model.seconds, left):.0f} s",
                ) from None
            except ModelError as error:
                self.pay(
                    hold, meter, free=error.failure not in {Failure.TIMED_OUT, Failure.MALFORMED}
                )
                raise
            self.pay(hold, meter)
            return made

    def pay(self, hold: Hold, meter: Meter, *, free: bool = False) -> None:
        """Settle by what the vendor says; where it says nothing, a call that ran costs its most."""
        if meter.taken is not None:
            self.model.budget.settle(hold, meter.taken.input, meter.taken.output)
        elif free:  # refused before it began
            self.model.budget.settle(hold, 0, 0)


def open_model(
    name: str,
    *,
    home: Path | None = None,
    environment: Mapping[str, str] | None = None,
    url: str = "",
    budget: Budget | None = None,
    names: Names | None = None,
    window: int = 0,
    seconds: float = CALL_SECONDS,
) -> Model:
    """Open `vendor/model`, such as "anthropic/claude-opus-4-6" or "ollama/gemma4:31b".

    The key comes from the vendor's own environment variable or from `<home>/keys/<vendor>`, the
    address from `url`, the vendor's variable or its default. Raises `InputError` for a name that
    cannot be, `ModelError` where the client or the key is missing.
    """
    if name == NONE:
        raise InputError("none is no model: leave --model out")
    environment = os.environ if environment is None else environment
    known = card(name, environment, url, window)
    key = key_of(known.vendor, environment, home)
    where = address(known.vendor, environment, url)
    warning = key.warning if key else ""
    if key and where.startswith("http://") and not loopback(where):
        warning = f"the key of {known.vendor.name} goes unencrypted to {urlsplit(where).hostname}"
    return Model(
        card=known,
        caller=caller_for(known, key, where, seconds),
        budget=budget or Budget(),
        names=names or Plain(),
        seconds=seconds,
        warning=warning,
    )


def schema_of(answer: type[BaseModel]) -> str:
    return json.dumps(answer.model_json_schema(), sort_keys=True)


def size(text: str) -> int:
    """At most so many tokens: a token holds at least one byte."""
    return len(text.encode("utf-8", "replace"))


def walked(value: Any, names: Names) -> Any:
    """The data with every name put back."""
    if isinstance(value, str):
        return names.restore(value)
    if isinstance(value, list):
        return [walked(item, names) for item in value]
    if isinstance(value, dict):
        return {names.restore(key): walked(item, names) for key, item in value.items()}
    return value
