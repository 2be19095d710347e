"""How Kubernetes objects refer to each other.

References whose target depends on a kind or lies under several paths are first gathered into
`refs` (see `references.py`) as ids, so that each relation here is one path into one kind.
"""

from __future__ import annotations

from collections.abc import Mapping

from infrascan.model import Relation


def ref(name: str, to: str, reverse: str = "", *, missing: str = "", sums: str = "") -> Relation:
    """Follows the ids gathered in `refs.<name>`."""
    return Relation(
        name=name,
        path=f"refs.{name}[]",
        to=to,
        by="id",
        reverse=reverse,
        within="account",
        missing=missing,
        sums=sums,
    )


def named(name: str, path: str, to: str, reverse: str) -> Relation:
    """Follows the name of an object that lies in no namespace."""
    return Relation(name=name, path=path, to=to, by="name", reverse=reverse, within="account")


def selects(
    name: str, to: str, reverse: str, *, path: str = "spec.selector", by: str = ""
) -> Relation:
    """Follows a label selector within the namespace."""
    return Relation(
        name=name,
        path=path,
        to=to,
        by=by or "metadata.labels",
        reverse=reverse,
        within="namespace",
        selector=True,
    )


def in_namespace(kind: str) -> tuple[Relation, ...]:
    """The relation from an object to its namespace, and back by the plural of its kind."""
    return (named("namespace", "metadata.namespace", "k8s.namespace", PLURALS[kind]),)


PLURALS: Mapping[str, str] = {
    "k8s.pod": "pods",
    "k8s.deployment": "deployments",
    "k8s.stateful_set": "stateful_sets",
    "k8s.daemon_set": "daemon_sets",
    "k8s.replica_set": "replica_sets",
    "k8s.job": "jobs",
    "k8s.cron_job": "cron_jobs",
    "k8s.service": "services",
    "k8s.endpoint_slice": "endpoint_slices",
    "k8s.ingress": "ingresses",
    "k8s.network_policy": "network_policies",
    "k8s.role": "roles",
    "k8s.role_binding": "role_bindings",
    "k8s.service_account": "service_accounts",
    "k8s.secret": "secrets",
    "k8s.config_map": "config_maps",
    "k8s.persistent_volume_claim": "persistent_volume_claims",
    "k8s.resource_quota": "resource_quotas",
    "k8s.limit_range": "limit_ranges",
    "k8s.pod_disruption_budget": "pod_disruption_budgets",
    "k8s.horizontal_pod_autoscaler": "horizontal_pod_autoscalers",
    "k8s.event": "events",
}

TEMPLATE_LABELS = "spec.template.metadata.labels"


def pod_refs(kind: str) -> tuple[Relation, ...]:
    """What a pod, or the template of pods in a workload, needs in order to run.

    `config_maps` and `secrets` are all of them, those marked `optional: true` too; what is missing
    is found among the required ones.
    """
    reverse = PLURALS[kind]
    return (
        ref("service_account", "k8s.service_account", reverse, missing="missing_service_account"),
        ref("config_maps", "k8s.config_map", reverse),
        ref("required_config_maps", "k8s.config_map", missing="missing_config_maps"),
        ref("secrets", "k8s.secret", reverse),
        ref("required_secrets", "k8s.secret", missing="missing_secrets"),
        ref(
            "persistent_volume_claims",
            "k8s.persistent_volume_claim",
            reverse,
            missing="missing_persistent_volume_claims",
        ),
    )


def binding(kind: str) -> tuple[Relation, ...]:
    reverse = f"{kind.removeprefix('k8s.')}s"
    return (
        ref("cluster_role", "k8s.cluster_role", reverse, missing="missing_cluster_role"),
        ref("service_accounts", "k8s.service_account", reverse, missing="missing_service_accounts"),
    )


def webhook(kind: str) -> tuple[Relation, ...]:
    reverse = f"{kind.removeprefix('k8s.')}s"
    return (ref("services", "k8s.service", reverse, missing="missing_services"),)


def balanced(reverse: str) -> tuple[Relation, ...]:
    """The load balancer in AWS that an object's status names."""
    return tuple(
        Relation(
            name=name,
            path="status.loadBalancer.ingress[].hostname",
            to=kind,
            by="host",
            reverse=reverse,
            within="anywhere",
        )
        for name, kind in (
            ("load_balancer", "aws.elbv2.load_balancer"),
            ("classic_load_balancer", "aws.elb.load_balancer"),
        )
    )


