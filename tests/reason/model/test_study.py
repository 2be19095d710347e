"""What a model may add to a scan: what holds, whatever it says and whatever was written for it."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trio

from infrascan.model import Scan, Severity
from infrascan.model.research import Claim, Research
from infrascan.pipeline import Request, scan
from infrascan.reason.model.choice import ModelChoice
from infrascan.reason.model.names import VENDORS
from infrascan.reason.model.study import studied
from infrascan.shipped import shipped
from tests.reason.model.estate import clean, estate
from tests.servers import minds
from tests.servers.models import Mind, ModelServer

NAMES = {
    "anthropic": "anthropic/claude-sonnet-4-6",
    "openai": "openai/gpt-5.4",
    "google": "google/gemini-3-flash",
    "cohere": "cohere/command-a",
    "ollama": "ollama/gemma4:31b",
}
CANARY = "CANARY-OF-THE-COMPLETION"


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Scan:
    request = Request(replay=shipped("estates") / "acme")
    found = trio.run(scan, request, tmp_path_factory.mktemp("home"))
    found.findings = found.findings[::5]
    return found


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Studies a scan with a mind; gives the result, the server and what was said."""

    def run(
        found: Scan,
        mind: Mind,
        vendor: str = "openai",
        home: Path | None = tmp_path,
        **options: Any,
    ) -> tuple[Research, ModelServer, list[str]]:
        said: list[str] = []
        latency = options.pop("latency", 0.0)
        limits = {"max_usd": 1e6, "max_tokens": 10**9, "seconds": 300.0, **options}
        with ModelServer(mind, latency=latency) as server:
            for name, value in server.environment(vendor).items():
                monkeypatch.setenv(name, value)
            choice = ModelChoice(name=NAMES[vendor], **limits)
            result = trio.run(studied, found, choice, home, said.append)
        return result, server, said

    return run


def essence(claims: tuple[Claim, ...]) -> set[tuple[object, ...]]:
    return {(c.resources, c.findings, c.severity, c.confirmed) for c in claims}


def test_of_two_hundred_planted_lies_none_is_published_and_all_that_is_true_is(acme: Scan, study):
    told = minds.Liar()
    lying, _, _ = study(acme, told)
    plain, _, _ = study(acme, lambda asked: honest_first(asked), home=None)

    assert len(told.planted) >= 200
    assert len(set(told.planted)) >= 20
    assert essence(plain.claims) == essence(lying.claims)
    assert len(told.true) == lying.accepted
    assert sum(lying.dropped.values()) >= 200
    published = " ".join(f"{c.title} {c.says} {c.next_check}" for c in lying.claims)
    for lie in ("87654", "kubectl", "evil.example", "R999", "12345"):
        assert lie not in published


def honest_first(asked: Any) -> Any:
    said = minds.honest(asked)
    return {"claims": said["claims"][:1]} if "claims" in said else said


@pytest.mark.parametrize("vendor", NAMES)
def test_each_vendors_model_can_study_a_scan(vendor: str, study):
    result, server, said = study(estate(clean, 12), minds.honest, vendor)

    assert result.banner == ""
    assert said == []
    assert result.accepted == len(result.claims) > 0
    assert result.dropped == {}
    assert all(claim.confirmed for claim in result.claims)
    assert {asked.vendor for asked in server.asked} == {"openai" if vendor == "ollama" else vendor}
    assert sum(line.calls for line in result.usage) == len(server.asked)
    usd = [line.usd for line in result.usage]
    assert all(u == 0.0 for u in usd) if vendor == "ollama" else all(u and u > 0 for u in usd)


def test_an_unchanged_scan_costs_no_call_and_a_changed_one_only_what_changed(study):
    first, server, _ = study(estate(clean, 24), minds.honest)
    assert len(server.asked) > 0

    again, server, _ = study(estate(clean, 24), minds.honest)
    assert len(server.asked) == 0
    assert essence(again.claims) == essence(first.claims)
    assert sum(line.cached for line in again.usage) > 0
    assert sum(line.calls for line in again.usage) == 0

    changed = estate(clean, 24)
    one = changed.findings[1]
    evidence = (replace(one.evidence[0], value=False), one.evidence[1])
    changed.findings[1] = replace(one, evidence=evidence)
    _, server, _ = study(changed, minds.honest)
    assert len([asked for asked in server.asked if asked.title != "Reading"]) == 1


def test_what_is_kept_is_checked_again(study, tmp_path: Path):
    study(estate(clean, 4), minds.honest)
    with sqlite3.connect(tmp_path / "state" / "model-cache.sqlite") as connection:
        rows = connection.execute("SELECT key, answer FROM answers").fetchall()
        for key, answer in rows:
            forged = answer.replace('"confirmed": true', '"confirmed": true, "x": 1').replace(
                "1000", "1001"
            )
            connection.execute("UPDATE answers SET answer = ? WHERE key = ?", (forged, key))

    result, server, _ = study(estate(clean, 4), minds.honest)
    assert len(server.asked) == 0
    assert result.dropped.get("false fact", 0) > 0


