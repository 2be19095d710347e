"""Which distribution or managed service a cluster is, by what gives it away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

# In the version: "v1.33.1-eks-595af52", "v1.32.4-gke.1106006", "v1.31.5+k3s1".
VERSIONS: tuple[tuple[str, str], ...] = (
    ("-eks-", "eks"),
    ("-gke.", "gke"),
    ("+k3s", "k3s"),
    ("+rke2", "rke2"),
    ("+k0s", "k0s"),
    ("-aliyun", "ack"),
    ("+iks", "iks"),
    ("-tke", "tke"),
    ("+vmware", "tkg"),
    ("-mirantis", "mke"),
)
HOSTS: tuple[tuple[str, str], ...] = (
    (".eks.amazonaws.com", "eks"),
    (".eks.amazonaws.com.cn", "eks"),
    (".azmk8s.io", "aks"),
    (".azmk8s.us", "aks"),
    (".gke.goog", "gke"),
    (".k8s.ondigitalocean.com", "doks"),
    (".linodelke.net", "lke"),
    (".vultr-k8s.com", "vke"),
    (".k8s.civo.com", "civo"),
    (".k8s.ovh.net", "ovh"),
)
GROUPS: tuple[tuple[str, str], ...] = (("config.openshift.io", "openshift"),)
LABELS: tuple[tuple[str, str], ...] = (
    ("eks.amazonaws.com/", "eks"),
    ("cloud.google.com/gke-", "gke"),
    ("kubernetes.azure.com/cluster", "aks"),
    ("doks.digitalocean.com/", "doks"),
    ("lke.linode.com/", "lke"),
    ("k8s.scaleway.com/", "kapsule"),
    ("oke.oraclecloud.com/", "oke"),
    ("minikube.k8s.io/", "minikube"),
    ("microk8s.io/", "microk8s"),
)
PROVIDER_IDS: tuple[tuple[str, str], ...] = (
    ("kind://", "kind"),
    ("k3s://", "k3s"),
    ("ocid1.", "oke"),
)


def by_server(server: str, version: str, groups: Iterable[str]) -> str:
    """The flavour by URL, version and API groups, or "" where they do not tell."""
    host = (urlsplit(server).hostname or "").lower()
    lowered = version.lower()
    served = set(groups)
    for mark, name in GROUPS:
        if mark in served:
            return name
    for mark, name in VERSIONS:
        if mark in lowered:
            return name
    return next((name for mark, name in HOSTS if host.endswith(mark)), "")


def by_node(node: Mapping[str, Any]) -> str:
    """The flavour by a node's labels, provider id and operating system, or ""."""
    labels = (node.get("metadata") or {}).get("labels") or {}
    for mark, name in LABELS:
        if any(label.startswith(mark) for label in labels):
            return name
    provider = str((node.get("spec") or {}).get("providerID") or "")
    for mark, name in PROVIDER_IDS:
        if provider.startswith(mark):
            return name
    image = str(((node.get("status") or {}).get("nodeInfo") or {}).get("osImage") or "")
    return "talos" if image.startswith("Talos") else ""
