"""Answers lose their secrets when they arrive, whatever shape they come in."""

from __future__ import annotations

import json
import time
from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infrascan.providers.kubernetes.arrival import received, target
from infrascan.providers.kubernetes.tables import TABLES
from tests.providers.kubernetes import estate
from tests.providers.kubernetes.estate import CANARY

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=12,
)


def listing(table) -> dict:
    items = [o for o in estate.objects() if o["kind"] == table.object]
    return {"kind": f"{table.object}List", "metadata": {}, "items": deepcopy(items)}


@pytest.mark.parametrize("namespace", ["", "shop"])
@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.kind)
def test_no_secret_survives_in_any_kind(table, namespace: str):
    path = table.path(table.versions[0], namespace if table.namespaced else "")
    answer = received(path, listing(table))
    assert answer["items"]
    assert CANARY not in json.dumps(answer)


def test_a_server_that_sends_secrets_whole_is_not_believed():
    """Asked for a Table, an old server or a proxy may answer with the list all the same."""
    table = next(t for t in TABLES if t.kind == "k8s.secret")
    answer = received("/api/v1/secrets", listing(table))
    assert {item["entry_count"] for item in answer["items"]} == {1, 2}
    assert all("data" not in item and "stringData" not in item for item in answer["items"])


def test_long_annotations_of_secrets_are_content_and_go():
    note = {
        "name": "a",
        "annotations": {"short": "kept", "long": "x" * 300, "kapp.k14s.io/original": "{}"},
    }
    answer = received("/api/v1/secrets", {"kind": "SecretList", "items": [{"metadata": note}]})
    assert answer["items"][0]["metadata"]["annotations"] == {"short": "kept", "long": "[redacted]"}


@pytest.mark.parametrize(
    ("value", "held"),
    [
        ("x" * 5000 + "\nAccountKey=" + "A" * 60, "azure-storage-key"),
        ("x\n" * 5000 + "-----BEGIN PRIVATE KEY-----\nMII\n" + "y\n" * 5000, "private-key"),
        ("é" * 5000 + "\npassword: hunter2hunter2\n", "password"),
        ("x = 1\n" * 5000, ""),
        ("-_." * 300_000 + " token:", ""),  # slow for the patterns alone
    ],
    ids=["late", "in the middle", "after wide characters", "none", "made to be slow"],
)
def test_long_values_are_searched_and_quickly(value: str, held: str):
    began = time.process_time()
    answer = received(
        "/api/v1/configmaps",
        {"kind": "ConfigMapList", "items": [{"metadata": {"name": "a"}, "data": {"k": value}}]},
    )
    assert answer["items"][0]["entries"][0]["holds"] == held
    assert time.process_time() - began < 1


def test_schemas_of_custom_resources_are_dropped_and_the_versions_stay():
    table = next(t for t in TABLES if t.kind == "k8s.custom_resource_definition")
    (item,) = received(table.path("v1"), listing(table))["items"]
    assert item["spec"]["versions"] == [{"name": "v1", "served": True, "storage": True}]


def test_the_latest_write_that_is_not_status_is_kept():
    fields = [
        {"manager": "kubectl", "time": "2026-11-01T00:00:00Z"},
        {"manager": "helm", "time": "2026-11-03T00:00:00Z"},
        {"manager": "kubelet", "time": "2026-11-05T00:00:00Z", "subresource": "status"},
        {"manager": "old"},
    ]
    item = {"metadata": {"name": "a", "managedFields": fields}}
    answer = received("/api/v1/services", {"kind": "ServiceList", "items": [item]})
    assert answer["items"] == [
        {"metadata": {"name": "a"}, "changed": {"at": "2026-11-03T00:00:00Z", "by": "helm"}}
    ]


@pytest.mark.parametrize(
    ("path", "kind", "namespace"),
    [
        ("/api/v1/pods", "k8s.pod", ""),
        ("/api/v1/namespaces", "k8s.namespace", ""),
        ("/api/v1/namespaces/shop/secrets", "k8s.secret", "shop"),
        ("/apis/apps/v1/namespaces/shop/deployments", "k8s.deployment", "shop"),
        ("/apis/metrics.k8s.io/v1beta1/pods", "", ""),
        ("/version", "", ""),
        ("/api/v1", "", ""),
    ],
)
def test_a_path_tells_what_it_lists(path: str, kind: str, namespace: str):
    table, within = target(path)
    assert (table.kind if table else "", within) == (kind, namespace)


@given(st.sampled_from(TABLES), ANYTHING, ANYTHING)
def test_any_json_is_taken_without_a_crash(table, item, metadata):
    """What is malformed is refused where it is read, with a gap; arrival only drops."""
    path = table.path(table.versions[0])
    received(
        path, {"kind": "X", "items": [item, {"metadata": metadata, "spec": item, "data": item}]}
    )
    received(
        path,
        {"kind": "Table", "columnDefinitions": item, "rows": [{"object": {}, "cells": metadata}]},
    )
    received(path, item)
