"""The estate acme in Azure: what it is for, and what it must not give away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fixtures.estates import azure_acme

from infrascan.collect.engine import Collected
from infrascan.collect.recording import Recorder
from infrascan.graph import link
from infrascan.model import Connection, Reason, Resource
from infrascan.providers.azure import Azure
from tests.providers.azure.estate import opened, scanned


@pytest.fixture
def read(tmp_path: Path, outside: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Collected]:
    with azure_acme.served(tmp_path) as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        recorder = Recorder.create(tmp_path / "kept", {})
        found = scanned(*azure_acme.SCOPES, recorder=recorder)
        recorder.close()
        kinds = opened().kinds
        link(found.resources, kinds, found.gaps, found.coverage)
        yield found


def one(read: Collected, kind: str, name: str) -> Resource:
    (found,) = [r for r in read.resources if r.kind == f"azure.{kind}" and r.name == name]
    return found


def test_both_subscriptions_are_read_but_for_what_is_denied(read: Collected):
    assert {identity.state for identity in read.identities} == {Connection.CONNECTED}
    assert {identity.account for identity in read.identities} == {azure_acme.ERP, azure_acme.DEV}
    assert sorted((gap.kind, gap.field, gap.reason) for gap in read.gaps) == [
        ("azure.compute.snapshot", "", Reason.DENIED),
        ("azure.keyvault.vault", "secrets", Reason.DENIED),
    ]
    assert 90 < len(read.resources) < 130


def test_relations_hold(read: Collected):
    machine = one(read, "compute.virtual_machine", "erp-app-01")
    assert [disk.name for disk in machine.links["disks"]] == ["erp-app-01-os"]
    assert [vault.name for vault in machine.links["backup_vaults"]] == ["acme-backups"]
    jump = one(read, "compute.virtual_machine", "jump-01")
    (role,) = jump.links["role_assignments"]
    assert [known.name for known in role.links["role_definition"]] == ["Contributor"]
    (card,) = jump.links["network_interfaces"]
    assert [ip.name for ip in card.links["public_ip_addresses"]] == ["jump-ip"]
    network = one(read, "network.virtual_network", "hub")
    assert len(network.links["subnets"]) == 5
    assert [log.name for log in network.links["flow_logs"]] == ["hub"]
    record = one(read, "network.dns_record_set", "partners.erp.acme.example.")
    assert len(record.data["dangling_targets"]) == 1
    group = one(read, "resources.resource_group", "data-prod")
    assert [lock.name for lock in group.links["locks"]] == ["keep"]


def test_secrets_and_this_machine_are_in_no_answer(read: Collected, tmp_path: Path):
    import gzip

    kept = gzip.decompress((tmp_path / "kept" / "answers-azure.jsonl.gz").read_bytes()).decode()
    for secret in (*azure_acme.SECRETS, "localhost", "127.0.0.1", "eyJ", str(tmp_path)):
        assert secret not in kept, secret
    assert len(kept) < 600_000
    assert all(json.loads(line) for line in kept.splitlines())


def test_every_kind_of_the_estate_is_in_the_tables(read: Collected):
    known = {listing.kind for listing in Azure.tables}
    assert {resource.kind for resource in read.resources} <= known
