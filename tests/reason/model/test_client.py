"""Every vendor's own client reaches a server of ours, and every way to fail is one safe line."""

from __future__ import annotations

import math
import sys
from typing import Literal

import pytest
import trio
from pydantic import BaseModel

from infrascan.model import InputError
from infrascan.reason.model import client
from infrascan.reason.model.budget import Budget
from infrascan.reason.model.client import Model, open_model
from infrascan.reason.model.failing import Failure, ModelError
from infrascan.reason.model.names import VENDORS, address, card, key_of
from tests.servers.minds import failing, first_wrong, malformed, refuser
from tests.servers.models import Asked, ModelServer

NAMES = (
    "anthropic/claude-opus-4-6",
    "anthropic/claude-sonnet-4-6",
    "openai/gpt-5.4",
    "openai/gpt-5.4-pro",
    "openai/gpt-oss-120b",
    "google/gemini-3.1-pro",
    "google/gemini-3-flash",
    "cohere/command-a",
    "ollama/gemma4:31b",
    "ollama/hermes3:70b",
)
EACH_VENDOR = (
    "anthropic/claude-opus-4-6",
    "openai/gpt-5.4",
    "google/gemini-3-flash",
    "cohere/command-a",
    "ollama/gemma4:31b",
)
CANARY = "CANARY-OF-THE-COMPLETION"


class Choice(BaseModel):
    colour: Literal["red", "green"]
    reasons: list[str] = []
    size: float | None = None


def right(asked: Asked) -> object:
    return {"colour": "green", "reasons": ["it is"], "size": 2.5}


def asked_of(server: ModelServer, name: str, question: str = "Which?", **options: object) -> Choice:
    vendor = name.split("/")[0]

    async def ask() -> Choice:
        made = open_model(name, environment=server.environment(vendor), **options)  # type: ignore[arg-type]
        async with made as model:
            return await model.ask(Choice, question)

    return trio.run(ask)


@pytest.mark.parametrize("name", NAMES)
def test_each_model_is_reached_by_its_vendors_client_with_the_key_in_its_header_alone(name: str):
    key = "sk-the-key-of-this-test-0123456789"
    vendor = name.split("/")[0]
    with ModelServer(right) as server:

        async def ask() -> Choice:
            environment = server.environment(vendor, key)
            async with open_model(name, environment=environment) as model:
                return await model.ask(
                    Choice,
                    [
                        {"role": "system", "content": "Be brief."},
                        {"role": "user", "content": "Which?"},
                    ],
                )

        answer = trio.run(ask)

    assert Choice(colour="green", reasons=["it is"], size=2.5) == answer
    (request,) = server.requests
    (asked,) = server.asked
    assert name.split("/")[1] == asked.model
    assert "Which?" in asked.prompt
    assert "Be brief." in asked.text
    assert asked.tools == 0
    assert 0 < asked.limit <= 4096
    holders = [header for header, value in request.headers.items() if key in value]
    assert holders in (["authorization"], ["x-api-key"], ["x-goog-api-key"])
    assert key.encode() not in request.seen.body
    assert key not in request.seen.target


def test_text_that_looks_like_a_template_is_sent_as_it_is():
    with ModelServer(right) as server:
        asked_of(server, "openai/gpt-5.4", "name: {{ 1/0 }} {% for x in y %} {{ secret")

    assert "{{ 1/0 }} {% for x in y %} {{ secret" in server.asked[0].prompt


def test_secrets_and_unseen_characters_do_not_leave():
    secret = "ghp_" + "a1B2" * 9
    with ModelServer(right) as server:
        asked_of(server, "openai/gpt-5.4", f"a\u200bb \U000e0041\u202ec token {secret}")

    body = server.requests[0].seen.body.decode()
    assert secret not in body
    assert "[redacted:github-token]" in body
    assert "\\u200b" not in body
    assert "\u200b" not in body
    assert "ab c token" in server.asked[0].prompt


@pytest.mark.parametrize("name", EACH_VENDOR)
def test_a_wrong_shape_is_asked_for_once_more(name: str):
    with ModelServer(first_wrong(right)) as server:
        answer = asked_of(server, name)

    assert answer.colour == "green"
    assert len(server.asked) == 2


