"""Label selectors select what Kubernetes would."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infrascan.graph import link
from infrascan.graph.labels import Labels, meets, requirements
from infrascan.model import Gap, Kind, Reason, Relation, Resource

SELECTS = Relation(
    name="pods", path="spec.selector", to="k8s.pod", by="metadata.labels", reverse="services",
    within="namespace", selector=True,
)  # fmt: skip
KINDS = {
    "k8s.service": Kind(name="k8s.service", title="Service", provider="k8s", relations=(SELECTS,)),
    "k8s.pod": Kind(name="k8s.pod", title="Pod", provider="k8s"),
}


def pod(name: str, labels: Any = None, namespace: str = "shop") -> Resource:
    metadata = {"namespace": namespace, **({"labels": labels} if labels is not None else {})}
    return Resource(
        kind="k8s.pod", id=f"{namespace}/{name}", name=name, provider="k8s", account="prod",
        data={"metadata": metadata},
    )  # fmt: skip


def service(selector: Any) -> Resource:
    return Resource(
        kind="k8s.service", id="shop/web", name="web", provider="k8s", account="prod",
        data={"metadata": {"namespace": "shop"}, "spec": {"selector": selector}},
    )  # fmt: skip


PODS = (
    ("web-1", {"app": "web", "tier": "front"}),
    ("web-2", {"app": "web"}),
    ("db", {"app": "db", "tier": "back"}),
    ("bare", None),
)


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ({"app": "web"}, ["web-1", "web-2"]),
        ({"app": "web", "tier": "front"}, ["web-1"]),
        ({"app": "none"}, []),
        ({"matchLabels": {"app": "db"}}, ["db"]),
        ({}, ["bare", "db", "web-1", "web-2"]),
        (None, []),
        ("app=web", []),
        ({"matchExpressions": [{"key": "tier", "operator": "Exists"}]}, ["db", "web-1"]),
        ({"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}, ["bare", "web-2"]),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["db", "web", "db"]}]}, ["db", "web-1", "web-2"]),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}, ["bare", "db"]),
        ({"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "tier", "operator": "Exists"}]}, ["web-1"]),
        ({"matchExpressions": [{"key": "app", "operator": "Near", "values": ["web"]}]}, []),
        ({"matchLabels": "web"}, []),
    ],
)  # fmt: skip
def test_a_selector_selects_what_kubernetes_would(selector: Any, expected: list[str]) -> None:
    pods = [pod(name, labels) for name, labels in PODS]
    one = service(selector)
    link([one, *pods, pod("far", {"app": "web"}, namespace="other")], KINDS, [])
    assert [target.name for target in one.links.get("pods", [])] == expected


def test_pods_that_were_not_read_leave_a_selector_unread_even_where_it_selects_some() -> None:
    one, selected = service({"app": "web"}), pod("web-1", {"app": "web"})
    denied = Gap(provider="k8s", account="prod", kind="k8s.pod", reason=Reason.TRUNCATED, detail="")
    link([one, selected], KINDS, [denied])
    assert one.links["pods"] == [selected]
    assert one.unread == {"pods": denied}


def test_services_that_were_not_read_leave_a_pod_unsure_of_its_services() -> None:
    one = pod("web-1", {"app": "web"})
    denied = Gap(
        provider="k8s", account="prod", kind="k8s.service", reason=Reason.DENIED, detail=""
    )
    link([one], KINDS, [denied])
    assert one.unread == {"services": denied}


KEYS, WORDS = st.sampled_from("abc"), st.sampled_from("xyz")
EXPRESSIONS = st.builds(
    lambda key, operator, values: {"key": key, "operator": operator, "values": values},
    KEYS,
    st.sampled_from(["In", "NotIn", "Exists", "DoesNotExist"]),
    st.lists(WORDS, max_size=2),
)
SELECTORS = st.one_of(
    st.dictionaries(KEYS, WORDS, max_size=2),
    st.builds(
        lambda labels, expressions: {"matchLabels": labels, "matchExpressions": expressions},
        st.dictionaries(KEYS, WORDS, max_size=2),
        st.lists(EXPRESSIONS, max_size=3),
    ),
)


@given(st.lists(st.dictionaries(KEYS, WORDS, max_size=3), max_size=8), SELECTORS)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_the_index_finds_what_a_look_at_every_pod_finds(labels: list[Any], selector: Any) -> None:
    pods = [pod(str(n), own) for n, own in enumerate(labels)]
    index = Labels()
    for one in pods:
        index.add(one, "metadata.labels")
    wanted = requirements(selector) or []
    expected = [
        p for p, own in zip(pods, labels, strict=True) if all(meets(own, *w) for w in wanted)
    ]
    assert index.selected(selector) == expected
