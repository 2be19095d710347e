"""`infrascan run --model`: what it adds to a run, and that a run never depends on it."""

from __future__ import annotations

import json

import pytest

from tests.cli.command import CLEAN, USAGE, Command
from tests.servers import minds
from tests.servers.models import ModelServer

DEMO = ("run", "--demo", "--format", "json", "--output", "-")


def test_a_model_of_the_users_adds_claims_to_the_report_which_verifies(infrascan: Command):
    with ModelServer(minds.honest) as server:
        infrascan.environment |= {"OPENAI_API_KEY": "sk-of-this-test-0123456789abcdef"}
        done = infrascan(
            *DEMO[:-2],
            "--output",
            "out",
            "--model",
            "openai/gpt-5.4",
            "--model-url",
            server.at("openai"),
            "--max-usd",
            "0.3",
        )
        asked = len(server.asked)

    assert done.code == CLEAN
    report = json.loads((infrascan.folder / "out" / "report.json").read_text())
    research = report["research"]
    assert research["model"] == "openai/gpt-5.4"
    assert research["accepted"] == len(report["claims"]) > 0
    assert sum(line["calls"] for line in research["usage"]) == asked > 0
    assert 0 < sum(line["usd"] for line in research["usage"]) <= 0.3
    assert "to stay within limits" in research["banner"]
    assert any("to stay within limits" in line for line in done.err.splitlines())
    assert "sk-of-this-test" not in (infrascan.folder / "out" / "report.json").read_text()
    assert infrascan("verify", "out/report.json").code == CLEAN


def test_without_a_key_the_report_is_the_same_but_for_a_banner(infrascan: Command):
    plain = infrascan(*DEMO)
    without = infrascan(*DEMO, "--model", "anthropic/claude-opus-4-6")

    assert plain.code == without.code == CLEAN
    assert "ANTHROPIC_API_KEY" in without.err
    assert "the report is rule-only" in without.err
    assert without.json["research"]["banner"].endswith("the report is rule-only")
    assert without.json["findings"] == plain.json["findings"]
    assert plain.json["research"]["model"] == ""


def test_a_model_that_fails_does_not_change_the_exit_code(infrascan: Command):
    with ModelServer(minds.failing(401)) as server:
        infrascan.environment |= {"CO_API_KEY": "k", "CO_API_URL": server.at("cohere")}
        done = infrascan(*DEMO, "--model", "cohere/command-a", "--fail-on", "critical")

    assert done.code == 1
    assert "401" in done.err
    assert minds.CANARY not in done.err + done.out


def test_the_default_model_comes_from_the_environment_and_none_turns_it_off(infrascan: Command):
    infrascan.environment |= {"INFRASCAN_MODEL": "google/gemini-3-flash"}

    assert infrascan(*DEMO).json["research"]["model"] == "google/gemini-3-flash"
    assert infrascan(*DEMO, "--model", "none").json["research"]["model"] == ""


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--model", "gpt-5.4"), "VENDOR/MODEL"),
        (("--model", "opnai/gpt-5.4"), "did you mean openai/gpt-5.4?"),
        (("--max-usd", "-1"), "not an amount"),
        (("--max-tokens", "0"), "whole number"),
        (("--model-deadline", "0"), "not above 0"),
    ],
)
def test_wrong_input_is_one_line(infrascan: Command, options: tuple[str, ...], said: str):
    done = infrascan(*DEMO, *options)

    assert done.code == USAGE
    assert said in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_a_drafted_rule_is_written_when_it_holds_and_only_then(infrascan: Command):
    from tests.reason.model.test_draft import GOOD, WRONG

    wish = ("rules", "draft", "SQS queues of the legacy team", "--rules", "mine")
    with ModelServer(lambda asked: {"yaml": WRONG["a command"]}) as server:
        infrascan.environment |= {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": server.at("openai")}
        refused = infrascan(*wish, "--model", "openai/gpt-5.4")
    assert refused.code == 1
    assert "nothing was written" in refused.err
    assert not (infrascan.folder / "mine").exists()

    with ModelServer(lambda asked: {"yaml": GOOD}) as server:
        infrascan.environment |= {"OPENAI_BASE_URL": server.at("openai")}
        done = infrascan(*wish, "--model", "openai/gpt-5.4")
    assert done.code == CLEAN
    assert done.out.strip() == "mine/aws/sqs/queue-of-the-old-team.yaml"
    assert (
        infrascan("rules", "test", "aws.sqs.queue-of-the-old-team", "--rules", "mine").code == CLEAN
    )
    assert infrascan(*wish).code == USAGE
    assert infrascan(*wish, "--model", "openai/gpt-5.4", "--anonymize").code == USAGE
