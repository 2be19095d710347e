"""A home without credentials, and acme's team served on loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fixtures.estates.clock import OBSERVED
from fixtures.estates.digitalocean_acme import TOKEN, team

from infrascan.collect.provider import Selection
from infrascan.providers.digitalocean import DigitalOcean
from tests.providers.token_platforms import connect
from tests.servers.digitalocean import Team
from tests.servers.rest import RestServer

VARIABLES = (
    *("DIGITALOCEAN_ACCESS_TOKEN", "DIGITALOCEAN_TOKEN", "DIGITALOCEAN_CONTEXT"),
    *("DIGITALOCEAN_API_URL", "XDG_CONFIG_HOME", "SPACES_ENDPOINT_URL"),
    *("SPACES_ACCESS_KEY_ID", "SPACES_SECRET_ACCESS_KEY"),
)


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    return tmp_path


@pytest.fixture(scope="module")
def acme() -> Team:
    return team()


@pytest.fixture(scope="module")
def running(acme: Team) -> Iterator[RestServer]:
    with RestServer(acme.answer) as found:
        yield found


@pytest.fixture
def server(running: RestServer, monkeypatch: pytest.MonkeyPatch) -> RestServer:
    monkeypatch.setenv("DIGITALOCEAN_API_URL", running.url)
    running.fault = None
    running.requests.clear()
    return running


@pytest.fixture
def opened(server: RestServer, monkeypatch: pytest.MonkeyPatch) -> Callable[[], DigitalOcean]:
    """A provider that has connected with a token in the environment."""
    monkeypatch.setenv("DIGITALOCEAN_ACCESS_TOKEN", TOKEN)

    def make() -> DigitalOcean:
        provider = DigitalOcean(Selection(observed=OBSERVED))
        assert connect(provider)[0].state == "connected"
        return provider

    return make
