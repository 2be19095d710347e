"""Azure's Activity Log: who wrote to what, without what was written."""

from __future__ import annotations

import json
from typing import Any

from infrascan.model import Reason
from tests.providers.azure.estate import GROUP, ONE, read
from tests.servers.azure import AzureServer

KIND = "azure.insights.activity"
PLACE = f"/subscriptions/{ONE}/providers/microsoft.insights/eventtypes/management/values"
CANARY = "canary-in-a-request"


def entry(number: int) -> dict[str, Any]:
    return {
        "id": f"{GROUP}/events/e-{number}/ticks/1",
        "eventDataId": f"e-{number}",
        "eventTimestamp": f"2026-11-20T05:{number:02}:00.1234567Z",
        "caller": "dave@acme.example",
        "correlationId": f"c-{number}",
        "operationName": {"value": "Microsoft.Compute/virtualMachines/deallocate/action"},
        "status": {"value": "Succeeded"},
        "resourceId": f"{GROUP}/providers/Microsoft.Compute/virtualMachines/one",
        "properties": {"requestbody": CANARY},
        "claims": {"ipaddr": "198.51.100.7", "name": CANARY},
        "httpRequest": {"clientIpAddress": "198.51.100.7"},
        "authorization": {"scope": CANARY},
    }


def test_all_pages_are_read_and_what_was_written_does_not_arrive(server: AzureServer):
    server.estate.parts[PLACE] = [entry(number) for number in range(5)]
    server.page = 2
    found, error = read(KIND)

    assert error is None
    assert sorted(r.id for r in found) == [f"e-{number}" for number in range(5)]
    kept = json.dumps([r.data for r in found])
    assert CANARY not in kept
    assert "198.51.100.7" not in kept
    assert found[0].name == "Microsoft.Compute/virtualMachines/deallocate/action"
    (first, *_) = [r for r in server.requests if r.path.lower() == PLACE]
    assert first.query["$filter"] == (
        "eventTimestamp ge '2026-11-19T06:00:00Z' and eventTimestamp le '2026-11-20T06:00:00Z'"
    )
    assert "properties" not in first.query["$select"].split(",")


def test_a_denied_log_is_a_gap_with_its_permission(server: AzureServer):
    action = "Microsoft.Insights/eventtypes/values/Read"
    server.estate.denied["/eventtypes/management/values"] = action
    found, error = read(KIND)

    assert found == []
    assert error is not None
    assert (error.reason, error.permission) == (Reason.DENIED, action)
