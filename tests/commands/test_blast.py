"""What else a command touches, from the latest stored scan; and what a restart will not mend."""

from __future__ import annotations

from typing import Any

import pytest

from infrascan.commands import propose
from infrascan.model import Connection, Edge, Identity, Resource, Scan
from infrascan.store.scans import write
from tests.commands.conftest import ALICE, Machine

WAITING = {"state": {"waiting": {"reason": "ImagePullBackOff"}}}


def crashing(code: int, reason: str = "Completed") -> dict[str, Any]:
    return {
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"exitCode": code, "reason": reason}},
        "restartCount": 14,
    }


def k8s(kind: str, id: str, data: dict[str, Any] | None = None, account: str = "prod") -> Resource:
    name = id.rpartition("/")[2]
    return Resource(
        kind=f"k8s.{kind}", id=id, name=name, provider="k8s", account=account, data=data or {}
    )


def stored(machine: Machine, status: dict[str, Any] | None = None) -> None:
    """An ingress leads to a service, that to a deployment, and that to a pod; and a lonely container."""
    pod = {
        "status": {"containerStatuses": [{"name": "app", **(status or {"state": {"running": {}}})}]}
    }
    deployment = k8s("deployment", "shop/web", {"spec": {"replicas": 3}})
    resources = {
        "deployment": deployment,
        "pod": k8s("pod", "shop/web-1", pod),
        "service": k8s("service", "shop/front"),
        "ingress": k8s("ingress", "shop/public"),
        "other": k8s("deployment", "hr/web"),
        "far": k8s("deployment", "shop/web", account="dev"),
        "event": k8s("event", "shop/web.1"),
        "container": Resource(
            kind="docker.container", id="a" * 64, name="db", provider="docker", account="here",
            data={"State": {"Running": False, "ExitCode": 0}},
        ),
        "instance": Resource(
            kind="aws.ec2.instance", id="arn:aws:ec2:eu-west-1:1:instance/i-1", name="x", provider="aws",
            account="1", region="eu-west-1", data={},
        ),
        "group": Resource(
            kind="aws.autoscaling.group", id="asg", name="asg", provider="aws", account="1",
            region="eu-west-1", data={},
        ),
    }  # fmt: skip
    led = [
        ("deployment", "pods", "pod"), ("service", "deployments", "deployment"),
        ("ingress", "services", "service"), ("event", "involved", "deployment"),
        ("group", "instances", "instance"),
    ]  # fmt: skip
    edges = [Edge(source=resources[a].key, name=n, target=resources[b].key) for a, n, b in led]
    scan = Scan(
        id="20261121T093000Z-5f3a", version="0", started="2026-11-21T09:30:00Z",
        finished="2026-11-21T09:31:00Z", observed="2026-11-21T09:30:00Z", scope={"providers": ["k8s"]},
        identities=[Identity(provider="k8s", state=Connection.CONNECTED)], resources=list(resources.values()),
        edges=edges, findings=[], unknowns=[], gaps=[], coverage=[], rules=[],
    )  # fmt: skip
    machine.home.mkdir(mode=0o700, exist_ok=True)
    write(scan, machine.home)


def plan(machine: Machine, line: str) -> Any:
    return propose(machine.home, line.split(), "why", ALICE, cwd=machine.folder).plan


def names(blast: Any) -> set[str]:
    return {each["resource"].rpartition("/")[2] for each in blast["dependents"]}


@pytest.mark.parametrize(
    "line",
    [
        "kubectl rollout restart deployment/web",
        "kubectl rollout restart deploy web",
        "kubectl patch deployments.apps web -p {}",
    ],
)
def test_what_leads_to_the_target_is_touched_as_well(machine, line):
    machine.context("prod")
    stored(machine)

    blast = plan(machine, f"{line} -n shop")["blast_radius"]

    assert blast["known"]
    assert ["k8s.deployment/prod/global/shop/web"] == blast["resources"]
    assert ({"web-1", "front", "public"}, 3) == (names(blast), blast["total"])


def test_where_the_context_is_none_of_the_scans_all_so_named_count(machine):
    stored(machine)

    blast = plan(machine, "kubectl scale deployment/web --replicas=1 -n shop")["blast_radius"]

    assert 2 == len(blast["resources"])
    assert "several places have one so named: dev, prod" in blast["note"]


def test_manifests_name_what_they_touch(machine):
    machine.context("prod")
    stored(machine)
    (machine.folder / "web.yaml").write_text("kind: Deployment\nmetadata: {name: web}\n")

    made = plan(machine, "kubectl apply -n shop -f web.yaml")

    assert {"web-1", "front", "public"} == names(made["blast_radius"])
    assert ["kubectl", "rollout", "undo", "deployment/web", "--namespace=shop"] == made["rollback"][
        "command"
    ]


def test_resources_of_clouds_are_known_by_the_end_of_their_names(machine):
    stored(machine)

    blast = plan(machine, "aws ec2 stop-instances --instance-ids i-1")["blast_radius"]

    assert {"asg"} == names(blast)


def test_the_way_back_of_a_scale_is_the_number_there_was(machine):
    machine.context("prod")
    stored(machine)

    back = plan(machine, "kubectl scale deployment/web --replicas=9 -n shop")["rollback"]

    assert ["kubectl", "scale", "deployment/web", "--replicas=3", "--namespace=shop"] == back[
        "command"
    ]


def test_what_is_not_known_is_said_and_is_not_nothing(machine):
    none = plan(machine, "docker restart web")["blast_radius"]
    assert (False, True) == (none["known"], "no scan is stored" in none["note"])
    stored(machine)
    other = plan(machine, "docker restart other")["blast_radius"]
    assert (False, True) == (other["known"], "not known" in other["note"])


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (WAITING, "is in ImagePullBackOff: a restart uses the same image, and will not fix it"),
        (crashing(0), "ends by itself with exit code 0"),
        (crashing(127), "its command cannot be run"),
        (crashing(128, "StartError"), "cannot start its command"),
        (crashing(137, "OOMKilled"), ""),
        (crashing(1, "Error"), ""),
        ({"state": {"running": {}}}, ""),
    ],
)
@pytest.mark.parametrize(
    "line", ["kubectl rollout restart deployment/web -n shop", "kubectl delete pod web-1 -n shop"]
)
def test_a_restart_that_will_not_mend_the_image_or_command_says_so(machine, status, said, line):
    machine.context("prod")
    stored(machine, status)

    warnings = plan(machine, line)["warnings"]

    if said:
        (warning,) = warnings
        assert said in warning
        assert "will not fix it" in warning
    else:
        assert [] == warnings


def test_so_does_the_restart_of_a_container(machine):
    stored(machine)

    assert (
        "container db ends by itself with exit code 0"
        in plan(machine, "docker restart db")["warnings"][0]
    )


def test_a_scale_gets_no_warning_about_restarts(machine):
    stored(machine, WAITING)

    assert [] == plan(machine, "kubectl scale deployment/web --replicas=1 -n shop")["warnings"]