@pytest.mark.parametrize("name", EACH_VENDOR)
@pytest.mark.parametrize(
    ("mind", "failure"),
    [
        (refuser, Failure.MALFORMED),
        (malformed, Failure.MALFORMED),
        (failing(401), Failure.REJECTED),
        (failing(404), Failure.REJECTED),
        (failing(400), Failure.REJECTED),
    ],
    ids=["refuses", "malformed", "401", "404", "400"],
)
def test_a_failure_is_one_line_that_quotes_nothing(
    name: str,
    mind: object,
    failure: Failure,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
):
    with ModelServer(mind) as server, pytest.raises(ModelError) as caught:  # type: ignore[arg-type]
        asked_of(server, name)

    assert failure is caught.value.failure
    assert "\n" not in str(caught.value)
    assert CANARY not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert CANARY not in caplog.text
    assert CANARY not in "".join(capfd.readouterr())


@pytest.mark.parametrize("name", EACH_VENDOR)
@pytest.mark.parametrize(("status", "failure"), [(429, Failure.THROTTLED), (500, Failure.SERVER)])
def test_what_passes_is_tried_again_and_then_said(name: str, status: int, failure: Failure):
    with (
        ModelServer(failing(status, {"retry-after": "0"})) as server,
        pytest.raises(ModelError) as caught,
    ):
        vendor = name.split("/")[0]

        async def ask() -> None:
            async with open_model(name, environment=server.environment(vendor)) as model:
                await model.ask(Choice, "Which?")

        trio.run(ask)

    assert failure is caught.value.failure
    assert len(server.asked) == 3


def test_a_slow_model_is_left_at_the_deadline_and_its_call_counted_in_full():
    budget = Budget(seconds=0.3)
    with ModelServer(right, latency=0.8) as server, pytest.raises(ModelError) as caught:
        asked_of(server, "anthropic/claude-opus-4-6", budget=budget)

    assert Failure.TIMED_OUT is caught.value.failure
    (line,) = budget.usage()
    assert line.output_tokens == 4096
    assert line.usd is not None
    assert line.usd > 0.1


@pytest.mark.parametrize("name", ["google/gemini-3-flash", "cohere/command-a"])
def test_a_slow_model_in_a_thread_is_left_too(name: str):
    with ModelServer(right, latency=0.8) as server, pytest.raises(ModelError) as caught:
        asked_of(server, name, budget=Budget(seconds=0.3))

    assert Failure.TIMED_OUT is caught.value.failure


def test_nobody_there_is_said(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(client, "FIRST_WAIT", 0.01)
    with ModelServer(right) as server:
        gone = server.at("openai")

    async def ask() -> None:
        made = open_model("openai/gpt-5.4", environment={"OPENAI_API_KEY": "k"}, url=gone)
        async with made as model:
            await model.ask(Choice, "Which?")

    with pytest.raises(ModelError) as caught:
        trio.run(ask)
    assert Failure.UNREACHABLE is caught.value.failure


@pytest.mark.parametrize("vendor", ["anthropic", "openai", "google", "cohere"])
def test_without_a_key_one_line_says_what_to_do(vendor: str):
    with pytest.raises(ModelError) as caught:
        open_model(f"{vendor}/some-model", environment={})

    assert Failure.NO_KEY is caught.value.failure
    assert VENDORS[vendor].keys[0] in str(caught.value)


@pytest.mark.parametrize(
    ("vendor", "package"),
    [("anthropic", "anthropic"), ("google", "google.genai"), ("cohere", "cohere")],
)
def test_without_the_client_one_line_says_what_to_install(
    vendor: str, package: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, package, None)

    with pytest.raises(ModelError) as caught:
        open_model(f"{vendor}/some-model", environment={VENDORS[vendor].keys[0]: "k"})
    assert Failure.NO_SDK is caught.value.failure
    assert f'pip install "infrascan[{vendor}]"' in str(caught.value)


@pytest.mark.parametrize("name", ["", "gpt-5.4", "openai/", "antropic/claude-opus-4-6", "none"])
def test_a_name_that_cannot_be_is_wrong_input(name: str):
    with pytest.raises(InputError) as caught:
        open_model(name, environment={})
    if name.startswith("antropic"):
        assert "did you mean anthropic/claude-opus-4-6?" in str(caught.value)


def test_a_key_file_that_others_can_read_is_warned_of(tmp_path):
    path = tmp_path / "keys" / "cohere"
    path.parent.mkdir()
    path.write_text("a-key\n")
    path.chmod(0o644)

    key = key_of(VENDORS["cohere"], {}, tmp_path)
    assert key
    assert key.value == "a-key"
    assert f"chmod 600 {path}" in key.warning
    assert "a-key" not in repr(key)
    path.chmod(0o600)
    key = key_of(VENDORS["cohere"], {}, tmp_path)
    assert key
    assert key.warning == ""
    assert key_of(VENDORS["cohere"], {"CO_API_KEY": "b"}, tmp_path).value == "b"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({}, "http://localhost:11434/v1"),
        ({"OLLAMA_HOST": "0.0.0.0:11434"}, "http://127.0.0.1:11434/v1"),
        ({"OLLAMA_HOST": "gpu-1"}, "http://gpu-1:11434/v1"),
        ({"OLLAMA_HOST": "https://ollama.example/"}, "https://ollama.example/v1"),
    ],
)
def test_ollama_is_where_its_own_variable_says(given: dict[str, str], url: str):
    assert url == address(VENDORS["ollama"], given)


