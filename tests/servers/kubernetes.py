"""A Kubernetes API server on loopback: real sockets, made-up objects.

It answers as the recorded exchanges with a real 1.36 server do (`fixtures/kubernetes/wire`, and
`tests/providers/kubernetes/test_server.py`, which compares). It reads; it does not write.

    with ApiServer(objects) as server:
        server.kubeconfig(tmp_path / "config")
"""

from __future__ import annotations

import json
import re
import socket
import ssl
import threading
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import yaml

from tests.servers.kubernetes_answers import (
    Answer,
    Resource,
    User,
    discovery,
    error,
    listing,
    rules_of,
    served_resources,
)
from tests.servers.kubernetes_http import Fault, Http, Request

__all__ = ["ADMIN", "ApiServer", "Fault", "User", "certificate", "objects_of", "unused_port"]

ADMIN = User("admin")
UNKNOWN_PATH = Answer(404, b"404 page not found\n", "text/plain; charset=utf-8")
RESOURCE_PATH = re.compile(
    r"^/(?:api|apis/(?P<group>[^/]+))/(?P<version>[^/]+)"
    r"(?:/namespaces/(?P<namespace>[^/]+)(?=/))?/(?P<resource>[^/]+)(?:/(?P<name>[^/]+))?$"
)
LOG_PATH = re.compile(r"^/api/v1/namespaces/(?P<namespace>[^/]+)/pods/(?P<name>[^/]+)/log$")
REVIEWS = {
    "/apis/authentication.k8s.io/v1/selfsubjectreviews",
    "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
    "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
}