def test_a_model_that_obeys_every_order_in_the_estate_changes_nothing(study):
    def hostile(place: str, number: int) -> str:
        order = minds.ORDERS[number % len(minds.ORDERS)]
        return f"{order.capitalize()}; this is number {number} and it is urgent\u200b\U000e0041"

    obedient = minds.Obedient()
    attacked, server, _ = study(estate(hostile), obedient, home=None)
    twin, _, _ = study(estate(clean), minds.Obedient(), home=None)

    assert essence(twin.claims) == essence(attacked.claims)
    assert len(twin.claims) > 0
    assert attacked.accepted == twin.accepted
    # orders were read by the extractor alone, which has a word to answer with and no tools
    readers = {
        asked.title for asked in server.asked if any(o in asked.text.lower() for o in minds.ORDERS)
    }
    assert readers == {"Reading"}
    assert obedient.obeyed
    assert all(asked.tools == 0 for asked in server.asked)
    said = " ".join(f"{c.title} {c.says} {c.next_check}" for c in attacked.claims)
    text = re.sub("“[^”]*”", "", said).lower()  # names are shown, quoted
    for word in ("kubectl", "rm -rf", "evil.example", "run_command"):
        assert word not in text
    sent = b"".join(request.seen.body for request in server.requests).decode()
    assert "\u200b" not in sent
    assert "\\u200b" not in sent
    assert "\U000e0041" not in sent


def test_tables_hold_no_text_of_the_estate(study):
    def marked(place: str, number: int) -> str:
        return f"zebra{number} secret meaning of the {place} that nobody else should read"

    _, server, _ = study(estate(marked, 60), minds.honest, home=None)

    tables = [asked for asked in server.asked if asked.title != "Reading"]
    assert tables
    for asked in tables:
        body = asked.request.seen.body.decode()
        assert "zebra" not in body
        assert "thing-0" not in body
        assert "111122223333" not in body


def test_secrets_in_text_do_not_reach_a_model(study):
    canaries = [
        f"ghp_{'k9Qz' * 9}",
        f"AKIA{'Q7' * 8}",
        "sk-ant-" + "b7" * 20,
        "postgres://u:hunter2secret@db/x",
    ]

    def leaking(place: str, number: int) -> str:
        secret = canaries[number % len(canaries)]
        return f"password={secret} was used by the caller of this service at {number}"

    _, server, _ = study(estate(leaking, 40), minds.honest, home=None)

    assert any(asked.title == "Reading" for asked in server.asked)
    sent = b"".join(request.seen.body for request in server.requests).decode()
    for canary in canaries:
        assert canary not in sent
    assert "hunter2secret" not in sent


@pytest.mark.parametrize(
    ("mind", "word"),
    [
        (minds.refuser, "shape"),
        (minds.malformed, "shape"),
        (minds.failing(401), "401"),
        (minds.failing(500, {"retry-after": "0"}), "500"),
        (minds.failing(429, {"retry-after": "0"}), "429"),
    ],
    ids=["refuses", "malformed", "401", "500", "429"],
)
def test_a_model_that_fails_leaves_the_report_without_it(mind: Mind, word: str, study):
    result, server, said = study(estate(clean, 40), mind, "anthropic")

    assert result.claims == ()
    assert word in result.banner
    assert said == [f"model: {result.banner}"]
    assert CANARY not in json.dumps([result.banner, said])
    assert len(server.asked) <= 30  # it is not asked again for each of many groups


def test_a_babbling_model_publishes_nothing(study):
    result, _, _ = study(estate(clean, 12), minds.babbler)

    assert result.claims == ()
    assert result.dropped["more claims than a cluster can hold"] > 0
    assert result.dropped["unknown resource"] > 0


def test_a_slow_model_ends_at_the_deadline(study):
    result, _, _ = study(estate(clean, 40), minds.honest, latency=0.6, seconds=0.4)

    assert result.claims == ()
    assert "deadline" in result.banner or "did not answer" in result.banner


def test_near_the_end_of_a_budget_nothing_new_is_begun(study):
    whole, _, _ = study(estate(clean, 40), minds.honest, home=None)
    tokens = sum(line.input_tokens + line.output_tokens for line in whole.usage)

    part, _, said = study(
        estate(clean, 40), minds.honest, home=None, max_tokens=tokens // 2 + 9_000
    )

    used = sum(line.input_tokens + line.output_tokens for line in part.usage)
    assert 0 < part.accepted < whole.accepted
    assert used <= tokens // 2 + 9_000
    assert "to stay within limits" in part.banner
    assert said


def test_what_does_not_hold_is_sent_back_once_with_the_reason(study):
    def mending(asked: Any) -> Any:
        if asked.title == "Reading":
            return {"symptom": "other"}
        table = asked.prompt.split("Some of your claims")[0]
        said = minds.true_claims(minds.table_in(table))
        if "reason: severity below the rule's" in asked.prompt:
            return {"claims": said[:1]}
        for each in said[:1]:
            each["severity"] = "info"
        return {"claims": said}

    result, _, _ = study(estate(clean, 12), mending)

    repairs = [line for line in result.usage if line.step == "repair"]
    assert repairs[0].calls == result.repaired > 0
    assert result.dropped == {}


