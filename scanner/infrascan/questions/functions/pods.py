"""Pods that fail, logs, one deployment, and what Helm's labels tell."""

from __future__ import annotations

from typing import Any

from infrascan.lookups.connections import Connections
from infrascan.lookups.logs import LogError, pod_log
from infrascan.model import InputError, Resource
from infrascan.questions.answer import Item, counted, listed, name
from infrascan.questions.functions.health import Trouble, trouble
from infrascan.questions.functions.memory import subject
from infrascan.questions.seeing import (
    Context,
    Result,
    namespace_of,
    only_own_gaps,
    several,
    subjects,
    unnamed,
)
from infrascan.questions.untrusted import quoted_lines

WORKLOADS = ("k8s.deployment", "k8s.stateful_set", "k8s.daemon_set")


async def failing_pods(context: Context) -> Result:
    """Pods of which a container waits in an error, ended in one, or that cannot be placed."""
    pods = context.of("k8s.pod")
    found = [one for pod in pods if (one := trouble(context, pod))]
    found.sort(key=lambda one: (-one.restarts, one.pod.key))
    rows = [
        context.row(
            one.pod,
            reason=one.reason,
            container=one.container,
            restarts=one.restarts,
            since=one.since,
        )
        for one in found
    ]
    evidence = [item for one in found for item in one.evidence]
    evidence += [
        context.computed("count(pods)", len(pods)),
        context.computed("count(failing)", len(found)),
        context.computed("count(not named)", max(0, len(found) - 8)),
    ]
    parts = [said(one) for one in found]
    sentence = f"None of {counted(len(pods), 'pod')}{context.where} fails."
    if found:
        verb = "fails" if len(found) == 1 else "fail"
        sentence = (
            f"{len(found)} of {counted(len(pods), 'pod')}{context.where} {verb}: {listed(parts)}."
        )
    return Result(
        sentence=sentence,
        rows=rows,
        more={"pods": len(pods)},
        evidence=evidence,
        ok=not found if pods or not context.gaps else None,
        subject=subject(found[0].pod) if len(found) == 1 else {},
        state={one.pod.key: {"reason": one.reason} for one in found},
    )


def said(one: Trouble) -> str:
    return f"{name(one.pod.name)} in {name(namespace_of(one.pod))} ({name(one.reason)})"


async def deployment(context: Context) -> Result:
    """Replicas, images and rollout of a workload, with what its ReplicaSets were before."""
    found = subjects(context, WORKLOADS)
    exact = [r for r in found if r.name in context.names()]
    found = exact or found
    if not found:
        return unnamed(context, "deployment")
    if len(found) > 1 and len({r.name for r in found}) > 1:
        return several(context, "deployment", found)
    rows, evidence, sentences = [], [], []
    only_own_gaps(context, *found)
    for one in found:
        facts = context.cite(
            one,
            *("name", "spec.replicas", "status.readyReplicas", "status.updatedReplicas"),
            "spec.template.spec.containers[].image",
        )
        spec, status = one.data.get("spec") or {}, one.data.get("status") or {}
        wanted, ready = spec.get("replicas"), int(status.get("readyReplicas") or 0)
        facts.append(context.computed(f"ready replicas of {one.id}", ready, facts))
        if wanted is None:
            wanted = status.get("desiredNumberScheduled")
            facts += context.cite(one, "status.desiredNumberScheduled")
            ready = int(status.get("numberReady") or 0)
            facts += context.cite(one, "status.numberReady")
        images = [str(item.value) for item in facts if item.path.endswith(".image")]
        before, older = previous_images(context, one, images)
        evidence += [*facts, *older]
        rows.append(context.row(one, replicas=wanted, ready=ready, images=images, before=before))
        said = f"{name(one.name)} in {name(namespace_of(one))} of {name(one.account)} runs {ready} of {wanted} replicas of {listed([name(image) for image in images])}"
        if before:
            said += f"; before that {listed([name(image) for image in before])}"
        sentences.append(said + ".")
    return Result(
        sentence=" ".join(sentences),
        rows=rows,
        evidence=evidence,
        ok=all(row["ready"] == row["replicas"] for row in rows),
        subject=subject(found[0]) if len(found) == 1 else {},
    )


def previous_images(
    context: Context, workload: Resource, images: list[str]
) -> tuple[list[str], list[Item]]:
    """The images of the newest ReplicaSet that had others than now."""
    sets = sorted(
        workload.links.get("replica_sets", []),
        key=lambda one: str(one.data.get("metadata", {}).get("creationTimestamp", "")),
        reverse=True,
    )
    for one in sets:
        facts = context.cite(one, "spec.template.spec.containers[].image")
        had = [str(item.value) for item in facts]
        if had and had != images:
            return had, [*facts, *context.cite(one, "metadata.creationTimestamp")]
    return [], []


