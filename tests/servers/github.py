"""A GitHub on loopback, made of plain data: `{"/orgs/acme": {…}, "/orgs/acme/repos": […]}`.

Lists are served in pages with a Link header, bare or under the one list of an object that has a
`total_count`. A path without data is not found, as GitHub answers what a token may not see. A
`Refusal` in the data is answered as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlencode

from tests.servers.proxy import Answer
from tests.servers.rest import Request, RestServer, json_answer

TOKEN = "ghp_" + "A" * 36
SCOPES = "repo, read:org, admin:org_hook, read:packages"
DOCS = "https://docs.github.com/rest"


@dataclass(frozen=True)
class Refusal:
    """An answer that is no data."""

    status: int = 404
    message: str = "Not Found"
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def answer(self) -> Answer:
        body = {"message": self.message, "documentation_url": DOCS, "status": str(self.status)}
        return json_answer(body, self.status, self.headers)


NOT_FOUND = Refusal()
UNPROTECTED = Refusal(message="Branch not protected")
NO_ALERTS = Refusal(message="Vulnerability alerts are disabled.")
YES = object()  # 204, an answer without a body


def denied(permission: str) -> Refusal:
    """What a fine-grained token gets that lacks a permission: "administration=read"."""
    return Refusal(
        403,
        "Resource not accessible by personal access token",
        {"X-Accepted-GitHub-Permissions": permission},
    )


@dataclass(eq=False)
class Estate:
    """What the server serves, and to which token."""

    routes: dict[str, Any]
    token: str = TOKEN
    scopes: str | None = SCOPES
    page: int = 100  # the largest page

    def __call__(self, request: Request) -> Answer:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if given != self.token:
            return Refusal(401, "Bad credentials").answer
        path = unquote(request.path)
        query = request.query
        found = self.routes.get(f"{path}?{plain(query)}", self.routes.get(path, NOT_FOUND))
        if isinstance(found, Refusal):
            return found.answer
        if found is YES:
            return Answer(204, {})
        scopes = {} if self.scopes is None else {"X-OAuth-Scopes": self.scopes}
        name = listed(found)
        if name is None:
            return json_answer(found, headers=scopes)
        items = found[name] if name else found
        size = min(int(query.get("per_page", 30)), self.page)
        number = int(query.get("page", 1))
        start = (number - 1) * size
        part = items[start : start + size]
        headers = dict(scopes)
        if start + size < len(items):
            after = urlencode({**query, "page": number + 1})
            last = urlencode({**query, "page": -(-len(items) // size)})
            place = f"https://api.github.com{request.path}"
            headers["Link"] = f'<{place}?{after}>; rel="next", <{place}?{last}>; rel="last"'
        return json_answer({**found, name: part} if name else part, headers=headers)


def plain(query: Mapping[str, str]) -> str:
    """The query without what says which page it is."""
    return urlencode(
        sorted((name, value) for name, value in query.items() if name not in {"page", "per_page"})
    )


def listed(found: Any) -> str | None:
    """Where the list is: "" for a bare one, a key of an object; None when there is none."""
    if isinstance(found, list):
        return ""
    if isinstance(found, dict) and {"total_count", "total_seats"} & set(found):
        return next((name for name, value in found.items() if isinstance(value, list)), None)
    return None


def counted(name: str, items: list[Any]) -> dict[str, Any]:
    return {"total_count": len(items), name: items}


def server(estate: Estate) -> RestServer:
    return RestServer(estate)
