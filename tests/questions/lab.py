"""A cluster on loopback, made of a few words, and questions asked of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

from infrascan.pipeline import Request
from infrascan.questions import Answer, Who, ask
from tests.servers.kubernetes import ADMIN, ApiServer, User

NOW = datetime.now(UTC).replace(microsecond=0)
MIB = 2**20
ONLY_K8S = Request(providers=("k8s",))


def ago(minutes: float) -> str:
    return (NOW - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def namespace(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def pod(
    name: str,
    space: str = "production",
    *,
    app: str = "",
    owner: str = "",
    limit: int | None = 512,
    image: str = "registry.example/app:1",
    ready: bool = True,
    waiting: str = "",
    restarts: int = 0,
    phase: str = "Running",
    exit_code: int = 1,
) -> dict[str, Any]:
    """A pod with one container. `limit` in MiB, None for none; `waiting` a reason it waits for."""
    state: dict[str, Any] = {"running": {"startedAt": ago(600)}}
    last: dict[str, Any] = {}
    if waiting:
        state = {"waiting": {"reason": waiting}}
        last = {"terminated": {"reason": "Error", "exitCode": exit_code, "finishedAt": ago(4)}}
    metadata: dict[str, Any] = {"name": name, "namespace": space, "labels": {"app": app or name}}
    if owner:
        metadata["ownerReferences"] = [
            {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": owner, "uid": f"uid-{owner}", "controller": True}
        ]  # fmt: skip
    resources: dict[str, Any] = {"requests": {"cpu": "100m", "memory": "64Mi"}}
    if limit is not None:
        resources["limits"] = {"memory": f"{limit}Mi"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {
            "nodeName": "node-1",
            "containers": [{"name": "main", "image": image, "resources": resources}],
        },
        "status": {
            "phase": phase,
            "startTime": ago(600),
            "conditions": [
                {
                    "type": "Ready",
                    "status": "True" if ready and not waiting else "False",
                    "reason": "" if ready and not waiting else "ContainersNotReady",
                    "lastTransitionTime": ago(5),
                }
            ],
            "containerStatuses": [
                {
                    "name": "main",
                    "image": image,
                    "imageID": "",
                    "ready": ready and not waiting,
                    "restartCount": restarts,
                    "state": state,
                    "lastState": last,
                }
            ],
        },
    }


def pod_usage(name: str, mib: float, space: str = "production") -> dict[str, Any]:
    return {
        "apiVersion": "metrics.k8s.io/v1beta1",
        "kind": "PodMetrics",
        "metadata": {"name": name, "namespace": space},
        "timestamp": ago(0),
        "window": "15s",
        "containers": [{"name": "main", "usage": {"cpu": "50m", "memory": f"{int(mib * 1024)}Ki"}}],
    }


def node(name: str, *, gib: int = 16, used: float | None = None, type: str = "m5.xlarge") -> list[dict[str, Any]]:  # fmt: skip
    """A node and, where `used` (a share of its memory) is given, its measurement."""
    found: list[dict[str, Any]] = [
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": {"node.kubernetes.io/instance-type": type}},
            "spec": {},
            "status": {
                "capacity": {"cpu": "4", "memory": f"{gib}Gi"},
                "allocatable": {"cpu": "4", "memory": f"{gib}Gi"},
                "nodeInfo": {"kubeletVersion": "v1.36.2"},
            },
        }
    ]
    if used is not None:
        found.append(
            {
                "apiVersion": "metrics.k8s.io/v1beta1",
                "kind": "NodeMetrics",
                "metadata": {"name": name},
                "timestamp": ago(0),
                "window": "15s",
                "usage": {"cpu": "1", "memory": f"{int(gib * used * 1024 * 1024)}Ki"},
            }
        )
    return found


def service(name: str, space: str = "production", *, ready: int = 1, replicas: int = 1) -> list[dict[str, Any]]:  # fmt: skip
    """A Service with its EndpointSlice and Deployment."""
    labels = {"app": name}
    addresses = [
        {"addresses": [f"10.0.0.{at + 1}"], "conditions": {"ready": at < ready}}
        for at in range(replicas)
    ]
    return [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name, "namespace": space},
            "spec": {"type": "ClusterIP", "selector": labels, "ports": [{"port": 80}]},
        },
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "name": f"{name}-x1",
                "namespace": space,
                "labels": {"kubernetes.io/service-name": name},
            },
            "addressType": "IPv4",
            "endpoints": addresses,
            "ports": [{"port": 80}],
        },
        deployment(name, space, replicas=replicas, ready=ready),
    ]


def deployment(
    name: str, space: str = "production", *, replicas: int = 1, ready: int = 1, image: str = "registry.example/app:1"
) -> dict[str, Any]:  # fmt: skip
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": space, "uid": f"uid-of-{name}"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "main", "image": image}]},
            },
        },
        "status": {"replicas": replicas, "readyReplicas": ready, "updatedReplicas": replicas},
    }


def event(name: str, minutes: float, *, reason: str, object_kind: str, object_name: str, message: str, space: str = "production", type: str = "Normal") -> dict[str, Any]:  # fmt: skip
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": space, "creationTimestamp": ago(minutes)},
        "involvedObject": {"kind": object_kind, "namespace": space, "name": object_name},
        "reason": reason,
        "message": message,
        "type": type,
        "count": 1,
        "firstTimestamp": ago(minutes),
        "lastTimestamp": ago(minutes),
        "source": {"component": "deployment-controller"},
    }


class Lab:
    """A cluster that can be asked."""

    def __init__(self, server: ApiServer, home: Path) -> None:
        self.server, self.home = server, home
        self.time = NOW

    def ask(self, question: str, *, session: str = "", request: Request = ONLY_K8S, **more: Any) -> Answer:  # fmt: skip
        who = Who(client="test", session=session)
        return trio.run(
            partial(
                ask,
                self.home,
                question,
                request=request,
                who=who,
                clock=lambda: self.time,
                **more,
            )
        )


@contextmanager
def lab(
    objects: list[dict[str, Any]],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    denied: frozenset[tuple[str, str]] = frozenset(),
    context: str = "prod-cluster",
    **settings: Any,
) -> Iterator[Lab]:
    monkeypatch.setenv("HOME", str(folder))
    for variable in ("KUBERNETES_SERVICE_HOST", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.lower(), raising=False)
    everybody: User = replace(ADMIN, denied=denied)
    with ApiServer(objects, everybody=everybody, **settings) as server:
        config = server.kubeconfig(folder / "kubeconfig", context)
        monkeypatch.setenv("KUBECONFIG", str(config))
        yield Lab(server, folder / "kept")


def backed(answer: Answer) -> None:
    """Every number of the sentence stands in the evidence, and every value in the estate has a place."""
    from infrascan.questions.answer import unbacked

    first = answer.answer.split(" Not all was seen:")[0]
    assert unbacked(first, answer.evidence) == []
    for item in answer.evidence:
        assert item["id"].startswith("E")
        assert item["path"]
        assert item["observed_at"] or item["path"].startswith(("question.", "count(", "scope"))
