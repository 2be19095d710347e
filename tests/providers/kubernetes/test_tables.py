"""The tables are whole: every kind has fields, relations lead somewhere, permissions suffice."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from infrascan.providers.kubernetes.permissions import cluster_role
from infrascan.providers.kubernetes.tables import BY_KIND, CLUSTER, TABLES, kinds
from tests.providers.kubernetes import estate
from tests.servers.kubernetes import ApiServer, User
from tests.servers.kubernetes_answers import READING, WIRE, served_resources

KINDS = kinds()
OWN_KINDS = [kind for kind in KINDS.values() if kind.name != CLUSTER]


def lacks(data: Any, tree: Any, where: str) -> list[str]:
    """Paths of the data that the tree does not have."""
    if tree is None or data is None:
        return []
    if isinstance(data, dict):
        if "*" in tree:
            return [p for k, v in data.items() for p in lacks(v, tree["*"], f"{where}.{k}")]
        return [
            path
            for key, value in data.items()
            for path in (
                lacks(value, tree[key], f"{where}.{key}") if key in tree else [f"{where}.{key}"]
            )
        ]
    if isinstance(data, list):
        if "[]" not in tree:
            return [f"{where}[]"]
        return [path for value in data for path in lacks(value, tree["[]"], f"{where}[]")]
    return [] if tree == {} else [where]


def test_everything_read_is_in_the_field_tree_of_its_kind(server: ApiServer):
    collected = estate.scan(estate.provider(secrets=True))
    kinds_seen = {resource.kind for resource in collected.resources}
    assert kinds_seen == set(KINDS)
    for resource in collected.resources:
        assert lacks(resource.data, KINDS[resource.kind].fields, resource.kind) == []


def test_recorded_pods_and_nodes_are_in_the_field_tree():
    for name, kind in (("list-pods-limit3", "k8s.pod"), ("nodes-limit2", "k8s.node")):
        for item in json.loads((WIRE / f"{name}.body").read_bytes())["items"]:
            del item["metadata"]["managedFields"]
            assert lacks(item, KINDS[kind].fields, kind) == []


def test_the_tree_has_nothing_that_is_dropped_on_arrival():
    for kind in OWN_KINDS:
        assert "managedFields" not in kind.fields["metadata"]
    assert "data" not in KINDS["k8s.secret"].fields
    assert "data" not in KINDS["k8s.config_map"].fields
    assert "stringData" not in KINDS["k8s.secret"].fields


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_relations_lead_to_kinds_and_hide_no_field(kind: Any):
    names = Counter(relation.name for relation in kind.relations)
    assert max(names.values(), default=1) == 1
    for relation in kind.relations:
        if relation.to.startswith("k8s."):
            assert relation.to in KINDS
            assert relation.reverse not in (KINDS[relation.to].fields or {})
        assert relation.name not in kind.fields
        if relation.missing:
            assert relation.missing in kind.fields
        if relation.sums:
            assert relation.sums in kind.fields
            assert relation.sums in KINDS[relation.to].fields
        tree = kind.fields
        for step in relation.path.split("."):
            name = step.removesuffix("[]")
            tree = tree.get(name, tree.get("*"))
            assert tree is not None, relation.path
            tree = tree.get("[]") if step.endswith("[]") else tree
            assert tree is not None, relation.path


def test_a_reverse_name_means_one_kind():
    meant: dict[tuple[str, str], set[str]] = {}
    for kind in KINDS.values():
        for relation in kind.relations:
            if relation.reverse:
                meant.setdefault((relation.to, relation.reverse), set()).add(kind.name)
        for relation in kind.relations:
            meant.setdefault((kind.name, relation.name), set()).add(relation.to)
    for (kind_name, name), others in meant.items():
        assert len(others) == 1, f"{kind_name}.{name} leads to {others}"


def test_every_table_is_served_by_the_recorded_api_server():
    served = served_resources()
    for table in TABLES:
        resource = served[table.group, table.versions[0], table.resource]
        assert (resource.kind, resource.namespaced) == (table.object, table.namespaced)
        assert "list" in resource.verbs


def holder(role: dict[str, Any]) -> User:
    """A user with just the rights of a ClusterRole."""
    granted = {
        (group, resource)
        for rule in role["rules"]
        for group in rule.get("apiGroups", ())
        for resource in rule["resources"]
    }
    return User("infrascan", admin=False, cluster=frozenset(granted))


@pytest.mark.parametrize("secrets", [False, True])
def test_the_printed_role_is_all_a_scan_needs(tmp_path, monkeypatch, secrets: bool):
    users = {"t": holder(cluster_role(secrets=secrets))}
    with ApiServer(estate.objects(), users=users) as server:
        config = server.kubeconfig(tmp_path / "config", token="t")
        monkeypatch.setenv("KUBECONFIG", str(config))
        collected = estate.scan(estate.provider(secrets=secrets))
    assert [gap for gap in collected.gaps if gap.reason == "denied"] == []
    assert len({resource.kind for resource in collected.resources}) == len(KINDS) - (not secrets)


def test_the_printed_role_reads_only_and_leaves_secrets_alone():
    role = cluster_role(secrets=False)
    verbs = {verb for rule in role["rules"] for verb in rule["verbs"]}
    assert verbs <= set(READING)
    assert all("secrets" not in rule.get("resources", ()) for rule in role["rules"])
    assert all("*" not in rule.get("resources", ()) for rule in role["rules"])
    assert json.loads(json.dumps(role)) == role
    assert estate.provider(secrets=True).permissions() == cluster_role(secrets=True)


def test_older_versions_are_tried_in_order():
    assert BY_KIND["k8s.horizontal_pod_autoscaler"].versions == ("v2", "v1")
    assert BY_KIND["k8s.cron_job"].path("v1beta1", "shop") == (
        "/apis/batch/v1beta1/namespaces/shop/cronjobs"
    )
