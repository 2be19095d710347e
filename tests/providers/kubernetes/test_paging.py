"""Lists are read to their end, or said to be cut off."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infrascan.model import Reason
from infrascan.providers.kubernetes import listing
from tests.providers.kubernetes import estate
from tests.providers.kubernetes.estate import of_kind, pods, scan_of
from tests.servers.kubernetes import ApiServer, Fault


def test_a_list_is_read_page_by_page_to_its_end(tmp_path: Path, monkeypatch):
    with ApiServer(pods(1203)) as server:
        collected = scan_of(server, tmp_path, monkeypatch)
        asked = server.paths("/api/v1/pods")
    assert len(of_kind(collected.resources, "k8s.pod")) == 1203
    assert len(asked) == 3
    assert all("limit=500" in path for path in asked)


def test_an_expired_page_token_is_replaced_by_the_new_one(tmp_path: Path, monkeypatch):
    with ApiServer(pods(1203)) as server:
        monkeypatch.setattr(server, "fault", compacting(server))
        collected = scan_of(server, tmp_path, monkeypatch)
        asked = server.paths("/api/v1/pods")
    assert len({r.id for r in of_kind(collected.resources, "k8s.pod")}) == 1203
    assert len(of_kind(collected.resources, "k8s.pod")) == 1203
    assert len(asked) == 4  # the refused page is asked for again
    assert [gap for gap in collected.gaps if gap.kind == "k8s.pod" and not gap.field] == []


def compacting(server: ApiServer):
    """Our own server, made to forget its revisions when the second page is asked for."""

    def fault(path: str) -> None:
        if "/pods?" in path and "continue" in path and not server.compacted:
            server.compacted = server.revision
            server.revision += 1

    return fault


def test_an_expired_token_without_a_new_one_starts_the_list_again(tmp_path: Path, monkeypatch):
    with ApiServer(pods(703)) as server:
        server.faults.append(Fault(r"/pods\?.*continue", "410", times=1))
        collected = scan_of(server, tmp_path, monkeypatch)
        asked = server.paths("/api/v1/pods")
    assert len(of_kind(collected.resources, "k8s.pod")) == 703
    assert len(asked) == 4


def test_tokens_that_keep_expiring_leave_a_gap(tmp_path: Path, monkeypatch):
    with ApiServer(pods(703)) as server:
        server.faults.append(Fault(r"/pods\?.*continue", "410"))
        collected = scan_of(server, tmp_path, monkeypatch)
    (gap,) = [g for g in collected.gaps if g.kind == "k8s.pod" and not g.field]
    assert gap.reason is Reason.TRUNCATED
    assert len(of_kind(collected.resources, "k8s.pod")) == 500


@pytest.mark.parametrize("what", ["same token", "new token"])
def test_a_list_without_an_end_is_cut_off_and_said(tmp_path: Path, monkeypatch, what: str):
    with ApiServer(pods(3)) as server:
        server.faults.append(Fault(r"/api/v1/pods", what))
        monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig(tmp_path / "config")))
        monkeypatch.setattr(server, "listed", endless(server))
        found, gaps = estate.read(estate.provider(), "k8s.pod")
        assert len(server.paths("/api/v1/pods")) <= listing.IDLE_PAGES + 2
    assert len(found) == 3
    (gap,) = [g for g in gaps if not g.field]
    assert (gap.reason, gap.call) == (Reason.TRUNCATED, "GET /api/v1/pods")


def endless(server: ApiServer):
    """Our own server, made to take any page token for the first page."""
    honest = server.listed

    def listed(resource, namespace, query, accept):
        return honest(
            resource, namespace, {k: v for k, v in query.items() if k != "continue"}, accept
        )

    return listed


def test_null_items_are_an_empty_list(server: ApiServer):
    server.faults.append(Fault("/api/v1/pods", "items null"))
    assert estate.read(estate.provider(), "k8s.pod") == ([], [])


def test_what_is_left_without_a_way_to_it_is_a_gap(tmp_path: Path, monkeypatch):
    with ApiServer(pods(3)) as server:
        honest = server.listed

        def listed(*arguments):
            answer = honest(*arguments)
            body = json.loads(answer.body)
            body["metadata"]["remainingItemCount"] = 7
            answer.body = json.dumps(body).encode()
            return answer

        monkeypatch.setattr(server, "listed", listed)
        monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig(tmp_path / "config")))
        found, gaps = estate.read(estate.provider(), "k8s.pod")
    assert len(found) == 3
    assert [g.reason for g in gaps if not g.field] == [Reason.TRUNCATED]
