"""Cancelling stops the work at the provider, not just the waiting for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
import trio
from mcp import Client

from tests.mcp_server.conftest import ended, started
from tests.mcp_server.test_transports import on_trio

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

BUSY = b"""<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error>
</ErrorResponse>"""


class Busy(BaseHTTPRequestHandler):
    """An AWS endpoint that always asks its caller to slow down."""

    protocol_version = "HTTP/1.1"
    asked = 0

    def do_POST(self) -> None:
        type(self).asked += 1
        self.rfile.read(int(self.headers.get("content-length") or 0))
        self.send_response(400)
        self.send_header("content-type", "text/xml")
        self.send_header("content-length", str(len(BUSY)))
        self.end_headers()
        self.wfile.write(BUSY)

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def busy() -> Iterator[str]:
    Busy.asked = 0
    with ThreadingHTTPServer(("127.0.0.1", 0), Busy) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


async def asked_soon() -> None:
    with trio.fail_after(30):
        while not Busy.asked:
            await trio.sleep(0.02)


async def asked_no_more() -> bool:
    """After a moment for what is under way, no request comes; a retry would within 3 s."""
    await trio.sleep(1)
    before = Busy.asked
    await trio.sleep(3)
    return Busy.asked == before


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28", "bare"])
def test_a_cancelled_scan_asks_its_provider_nothing_more(busy: str, tmp_path: Path, mode: str):
    given = {
        "AWS_ENDPOINT_URL": busy,
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_REGION": "eu-west-1",
    }
    server = started(tmp_path, more=given)
    scan = {"providers": ["aws"]}

    async def with_client() -> None:
        async with Client(server.url, mode=mode) as client, trio.open_nursery() as nursery:
            nursery.start_soon(client.call_tool, "deep_research", scan)
            await asked_soon()
            nursery.cancel_scope.cancel()

    async def bare() -> None:
        call = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "tools/call",
            "params": {"name": "deep_research", "arguments": scan},
        }
        async with httpx.AsyncClient() as client, trio.open_nursery() as nursery:

            async def post() -> None:
                await client.post(server.url, json=call, timeout=60)

            nursery.start_soon(post)
            await asked_soon()
            nursery.cancel_scope.cancel()

    async def work() -> bool:
        await (bare() if mode == "bare" else with_client())
        return await asked_no_more()

    try:
        assert on_trio(work)
    finally:
        ended(server)