def objects_of(*documents: str) -> list[dict[str, Any]]:
    """The objects of YAML manifests."""
    return [
        found
        for document in documents
        for found in yaml.load_all(document, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        if found
    ]


@dataclass(eq=False)
class ApiServer:
    """Serves the objects it is given, over http, or over TLS with a `trustme.CA`.

    `users` maps bearer tokens to users; without any, everybody is `everybody`.
    """

    objects: Iterable[Mapping[str, Any]] = ()
    users: Mapping[str, User] = field(default_factory=dict)
    everybody: User = ADMIN
    ca: Any = None
    client_certificates: bool = False  # asked of every client, signed by `ca`
    version: str = "v1.36.2"
    aggregated: bool = True  # discovery in two calls; clusters before 1.26 know the older form only
    metrics: bool = True
    absent_groups: frozenset[str] = frozenset()
    stale_groups: frozenset[str] = frozenset()
    absent_versions: frozenset[tuple[str, str]] = frozenset()
    now: str = "2026-11-21T09:30:00Z"
    faults: list[Fault] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    stored: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    snapshots: dict[tuple[str, str, int], list[Any]] = field(default_factory=dict)
    revision: int = 1000
    # (namespace, pod, container) -> what it wrote; with "previous" as a fourth, before it restarted
    logs: dict[tuple[str, ...], str] = field(default_factory=dict)
    compacted: int = 0  # page tokens of this revision and before have expired
    stopping: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.resources = served_resources()
        for found in self.objects:
            self.add(found)

    def add(self, found: Mapping[str, Any]) -> None:
        """Store an object as the API server would, with what it fills in."""
        group, _, _ = str(found.get("apiVersion", "v1")).rpartition("/")
        resource = next(
            (r for r in self.resources.values() if (r.group, r.kind) == (group, found["kind"])),
            None,
        )
        if resource is None:
            raise ValueError(f"no such kind: {found['apiVersion']} {found['kind']}")
        self.revision += 1
        item = json.loads(json.dumps(found))  # dates of YAML are not wanted; JSON refuses them
        item.pop("kind"), item.pop("apiVersion", None)
        metadata = item.setdefault("metadata", {})
        if resource.namespaced:
            metadata.setdefault("namespace", "default")
        metadata.setdefault("uid", f"00000000-0000-4000-8000-{self.revision:012d}")
        metadata.setdefault("resourceVersion", str(self.revision))
        metadata.setdefault("creationTimestamp", self.now)
        metadata.setdefault(
            "managedFields",
            [
                {
                    "manager": "kubectl",
                    "operation": "Update",
                    "apiVersion": found.get("apiVersion", "v1"),
                    "time": metadata["creationTimestamp"],
                    "fieldsType": "FieldsV1",
                    "fieldsV1": {"f:metadata": {}},
                }
            ],
        )
        key = f"{metadata.get('namespace', '')}/{metadata['name']}".lstrip("/")
        self.stored.setdefault((resource.group, resource.name), {})[key] = item

    def __enter__(self) -> Self:
        self.http = Http(("127.0.0.1", 0), self)
        if self.ca is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.ca.issue_cert("127.0.0.1", "localhost").configure_cert(context)
            if self.client_certificates:
                self.ca.configure_trust(context)
                context.verify_mode = ssl.CERT_REQUIRED
            self.http.context = context
        self.thread = threading.Thread(
            target=self.http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()

    @property
    def url(self) -> str:
        scheme = "https" if self.ca is not None else "http"
        return f"{scheme}://127.0.0.1:{self.http.server_address[1]}"

    def kubeconfig(
        self, path: Path, context: str = "lab", *, token: str = "", namespace: str = "", **user: Any
    ) -> Path:
        """Write a kubeconfig with one context; `user` are further keys of its user."""
        cluster: dict[str, Any] = {"server": self.url}
        if self.ca is not None:
            cluster["certificate-authority-data"] = b64encode(self.ca.cert_pem.bytes()).decode()
        if token:
            user["token"] = token
        inner = {"cluster": f"{context}-cluster", "user": f"{context}-user"}
        if namespace:
            inner["namespace"] = namespace
        path.write_text(
            yaml.safe_dump(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "current-context": context,
                    "clusters": [{"name": f"{context}-cluster", "cluster": cluster}],
                    "contexts": [{"name": context, "context": inner}],
                    "users": [{"name": f"{context}-user", "user": user}],
                }
            )
        )
        return path

    def paths(self, prefix: str = "") -> list[str]:
        """What was asked for so far, in order."""
        return [request.path for request in self.requests if request.path.startswith(prefix)]

    def fault(self, path: str) -> Fault | None:
        for fault in self.faults:
            if re.search(fault.path, path) and (not fault.times or fault.hits < fault.times):
                fault.hits += 1
                return fault
        return None

    def answer(self, request: Request) -> Answer:
        user = self.user(request.headers)
        if user is None:
            return error(401, "Unauthorized", "Unauthorized")
        parts = urlsplit(request.path)
        query = {name: found[-1] for name, found in parse_qs(parts.query).items()}
        if parts.path == "/version":
            return self.version_answer()
        if user.name == "system:anonymous":
            return self.forbidden(user, parts.path)
        if request.method == "POST":
            return self.review(parts.path, request.body, user)
        if found := self.discovery(parts.path, request.headers.get("accept", "")):
            return found
        if found := LOG_PATH.match(parts.path):
            return self.log(user, found["namespace"], found["name"], query)
        match = RESOURCE_PATH.match(parts.path)
        if not match:
            return UNKNOWN_PATH
        group, namespace = match["group"] or "", match["namespace"] or ""
        resource = self.resources.get((group, match["version"], match["resource"]))
        name = match["name"] or ""
        if not user.may("get" if name else "list", group, match["resource"], namespace):
            return self.forbidden(user, parts.path)
        if resource is None or not self.serves(resource):
            return UNKNOWN_PATH
        if group in self.stale_groups:
            return error(
                503, "ServiceUnavailable", "the server is currently unable to handle the request"
            )
        if name:
            return self.one(resource, namespace, name)
        return self.listed(resource, namespace, query, request.headers.get("accept", ""))

    def user(self, headers: Mapping[str, str]) -> User | None:
        if not self.users:
            return self.everybody
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if not token:
            return User("system:anonymous", admin=False)
        return self.users.get(token) if scheme.lower() == "bearer" else None

    def serves(self, resource: Resource) -> bool:
        if resource.group == "metrics.k8s.io" and not self.metrics:
            return False
        return (
            resource.group not in self.absent_groups
            and (resource.group, resource.version) not in self.absent_versions
        )

    def version_answer(self) -> Answer:
        major, minor = self.version.lstrip("v").split(".")[:2]
        body = {
            "major": major,
            "minor": minor,
            "emulationMajor": major,
            "emulationMinor": minor,
            "minCompatibilityMajor": major,
            "minCompatibilityMinor": str(int(minor) - 1),
            "gitVersion": self.version,
            "gitCommit": "$Format:%H$",
            "gitTreeState": "",
            "buildDate": "1970-01-01T00:00:00Z",
            "goVersion": "go1.27.3",
            "compiler": "gc",
            "platform": "linux/amd64",
        }
        return Answer(200, json.dumps(body, indent=2).encode())

    def forbidden(self, user: User, path: str) -> Answer:
        match = RESOURCE_PATH.match(path)
        if not match:
            message = f'forbidden: User "{user.name}" cannot get path "{path}"'
            return error(403, "Forbidden", message, details={})
        group, resource = match["group"] or "", match["resource"]
        full = f"{resource}.{group}" if group else resource
        where = (
            f'in the namespace "{match["namespace"]}"'
            if match["namespace"]
            else "at the cluster scope"
        )
        message = (
            f'{full} is forbidden: User "{user.name}" cannot list resource "{resource}" '
            f'in API group "{group}" {where}'
        )
        details = {"group": group, "kind": resource} if group else {"kind": resource}
        return error(403, "Forbidden", message, details=details, sniff=True)

    def review(self, path: str, body: Any, user: User) -> Answer:
        if path not in REVIEWS:
            return error(
                405,
                "MethodNotAllowed",
                "the server does not allow this method on the requested resource",
            )
        spec = body.get("spec") or {}
        status: dict[str, Any]
        if path.endswith("selfsubjectreviews"):
            status = {"userInfo": {"username": user.name, "groups": ["system:authenticated"]}}
        elif path.endswith("selfsubjectrulesreviews"):
            status = rules_of(user, str(spec.get("namespace") or ""), self.resources.values())
        else:
            wanted = spec.get("resourceAttributes") or {}
            allowed = user.may(
                str(wanted.get("verb")),
                str(wanted.get("group") or ""),
                str(wanted.get("resource")),
                str(wanted.get("namespace") or ""),
            )
            status = {"allowed": allowed}
        answer = {
            "kind": body.get("kind"),
            "apiVersion": body.get("apiVersion"),
            "metadata": {},
            "spec": {} if path.endswith("rulesreviews") else spec,
            "status": status,
        }
        return Answer(201, json.dumps(answer, separators=(",", ":")).encode() + b"\n")

    def discovery(self, path: str, accept: str) -> Answer | None:
        served = [resource for resource in self.resources.values() if self.serves(resource)]
        return discovery(path, accept if self.aggregated else "", served, self.stale_groups)

    def one(self, resource: Resource, namespace: str, name: str) -> Answer:
        key = f"{namespace}/{name}".lstrip("/")
        item = self.stored.get((resource.group, resource.name), {}).get(key)
        if item is None:
            return error(
                404,
                "NotFound",
                f'{resource.name} "{name}" not found',
                details={"name": name, "kind": resource.name},
            )
        body = {"kind": resource.kind, "apiVersion": resource.api_version, **item}
        return Answer(200, json.dumps(body, separators=(",", ":")).encode() + b"\n")

    def log(self, user: User, namespace: str, name: str, query: Mapping[str, str]) -> Answer:
        """The end of a container's log, or the refusals of a real server."""
        if not user.may("get", "", "pods/log", namespace):
            message = (
                f'pods "{name}" is forbidden: User "{user.name}" cannot get resource "pods/log" '
                f'in API group "" in the namespace "{namespace}"'
            )
            return error(403, "Forbidden", message, details={"name": name, "kind": "pods"})
        pod = self.stored.get(("", "pods"), {}).get(f"{namespace}/{name}")
        if pod is None:
            details = {"name": name, "kind": "pods"}
            return error(404, "NotFound", f'pods "{name}" not found', details=details)
        names = [each["name"] for each in pod["spec"]["containers"]]
        container = query.get("container", "")
        if not container and len(names) > 1:
            message = (
                f"a container name must be specified for pod {name}, choose one of: "
                f"[{' '.join(names)}]"
            )
            return error(400, "BadRequest", message)
        if container and container not in names:
            message = f"container {container} is not valid for pod {name}"
            return error(400, "BadRequest", message)
        key = (namespace, name, container or names[0])
        if query.get("previous") == "true":
            key = (*key, "previous")
            if key not in self.logs:
                message = f'previous terminated container "{key[2]}" in pod "{name}" not found'
                return error(400, "BadRequest", message)
        lines = self.logs.get(key, "").splitlines(keepends=True)
        body = "".join(lines[-int(query["tailLines"]) :] if "tailLines" in query else lines)
        return Answer(200, body.encode(), "text/plain")

    def listed(
        self, resource: Resource, namespace: str, query: Mapping[str, str], accept: str
    ) -> Answer:
        def snapshot(revision: int) -> list[Any] | None:
            place = (resource.group, resource.name, revision)
            if revision == self.revision and place not in self.snapshots:
                stored = self.stored.get((resource.group, resource.name), {})
                self.snapshots[place] = sorted(stored.items())
            return self.snapshots.get(place) if revision > self.compacted else None

        return listing(resource, namespace, query, accept, self.revision, snapshot)


def certificate(authority: Any) -> tuple[str, str]:
    """(certificate, key) in PEM that the authority signed."""
    issued = authority.issue_cert("scanner@example.org")
    pem = b"".join(blob.bytes() for blob in issued.cert_chain_pems)
    return pem.decode(), issued.private_key_pem.bytes().decode()


def unused_port() -> int:
    """A port on loopback where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
