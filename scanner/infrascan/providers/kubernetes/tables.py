"""What infrascan reads of a Kubernetes cluster: one entry per kind of object.

Requests, permissions, field trees and relations all follow from these entries; a kind that is
not here is never asked for.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, reduce
from typing import Any

from infrascan.model import Kind
from infrascan.providers.kubernetes.fields import ADDED, vendor_fields
from infrascan.providers.kubernetes.references import TEMPLATES
from infrascan.providers.kubernetes.relations import RELATIONS, in_namespace

PROVIDER = "k8s"
METRICS_GROUP = "metrics.k8s.io"
METRICS_VERSION = "v1beta1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One kind of object: where the API serves it.

    `versions` are tried in order; the first that the cluster serves is read.
    """

    kind: str  # "k8s.pod"
    title: str
    group: str  # "" for the core group
    versions: tuple[str, ...] = ("v1",)
    resource: str  # "pods": the plural in the path
    object: str  # "Pod": the vendor's kind
    namespaced: bool = True
    usage: bool = False  # metrics.k8s.io has figures for it

    @property
    def permission(self) -> str:
        return permission(self.resource, self.group)

    def path(self, version: str, namespace: str = "") -> str:
        """The path of the list call: over the cluster, or in one namespace."""
        root = f"/apis/{self.group}/{version}" if self.group else f"/api/{version}"
        return (
            f"{root}/namespaces/{namespace}/{self.resource}"
            if namespace
            else f"{root}/{self.resource}"
        )


def permission(resource: str, group: str, namespace: str = "") -> str:
    """What to grant, in the words of RBAC: `list pods in the cluster (apiGroup "")`."""
    where = f"namespace {namespace}" if namespace else "the cluster"
    return f'list {resource} in {where} (apiGroup "{group}")'


CORE = ""
APPS = "apps"
RBAC = "rbac.authorization.k8s.io"
ADMISSION = "admissionregistration.k8s.io"

