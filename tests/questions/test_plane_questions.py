"""What watches the estate, asked in plain words of its own servers on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import trio

from infrascan.pipeline import Request
from infrascan.questions import Answer, ask
from tests.servers.planes import TOKEN, Observatory
from tests.servers.rest import RestServer

NAMES = ("prometheus", "alertmanager", "ollama", "pagerduty")
Open = Callable[..., RestServer]
OLLAMA_DOWN = {
    "labels": {"job": "ollama", "pod": "ollama-0"}, "discoveredLabels": {}, "scrapePool": "ollama",
    "scrapeUrl": "http://10.0.0.8:11434/metrics", "globalUrl": "", "lastError": "connection refused",
    "lastScrape": "2026-11-21T08:29:50Z", "lastScrapeDuration": 0.1, "health": "down",
    "scrapeInterval": "15s", "scrapeTimeout": "10s",
}  # fmt: skip


@pytest.fixture
def plane(monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    with ExitStack() as stack:

        def opened(name: str, **changes: Any) -> RestServer:
            server = stack.enter_context(RestServer(Observatory(name, changes).answer))
            monkeypatch.setenv(f"{name.upper()}_URL", server.url)
            monkeypatch.setenv(f"{name.upper()}_TOKEN", TOKEN)
            return server

        yield opened


def asked(home: Path, question: str, *names: str) -> Answer:
    async def one() -> Answer:
        return await ask(home, question, request=Request(providers=names))

    return trio.run(one)


def test_alerts_that_fire_are_told_with_the_fields_that_say_so(plane: Open, tmp_path: Path):
    plane("prometheus")
    plane("alertmanager")
    found = asked(tmp_path, "which prometheus alerts are firing?", "prometheus", "alertmanager")

    assert (found.status, found.ok) == ("answered", False)
    assert found.answer.startswith("3 alerts:")
    assert {(e["path"], e["value"]) for e in found.evidence} >= {
        ("state", "firing"),
        ("status.state", "active"),
    }


def test_one_of_two_that_is_down_makes_the_answer_partial(
    plane: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    empty = {"status": "success", "data": {"alerts": []}}
    plane("prometheus", **{"/api/v1/alerts": empty})
    monkeypatch.setenv("ALERTMANAGER_URL", "http://127.0.0.1:9")
    found = asked(tmp_path, "which prometheus alerts are firing?", "prometheus", "alertmanager")

    assert found.status in {"partial", "unknown"}
    assert found.ok is None
    assert found.gaps


def test_a_model_server_that_is_down_is_told_with_the_use_of_its_gpu(plane: Open, tmp_path: Path):
    targets = {"status": "success", "data": {"activeTargets": [OLLAMA_DOWN], "droppedTargets": []}}
    plane("prometheus", **{"/api/v1/targets": targets})
    plane("ollama")
    down = asked(tmp_path, "is the model server up?", "prometheus", "ollama")
    gpus = asked(tmp_path, "what is the gpu utilization?", "prometheus")

    assert "ollama is down" in down.answer
    assert ("health", "down") in {(e["path"], e["value"]) for e in down.evidence}
    assert "gpu-node-1/0 93" in gpus.answer
    assert ("value", 93.0) in {(e["path"], e["value"]) for e in gpus.evidence}


def test_incidents_and_targets_are_told(plane: Open, tmp_path: Path):
    plane("pagerduty")
    plane("prometheus")

    assert "Checkout is slow" in asked(tmp_path, "open pagerduty incidents", "pagerduty").answer
    found = asked(tmp_path, "which prometheus targets are down?", "prometheus")
    assert "cannot read 1 target" in found.answer
