from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import trio.testing

from tests.providers.gcp.estate import everything
from tests.servers.gcp import Estate, GcpServer

Start = Callable[..., GcpServer]


@pytest.fixture(autouse=True)
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the machine's own configuration reaches a test."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    for name in list(os.environ):
        proxied = name.lower() in {"http_proxy", "https_proxy", "all_proxy", "no_proxy"}
        if proxied or name.startswith(("GOOGLE_", "CLOUDSDK_", "GCLOUD_", "GCE_", "K_SERVICE")):
            monkeypatch.delenv(name)


@pytest.fixture
def start(outside: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Start a server of an estate, and an environment that leads to it."""
    with ExitStack() as stack:

        def started(estate: Estate | None = None, **settings: Any) -> GcpServer:
            server = stack.enter_context(GcpServer(estate or everything(), **settings))
            for name, value in server.environment(tmp_path).items():
                monkeypatch.setenv(name, value)
            return server

        yield started


@pytest.fixture
def server(start: Start) -> GcpServer:
    return start()


@pytest.fixture
def autojump() -> trio.testing.MockClock:
    """A clock that does not wait."""
    return trio.testing.MockClock(autojump_threshold=0.05)
