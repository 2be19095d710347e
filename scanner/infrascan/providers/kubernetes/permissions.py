"""The least that a scan needs, as a ClusterRole that `kubectl apply -f -` takes."""

from __future__ import annotations

from typing import Any

from infrascan.providers.kubernetes.tables import METRICS_GROUP, TABLES


def cluster_role(*, secrets: bool) -> dict[str, Any]:
    """A ClusterRole with `list` on what the tables name, and nothing that writes.

    RBAC cannot grant the names of Secrets without their data, so Secrets are in it only when
    the scan is to list them.
    """
    groups: dict[str, list[str]] = {}
    for table in TABLES:
        if table.kind != "k8s.secret" or secrets:
            groups.setdefault(table.group, []).append(table.resource)
        if table.usage:
            groups.setdefault(METRICS_GROUP, []).append(table.resource)
    rules: list[dict[str, Any]] = [
        {"apiGroups": [group], "resources": sorted(resources), "verbs": ["list"]}
        for group, resources in sorted(groups.items())
    ]
    rules.append(
        {"nonResourceURLs": ["/api", "/api/*", "/apis", "/apis/*", "/version"], "verbs": ["get"]}
    )
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "infrascan"},
        "rules": rules,
    }
