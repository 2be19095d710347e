"""What watches an estate tells: alerts that fire, and incidents that are open.

Labels say what an alert is about; names and summaries are text that anyone may have written, shown
quoted, and only the words of a symptom are looked for in them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from infrascan.model import Evidence, Resource
from infrascan.reason.change import Change, Step, What, at, cite, cited, moment, quoted

# kind -> where its state is, which states count, and since when it is so.
STATES: Mapping[str, tuple[tuple[str, ...], frozenset[str], str]] = {
    "prometheus.alert": (("state",), frozenset({"firing"}), "activeAt"),
    "alertmanager.alert": (("status", "state"), frozenset({"active"}), "startsAt"),
    "pagerduty.incident": (("status",), frozenset({"triggered", "acknowledged"}), "created_at"),
}
# Label -> kinds of what it names, the narrowest label first.
LABELS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("pod", ("k8s.pod",)),
    ("deployment", ("k8s.deployment",)),
    ("statefulset", ("k8s.stateful_set",)),
    ("node", ("k8s.node",)),
    ("service", ("k8s.deployment", "k8s.stateful_set", "k8s.service", "aws.ecs.service")),
    ("app", ("k8s.deployment", "k8s.stateful_set", "k8s.service")),
)
PLACES: Mapping[str, str] = {"namespace": "Namespace", "cluster": "ClusterName"}


def fires(resource: Resource) -> bool:
    """Whether it says that something is wrong now, and since when."""
    if resource.kind not in STATES:
        return False
    steps, states, when = STATES[resource.kind]
    return at(resource.data, steps) in states and moment(resource.data.get(when)) is not None


def since(resource: Resource) -> str:
    return str(resource.data[STATES[resource.kind][2]])


def names(resource: Resource) -> Iterator[tuple[str, tuple[str, ...], Evidence]]:
    """What it names: a name, the kinds that may have it, and the field that says so."""
    steps: tuple[Step, ...]
    if resource.kind == "pagerduty.incident":
        steps = ("service", "summary")
        if (fact := cite(resource, *steps)) and isinstance(fact.value, str):
            yield fact.value, dict(LABELS)["service"], fact
        return
    for label, kinds in LABELS:
        if (fact := cite(resource, "labels", label)) and isinstance(fact.value, str):
            yield fact.value, kinds, fact


def place(resource: Resource) -> dict[str, str]:
    """The namespace and the cluster that its labels name."""
    found = ((ours, at(resource.data, ("labels", label))) for label, ours in PLACES.items())
    return {ours: value for ours, value in found if isinstance(value, str)}


def words(resource: Resource) -> str:
    """The text that may say which sort of symptom it is."""
    summary = at(resource.data, ("annotations", "summary")) or ""
    return f"{resource.name} {summary}"


def says(resource: Resource) -> str:
    if resource.kind == "pagerduty.incident":
        return f"incident {quoted(resource.name, 120)} is open"
    summary = at(resource.data, ("annotations", "summary"))
    return f"alert {quoted(resource.name, 80)} is firing{f': {quoted(summary)}' if summary else ''}"


def evidence(resource: Resource) -> tuple[Evidence, ...]:
    steps, _, when = STATES[resource.kind]
    return cited(
        resource, steps, (when,), ("labels", "alertname"), ("labels", "severity"), ("value",),
        ("annotations", "summary"), ("title",), ("urgency",), ("service", "summary"),
    )  # fmt: skip


def changes(by_kind: Mapping[str, Sequence[Resource]]) -> Iterator[Change]:
    """Each alert and incident, from when it began."""
    for kind in STATES:
        for resource in by_kind.get(kind, ()):
            if fires(resource):
                yield Change(
                    time=since(resource),
                    kind=What.ALARM,
                    resource=resource.key,
                    name=resource.name,
                    what=says(resource),
                    after="firing",
                    source=kind,
                    evidence=evidence(resource),
                    facets=frozenset({"alarm"}),
                )
