"""The operator's policy: what it denies is denied, and what cannot be read denies everything."""

from __future__ import annotations

import pytest
import trio

from infrascan import commands
from infrascan.commands import Rates, RefusedError
from infrascan.commands.policy import Subject, policy, singular
from tests.commands.conftest import ALICE, BOB, Machine

RULE = "deny:\n- id: no-deletes-in-prod\n  why: It is changed by its repository.\n  tool: kubectl\n  verb: [delete, drain]\n  kind: [deployment, statefulset]\n  namespace: prod-*\n"


def asked(machine: Machine, line: str, who=ALICE):
    return commands.propose(machine.home, line.split(), "why", who, cwd=machine.folder)


@pytest.mark.parametrize(
    ("line", "denied"),
    [
        ("kubectl delete deployment web -n prod-eu", True),
        ("kubectl delete deploy/web -n prod-eu", True),
        ("kubectl delete deployments.apps web -nprod-eu", True),
        ("kubectl delete po,sts --all -n prod-eu", True),
        ("kubectl delete deployment web -A", True),
        ("kubectl delete deployment web -n shop", False),
        ("kubectl delete pod web -n prod-eu", False),
        ("kubectl scale deployment/web --replicas=1 -n prod-eu", False),
        ("helm uninstall web -n prod-eu", False),
    ],
)
def test_a_rule_denies_what_matches_all_of_it(machine, line, denied):
    machine.policy(RULE)

    if not denied:
        asked(machine, line)
        return
    with pytest.raises(RefusedError, match=r"rule no-deletes-in-prod .*: It is changed") as refused:
        asked(machine, line)
    assert "no-deletes-in-prod" == refused.value.rule


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        ("effect: destructive", "docker kill web"),
        ("context: stag*", "kubectl cordon n1"),
        ("client: ali*", "docker restart web"),
        ("tool: '*'", "gh run cancel 1"),
        ("verb: rollout *", "kubectl rollout restart deploy/web"),
        ("kind: svc", "kubectl apply -f web.yaml"),
        ("namespace: prod", "kubectl apply -f web.yaml"),
    ],
)
def test_each_part_of_a_rule_counts(machine, rule, line):
    (machine.folder / "web.yaml").write_text(
        "kind: Service\nmetadata: {name: w, namespace: prod}\n"
    )
    machine.policy(f"deny: [{{id: r, {rule}}}]\n")

    with pytest.raises(RefusedError, match="rule r"):
        asked(machine, line)


def test_other_clients_are_not_meant_by_a_rule_for_one(machine):
    machine.policy("deny: [{id: r, client: alice}]\n")

    asked(machine, "docker restart web", BOB)


def test_reads_are_held_against_it_as_well(machine):
    machine.policy("deny: [{id: private, tool: kubectl, namespace: hr}]\n")

    for line in ("kubectl get pods -n hr", "kubectl get pods -A"):
        with pytest.raises(RefusedError, match="rule private"):
            trio.run(commands.read, machine.home, line.split())
    trio.run(commands.read, machine.home, ["kubectl", "get", "pods", "-n", "shop"])
    assert 1 == len(machine.runs)


def test_what_is_not_known_matches_a_rule():
    rule = policy_of("deny: [{id: r, kind: secret, namespace: hr}]")

    for subject in (
        Subject(tool="x"),
        Subject(tool="x", kinds=["secrets"], namespaces=["*"]),
        Subject(tool="x", kinds=["pod", "secret"], namespaces=["hr"]),
    ):
        with pytest.raises(RefusedError):
            rule.check(subject)
    rule.check(Subject(tool="x", kinds=["pod"], namespaces=["hr"]))
    rule.check(Subject(tool="x", kinds=["secret"], namespaces=["shop"]))


def policy_of(text: str):
    from infrascan.commands.policy import parsed

    return parsed(text.encode())


@pytest.mark.parametrize(
    "text",
    ["deny: [", "deny: x", "deny: [{}]", "deny: [{id: a}]", "denied: []", "deny: [{id: a, tools: x}]", "[]", "x",
     "deny: [{id: a, tool: 3}]", "deny: [{id: a, tool: []}]", "elicitation: yes", "expires_minutes: -1",
     "expires_minutes: soon", "rate: {calls: 0}", "rate: 3", "deny: [{id: '', tool: x}]", "\x00", "a: &a [*a]"],
)  # fmt: skip
def test_a_policy_that_is_wrong_denies_everything(machine, text):
    machine.policy(text)

    with pytest.raises(RefusedError, match="nothing is allowed"):
        asked(machine, "docker restart web")
    with pytest.raises(RefusedError, match="nothing is allowed"):
        trio.run(commands.read, machine.home, ["kubectl", "get", "pods"])
    assert [] == machine.runs


def test_a_policy_that_others_may_read_or_that_is_a_link_denies_everything(machine):
    machine.policy("{}", mode=0o644)
    with pytest.raises(RefusedError, match="chmod 600"):
        policy(machine.home)
    (machine.home / "policy.yaml").unlink()
    (machine.home / "policy.yaml").symlink_to(machine.root / "elsewhere")
    with pytest.raises(RefusedError, match="nothing is allowed"):
        policy(machine.home)
    (machine.home / "policy.yaml").unlink()
    (machine.home / "policy.yaml").mkdir()
    with pytest.raises(RefusedError, match="nothing is allowed"):
        policy(machine.home)


def test_without_a_policy_nothing_is_denied_and_elicitation_only_notifies(machine):
    found = policy(machine.home)

    assert ((), False, 60.0, 120) == (
        found.deny,
        found.elicitation,
        found.expires_minutes,
        found.calls,
    )


def test_the_policy_says_how_long_a_proposal_waits(machine):
    machine.policy("expires_minutes: 5\nrate: {calls: 3, seconds: 10}\n")

    made = asked(machine, "docker restart web")

    assert (3, 10.0) == (policy(machine.home).calls, policy(machine.home).seconds)
    assert "05" == f"{(int(made.expires[14:16]) - int(made.created[14:16])) % 60:02}"


@pytest.mark.parametrize(
    ("kind", "one"),
    [("deploy", "deployment"), ("Deployments", "deployment"), ("deployments.v1.apps", "deployment"), ("svc", "service"),
     ("ingresses", "ingress"), ("networkpolicies", "networkpolicy"), ("pods", "pod"), ("endpoints", "endpoints"),
     ("ingress", "ingress"), ("storageclasses", "storageclass"), ("deploy*", "deploy*")],
)  # fmt: skip
def test_kinds_are_known_in_every_spelling(kind, one):
    assert one == singular(kind)


def test_one_call_too_many_is_told_when_to_come_again_and_others_are_not_held_up():
    now = [100.0]
    rates = Rates(calls=3, seconds=60, clock=lambda: now[0])

    assert [0.0, 0.0, 0.0] == [rates.take("a") for _ in range(3)]
    wait = rates.take("a")
    assert 19.9 < wait <= 20.0
    assert 0.0 == rates.take("b")
    now[0] += wait - 0.01
    assert 0 < rates.take("a") < 0.1
    now[0] += 0.02
    assert 0.0 == rates.take("a")
    now[0] += 3_600
    assert [0.0, 0.0, 0.0] == [rates.take("a") for _ in range(3)]
    assert rates.take("a") > 0


def test_a_clock_that_goes_back_gives_nothing():
    now = [100.0]
    rates = Rates(calls=1, seconds=60, clock=lambda: now[0])
    rates.take("a")
    now[0] = 0.0

    assert rates.take("a") > 0
