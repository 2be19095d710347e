"""One moto process with one estate for each worker, and the environment that points at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.servers.aws import MotoServer, environment
from tests.servers.aws_estate import build


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder that all workers share."""
    return tmp_path_factory.getbasetemp().parent / "infrascan-cache"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("INFRASCAN_CACHE", str(cache))


@pytest.fixture(scope="session")
def server() -> Iterator[MotoServer]:
    with MotoServer() as running:
        yield running


@pytest.fixture(scope="session")
def estate(server: MotoServer) -> dict[str, str]:
    return build(server)


@pytest.fixture
def point(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Points the SDK at a URL, with the profiles given."""

    def to(url: str, **profiles: str) -> None:
        for name, value in environment(tmp_path, url, **profiles).items():
            monkeypatch.setenv(name, value)

    return to
