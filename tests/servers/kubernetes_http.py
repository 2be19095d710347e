"""HTTP for the loopback API server, and what can go wrong on the way."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

from tests.servers.kubernetes_answers import Answer, error


@dataclass(eq=False)
class Fault:
    """What goes wrong on the paths that match, the first `times` times (0: always).

    `what` is a status ("403", "429", "500", "503", "504"), or "reset", "truncated", "garbled gzip",
    "html", "hang", "no items", "items null", "items text", "other kind", "same token",
    "new token", "410", "drip".
    """

    path: str  # regular expression, matched against the path with its query
    what: str
    times: int = 0
    retry_after: int = 1
    hits: int = 0


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: Mapping[str, str]
    body: Any = None


LATENCY = 0.0  # seconds, of every answer: set by who serves a whole estate


class Api(Protocol):
    """What answers the requests."""

    requests: list[Request]
    stopping: threading.Event

    def fault(self, path: str) -> Fault | None: ...
    def answer(self, request: Request) -> Answer: ...


class Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    context: ssl.SSLContext | None = None

    def __init__(self, address: tuple[str, int], api: Api) -> None:
        super().__init__(address, Handler)
        self.api = api

    def finish_request(self, request: Any, client_address: Any) -> None:
        if self.context is None:
            super().finish_request(request, client_address)
            return
        # The handshake is in the connection's own thread, so that nobody else waits for it.
        try:
            with self.context.wrap_socket(request, server_side=True) as wrapped:
                super().finish_request(wrapped, client_address)
        except OSError:  # the client did not trust us, or left
            return

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error of ours."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and body are two writes; the second would wait 40 ms
    server: Http  # pyright: ignore[reportIncompatibleVariableOverride]

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.respond(None)

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        try:
            self.respond(json.loads(raw))
        except ValueError:
            self.respond({})

    def respond(self, body: Any) -> None:
        api = self.server.api
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, body)
        api.requests.append(request)
        time.sleep(LATENCY)
        fault = api.fault(self.path)
        if fault and self.failed(fault):
            return
        answer = api.answer(request)
        self.give(altered(answer, fault) if fault else answer, fault)

    def failed(self, fault: Fault) -> bool:
        """Whether the fault took the place of an answer."""
        if fault.what.isdigit() and fault.what != "410":
            self.give(status_fault(fault, self.path))
        elif fault.what == "html":
            page = b"<html><body><h1>Sign in</h1></body></html>"
            self.give(Answer(200, page, "text/html"))
        elif fault.what == "hang":
            self.server.api.stopping.wait(60)
            self.close_connection = True
        elif fault.what == "reset":
            # With linger 0 the close is a reset, not an orderly end.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
        else:
            return False
        return True

    def give(self, answer: Answer, fault: Fault | None = None) -> None:
        body = answer.body
        self.send_response(answer.status)
        self.send_header("Audit-Id", "00000000-0000-4000-8000-000000000000")
        self.send_header("Cache-Control", answer.cache)
        self.send_header("Content-Type", answer.type)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if len(body) > 128 * 1024 and "gzip" in self.headers.get("accept-encoding", ""):
            body = gzip.compress(body, 1)
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Vary", "Accept-Encoding")
        what = fault.what if fault else ""
        if what == "garbled gzip":
            body = gzip.compress(body, 1)
            body = body[: len(body) // 2] + b"\0" * (len(body) // 2)
            self.send_header("Content-Encoding", "gzip")
        if what not in {"truncated", "drip"} and len(body) < 2048:
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            return
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if what == "drip":
            for byte in body:
                self.wfile.write(b"1\r\n%c\r\n" % byte)
                if self.server.api.stopping.wait(0.2):
                    break
        elif what == "truncated":
            half = body[: len(body) // 2]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(half), half))
            self.close_connection = True
        else:
            with suppress(ConnectionError):
                for start in range(0, len(body), 1 << 16):
                    part = body[start : start + (1 << 16)]
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
                self.wfile.write(b"0\r\n\r\n")


def status_fault(fault: Fault, path: str) -> Answer:
    status = int(fault.what)
    reasons = {
        403: ("Forbidden", "pods is forbidden"),
        429: (
            "TooManyRequests",
            "the server has received too many requests and has asked us to try again later",
        ),
        500: ("InternalError", "Internal error occurred: etcdserver: leader changed"),
        503: ("ServiceUnavailable", "the server is currently unable to handle the request"),
        504: ("Timeout", "Timeout: request did not complete within the allotted timeout"),
    }
    reason, message = reasons.get(status, ("Unknown", "unknown"))
    found = error(status, reason, message)
    if status in {429, 504}:
        found.headers["Retry-After"] = str(fault.retry_after)
    return found


def altered(answer: Answer, fault: Fault) -> Answer:
    """An answer with something wrong inside."""
    if answer.status != 200 or fault.what in {"truncated", "garbled gzip", "drip"}:
        return answer
    body = json.loads(answer.body)
    if fault.what == "no items":
        for name in ("items", "rows", "groups", "versions", "resources"):
            body.pop(name, None)
    elif fault.what == "items null":
        body["items"] = body["rows"] = None
    elif fault.what == "items text":
        body["items"] = body["rows"] = "none"
    elif fault.what == "other kind":
        body["kind"] = "ConfigMapKeySelector"
    elif fault.what == "same token":
        body["metadata"]["continue"] = "c2FtZQ=="
    elif fault.what == "new token":
        body["metadata"]["continue"] = f"token-{fault.hits}"
    elif fault.what == "410":
        return error(410, "Expired", "The provided continue parameter is too old")
    return Answer(200, json.dumps(body).encode())
