"""An engine on a Unix socket, and a way to read it as a scan does."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trio

from infrascan.collect.engine import Collected, Collection
from infrascan.collect.provider import Selection
from infrascan.collect.recording import Recorder, Replay
from infrascan.model import Identity
from infrascan.providers.docker import Docker
from tests.servers.docker import Engine
from tests.servers.rest import RestServer

OBSERVED = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
VARIABLES = ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_TLS", "DOCKER_CERT_PATH")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No engine and no configuration but the test's own."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    monkeypatch.setattr("infrascan.providers.docker.contexts.SOCKET", str(tmp_path / "none.sock"))
    return tmp_path / "docker"


@dataclass
class Served:
    engine: Engine
    server: RestServer


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    engine = Engine.recorded()
    # Paths of Unix sockets are short, and those of pytest are not.
    with (
        tempfile.TemporaryDirectory() as folder,
        RestServer(engine.answer, socket=Path(folder) / "d.sock") as server,
    ):
        monkeypatch.setenv("DOCKER_HOST", server.url)
        yield Served(engine, server)


def selection(*scopes: str) -> Selection:
    return Selection(observed=OBSERVED, scopes={"docker": scopes} if scopes else {})


def collect(
    *scopes: str, recorder: Recorder | None = None, replay: Replay | None = None
) -> Collected:
    return run(
        lambda: Collection(
            providers=[Docker(selection(*scopes))],
            recorder=recorder,
            replay=replay,
            attempt_seconds=5,
        )
    )


def run(make: Callable[[], Collection]) -> Collected:
    """Run a collection on a clock that jumps over every wait."""

    async def main() -> Collected:
        return await make().run()

    return trio.run(main)


def identity(*scopes: str) -> Identity:
    async def main() -> Any:
        provider = Docker(selection(*scopes))
        found = await provider.connect(provider.send)
        provider.close()
        return found

    found: list[Identity] = trio.run(main)
    assert len(found) == 1
    return found[0]
