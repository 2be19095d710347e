"""Where notifications go: a terminal, a file, a webhook, Slack. Each is told a body whole or fails.

An address may hold a secret. It is read from the environment where the option says so, is never
shown beyond its host, and never kept: what waits for it is tied to its digest.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from infrascan.model import InputError, ReadError
from infrascan.providers.http import Client, refused
from infrascan.watch.memory import named
from infrascan.watch.payload import lines, slack

KINDS = (
    "terminal, file:PATH, webhook:URL, slack:URL; a URL may be env:NAME, a variable that holds it"
)


class DeliveryError(Exception):
    """A notification did not arrive. `wait` is what the other side asked for, in seconds."""

    def __init__(self, detail: str, wait: float | None = None) -> None:
        super().__init__(detail)
        self.wait = wait


class Notifier(Protocol):
    """`key` names it in what is kept, and holds no secret; `shown` is for people."""

    key: str
    shown: str

    async def deliver(self, body: Mapping[str, Any]) -> None:
        """Bring it there. Raises `DeliveryError`."""
        ...

    def close(self) -> None: ...


@dataclass(slots=True)
class Terminal:
    """Lines for whoever is watching."""

    write: Callable[[str], None]
    key: str = "terminal"
    shown: str = "terminal"

    async def deliver(self, body: Mapping[str, Any]) -> None:
        self.write("\n".join(lines(body)))

    def close(self) -> None: ...


class Lines:
    """A file that gets one JSON object a line; made for its owner alone where it is new."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()
        self.key = named(("file", str(self.path)))
        self.shown = f"file {self.path}"
        self.opened()

    def opened(self) -> int:
        try:
            return os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise InputError(
                f"--notify file:{self.path}: {error.strerror}; name a file that can be written"
            ) from error

    async def deliver(self, body: Mapping[str, Any]) -> None:
        line = (json.dumps(body) + "\n").encode()
        try:
            file = self.opened()
        except InputError as error:
            raise DeliveryError(str(error)) from error
        begun = os.fstat(file).st_size
        try:
            if os.write(file, line) != len(line):
                raise OSError(0, "not all was written")
            os.fsync(file)
        except OSError as error:
            os.ftruncate(file, begun)  # half a line would spoil the next
            raise DeliveryError(f"{self.path}: {error.strerror}") from error
        finally:
            os.close(file)

    def close(self) -> None: ...


class Webhook:
    """An address that JSON is posted to; any answer below 300 means that it arrived.

    No redirect is followed: what is sent goes to the address given and nowhere else.
    """

    kind = "webhook"

    def __init__(self, url: str) -> None:
        self.url = checked(url, self.kind)
        host = urlsplit(self.url).hostname or ""
        self.key = named((self.kind, self.url))
        self.shown = f"{self.kind} at {host}"
        self.client = Client(self.url)

    def message(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        return body

    async def deliver(self, body: Mapping[str, Any]) -> None:
        headers = {"Idempotency-Key": str(body["id"])}
        try:
            answer = await self.client.exchange(
                "POST", self.url, self.message(body), headers, "utf-8"
            )
        except ReadError as error:
            raise DeliveryError(f"{self.shown}: {error.reason.value}") from error
        if answer.status >= 300:
            # Its words are left out: an error page may repeat the address.
            wait = refused(answer).retry_after
            raise DeliveryError(f"{self.shown}: HTTP {answer.status}", wait)

    def close(self) -> None:
        self.client.close()


class Slack(Webhook):
    """An incoming webhook of Slack, or of what takes its messages: Mattermost, Rocket.Chat."""

    kind = "slack"

    def message(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        return slack(body)


def checked(url: str, kind: str) -> str:
    """The address, from the environment where it is `env:NAME`. Raises `InputError` without it."""
    named_there = url.startswith("env:")
    value = os.environ.get(url[4:], "").strip() if named_there else url
    if not value:
        raise InputError(
            f"--notify {kind}: {url[4:] or 'env:'} is not set" if named_there else WRONG
        )
    try:
        parts = urlsplit(value)
        whole = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        whole = None
    if not whole or not value.isprintable() or " " in value:
        raise InputError(f"--notify {kind}: not an http(s) address" if named_there else WRONG)
    return value


WRONG = f"--notify takes {KINDS}"


def notifier(text: str, write: Callable[[str], None]) -> Notifier:
    """The notifier that an option names. Raises `InputError`, which never repeats an address."""
    kind, _, rest = text.partition(":")
    match kind:
        case "terminal" if not rest:
            return Terminal(write)
        case "file" if rest:
            return Lines(Path(rest))
        case "webhook" if rest:
            return Webhook(rest)
        case "slack" if rest:
            return Slack(rest)
    raise InputError(WRONG)
