"""What the planes tell is judged in a scan that reads them, and only there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import trio

from infrascan.commands.nouns import Requester
from infrascan.commands.proposing import answer, propose
from infrascan.evaluate import load
from infrascan.model import Scan
from infrascan.pipeline import Request, all_kinds, look
from infrascan.pipeline import scan as scanned
from infrascan.shipped import shipped
from tests.servers.planes import TOKEN, Observatory
from tests.servers.rest import RestServer

Open = Callable[..., RestServer]
DOWN = {
    "labels": {"job": "ollama", "namespace": "ai", "pod": "ollama-0"}, "discoveredLabels": {},
    "scrapePool": "ollama", "scrapeUrl": "http://10.0.0.8:11434/metrics", "globalUrl": "",
    "lastError": "connection refused", "lastScrape": "2026-11-21T08:29:50Z",
    "lastScrapeDuration": 0.1, "health": "down", "scrapeInterval": "15s", "scrapeTimeout": "10s",
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


def run(home: Path, *names: str) -> Scan:
    return trio.run(scanned, Request(providers=names, processes=1), home)


def test_a_model_server_that_is_down_is_found_and_its_restart_waits_for_an_operator(
    plane: Open, tmp_path: Path
):
    targets = {"status": "success", "data": {"activeTargets": [DOWN], "droppedTargets": []}}
    plane("prometheus", **{"/api/v1/targets": targets})
    found = run(tmp_path, "prometheus")
    gpus = trio.run(look, Request(providers=("prometheus",)), ["prometheus.gpu"])

    (finding,) = [f for f in found.findings if f.rule == "prometheus.target.model-server-down"]
    assert ("health", "down") in {(e.path, e.value) for e in finding.evidence}
    (gpu,) = gpus.resources
    assert (gpu.data["metric"]["pod"], gpu.data["value"]) == ("ollama-0", 93.0)
    vector = ["kubectl", "--context", "lab", "-n", "ai", "rollout", "restart", "statefulset/ollama"]
    who = Requester(client="test", user="test")
    proposal = answer(propose(tmp_path, vector, finding.title, who))
    assert proposal["status"] == "pending_approval"


def test_what_was_not_read_is_unknown_and_never_a_pass(plane: Open, tmp_path: Path):
    plane("prometheus", **{"/api/v1/alertmanagers": {"status": "error", "error": "no"}})
    found = run(tmp_path, "prometheus")

    assert not [f for f in found.findings if f.rule == "prometheus.server.without-alertmanager"]
    assert [gap.kind for gap in found.gaps] == ["prometheus.server"]


def test_incidents_that_nobody_has_are_found(plane: Open, tmp_path: Path):
    plane("pagerduty", **{"/incidents": {"incidents": [
        {"id": "Q1", "title": "Checkout is slow", "status": "triggered", "urgency": "high",
         "service": {"id": "S1", "summary": "checkout"}, "assignments": []}
    ], "more": False}})  # fmt: skip
    found = run(tmp_path, "pagerduty")

    assert [f.rule for f in found.findings] == ["pagerduty.incident.assigned-to-nobody"]


def test_a_rule_of_the_users_own_may_be_about_a_plane(tmp_path: Path):
    rule = tmp_path / "mine" / "loki" / "label" / "per-user.yaml"
    rule.parent.mkdir(parents=True)
    rule.write_text(
        "id: loki.label.per-user\n"
        "title: Label with a value for each user\n"
        "category: reliability\nseverity: low\nresource: loki.label\n"
        "flag_when:\n  name: [user_id, request_id]\n"
        "why: Each value is a stream of its own, and the index grows without end. It is low at first.\n"
        "fix:\n  text: Put it into the line.\n"
        "examples:\n"
        "  - flag: one for each user\n    given: {name: user_id}\n"
        "  - pass: few values\n    given: {name: app}\n"
    )
    rules = load([shipped("rules"), tmp_path / "mine"], all_kinds())
    assert "loki.label.per-user" in {found.id for found in rules}
