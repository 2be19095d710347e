"""A home without credentials, and acme's project served on loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fixtures.estates.clock import OBSERVED
from fixtures.estates.hetzner_acme import TOKEN, project

from infrascan.collect.provider import Selection
from infrascan.providers.hetzner import Hetzner
from tests.providers.token_platforms import connect
from tests.servers.hetzner import Project
from tests.servers.rest import RestServer

VARIABLES = ("HCLOUD_TOKEN", "HCLOUD_CONFIG", "HCLOUD_CONTEXT", "HCLOUD_ENDPOINT")


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in (*VARIABLES, "HETZNER_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def acme() -> Project:
    return project()


@pytest.fixture(scope="module")
def running(acme: Project) -> Iterator[RestServer]:
    with RestServer(acme.answer) as found:
        yield found


@pytest.fixture
def server(running: RestServer, monkeypatch: pytest.MonkeyPatch) -> RestServer:
    monkeypatch.setenv("HCLOUD_ENDPOINT", f"{running.url}/v1")
    monkeypatch.setenv("HETZNER_ENDPOINT", f"{running.url}/v1")
    running.fault = None
    running.requests.clear()
    return running


@pytest.fixture
def opened(server: RestServer, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Hetzner]:
    """A provider that has connected with a token in the environment."""
    monkeypatch.setenv("HCLOUD_TOKEN", TOKEN)

    def make() -> Hetzner:
        provider = Hetzner(Selection(observed=OBSERVED))
        assert connect(provider)[0].state == "connected"
        return provider

    return make
