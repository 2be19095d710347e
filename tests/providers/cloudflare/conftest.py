from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from fixtures.estates import cloudflare_acme

from tests.providers.cloudflare.reader import everything
from tests.servers.cloudflare import BASE, TOKEN, Estate, serving
from tests.servers.rest import RestServer


@pytest.fixture(autouse=True)
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the machine's own configuration reaches a test."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in list(os.environ):
        if name.startswith("CLOUDFLARE_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def running() -> Iterator[RestServer]:
    with serving(Estate()) as server:
        yield server


def led_to(server: RestServer, estate: Estate, monkeypatch: pytest.MonkeyPatch) -> RestServer:
    """The server with this estate, and an environment that leads to it."""
    server.answer, server.fault = estate.answer, None
    server.requests.clear()
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", TOKEN)
    monkeypatch.setenv("CLOUDFLARE_BASE_URL", server.url + BASE)
    return server


@pytest.fixture
def acme() -> Estate:
    return cloudflare_acme.estate()


@pytest.fixture
def server(
    running: RestServer, acme: Estate, outside: None, monkeypatch: pytest.MonkeyPatch
) -> RestServer:
    return led_to(running, acme, monkeypatch)


@pytest.fixture(scope="module")
def whole() -> Estate:
    return everything()


@pytest.fixture
def full(
    running: RestServer, whole: Estate, outside: None, monkeypatch: pytest.MonkeyPatch
) -> RestServer:
    """A server whose estate leads to every call of the tables; tests leave it as it is."""
    return led_to(running, whole, monkeypatch)
