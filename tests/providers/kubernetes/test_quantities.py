"""Quantities are numbers, whatever their suffix; sums follow the scheduler's arithmetic."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infrascan.providers.kubernetes.quantities import (
    SUFFIXES,
    amounts,
    limited,
    quantity,
    requested,
    shares,
)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("100m", 0.1),
        ("2", 2.0),
        (2, 2.0),
        (0.5, 0.5),
        ("1Gi", 2.0**30),
        ("1G", 1e9),
        ("128974848", 128974848.0),
        ("129e6", 129e6),
        ("129M", 129e6),
        ("123456789n", 0.123456789),
        ("250u", 0.00025),
        ("1E", 1e18),
        ("1e3", 1e3),
        ("-1.5", -1.5),
        (".5", 0.5),
        ("+2k", 2000.0),
    ],
)
def test_a_quantity_is_its_number(text, number):
    assert quantity(text) == pytest.approx(number)


@pytest.mark.parametrize(
    "text", ["", "m", "Gi", "nan", "inf", "1 Gi", "1gi", "ten", None, True, [], {}, "1.2.3", "--1"]
)
def test_what_is_no_quantity_has_no_number(text):
    assert quantity(text) is None


@given(
    st.decimals(0, 10**6, places=3, allow_nan=False),
    st.sampled_from(["", *SUFFIXES]),
)
def test_suffixes_scale(number: Decimal, suffix: str):
    assert quantity(f"{number}{suffix}") == pytest.approx(float(number) * SUFFIXES.get(suffix, 1.0))


def container(cpu: str, **more) -> dict:
    return {"resources": {"requests": {"cpu": cpu}}, **more}


def test_init_containers_count_by_the_largest_and_sidecars_always():
    spec = {
        "containers": [container("100m"), container("200m")],
        "initContainers": [
            container("250m"),
            container("50m", restartPolicy="Always"),
            container("400m"),
        ],
        "overhead": {"cpu": "10m"},
    }
    # at the start the sidecar and the last init container run together: 450m, more than 350m
    assert requested(spec)["cpu"] == pytest.approx(0.46)


def test_a_limit_stands_for_a_request_that_is_not_given():
    spec = {"containers": [{"resources": {"limits": {"memory": "1Gi"}}}]}
    assert requested(spec) == {"cpu": 0.0, "memory": 2.0**30}


def test_requests_of_the_pod_as_a_whole_take_precedence():
    spec = {"containers": [container("100m")], "resources": {"requests": {"cpu": "2"}}}
    assert requested(spec)["cpu"] == 2.0


def test_a_limit_holds_for_the_pod_only_when_every_container_has_one():
    one = {"resources": {"limits": {"cpu": "1", "memory": "1Gi"}}}
    assert limited({"containers": [one, {"resources": {"limits": {"cpu": "1"}}}]}) == {"cpu": 2.0}
    assert limited({"containers": [one, {}]}) == {}


def test_shares_leave_out_what_has_no_whole():
    assert shares({"cpu": 1.0, "memory": 5.0}, {"cpu": 4.0, "memory": 0.0}) == {"cpu": 0.25}


@given(st.dictionaries(st.text(), st.one_of(st.none(), st.text(), st.integers(), st.booleans())))
def test_amounts_take_anything(resources):
    assert set(amounts(resources)) <= {"cpu", "memory"}
