"""Approving runs a command once, as it was shown, or not at all."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time

import pytest
import trio

from infrascan.commands import RefusedError, Status, answer, propose, queue, result
from infrascan.commands.approving import approve, deny, elicited, preview
from infrascan.model import InputError
from infrascan.store import audit
from tests.commands.conftest import ALICE, BOB, Machine

RESTART = ["kubectl", "rollout", "restart", "deployment/web", "-n", "shop"]


def asked(machine: Machine, vector=RESTART, who=ALICE):
    return propose(machine.home, vector, "it leaks", who, cwd=machine.folder)


def approved(machine: Machine, made, **options):
    async def run():
        return await approve(machine.home, made.id, hash=made.hash, operator="op", **options)

    return trio.run(run)


def test_an_approved_command_runs_once_and_its_requester_gets_the_result(machine):
    made = asked(machine)

    done = approved(machine, made)

    assert (Status.EXECUTED, 0, "kubectl ran\n") == (
        done.status,
        done.output.exit_code,
        done.output.stdout,
    )
    assert ["kubectl rollout restart deployment/web -n shop"] == machine.runs
    said = answer(result(machine.home, made.id, ALICE))
    assert ("executed", 0) == (said["status"], said["result"]["exit_code"])
    with pytest.raises(RefusedError, match="executed already"):
        approved(machine, made)
    assert 1 == len(machine.runs)
    events = [entry["event"] for entry in audit.entries(machine.home)]
    assert [
        "command.proposed", "command.approved", "command.started", "command.executed", "command.refused",
    ][:4] == events[:4]  # fmt: skip


def test_a_denied_or_expired_command_never_runs(machine):
    made = asked(machine)
    deny(machine.home, made.id, operator="op", note="not on a Friday")

    with pytest.raises(RefusedError, match="denied already"):
        approved(machine, made)
    assert "not on a Friday" == result(machine.home, made.id, ALICE).note
    with pytest.raises(RefusedError, match="denied already"):
        deny(machine.home, made.id, operator="op")

    late = asked(machine, ["docker", "restart", "web"])
    with queue.database(machine.home) as connection:
        connection.execute(
            "UPDATE proposals SET expires = '2020-01-01T00:00:00.000Z' WHERE id = ?", (late.id,)
        )
    with pytest.raises(RefusedError, match="expired already"):
        approved(machine, late)
    assert [] == machine.runs


CHANGES = {
    "vector": "replace(body, 'shop', 'prod')",
    "cwd": "json_set(body, '$.cwd', '/')",
    "tool": "json_set(body, '$.vector[0]', 'helm', '$.tool', 'helm')",
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_changed_in_the_queue_does_not_run(machine, change):
    made = asked(machine)
    with queue.database(machine.home) as connection:
        connection.execute(f"UPDATE proposals SET body = {CHANGES[change]}")

    with pytest.raises(RefusedError):
        approved(machine, made)
    assert [] == machine.runs
    assert Status.PENDING == queue.proposal(machine.home, made.id).status


def test_what_is_not_what_was_shown_does_not_run(machine):
    made = asked(machine)

    async def run():
        await approve(machine.home, made.id, hash="0" * 64, operator="op")

    with pytest.raises(RefusedError, match="not what was shown"):
        trio.run(run)
    assert [] == machine.runs


def test_another_target_file_or_tool_does_not_run(machine, monkeypatch):
    made = asked(machine)
    machine.context("prod")
    with pytest.raises(RefusedError, match="context was staging, and here is prod"):
        approved(machine, made)
    machine.context("staging", server="https://10.6.6.6")
    with pytest.raises(RefusedError, match="server was https"):
        approved(machine, made)
    machine.context("staging")

    machine.tool("kubectl", "echo another version")
    with pytest.raises(RefusedError, match="the tool changed"):
        approved(machine, made)

    path = machine.folder / "web.yaml"
    path.write_text("kind: Service\nmetadata: {name: web}\n")
    apply = asked(machine, ["kubectl", "apply", "-f", "web.yaml"])
    path.write_text("kind: ClusterRoleBinding\nmetadata: {name: web}\n")
    with pytest.raises(RefusedError, match="a file it reads"):
        approved(machine, apply)

    aws = asked(machine, ["aws", "ec2", "reboot-instances", "--instance-ids", "i-1"])
    monkeypatch.setenv("AWS_PROFILE", "prod")
    with pytest.raises(RefusedError, match="profile was default, and here is prod"):
        approved(machine, aws)
    assert [] == machine.runs


@pytest.mark.parametrize(
    ("line", "name"),
    [("terraform apply -auto-approve", "main.tf"), ("terraform plan", "modules/net/main.tf"),
     ("docker compose up -d", "compose.yaml"), ("docker compose up -d", ".env")],
)  # fmt: skip
def test_a_configuration_that_changed_does_not_run(machine, line, name):
    for each in ("main.tf", "compose.yaml", "modules/net/main.tf", ".env"):
        path = machine.folder / each
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("one")
    made = asked(machine, line.split())
    (machine.folder / name).write_text("two")

    with pytest.raises(RefusedError, match="a file it reads"):
        approved(machine, made)
    assert [] == machine.runs

    again = asked(machine, line.split())
    assert made.id != again.id
    (machine.folder / "terraform.tfstate").write_text("written by others meanwhile")
    approved(machine, again)
    assert [line] == machine.runs


def test_a_configuration_that_came_after_the_proposal_does_not_run(machine):
    made = asked(machine, ["terraform", "apply", "-auto-approve"])
    (machine.folder / "main.tf").write_text("resource")

    with pytest.raises(RefusedError, match="a file it reads"):
        approved(machine, made)


def test_a_manifest_runs_as_it_was_approved(machine):
    machine.tool("kubectl", 'cat web.yaml; ls -A "$PWD"')
    (machine.folder / "web.yaml").write_text("kind: Service\nmetadata: {name: web}\n")
    (machine.folder / "other.yaml").write_text("kind: Pod\n")

    done = approved(machine, asked(machine, ["kubectl", "apply", "-f", "web.yaml"]))

    assert "kind: Service\nmetadata: {name: web}\nweb.yaml\n" == done.output.stdout


def test_a_command_that_fails_or_hangs_says_so(machine):
    machine.tool("docker", "echo no such container >&2; exit 3")
    failed = approved(machine, asked(machine, ["docker", "restart", "web"]))

    assert (Status.FAILED, 3, "no such container\n") == (
        failed.status, failed.output.exit_code, failed.output.stderr,
    )  # fmt: skip
    machine.tool("helm", "sleep 60")
    slow = approved(machine, asked(machine, ["helm", "rollback", "web"]), seconds=0.2)
    assert (Status.FAILED, None, True) == (
        slow.status,
        slow.output.exit_code,
        slow.output.timed_out,
    )
    assert "ran out of time" in slow.note


def race(root, id, hash, start, results):
    start.wait()

    async def run():
        await approve(root / "kept", id, hash=hash, operator=f"op{os.getpid()}")

    try:
        trio.run(run)
        results.put("ran")
    except InputError:
        results.put("refused")


def test_of_two_operators_at_once_one_runs_it(machine):
    machine.tool("kubectl", "sleep 0.2")
    context = multiprocessing.get_context("fork")
    for _ in range(3):
        made = asked(machine, [*RESTART[:4], "-n", f"n{time.monotonic_ns()}"])
        before = len(machine.runs)
        start, results = context.Event(), context.Queue()
        operators = [
            context.Process(target=race, args=(machine.root, made.id, made.hash, start, results))
            for _ in range(4)
        ]
        for one in operators:
            one.start()
        start.set()
        said = sorted(results.get(timeout=30) for _ in operators)
        for one in operators:
            one.join(30)

        assert ["ran", "refused", "refused", "refused"] == said
        assert 1 == len(machine.runs) - before
        assert Status.EXECUTED == queue.proposal(machine.home, made.id).status


KILLED = """
import sys, trio
from pathlib import Path
from infrascan.commands.approving import approve
async def run():
    await approve(Path(sys.argv[1]), sys.argv[2], hash=sys.argv[3], operator="op")
