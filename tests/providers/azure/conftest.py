from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.providers.azure.estate import everything
from tests.servers.azure import AzureServer


@pytest.fixture(autouse=True)
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the machine's own configuration reaches a test."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))  # no az, no azd
    for name in list(os.environ):
        proxied = name.lower() in {"http_proxy", "https_proxy", "all_proxy", "no_proxy"}
        if proxied or name.startswith(("AZURE_", "IDENTITY_", "MSI_", "SSL_CERT", "REQUESTS_CA")):
            monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def shared() -> Iterator[AzureServer]:
    """The small estate; started once for a module."""
    with AzureServer(everything()) as found:
        yield found


@pytest.fixture
def server(
    shared: AzureServer, outside: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[AzureServer]:
    """The small estate, and an environment that leads to it. Changes of it are undone."""
    for name, value in shared.environment().items():
        monkeypatch.setenv(name, value)
    shared.requests.clear()
    yield shared
    shared.estate.__dict__.update(everything().__dict__)
    shared.fault, shared.quota, shared.page, shared.lifetime = None, None, 1000, 3600.0
