"""Proposing runs nothing, whatever is proposed; the same command of the same agent is one proposal."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta

import pytest

from infrascan import commands
from infrascan.commands import RefusedError, Requester, answer, propose, queue, result
from infrascan.commands.grammar import TOOLS
from infrascan.model import InputError
from infrascan.store import audit
from tests.commands.conftest import ALICE, BOB, Machine
from tests.commands.corpus import MUTATING, READS, SECRETS, vectors

RESTART = ["kubectl", "rollout", "restart", "deployment/web", "-n", "shop"]


def asked(machine: Machine, vector=RESTART, who=ALICE, reason="it leaks memory", **options):
    return propose(machine.home, vector, reason, who, cwd=machine.folder, **options)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("kubectl apply -f web.yaml", "write"),
        ("terraform plan", "read"),
        ("aws ec2 stop-instances --instance-ids i-1", "destructive"),
        ("kubectl scale deployment/web --replicas=3 -n shop", "write"),
        ("terraform apply web.tfplan", "write"),
        ("kubectl patch svc web -n shop -p {}", "write"),
    ],
)
def test_a_command_waits_for_an_operator_and_is_not_run(machine, line, kind):
    (machine.folder / "web.yaml").write_text("kind: Service\nmetadata: {name: web}\n")
    (machine.folder / "web.tfplan").write_bytes(b"PK\x03\x04")

    said = answer(asked(machine, line.split()))

    assert ("pending_approval", kind, line.split()) == (
        said["status"],
        said["class"],
        said["vector"],
    )
    assert said["approval_id"]
    assert said["expires_at"] > said["created_at"]
    assert {"summary", "target", "preview", "blast_radius", "rollback", "warnings"} <= set(
        said["plan"]
    )
    assert [] == machine.runs
    json.dumps(said)


def test_the_same_command_of_the_same_agent_is_one_proposal(machine):
    first = asked(machine)

    assert first.id == asked(machine, reason="said otherwise").id
    assert first.id != asked(machine, who=BOB).id
    assert first.id != asked(machine, [*RESTART[:-1], "other"]).id
    other = Requester(client="alice/1.0", session="s9", user="ops", address="127.0.0.1")
    assert first.id != asked(machine, who=other).id
    queue.decide(machine.home, first.id, commands.Status.DENIED, operator="op")
    assert first.id != asked(machine).id


def test_two_agents_do_not_see_each_others_commands(machine):
    mine, theirs = asked(machine), asked(machine, who=BOB)

    assert [mine.id] == [one.id for one in commands.mine(machine.home, ALICE)]
    assert theirs.id == result(machine.home, theirs.id, BOB).id
    with pytest.raises(InputError, match="of yours"):
        result(machine.home, theirs.id, ALICE)
    with pytest.raises(InputError, match="of yours"):
        result(machine.home, mine.id[:6], ALICE)
    listed = queue.proposals(machine.home)
    assert {("alice/1.0", "it leaks memory"), ("bob/2.0", "it leaks memory")} == {
        (one.requester.client, one.reason) for one in listed
    }


def test_a_result_is_found_again_after_the_session_ended(machine):
    made = asked(machine)
    later = Requester(client="alice/1.1", session="another", user="ops", address="127.0.0.1")

    assert made.id == result(machine.home, made.id, later).id


def test_five_hundred_commands_of_every_kind_run_nothing(machine):
    (machine.folder / "web.yaml").write_text("kind: Pod\n")
    draw = random.Random(4)
    known = vectors(MUTATING) + vectors(READS) + vectors(SECRETS)
    words = [
        *sorted({word for vector in known for word in vector}),
        "--approved=true", "--yes", "; touch $HOME/marker", "$(kubectl)", "`kubectl`", "|", "&&",
        "--human-approved", "infrascan", "approvals", "approve", "\n", "--", "-",
    ]  # fmt: skip
    pending = 0
    for number in range(500):
        vector = list(known[number % len(known)])
        for _ in range(draw.randrange(3)):
            vector.insert(draw.randrange(len(vector) + 1), draw.choice(words))
        who = Requester(client=f"fuzz{number % 9}", session=str(number % 50))
        try:
            pending += asked(machine, vector, who).status == commands.Status.PENDING
        except InputError:
            continue

    assert [] == machine.runs
    assert pending > 100
    assert audit.verify(machine.home).ok


@pytest.mark.parametrize(
    "name", ["infrascan", "/usr/bin/infrascan", "./infrascan", "sh", "python3"]
)
def test_infrascan_and_strangers_are_never_commands(machine, name):
    with pytest.raises(RefusedError):
        asked(machine, [name, "approvals", "approve", "x"])


def test_a_reason_is_needed_and_no_secret_is_kept(machine):
    with pytest.raises(RefusedError, match="say why"):
        asked(machine, reason="  ")
    secret = "ghp_" + "a" * 36
    with pytest.raises(RefusedError, match="secret"):
        asked(machine, ["kubectl", "set", "env", "deployment/web", f"TOKEN={secret}"])
    asked(machine, reason=f"because {secret} leaked")

    kept = b"".join(path.read_bytes() for path in machine.home.rglob("*") if path.is_file())
    assert secret.encode() not in kept


def test_a_tool_that_is_not_there_is_said(machine):
    (machine.root / "bin" / "hcloud").unlink()

    with pytest.raises(RefusedError, match="hcloud is not installed"):
        asked(machine, ["hcloud", "server", "reboot", "web"])


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd.yaml", "../web.yaml", "~/x.yaml", ".hidden.yaml", "https://evil/x.yaml", "-", "id_rsa",
     "link.yaml", "folder.yaml", "missing.yaml", "pipe.yaml", "big.yaml", "not.yaml", ".kube/x.yaml"],
)  # fmt: skip
def test_only_manifests_of_the_folder_are_read(machine, name, monkeypatch):
    import os

    monkeypatch.setattr("infrascan.commands.files.LARGEST", 10_000)
    (machine.root / "out.yaml").write_text("kind: Pod")
    (machine.folder / "link.yaml").symlink_to(machine.root / "out.yaml")
    (machine.folder / "folder.yaml").mkdir()
    (machine.folder / ".kube").mkdir()
    (machine.folder / ".kube" / "x.yaml").write_text("kind: Pod")
    (machine.folder / ".hidden.yaml").write_text("kind: Pod")
    (machine.folder / "id_rsa").write_text("x")
    (machine.folder / "big.yaml").write_text("#" * 10_001)
    (machine.folder / "not.yaml").write_text("{{")
    os.mkfifo(machine.folder / "pipe.yaml")

    with pytest.raises(RefusedError):
        asked(machine, ["kubectl", "apply", "-f", name])


def test_a_proposal_expires(machine):
    early = datetime.now(UTC) - timedelta(minutes=61)
    made = asked(machine, clock=lambda: early)

    assert commands.Status.EXPIRED == result(machine.home, made.id, ALICE).status
    assert made.id != asked(machine).id


def test_one_agent_cannot_flood_the_queue(machine, monkeypatch):
    monkeypatch.setattr(queue, "PENDING", 3)
    for number in range(3):
        asked(machine, ["docker", "restart", f"web{number}"])

    with pytest.raises(RefusedError, match="wait for an operator"):
        asked(machine, ["docker", "restart", "web9"])
    asked(machine, ["docker", "restart", "web9"], BOB)


def test_what_was_refused_is_in_the_audit_log_too(machine):
    with pytest.raises(RefusedError):
        asked(machine, ["kubectl", "get", "pods", "--token=x"])
    made = asked(machine)

    refused, proposed = audit.entries(machine.home)
    assert (
        "command.refused",
        "alice/1.0",
        "s1",
        "ops",
        "127.0.0.1",
        "m",
        "it leaks memory",
    ) == tuple(
        refused[name]
        for name in ("event", "client", "session", "user", "address", "model", "reason")
    )
    assert "--token" in refused["outcome"]
    assert ("command.proposed", "pending", made.id) == (
        proposed["event"], proposed["outcome"], proposed["arguments"]["approval_id"],
    )  # fmt: skip


def test_the_plan_names_what_it_is_aimed_at_where_the_command_does_not(machine, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "prod")

    assert {
        "context": "staging",
        "namespace": "shop",
        "server": "https://10.0.0.1",
        "as": "me",
    } == (asked(machine).target)
    aws = asked(machine, ["aws", "ec2", "reboot-instances", "--instance-ids", "i-1"])
    assert "prod" == aws.target["profile"]


ROLLBACKS = [
    ("kubectl rollout restart deployment/web -n shop", "kubectl rollout undo deployment/web --namespace=shop"),
    ("kubectl set image deployment/web app=nginx:2", "kubectl rollout undo deployment/web"),
    ("kubectl cordon n1", "kubectl uncordon n1"),
    ("kubectl drain n1 --ignore-daemonsets", "kubectl uncordon n1"),
    ("kubectl rollout pause deployment/web", "kubectl rollout resume deployment/web"),
    ("kubectl label pod web a=b c=d", "kubectl label pod web a- c-"),
    ("kubectl create namespace shop", "kubectl delete namespace shop"),
    ("helm upgrade web shop/web -n shop", "helm rollback web --namespace=shop"),
    ("helm install web shop/web", "helm uninstall web"),
    ("aws ec2 stop-instances --instance-ids i-1", "aws ec2 start-instances --instance-ids i-1"),
    ("docker stop web", "docker start web"),
    ("docker pause web", "docker unpause web"),
    ("hcloud server poweroff web", "hcloud server poweron web"),
    ("gh workflow disable deploy.yml", "gh workflow enable deploy.yml"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "back"), ROLLBACKS)
def test_the_plan_has_the_way_back(machine, line, back):
    rollback = asked(machine, line.split()).plan["rollback"]

    assert back.split() == rollback["command"]
    from infrascan.commands.grammar import parse

    assert not parse(rollback["command"]).refused


def test_what_cannot_be_taken_back_says_so(machine):
    plan = asked(machine, ["kubectl", "delete", "pod", "web"]).plan

    assert [] == plan["rollback"]["command"]
    assert "none" in plan["rollback"]["note"]


PREVIEWS = [
    ("kubectl scale deployment/web --replicas=3", "kubectl scale deployment/web --replicas=3 --dry-run=server"),
    ("kubectl run x --image=y -- rm -rf /", "kubectl run x --image=y --dry-run=server -- rm -rf /"),
    ("kubectl delete pod web", "kubectl delete pod web --dry-run=server"),
    ("kubectl create namespace shop", "kubectl create namespace shop --dry-run=server"),
    ("helm upgrade web shop/web", "helm upgrade web shop/web --dry-run"),
    ("aws ec2 stop-instances --instance-ids i-1", "aws ec2 stop-instances --instance-ids i-1 --dry-run"),
    ("kubectl rollout restart deployment/web", ""),
    ("docker restart web", ""),
]  # fmt: skip


@pytest.mark.parametrize(("line", "look"), PREVIEWS)
def test_the_plan_has_a_dry_run_where_the_tool_has_one(machine, line, look):
    preview = asked(machine, line.split()).plan["preview"]

    assert look.split() == preview["command"]
    assert not preview["ran"]


def test_an_apply_is_previewed_by_a_diff(machine):
    (machine.folder / "web.yaml").write_text("kind: Service\nmetadata: {name: web}\n")

    plan = asked(machine, ["kubectl", "apply", "-n", "shop", "-f", "web.yaml"]).plan

    assert ["kubectl", "diff", "-n", "shop", "-f", "web.yaml"] == plan["preview"]["command"]
    assert [("web.yaml", 36)] == [(file["path"], file["bytes"]) for file in plan["files"]]


def test_other_parts_can_add_warnings(machine):
    made = asked(machine, warnings=lambda parsed: [f"{parsed.verb} will not help"])

    assert "rollout restart will not help" in made.plan["warnings"]


def test_every_tool_can_be_proposed(machine):
    lines = {
        "kubectl": "kubectl cordon n1", "helm": "helm rollback web", "aws": "aws ec2 reboot-instances --instance-ids i",
        "gcloud": "gcloud compute instances start web", "az": "az vm start -g rg -n web",
        "terraform": "terraform apply -auto-approve", "docker": "docker restart web", "gh": "gh run cancel 12",
        "doctl": "doctl compute droplet delete 12", "hcloud": "hcloud server reboot web",
    }  # fmt: skip
    for line in lines.values():
        asked(machine, line.split())

    assert set(TOOLS) == {one.tool for one in queue.proposals(machine.home)}
    assert [] == machine.runs


def test_fifty_agents_at_once_each_get_their_own(machine):
    import time

    import trio

    took = []

    async def one(number):
        who = Requester(client=f"agent{number}/1", session=str(number), user="ops")
        began = time.monotonic()

        def work():
            return asked(machine, ["docker", "restart", f"web{number}"], who)

        made = await trio.to_thread.run_sync(work)
        took.append(time.monotonic() - began)
        (mine,) = await trio.to_thread.run_sync(commands.mine, machine.home, who)
        assert made.id == mine.id

    async def all_of_them():
        async with trio.open_nursery() as nursery:
            for number in range(50):
                nursery.start_soon(one, number)

    trio.run(all_of_them)

    assert 50 == len(queue.proposals(machine.home))
    assert (True, 50) == (audit.verify(machine.home).ok, audit.verify(machine.home).entries)
    assert sorted(took)[47] < 5, "waiting for one another"


def test_a_queue_that_is_spoiled_is_one_line(machine):
    asked(machine)
    (machine.home / "state" / "approvals.sqlite").write_bytes(b"no database" * 1_000)

    with pytest.raises(InputError, match="cannot be used"):
        asked(machine)


def test_a_log_that_cannot_be_written_stops_what_it_would_tell_of(machine):
    import trio

    from infrascan.commands.approving import approve

    made = asked(machine)
    (machine.home / audit.NAME).rename(machine.home / "elsewhere")
    (machine.home / audit.NAME).mkdir()

    async def run():
        await approve(machine.home, made.id, hash=made.hash, operator="op")

    with pytest.raises(InputError):
        trio.run(run)
    assert [] == machine.runs
    found = queue.proposal(machine.home, made.id)
    assert (commands.Status.FAILED, True) == (found.status, "was not run" in found.note)
