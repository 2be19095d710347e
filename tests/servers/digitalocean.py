"""A loopback DigitalOcean API: a team of plain data, paged and refused as the vendor does.

    with RestServer(Team(...).answer) as server:
        ...  # DIGITALOCEAN_API_URL = server.url

`lists` are the answers' lists by the path that gives them ("/v2/droplets"), `answers` whole answers.
Errors are `{"id", "message"}`, as in the vendor's OpenAPI document.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.servers.proxy import Answer
from tests.servers.rest import Request, json_answer

TOKEN = "dop_v1_" + "a" * 64
NAMES = {  # the key that holds the list, by the last part of the path
    "/v2/account/keys": "ssh_keys",
    "/v2/kubernetes/clusters": "kubernetes_clusters",
    "/v2/monitoring/alerts": "policies",
    "/v2/uptime/checks": "checks",
    "/v2/spaces/keys": "keys",
    "/v2/cdn/endpoints": "endpoints",
    "/v2/functions/namespaces": "namespaces",
}
UNPAGED = ("/v2/databases", "/v2/registries", "/v2/functions/namespaces")
LAST = {
    "records": "domain_records",
    "repositoriesV2": "repositories",
    "garbage-collections": "garbage_collections",
}


def error(status: int, id: str, message: str, **headers: str) -> Answer:
    return json_answer({"id": id, "message": message}, status, headers)


@dataclass
class Team:
    """What a token opens."""

    lists: dict[str, list[Any]] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    cpu: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # series, by Droplet
    token: str = TOKEN
    denied: frozenset[str] = frozenset()  # paths
    host: str = "https://api.digitalocean.com"  # in links, as the vendor writes them

    def answer(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return error(401, "Unauthorized", "Unable to authenticate you")
        if request.method != "GET":
            return error(405, "method_not_allowed", "not allowed")
        path = request.path
        query = parse_qs(urlsplit(request.seen.target).query)
        if path in self.denied:
            return error(
                403, "Forbidden", "You are missing the required permission for this action"
            )
        if path == "/v2/monitoring/metrics/droplet/cpu":
            series = self.cpu.get(query["host_id"][0], [])
            data = {"resultType": "matrix", "result": series}
            return json_answer({"status": "success", "data": data})
        if path in self.answers:
            return json_answer(self.answers[path])
        if path in self.lists or path == "/v2/actions":
            return self.page(path, query)
        return error(404, "not_found", "The resource you requested could not be found.")

    def page(self, path: str, query: dict[str, list[str]]) -> Answer:
        items, last = self.lists.get(path, []), path.rpartition("/")[2]
        if path == "/v2/droplets":  # GPU Droplets are listed alone, or not at all
            gpus = query.get("type") == ["gpus"]
            items = [one for one in items if one["size_slug"].startswith("gpu-") is gpus]
        name = NAMES.get(path) or LAST.get(last) or last
        number = int(query.get("page", ["1"])[0])
        size = min(int(query.get("per_page", ["20"])[0]), 200)
        if path in UNPAGED or path.startswith("/v2/databases/"):
            return json_answer({name: copied(items)})
        links: dict[str, Any] = {}
        if number * size < len(items):
            kept = {key: value[0] for key, value in query.items()}
            following = urlencode({**kept, "page": number + 1, "per_page": size})
            links = {"pages": {"next": f"{self.host}{path}?{following}"}}
        found = copied(items[(number - 1) * size : number * size])
        return json_answer({name: found, "links": links, "meta": {"total": len(items)}})


def copied(items: list[Any]) -> Any:
    return json.loads(json.dumps(items))
