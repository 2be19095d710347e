"""A loopback Hetzner Cloud API: a project of plain data, paged and refused as the vendor does.

    with RestServer(Project(...).answer) as server:
        ...  # HCLOUD_ENDPOINT = server.url + "/v1", HETZNER_ENDPOINT the same

The shapes are those of the API's OpenAPI document; errors are `{"error": {"code", "message"}}`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.servers.proxy import Answer
from tests.servers.rest import Request, json_answer

TOKEN = "h" * 64
OPEN = (
    *("servers", "volumes", "images", "networks", "firewalls", "primary_ips", "floating_ips"),
    *("placement_groups", "ssh_keys", "load_balancers", "certificates", "zones", "storage_boxes"),
)


def error(status: int, code: str, message: str, **headers: str) -> Answer:
    return json_answer({"error": {"code": code, "message": message}}, status, headers)


@dataclass
class Project:
    """What a token opens: lists by their names, and what belongs to one item."""

    items: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    rrsets: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # by id of the zone
    cpu: dict[int, list[list[Any]]] = field(default_factory=dict)  # by id of the server
    pricing: dict[str, Any] = field(default_factory=dict)
    token: str = TOKEN
    denied: frozenset[str] = frozenset()  # first parts of paths

    def answer(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return error(401, "unauthorized", "unable to authenticate")
        _, version, *steps = request.path.split("/")
        if version != "v1" or request.method != "GET":
            return error(404, "not_found", "not found")
        if steps[0] in self.denied or "/".join(steps) in self.denied:
            return error(403, "forbidden", "insufficient permissions")
        return self.found(steps, parse_qs(urlsplit(request.seen.target).query))

    def found(self, steps: list[str], query: dict[str, list[str]]) -> Answer:
        match steps:
            case ["pricing"]:
                return json_answer({"pricing": self.pricing})
            case ["locations"]:
                return paged("locations", [{"id": 1, "name": "fsn1"}], query)
            case ["servers", number, "metrics"]:
                return self.metrics(int(number), query)
            case ["zones", zone, "rrsets"]:
                return paged("rrsets", self.rrsets.get(zone, []), query)
            case [name] if name in OPEN:
                kept = self.items.get(name, [])
                if types := query.get("type"):
                    kept = [item for item in kept if item["type"] in types]
                return paged(name, kept, query)
        return error(404, "not_found", "not found")

    def metrics(self, number: int, query: dict[str, list[str]]) -> Answer:
        if number not in {server["id"] for server in self.items.get("servers", ())}:
            return error(404, "not_found", f"server with ID '{number}' not found")
        return json_answer(
            {
                "metrics": {
                    "start": query["start"][0],
                    "end": query["end"][0],
                    "step": float(query["step"][0]),
                    "time_series": {"cpu": {"values": self.cpu.get(number, [])}},
                }
            }
        )


def paged(name: str, items: list[dict[str, Any]], query: dict[str, list[str]]) -> Answer:
    page = int(query.get("page", ["1"])[0])
    size = min(int(query.get("per_page", ["25"])[0]), 50)
    last = max((len(items) + size - 1) // size, 1)
    pagination = {
        "page": page,
        "per_page": size,
        "previous_page": page - 1 if page > 1 else None,
        "next_page": page + 1 if page < last else None,
        "last_page": last,
        "total_entries": len(items),
    }
    found = json.loads(json.dumps(items[(page - 1) * size : page * size]))
    return json_answer({name: found, "meta": {"pagination": pagination}})