def test_prices_are_known_local_or_not_said():
    known = card("anthropic/claude-opus-4-6", {})
    assert known.usd(1_000_000, 1_000_000) == 30.0
    assert known.source
    assert known.date
    assert card("anthropic/claude-haiku-4-5-20251001", {}).usd(1_000_000, 0) == 1.0
    assert card("openai/gpt-99", {}).usd(10, 10) is None
    assert card("openai/gpt-5.4-nano", {}).usd(10, 10) is None  # another model, another price
    assert card("ollama/gemma4:31b", {}).usd(10, 10) == 0.0
    assert card("ollama/gemma4:31b", {"OLLAMA_HOST": "https://ollama.example"}).usd(10, 10) is None
    assert (
        card("openai/gpt-oss-120b", {"OPENAI_BASE_URL": "http://127.0.0.1:8000/v1"}).usd(9, 9)
        == 0.0
    )


def test_a_question_too_long_for_the_window_is_not_sent():
    with ModelServer(right) as server, pytest.raises(ModelError) as caught:
        asked_of(server, "ollama/gemma4:31b", "x" * 10_000)

    assert Failure.TOO_LONG is caught.value.failure
    assert not server.requests
    with ModelServer(right) as server:
        asked_of(server, "ollama/gemma4:31b", "x" * 10_000, window=32_768)
    assert len(server.requests) == 1


@pytest.mark.parametrize("vendor", ["openai/gpt-5.4", "anthropic/claude-sonnet-4-6"])
@pytest.mark.parametrize("limit", ["usd", "tokens"])
def test_twenty_calls_at_once_never_pass_the_budget(vendor: str, limit: str):
    usage = (900, 600)
    with ModelServer(right, latency=0.02, tokens=usage) as server:
        budget = Budget(**({"max_usd": 0.2} if limit == "usd" else {"max_tokens": 24_000}))
        name = vendor.split("/")[0]
        results: list[str] = []

        async def one(model: Model) -> None:
            try:
                await model.ask(Choice, "Which?")
                results.append("answered")
            except ModelError as error:
                assert error.failure is Failure.BUDGET
                results.append("refused")

        async def go() -> None:
            async with (
                open_model(vendor, environment=server.environment(name), budget=budget) as model,
                trio.open_nursery() as nursery,
            ):
                for _ in range(20):
                    nursery.start_soon(one, model)

        trio.run(go)
    spent = len(server.requests) * card(vendor, {}).usd(*usage)  # type: ignore[operator]
    assert 1 < results.count("answered") < 20
    assert len(server.requests) == results.count("answered")
    assert spent <= budget.max_usd
    assert len(server.requests) * sum(usage) <= budget.max_tokens
    assert math.isclose(spent, budget.usd)
    assert server.most > 1


def test_a_budget_frees_what_a_call_did_not_take():
    with ModelServer(right, tokens=(10, 10)) as server:
        budget = Budget(max_tokens=8_000)

        async def go() -> int:
            made = open_model(
                "openai/gpt-5.4", environment=server.environment("openai"), budget=budget
            )
            async with made as model:
                for _ in range(20):
                    await model.ask(Choice, "Which?")
            return budget.tokens

        assert trio.run(go) == 400


def test_per_question_another_model():
    with ModelServer(right) as server:
        for name in ("openai/gpt-5.4", "anthropic/claude-sonnet-4-6", "openai/gpt-oss-120b"):
            asked_of(server, name)

    assert ["gpt-5.4", "claude-sonnet-4-6", "gpt-oss-120b"] == [
        asked.model for asked in server.asked
    ]


def test_a_key_that_would_go_unencrypted_is_warned_of():
    def warning(url: str) -> str:
        return open_model("openai/gpt-5.4", environment={"OPENAI_API_KEY": "k"}, url=url).warning

    assert (
        warning("http://gateway.example/v1")
        == "the key of openai goes unencrypted to gateway.example"
    )
    assert warning("http://127.0.0.1:9/v1") == warning("https://gateway.example/v1") == ""
