"""A Docker engine on loopback: what it holds is plain data, and it answers as dockerd 20.10 does.

    with RestServer(Engine.recorded().answer, socket=path) as server: ...

`recorded` holds the answers of a real engine (`fixtures/docker`); an estate fills one in by hand.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from tests.servers.proxy import Answer
from tests.servers.rest import Request, json_answer

RECORDED = Path(__file__).resolve().parents[2] / "fixtures/docker/recorded.json"
JSON = Mapping[str, Any]
NO_SWARM = (
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect '
    "this node to swarm and try again."
)
WORKER = (
    "This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state. "
    "Please run this command on a manager node or promote the current node to a manager."
)
# A container's sample while it is stopped: everything is zero or missing.
NOTHING_USED: JSON = {
    "read": "0001-01-01T00:00:00Z",
    "pids_stats": {},
    "cpu_stats": {"cpu_usage": {"total_usage": 0}, "throttling_data": {"periods": 0}},
    "memory_stats": {},
}


@dataclass(eq=False)
class Engine:
    info: JSON
    about: JSON
    disk: JSON
    listed: list[Any] = field(default_factory=list)  # containers as the list has them
    inspected: dict[str, Any] = field(default_factory=dict)  # by id
    stats: dict[str, Any] = field(default_factory=dict)  # by id
    images: list[Any] = field(default_factory=list)
    image_details: dict[str, Any] = field(default_factory=dict)
    volumes: Any = None  # null when there are none
    networks: list[Any] = field(default_factory=list)
    swarm: str = "none"  # "none", "worker", "manager"
    services: list[Any] = field(default_factory=list)
    nodes: list[Any] = field(default_factory=list)
    secrets: list[Any] = field(default_factory=list)
    # by name: (stream, what was written), as frames; without a terminal that is how they come
    logs: dict[str, list[tuple[int, bytes]]] = field(default_factory=dict)
    denied: frozenset[str] = frozenset()  # paths that a proxy before the socket refuses

    @classmethod
    def recorded(cls) -> Self:
        found = json.loads(RECORDED.read_text(encoding="utf-8"))
        bodies = {target.removeprefix("/v1.41"): told[2] for target, told in found.items()}
        by_id: dict[str, dict[str, Any]] = {"containers": {}, "images": {}, "stats": {}}
        for target, body in bodies.items():
            parts = urlsplit(target).path.split("/")
            if len(parts) == 4 and parts[2] != "nope":
                kind = "stats" if parts[3] == "stats" else parts[1]
                by_id[kind][parts[2]] = body
        return cls(
            info=bodies["/info"],
            about=bodies["/version"],
            disk=bodies["/system/df"],
            listed=bodies["/containers/json?all=true"],
            inspected=by_id["containers"],
            stats=by_id["stats"],
            images=bodies["/images/json"],
            image_details=by_id["images"],
            volumes=bodies["/volumes"]["Volumes"],
            networks=bodies["/networks"],
            swarm="manager",
            services=bodies["/services"],
            nodes=bodies["/nodes"],
            secrets=bodies["/secrets"],
        )

    @property
    def api(self) -> str:
        return str(self.about["ApiVersion"])

    def answer(self, request: Request) -> Answer:
        path = unquote(request.path)
        if path == "/_ping":
            headers = {"api-version": self.api, "server": "Docker/20.10.24 (linux)"}
            return Answer(200, {"content-type": "text/plain; charset=utf-8", **headers}, b"OK")
        version = re.match(r"/v(\d+)\.(\d+)(/.*)", path)
        if version:
            asked, served = (int(version[1]), int(version[2])), tuple(map(int, self.api.split(".")))
            if asked > served:
                said = f"client version {asked[0]}.{asked[1]} is too new. Maximum supported API version is {self.api}"
                return json_answer({"message": said}, 400)
            if asked < tuple(map(int, str(self.about["MinAPIVersion"]).split("."))):
                said = f"client version {asked[0]}.{asked[1]} is too old. Minimum supported API version is {self.about['MinAPIVersion']}, please upgrade your client to a newer version"
                return Answer(400, {"content-type": "text/plain"}, said.encode())
            path = version[3]
        if path in self.denied:  # as docker-socket-proxy refuses
            return Answer(
                403, {"content-type": "text/html"}, b"<html><body>403 Forbidden</body></html>"
            )
        if found := re.fullmatch(r"/containers/([^/]+)/logs", path):
            return self.log(found[1], request.query)
        return self.found(path, request.query)

    def log(self, name: str, query: Mapping[str, str]) -> Answer:
        """The last writes of a container, each in a frame of its own."""
        if name not in self.logs:
            return json_answer({"message": f"No such container: {name}"}, 404)
        kept = (
            self.logs[name][-int(query["tail"]) :]
            if query.get("tail", "all") != "all"
            else self.logs[name]
        )
        stamp = (
            b"2026-11-21T09:29:59.000000000Z " if query.get("timestamps") in {"true", "1"} else b""
        )
        frames = [
            bytes([stream, 0, 0, 0]) + len(stamp + text).to_bytes(4, "big") + stamp + text
            for stream, text in kept
        ]
        return Answer(200, {"content-type": "application/vnd.docker.raw-stream"}, b"".join(frames))

    def found(self, path: str, query: Mapping[str, str]) -> Answer:
        whole = {
            "/info": self.info,
            "/version": self.about,
            "/system/df": self.disk,
            "/images/json": self.images,
            "/volumes": {"Volumes": self.volumes, "Warnings": None},
            "/networks": self.networks,
        }
        if path in whole:
            return json_answer(whole[path])
        if path == "/containers/json":
            running = [c for c in self.listed if c.get("State") in {"running", "restarting"}]
            return json_answer(self.listed if query.get("all") in {"true", "1"} else running)
        if path in {"/services", "/nodes", "/secrets"}:
            return self.of_swarm(path)
        _, kind, name, what = [*path.split("/"), "", "", ""][:4]
        stores = {("containers", "json"): self.inspected, ("images", "json"): self.image_details}
        if kind == "containers" and what == "stats" and name in self.inspected:
            return json_answer(self.stats.get(name, NOTHING_USED))
        if name in stores.get((kind, what), {}):
            return json_answer(stores[kind, what][name])
        if (kind, what) in stores:
            return json_answer({"message": f"No such {kind.removesuffix('s')}: {name}"}, 404)
        return json_answer({"message": "page not found"}, 404)

    def of_swarm(self, path: str) -> Answer:
        if self.swarm != "manager":
            return json_answer({"message": WORKER if self.swarm == "worker" else NO_SWARM}, 503)
        return json_answer(
            {"/services": self.services, "/nodes": self.nodes}.get(path, self.secrets)
        )