TABLES: tuple[Table, ...] = (
    Table(
        kind="k8s.namespace",
        title="Kubernetes namespace",
        group=CORE,
        resource="namespaces",
        object="Namespace",
        namespaced=False,
    ),
    Table(
        kind="k8s.node",
        title="Kubernetes node",
        group=CORE,
        resource="nodes",
        object="Node",
        namespaced=False,
        usage=True,
    ),
    Table(
        kind="k8s.pod",
        title="Pod",
        group=CORE,
        resource="pods",
        object="Pod",
        usage=True,
    ),
    Table(
        kind="k8s.deployment",
        title="Deployment",
        group=APPS,
        resource="deployments",
        object="Deployment",
    ),
    Table(
        kind="k8s.stateful_set",
        title="StatefulSet",
        group=APPS,
        resource="statefulsets",
        object="StatefulSet",
    ),
    Table(
        kind="k8s.daemon_set",
        title="DaemonSet",
        group=APPS,
        resource="daemonsets",
        object="DaemonSet",
    ),
    Table(
        kind="k8s.replica_set",
        title="ReplicaSet",
        group=APPS,
        resource="replicasets",
        object="ReplicaSet",
    ),
    Table(
        kind="k8s.job",
        title="Job",
        group="batch",
        resource="jobs",
        object="Job",
    ),
    Table(
        kind="k8s.cron_job",
        title="CronJob",
        group="batch",
        versions=("v1", "v1beta1"),
        resource="cronjobs",
        object="CronJob",
    ),
    Table(
        kind="k8s.service",
        title="Kubernetes Service",
        group=CORE,
        resource="services",
        object="Service",
    ),
    Table(
        kind="k8s.endpoint_slice",
        title="EndpointSlice",
        group="discovery.k8s.io",
        versions=("v1", "v1beta1"),
        resource="endpointslices",
        object="EndpointSlice",
    ),
    Table(
        kind="k8s.ingress",
        title="Ingress",
        group="networking.k8s.io",
        resource="ingresses",
        object="Ingress",
    ),
    Table(
        kind="k8s.network_policy",
        title="NetworkPolicy",
        group="networking.k8s.io",
        resource="networkpolicies",
        object="NetworkPolicy",
    ),
    Table(
        kind="k8s.role",
        title="RBAC Role",
        group=RBAC,
        resource="roles",
        object="Role",
    ),
    Table(
        kind="k8s.cluster_role",
        title="RBAC ClusterRole",
        group=RBAC,
        resource="clusterroles",
        object="ClusterRole",
        namespaced=False,
    ),
    Table(
        kind="k8s.role_binding",
        title="RBAC RoleBinding",
        group=RBAC,
        resource="rolebindings",
        object="RoleBinding",
    ),
    Table(
        kind="k8s.cluster_role_binding",
        title="RBAC ClusterRoleBinding",
        group=RBAC,
        resource="clusterrolebindings",
        object="ClusterRoleBinding",
        namespaced=False,
    ),
    Table(
        kind="k8s.service_account",
        title="ServiceAccount",
        group=CORE,
        resource="serviceaccounts",
        object="ServiceAccount",
    ),
    Table(
        kind="k8s.secret",
        title="Kubernetes Secret (name and type only)",
        group=CORE,
        resource="secrets",
        object="Secret",
    ),
    Table(
        kind="k8s.config_map",
        title="ConfigMap (key names only)",
        group=CORE,
        resource="configmaps",
        object="ConfigMap",
    ),
    Table(
        kind="k8s.persistent_volume",
        title="PersistentVolume",
        group=CORE,
        resource="persistentvolumes",
        object="PersistentVolume",
        namespaced=False,
    ),
    Table(
        kind="k8s.persistent_volume_claim",
        title="PersistentVolumeClaim",
        group=CORE,
        resource="persistentvolumeclaims",
        object="PersistentVolumeClaim",
    ),
    Table(
        kind="k8s.storage_class",
        title="StorageClass",
        group="storage.k8s.io",
        resource="storageclasses",
        object="StorageClass",
        namespaced=False,
    ),
    Table(
        kind="k8s.resource_quota",
        title="ResourceQuota",
        group=CORE,
        resource="resourcequotas",
        object="ResourceQuota",
    ),
    Table(
        kind="k8s.limit_range",
        title="LimitRange",
        group=CORE,
        resource="limitranges",
        object="LimitRange",
    ),
    Table(
        kind="k8s.pod_disruption_budget",
        title="PodDisruptionBudget",
        group="policy",
        versions=("v1", "v1beta1"),
        resource="poddisruptionbudgets",
        object="PodDisruptionBudget",
    ),
    Table(
        kind="k8s.horizontal_pod_autoscaler",
        title="HorizontalPodAutoscaler",
        group="autoscaling",
        versions=("v2", "v1"),
        resource="horizontalpodautoscalers",
        object="HorizontalPodAutoscaler",
    ),
    Table(
        kind="k8s.validating_webhook_configuration",
        title="ValidatingWebhookConfiguration",
        group=ADMISSION,
        resource="validatingwebhookconfigurations",
        object="ValidatingWebhookConfiguration",
        namespaced=False,
    ),
    Table(
        kind="k8s.mutating_webhook_configuration",
        title="MutatingWebhookConfiguration",
        group=ADMISSION,
        resource="mutatingwebhookconfigurations",
        object="MutatingWebhookConfiguration",
        namespaced=False,
    ),
    Table(
        kind="k8s.event",
        title="Kubernetes event",
        group=CORE,
        resource="events",
        object="Event",
    ),
    Table(
        kind="k8s.custom_resource_definition",
        title="CustomResourceDefinition",
        group="apiextensions.k8s.io",
        resource="customresourcedefinitions",
        object="CustomResourceDefinition",
        namespaced=False,
    ),
)

BY_KIND: Mapping[str, Table] = {table.kind: table for table in TABLES}
BY_RESOURCE: Mapping[tuple[str, str], Table] = {
    (table.group, table.resource): table for table in TABLES
}
CLUSTER = "k8s.cluster"


@cache
def kinds() -> Mapping[str, Kind]:
    """Every kind, by name; the cluster itself first."""
    found = {
        CLUSTER: Kind(
            name=CLUSTER,
            title="Kubernetes cluster",
            provider=PROVIDER,
            permissions={"": "get /version", "apis": "get /apis"},
            calls={"": "GET /version", "apis": "GET /apis", "metrics_available": "GET /apis"},
            fields=ADDED[CLUSTER],
        )
    }
    for table in TABLES:
        permissions = {"": table.permission}
        calls = {"": f"GET {table.path('|'.join(table.versions))}"}
        if table.usage:
            permissions["usage"] = permission(table.resource, METRICS_GROUP)
            calls["usage"] = f"GET /apis/{METRICS_GROUP}/{METRICS_VERSION}/{table.resource}"
        found[table.kind] = Kind(
            name=table.kind,
            title=table.title,
            provider=PROVIDER,
            relations=(
                *RELATIONS.get(table.kind, ()),
                *(in_namespace(table.kind) if table.namespaced else ()),
            ),
            permissions=permissions,
            calls=calls,
            fields=fields(table),
        )
    return found


def fields(table: Table) -> Any:
    """The tree of paths that data of this kind can have: the vendor's and ours."""
    vendor = vendor_fields(table.kind)
    own = {**ADDED["*"], **(ADDED["namespaced"] if table.namespaced else {})}
    if table.kind in TEMPLATES:  # the same under one name, for rules on several kinds
        own["pod_spec"] = reduce(operator.getitem, TEMPLATES[table.kind], vendor)
    return {**vendor, **own, **ADDED.get(table.kind, {})}
