"""`infrascan ask` and `infrascan history` as a user sees them."""

from __future__ import annotations

from tests.cli.command import CLEAN, USAGE, Command


def test_the_sentence_first_then_table_evidence_and_gaps(infrascan: Command):
    done = infrascan("ask", "--demo", "which pods use more than 80% of their memory limit?")
    assert done.code == CLEAN, done.err
    lines = done.out.splitlines()
    assert "use more than 80 % of it: fraud-check-" in lines[0]
    assert "Not all was seen: usage of acme-staging (disabled)" in lines[0]
    assert lines[1] == "ok: no"
    assert lines[3].split()[:3] == ["NAME", "NAMESPACE", "ACCOUNT"]
    assert "evidence:" in lines
    assert "not seen:" in lines
    assert lines[-1].endswith("[k8s.memory-above-limit]")
    assert done.err == ""


def test_json_has_the_shape_of_the_contract(infrascan: Command):
    done = infrascan("ask", "--demo", "--json", "is", "any", "pod", "in", "CrashLoopBackOff?")
    assert set(done.json) >= {"question", "answer", "status", "ok", "data", "evidence", "providers", "observed_at", "route", "gaps", "changes", "state_hash", "needs"}  # fmt: skip
    assert (done.json["ok"], done.json["route"]) == (False, "k8s.crash-loops")
    assert all({"id", "resource", "path", "value"} <= set(item) for item in done.json["evidence"])


def test_a_namespace_by_option_and_what_follows(infrascan: Command):
    first = infrascan("ask", "--demo", "--json", "--session", "s", "-n", "shop", "list pods")
    second = infrascan("ask", "--demo", "--json", "--session", "s", "what about payments namespace?")  # fmt: skip
    assert {row["namespace"] for row in first.json["data"]["rows"]} == {"shop"}
    assert second.json["route"] == "k8s.pods"
    assert {row["namespace"] for row in second.json["data"]["rows"]} == {"payments"}


def test_what_is_not_known_says_what_it_would_need(infrascan: Command):
    done = infrascan("ask", "--demo", "what is the meaning of life")
    assert done.code == CLEAN
    assert done.out.startswith("I don't know what this asks.")
    assert "needs:" in done.out


def test_history_is_kept_and_shown(infrascan: Command):
    infrascan("ask", "--demo", "list my clusters")
    infrascan("ask", "--demo", "list my clusters")
    shown = infrascan("history", "--json").json
    assert [entry["question"] for entry in shown] == ["list my clusters"] * 2
    assert shown[0]["answer_hash"] == shown[1]["answer_hash"]
    assert shown[0]["state_hash"] == shown[1]["state_hash"]
    assert (shown[0]["client"], shown[0]["changes"]) == ("cli", 0)
    assert "list my clusters" in infrascan("history").out


def test_the_catalogue_can_be_listed(infrascan: Command):
    shown = infrascan("ask", "--list", "--json").json
    assert len(shown) >= 55
    assert all(entry["examples"] and entry["answers"] for entry in shown)
    assert "k8s.failing-pods" in infrascan("ask", "--list").out


def test_mistakes_are_one_line(infrascan: Command):
    assert infrascan("ask").code == USAGE
    both = infrascan("ask", "--demo", "--replay", "x", "list pods")
    assert (both.code, "give one of them" in both.complaint) == (USAGE, True)
    chosen = infrascan("ask", "--demo", "--profile", "prod", "list pods")
    assert (chosen.code, "--profile" in chosen.complaint) == (USAGE, True)
    missing = infrascan("ask", "--replay", "nowhere", "list pods")
    assert missing.code == USAGE
    assert missing.complaint
