"""The build machine of the demo: believable, mostly in order, and without its secrets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fixtures.estates import docker_acme

from infrascan.collect.recording import Recorder
from infrascan.model import Connection, Reason
from tests.providers.docker.conftest import collect


def test_acme_is_read(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    recorder = Recorder.create(tmp_path / "r", {})
    with docker_acme.served(tmp_path) as variables:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        read = collect(*docker_acme.SCOPES, recorder=recorder)
    recorder.close()

    everything = json.dumps([r.data for r in read.resources])
    assert [(i.account, i.state) for i in read.identities] == [("build-01", Connection.CONNECTED)]
    assert 30 <= len(read.resources) <= 120
    assert not read.gaps or {g.reason for g in read.gaps} == {Reason.DENIED}
    assert [r.name for r in read.resources if "stats" in r.unread] == ["cache"]
    assert not [secret for secret in docker_acme.SECRETS if secret in everything]
    assert str(tmp_path) not in everything
