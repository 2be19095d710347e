"""One API server over HTTP: requests, and its refusals as `ReadError`.

Answers stay raw JSON. Building typed models of them takes several times the CPU and memory
(`tests/benchmarks/bench_kubernetes.py`).
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import trio

from infrascan import __version__
from infrascan.model import ReadError, Reason
from infrascan.providers.kubernetes.arrival import received, target
from infrascan.providers.kubernetes.tables import permission

CONNECT_SECONDS = 2.5
SILENT_SECONDS = 30.0  # without a byte
CHUNK = 1 << 20
LARGEST = 512 << 20  # bytes of one answer; pages of 500 objects are a few megabytes
EXPIRY_MARGIN = timedelta(seconds=60)

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
DISCOVERY = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,"
    "application/json"
)
# The only requests besides GET: questions about ourselves, which change nothing.
QUESTIONS = frozenset(
    {
        "/apis/authentication.k8s.io/v1/selfsubjectreviews",
        "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
    }
)

# What a container wrote: the one answer that is text.
LOG = re.compile(r"^/api/v1/namespaces/[^/]+/pods/[^/]+/log$")


def accept(path: str) -> str:
    if LOG.match(path):
        return "text/plain, application/json;q=0.5, */*;q=0.1"
    table, _ = target(path)
    if table is not None and table.kind == "k8s.secret":
        return TABLE  # names and types only: the API server keeps the data to itself
    return DISCOVERY if path in {"/api", "/apis"} else "application/json"


class Client:
    """A connection to one API server. Used from threads; blocking."""

    def __init__(self, api: Any, expires: datetime | None) -> None:
        self.settings = api.configuration
        self.pool = api.rest_client.pool_manager
        self.expires = expires
        self.lock = threading.Lock()

    @property
    def expired(self) -> bool:
        return self.expires is not None and datetime.now(UTC) > self.expires - EXPIRY_MARGIN

    def headers(self, path: str) -> dict[str, str]:
        found = {
            "Accept": accept(path),
            "Accept-Encoding": "gzip",
            "User-Agent": f"infrascan/{__version__}",
        }
        with self.lock:  # reading it may renew a token
            bearer = self.settings.auth_settings().get("BearerToken")
        if bearer and bearer["value"]:
            found["Authorization"] = bearer["value"]
        return found

    def request(self, method: str, path: str, params: Mapping[str, Any]) -> Any:
        """The answer as JSON, without secrets. Raises `ReadError`.

        A 410 to a page is an answer too: it says how to go on.
        """
        if method == "GET":
            query, body = f"?{urlencode(params)}" if params else "", None
        elif method == "POST" and path in QUESTIONS:
            query, body = "", json.dumps(params)
        else:
            raise ValueError(f"{method} {path}: infrascan only reads")
        headers = self.headers(path)
        if body is not None:
            headers["Content-Type"] = "application/json"
        status, answered, raw = self.exchange(method, path + query, headers, body)
        if status >= 300 and status != 410:
            raise refusal(status, answered, raw, path)
        if LOG.match(path):
            return {"text": raw.decode("utf-8", "replace")}
        try:
            answer = json.loads(raw)
        except ValueError as error:
            raise ReadError(
                Reason.MALFORMED,
                f"answered {status} with {shown(answered)}, which is not JSON",
                code=str(status),
            ) from error
        return received(path, answer)

    def exchange(
        self, method: str, target: str, headers: Mapping[str, str], body: str | None
    ) -> tuple[int, Mapping[str, str], bytes]:
        import urllib3
        from urllib3 import exceptions

        try:
            response = self.pool.request(
                method,
                self.settings.host + target,
                headers=headers,
                body=body,
                timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=SILENT_SECONDS),
                retries=False,
                redirect=False,  # the token goes to no other host
                preload_content=False,
            )
            try:
                return response.status, response.headers, whole(response)
            finally:
                # What is left unread cannot be reused, and draining it could take for ever.
                if not response.closed and response.length_remaining != 0:
                    response.close()
                response.release_conn()
        except exceptions.SSLError as error:
            raise ReadError(
                Reason.UNREACHABLE, f"TLS to {self.settings.host} failed: {error}", code="TLS"
            ) from error
        except exceptions.ReadTimeoutError as error:
            raise ReadError(
                Reason.TIMED_OUT, f"{self.settings.host} was silent for {SILENT_SECONDS:.0f} s"
            ) from error
        except exceptions.DecodeError as error:
            raise ReadError(Reason.MALFORMED, f"the answer is garbled: {error}") from error
        except (exceptions.HTTPError, OSError) as error:
            raise ReadError(
                Reason.UNREACHABLE, f"no answer from {self.settings.host}: {cause(error)}"
            ) from error

    def close(self) -> None:
        self.pool.clear()


def whole(response: Any) -> bytes:
    """The body, decoded. Stops early when the call was cancelled, or when there is no end."""
    parts = []
    size = 0
    for part in response.stream(CHUNK, decode_content=True):
        size += len(part)
        if size > LARGEST:
            raise ReadError(
                Reason.TRUNCATED, f"the answer is larger than {LARGEST >> 20} MB", code="size"
            )
        parts.append(part)
        trio.from_thread.check_cancelled()
    return b"".join(parts)


def cause(error: BaseException) -> str:
    """The innermost reason, in a few words: "Connection refused"."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def shown(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0] or "a body without a type"


def refusal(status: int, headers: Mapping[str, str], raw: bytes, path: str) -> ReadError:
    """The error that an answer other than 2xx is."""
    try:
        body = json.loads(raw)
    except ValueError:
        body = None
    body = body if isinstance(body, dict) else {}
    said = str(body.get("message") or "") or f"a body of {shown(headers)}"
    detail = f"HTTP {status}: {said[:500]}"
    code = str(status)
    table, namespace = target(path)
    needed = permission(table.resource, table.group, namespace) if table else f"get {path}"
    if status == 401:
        return ReadError(
            Reason.UNAUTHENTICATED,
            f"{detail}: the credentials are missing, wrong or expired; log in again",
            code=code,
        )
    if status == 403:
        return ReadError(Reason.DENIED, detail, code=code, permission=needed)
    if status == 404:
        return ReadError(Reason.DISABLED, f"{detail}: not served here", code=code)
    wait = retry_after(headers, body)
    if status == 429:
        return ReadError(Reason.THROTTLED, detail, code=code, retry_after=wait)
    if status >= 500:
        return ReadError(Reason.UNREACHABLE, detail, code=code, retry_after=wait)
    return ReadError(Reason.MALFORMED, detail, code=code)


def retry_after(headers: Mapping[str, str], body: Mapping[str, Any]) -> float | None:
    """Seconds to wait, from the header or from the Status; None where neither says."""
    details = body.get("details")
    for value in (
        headers.get("retry-after"),
        details.get("retryAfterSeconds") if isinstance(details, dict) else None,
    ):
        try:
            seconds = float(value) if value is not None else 0.0
        except (TypeError, ValueError):  # an HTTP date: the engine's own backoff will do
            continue
        if seconds > 0:
            return seconds
    return None
