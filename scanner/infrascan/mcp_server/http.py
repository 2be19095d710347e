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
import ssl
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import trio
from mcp.server.transport_security import TransportSecuritySettings

from infrascan.mcp_server import logs
from infrascan.mcp_server.server import server
from infrascan.mcp_server.workspace import Options, Workspace
from infrascan.model import InputError

ASGI: TypeAlias = Callable[[Any, Any, Any], Awaitable[None]]
Scope: TypeAlias = MutableMapping[str, Any]

BODY = 1024 * 1024  # bytes of a request, far more than any question
IDLE = 75.0  # seconds that a connection without a request stays open
GRACE = 2.0  # seconds that open streams get at shutdown


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Where to listen, and what protects it."""

    listen: str = "127.0.0.1:39393"
    token_file: str | None = None
    certificate: str | None = None  # PEM files
    key: str | None = None
    allow_remote: bool = False  # TLS ends in front of us, says the operator
    names: tuple[str, ...] = ()  # further names under which clients address us


def run_http(
    home: Path,
    network: Network,
    options: Options | None = None,
    starting: Callable[[str], None] = lambda _: None,
) -> None:
    """Serve until SIGINT or SIGTERM. Raises `InputError` for an address it must not or cannot use.

    `starting` is called with the URL when nothing stands in the way any more.
    """
    host, port = address(network.listen)
    token = token_from(network.token_file)
    if bool(network.certificate) != bool(network.key):
        raise InputError("--tls-cert and --tls-key belong together; give both")
    if not loopback(host):
        if not token:
            raise InputError(
                f"--listen {network.listen}: beyond loopback a token is required; give --token-file FILE"
            )
        if not network.certificate and not network.allow_remote:
            raise InputError(
                f"--listen {network.listen}: beyond loopback tokens and answers must not go in the "
                "clear; give --tls-cert and --tls-key, or --allow-remote where TLS ends in front"
            )
    checked_pair(network)
    available(host, port)
    shown = f"[{host}]" if ":" in host else host
    starting(f"{'https' if network.certificate else 'http'}://{shown}:{port}/mcp")
    logs.set_up()
    trio.run(partial(serve, home, host, port, token, network, options or Options()))


def checked_pair(network: Network) -> None:
    """Say in one line that certificate and key cannot be used, before the server starts."""
    if not network.certificate or not network.key:
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(network.certificate, network.key)
    except (OSError, ssl.SSLError) as error:
        said = error.strerror or error.__class__.__name__
        raise InputError(
            f"--tls-cert {network.certificate} cannot be used with its key ({said})"
        ) from error


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


async def serve(
    home: Path, host: str, port: int, token: str, network: Network, options: Options
) -> None:
    from hypercorn.config import Config
    from hypercorn.trio import serve as hypercorn_serve

    config = Config()
    shown = f"[{host}]" if ":" in host else host
    config.bind = [f"{shown}:{port}"]
    config.graceful_timeout = GRACE
    config.keep_alive_timeout = IDLE
    config.accesslog = None
    config.errorlog = None
    config.certfile, config.keyfile = network.certificate, network.key
    stopped = trio.Event()
    space = Workspace(home, options)
    app = guarded(Both(space, host, port, network), token)
    async with trio.open_nursery() as nursery, space.running():

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

    def __init__(self, space: Workspace, host: str, port: int, network: Network) -> None:
        known = [*names(host), *network.names]
        scheme = "https" if network.certificate else "http"
        security = TransportSecuritySettings(
            enable_dns_rebinding_protection=True,
            allowed_hosts=[f"{name}:{port}" for name in known] + known,
            allowed_origins=[f"{scheme}://{name}:{port}" for name in known],
        )
        mcp = server(space)
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
    """The app behind a token; without a token, the app itself."""
    if not token:
        return app
    expected = token.encode()

    async def guard(scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and not hmac.compare_digest(credential(scope), expected):
            await refuse(send, 401, "a token is required, as Authorization: Bearer or X-Api-Key")
            return
        await app(scope, receive, send)

    return guard


def credential(scope: Scope) -> bytes:
    """What the client sends as its token; never one in the address, which logs would keep."""
    headers = {key.lower(): value for key, value in scope["headers"]}
    given: bytes = headers.get(b"authorization", b"")
    if given[:7].lower() == b"bearer ":
        return given[7:].strip()
    key: bytes = headers.get(b"x-api-key", b"")
    return key


async def refuse(send: Any, status: int, text: str) -> None:
    body = json.dumps({"error": text}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
