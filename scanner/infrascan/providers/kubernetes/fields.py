"""The paths that data of each kind can have: the vendor's, and those that infrascan adds.

The vendor's come from the OpenAPI document of a Kubernetes 1.36 API server, reduced by
`fixtures/kubernetes/fields.py` to the file beside this module.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("fields.json.gz")

AMOUNTS: Any = {"cpu": {}, "memory": {}}  # cores and bytes, as numbers
NAMES: Any = {"[]": {}}

POD_REFS: Any = {
    "service_account": NAMES,
    "config_maps": NAMES,
    "required_config_maps": NAMES,
    "secrets": NAMES,
    "required_secrets": NAMES,
    "persistent_volume_claims": NAMES,
}
POD_MISSING: Any = {
    "missing_service_account": NAMES,
    "missing_config_maps": NAMES,
    "missing_secrets": NAMES,
    "missing_persistent_volume_claims": NAMES,
}

# Hosts in the variables of containers, whose values are not kept.
CALLS: Any = {"[]": {"container": {}, "variable": {}, "host": {}, "port": {}}}

# Fields of ours, by kind; those under "*" are in every kind that is read from a list.
ADDED: Mapping[str, Any] = {
    "*": {
        "tags": {"*": {}},  # metadata.labels
        "changed": {"at": {}, "by": {}},  # the latest write to anything but status, and by whom
    },
    "namespaced": {"platform_namespace": {}},  # true in kube-system and the like
    "k8s.cluster": {
        "version": {"gitVersion": {}, "major": {}, "minor": {}, "platform": {}},
        "minor": {},  # 36, as a number
        "flavour": {},  # "eks", "gke", … or "" where nothing gives it away
        "server": {},  # URL of the API server
        "apis": {"[]": {"group": {}, "versions": NAMES}},
        "metrics_available": {},
        "zones": {"*": {}},  # zone -> how many nodes are in it
    },
    "k8s.namespace": {"refs": {"cluster": NAMES}, "platform_namespace": {}},
    "k8s.node": {
        "refs": {"cluster": NAMES, "instance": NAMES},
        # of_allocatable: shares, 0 to 1
        "usage": {**AMOUNTS, "of_allocatable": AMOUNTS},
        "zones": {"*": {}},  # the node's zone -> 1
        "allocatable": AMOUNTS,
        "requested": AMOUNTS,  # by the pods on it
    },
    "k8s.pod": {
        "refs": {
            "replica_set": NAMES,
            "stateful_set": NAMES,
            "daemon_set": NAMES,
            "job": NAMES,
            **POD_REFS,
        },
        "requested": AMOUNTS,  # what the scheduler reserves; absent once the pod has ended
        "limited": AMOUNTS,  # sum of the limits; a part is absent where a container has none
        # of_requested, of_limited: shares, above 1 where more is used than was asked for
        "usage": {**AMOUNTS, "of_requested": AMOUNTS, "of_limited": AMOUNTS},
        "calls": CALLS,
        **POD_MISSING,
    },
    "k8s.deployment": {"refs": POD_REFS, "calls": CALLS, **POD_MISSING},
    "k8s.stateful_set": {"refs": POD_REFS, "calls": CALLS, **POD_MISSING},
    "k8s.daemon_set": {"refs": POD_REFS, "calls": CALLS, **POD_MISSING},
    "k8s.replica_set": {"refs": {"deployment": NAMES}, "calls": CALLS},
    "k8s.job": {"refs": {"cron_job": NAMES, **POD_REFS}, "calls": CALLS, **POD_MISSING},
    "k8s.cron_job": {"refs": POD_REFS, "calls": CALLS, **POD_MISSING},
    "k8s.endpoint_slice": {"refs": {"service": NAMES}},
    "k8s.ingress": {"refs": {"services": NAMES}, "missing_services": NAMES},
    "k8s.role_binding": {
        "refs": {"role": NAMES, "cluster_role": NAMES, "service_accounts": NAMES},
        "missing_role": NAMES,
        "missing_cluster_role": NAMES,
        "missing_service_accounts": NAMES,
    },
    "k8s.cluster_role_binding": {
        "refs": {"cluster_role": NAMES, "service_accounts": NAMES},
        "missing_cluster_role": NAMES,
        "missing_service_accounts": NAMES,
    },
    "k8s.horizontal_pod_autoscaler": {
        "refs": {"deployments": NAMES, "stateful_sets": NAMES},
        "missing_deployments": NAMES,
        "missing_stateful_sets": NAMES,
    },
    "k8s.validating_webhook_configuration": {
        "refs": {"services": NAMES},
        "missing_services": NAMES,
    },
    "k8s.mutating_webhook_configuration": {
        "refs": {"services": NAMES},
        "missing_services": NAMES,
    },
    "k8s.event": {"refs": {"*": NAMES}},
    "k8s.resource_quota": {"used_share": {"*": {}}},  # resource -> used of hard, 0 to 1
    # entries: what ConfigMaps and Secrets hold, without the values. `holds` is the class of
    # secret that a ConfigMap's value looks like: "private-key", "password", or "".
    "k8s.config_map": {"entries": {"[]": {"key": {}, "bytes": {}, "holds": {}}}},
    "k8s.secret": {"entry_count": {}},
}

# What is dropped when an answer arrives, so that no rule can name it: secrets, and schemas of
# custom resources, which are long and which no rule reads.
DROPPED: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "*": (("metadata", "managedFields"),),
    "k8s.config_map": (("data",), ("binaryData",)),
    "k8s.secret": (("data",), ("stringData",), ("immutable",)),
    "k8s.custom_resource_definition": (("spec", "versions", "[]", "schema"),),
}


@cache
def shipped_fields() -> Any:
    return json.loads(gzip.decompress(FILE.read_bytes()))


@cache
def definition(name: str) -> Any:
    """The tree of one definition; trees of those it refers to are shared, not copied."""
    return expanded(shipped_fields()["definitions"][name])


def expanded(tree: Any) -> Any:
    if isinstance(tree, str):
        return definition(tree)
    if isinstance(tree, dict):
        return {name: expanded(inner) for name, inner in tree.items()}
    return tree


@cache
def vendor_fields(kind: str) -> Mapping[str, Any]:
    """The vendor's tree for a kind, without what is dropped on arrival."""
    found: dict[str, Any] = definition(shipped_fields()["kinds"][kind])
    for path in (*DROPPED["*"], *DROPPED.get(kind, ())):
        found = without(found, path)
    return found


def without(tree: Any, path: tuple[str, ...]) -> Any:
    """A copy of the tree that lacks one path."""
    step, *rest = path
    left = {name: inner for name, inner in tree.items() if name != step}
    return {**left, step: without(tree[step], tuple(rest))} if rest else left
