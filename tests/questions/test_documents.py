"""The answers that the documents show, on the demo estate with its incident of the morning."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
import trio

from infrascan.pipeline import DEMO, Request
from infrascan.questions import Answer, Who, ask
from infrascan.shipped import shipped
from tests.questions.lab import backed

FOLDER = shipped("estates") / DEMO
CONTEXTS = json.loads((FOLDER / "manifest.json").read_text())["selection"]["contexts"]
pytestmark = pytest.mark.skipif(
    "prod-cluster" not in CONTEXTS, reason="the recording has no prod-cluster yet"
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept")


def asked(home: Path, question: str) -> Answer:
    request = Request(replay=FOLDER)
    answer: Answer = trio.run(partial(ask, home, question, request=request, who=Who(client="doc")))
    backed(answer)
    return answer


def test_three_agents_at_once_get_the_documents_answers(home):
    """Claude Code, OpenClaw and Hermes, side by side."""
    questions = (
        "What instance type is prod-cluster using?",
        "Are all services in the production namespace healthy?",
        "What changed in the last deployment?",
    )
    found: dict[str, Answer] = {}

    async def one(question: str) -> None:
        request, who = Request(replay=FOLDER), Who(client=question[:5])
        found[question] = await ask(home, question, request=request, who=who)

    async def together() -> None:
        async with trio.open_nursery() as nursery:
            for question in questions:
                nursery.start_soon(one, question)

    trio.run(together)
    machines, health, deployed = (found[question] for question in questions)
    assert machines.answer == "prod-cluster runs r6g.2xlarge, 3 nodes, 62 % memory utilization."
    assert "session-cache in production DEGRADED" in health.answer
    assert "others nominal" in health.answer
    assert [r["name"] for r in health.data["rows"] if r["healthy"] is False] == ["session-cache"]
    assert deployed.data["deployed"] == "checkout-api"
    assert "v1.4.2" in deployed.answer
    assert "replicas 2 → 3" in deployed.answer
    for answer in found.values():
        backed(answer)


def test_the_degraded_service_names_pod_and_state(home):
    answer = asked(home, "Are all services in production healthy?")
    (row,) = [r for r in answer.data["rows"] if r["healthy"] is False]
    assert row["pod"].startswith("session-cache-")
    assert row["reason"] == "CrashLoopBackOff"
    assert row["since"]
    assert answer.ok is False


def test_a_single_question_surfaces_what_an_agent_lacks(home):
    answer = asked(home, "Is redis degraded, are databases busy, and which services are hot since the last deploy?")  # fmt: skip
    assert answer.route == "estate.live-facts"
    assert "session-cache DEGRADED" in answer.answer
    assert "2,100 queries a second" in answer.answer
    assert "The last deployment was of checkout-api" in answer.answer


def test_why_latency_is_elevated_blames_the_deployment(home):
    answer = asked(home, "Why is checkout-api latency elevated right now?")
    assert answer.route == "estate.why"
    assert answer.data["rows"][0]["name"] == "checkout-api"
    assert "v1.4.2" in answer.data["rows"][0]["what"]
    assert answer.data["explanation"]["hypotheses"][0]["check"]["says"]


def test_what_changed_in_half_an_hour_in_order_of_time(home):
    answer = asked(home, "what changed in production in the last 30 minutes?")
    times = [row["time"] for row in answer.data["rows"]]
    assert times == sorted(times)
    assert {row["source"] for row in answer.data["rows"]} >= {"k8s.event", "github.deployment"}
    assert any("v1.4.2" in row["what"] for row in answer.data["rows"])


@pytest.mark.parametrize(
    "question",
    [
        "what is the memory utilization of the production namespace?",
        "which pods are using more than 80% of their memory limit right now?",
        "are there any pods in CrashLoopBackOff?",
        "how many queries per second does orders-postgres serve?",
        "replicas and image of checkout-api",
        "what is connected to checkout-api?",
        "show the configuration of orders-postgres",
    ],
)
def test_each_is_answered_with_evidence(home, question):
    answer = asked(home, question)
    assert answer.status in ("answered", "partial")
    assert answer.evidence
    assert answer.data["rows"]
