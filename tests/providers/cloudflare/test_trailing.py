"""Cloudflare's audit log: who changed what, without what was sent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fixtures.estates.cloudflare_acme import A
from fixtures.estates.cloudflare_acme_zones import SHOP

from infrascan.model import Reason
from tests.providers.cloudflare.conftest import led_to
from tests.providers.cloudflare.reader import everything, provider, read
from tests.servers.cloudflare import Estate
from tests.servers.rest import RestServer

KIND = "cloudflare.audit_log"
CANARY = "canary-in-a-request"


def entry(number: int, when: str = "") -> dict[str, Any]:
    return {
        "id": f"log-{number}",
        "action": {
            "type": "update",
            "result": "success",
            "time": when or f"2026-11-20T05:{number % 60:02}:00Z",
            "description": "Update a DNS record",
        },
        "actor": {"email": "dave@acme.example", "ip_address": "198.51.100.7", "type": "user"},
        "raw": {"method": "PATCH", "uri": f"/x?key={CANARY}", "user_agent": CANARY},
        "resource": {
            "id": "r1", "type": "dns_record", "product": "dns",
            "request": {"content": CANARY}, "response": {"content": CANARY},
        },
        "zone": {"id": SHOP, "name": "acme-shop.com"},
    }  # fmt: skip


@pytest.fixture
def logged(running: RestServer, outside: None, monkeypatch: pytest.MonkeyPatch) -> Estate:
    estate = everything()
    estate.put(f"{A}/logs/audit", [entry(0, "2026-11-18T05:00:00Z"), *map(entry, range(1, 1203))])
    led_to(running, estate, monkeypatch)
    return estate


def test_the_last_day_is_read_to_its_end_and_what_was_sent_does_not_arrive(
    logged: Estate, running: RestServer
) -> None:
    found = read(provider(), (KIND,)).of(KIND)

    assert len({one.id for one in found}) == 1202
    kept = json.dumps([one.data for one in found])
    assert CANARY not in kept
    assert "198.51.100.7" not in kept
    assert found[0].name == "Update a DNS record"
    asked = [one.query for one in running.requests if one.path.endswith("/logs/audit")]
    assert len(asked) == 2
    assert asked[0]["since"] == "2026-11-19T06:00:00Z"


def test_a_denied_log_is_a_gap_with_its_permission(logged: Estate) -> None:
    logged.refuse(f"{A}/logs/audit", 403, 10000, "Authentication error")
    outcome = read(provider(), (KIND,))

    error = outcome.errors[KIND]
    assert (error.reason, error.permission) == (Reason.DENIED, "Account Settings Read")
