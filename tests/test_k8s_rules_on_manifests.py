"""The Kubernetes rules on manifests, read through a real API server on loopback.

`bad-pods` are pods that were written to take over a node; each kind of badness must be found by
the rule it is meant for, once. `hardened.yaml` must be clean.
"""

from __future__ import annotations

import tarfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from infrascan.evaluate import Evaluation, RuleSet, evaluate, load
from infrascan.graph import link
from infrascan.model import Category, Finding
from infrascan.providers.kubernetes.tables import kinds
from tests.providers.kubernetes import estate
from tests.servers.kubernetes import ApiServer

ROOT = Path(__file__).parents[1]
MANIFESTS = ROOT / "fixtures" / "kubernetes"
RULES = load([ROOT / "rules" / "k8s"], kinds())
CATEGORIES = (Category.SECURITY, Category.RELIABILITY)
SHIPPED = RuleSet(tuple(rule for rule in RULES if rule.category in CATEGORIES))
NAMESPACE = "pentest"
DEFAULT_ACCOUNT = {
    "apiVersion": "v1",
    "kind": "ServiceAccount",
    "metadata": {"name": "default", "namespace": NAMESPACE},
}

# Folder of bad-pods -> what takes over the node there, by rule.
BADNESS = {
    "everything-allowed": {
        "k8s.workload.privileged",
        "k8s.workload.shares-host-processes",
        "k8s.workload.shares-host-ipc",
        "k8s.workload.shares-host-network",
        "k8s.workload.writes-to-node-system",
    },
    "priv-and-hostpid": {"k8s.workload.privileged", "k8s.workload.shares-host-processes"},
    "priv": {"k8s.workload.privileged"},
    "hostpath": {"k8s.workload.writes-to-node-system"},
    "hostpid": {"k8s.workload.shares-host-processes"},
    "hostnetwork": {"k8s.workload.shares-host-network"},
    "hostipc": {"k8s.workload.shares-host-ipc"},
    "nothing-allowed": set(),
}
# These manifests are worse than the name of their folder says.
WORSE = {
    "hostipc.hostipc-revshell-daemonset": {
        "k8s.workload.shares-host-processes",
        "k8s.workload.shares-host-network",
    },
}
TAKE_OVER = set.union(*BADNESS.values())
READ_KINDS = ("Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob")


def bad_pods() -> Iterator[tuple[str, dict[str, Any]]]:
    """(folder, object) of every manifest in the archive."""
    with tarfile.open(MANIFESTS / "bad-pods.tar.gz") as archive:
        for member in sorted(archive.getmembers(), key=lambda m: m.name):
            if not member.isfile() or not member.name.endswith(".yaml"):
                continue
            folder = Path(member.name).parts[1]
            file = archive.extractfile(member)
            assert file is not None
            for item in yaml.safe_load_all(file.read()):
                if item and item["kind"] in READ_KINDS:
                    # Two manifests of the archive share a name, so the folder is put before it.
                    item["metadata"]["name"] = f"{folder}.{item['metadata']['name']}"
                    item["metadata"]["namespace"] = NAMESPACE
                    yield folder, item


Scan = Callable[[list[dict[str, Any]]], Evaluation]


