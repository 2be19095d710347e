"""Loopback Prometheus, Alertmanager, Loki, Grafana, Jaeger, Ollama and PagerDuty.

Their answers have the shapes of the vendors' documents: the HTTP APIs of Prometheus and Loki, the
OpenAPI documents of Alertmanager and PagerDuty, Grafana's and Ollama's reference, and what Jaeger's
own UI asks for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.servers.proxy import Answer
from tests.servers.rest import Request, json_answer

TOKEN = "observer-token-0123456789"
SECRET = "glsa_NeverKeepThisOne0123456789"

ANSWERS: dict[str, dict[str, Any]] = {
    "prometheus": {
        "/api/v1/status/buildinfo": {"status": "success", "data": {"version": "3.7.3"}},
        "/api/v1/alertmanagers": {
            "status": "success",
            "data": {
                "activeAlertmanagers": [{"url": "http://10.0.0.9:9093/api/v2/alerts"}],
                "droppedAlertmanagers": [],
            },
        },
        "/api/v1/alerts": {
            "status": "success",
            "data": {
                "alerts": [
                    {
                        "labels": {"alertname": "HighLatency", "service": "checkout", "severity": "page"},
                        "annotations": {"summary": "p99 above 1 s"},
                        "state": "firing",
                        "activeAt": "2026-11-21T08:00:00Z",
                        "value": "1.4e+00",
                    },
                    {
                        "labels": {"alertname": "HighLatency", "service": "cart", "severity": "page"},
                        "annotations": {},
                        "state": "pending",
                        "activeAt": "2026-11-21T08:10:00Z",
                        "value": "1.1e+00",
                    },
                ]
            },
        },
        "/api/v1/targets": {
            "status": "success",
            "data": {
                "activeTargets": [
                    {
                        "discoveredLabels": {"__address__": "10.0.0.7:9400"},
                        "labels": {"instance": "10.0.0.7:9400", "job": "dcgm"},
                        "scrapePool": "dcgm",
                        "scrapeUrl": "http://10.0.0.7:9400/metrics",
                        "globalUrl": "http://10.0.0.7:9400/metrics",
                        "lastError": "connection refused",
                        "lastScrape": "2026-11-21T08:29:50Z",
                        "lastScrapeDuration": 0.003,
                        "health": "down",
                        "scrapeInterval": "15s",
                        "scrapeTimeout": "10s",
                    }
                ],
                "droppedTargets": [],
                "droppedTargetCounts": {},
            },
        },
        "/api/v1/query": {
            "status": "success",
            "data": {
                "resultType": "vector",
                "result": [
                    {
                        "metric": {
                            "__name__": "DCGM_FI_DEV_GPU_UTIL",
                            "gpu": "0",
                            "UUID": "GPU-1",
                            "Hostname": "gpu-node-1",
                            "pod": "ollama-0",
                            "namespace": "ai",
                        },
                        "value": [1795250000.1, "93"],
                    }
                ],
            },
        },
        "/api/v1/query_range": {
            "status": "success",
            "data": {"resultType": "matrix", "result": [{"metric": {}, "values": [[1, "0.5"]]}]},
        },
    },
    "alertmanager": {
        "/api/v2/status": {"cluster": {"status": "ready"}},
        "/api/v2/alerts": [
            {
                "labels": {"alertname": "HighLatency", "service": "checkout"},
                "annotations": {},
                "startsAt": "2026-11-21T08:00:00Z",
                "endsAt": "2026-11-21T09:00:00Z",
                "updatedAt": "2026-11-21T08:29:00Z",
                "fingerprint": "9d1f6a0b3c2e4f58",
                "receivers": [{"name": "pager"}],
                "status": {"state": "active", "silencedBy": [], "inhibitedBy": []},
            }
        ],
        "/api/v2/silences": [],
    },
    "loki": {
        "/loki/api/v1/status/buildinfo": {"version": "3.5.5"},
        "/loki/api/v1/labels": {"status": "success", "data": ["app", "namespace"]},
        "/loki/api/v1/query_range": {
            "status": "success",
            "data": {
                "resultType": "streams",
                "result": [
                    {
                        "stream": {"app": "checkout"},
                        "values": [["1795250000000000000", f"login with password={SECRET}"]],
                    }
                ],
            },
        },
    },
    "grafana": {
        "/api/org": {"id": 1, "name": "Main Org."},
        "/api/datasources": [
            {
                "id": 1,
                "uid": "prom",
                "orgId": 1,
                "name": "Prometheus",
                "type": "prometheus",
                "access": "proxy",
                "url": "http://prometheus:9090",
                "user": "admin",
                "basicAuthPassword": SECRET,
                "secureJsonData": {"httpHeaderValue1": SECRET},
                "jsonData": {"httpHeaderName1": "X-Key", "apiToken": SECRET},
                "isDefault": True,
                "readOnly": False,
            }
        ],
        "/api/v1/provisioning/alert-rules": [
            {"uid": "r1", "title": "Queue is long", "labels": {"team": "shop"}, "isPaused": False,
             "data": [{"model": {"expr": "queue > 9"}}]},
        ],
    },
    "jaeger": {
        "/api/services": {"data": ["checkout", "cart"], "total": 2, "errors": None},
        "/api/traces": {"data": [{"traceID": "abc", "spans": []}], "total": 0, "errors": None},
    },
    "ollama": {
        "/api/version": {"version": "0.13.0"},
        "/api/ps": {
            "models": [
                {
                    "name": "hermes3:70b",
                    "model": "hermes3:70b",
                    "size": 42_000_000_000,
                    "size_vram": 40_000_000_000,
                    "digest": "sha256:1",
                    "details": {"family": "llama"},
                    "expires_at": "2026-11-21T09:00:00Z",
                    "context_length": 8192,
                }
            ]
        },
    },
    "pagerduty": {
        "/abilities": {"abilities": ["teams"]},
        "/incidents": {
            "incidents": [
                {
                    "id": "Q1",
                    "type": "incident",
                    "incident_number": 7,
                    "title": "Checkout is slow",
                    "summary": "[#7] Checkout is slow",
                    "status": "triggered",
                    "urgency": "high",
                    "created_at": "2026-11-21T08:01:00Z",
                    "html_url": "https://acme.pagerduty.com/incidents/Q1",
                    "service": {"id": "S1", "type": "service_reference", "summary": "checkout"},
                    "body": {"details": SECRET},
                }
            ],
            "limit": 100,
            "offset": 0,
            "more": False,
            "total": None,
        },
        "/services": {
            "services": [
                {"id": "S1", "name": "checkout", "status": "critical",
                 "integrations": [{"integration_key": SECRET}]}
            ],
            "limit": 100,
            "offset": 0,
            "more": False,
        },
    },
}  # fmt: skip
OPEN = frozenset({"prometheus", "alertmanager", "loki", "jaeger", "ollama"})  # ask for no token


@dataclass
class Observatory:
    """One plane: `with RestServer(Observatory("loki").answer) as server`."""

    plane: str
    changes: dict[str, Any] = field(default_factory=dict)  # path -> another answer

    def answer(self, request: Request) -> Answer:
        given = request.headers.get("authorization", "")
        wanted = f"Token token={TOKEN}" if self.plane == "pagerduty" else f"Bearer {TOKEN}"
        if self.plane not in OPEN and given != wanted:
            return json_answer({"message": "Unauthorized"}, 401)
        if request.method != "GET":
            return json_answer({"message": "Method Not Allowed"}, 405)
        answers = ANSWERS[self.plane] | self.changes
        if request.path not in answers:
            return json_answer({"message": "Not found"}, 404)
        found = answers[request.path]
        return found if isinstance(found, Answer) else json_answer(found)
