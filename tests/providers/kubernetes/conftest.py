from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.providers.kubernetes import estate
from tests.servers.kubernetes import ApiServer


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    """The small cluster, and a kubeconfig that leads to it as context `lab`."""
    with ApiServer(estate.objects()) as found:
        monkeypatch.setenv("KUBECONFIG", str(found.kubeconfig(tmp_path / "config")))
        yield found


@pytest.fixture(autouse=True)
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the machine's own configuration reaches a test."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
