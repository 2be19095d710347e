"""The one REST client: a request out, JSON in, every refusal a `ReadError`.

It runs on trio without threads, through httpx. It never retries, follows no redirect to another
host, and stops reading a body that has no end; pace and patience are the engine's.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from infrascan import __version__
from infrascan.model import ReadError, Reason
from infrascan.providers import sdk
from infrascan.providers.templates import SLOT

if TYPE_CHECKING:
    import ssl

    import httpx

CONNECT_SECONDS = 5.0
SILENT_SECONDS = 30.0  # without a byte
LARGEST = 256 << 20  # bytes of one answer
POOL = 64  # connections
MOVED = frozenset({301, 302, 307, 308})


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: `body` is JSON, or text where the type says so."""

    status: int
    headers: Mapping[str, str]  # lower-case names
    body: Any


Refusal = Callable[[Answer], "ReadError | None"]
"""A vendor's own reading of an answer of status 300 and above; None leaves it to `refused`."""


@dataclass(eq=False)
class Client:
    """A connection to one API. Building it opens nothing.

    `headers` go with every request to `url`, and nowhere else. `socket` is the path of a Unix
    socket to connect to instead of the host of `url`.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    refusal: Refusal = lambda _: None
    socket: str = ""
    verify: ssl.SSLContext | None = None
    opened: httpx.AsyncClient | None = None
    sockets: set[Any] = field(default_factory=set)  # that answers came through

    async def request(
        self,
        api: str,
        params: Mapping[str, Any],
        *,
        headers: Mapping[str, str] | None = None,
        text: bool = False,
        encoding: str = "utf-8",
    ) -> Answer:
        """Make the request that `api` spells, "GET /zones/{zone}". Raises `ReadError`.

        Parameters fill the slots of the path; the rest is the query, or a POST's JSON body. An
        answer of bytes comes whole as text in the encoding "latin-1".
        """
        method, _, path = api.partition(" ")
        names = set(SLOT.findall(path))
        path = SLOT.sub(lambda match: quote(str(params[match[1]]), safe=""), path)
        rest = {
            name: value for name, value in params.items() if name not in names and name[0] != "#"
        }
        answer = await self.exchange(
            method, self.url.rstrip("/") + path, rest, headers or {}, text and encoding
        )
        if answer.status in MOVED and (place := self.moved(answer)):
            answer = await self.exchange(method, place, {}, headers or {}, text and encoding)
        if answer.status >= 300:
            raise self.refusal(answer) or refused(answer)
        if not text and isinstance(answer.body, str):
            kind = answer.headers.get("content-type", "").partition(";")[0] or "a body without type"
            raise ReadError(
                Reason.MALFORMED,
                f"answered {answer.status} with {kind}, which is not JSON",
                code=str(answer.status),
            )
        return answer

    def moved(self, answer: Answer) -> str:
        """Where a redirect leads, when it stays on the same host; else ""."""
        place, here = urlsplit(answer.headers.get("location", "")), urlsplit(self.url)
        if place.netloc and (place.scheme, place.netloc) != (here.scheme, here.netloc):
            return ""
        return f"{here.scheme}://{here.netloc}{place.path}" + (
            f"?{place.query}" if place.query else ""
        )

    async def exchange(
        self,
        method: str,
        url: str,
        rest: Mapping[str, Any],
        headers: Mapping[str, str],
        text: str | bool,  # the encoding of an answer that is text
    ) -> Answer:
        sent: dict[str, Any] = {"json": rest} if method == "POST" else {}
        if method != "POST" and rest:
            sent["params"] = {name: plain(value) for name, value in rest.items()}
        await sdk.ready("httpx", "httpcore")
        with translated(urlsplit(self.url).netloc):
            async with self.client().stream(method, url, headers=dict(headers), **sent) as response:
                if stream := response.extensions.get("network_stream"):
                    self.sockets.add(stream.get_extra_info("socket"))
                raw = await whole(response)
        status, received = response.status_code, response.headers
        if text and status < 300:
            kept = {name.lower(): value for name, value in received.items()}
            return Answer(status, kept, raw.decode(str(text), "replace"))
        return parsed(status, received, raw)

    def client(self) -> httpx.AsyncClient:
        if self.opened is None:
            import httpx

            pool = httpx.Limits(max_connections=POOL, max_keepalive_connections=POOL)
            secure = self.verify or (context() if self.url.startswith("https:") else False)
            transport = (
                httpx.AsyncHTTPTransport(uds=self.socket, limits=pool) if self.socket else None
            )
            own = {"User-Agent": f"infrascan/{__version__}", "Accept": "application/json"}
            self.opened = httpx.AsyncClient(
                headers={**own, **self.headers},
                limits=pool,
                timeout=httpx.Timeout(SILENT_SECONDS, connect=CONNECT_SECONDS, pool=None),
                transport=transport,
                verify=secure,
            )
        return self.opened

    def close(self) -> None:
        """Close the connections without a farewell, which would take waiting for."""
        self.opened = None
        while self.sockets:
            # Outside of trio's loop nothing can be closed properly, nor be waiting for it.
            with suppress(RuntimeError):
                self.sockets.pop().close()


def parsed(status: int, headers: Mapping[str, str], raw: bytes) -> Answer:
    """The answer with its body read as JSON, or as text where it is none."""
    kept = {name.lower(): value for name, value in headers.items()}
    try:
        return Answer(status, kept, json.loads(raw) if raw else None)
    except ValueError:
        return Answer(status, kept, raw[:2000].decode("utf-8", "replace"))


def context() -> ssl.SSLContext:
    """How servers are verified: by certifi's authorities, or those that SSL_CERT_FILE names.

    One for all clients: loading the authorities costs more than many requests.
    """
    return trusting(os.environ.get("SSL_CERT_FILE", ""), os.environ.get("SSL_CERT_DIR", ""))


@cache
def trusting(file: str, folder: str) -> ssl.SSLContext:  # noqa: ARG001 (httpx reads the variables)
    import httpx

    return httpx.create_ssl_context()


@contextmanager
def translated(host: str) -> Iterator[None]:
    """Turn httpx's errors into `ReadError`; also for SDKs that send through httpx."""
    import httpx

    try:
        yield
    except httpx.TimeoutException as error:
        raise ReadError(Reason.TIMED_OUT, f"{host} was silent: {cause(error)}") from error
    except httpx.DecodingError as error:
        raise ReadError(Reason.MALFORMED, f"the answer is garbled: {cause(error)}") from error
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise ReadError(Reason.UNREACHABLE, f"no answer from {host}: {cause(error)}") from error