trio.run(run)
"""


def test_whoever_runs_it_being_killed_leaves_an_unknown_outcome(machine):
    machine.tool("kubectl", 'echo $$ > "$HOME/pid"; sleep 30')
    made = asked(machine)
    arguments = [sys.executable, "-c", KILLED, str(machine.home), made.id, made.hash]
    with subprocess.Popen(arguments) as operator:
        pid = machine.root / "home" / "pid"
        for _ in range(200):
            if pid.exists() and pid.read_text().strip():
                break
            time.sleep(0.05)
        assert Status.RUNNING == queue.proposal(machine.home, made.id).status
        operator.kill()
    os.killpg(int(pid.read_text()), signal.SIGKILL)

    found = result(machine.home, made.id, ALICE)

    assert Status.UNKNOWN == found.status
    assert "look at the target" in answer(found)["next"]
    with pytest.raises(RefusedError, match="outcome unknown already"):
        approved(machine, made)
    entries = audit.entries(machine.home)
    started = [entry["event"] for entry in entries]
    assert "command.started" in started
    (lost,) = [entry for entry in entries if entry["event"] == "command.lost"]
    assert ("started, outcome unknown", made.id) == (
        lost["outcome"],
        lost["arguments"]["approval_id"],
    )
    assert audit.verify(machine.home).ok


def test_an_answer_of_a_client_approves_only_where_the_operator_says_so(machine):
    made = asked(machine)

    def accept(who):
        return trio.run(elicited, machine.home, made.id, who)

    with pytest.raises(RefusedError, match="on a terminal"):
        accept(ALICE)
    machine.policy("elicitation: notify\n")
    with pytest.raises(RefusedError, match="on a terminal"):
        accept(ALICE)
    machine.policy("elicitation: approve\n")
    with pytest.raises(RefusedError, match="of yours"):
        accept(BOB)
    assert [] == machine.runs
    assert Status.EXECUTED == accept(ALICE).status
    assert 1 == len(machine.runs)


def test_a_rule_made_after_the_proposal_still_holds(machine):
    made = asked(machine)
    machine.policy("deny: [{id: frozen, tool: kubectl}]\n")

    with pytest.raises(RefusedError, match="rule frozen"):
        approved(machine, made)
    assert [] == machine.runs


def test_an_operator_can_look_first_and_the_requester_sees_it_too(machine):
    machine.tool("kubectl", 'echo "-  replicas: 2"; echo "+  replicas: 3"; exit 1')
    made = asked(machine, ["kubectl", "scale", "deployment/web", "--replicas=3"])

    async def look():
        return await preview(machine.home, made.id, operator="op")

    trio.run(look)

    assert ["kubectl scale deployment/web --replicas=3 --dry-run=server"] == machine.runs
    shown = answer(result(machine.home, made.id, ALICE))["plan"]["preview"]
    assert (True, "-  replicas: 2\n+  replicas: 3\n") == (shown["ran"], shown["output"])
    assert Status.PENDING == queue.proposal(machine.home, made.id).status
    approved(machine, made)


def test_the_output_is_redacted_and_private(machine):
    secret = "ghp_" + "b" * 36
    machine.tool("docker", f"echo token is {secret}; echo {secret} >&2")

    done = approved(machine, asked(machine, ["docker", "restart", "web"]))

    assert "token is [redacted:github-token]\n" == done.output.stdout
    for path in machine.home.rglob("*"):
        if path.is_file():
            assert secret.encode() not in path.read_bytes()
            assert 0 == path.stat().st_mode & 0o077, path
