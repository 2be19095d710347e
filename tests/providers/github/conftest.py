"""No credentials of the machine are seen by these tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.providers.github.estate import estate
from tests.servers.github import TOKEN, server
from tests.servers.rest import RestServer

VARIABLES = (
    *("GITHUB_TOKEN", "GH_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"),
    *("GH_HOST", "GITHUB_API_URL", "XDG_CONFIG_HOME"),
)


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GH_CONFIG_DIR", str(tmp_path / "gh"))
    return tmp_path


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> Iterator[RestServer]:
    """A server with the small organisation, and the variables that lead to it."""
    with server(estate()) as found:
        monkeypatch.setenv("GITHUB_API_URL", found.url)
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        yield found
