"""One call to each vendor's model, through instructor and the vendor's own client.

The only module that imports them, and only when a model is opened. OpenAI's and Anthropic's
clients run on trio as they are; Google's and Cohere's need threads. instructor gets no `context`:
with one it would render every message as a template, and messages hold text of strangers.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

import trio
from pydantic import BaseModel

from infrascan.reason.model.failing import Failure, ModelError, failure_of
from infrascan.reason.model.names import Card, Key, Vendor

Answer = TypeVar("Answer", bound=BaseModel)
Messages = Sequence[Mapping[str, str]]
THREADS = 8
KEYLESS = "none"  # clients want some key, also where a server wants none


@dataclass(frozen=True, slots=True)
class Taken:
    """Tokens that a vendor says a call took."""

    input: int
    output: int


@dataclass(eq=False)
class Meter:
    """Hears each raw answer, also one that fits no schema, and keeps what it says it cost."""

    taken: Taken | None = None

    def hear(self, response: Any) -> None:
        self.taken = taken(response)


class Caller(Protocol):
    """Makes one call. `modes` are the ways to ask for a shape, the best first."""

    modes: tuple[str, ...]

    async def call(
        self, answer: type[Answer], messages: Messages, mode: str, tokens: int, meter: Meter
    ) -> Answer: ...

    async def close(self) -> None: ...


def caller_for(card: Card, key: Key | None, url: str, seconds: float) -> Caller:
    """Build the vendor's client. Raises `ModelError` where it is not installed or has no key."""
    vendor = card.vendor
    if key is None and not vendor.keyless:
        raise ModelError(
            Failure.NO_KEY,
            f"{vendor.name} has no key: set {vendor.keys[0]}, or write it to keys/{vendor.name} "
            "in infrascan's home",
        )
    installed("instructor", vendor)
    installed(vendor.package, vendor)
    quiet()
    secret = key.value if key else KEYLESS
    made = {"anthropic": anthropic, "google": google, "cohere": cohere}.get(vendor.name, openai)
    return made(card, secret, url, seconds)


def installed(package: str, vendor: Vendor) -> None:
    try:
        importlib.import_module(package)
    except ImportError as error:
        raise ModelError(
            Failure.NO_SDK,
            f"{vendor.name} models need a package that is not installed: "
            f'pip install "infrascan[{vendor.extra}]"',
        ) from error


