"""Google Cloud's Admin Activity log: who wrote to what, without what was written."""

from __future__ import annotations

import json
from typing import Any

from infrascan.model import ReadError, Reason
from tests.providers.gcp.conftest import Start
from tests.providers.gcp.estate import OBSERVED, PROJECT, everything
from tests.providers.gcp.test_reading import everything_of

KIND = "gcp.logging.activity"
CANARY = "canary-in-a-request"


def entry(number: int) -> dict[str, Any]:
    return {
        "insertId": f"i-{number}",
        "logName": f"projects/{PROJECT}/logs/cloudaudit.googleapis.com%2Factivity",
        "timestamp": f"2026-11-20T05:{59 - number:02}:00.123456789Z",
        "severity": "NOTICE",
        "resource": {"type": "gce_instance", "labels": {"project_id": PROJECT}},
        "protoPayload": {
            "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
            "serviceName": "compute.googleapis.com",
            "methodName": "v1.compute.instances.stop",
            "resourceName": f"projects/{PROJECT}/zones/europe-west1-b/instances/web-1",
            "authenticationInfo": {"principalEmail": "dave@acme.example"},
            "requestMetadata": {"callerIp": "198.51.100.7"},
            "request": {"password": CANARY, "note": CANARY},
            "response": {"note": CANARY},
            "authorizationInfo": [{"resource": CANARY}],
        },
    }


def test_all_pages_are_read_and_what_was_written_does_not_arrive(start: Start):
    estate = everything()
    estate.activity[PROJECT] = [entry(number) for number in range(5)]
    server = start(estate, page=2)
    found, errors = everything_of()

    assert not errors
    entries = [r for r in found.values() if r.kind == KIND]
    assert [r.id for r in entries] == [f"i-{number}" for number in range(5)]
    payload = entries[0].data["protoPayload"]
    assert payload["authenticationInfo"]["principalEmail"] == "dave@acme.example"
    assert CANARY not in json.dumps([r.data for r in entries])
    assert "198.51.100.7" not in json.dumps([r.data for r in entries])
    asked = [r.json for r in server.rest.requests if r.path.endswith("/entries:list")]
    assert len(asked) == 3
    assert f'timestamp >= "2026-11-{OBSERVED.day - 1}T06:00:00Z"' in asked[0]["filter"]
    assert asked[0]["resourceNames"] == [f"projects/{PROJECT}"]


def test_a_denied_log_is_a_gap_with_its_permission(start: Start):
    estate = everything()
    estate.unlogged.add(f"projects/{PROJECT}")
    start(estate)
    found, errors = everything_of()

    (error,) = [e for place, e in errors.items() if place.endswith(KIND)]
    assert isinstance(error, ReadError)
    assert (error.reason, error.permission) == (Reason.DENIED, "logging.logEntries.list")
    assert not [r for r in found.values() if r.kind == KIND]
