"""Scenes of an incident, as data files, made into scans through the product's own tables.

    python -m tests.reason.scenes

prints what `explain` says of each scene in `scenarios/`. A scene tells the truth (`truth`: the key
of what was changed, or nothing where the cause lies outside) and is filled up with noise: rollouts,
edits and writes of others, as near in time as the true change.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from infrascan.graph import link
from infrascan.model import Coverage, Gap, Kind, Partition, Reason, Resource, Scan, State
from infrascan.pipeline import all_kinds
from infrascan.providers.kubernetes import arrival
from infrascan.providers.kubernetes.objects import resource as kubernetes_resource
from infrascan.providers.kubernetes.tables import TABLES
from infrascan.reason.causes import KINDS, explain
from infrascan.reason.explanation import Explanation

FOLDER = Path(__file__).with_name("scenarios")
DAY = datetime(2026, 11, 20, tzinfo=UTC)
BY_OBJECT = {table.object: table for table in TABLES}
CLUSTER, ACCOUNT, REGION = "prod", "111122223333", "eu-west-1"
APPS = "apps/v1"


def at(clock: str) -> str:
    """`14:32` or `14:32:10` of the day, `-1 09:00` of the day before, as APIs write times."""
    days, _, text = clock.rpartition(" ")
    parts = [int(part) for part in text.split(":")]
    when = DAY + timedelta(days=int(days or 0), hours=parts[0], minutes=parts[1])
    when += timedelta(seconds=parts[2] if len(parts) > 2 else 0)
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


@cache
def kinds() -> dict[str, Kind]:
    return all_kinds()


@dataclass
class Scene:
    """What is in a scan that is being made."""

    now: str
    resources: list[Resource] = field(default_factory=list)
    events: int = 0

    def k8s(self, api: str, kind: str, name: str, namespace: str = "", **body: Any) -> None:
        cluster = body.pop("cluster", CLUSTER)
        metadata: dict[str, Any] = {"name": name, **body.pop("metadata", {})}
        if namespace:
            metadata["namespace"] = namespace
        metadata.setdefault("creationTimestamp", at("-30 09:00"))
        item = {"apiVersion": api, "kind": kind, "metadata": metadata, **body}
        table = BY_OBJECT[kind]
        arrival.reduce(table.kind, item)
        self.resources.append(kubernetes_resource(table, item, cluster, None))

    def thing(self, kind: str, id: str, data: Mapping[str, Any], **more: Any) -> None:
        """A resource of another provider, as its tables give it."""
        provider = kind.partition(".")[0]
        here = PLACES[provider]
        self.resources.append(
            Resource(
                kind=kind, id=id, name=more.get("name") or id.rpartition("/")[2],
                provider=provider, account=more.get("account", here[0]),
                region=more.get("region", here[1]), data=timed(data),
            )
        )  # fmt: skip

    def written(self, when: str, by: str) -> dict[str, Any]:
        return {"managedFields": [{"manager": by, "operation": "Update", "time": at(when)}]}

    def event(
        self, kind: str, name: str, namespace: str, reason: str, message: str, when: str,
        count: int = 1, cluster: str = CLUSTER,
    ) -> None:  # fmt: skip
        self.events += 1
        self.k8s(
            "v1", "Event", f"{name}.{self.events:x}", namespace or "default", cluster=cluster,
            reason=reason, message=message, count=count, type="Warning",
            firstTimestamp=at(when), lastTimestamp=at(when),
            involvedObject={"kind": kind, "name": name, "namespace": namespace},
            source={"component": "kubelet"},
        )  # fmt: skip

    def app(
        self, name: str, namespace: str = "shop", *, revisions: list[dict[str, Any]],
        pods: list[dict[str, Any]] | None = None, env: Mapping[str, str] | None = None,
        config: list[str] | None = None, secrets: list[str] | None = None, kind: str = "Deployment",
        cluster: str = CLUSTER, service: bool = True, unavailable: str = "",
        written: Mapping[str, str] | None = None, account: str = "", **spec: Any,
    ) -> None:  # fmt: skip
        """A workload with its revisions, oldest first, its pods and its service."""
        labels = {"app": name}
        templates = [
            self.template(name, revision, env or {}, config or [], secrets or [], account, spec)
            for revision in revisions
        ]
        last = revisions[-1]
        conditions = []
        if unavailable:
            conditions.append(
                {"type": "Available", "status": "False", "reason": "MinimumReplicasUnavailable",
                 "lastTransitionTime": at(unavailable)}
            )  # fmt: skip
        metadata: dict[str, Any] = {"labels": labels}
        if last.get("by") or written:
            wrote = written or {"at": last["at"], "by": last["by"]}
            metadata |= self.written(wrote["at"], wrote["by"])
        count = len(pods or [])
        body = {"selector": {"matchLabels": labels}, "replicas": count}
        self.k8s(
            APPS, kind, name, namespace, cluster=cluster, metadata=metadata,
            spec={**body, "template": {"metadata": {"labels": labels}, "spec": templates[-1]}},
            status={"conditions": conditions, "readyReplicas": 0 if unavailable else count},
        )  # fmt: skip
        if kind == "Deployment":
            for number, (revision, template) in enumerate(
                zip(revisions, templates, strict=True), 1
            ):
                self.k8s(
                    APPS, "ReplicaSet", f"{name}-{number}", namespace, cluster=cluster,
                    metadata={
                        "labels": labels,
                        "creationTimestamp": at(revision["at"]),
                        "annotations": {"deployment.kubernetes.io/revision": str(number)},
                        "ownerReferences": [{"kind": "Deployment", "name": name, "controller": True}],
                    },
                    spec={**body, "replicas": count if revision is last else 0,
                          "template": {"metadata": {"labels": labels}, "spec": template}},
                )  # fmt: skip
        for place, pod in enumerate(pods or []):
            number = pod.get("revision", len(revisions))
            owner = f"{name}-{number}" if kind == "Deployment" else name
            self.pod(
                f"{owner}-{place}", namespace, templates[number - 1], labels, pod, cluster,
                {"kind": "ReplicaSet" if kind == "Deployment" else kind, "name": owner,
                 "controller": True},
                pod.get("made") or revisions[number - 1]["at"],
            )  # fmt: skip
        if service:
            self.k8s(
                "v1", "Service", name, namespace, cluster=cluster,
                spec={"selector": labels, "ports": [{"port": 80}]}, metadata={"labels": labels},
            )  # fmt: skip

    def template(
        self, name: str, revision: Mapping[str, Any], env: Mapping[str, str], config: list[str],
        secrets: list[str], account: str, spec: Mapping[str, Any],
    ) -> dict[str, Any]:  # fmt: skip
        container: dict[str, Any] = {
            "name": name,
            "image": revision.get("image", f"registry.example/{name}:1"),
            "resources": {"limits": {"memory": revision.get("memory", "512Mi")}},
            "env": [{"name": k, "value": v} for k, v in {**env, **revision.get("env", {})}.items()],
            "envFrom": [{"configMapRef": {"name": c}} for c in config]
            + [{"secretRef": {"name": s}} for s in secrets],
        }
        for field_ in ("command", "args", "readinessProbe", "livenessProbe"):
            if field_ in revision:
                container[field_] = revision[field_]
        if "cpu" in revision:
            container["resources"]["limits"]["cpu"] = revision["cpu"]
        found = {"containers": [container], **spec}
        if account:
            found["serviceAccountName"] = account
        return found

    def pod(
        self, name: str, namespace: str, template: Mapping[str, Any], labels: Mapping[str, str],
        pod: Mapping[str, Any], cluster: str, owner: Mapping[str, Any], made: str,
    ) -> None:  # fmt: skip
        status: dict[str, Any] = {
            "name": template["containers"][0]["name"], "ready": "wrong" not in pod,
            "restartCount": pod.get("restarts", 0), "state": {"running": {}},
        }  # fmt: skip
        since = pod.get("since", "")
        wrong = pod.get("wrong", "")
        if wrong in {"CrashLoopBackOff", "ImagePullBackOff", "CreateContainerConfigError"}:
            status["state"] = {"waiting": {"reason": wrong, "message": pod.get("message", "")}}
        if "ended" in pod:
            status["lastState"] = {
                "terminated": {**pod["ended"], "finishedAt": at(pod["ended"]["finishedAt"])}
            }
        ready = {"type": "Ready", "status": "False" if wrong else "True",
                 "lastTransitionTime": at(since or made)}  # fmt: skip
        conditions = [ready]
        if wrong == "Unschedulable":
            conditions.append(
                {"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                 "message": pod.get("message", ""), "lastTransitionTime": at(since)}
            )  # fmt: skip
        self.k8s(
            "v1", "Pod", name, namespace, cluster=cluster,
            metadata={
                "labels": dict(labels), "creationTimestamp": at(made), "ownerReferences": [dict(owner)],
            },
            spec={**template, "nodeName": pod.get("node", "node-1")},
            status={
                "phase": "Running", "conditions": conditions, "containerStatuses": [status],
                **({"reason": "Evicted", "message": pod.get("message", "")}
                   if wrong == "Evicted" else {}),
            },
        )  # fmt: skip


def timed(data: Mapping[str, Any]) -> dict[str, Any]:
    """The data with `!14:32` as a full time."""
    return {
        name: timed(value)
        if isinstance(value, dict)
        else at(value[1:])
        if isinstance(value, str) and value.startswith("!")
        else value
        for name, value in data.items()
    }


def noise(scene: Scene, how_much: int, before: str, seed: int) -> None:
    """What others do meanwhile: nothing of it is needed by what fails."""
    dice = random.Random(seed)
    hour, minute = (int(part) for part in before.split(":")[:2])

    def some_time() -> str:
        minutes = hour * 60 + minute - dice.randint(0, 50)
        return f"{minutes // 60:02}:{minutes % 60:02}:{dice.randint(0, 59):02}"

    for number in range(how_much):
        name, namespace = f"other-{number}", dice.choice(["shop", "data", "platform"])
        when = some_time()
        match number % 6:
            case 0:
                scene.app(
                    name, namespace, pods=[{"node": "node-9"}],
                    revisions=[{"at": "-9 10:00", "image": f"r/{name}:1"},
                               {"at": when, "image": f"r/{name}:2", "by": "helm"}],
                )  # fmt: skip
            case 1:
                scene.k8s("v1", "ConfigMap", name, namespace, data={"a": "b"},
                          metadata=scene.written(when, "kubectl-edit"))  # fmt: skip
            case 2:
                scene.app(
                    name, namespace, revisions=[{"at": "-9 10:00"}],
                    pods=[{"wrong": "CrashLoopBackOff", "since": when, "restarts": 4, "node": "node-9",
                           "ended": {"exitCode": 1, "reason": "Error", "finishedAt": when}}],
                )  # fmt: skip
                scene.event(
                    "Pod", f"{name}-1-0", namespace, "BackOff", "Back-off restarting", when, 9
                )
            case 3:
                scene.thing(
                    "aws.cloudtrail.event", f"noise-{number}",
                    {"EventTime": f"!{when}", "EventName": "ModifyDBInstance", "Username": "eve",
                     "EventSource": "rds.amazonaws.com", "targets": [name], "role": "",
                     "error_code": "", "invoked_by": ""},
                )  # fmt: skip
            case 4:
                scene.thing(
                    "github.deployment", f"acme/{name}/{number}",
                    {"created_at": f"!{when}", "sha": f"{number:040x}", "environment": "production",
                     "repository": f"acme/{name}", "ref": "main", "state": "success"},
                )  # fmt: skip
            case _:
                scene.k8s("v1", "Node", f"spot-{number}",
                          metadata={"creationTimestamp": at(when)})  # fmt: skip


def shared(scene: Scene) -> None:
    """What all in a namespace share, and through which nothing depends on its neighbours."""
    services = [r.id.split("/") for r in scene.resources if r.kind == "k8s.service"]
    for namespace in sorted({place for place, _ in services}):
        scene.k8s("networking.k8s.io/v1", "NetworkPolicy", "default", namespace,
                  spec={"podSelector": {}})  # fmt: skip
        paths = [{"path": f"/{name}", "backend": {"service": {"name": name}}}
                 for place, name in services if place == namespace]  # fmt: skip
        scene.k8s("networking.k8s.io/v1", "Ingress", "all", namespace,
                  spec={"rules": [{"http": {"paths": paths}}]})  # fmt: skip


def made(document: Mapping[str, Any]) -> Scan:
    """The scan that a scene describes."""
    scene = Scene(at(document["now"]))
    for number in range(1, document.get("nodes", 2) + 1):
        wrong = (document.get("node_conditions") or {}).get(f"node-{number}")
        conditions = [{"type": "Ready", "status": "True", "lastTransitionTime": at("-30 09:00")}]
        if wrong:
            conditions = [{**wrong, "lastTransitionTime": at(wrong["lastTransitionTime"])}]
        scene.k8s("v1", "Node", f"node-{number}", status={"conditions": conditions},
                  spec={"providerID": f"aws:///{REGION}a/i-000000000000000{number:02}"})  # fmt: skip
    for entry in document["estate"]:
        ((what, body),) = entry.items()
        body = dict(body)
        if what == "app":
            scene.app(**body)
        elif what == "event":
            scene.event(**body)
        elif what == "k8s":
            if wrote := body.pop("written", None):
                body["metadata"] = {
                    **body.get("metadata", {}), **scene.written(wrote["at"], wrote["by"])
                }  # fmt: skip
            scene.k8s(**body)
        else:
            scene.thing(what, body.pop("id"), body.pop("data"), **body)
    noise(scene, document.get("noise", 12), document["now"], len(document["title"]))
    shared(scene)
    resources = sorted(scene.resources, key=lambda r: r.key)
    gaps = [gap_of(entry) for entry in document.get("unread", ())]
    unread = {gap.kind for gap in gaps}
    coverage = [
        Coverage(
            partition=Partition(provider=kind.partition(".")[0], account=account, region=region, kind=kind),
            state=State.UNREAD if kind in unread else State.READ, resources=0, calls=1,
            failed=int(kind in unread),
        )
        for kind in KINDS
        for account, region in [PLACES[kind.partition(".")[0]]]
        if kind.partition(".")[0] in document.get("providers", ("k8s", "aws", "github"))
    ]  # fmt: skip
    resources = [r for r in resources if r.kind not in unread]
    edges = link(resources, kinds(), gaps, coverage)
    return Scan(
        id="scene", version="", started=scene.now, finished=scene.now, observed=scene.now, scope={},
        identities=[], resources=resources, edges=edges, findings=[], unknowns=[], gaps=gaps,
        coverage=coverage, rules=[],
    )  # fmt: skip


PLACES = {
    "k8s": (CLUSTER, ""), "aws": (ACCOUNT, REGION), "github": ("acme", ""),
    "gcp": ("acme-prod", ""), "azure": ("sub-1", ""), "cloudflare": ("acc-1", ""),
    "digitalocean": ("team-1", ""), "docker": ("builder", ""),
    "prometheus": ("prom:9090", ""), "alertmanager": ("alerts:9093", ""),
    "pagerduty": ("api.pagerduty.com", ""),
}  # fmt: skip


def gap_of(kind: str) -> Gap:
    provider = kind.partition(".")[0]
    account, region = PLACES[provider]
    return Gap(
        provider=provider, account=account, region=region, kind=kind, reason=Reason.DENIED,
        detail="may not be read", permission=f"list {kind}",
    )  # fmt: skip


def scenes() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted(FOLDER.glob("*.yaml")):
        yield path.stem, yaml.safe_load(path.read_text(encoding="utf-8"))


def explained(document: Mapping[str, Any]) -> Explanation:
    asked = document.get("at")
    return explain(made(document), document["ask"], at(asked) if asked else None)


def right(document: Mapping[str, Any], found: Explanation) -> bool:
    """Whether the true change is first, or, where there is none, none is named as the cause."""
    truth = document.get("truth")
    if not truth:
        return found.status in {"inconclusive", "diagnosed"}
    best = found.hypotheses[0] if found.hypotheses else None
    return best is not None and truth in {
        key for change in (best.change, *best.also) for key in change.keys
    }


def main() -> int:
    passed = total = 0
    for name, document in scenes():
        found = explained(document)
        good = right(document, found)
        passed, total = passed + good, total + 1
        best = found.hypotheses[0] if found.hypotheses else None
        said = f"{best.weight.total:.2f} {best.change.what}" if best else "no hypothesis"
        print(f"{'ok ' if good else 'NO '} {name:<34} {found.status:<13} {said[:90]}")
    print(f"{passed} of {total}")
    return 0 if passed == total else 1


if __name__ == "__main__":
    sys.exit(main())