def quiet() -> None:
    """Silence what logs whole requests and completions, whoever listens."""
    for name in ("instructor", "google_genai"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


@dataclass(eq=False)
class Native:
    """A client that runs on trio."""

    client: Any
    clients: dict[str, Any]  # by mode
    modes: tuple[str, ...]
    who: str
    limit: str  # how the vendor spells the cap on an answer's tokens
    model: str

    async def call(
        self, answer: type[Answer], messages: Messages, mode: str, tokens: int, meter: Meter
    ) -> Answer:
        from instructor.core.exceptions import InstructorError

        try:
            made: Answer = await self.clients[mode].create(
                model=self.model,
                messages=[dict(message) for message in messages],
                response_model=answer,
                max_retries=0,
                strict=False,  # an enum comes as a string, a float perhaps as a whole number
                hooks=hooks(meter),
                **{self.limit: tokens},
            )
        except InstructorError as error:
            # `from None`: the error quotes what was sent and what came back
            raise failure_of(error, self.who) from None
        return made

    async def close(self) -> None:
        await self.client.close()


@dataclass(eq=False)
class Threaded:
    """A client that blocks, or knows asyncio only. An abandoned call ends by its own timeout."""

    shut: Callable[[], object]
    clients: dict[str, Any]
    modes: tuple[str, ...]
    who: str
    extra: dict[str, Any]
    limit: str
    limiter: trio.CapacityLimiter

    async def call(
        self, answer: type[Answer], messages: Messages, mode: str, tokens: int, meter: Meter
    ) -> Answer:
        from instructor.core.exceptions import InstructorError

        def ask() -> Answer:
            made: Answer = self.clients[mode].create(
                messages=[dict(message) for message in messages],
                response_model=answer,
                max_retries=0,
                strict=False,  # an enum comes as a string, a float perhaps as a whole number
                hooks=hooks(meter),
                **self.extra,
                **({self.limit: tokens} if self.limit else {}),
            )
            return made

        try:
            return await trio.to_thread.run_sync(ask, abandon_on_cancel=True, limiter=self.limiter)
        except InstructorError as error:
            raise failure_of(error, self.who) from None

    async def close(self) -> None:
        await trio.to_thread.run_sync(self.shut, abandon_on_cancel=True)


def hooks(meter: Meter) -> Any:
    from instructor.core.hooks import Hooks

    made = Hooks()
    made.on("completion:response", meter.hear)
    return made


def anthropic(card: Card, key: str, url: str, seconds: float) -> Caller:
    import anthropic as sdk
    import instructor

    client = sdk.AsyncAnthropic(api_key=key, base_url=url, timeout=seconds, max_retries=0)
    modes = (instructor.Mode.TOOLS, instructor.Mode.JSON)
    clients = {mode.value: instructor.from_anthropic(client, mode=mode) for mode in modes}
    return Native(client, clients, tuple(clients), who(card), "max_tokens", card.name)


def openai(card: Card, key: str, url: str, seconds: float) -> Caller:
    """OpenAI, Ollama, and whatever else speaks OpenAI's protocol."""
    import instructor
    import openai as sdk

    client = sdk.AsyncOpenAI(api_key=key, base_url=url, timeout=seconds, max_retries=0)
    mode = instructor.Mode
    limit = "max_tokens"
    modes: tuple[instructor.Mode, ...]
    if card.responses:
        modes = (mode.RESPONSES_TOOLS,)
    elif card.vendor.name == "ollama":
        # Its grammar follows a schema exactly; not every model of its has tools.
        modes = (mode.JSON_SCHEMA, mode.MD_JSON)
    else:
        modes = (mode.TOOLS, mode.JSON_SCHEMA, mode.MD_JSON)
        if card.priced and card.input_usd:  # OpenAI's own: newer models refuse `max_tokens`
            limit = "max_completion_tokens"
    clients = {each.value: instructor.from_openai(client, mode=each) for each in modes}
    return Native(client, clients, tuple(clients), who(card), limit, card.name)


def google(card: Card, key: str, url: str, seconds: float) -> Caller:
    import instructor
    from google import genai
    from google.genai import types

    options = types.HttpOptions(base_url=url, timeout=int(seconds * 1000))
    client = genai.Client(vertexai=False, api_key=key, http_options=options)
    modes = (instructor.Mode.TOOLS, instructor.Mode.JSON)
    clients = {
        mode.value: instructor.from_genai(client, mode=mode, model=card.name) for mode in modes
    }
    return Threaded(client.close, clients, tuple(clients), who(card), {}, "max_tokens", limiter())


def cohere(card: Card, key: str, url: str, seconds: float) -> Caller:
    import cohere as sdk
    import instructor

    client = sdk.ClientV2(
        api_key=key,
        base_url=url,
        timeout=seconds,
        log_warning_experimental_features=False,
    )
    modes = (instructor.Mode.JSON_SCHEMA, instructor.Mode.MD_JSON)
    clients = {mode.value: instructor.from_cohere(client, mode=mode) for mode in modes}
    extra = {"model": card.name, "request_options": {"max_retries": 0}}
    shut = partial(client.__exit__, None, None, None)
    return Threaded(shut, clients, tuple(clients), who(card), extra, "max_tokens", limiter())


def limiter() -> trio.CapacityLimiter:
    return trio.CapacityLimiter(THREADS)


def who(card: Card) -> str:
    return f"model {card.full_name}"


def taken(response: Any) -> Taken | None:
    """What a raw answer says it took, in any of the vendors' spellings."""
    if (found := getattr(response, "usage_metadata", None)) is not None:  # Google
        return Taken(
            count(found, "prompt_token_count"),
            count(found, "candidates_token_count") + count(found, "thoughts_token_count"),
        )
    found = getattr(response, "usage", None)
    if found is None:
        return None
    if (units := getattr(found, "billed_units", None)) is not None:  # Cohere
        return Taken(count(units, "input_tokens"), count(units, "output_tokens"))
    if getattr(found, "prompt_tokens", None) is not None:  # OpenAI, chat
        return Taken(count(found, "prompt_tokens"), count(found, "completion_tokens"))
    return Taken(  # Anthropic, and OpenAI's responses
        count(found, "input_tokens")
        + count(found, "cache_creation_input_tokens")
        + count(found, "cache_read_input_tokens"),
        count(found, "output_tokens"),
    )


def count(holder: Any, name: str) -> int:
    value = getattr(holder, name, None)
    return int(value) if isinstance(value, int | float) else 0
