"""The states of the demo: believable, with their faults, and without their secrets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fixtures.estates import terraform_acme

from infrascan.collect.recording import Recorder
from infrascan.model import Connection, Reason
from tests.providers.terraform.conftest import collect


def test_acme_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    recorder = Recorder.create(tmp_path / "r", {})
    with terraform_acme.served(tmp_path) as variables:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        read = collect(*terraform_acme.SCOPES, recorder=recorder)
    recorder.close()

    everything = json.dumps([r.data for r in read.resources])
    assert {i.state for i in read.identities} == {Connection.CONNECTED}
    assert sorted(i.account for i in read.identities) == [
        "prod/landing",
        "prod/network",
        "prod/search-plan",
        "prod/shop",
        "prod/shop-plan",
        "staging/legacy",
    ]
    assert {(g.account, g.field, g.reason) for g in read.gaps} == {
        ("prod/landing", "", Reason.UNAUTHENTICATED),  # in a bucket, and AWS is not here
        ("prod/search-plan", "", Reason.MALFORMED),
        ("prod/shop", "lock", Reason.OUT_OF_SCOPE),  # told only to who tries to lock it
    }
    assert not [secret for secret in terraform_acme.SECRETS if secret in everything]
    assert str(tmp_path) not in everything
    assert "localhost" not in everything
