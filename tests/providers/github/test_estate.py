"""acme's organisation, as the demo shows it."""

from __future__ import annotations

from pathlib import Path

import pytest
from fixtures.estates import github_acme

from infrascan.collect.recording import Recorder, Replay
from infrascan.model import Reason
from tests.providers.github.estate import collected, opened


def test_acme_is_read_but_for_what_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    recorder = Recorder.create(tmp_path / "kept", {})
    with github_acme.served(tmp_path) as variables:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        found = collected(opened(*github_acme.SCOPES), recorder=recorder)
    recorder.close()
    assert 60 <= len(found.resources) <= 130
    assert {(g.kind, g.reason) for g in found.gaps} == {
        ("github.organization_webhook", Reason.DENIED),
        ("github.webhook", Reason.DENIED),
    }
    assert not [r.key for r in found.resources if r.unread]
    again = collected(opened(*github_acme.SCOPES), replay=Replay.open(tmp_path / "kept"))
    assert [r.data for r in again.resources] == [r.data for r in found.resources]
    text = repr(again.__dict__) + repr([r.data for r in again.resources])
    for secret in ("canary", "ghp_", "AKIA", "127.0.0.1", "localhost", str(tmp_path)):
        assert secret not in text
    deploy = next(r for r in found.resources if r.name == "storefront/deploy.yml")
    assert deploy.data["aws_roles"] == ["arn:aws:iam::111122223333:role/github-deploy-shop"]
    assert deploy.data["images"] == [
        "111122223333.dkr.ecr.us-east-1.amazonaws.com/shop-web",
        "ghcr.io/acme-shop/storefront",
    ]
