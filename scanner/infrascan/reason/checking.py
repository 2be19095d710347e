"""What would tell hypotheses apart, what the state already says for or against one, and the way back.

Checks only read. The way back is text for an approval: nothing here runs it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from infrascan.model import Evidence, Resource
from infrascan.reason.change import Change, What, at, cited, moment
from infrascan.reason.diagnosis import SAFE, read_only
from infrascan.reason.happened import clouds
from infrascan.reason.symptoms import Symptom
from infrascan.reason.upstream import Graph

FOR, AGAINST = 1.2, 0.35
REVISION = re.compile(r"revision (\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What to look at next, and what either outcome would mean."""

    says: str
    command: str = ""  # only reads; "" where there is none of one line


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollback:
    """What would take a change back. Text for an approval, never run from here."""

    vector: tuple[str, ...]
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """What the state of the parts says for or against a change."""

    factor: float
    says: str
    evidence: tuple[Evidence, ...] = ()


def check(graph: Graph, change: Change) -> Check:
    resource = graph.resources.get(change.resource)
    if resource is None:
        return Check(says="look at what else this change touched, and whether those fail too")
    name = resource.name
    if change.kind is What.ROLLOUT and resource.kind == "k8s.deployment":
        return Check(
            says=f"compare pods of the revision before with those of this one: if both fail, the"
            f" rollout of {name} is not the cause",
            command=read_only(resource, "rollout", "history", f"deployment/{name}"),
        )
    if resource.kind in {"k8s.config_map", "k8s.secret"}:
        return Check(
            says=f"compare pods started before {change.time[11:16]} with later ones: a setting read"
            " at start fails only in the later; one that is mounted, in all",
            command=read_only(
                resource, "get", resource.kind[4:].replace("_", ""), name, "--output=yaml"
            )
            if resource.kind == "k8s.config_map"
            else read_only(resource, "describe", "secret", name),
        )
    if resource.kind == "k8s.node":
        return Check(
            says=f"see whether pods of other workloads on {name} fail too: if not, the node is not"
            " the cause",
            command=read_only(
                resource,
                "get",
                "pods",
                "--all-namespaces",
                f"--field-selector=spec.nodeName={name}",
            ),
        )
    if change.source.startswith("github."):
        return Check(
            says="see whether this commit is what runs: if the image that runs is of an earlier one,"
            " this deployment did not arrive",
        )
    if change.source == "aws.cloudtrail.event" or change.source in clouds.BY_KIND:
        return Check(
            says="see whether others that use what was changed have the same symptom: if none has,"
            " this change is not the cause",
        )
    return Check(
        says=f"see whether what else depends on {name} fails too: if none does, it is not the cause",
    )


def rollback(graph: Graph, change: Change) -> Rollback | None:
    """The command that takes a change back, where one does and all names in it are plain."""
    resource = graph.resources.get(change.resource)
    if resource is None:
        return None
    if resource.kind == "k8s.deployment" and change.kind is What.ROLLOUT:
        match = REVISION.search(change.what)
        earlier = int(match[1]) - 1 if match else 0
        words = ["rollout", "undo", f"deployment/{resource.name}"]
        words += [f"--to-revision={earlier}"] if earlier > 0 and change.before else []
        target = f"revision {earlier}" if len(words) > 3 else "the revision before"
        return made(resource, words, f"takes {resource.name} back to {target}")
    if (
        resource.kind == "k8s.deployment"
        and change.kind is What.SCALING
        and change.before.isdigit()
    ):
        words = ["scale", f"deployment/{resource.name}", f"--replicas={change.before}"]
        return made(resource, words, f"sets {resource.name} back to {change.before} replicas")
    if resource.kind in {"k8s.stateful_set", "k8s.daemon_set"} and change.kind is What.ROLLOUT:
        plain = resource.kind[4:].replace("_", "")
        return made(
            resource,
            ["rollout", "undo", f"{plain}/{resource.name}"],
            f"takes {resource.name} back to the revision before",
        )
    if resource.kind == "k8s.node" and "cordon" in change.facets:
        return made(resource, ["uncordon", resource.name], f"lets {resource.name} take pods again")
    return None


def made(resource: Resource, words: Sequence[str], says: str) -> Rollback | None:
    namespace = resource.id.partition("/")[0] if "/" in resource.id else ""
    vector = ["kubectl", f"--context={resource.account}"]
    vector += [f"--namespace={namespace}"] if namespace else []
    vector += words
    if not all(SAFE.fullmatch(word.lstrip("-")) for word in vector):
        return None
    return Rollback(vector=tuple(vector), says=says)


def signals(
    graph: Graph, change: Change, keys: Iterable[str], found: Sequence[Symptom]
) -> list[Signal]:
    """What the pods that fail, and those that do not, say of a change."""
    pods = [r for key in keys if (r := graph.resources.get(key)) and r.kind == "k8s.pod"]
    failing = {symptom.resource for symptom in found}
    bad = [pod for pod in pods if pod.key in failing]
    good = [pod for pod in pods if pod.key not in failing and is_ready(pod)]
    if not bad:
        return []
    if change.kind is What.ROLLOUT and change.source == "k8s.replica_set":
        return of_rollout(change, bad, good)
    if change.kind is What.MACHINE and change.resource.startswith("k8s.node/"):
        return of_node(change, bad, good)
    return []


def of_rollout(change: Change, bad: Sequence[Resource], good: Sequence[Resource]) -> list[Signal]:
    own = set(change.touches)

    def belongs(pod: Resource) -> bool:
        return any(owner.key in own for owner in pod.links.get("replica_set", ()))

    others = [pod for pod in bad if not belongs(pod) and older(pod, change)]
    if others:
        names = others[0].name
        return [
            Signal(
                factor=AGAINST,
                says=f"against: pod {names}, of the revision before, fails too",
                evidence=facts(others[0]),
            )
        ]
    if any(belongs(pod) for pod in bad) and any(not belongs(pod) for pod in good):
        says = "for: pods of this revision fail, and those of the one before do not"
        return [Signal(factor=FOR, says=says, evidence=facts(bad[0]))]
    return []


def of_node(change: Change, bad: Sequence[Resource], good: Sequence[Resource]) -> list[Signal]:
    def on_it(pod: Resource) -> bool:
        return any(node.key == change.resource for node in pod.links.get("node", ()))

    away = [pod for pod in bad if not on_it(pod)]
    if away:
        says = f"against: pod {away[0].name} fails on another node"
        return [Signal(factor=AGAINST, says=says, evidence=cited(away[0], ("spec", "nodeName")))]
    if any(not on_it(pod) for pod in good):
        says = f"for: only pods on {change.name} fail"
        return [Signal(factor=FOR, says=says, evidence=cited(bad[0], ("spec", "nodeName")))]
    return []


def is_ready(pod: Resource) -> bool:
    conditions = at(pod.data, ("status", "conditions"))
    return any(
        isinstance(c, dict) and c.get("type") == "Ready" and c.get("status") == "True"
        for c in (conditions if isinstance(conditions, list) else ())
    )


def older(pod: Resource, change: Change) -> bool:
    made_at = moment(at(pod.data, ("metadata", "creationTimestamp")))
    when = moment(change.time)
    return bool(made_at and when and made_at < when)


def facts(pod: Resource) -> tuple[Evidence, ...]:
    return cited(pod, ("metadata", "creationTimestamp"), ("metadata", "ownerReferences", 0, "name"))
