"""The ids of the objects that an object refers to, gathered from wherever it names them.

An id is "namespace/name", or the name alone for objects outside namespaces, as `Resource.id`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from infrascan.paths import values

Refs: TypeAlias = dict[str, list[str]]

TEMPLATES: Mapping[str, tuple[str, ...]] = {
    "k8s.pod": ("spec",),
    "k8s.deployment": ("spec", "template", "spec"),
    "k8s.stateful_set": ("spec", "template", "spec"),
    "k8s.daemon_set": ("spec", "template", "spec"),
    "k8s.replica_set": ("spec", "template", "spec"),
    "k8s.job": ("spec", "template", "spec"),
    "k8s.cron_job": ("spec", "jobTemplate", "spec", "template", "spec"),
}
OWNERS: Mapping[str, Mapping[str, str]] = {
    "k8s.pod": {
        "ReplicaSet": "replica_set",
        "StatefulSet": "stateful_set",
        "DaemonSet": "daemon_set",
        "Job": "job",
    },
    "k8s.replica_set": {"Deployment": "deployment"},
    "k8s.job": {"CronJob": "cron_job"},
}
SCALED: Mapping[str, str] = {"Deployment": "deployments", "StatefulSet": "stateful_sets"}
INVOLVED: Mapping[str, str] = {
    "Pod": "involved_pod",
    "Node": "involved_node",
    "Deployment": "involved_deployment",
    "StatefulSet": "involved_stateful_set",
    "DaemonSet": "involved_daemon_set",
    "ReplicaSet": "involved_replica_set",
    "Job": "involved_job",
    "CronJob": "involved_cron_job",
    "PersistentVolumeClaim": "involved_persistent_volume_claim",
    "HorizontalPodAutoscaler": "involved_horizontal_pod_autoscaler",
    "Service": "involved_service",
    "Ingress": "involved_ingress",
}
CONTAINER_LISTS = ("containers", "initContainers", "ephemeralContainers")
AWS_INSTANCE = re.compile(r"^aws:///[^/]+/(i-[0-9a-f]+)$")  # node.spec.providerID


def pod_spec(kind: str, item: Any) -> dict[str, Any] | None:
    """The pod spec inside an object of a kind that has one."""
    path = TEMPLATES.get(kind)
    if path is None:
        return None
    for step in path:
        item = item.get(step) if isinstance(item, dict) else None
    return item if isinstance(item, dict) else None


def own_pod_spec(kind: str, item: Any) -> dict[str, Any] | None:
    """The pod spec of an object that nobody runs on behalf of another that is read.

    A fault in a pod template is so found once: in the deployment, not in its replica sets and
    pods. Replica sets that a controller of another kind has scaled to zero are history.
    """
    owners = list(listed((item.get("metadata") or {}).get("ownerReferences")))
    if any(owner.get("kind") in OWNERS.get(kind, {}) for owner in owners):
        return None
    if kind == "k8s.replica_set" and owners and (item.get("spec") or {}).get("replicas") == 0:
        return None
    return pod_spec(kind, item)


def containers(spec: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name in CONTAINER_LISTS:
        found = spec.get(name)
        for container in found if isinstance(found, list) else ():
            if isinstance(container, dict):
                yield container


def refs(kind: str, item: Mapping[str, Any], context: str) -> Refs:
    """Relation name -> ids, for the relations that go by `refs`; only those with any."""
    metadata = item.get("metadata") or {}
    namespace = metadata.get("namespace") or ""
    found: Refs = {}
    for owner in listed(metadata.get("ownerReferences")):
        if name := OWNERS.get(kind, {}).get(str(owner.get("kind"))):
            add(found, name, namespace, [owner.get("name")])
    spec = pod_spec(kind, item)
    if spec is not None and kind != "k8s.replica_set":
        account = spec.get("serviceAccountName") or ("" if kind == "k8s.pod" else "default")
        add(found, "service_account", namespace, [account])
        pod_refs(found, namespace, spec)
    if kind in {"k8s.node", "k8s.namespace"}:
        found["cluster"] = [context]
    gather = GATHER.get(kind)
    if gather:
        gather(found, namespace, item)
    return found


def add(found: Refs, name: str, namespace: str, names: Iterable[Any]) -> None:
    """Put each name that is a string into the list, once."""
    for target in names:
        if isinstance(target, str) and target:
            known = found.setdefault(name, [])
            reference = f"{namespace}/{target}" if namespace else target
            if reference not in known:
                known.append(reference)


def listed(value: Any) -> Iterator[dict[str, Any]]:
    for entry in value if isinstance(value, list) else ():
        if isinstance(entry, dict):
            yield entry


def pod_refs(found: Refs, namespace: str, spec: Mapping[str, Any]) -> None:
    for name in ("secrets", "required_secrets"):
        add(found, name, namespace, values(spec, "imagePullSecrets[].name"))
    for volume in listed(spec.get("volumes")):
        claim = volume.get("persistentVolumeClaim") or {}
        add(found, "persistent_volume_claims", namespace, [claim.get("claimName")])
        named_in(found, namespace, volume, "configMap", "secret")
        for source in listed((volume.get("projected") or {}).get("sources")):
            named_in(found, namespace, source, "configMap", "secret")
    for container in containers(spec):
        for variable in listed(container.get("env")):
            source = variable.get("valueFrom") or {}
            named_in(found, namespace, source, "configMapKeyRef", "secretKeyRef")
        for source in listed(container.get("envFrom")):
            named_in(found, namespace, source, "configMapRef", "secretRef")


def named_in(
    found: Refs, namespace: str, source: Mapping[str, Any], config_map: str, secret: str
) -> None:
    for key, name in ((config_map, "config_maps"), (secret, "secrets")):
        part = source.get(key)
        if isinstance(part, dict):
            target = part.get("name") or part.get("secretName")
            add(found, name, namespace, [target])
            if part.get("optional") is not True:
                add(found, f"required_{name}", namespace, [target])


def ingress_refs(found: Refs, namespace: str, item: Any) -> None:
    for path in (
        "spec.defaultBackend.service.name",
        "spec.rules[].http.paths[].backend.service.name",
    ):
        add(found, "services", namespace, values(item, path))


def endpoint_slice_refs(found: Refs, namespace: str, item: Any) -> None:
    labels = item["metadata"].get("labels") or {}
    add(found, "service", namespace, [labels.get("kubernetes.io/service-name")])


def binding_refs(found: Refs, namespace: str, item: Any) -> None:
    role = item.get("roleRef") or {}
    if role.get("kind") == "Role":
        add(found, "role", namespace, [role.get("name")])
    elif role.get("kind") == "ClusterRole":
        add(found, "cluster_role", "", [role.get("name")])
    for subject in listed(item.get("subjects")):
        if subject.get("kind") == "ServiceAccount":
            add(
                found,
                "service_accounts",
                subject.get("namespace") or namespace,
                [subject.get("name")],
            )


def autoscaler_refs(found: Refs, namespace: str, item: Any) -> None:
    target = (item.get("spec") or {}).get("scaleTargetRef") or {}
    if name := SCALED.get(str(target.get("kind"))):
        add(found, name, namespace, [target.get("name")])


def webhook_refs(found: Refs, _: str, item: Any) -> None:
    for service in values(item, "webhooks[].clientConfig.service"):
        add(found, "services", str(service.get("namespace") or "default"), [service.get("name")])


def event_refs(found: Refs, _: str, item: Any) -> None:
    involved = item.get("involvedObject") or {}
    if name := INVOLVED.get(str(involved.get("kind"))):
        add(found, name, str(involved.get("namespace") or ""), [involved.get("name")])


def node_refs(found: Refs, _: str, item: Any) -> None:
    provider = str((item.get("spec") or {}).get("providerID") or "")
    if match := AWS_INSTANCE.match(provider):
        found["instance"] = [match[1]]


GATHER = {
    "k8s.node": node_refs,
    "k8s.ingress": ingress_refs,
    "k8s.endpoint_slice": endpoint_slice_refs,
    "k8s.role_binding": binding_refs,
    "k8s.cluster_role_binding": binding_refs,
    "k8s.horizontal_pod_autoscaler": autoscaler_refs,
    "k8s.validating_webhook_configuration": webhook_refs,
    "k8s.mutating_webhook_configuration": webhook_refs,
    "k8s.event": event_refs,
}
