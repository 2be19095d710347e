"""Every call fails in every way, in turn: a gap each time, never a crash, never an empty cluster."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from infrascan.graph import link
from infrascan.model import Connection, Reason, State
from infrascan.providers.kubernetes import client, listing
from infrascan.providers.kubernetes.tables import CLUSTER, METRICS_GROUP, TABLES, kinds
from tests.providers.kubernetes import estate
from tests.providers.kubernetes.estate import of_kind
from tests.servers.kubernetes import ADMIN, ApiServer, Fault, User

FAULTS = {
    "401": Reason.UNAUTHENTICATED,
    "403": Reason.DENIED,
    "404": Reason.DISABLED,
    "429": Reason.THROTTLED,
    "500": Reason.UNREACHABLE,
    "503": Reason.UNREACHABLE,
    "504": Reason.UNREACHABLE,
    "reset": Reason.UNREACHABLE,
    "truncated": Reason.UNREACHABLE,
    "garbled gzip": Reason.MALFORMED,
    "html": Reason.MALFORMED,
    "no items": Reason.MALFORMED,
    "items text": Reason.MALFORMED,
    "other kind": Reason.MALFORMED,
    "hang": Reason.TIMED_OUT,
    "drip": Reason.TIMED_OUT,
}


# In turn on every list; the others take the same way through the code, and three lists stand for it.
EVERYWHERE = {"403", "429", "500", "reset", "truncated", "html", "no items", "other kind"}
EXAMPLES = {"k8s.pod", "k8s.secret", "k8s.node"}
PAIRS = [
    pytest.param(table, what, id=f"{table.kind}-{what}")
    for table in TABLES
    for what in FAULTS
    if what in EVERYWHERE or table.kind in EXAMPLES
]


@pytest.fixture(scope="module")
def cluster() -> Iterator[ApiServer]:
    with ApiServer(estate.objects()) as server:
        yield server


@pytest.fixture
def faulty(cluster: ApiServer, tmp_path: Path, monkeypatch) -> Iterator[ApiServer]:
    """The small cluster, to put faults into."""
    monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig(tmp_path / "config")))
    cluster.requests.clear()
    yield cluster
    cluster.faults.clear()
    cluster.everybody = ADMIN


def path_of(table) -> str:
    return table.path(table.versions[0])


@pytest.mark.parametrize(("table", "what"), PAIRS)
def test_a_list_that_fails_is_a_gap_that_names_the_call(faulty: ApiServer, table, what: str):
    faulty.faults.append(Fault(rf"^{path_of(table)}\?", what))
    found, gaps = estate.read(estate.provider(secrets=True), table.kind, seconds=0.4)
    if what == "403" and table.namespaced:  # the namespaces one by one are the whole
        assert len(found) == len(faulty.stored[table.group, table.resource])
        return
    assert found == []
    (gap,) = gaps
    assert gap.reason is FAULTS[what]
    assert gap.call == f"GET {path_of(table)}"
    assert gap.detail
    if what == "403":
        group = f'(apiGroup "{table.group}")'
        assert gap.permission == f"list {table.resource} in the cluster {group}"


def test_a_cluster_whose_every_list_hangs_is_all_gaps_and_over_in_time(faulty: ApiServer):
    faulty.faults.append(Fault("limit=", "hang"))
    began = time.monotonic()
    collected = estate.scan(estate.provider(secrets=True), attempt_seconds=0.5)
    assert time.monotonic() - began < 15
    assert {r.kind for r in collected.resources} == {CLUSTER}
    listed = {table.kind for table in TABLES}
    assert {gap.kind for gap in collected.gaps} == {*listed, CLUSTER}  # its flavour wants a node
    assert {gap.reason for gap in collected.gaps} <= {Reason.TIMED_OUT, Reason.UNREACHABLE}
    states = {c.partition.kind: c.state for c in collected.coverage}
    assert all(states[kind] is State.UNREAD for kind in listed)


@pytest.mark.parametrize("what", [what for what in FAULTS if what not in {"403", "drip"}])
def test_a_later_page_that_fails_keeps_the_earlier_ones(faulty: ApiServer, monkeypatch, what: str):
    monkeypatch.setattr(listing, "PAGE", 1)
    faulty.faults.append(Fault("/serviceaccounts.*continue", what))
    found, gaps = estate.read(estate.provider(), "k8s.service_account", seconds=0.4)
    assert len(found) == 1
    assert [gap.reason for gap in gaps] == [FAULTS[what]]


@pytest.mark.parametrize("what", FAULTS)
@pytest.mark.parametrize("resource", ["pods", "nodes"])
def test_metrics_that_fail_leave_usage_unread(faulty: ApiServer, resource: str, what: str):
    faulty.faults.append(Fault(f"/apis/{METRICS_GROUP}/v1beta1/{resource}", what))
    kind = f"k8s.{resource[:-1]}"
    found, gaps = estate.read(estate.provider(), kind, seconds=0.4)
    (gap,) = gaps
    assert (gap.reason, gap.field) == (FAULTS[what], "usage")
    assert gap.call == f"GET /apis/{METRICS_GROUP}/v1beta1/{resource}"
    if what == "403":
        assert gap.permission == f'list {resource} in the cluster (apiGroup "{METRICS_GROUP}")'
    running = next(resource for resource in found if resource.name != "done")
    assert "usage" not in running.data
    assert running.unread["usage"] == gap


@pytest.mark.parametrize("what", FAULTS)
def test_discovery_that_fails_makes_nothing_look_absent(faulty: ApiServer, what: str):
    faulty.faults.append(Fault("^/apis?$", what))
    found, gaps = estate.read(estate.provider(), "k8s.horizontal_pod_autoscaler", seconds=0.4)
    assert [r.id for r in found] == ["shop/web"]
    assert gaps == []
    (cluster,), gaps = estate.read(estate.provider(), CLUSTER, seconds=0.4)
    assert {"apis", "metrics_available"} <= set(cluster.unread)
    assert cluster.unread["apis"].reason is FAULTS[what]
    assert "apis" not in cluster.data


@pytest.mark.parametrize("what", ["500", "no items", "404"])
def test_one_group_that_discovery_cannot_tell_is_asked_for_all_the_same(faulty: ApiServer, what):
    faulty.aggregated = False
    faulty.faults.append(Fault("^/apis/autoscaling/v[12]$", what))
    found, gaps = estate.read(estate.provider(), "k8s.horizontal_pod_autoscaler")
    faulty.aggregated = True
    assert [r.id for r in found] == ["shop/web"]
    assert gaps == []


def test_a_group_that_is_neither_told_nor_served_is_a_gap(faulty: ApiServer):
    faulty.faults.append(Fault("^/apis$", "500"))
    faulty.faults.append(Fault("^/apis/autoscaling/", "404"))
    found, gaps = estate.read(estate.provider(), "k8s.horizontal_pod_autoscaler")
    assert found == []
    assert [gap.reason for gap in gaps] == [Reason.DISABLED]


@pytest.mark.parametrize("what", FAULTS)
def test_a_version_that_fails_leaves_the_rest_of_the_cluster(faulty: ApiServer, what: str):
    faulty.faults.append(Fault("^/version$", what))
    (cluster,), gaps = estate.read(estate.provider(), CLUSTER, seconds=0.4)
    if what in {"no items", "items text", "other kind"}:
        return  # /version has no items to lose
    assert {"version", "minor"} <= set(cluster.unread)
    assert {gap.reason for gap in gaps} == {FAULTS[what]}
    assert cluster.data["apis"]


@pytest.mark.parametrize("what", [what for what in FAULTS if what != "drip"])
def test_who_we_are_is_a_courtesy_unless_it_is_refused(faulty: ApiServer, what: str):
    faulty.faults.append(Fault("selfsubjectreviews", what))
    (identity,) = estate.connect()
    if what == "401":
        assert (identity.state, identity.reason) == (Connection.ERROR, Reason.UNAUTHENTICATED)
    else:
        assert identity.state is Connection.CONNECTED


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.kind)
def test_a_kind_that_is_denied_leaves_relations_to_it_unread(faulty: ApiServer, table):
    """Through the engine and the graph: nothing that leads to the kind, or comes from it, may
    look as if there were nothing."""
    faulty.everybody = User("scanner", denied=frozenset({(table.group, table.resource)}))
    collected = estate.scan(estate.provider(secrets=True))
    assert of_kind(collected.resources, table.kind) == []
    (gap,) = [gap for gap in collected.gaps if gap.kind == table.kind and not gap.field]
    assert gap.reason is Reason.DENIED
    state = next(c.state for c in collected.coverage if c.partition.kind == table.kind)
    assert state is State.UNREAD
    link(collected.resources, kinds(), collected.gaps, collected.coverage)
    by_kind = {kind: of_kind(collected.resources, kind) for kind in kinds()}
    for relation in kinds()[table.kind].relations:
        for target in by_kind.get(relation.to, ()):
            if relation.reverse:
                assert relation.reverse in target.unread, (target.key, relation.reverse)
    for kind in kinds().values():
        for relation in kind.relations:
            if relation.to == table.kind:
                for source in by_kind[kind.name]:
                    if source.data.get("refs", {}).get(relation.name) or relation.selector:
                        assert relation.name in source.unread, (source.key, relation.name)
                        assert not relation.missing or relation.missing in source.unread


def test_throttling_is_waited_out(faulty: ApiServer):
    faulty.faults.append(Fault(r"^/api/v1/pods\?", "429", times=2, retry_after=0))
    collected = estate.scan(estate.provider())
    assert len(of_kind(collected.resources, "k8s.pod")) == 2
    assert len(faulty.paths("/api/v1/pods")) == 3


def test_the_wait_an_api_server_asks_for_is_passed_on():
    too_many = client.refusal(429, {"retry-after": "7"}, b"{}", "/api/v1/pods")
    assert (too_many.reason, too_many.retry_after) == (Reason.THROTTLED, 7.0)
    body = b'{"message":"later","details":{"retryAfterSeconds":3}}'
    late = client.refusal(504, {}, body, "/api/v1/pods")
    assert (late.reason, late.retry_after) == (Reason.UNREACHABLE, 3.0)
    dated = client.refusal(
        429, {"retry-after": "Sat, 21 Nov 2026 09:30:00 GMT"}, b"", "/api/v1/pods"
    )
    assert dated.retry_after is None


def test_an_answer_without_end_is_cut_off(faulty: ApiServer, monkeypatch):
    monkeypatch.setattr(client, "LARGEST", 1000)
    found, gaps = estate.read(estate.provider(), "k8s.pod")
    assert found == []
    assert {gap.reason for gap in gaps} == {Reason.TRUNCATED}


@pytest.mark.parametrize(
    "metadata", [{}, {"name": ""}, {"name": 3}, {"name": "x"}, {"name": "x", "namespace": None}]
)
def test_an_object_without_a_name_or_namespace_is_a_gap(tmp_path: Path, monkeypatch, metadata):
    with ApiServer() as server:
        server.stored["", "services"] = {"shop/x": {"metadata": metadata}}
        monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig(tmp_path / "config")))
        found, gaps = estate.read(estate.provider(), "k8s.service")
    assert found == []
    assert [gap.reason for gap in gaps] == [Reason.MALFORMED]