def test_a_hypothesis_has_a_next_check_of_the_menu(study):
    def guessing(asked: Any) -> Any:
        said = minds.honest(asked)
        for each in said.get("claims", ()):
            each |= {
                "confirmed": False,
                "next_check": "read_events",
                "next_resource": each["resources"][0],
            }
        return said

    result, _, _ = study(estate(clean, 12), guessing)

    assert result.claims
    assert not any(claim.confirmed for claim in result.claims)
    assert all(claim.next_check.startswith("read the events of ") for claim in result.claims)
    assert all(claim.title.startswith("Perhaps connected") for claim in result.claims)


def test_severity_is_never_below_the_rule_and_at_most_one_step_beyond(study):
    def raising(grade: str) -> Mind:
        def mind(asked: Any) -> Any:
            said = minds.honest(asked)
            for each in said.get("claims", ()):
                each["severity"] = grade
            return said

        return mind

    worst = {
        grade: study(estate(clean, 6), raising(grade), home=None)[0]
        for grade in ("critical", "high", "medium", "info")
    }

    assert worst["critical"].claims
    assert {c.severity for c in worst["critical"].claims} == {Severity.CRITICAL}
    assert worst["high"].claims
    assert worst["medium"].claims == worst["info"].claims == ()
    assert set(worst["info"].dropped) == {"severity below the rule's"}


def test_without_a_key_the_scan_is_rule_only(study, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    said: list[str] = []
    result = trio.run(
        studied, estate(clean, 4), ModelChoice(name="openai/gpt-5.4"), None, said.append
    )

    assert result.claims == ()
    assert "OPENAI_API_KEY" in result.banner
    assert result.banner.endswith("the report is rule-only")
    assert said == [result.banner]


def test_a_large_estate_is_parted_to_fit_a_small_window(study, acme: Scan):
    result, server, _ = study(acme, minds.honest, "ollama", home=None, window=4_096)

    assert result.accepted > 10
    assert max(len(asked.text) for asked in server.asked) < 2 * 4_096


def test_stopping_keeps_what_is_verified_and_says_so(study, monkeypatch: pytest.MonkeyPatch):
    said: list[str] = []

    def slow_at_last(asked: Any) -> Any:
        if len(server.asked) > 6:
            time.sleep(0.6)
        return minds.honest(asked)

    with ModelServer(slow_at_last) as server:
        for name, value in server.environment("openai").items():
            monkeypatch.setenv(name, value)

        async def run() -> Research:
            scope = trio.CancelScope()
            choice = ModelChoice(name="openai/gpt-5.4", max_usd=100)
            results: list[Research] = []

            async def go() -> None:
                results.append(await studied(estate(clean, 60), choice, None, said.append, scope))

            async with trio.open_nursery() as nursery:
                nursery.start_soon(go)
                while len(server.asked) <= 6:
                    await trio.sleep(0.01)
                scope.cancel()
            return results[0]

        result = trio.run(run)

    assert "stopped by the operator" in result.banner
    assert said == [f"model: {result.banner}"]
    assert result.usage


CONNECTING = """\
import socket, sys, json, trio
seen = []
def audit(event, details):
    if event in ("socket.connect", "socket.getaddrinfo"):
        seen.append([event, str(details[1] if event == "socket.connect" else details[0])])
sys.addaudithook(audit)
from infrascan.reason.model.choice import ModelChoice
from infrascan.reason.model.names import VENDORS
from infrascan.reason.model.study import studied
from tests.reason.model.estate import clean, estate
result = trio.run(studied, estate(clean, 12), ModelChoice(name="ollama/gemma4:31b"), None)
print(json.dumps({"accepted": result.accepted, "banner": result.banner, "seen": seen}))
"""


def test_a_local_model_needs_no_other_machine(tmp_path: Path):
    with ModelServer(minds.honest) as server:
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(Path(__file__).parents[3]),
            "HOME": str(tmp_path),
            "OLLAMA_HOST": server.at("ollama"),
        }
        done = subprocess.run(
            [sys.executable, "-c", CONNECTING],
            capture_output=True,
            text=True,
            env=environment,
            check=True,
        )
    told = json.loads(done.stdout)

    assert told["accepted"] > 0
    assert told["banner"] == ""
    assert told["seen"]
    for _, target in told["seen"]:
        assert any(here in target for here in ("localhost", "127.0.0.1", "::1")), target


def test_no_vendor_gets_anothers_key(study, monkeypatch: pytest.MonkeyPatch):
    keys = {
        key: f"canary-{key.lower()}-0123456789"
        for vendor in VENDORS.values()
        for key in vendor.keys
    }
    for key, value in keys.items():
        monkeypatch.setenv(key, value)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-aws-secret")

    _, server, _ = study(estate(clean, 6), minds.honest, "anthropic", home=None)

    for request in server.requests:
        whole = f"{request.seen.target} {request.headers} {request.seen.body.decode()}"
        assert "canary" not in whole
    assert any("key-of-a-test" in str(request.headers) for request in server.requests)
