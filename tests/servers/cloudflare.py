"""Cloudflare's API on loopback, out of plain data.

    estate = Estate(); estate.put("/zones", [...])
    with serving(estate) as server:
        ...  # CLOUDFLARE_BASE_URL is server.url + BASE

A list is given in pages of what is asked for, with `result_info` as Cloudflare writes it; lists in
`by_cursor` go on by cursor. `refuse` makes a path answer an error. R2's buckets in
a jurisdiction are at "…/r2/buckets@eu". Paths without data give an
empty list where the tables list something there, else an error of code 7003.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from infrascan.providers.cloudflare import ACCOUNTS, LISTS
from tests.servers.proxy import Answer
from tests.servers.rest import Request, RestServer, json_answer

BASE = "/client/v4"
TOKEN = "cf-token-made-up-for-tests-000000000000000"
KEY, EMAIL = "made-up-global-api-key-0000000000000", "admin@acme.example"
CURSORS = ("/r2/buckets", "/rulesets")
NO_INFO = ("/settings", "/workers/scripts", "/workers/routes", "/workers/domains", "/pagerules")


def refused(
    status: int, code: int, message: str, headers: Mapping[str, str] | None = None
) -> Answer:
    """An error as Cloudflare spells it."""
    body = {
        "success": False,
        "errors": [{"code": code, "message": message}],
        "messages": [],
        "result": None,
    }
    return json_answer(body, status, headers)


@dataclass(eq=False)
class Estate:
    """What there is: path below the base -> result."""

    results: dict[str, Any] = field(default_factory=dict)
    refusals: dict[str, Answer] = field(default_factory=dict)
    bare: set[str] = field(default_factory=set)  # lists that come without `total_pages`
    token: str = TOKEN
    verified: Mapping[str, Any] = field(
        default_factory=lambda: {"id": "5d41402abc4b2a76b9719d911017c592", "status": "active"}
    )

    def put(self, path: str, result: Any) -> None:
        self.results[path] = result

    def refuse(self, path: str, status: int, code: int, message: str) -> None:
        self.refusals[path] = refused(status, code, message)

    def answer(self, request: Request) -> Answer:
        if wrong := self.unknown_caller(request):
            return wrong
        path = request.path.removeprefix(BASE)
        jurisdiction = request.headers.get("cf-r2-jurisdiction", "")
        if jurisdiction:  # buckets of another jurisdiction are below "/r2/buckets@eu"
            return self.elsewhere(
                request, path.replace("/r2/buckets", f"/r2/buckets@{jurisdiction}")
            )
        if path in self.refusals:
            return self.refusals[path]
        if path == "/user/tokens/verify":
            return ok(self.verified)
        result = copy.deepcopy(self.results.get(path, self.nothing(request, path)))
        if result is None:
            return refused(
                404, 7003, f"Could not route to {path}, perhaps your object identifier is invalid?"
            )
        if path == "/zones":
            result = [zone for zone in result if wanted(zone, request.query)]
        if path == "/certificates":
            result = [
                one for one in result if one.pop("of_zone", "") == request.query.get("zone_id")
            ]
        if path.endswith("/r2/buckets"):
            return by_cursor(result["buckets"], request.query, lambda part: {"buckets": part})
        if path.endswith("/logs/audit"):
            return self.audited(result, request.query)
        if path.endswith("/rulesets"):
            return by_cursor(result, request.query, lambda part: part)
        if not isinstance(result, list) or path.endswith(NO_INFO):
            return ok(result)
        return by_page(result, request.query, full=path not in self.bare)

    def elsewhere(self, request: Request, path: str) -> Answer:
        if path in self.refusals:
            return self.refusals[path]
        if "/r2/buckets@" in path and path.partition("@")[2].count("/") == 0:
            buckets = self.results.get(path, {"buckets": []})["buckets"]
            return by_cursor(buckets, request.query, lambda part: {"buckets": part})
        found = self.results.get(path)
        return ok(found) if found is not None else refused(404, 10006, "The bucket does not exist.")

    def audited(self, entries: list[Any], query: Mapping[str, str]) -> Answer:
        """Version 2 of the audit log takes times, and goes on by cursor."""
        if not query.get("since") or not query.get("before"):
            return refused(400, 10001, "since and before are required")
        within = [e for e in entries if query["since"] <= e["action"]["time"] <= query["before"]]
        asked = {"per_page": query.get("limit", "100"), **query}
        return by_cursor(within, asked, lambda part: part)

    def unknown_caller(self, request: Request) -> Answer | None:
        authorization = request.headers.get("authorization", "")
        if authorization == f"Bearer {self.token}" and "x-auth-key" not in request.headers:
            return None
        if not authorization and request.headers.get("x-auth-key") == KEY:
            return None if request.headers.get("x-auth-email") == EMAIL else BAD_KEY
        return BAD_KEY if "x-auth-key" in request.headers else BAD_TOKEN

    def nothing(self, request: Request, path: str) -> Any:
        """An empty list where a list belongs."""
        seen = Request(request.seen)
        for api in LISTS | {ACCOUNTS}:
            method, _, spelled = api.partition(" ")
            if seen.match(f"{method} {BASE}{spelled}") is not None:
                return []
        return {"buckets": []} if path.endswith("/r2/buckets") else None


BAD_TOKEN = refused(403, 9109, "Invalid access token")
BAD_KEY = refused(403, 9103, "Unknown X-Auth-Key or X-Auth-Email")


def ok(result: Any, info: Mapping[str, Any] | None = None) -> Answer:
    body = {"success": True, "errors": [], "messages": [], "result": result}
    return json_answer({**body, "result_info": info} if info else body)


def wanted(zone: Mapping[str, Any], query: Mapping[str, str]) -> bool:
    owner = str(zone["account"]["id"])
    return query.get("account.id", owner) == owner


def by_page(items: list[Any], query: Mapping[str, str], *, full: bool) -> Answer:
    page, size = int(query.get("page", 1)), int(query.get("per_page", 20))
    part = items[(page - 1) * size : page * size]
    info = {"page": page, "per_page": size, "count": len(part), "total_count": len(items)}
    if full:
        info["total_pages"] = -(-len(items) // size)
    return ok(part, info)


def by_cursor(
    items: list[Any], query: Mapping[str, str], shown: Callable[[list[Any]], Any]
) -> Answer:
    start, size = int(query.get("cursor") or 0), int(query.get("per_page", 50))
    after = str(start + size) if start + size < len(items) else ""
    info: dict[str, Any] = {"per_page": size, "cursor": after, "cursors": {"after": after}}
    return ok(shown(items[start : start + size]), info)


def serving(estate: Estate) -> RestServer:
    return RestServer(estate.answer)
