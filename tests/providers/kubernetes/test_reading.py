"""A whole cluster is read: every page, every version, what is allowed, and no secret."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

from infrascan.collect.recording import Recorder, Replay
from infrascan.graph import link
from infrascan.model import Connection, Reason, State
from infrascan.providers.kubernetes.tables import TABLES, kinds
from tests.providers.kubernetes import estate
from tests.providers.kubernetes.estate import CANARY, of_kind, pods, scan_of
from tests.servers.kubernetes import ApiServer, User


def test_every_kind_is_read_and_identified(server: ApiServer):
    collected = estate.scan(estate.provider(secrets=True))
    (identity,) = collected.identities
    assert (identity.state, identity.account, identity.who) == (
        Connection.CONNECTED,
        "lab",
        "admin",
    )
    assert Counter(r.kind for r in collected.resources)["k8s.pod"] == 2
    assert {r.id for r in of_kind(collected.resources, "k8s.pod")} == {
        "shop/web-5d8f-x",
        "shop/done",
    }
    assert {r.id for r in of_kind(collected.resources, "k8s.node")} == {"node-a"}
    assert all(c.state is State.READ for c in collected.coverage)
    assert collected.gaps == []


def test_no_secret_is_in_what_was_read_or_recorded(server: ApiServer, tmp_path: Path):
    recorder = Recorder.create(tmp_path / "recording", {})
    collected = estate.scan(estate.provider(secrets=True), recorder=recorder)
    recorder.close()
    kept = json.dumps([r.data for r in collected.resources])
    assert CANARY not in kept
    on_disk = b"".join(
        gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        for file in (tmp_path / "recording").iterdir()
    )
    assert b"nightly-1" in on_disk
    assert CANARY.encode() not in on_disk
    assert b"managedFields" not in on_disk
    assert b"last-applied" not in on_disk


def test_secrets_are_asked_for_as_tables_and_never_whole(server: ApiServer):
    collected = estate.scan(estate.provider(secrets=True))
    asked = [r for r in server.requests if r.path.startswith("/api/v1/secrets")]
    assert [r.headers["accept"] for r in asked] == ["application/json;as=Table;v=v1;g=meta.k8s.io"]
    found = {s.id: s.data for s in of_kind(collected.resources, "k8s.secret")}
    assert found["shop/db"]["type"] == "kubernetes.io/basic-auth"
    assert found["shop/db"]["entry_count"] == 2
    assert "data" not in found["shop/db"]


def test_secrets_are_left_alone_unless_asked_for(server: ApiServer):
    collected = estate.scan(estate.provider())
    assert server.paths("/api/v1/secrets") == []
    (gap,) = [gap for gap in collected.gaps if gap.kind == "k8s.secret"]
    assert gap.reason is Reason.OUT_OF_SCOPE


def test_config_maps_keep_names_sizes_and_what_their_values_look_like(server: ApiServer):
    (found,), _ = estate.read(estate.provider(), "k8s.config_map")
    entries = {entry["key"]: entry for entry in found.data["entries"]}
    assert entries["mode"]["bytes"] == len(f"plain-{CANARY}")
    assert entries["mode"]["holds"] == ""
    assert entries["db_password"]["holds"] == "password"
    assert entries["id_rsa"]["holds"] == "private-key"
    assert entries["logo"]["bytes"] == 6


def test_environment_keeps_names_sources_and_classes(server: ApiServer):
    (found,), _ = estate.read(estate.provider(), "k8s.deployment")
    (container,) = found.data["spec"]["template"]["spec"]["containers"]
    assert container["env"] == [
        {"name": "DB_PASSWORD", "value": "[redacted:password]"},
        {"name": "MODE", "value": "[redacted]"},
        {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}},
    ]
    assert found.data["metadata"]["annotations"] == {"note": "kept"}
    assert found.data["changed"] == {"at": "2026-11-21T09:30:00Z", "by": "kubectl"}
    assert found.data["tags"] == {}


def test_relations_join_the_objects_and_name_what_is_missing(server: ApiServer):
    collected = estate.scan(estate.provider(secrets=True))
    link(collected.resources, kinds(), collected.gaps, collected.coverage)
    by = {(r.kind, r.id): r for r in collected.resources}

    def led(kind: str, unique: str, name: str) -> list[str]:
        resource = by[f"k8s.{kind}", unique]
        assert name not in resource.unread
        return [target.id for target in resource.links.get(name, [])]

    pod, web = "shop/web-5d8f-x", "shop/web"
    assert led("pod", pod, "node") == ["node-a"]
    assert led("pod", pod, "replica_set") == ["shop/web-5d8f"]
    assert led("replica_set", "shop/web-5d8f", "deployment") == [web]
    assert led("pod", pod, "service_account") == ["shop/web"]
    assert led("pod", pod, "services") == [web]
    assert led("pod", pod, "network_policies") == ["shop/closed"]
    assert led("pod", pod, "pod_disruption_budgets") == [web]
    assert led("pod", pod, "persistent_volume_claims") == ["shop/data"]
    assert led("pod", pod, "events") == ["shop/web.1"]
    assert led("pod", pod, "config_maps") == ["shop/settings"]
    assert led("pod", pod, "secrets") == ["shop/db"]
    assert by["k8s.pod", pod].data["missing_config_maps"] == ["shop/gone"]
    assert led("deployment", web, "pods") == [pod]
    assert led("deployment", web, "secrets") == ["shop/db", "shop/registry"]
    assert led("deployment", web, "horizontal_pod_autoscalers") == [web]
    assert "missing_config_maps" not in by["k8s.deployment", web].data  # extras is optional
    assert led("persistent_volume_claim", "shop/data", "persistent_volume") == ["pv-1"]
    assert led("persistent_volume", "pv-1", "storage_class") == ["gp3"]
    assert led("service", web, "endpoint_slices") == ["shop/web-1"]
    assert led("ingress", web, "services") == [web]
    assert by["k8s.ingress", web].data["missing_services"] == ["shop/old"]
    assert led("service_account", "shop/web", "role_bindings") == ["shop/readers"]
    assert led("service_account", "shop/web", "cluster_role_bindings") == ["admins"]
    assert led("cluster_role_binding", "admins", "cluster_role") == ["admin"]
    assert by["k8s.role_binding", "shop/readers"].data["missing_service_accounts"] == ["shop/ghost"]
    assert by["k8s.validating_webhook_configuration", "policy"].data["missing_services"] == [
        "shop/policy"
    ]
    assert led("service", web, "mutating_webhook_configurations") == ["inject"]
    assert led("job", "shop/nightly-1", "cron_job") == ["shop/nightly"]
    assert led("namespace", "shop", "resource_quotas") == ["shop/all"]
    assert led("cluster", "lab", "nodes") == ["node-a"]
    assert len(led("namespace", "shop", "pods")) == 2
    assert by["k8s.node", "node-a"].data["refs"]["instance"] == ["i-0123456789abcdef0"]


def test_amounts_are_added_up(server: ApiServer):
    collected = estate.scan(estate.provider())
    link(collected.resources, kinds(), collected.gaps, collected.coverage)
    by = {r.id: r.data for r in collected.resources if r.kind in {"k8s.pod", "k8s.node"}}
    pod = by["shop/web-5d8f-x"]
    # one core for the init container is more than the 300m that the others need together
    assert pod["requested"] == {"cpu": 1.0, "memory": 256 * 2**20 + 64 * 2**20}
    assert pod["limited"] == {"memory": 576 * 2**20}
    assert pod["usage"] == {
        "cpu": pytest.approx(0.15),
        "memory": 192 * 2**20,
        "of_requested": {"cpu": 0.15, "memory": 0.6},
        "of_limited": {"memory": 0.3333},
    }
    assert "requested" not in by["shop/done"]
    node = by["node-a"]
    assert node["allocatable"] == {"cpu": 3.92, "memory": 15 * 2**30}
    assert node["usage"]["of_allocatable"] == {"cpu": 0.25, "memory": 0.2}
    assert node["requested"] == {"cpu": 1.0, "memory": 320 * 2**20}
    (quota,) = of_kind(collected.resources, "k8s.resource_quota")
    assert quota.data["used_share"] == {"requests.cpu": 0.25, "pods": 1.0}


def test_older_discovery_finds_the_same(server: ApiServer):
    new = estate.scan(estate.provider())
    server.aggregated = False
    old = estate.scan(estate.provider())
    assert [r.key for r in old.resources] == [r.key for r in new.resources]
    assert server.paths("/apis/apps/v1") != []


def test_a_kind_that_is_not_served_is_empty_and_no_gap(server: ApiServer):
    server.absent_groups = frozenset({"autoscaling", "policy"})
    collected = estate.scan(estate.provider())
    link(collected.resources, kinds(), collected.gaps, collected.coverage)
    assert of_kind(collected.resources, "k8s.horizontal_pod_autoscaler") == []
    assert [g.kind for g in collected.gaps] == ["k8s.secret"]
    (web,) = of_kind(collected.resources, "k8s.deployment")
    assert "horizontal_pod_autoscalers" not in web.unread
    assert "pod_disruption_budgets" not in web.unread


def test_an_older_version_is_read_where_the_newer_is_not_served(server: ApiServer):
    server.absent_versions = frozenset({("autoscaling", "v2")})
    collected = estate.scan(estate.provider())
    assert len(of_kind(collected.resources, "k8s.horizontal_pod_autoscaler")) == 1
    assert server.paths("/apis/autoscaling/v1/") != []


def test_without_a_metrics_server_usage_is_unread_not_zero(server: ApiServer):
    server.metrics = False
    found, gaps = estate.read(estate.provider(), "k8s.pod")
    assert [g.reason for g in gaps] == [Reason.DISABLED]
    running = next(pod for pod in found if pod.name != "done")
    assert running.unread["usage"].permission == ""
    assert "usage" not in running.data


def test_one_cause_is_one_gap_however_many_pods_it_leaves_without_usage(tmp_path, monkeypatch):
    with ApiServer(pods(600), metrics=False) as server:
        collected = scan_of(server, tmp_path, monkeypatch)
    assert [g.field for g in collected.gaps if g.kind == "k8s.pod"] == ["usage"]
    (entry,) = [c for c in collected.coverage if c.partition.kind == "k8s.pod"]
    assert (entry.state, entry.calls, entry.failed) == (
        State.PARTIAL,
        3,
        1,
    )  # two pages, and what no call can tell


def test_a_metrics_server_that_is_down_leaves_a_gap(server: ApiServer):
    server.stale_groups = frozenset({"metrics.k8s.io"})
    _, gaps = estate.read(estate.provider(), "k8s.node")
    assert [(g.reason, g.field) for g in gaps] == [(Reason.UNREACHABLE, "usage")]
    (cluster,), gaps = estate.read(estate.provider(), "k8s.cluster")
    assert set(cluster.unread) == {"metrics_available"}


def test_a_running_pod_without_a_sample_is_unread(server: ApiServer):
    server.stored["metrics.k8s.io", "pods"].clear()
    found, gaps = estate.read(estate.provider(), "k8s.pod")
    assert {pod.name: set(pod.unread) for pod in found} == {"web-5d8f-x": {"usage"}, "done": set()}
    assert "no sample" in gaps[0].detail


def test_what_the_cluster_is_comes_from_version_discovery_and_nodes(server: ApiServer):
    (cluster,), gaps = estate.read(estate.provider(), "k8s.cluster")
    assert gaps == []
    assert cluster.data["version"]["gitVersion"] == "v1.36.2"
    assert cluster.data["minor"] == 36
    assert cluster.data["flavour"] == "eks"  # by the label of a node
    assert cluster.data["metrics_available"] is True
    assert {"group": "autoscaling", "versions": ["v1", "v2"]} in cluster.data["apis"]


READER = {(t.group, t.resource) for t in TABLES}


def test_a_denied_cluster_is_read_in_the_namespaces_that_are_allowed(tmp_path: Path, monkeypatch):
    user = User(
        "dev",
        admin=False,
        namespaces=frozenset({"shop"}),
        namespaced=frozenset(READER),
        cluster=frozenset({("", "namespaces")}),
    )
    with ApiServer(estate.objects(), users={"t": user}) as server:
        collected = scan_of(server, tmp_path, monkeypatch, token="t")
        asked = server.paths()
    assert len(of_kind(collected.resources, "k8s.pod")) == 2
    (gap,) = [g for g in collected.gaps if g.kind == "k8s.pod" and not g.field]
    assert gap.reason is Reason.DENIED
    assert gap.permission == 'list pods in the cluster (apiGroup "")'
    assert "read in 1 of its namespaces: shop" in gap.detail
    assert sum("selfsubjectrulesreviews" in path for path in asked) == 2  # once per namespace
    assert not any("/namespaces/kube-system/" in path for path in asked)
    states = {c.partition.kind: c.state for c in collected.coverage}
    assert states["k8s.deployment"] is State.PARTIAL
    assert states["k8s.node"] is State.UNREAD


def test_all_namespaces_one_by_one_are_the_whole_cluster(tmp_path: Path, monkeypatch):
    user = User(
        "dev",
        admin=False,
        namespaces=frozenset({"shop", "kube-system"}),
        namespaced=frozenset(READER),
        cluster=frozenset({("", "namespaces")}),
    )
    with ApiServer(estate.objects(), users={"t": user}) as server:
        collected = scan_of(server, tmp_path, monkeypatch, token="t")
    assert [g for g in collected.gaps if g.kind == "k8s.deployment"] == []


def test_a_list_without_a_namespace_does_not_stand_for_a_cluster_that_was_read(
    tmp_path: Path, monkeypatch
):
    user = User(
        "dev",
        admin=False,
        namespaces=frozenset({"shop"}),
        namespaced=frozenset(READER),
        cluster=frozenset({("", "namespaces")}),
    )
    with ApiServer(estate.objects(), users={"t": user}) as server:
        server.stored["", "namespaces"].clear()
        collected = scan_of(server, tmp_path, monkeypatch, token="t")
    (gap,) = [g for g in collected.gaps if g.kind == "k8s.deployment"]
    assert gap.reason is Reason.DENIED


def test_without_the_list_of_namespaces_the_one_of_the_context_is_tried(tmp_path, monkeypatch):
    user = User("dev", admin=False, namespaces=frozenset({"shop"}), namespaced=frozenset(READER))
    with ApiServer(estate.objects(), users={"t": user}) as server:
        collected = scan_of(server, tmp_path, monkeypatch, token="t", namespace="shop")
    assert len(of_kind(collected.resources, "k8s.deployment")) == 1
    (gap,) = [g for g in collected.gaps if g.kind == "k8s.deployment"]
    assert gap.reason is Reason.DENIED


def test_a_replay_reads_the_same_without_a_server(tmp_path: Path, monkeypatch):
    with ApiServer(estate.objects()) as server:
        monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig(tmp_path / "config")))
        recorder = Recorder.create(tmp_path / "recording", {})
        live = estate.scan(estate.provider(secrets=True), recorder=recorder)
        recorder.close()
    monkeypatch.delenv("KUBECONFIG")
    replay = Replay.open(tmp_path / "recording")
    again = estate.scan(estate.provider(secrets=True), replay=replay)
    assert [(r.key, r.data) for r in again.resources] == [(r.key, r.data) for r in live.resources]
    assert again.gaps == live.gaps
    assert again.identities == live.identities


def test_nothing_but_reads_and_questions_about_ourselves_is_sent(server: ApiServer):
    estate.scan(estate.provider(secrets=True))
    posted = {r.path for r in server.requests if r.method != "GET"}
    assert posted == {"/apis/authentication.k8s.io/v1/selfsubjectreviews"}
    assert {r.method for r in server.requests} == {"GET", "POST"}
    client = estate.provider().client("lab")
    with pytest.raises(ValueError, match="only reads"):
        client.request("POST", "/api/v1/namespaces/shop/pods", {})
    with pytest.raises(ValueError, match="only reads"):
        client.request("DELETE", "/api/v1/namespaces/shop/pods/web", {})
    client.close()
