"""A loopback HTTP server whose answers a function decides: what the servers of REST platforms share.

    with RestServer(answer) as server:
        ...  # point the client at server.url

`answer` gets a `Seen` request and gives an `Answer`; `json_answer` makes one of JSON data. With
`tls` the server speaks HTTPS with a certificate of a made-up authority, in `server.authority` (a
file for SSL_CERT_FILE). With `socket` it listens on a Unix socket. `requests` remembers what came.
"""

from __future__ import annotations

import json
import re
import socketserver
import ssl
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.servers.proxy import Answer, Exchange, Seen, Server

LATENCY = 0.0  # seconds, of every answer of every server: set by who serves a whole estate


def json_answer(data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    kinds = {"content-type": "application/json", **(headers or {})}
    return Answer(status, kinds, json.dumps(data).encode())


@dataclass(frozen=True)
class Request:
    """A request taken apart."""

    seen: Seen

    @property
    def method(self) -> str:
        return self.seen.method

    @property
    def path(self) -> str:
        return urlsplit(self.seen.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.seen.target).query, keep_blank_values=True))

    @property
    def headers(self) -> dict[str, str]:
        return self.seen.headers

    @property
    def json(self) -> Any:
        return json.loads(self.seen.body or b"null")

    def match(self, api: str) -> dict[str, str] | None:
        """The slots of "GET /zones/{zone}" filled from this request, or None if it is another."""
        method, _, path = api.partition(" ")
        if method != self.method:
            return None
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(path))
        found = re.fullmatch(pattern, self.path)
        return {k: unquote(v) for k, v in found.groupdict().items()} if found else None


@dataclass(eq=False)
class RestServer:
    answer: Callable[[Request], Answer]
    tls: bool = False
    socket: Path | None = None
    latency: float = 0.0  # seconds, of each answer
    fault: Callable[[Request], Answer | None] | None = None  # an answer to give instead
    requests: list[Request] = field(default_factory=list)
    calls: int = 0
    server: Any = None
    folder: Any = None
    authority: str = ""

    @property
    def url(self) -> str:
        if self.socket:
            return f"unix://{self.socket}"
        return f"{'https' if self.tls else 'http'}://localhost:{self.server.server_port}"

    def __enter__(self) -> Self:
        owner = self

        class Handler(Exchange):
            disable_nagle_algorithm = owner.socket is None

            def exchange(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                body = self.rfile.read(length) if length else b""
                names = {name.lower(): value for name, value in self.headers.items()}
                request = Request(Seen(self.command, self.path, names, body))
                owner.calls += 1
                owner.requests.append(request)
                time.sleep(LATENCY + owner.latency)
                found = owner.fault(request) if owner.fault else None
                self.give(found or owner.answer(request))

            do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = exchange  # noqa: N815

        if self.socket:
            self.server = UnixServer(str(self.socket), Handler)
        else:
            self.server = Server(("localhost", 0), Handler)
        if self.tls:
            self.secure()
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def secure(self) -> None:
        import trustme

        authority = trustme.CA()
        self.folder = tempfile.TemporaryDirectory()
        self.authority = str(Path(self.folder.name) / "authority.pem")
        authority.cert_pem.write_to_path(self.authority)
        settings = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("localhost", "127.0.0.1").configure_cert(settings)
        self.server.socket = settings.wrap_socket(self.server.socket, server_side=True)

    def __exit__(self, *exc: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        if self.folder:
            self.folder.cleanup()


class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256
    server_name, server_port = "localhost", 0

    def get_request(self) -> Any:
        request, _ = super().get_request()
        return request, ("local", 0)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no event here."""