def response_class() -> type[httpx.Response]:
    """What an SDK that sends through httpx is asked for to get an answer raw, and unread."""
    import httpx

    return httpx.Response


async def whole(response: httpx.Response) -> bytes:
    """The body, decoded. Stops when there is no end to it."""
    parts: list[bytes] = []
    size = 0
    async for part in response.aiter_bytes():
        size += len(part)
        if size > LARGEST:
            detail = f"the answer is larger than {LARGEST >> 20} MB"
            raise ReadError(Reason.TRUNCATED, detail, code="size")
        parts.append(part)
    return b"".join(parts)


def plain(value: Any) -> Any:
    """A query parameter as vendors write it: true, not True; lists as repeated parameters."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value


def refused(answer: Answer) -> ReadError:
    """What an answer of status 300 and above means, as far as the status and headers tell."""
    status, code = answer.status, str(answer.status)
    detail = f"HTTP {status}: {said(answer.body)}"
    wait = retry_after(answer.headers)
    if status == 401:
        return ReadError(
            Reason.UNAUTHENTICATED,
            f"{detail}: the credentials are missing, wrong or expired",
            code=code,
        )
    if status == 403:
        return ReadError(Reason.DENIED, detail, code=code)
    if status in {404, 410, 501}:
        return ReadError(Reason.DISABLED, f"{detail}: not there, or not visible to us", code=code)
    if status == 429:
        return ReadError(Reason.THROTTLED, detail, code=code, retry_after=wait)
    if status >= 500 or status == 408:
        return ReadError(Reason.UNREACHABLE, detail, code=code, retry_after=wait)
    return ReadError(Reason.MALFORMED, detail, code=code)


def said(body: Any) -> str:
    """The message in an error's body, in whichever of the usual places, at most 500 characters."""
    if isinstance(body, dict):
        for place in (body, body.get("error"), *(body.get("errors") or [])[:1]):
            if isinstance(place, str):
                return place[:500]
            if isinstance(place, dict):
                for name in ("message", "error_description", "Message", "detail"):
                    if isinstance(place.get(name), str) and place[name]:
                        return str(place[name])[:500]
    return "without a message" if not body or isinstance(body, dict | list) else "not JSON"


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait: `Retry-After` in seconds or as a date; None where it says nothing."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        return max(float(value), 0.0)
    except ValueError:
        pass
    try:
        return max((parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds(), 0.0)
    except (TypeError, ValueError):
        return None


def cause(error: BaseException) -> str:
    """The innermost reason, in a few words: "Connection refused"."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    while isinstance(error, BaseExceptionGroup):  # one for each address of a name
        error = error.exceptions[0]
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