@pytest.fixture
def scan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scan:
    """Serve the objects, read them with the provider, and judge them by the shipped rules."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)

    def run(objects: list[dict[str, Any]]) -> Evaluation:
        with ApiServer(objects) as server:
            monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig(tmp_path / "config")))
            found = estate.scan(estate.provider(secrets=True))
        assert found.gaps == []
        link(found.resources, kinds(), found.gaps, found.coverage)
        return evaluate(SHIPPED, found.resources, found.gaps, now=estate.OBSERVED)

    return run


def shown(findings: list[Finding]) -> str:
    return "\n".join(f"{f.rule} {f.resource_id} {f.evidence}" for f in findings)


def test_each_bad_pod_is_flagged_by_the_rule_for_its_fault_and_by_no_other(scan: Scan) -> None:
    manifests = list(bad_pods())
    evaluation = scan([item for _, item in manifests] + [DEFAULT_ACCOUNT])
    rules_of: dict[str, list[str]] = {}
    for finding in evaluation.findings:
        if finding.rule in TAKE_OVER:
            rules_of.setdefault(finding.resource_id, []).append(finding.rule)
    assert {folder for folder, _ in manifests} == BADNESS.keys()
    for folder, item in manifests:
        name = item["metadata"]["name"]
        found = rules_of.get(f"{NAMESPACE}/{name}", [])
        assert sorted(found) == sorted(BADNESS[folder] | WORSE.get(name, set())), name


def test_every_kind_of_workload_is_judged(scan: Scan) -> None:
    manifests = [item for folder, item in bad_pods() if folder == "everything-allowed"]
    findings = scan([*manifests, DEFAULT_ACCOUNT]).findings
    flagged = Counter(f.kind for f in findings if f.rule == "k8s.workload.privileged")
    written = Counter(item["kind"] for item in manifests)
    assert {kind.rpartition(".")[2].replace("_", ""): n for kind, n in flagged.items()} == {
        kind.lower(): n for kind, n in written.items()
    }
    assert written.keys() == set(READ_KINDS)


def test_a_fault_in_a_template_is_one_finding_with_its_place_and_command(scan: Scan) -> None:
    (deployment,) = [
        item
        for folder, item in bad_pods()
        if (folder, item["kind"]) == ("priv", "Deployment") and "exec" in item["metadata"]["name"]
    ]
    name = deployment["metadata"]["name"]
    spec = deployment["spec"]["template"]["spec"]
    replica_set = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{name}-1",
            "namespace": NAMESPACE,
            "ownerReferences": [{"kind": "Deployment", "name": name, "controller": True}],
        },
        "spec": {"replicas": 1, "template": {"spec": spec}},
    }
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{name}-1-x",
            "namespace": NAMESPACE,
            "ownerReferences": [{"kind": "ReplicaSet", "name": f"{name}-1", "controller": True}],
        },
        "spec": spec,
        "status": {"phase": "Pending"},
    }
    findings = scan([deployment, replica_set, pod, DEFAULT_ACCOUNT]).findings
    (finding,) = [f for f in findings if f.rule == "k8s.workload.privileged"]
    assert finding.resource_id == f"{NAMESPACE}/{name}"
    evidence = {e.path: e.value for e in finding.evidence}
    assert evidence["pod_spec.containers[0].securityContext.privileged"] is True
    assert finding.command == f"kubectl --context lab -n {NAMESPACE} edit deployment {name}"


def test_a_well_hardened_application_is_clean(scan: Scan) -> None:
    objects = list(yaml.safe_load_all((MANIFESTS / "hardened.yaml").read_text("utf-8")))
    evaluation = scan(objects)
    assert not evaluation.findings, shown(evaluation.findings)
    assert evaluation.unknowns == []
    judged = {rule.rule for rule in evaluation.rules if rule.passed}
    assert TAKE_OVER < judged


FAULTS: dict[str, tuple[str, Callable[[Any], object]]] = {
    "k8s.workload.memory-limit-missing": (
        "Deployment",
        lambda d: d["spec"]["template"]["spec"]["containers"][0]["resources"].pop("limits"),
    ),
    "k8s.workload.readiness-probe-missing": (
        "Deployment",
        lambda d: d["spec"]["template"]["spec"]["containers"][0].pop("readinessProbe"),
    ),
    "k8s.workload.password-in-environment": (
        "Deployment",
        lambda d: d["spec"]["template"]["spec"]["containers"][0].update(
            env=[{"name": "DATABASE_PASSWORD", "value": "hunter2-hunter2"}]
        ),
    ),
    "k8s.workload.secret-missing": ("Secret", lambda d: d["metadata"].update(name="other")),
    "k8s.workload.reference-missing": ("ConfigMap", lambda d: d["metadata"].update(name="other")),
    "k8s.workload.disruption-budget-missing": (
        "PodDisruptionBudget",
        lambda d: d["spec"]["selector"].update(matchLabels={"app": "other"}),
    ),
    "k8s.ingress.backend-missing": ("Service", lambda d: d["metadata"].update(name="other")),
    "k8s.ingress.backend-port-missing": (
        "Service",
        lambda d: d["spec"]["ports"][0].update(port=81),
    ),
    "k8s.service.selects-no-pod": (
        "Service",
        lambda d: d["spec"].update(selector={"app": "other"}),
    ),
    "k8s.service.database-open-to-everyone": (
        "Service",
        lambda d: d["spec"].update(type="LoadBalancer", ports=[{"port": 5432}]),
    ),
    "k8s.rbac.binding-to-missing-role": ("Role", lambda d: d["metadata"].update(name="other")),
    "k8s.cluster.nodes-in-one-zone": (
        "Node",
        lambda d: d["metadata"]["labels"].update({"topology.kubernetes.io/zone": "eu-west-1a"}),
    ),
    "k8s.workload.replicas-on-one-node": (
        "Pod",
        lambda d: d["spec"].update(nodeName="worker-1"),
    ),
    "k8s.node.kubelet-too-old-for-its-cluster": (
        "Node",
        lambda d: d["status"]["nodeInfo"].update(kubeletVersion="v1.32.0"),
    ),
    "k8s.quota.nearly-used-up": (
        "ResourceQuota",
        lambda d: d["status"]["used"].update(pods="50"),
    ),
    "k8s.autoscaling.target-missing": (
        "HorizontalPodAutoscaler",
        lambda d: d["spec"]["scaleTargetRef"].update(name="other"),
    ),
}


@pytest.mark.parametrize("rule", FAULTS)
def test_one_fault_put_into_the_hardened_application_is_found(rule: str, scan: Scan) -> None:
    text = (MANIFESTS / "hardened.yaml").read_text("utf-8")
    objects = list(yaml.safe_load_all(text))
    kind, break_it = FAULTS[rule]
    for item in objects:
        if item["kind"] == kind:
            break_it(item)
    evaluation = scan(objects)
    assert rule in {f.rule for f in evaluation.findings}, shown(evaluation.findings)
    assert "hunter2" not in repr(evaluation.findings)
