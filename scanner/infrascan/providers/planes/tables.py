"""The planes' lists, as their vendors document them. Plain data."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from infrascan.model import Relation
from infrascan.providers.rest.tables import NULL, Listing, Paging

FREE: Any = {"*": {}}  # a map with keys that people choose
HUNDRED = {"limit": 100}
MORE = Paging(warns="more")  # it says so when a hundred were not all: that is a gap, not silence


def labelled(item: dict[str, Any]) -> dict[str, Any]:
    """An item known by its labels alone gets a name of them."""
    labels = json.dumps(item.get("labels") or item.get("metric") or {}, sort_keys=True)
    return {**item, "fingerprint": hashlib.sha256(labels.encode()).hexdigest()[:16]}


def measured(item: dict[str, Any]) -> dict[str, Any]:
    """A sample with its value as a number."""
    at, value = item["value"]
    return {**labelled(item), "at": at, "value": float(value)}


def connected(answer: dict[str, Any]) -> dict[str, Any]:
    """What a Prometheus server sends its alerts to, and what it left out."""
    return dict(answer["data"])


PROMETHEUS = (
    Listing(
        kind="prometheus.server",
        title="Prometheus server",
        api="GET /api/v1/alertmanagers",
        shape=connected,
        id="{account}",
        name=("{account}",),
        fields={"activeAlertmanagers": {"[]": {"url": {}}},
                "droppedAlertmanagers": {"[]": {"url": {}}}},
    ),
    Listing(
        kind="prometheus.alert",
        title="Prometheus alert",
        api="GET /api/v1/alerts",
        items="data.alerts[]",
        shape=labelled,
        id="{fingerprint}",
        name=("labels.alertname",),
        tags="labels",
        fields={"labels": FREE, "annotations": FREE, "state": {}, "activeAt": {}, "value": {},
                "fingerprint": {}},
        relations=(
            Relation(name="services", path="labels.service", to="k8s.service", by="name",
                     reverse="prometheus_alerts", within="anywhere"),
        ),
    ),
    Listing(
        kind="prometheus.target",
        title="Prometheus target",
        api="GET /api/v1/targets",
        params={"state": "active"},
        items="data.activeTargets[]",
        id="{scrapePool}/{scrapeUrl}",
        name=("labels.job", "scrapePool"),
        tags="labels",
        fields={"labels": FREE, "discoveredLabels": FREE, "scrapePool": {}, "scrapeUrl": {},
                "globalUrl": {}, "lastError": {}, "lastScrape": {}, "lastScrapeDuration": {},
                "health": {}, "scrapeInterval": {}, "scrapeTimeout": {}},
    ),
    Listing(
        kind="prometheus.gpu",
        title="GPU, as DCGM's exporter measures it",
        api="GET /api/v1/query",
        params={"query": "DCGM_FI_DEV_GPU_UTIL"},
        items="data.result[]",
        shape=measured,
        id="{fingerprint}",
        name=("{metric.Hostname}/{metric.gpu}", "metric.UUID"),
        fields={"metric": FREE, "value": {}, "at": {}, "fingerprint": {}},
        live=True,
        relations=(
            Relation(name="node", path="metric.Hostname", to="k8s.node", by="name",
                     reverse="gpus", within="anywhere"),
        ),
    ),
)  # fmt: skip

ALERTMANAGER = (
    Listing(
        kind="alertmanager.alert",
        title="Alertmanager alert",
        api="GET /api/v2/alerts",
        items="[]",
        id="{fingerprint}",
        name=("labels.alertname",),
        tags="labels",
        fields={"labels": FREE, "annotations": FREE, "startsAt": {}, "endsAt": {}, "updatedAt": {},
                "fingerprint": {}, "generatorURL": {}, "receivers": {"[]": {"name": {}}},
                "status": {"state": {}, "silencedBy": {"[]": {}}, "inhibitedBy": {"[]": {}}}},
    ),
    Listing(
        kind="alertmanager.silence",
        title="Alertmanager silence",
        api="GET /api/v2/silences",
        items="[]",
        id="{id}",
        name=("comment", "id"),
        fields={"id": {}, "status": {"state": {}}, "startsAt": {}, "endsAt": {}, "updatedAt": {},
                "createdBy": {}, "comment": {}, "matchers": {"[]": FREE}},
    ),
)  # fmt: skip

LOKI = (
    Listing(
        kind="loki.label",
        title="Label of logs in Loki",
        api="GET /loki/api/v1/labels",
        items="data[]",
        optional=True,  # without any stream, data is left out
        wrap="name",
        fields={"name": {}},
        id="{name}",
        name=("name",),
    ),
)

GRAFANA = (
    Listing(
        kind="grafana.datasource",
        title="Grafana data source",
        api="GET /api/datasources",
        items="[]",
        id="{uid}",
        name=("name",),
        drop=(
            *("[].secureJsonData", "[].secureJsonFields", "[].password", "[].basicAuthPassword"),
            *("[].user", "[].basicAuthUser", "[].jsonData"),
        ),
        permission="datasources:read",
        fields={"id": {}, "uid": {}, "orgId": {}, "name": {}, "type": {}, "typeName": {},
                "access": {}, "url": {}, "database": {}, "basicAuth": {}, "isDefault": {},
                "readOnly": {}},
    ),
    Listing(
        kind="grafana.alert_rule",
        title="Grafana alert rule",
        api="GET /api/v1/provisioning/alert-rules",
        items="[]",
        id="{uid}",
        name=("title",),
        tags="labels",
        drop=("[].data",),  # its queries: large, and in the language of each source
        permission="alert.provisioning:read",
        fields={"uid": {}, "title": {}, "folderUID": {}, "ruleGroup": {}, "condition": {},
                "noDataState": {}, "execErrState": {}, "for": {}, "isPaused": {},
                "labels": FREE, "annotations": FREE, "updated": {}},
    ),
)  # fmt: skip

JAEGER = (
    Listing(
        kind="jaeger.service",
        title="Service that Jaeger has traces of",
        api="GET /api/services",
        items="data[]",
        optional=NULL,
        wrap="name",
        fields={"name": {}},
        id="{name}",
        name=("name",),
        relations=(
            Relation(name="services", path="name", to="k8s.service", by="name",
                     reverse="jaeger_services", within="anywhere"),
        ),
    ),
)  # fmt: skip

OLLAMA = (
    Listing(
        kind="ollama.running_model",
        title="Model that Ollama has loaded",
        api="GET /api/ps",
        items="models[]",
        id="{name}",
        name=("name",),
        fields={"name": {}, "model": {}, "size": {}, "size_vram": {}, "digest": {},
                "expires_at": {}, "context_length": {}, "details": FREE},
    ),
)  # fmt: skip

PAGERDUTY = (
    Listing(
        kind="pagerduty.incident",
        title="PagerDuty incident that is open",
        api="GET /incidents",
        params={**HUNDRED, "statuses[]": ["triggered", "acknowledged"]},
        items="incidents[]",
        paging=MORE,
        id="{id}",
        name=("title", "summary"),
        drop=("incidents[].body", "incidents[].conference_bridge"),
        permission="incidents.read",
        fields={"id": {}, "type": {}, "summary": {}, "title": {}, "incident_number": {},
                "status": {}, "urgency": {}, "created_at": {}, "html_url": {},
                "service": {"id": {}, "summary": {}}, "priority": None, "assignments": None,
                "teams": None, "escalation_policy": None},
        relations=(
            Relation(name="pagerduty_service", path="service.id", to="pagerduty.service", by="id",
                     reverse="incidents", within="account"),
            Relation(name="services", path="service.summary", to="k8s.service", by="name",
                     reverse="incidents", within="anywhere"),
            Relation(name="deployments", path="service.summary", to="k8s.deployment", by="name",
                     reverse="incidents", within="anywhere"),
        ),
    ),
    Listing(
        kind="pagerduty.service",
        title="PagerDuty service",
        api="GET /services",
        params=HUNDRED,
        items="services[]",
        paging=MORE,
        id="{id}",
        name=("name",),
        drop=("services[].integrations",),  # their keys let anyone trigger
        permission="services.read",
        fields={"id": {}, "name": {}, "description": {}, "status": {}, "created_at": {},
                "last_incident_timestamp": {}, "teams": None, "escalation_policy": None},
    ),
)  # fmt: skip
