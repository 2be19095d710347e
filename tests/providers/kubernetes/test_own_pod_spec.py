"""A pod template is judged once: where it is written, not in what runs on its behalf."""

from __future__ import annotations

from typing import Any

import pytest

from infrascan.providers.kubernetes.objects import resource
from infrascan.providers.kubernetes.tables import BY_KIND, kinds

SPEC = {"containers": [{"name": "web", "image": "registry.example.com/web:1.4.2"}]}
TEMPLATE = {"template": {"spec": SPEC}}


def judged(kind: str, spec: dict[str, Any], *owners: str) -> Any:
    metadata: dict[str, Any] = {"name": "web", "namespace": "shop"}
    if owners:
        metadata["ownerReferences"] = [{"kind": owner, "name": "web"} for owner in owners]
    item = {"metadata": metadata, "spec": spec}
    return resource(BY_KIND[kind], item, "prod", None).data.get("pod_spec")


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("k8s.pod", SPEC),
        ("k8s.deployment", TEMPLATE),
        ("k8s.stateful_set", TEMPLATE),
        ("k8s.daemon_set", TEMPLATE),
        ("k8s.replica_set", TEMPLATE),
        ("k8s.job", TEMPLATE),
        ("k8s.cron_job", {"jobTemplate": {"spec": TEMPLATE}}),
    ],
)
def test_a_workload_that_nobody_owns_is_judged_by_its_template(
    kind: str, spec: dict[str, Any]
) -> None:
    assert judged(kind, spec) == SPEC
    assert "containers" in kinds()[kind].fields["pod_spec"]


@pytest.mark.parametrize(
    ("kind", "spec", "owner"),
    [
        ("k8s.pod", SPEC, "ReplicaSet"),
        ("k8s.pod", SPEC, "Job"),
        ("k8s.replica_set", TEMPLATE, "Deployment"),
        ("k8s.job", TEMPLATE, "CronJob"),
    ],
)
def test_what_runs_for_a_workload_that_is_read_is_not_judged_again(
    kind: str, spec: dict[str, Any], owner: str
) -> None:
    assert judged(kind, spec, owner) is None


@pytest.mark.parametrize(
    ("kind", "spec", "owner"),
    [
        ("k8s.pod", SPEC, "ReplicationController"),
        ("k8s.pod", SPEC, "Node"),
        ("k8s.stateful_set", TEMPLATE, "Prometheus"),
        ("k8s.replica_set", {"replicas": 2, **TEMPLATE}, "Rollout"),
    ],
)
def test_what_runs_for_a_controller_that_is_not_read_is_judged_by_itself(
    kind: str, spec: dict[str, Any], owner: str
) -> None:
    assert judged(kind, spec, owner) == SPEC


def test_an_old_revision_that_is_scaled_to_zero_is_not_judged() -> None:
    assert judged("k8s.replica_set", {"replicas": 0, **TEMPLATE}, "Rollout") is None