async def helm_releases(context: Context) -> Result:
    """Releases by the labels that charts set. Helm keeps them in secrets, which are not read."""
    releases: dict[tuple[str, str, str], dict[str, Any]] = {}
    evidence: list[Item] = []
    for one in context.of(*WORKLOADS):
        metadata = one.data.get("metadata") or {}
        labels, notes = metadata.get("labels") or {}, metadata.get("annotations") or {}
        chart = str(labels.get("helm.sh/chart") or labels.get("chart") or "")
        helm = (
            labels.get("app.kubernetes.io/managed-by") == "Helm" or labels.get("heritage") == "Helm"
        )
        release = str(
            notes.get("meta.helm.sh/release-name") or labels.get("app.kubernetes.io/instance") or ""
        )
        if not (chart or helm):
            continue
        evidence += context.cite(
            one,
            'metadata.labels["helm.sh/chart"]',
            'metadata.labels["app.kubernetes.io/instance"]',
            'metadata.annotations["meta.helm.sh/release-name"]',
        )
        key = (one.account, namespace_of(one), release or one.name)
        releases.setdefault(key, context.row(one, release=key[2], chart=chart))
    rows = list(releases.values())
    parts = [
        f"{name(r['release'])} in {name(r['namespace'])} ({name(r['chart'] or 'chart unknown')})"
        for r in rows
    ]
    evidence += [
        context.computed("count(releases)", len(rows), evidence[:50]),
        context.computed("count(not named)", max(0, len(rows) - 8)),
    ]
    labels_only = "Labels alone tell: the secrets in which Helm keeps its releases are not read."
    if not rows:
        return Result(
            sentence=f"Unknown: no workload{context.where} has Helm's labels. {labels_only}",
            evidence=evidence,
            status="unknown",
            needs=[context.question.needs],
        )
    return Result(
        sentence=f"{counted(len(rows), 'Helm release')}{context.where}: {listed(parts)}. {labels_only}",
        rows=rows,
        evidence=evidence,
    )


async def pod_logs(context: Context) -> Result:
    """The end of the log of the pod that is meant, quoted: what it says is data."""
    pods = subjects(context, ("k8s.pod",))
    if not pods:
        return unnamed(context, "pod")
    owners = {owner(pod) for pod in pods}
    ready = sorted(pods, key=lambda pod: (trouble(context, pod) is None, pod.key))
    if len(pods) > 1 and (len(owners) > 1 or owners == {""}):
        return several(context, "pod", pods)
    pod = ready[0]  # of several replicas the one that is in trouble, else the first
    lines = int(context.number("lines", 100))
    facts = context.cite(pod, "name", "status.phase")
    statuses = (pod.data.get("status") or {}).get("containerStatuses") or []
    crashed = any((one.get("state") or {}).get("waiting") for one in statuses)
    connections = context.connections or Connections(request=context.request)
    try:
        log = await pod_log(
            connections,
            pod.name,
            namespace=namespace_of(pod),
            lines=lines,
            container=container(pod),
            previous=crashed and any(one.get("restartCount") for one in statuses),
            contexts=(pod.account,),
        )
    except (LogError, InputError) as error:
        return Result(
            sentence=f"The log of {name(pod.name)} in {name(namespace_of(pod))} could not be read.",
            rows=[context.row(pod)],
            evidence=facts,
            status="unknown",
            needs=[str(error), context.question.needs],
            subject=subject(pod),
        )
    finally:
        if connections is not context.connections:
            connections.close()
    text = quoted_lines(log.text)
    facts += [
        Item(resource=pod.key, path="log", value=text, observed_at=log.observed),
        Item(resource=pod.key, path="count(log lines)", value=log.lines, observed_at=log.observed),
    ]
    others = f" (1 of {counted(len(pods), 'replica')})" if len(pods) > 1 else ""
    facts.append(context.computed("count(replicas)", len(pods)))
    facts.append(context.computed("the replica shown", 1))
    count = counted(log.lines, "line")
    return Result(
        sentence=f"The last {count} of the log of {name(pod.name)} in {name(namespace_of(pod))}{others}.",
        rows=[context.row(pod, container=log.container, lines=log.lines, truncated=log.truncated)],
        more={"log": text, "untrusted": ["log"]},
        evidence=facts,
        subject=subject(pod),
    )


def owner(pod: Resource) -> str:
    """What made the pod: replicas of one thing have the same."""
    made_by = (pod.data.get("metadata") or {}).get("ownerReferences") or []
    first = made_by[0] if made_by else {}
    return f"{pod.account}/{namespace_of(pod)}/{first['name']}" if first.get("name") else ""


def container(pod: Resource) -> str:
    """The container whose log is meant where a pod has several: the first that is in trouble, else
    the first."""
    status = pod.data.get("status") or {}
    for one in status.get("containerStatuses") or ():
        if (one.get("state") or {}).get("waiting") or (one.get("state") or {}).get("terminated"):
            return str(one.get("name", ""))
    found = (pod.data.get("spec") or {}).get("containers") or []
    return str(found[0].get("name", "")) if len(found) > 1 else ""
