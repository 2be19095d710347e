"""What was written to Google Cloud: Admin Activity audit logs, which are on in every project.

Read only when asked for: those of the last day, the newest first. What a request held, what came
back and from which address are dropped on arrival; who did what to which resource is kept. What
GKE's own API servers log here is left out: clusters tell it themselves.
"""

from __future__ import annotations

from infrascan.providers.gcp.tables import PAGED, Asset
from infrascan.providers.rest.tables import Listing

ACTIVITY = Asset(
    kind="gcp.logging.activity",
    title="Write to Google Cloud in the Admin Activity audit log",
    name=("protoPayload.methodName", "insertId"),
    labels="",
    policy=False,
    live=True,
    adds={
        "insertId": {},
        "logName": {},
        "timestamp": {},
        "receiveTimestamp": {},
        "severity": {},
        "resource": {"type": {}, "labels": {"*": {}}},
        "operation": {"id": {}, "producer": {}, "first": {}, "last": {}},
        "protoPayload": None,  # an AuditLog: its tree is not in Google's discovery documents
    },
    drop=(
        *("protoPayload.request", "protoPayload.response", "protoPayload.metadata"),
        *("protoPayload.serviceData", "protoPayload.requestMetadata"),
        "protoPayload.authorizationInfo",
    ),
    rest=Listing(
        kind="gcp.logging.activity",
        title="Write to Google Cloud in the Admin Activity audit log",
        api="POST logging.googleapis.com/v2/entries:list",
        params={
            "resourceNames": ["projects/{project}"],
            "filter": 'log_id("cloudaudit.googleapis.com/activity") AND timestamp >= "{day_ago_utc}"'
            ' AND NOT protoPayload.serviceName="k8s.io"',
            "orderBy": "timestamp desc",
            "pageSize": 1000,
        },
        items="entries[]",
        optional=True,
        paging=PAGED,
        id="{insertId}",
        name=("protoPayload.methodName", "insertId"),
        permission="logging.logEntries.list",
    ),
)
TABLES = (ACTIVITY,)
