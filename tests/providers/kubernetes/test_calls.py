"""Hosts are taken from variables, and nothing else of their values."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infrascan.providers.kubernetes.arrival import received
from infrascan.providers.kubernetes.calls import called, host


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("REDIS_URL", "redis://:hunter2@cart.internal:6379/0", ("cart.internal", 6379)),
        ("DB", "postgres://u:p@orders.c9.rds.amazonaws.com/shop?sslmode=on", ("orders.c9.rds.amazonaws.com", None)),
        ("CACHE", "session-cache:6379", ("session-cache", 6379)),
        ("DB_HOST", "Orders.C9.RDS.amazonaws.com", ("orders.c9.rds.amazonaws.com", None)),
        ("API", "https://api.psp.example/v1/charge?key=hunter2", ("api.psp.example", None)),
        ("BROKERS_ADDR", "kafka-0.kafka.data.svc:9092", ("kafka-0.kafka.data.svc", 9092)),
    ],
)  # fmt: skip
def test_a_host_is_found_where_a_value_says_one(name: str, value: str, expected: Any):
    found = host({"name": name, "value": value})
    assert found is not None
    assert (found["host"], found["port"]) == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASSWORD", "hunter2.hunter2"),
        ("DB_PASSWORD", "hunter2:5432"),
        ("MODE", "production"),
        ("TAG", "v1.4.2"),
        ("LIMIT", "10:20"),
        ("NOTE", "see https://wiki.example/x"),
        ("HOST", ""),
        ("HOST", "two words"),
        ("HOST", "1234"),
        ("TOKEN_URL", "not a url"),
        ("API_TOKEN", "ghp_" + "A" * 36),
    ],
)
def test_what_says_no_host_gives_none(name: str, value: str):
    assert host({"name": name, "value": value}) is None


secrets = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=12, max_size=40)


@given(secret=secrets, shape=st.sampled_from(
    ["redis://:{}@cart:6379/0", "https://api.example/x?token={}", "https://user:{}@api.example",
     "postgres://db.example/{}", "https://api.example/#{}"]))  # fmt: skip
def test_nothing_of_a_secret_in_a_url_is_kept(secret: str, shape: str):
    found = host({"name": "URL", "value": shape.format(secret)})
    assert found is not None
    assert secret.lower() not in json.dumps(found).lower()


def test_of_a_pod_only_hosts_are_left():
    env = [
        {"name": "CACHE_URL", "value": "redis://:canary-secret-1@cart.shop.svc:6379"},
        {"name": "FLAG", "value": "canary-value-2"},
        {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
        "text",
    ]
    item = {"metadata": {"name": "a", "namespace": "shop"},
            "spec": {"containers": [{"name": "app", "env": env}, {"name": "bare"}]}}  # fmt: skip
    answer = received("/api/v1/pods", {"kind": "PodList", "items": [item]})
    found = answer["items"][0]
    assert found["calls"] == [
        {"container": "app", "variable": "CACHE_URL", "host": "cart.shop.svc", "port": 6379}
    ]
    assert "canary" not in json.dumps(found)


@pytest.mark.parametrize("env", [None, "x", 7, {"A": "b"}, [None, 3, {"value": 5}]])
def test_variables_of_any_form_are_no_fault(env: Any):
    assert called(iter([{"name": "a", "env": env}])) == []
