"""A proxy on loopback in front of a test server: counts, delays, injects faults, remembers.

    with Proxy(server.url, latency=0.1) as proxy:
        ...  # point the SDK at proxy.url

A fault is decided by a function of the request. `remember` answers a repeated request from
memory, which makes a thousand runs against a slow server fast. Run as
`python -m tests.servers.proxy URL SECONDS [remember]` it is a process of its own and prints its port;
a GET of /proxy-counts then gives what it counted.
"""

from __future__ import annotations

import http.client
import json
import re
import socket
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit

HTML = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Sign in</body></html>"
HOP = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}
)


SESSION = re.compile(rb"&RoleSessionName=[^&]*")


@dataclass(frozen=True)
class Seen:
    """A request as the proxy sees it."""

    method: str
    target: str
    headers: dict[str, str]  # lower-case names
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What is sent back. `cut` sends only that share of the body, then hangs up."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    cut: float = 1.0
    reset: bool = False


RESET = Answer(reset=True)
PAGE = Answer(200, {"content-type": "text/html"}, HTML)


@dataclass(eq=False)
class Proxy:
    """The proxy. `fault` may return an answer to give instead, or change the real one."""

    upstream: str
    latency: float = 0.0
    fault: Callable[[Seen], Answer | None] | None = None
    change: Callable[[Seen, Answer], Answer] | None = None
    remember: bool = False
    calls: int = 0
    most_in_flight: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    memory: dict[tuple[str, str, bytes, str], Answer] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    in_flight: int = 0
    server: Any = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> Self:
        proxy = self

        class Handler(Exchange):
            owner = proxy

        self.server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def answer(self, seen: Seen, forward: Callable[[Seen], Answer]) -> Answer:
        with self.lock:
            self.calls += 1
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            if self.latency:
                time.sleep(self.latency)
            found = self.fault(seen) if self.fault else None
            if found is not None:
                return found
            found = self.real(seen, forward)
            return self.change(seen, found) if self.change else found
        finally:
            with self.lock:
                self.in_flight -= 1

    def real(self, seen: Seen, forward: Callable[[Seen], Answer]) -> Answer:
        if not self.remember or b"Action=GenerateCredentialReport" in seen.body:
            return forward(seen)  # asked again until the answer is another
        mark = seen.headers.get("x-amz-target", "") + seen.headers.get("authorization", "")[:90]
        # A session's name has the time in it; with new credentials nothing would be known again.
        key = (seen.method, seen.target, SESSION.sub(b"", seen.body), mark)
        if key not in self.memory:
            self.memory[key] = forward(seen)
        return self.memory[key]


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no event here."""


class Exchange(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    owner: Proxy
    connection_up: http.client.HTTPConnection | None = None

    def exchange(self) -> None:
        if self.path == "/proxy-counts":
            counts = {"calls": self.owner.calls, "most_in_flight": self.owner.most_in_flight}
            self.give(
                Answer(200, {"content-type": "application/json"}, json.dumps(counts).encode())
            )
            return
        length = int(self.headers.get("content-length") or 0)
        seen = Seen(
            self.command,
            self.path,
            {name.lower(): value for name, value in self.headers.items()},
            self.rfile.read(length) if length else b"",
        )
        self.give(self.owner.answer(seen, self.forward))

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = exchange  # noqa: N815

    def give(self, answer: Answer) -> None:
        if answer.reset:
            self.hang_up()
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in HOP:
                self.send_header(name, value)
        self.send_header("content-length", str(len(answer.body)))
        self.end_headers()
        body = answer.body[: int(len(answer.body) * answer.cut)]
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()
        if answer.cut < 1:
            self.hang_up(gently=True)

    def hang_up(self, *, gently: bool = False) -> None:
        """Close the connection at once: with a reset, or gently, as a server that died."""
        if not gently:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR) if gently else self.connection.close()
        self.close_connection = True

    def forward(self, seen: Seen) -> Answer:
        place = urlsplit(self.owner.upstream)
        for last in (False, True):
            if self.connection_up is None:
                self.connection_up = http.client.HTTPConnection(place.netloc, timeout=60)
                self.connection_up.connect()
                self.connection_up.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                self.connection_up.request(seen.method, seen.target, seen.body, seen.headers)
                response = self.connection_up.getresponse()
                body = response.read()
            except (http.client.HTTPException, OSError):
                self.connection_up.close()
                self.connection_up = None
                if last:
                    raise
                continue
            if response.will_close:
                self.connection_up.close()
                self.connection_up = None
            return Answer(response.status, dict(response.getheaders()), body)
        raise AssertionError("unreachable")

    def finish(self) -> None:
        with suppress(OSError):
            super().finish()
        if self.connection_up is not None:
            self.connection_up.close()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def main(upstream: str, latency: float, *, remember: bool) -> None:
    with Proxy(upstream, latency, remember=remember) as proxy:
        print(proxy.url.rpartition(":")[2], flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), remember="remember" in sys.argv[3:])
