"""Questions that only a model understands: what it may choose, what is checked, what it cannot do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

from infrascan.pipeline import DEMO, Request
from infrascan.questions import Answer, Who, ask, entries
from infrascan.reason.model.choice import ModelChoice
from infrascan.shipped import shipped
from tests.questions.lab import backed
from tests.servers.models import Asked, ModelServer
from tests.servers.rest import json_answer

ACME = Request(replay=shipped("estates") / DEMO)
ODD = "could you enumerate gizmos gobbling ephemeral quux across the flotilla"


@contextmanager
def model(
    monkeypatch: pytest.MonkeyPatch, mind: Callable[[Asked], Any], vendor: str = "openai"
) -> Iterator[ModelServer]:
    with ModelServer(mind) as server:
        for name, value in server.environment(vendor).items():
            monkeypatch.setenv(name, value)
        yield server


def asked(home: Path, question: str, name: str = "openai/gpt-5.4") -> Answer:
    found: Answer = trio.run(
        partial(
            ask, home, question, request=ACME, model=ModelChoice(name=name), who=Who(client="t")
        )
    )
    return found


def choice(**said: Any) -> Callable[[Asked], Any]:
    return lambda _: {"action": "unknown", "question": "", "sql": "", "kinds": []} | said


def test_a_model_chooses_a_question_of_the_catalogue(tmp_path, monkeypatch):
    mind = choice(
        action="question", question="k8s.memory-above-limit", percent=73, namespace="made-up"
    )
    with model(monkeypatch, mind) as server:
        answer = asked(tmp_path, ODD)
    assert (answer.route, answer.routing["by"], answer.model) == (
        "k8s.memory-above-limit",
        "model",
        "openai/gpt-5.4",
    )
    assert answer.data["percent"] == 80  # 73 stands nowhere in the question
    assert "namespace" not in answer.routing["slots"]
    assert answer.routing["usage"][0]["calls"] == 1
    assert len(server.asked) == 1
    backed(answer)
    assert entries(tmp_path)[0]["model"] == "openai/gpt-5.4"


def test_the_model_sees_the_question_and_nothing_of_the_estate(tmp_path, monkeypatch):
    with model(monkeypatch, choice(action="question", question="aws.instances")) as server:
        asked(tmp_path, ODD)
    sent = server.asked[0].text
    assert ODD in sent
    for name in ("111122223333", "acme", "fraud-check", "orders"):
        assert name not in sent.replace("{orders}", "")


def test_a_select_of_the_model_runs_in_the_sandbox_and_is_rendered_by_us(tmp_path, monkeypatch):
    sql = "SELECT key, name, account FROM resources WHERE kind = 'k8s.node' ORDER BY key LIMIT 2"
    with model(monkeypatch, choice(action="sql", sql=sql, kinds=["k8s.node"])):
        answer = asked(tmp_path, ODD)
    assert (answer.route, answer.routing["sql"]) == ("sql", sql)
    assert len(answer.data["rows"]) == 2
    assert answer.answer.startswith("2 rows: name ip-10-20-100-4.eu-west-1.compute.internal")
    assert all(row["resource"].startswith("k8s.node/") for row in answer.data["rows"])
    assert answer.providers == ["k8s"]
    backed(answer)


BAD = [
    "DELETE FROM resources",
    "SELECT * FROM read_csv('/etc/passwd')",
    "COPY resources TO '/tmp/x'",
    "ATTACH '/tmp/x.db'",
    "SELECT 1; DROP TABLE resources",
    "INSTALL httpfs",
    "SELECT * FROM glob('/**')",
]


@pytest.mark.parametrize("sql", BAD)
def test_a_select_that_is_none_is_refused_and_written_once_more(tmp_path, monkeypatch, sql):
    with model(monkeypatch, choice(action="sql", sql=sql, kinds=["k8s.node"])) as server:
        answer = asked(tmp_path, ODD)
    assert len(server.asked) == 2
    assert (answer.status, answer.data["rows"]) == ("unknown", [])
    assert any(note.startswith("model: its SELECT failed") for note in answer.notes)
    assert not Path("/tmp/x").exists()


def test_a_select_is_repaired_once(tmp_path, monkeypatch):
    statements = iter(["SELEC key FROM resources", "SELECT key FROM resources"])
    mind = lambda _: choice(action="sql", sql=next(statements), kinds=["k8s.namespace"])(_)  # noqa: E731
    with model(monkeypatch, mind) as server:
        answer = asked(tmp_path, ODD)
    assert len(server.asked) == 2
    assert answer.data["rows"]


@pytest.mark.parametrize(
    "said",
    [
        {"action": "unknown"},
        {"action": "question", "question": "k8s.moon"},
        {"action": "sql", "sql": "SELECT 1", "kinds": ["k8s.moon"]},
        {"action": "sql", "sql": "SELECT 1", "kinds": []},
    ],
)
def test_what_the_model_makes_up_is_no_answer(tmp_path, monkeypatch, said):
    with model(monkeypatch, choice(**said)):
        answer = asked(tmp_path, ODD)
    assert (answer.status, answer.route, answer.ok) == ("unknown", "", None)
    assert answer.answer.startswith("I don't know")


@pytest.mark.parametrize("failing", ["error", "babble", "refused"])
def test_a_model_that_fails_leaves_the_answer_without_it(tmp_path, monkeypatch, failing):
    minds: dict[str, Callable[[Asked], Any]] = {
        "error": lambda _: json_answer({"error": {"message": "CANARY-4711"}}, 401),
        "babble": lambda _: "CANARY-4711 lorem ipsum",
        "refused": lambda _: json_answer({"error": {"message": "CANARY-4711"}}, 403),
    }
    with model(monkeypatch, minds[failing]):
        answer = asked(tmp_path, ODD)
    assert answer.status == "unknown"
    assert any(note.startswith("model: ") for note in answer.notes)
    assert "CANARY" not in json.dumps(answer.said())


def test_without_need_the_model_is_not_asked(tmp_path, monkeypatch):
    with model(monkeypatch, choice()) as server:
        known = asked(tmp_path, "which pods are failing?")
        act = asked(tmp_path, "restart cart")
        secret = asked(tmp_path, "print my AWS keys")
    assert server.asked == []
    assert (known.route, act.route) == ("k8s.failing-pods", "run_command")
    assert "never read out" in secret.answer


def test_two_models_in_one_session_are_told_apart(tmp_path, monkeypatch):
    with model(monkeypatch, choice(action="question", question="aws.instances")) as first:
        asked(tmp_path, ODD, "openai/gpt-5.4")
    with model(monkeypatch, choice(action="question", question="aws.instances"), "anthropic") as other:  # fmt: skip
        asked(tmp_path, ODD, "anthropic/claude-opus-4-6")
    assert (len(first.asked), len(other.asked)) == (1, 1)
    assert [e["model"] for e in entries(tmp_path)] == [
        "anthropic/claude-opus-4-6",
        "openai/gpt-5.4",
    ]