SCALED = (
    ("deployments", "k8s.deployment"),
    ("stateful_sets", "k8s.stateful_set"),
)

RELATIONS: Mapping[str, tuple[Relation, ...]] = {
    "k8s.namespace": (ref("cluster", "k8s.cluster", "namespaces"),),
    "k8s.node": (
        ref("cluster", "k8s.cluster", "nodes", sums="zones"),
        Relation(
            name="instance",
            path="refs.instance[]",
            to="aws.ec2.instance",
            by="InstanceId",
            reverse="nodes",
            within="anywhere",
        ),
    ),
    "k8s.pod": (
        Relation(
            name="node",
            path="spec.nodeName",
            to="k8s.node",
            by="name",
            reverse="pods",
            within="account",
            sums="requested",
        ),
        ref("replica_set", "k8s.replica_set", "pods"),
        ref("stateful_set", "k8s.stateful_set", "pods"),
        ref("daemon_set", "k8s.daemon_set", "pods"),
        ref("job", "k8s.job", "pods"),
        *pod_refs("k8s.pod"),
    ),
    "k8s.replica_set": (ref("deployment", "k8s.deployment", "replica_sets"),),
    "k8s.deployment": (selects("pods", "k8s.pod", "deployments"), *pod_refs("k8s.deployment")),
    "k8s.stateful_set": pod_refs("k8s.stateful_set"),
    "k8s.daemon_set": pod_refs("k8s.daemon_set"),
    "k8s.job": (ref("cron_job", "k8s.cron_job", "jobs"), *pod_refs("k8s.job")),
    "k8s.cron_job": pod_refs("k8s.cron_job"),
    "k8s.service": (
        selects("pods", "k8s.pod", "services"),
        *(selects(name, kind, "services", by=TEMPLATE_LABELS) for name, kind in SCALED),
        *balanced("kubernetes_services"),
    ),
    "k8s.endpoint_slice": (ref("service", "k8s.service", "endpoint_slices"),),
    "k8s.ingress": (
        ref("services", "k8s.service", "ingresses", missing="missing_services"),
        *balanced("kubernetes_ingresses"),
    ),
    "k8s.network_policy": (
        selects("pods", "k8s.pod", "network_policies", path="spec.podSelector"),
        *(
            selects(name, kind, "network_policies", path="spec.podSelector", by=TEMPLATE_LABELS)
            for name, kind in SCALED
        ),
    ),
    "k8s.pod_disruption_budget": (
        selects("pods", "k8s.pod", "pod_disruption_budgets"),
        *(
            selects(name, kind, "pod_disruption_budgets", by=TEMPLATE_LABELS)
            for name, kind in SCALED
        ),
    ),
    "k8s.horizontal_pod_autoscaler": tuple(
        ref(name, kind, "horizontal_pod_autoscalers", missing=f"missing_{name}")
        for name, kind in SCALED
    ),
    "k8s.role_binding": (
        ref("role", "k8s.role", "role_bindings", missing="missing_role"),
        *binding("k8s.role_binding"),
    ),
    "k8s.cluster_role_binding": binding("k8s.cluster_role_binding"),
    "k8s.persistent_volume_claim": (
        named(
            "persistent_volume",
            "spec.volumeName",
            "k8s.persistent_volume",
            "persistent_volume_claims",
        ),
        named(
            "storage_class",
            "spec.storageClassName",
            "k8s.storage_class",
            "persistent_volume_claims",
        ),
    ),
    "k8s.persistent_volume": (
        named("storage_class", "spec.storageClassName", "k8s.storage_class", "persistent_volumes"),
        Relation(
            name="volume",
            path="spec.csi.volumeHandle",
            to="aws.ec2.volume",
            by="VolumeId",
            reverse="persistent_volumes",
            within="anywhere",
        ),
    ),
    "k8s.validating_webhook_configuration": webhook("k8s.validating_webhook_configuration"),
    "k8s.mutating_webhook_configuration": webhook("k8s.mutating_webhook_configuration"),
    "k8s.event": tuple(
        ref(f"involved_{kind.removeprefix('k8s.')}", kind, "events")
        for kind in (
            "k8s.pod",
            "k8s.node",
            "k8s.deployment",
            "k8s.stateful_set",
            "k8s.daemon_set",
            "k8s.replica_set",
            "k8s.job",
            "k8s.cron_job",
            "k8s.persistent_volume_claim",
            "k8s.horizontal_pod_autoscaler",
            "k8s.service",
            "k8s.ingress",
        )
    ),
}
