"""A cluster is told by its URL, its version, its API groups or its nodes."""

from __future__ import annotations

import pytest

from infrascan.providers.kubernetes.flavour import by_node, by_server


@pytest.mark.parametrize(
    ("server", "version", "groups", "flavour"),
    [
        ("https://AB12.gr7.eu-west-1.eks.amazonaws.com", "v1.33.1-eks-595af52", [], "eks"),
        ("https://10.0.0.1", "v1.33.1-eks-595af52", [], "eks"),
        ("https://34.90.1.2", "v1.32.4-gke.1106006", [], "gke"),
        ("https://shop-dns-a1b2.hcp.westeurope.azmk8s.io:443", "v1.32.4", [], "aks"),
        ("https://abc.k8s.ondigitalocean.com", "v1.32.4", [], "doks"),
        ("https://127.0.0.1:6443", "v1.31.5+k3s1", [], "k3s"),
        ("https://127.0.0.1:6443", "v1.31.5+rke2r1", [], "rke2"),
        ("https://api.shop.example.org:6443", "v1.31.5", ["config.openshift.io"], "openshift"),
        ("https://eks.amazonaws.com.example.org", "v1.31.5", [], ""),
        ("", "", [], ""),
    ],
)
def test_by_server(server: str, version: str, groups: list[str], flavour: str):
    assert by_server(server, version, groups) == flavour


@pytest.mark.parametrize(
    ("node", "flavour"),
    [
        ({"metadata": {"labels": {"eks.amazonaws.com/nodegroup": "a"}}}, "eks"),
        ({"metadata": {"labels": {"cloud.google.com/gke-nodepool": "a"}}}, "gke"),
        ({"metadata": {"labels": {"kubernetes.azure.com/cluster": "a"}}}, "aks"),
        ({"metadata": {"labels": None}, "spec": {"providerID": "kind://docker/kind/a"}}, "kind"),
        ({"metadata": {}, "status": {"nodeInfo": {"osImage": "Talos (v1.9)"}}}, "talos"),
        ({"metadata": {}}, ""),
    ],
)
def test_by_node(node: dict, flavour: str):
    assert by_node(node) == flavour
