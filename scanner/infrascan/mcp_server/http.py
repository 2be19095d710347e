"""MCP over HTTP, on hypercorn's trio worker.

Two apps of one server stand behind one address. A bare JSON-RPC POST without session or protocol
version gets a plain JSON answer from the stateless one; full clients get sessions and streamed
progress from the other.
"""

from __future__ import annotations

import hmac
import ipaddress
import json
import signal
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import trio
from mcp.server.transport_security import TransportSecuritySettings

from infrascan.mcp_server.tools import server
from infrascan.model import InputError

ASGI: TypeAlias = Callable[[Any, Any, Any], Awaitable[None]]
Scope: TypeAlias = MutableMapping[str, Any]

BODY = 1024 * 1024  # bytes of a request, far more than any question
GRACE = 2.0  # seconds that open streams get at shutdown


def run_http(
    home: Path, listen: str, token_file: str | None, starting: Callable[[], None] = lambda: None
) -> None:
    """Serve until SIGINT or SIGTERM. Raises `InputError` for an address it must not or cannot use.

    `starting` is called when nothing stands in the way any more.
    """
    host, port = address(listen)
    token = token_from(token_file)
    if not loopback(host) and not token:
        raise InputError(
            f"--listen {listen}: beyond loopback a token is required; give --token-file FILE, "
            "and put TLS in front"
        )
    available(host, port)
    starting()
    trio.run(partial(serve, home, host, port, token))


def address(listen: str) -> tuple[str, int]:
    host, colon, port = listen.rpartition(":")
    if not colon or not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise InputError(f"--listen {listen!r}: not HOST:PORT, such as 127.0.0.1:39393")
    return host.strip("[]"), int(port)


def loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def token_from(path: str | None) -> str:
    if path is None:
        return ""
    try:
        token = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"--token-file {path}: {error}") from error
    if len(token) < 16:
        raise InputError(f"--token-file {path}: holds fewer than 16 characters")
    return token


def available(host: str, port: int) -> None:
    """Say in one line that the port is taken, before the server starts."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise InputError(
                f"--listen {host}:{port}: {error.strerror or error}; is another infrascan mcp running?"
            ) from error


async def serve(home: Path, host: str, port: int, token: str) -> None:
    from hypercorn.config import Config
    from hypercorn.trio import serve as hypercorn_serve

    config = Config()
    shown = f"[{host}]" if ":" in host else host
    config.bind = [f"{shown}:{port}"]
    config.graceful_timeout = GRACE
    config.accesslog = None
    config.errorlog = None
    stopped = trio.Event()
    app = guarded(Both(home, host, port), token)
    async with trio.open_nursery() as nursery:

        async def wait_for_signal() -> None:
            with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
                async for _ in signals:
                    stopped.set()
                    return

        nursery.start_soon(wait_for_signal)
        await hypercorn_serve(app, config, shutdown_trigger=stopped.wait)
        nursery.cancel_scope.cancel()


class Both:
    """The stateless and the full app of one server, told apart by how the client speaks."""

    def __init__(self, home: Path, host: str, port: int) -> None:
        security = TransportSecuritySettings(
            enable_dns_rebinding_protection=True,
            allowed_hosts=[f"{name}:{port}" for name in names(host)] + names(host),
            allowed_origins=[f"http://{name}:{port}" for name in names(host)],
        )
        mcp = server(home)
        make = partial(mcp.streamable_http_app, transport_security=security, host=host)
        self.full = make(max_request_body_size=BODY)
        self.plain = make(stateless_http=True, json_response=True, max_request_body_size=BODY)

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self.lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        if scope["path"] == "/":
            scope = {**scope, "path": "/mcp", "raw_path": b"/mcp"}
        headers = {key.lower(): value for key, value in scope["headers"]}
        bare = not headers.keys() & {b"mcp-session-id", b"mcp-protocol-version"}
        if scope["method"] != "POST" or not bare:
            await self.full(scope, receive, send)
            return
        body = await whole(receive)
        if body is None:
            await refuse(send, 413, f"the body is larger than {BODY} bytes")
            return
        if method_of(body) == "initialize":
            await self.full(scope, again(body, receive), send)
        else:
            await cancelled_on_disconnect(self.plain, lenient(scope), body, receive, send)

    async def lifespan(self, receive: Any, send: Any) -> None:
        await receive()
        async with AsyncExitStack() as stack:
            for app in (self.full, self.plain):
                await stack.enter_async_context(app.router.lifespan_context(app))
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


def names(host: str) -> list[str]:
    """The names under which a client may address the server; others are DNS rebinding."""
    local = ["127.0.0.1", "localhost", "[::1]"]
    shown = f"[{host}]" if ":" in host else host
    return local if loopback(host) else [shown, *local]


def lenient(scope: Scope) -> Scope:
    """The request with an Accept header that the SDK takes: a bare client sends `*/*` or none."""
    headers = [(k, v) for k, v in scope["headers"] if k.lower() != b"accept"]
    return {**scope, "headers": [*headers, (b"accept", b"application/json, text/event-stream")]}


async def whole(receive: Any) -> bytes | None:
    """The request's body, or None when it is larger than we take."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b""
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > BODY:
            return None
        if not message.get("more_body"):
            return b"".join(parts)


def method_of(body: bytes) -> str:
    try:
        message = json.loads(body)
    except ValueError:
        return ""
    return str(message.get("method", "")) if isinstance(message, dict) else ""


def again(body: bytes, receive: Any) -> Any:
    """A `receive` that gives the body that was already read, then goes on."""
    given = False

    async def first_then_rest() -> Any:
        nonlocal given
        if not given:
            given = True
            return {"type": "http.request", "body": body, "more_body": False}
        return await receive()

    return first_then_rest


async def cancelled_on_disconnect(
    app: ASGI, scope: Scope, body: bytes, receive: Any, send: Any
) -> None:
    """Run the app; when the client goes away, so does its work.

    The SDK's stateless mode does not watch the connection, so a dropped scan would run on.
    """
    gone = trio.Event()

    async def receive_after() -> Any:
        await gone.wait()
        return {"type": "http.disconnect"}

    async with trio.open_nursery() as nursery:

        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            gone.set()
            nursery.cancel_scope.cancel()

        nursery.start_soon(watch)
        await app(scope, again(body, receive_after), send)
        nursery.cancel_scope.cancel()


def guarded(app: ASGI, token: str) -> ASGI:
    """The app behind a bearer token; without a token, the app itself."""
    if not token:
        return app
    expected = f"Bearer {token}".encode()

    async def guard(scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            given = next((v for k, v in scope["headers"] if k.lower() == b"authorization"), b"")
            if not hmac.compare_digest(given, expected):
                await refuse(send, 401, "a bearer token is required")
                return
        await app(scope, receive, send)

    return guard


async def refuse(send: Any, status: int, text: str) -> None:
    body = json.dumps({"error": text}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
