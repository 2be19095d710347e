"""acme's organisation is read whole but for the two reads that fail on purpose."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import trio
from fixtures.estates import gcp_acme

from infrascan.graph import link
from tests.providers.gcp.estate import Reader


def test_acme_is_read_but_for_what_is_planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with gcp_acme.served(tmp_path) as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        reader = Reader(*gcp_acme.SCOPES)
        found, errors = trio.run(reader.all)
    assert not errors
    assert {resource.account for resource in found} == {
        gcp_acme.ANALYTICS,
        gcp_acme.SANDBOX,
        gcp_acme.ORGANIZATION,
    }
    unread = {
        (resource.account, field, gap.reason.value)
        for resource in found
        for field, gap in resource.unread.items()
    }
    assert unread == {
        (gcp_acme.SANDBOX, "metrics", "disabled"),
        (gcp_acme.ANALYTICS, "recommendations", "denied"),
    }
    assert "canary" in json.dumps(gcp_acme.estate().assets)
    assert "canary" not in json.dumps(reader.answers)
    link(found, reader.gcp.kinds, [])
    sink = next(r for r in found if r.kind == "gcp.logging.log_sink")
    assert sink.links["bucket"][0].name == "acme-audit-logs"
    assert sink.links["project"][0].name == gcp_acme.ANALYTICS
    assert "organization" not in sink.unread
