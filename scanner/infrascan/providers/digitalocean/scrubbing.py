"""What is done to DigitalOcean's answers ahead of the tables' own `drop`.

App Platform gives the variables of an app with their values. Whether one is written out or bound
to another component (`${db.DATABASE_URL}`) is kept as `bound`; the value is not.

What only looks secret is spelled so that the redaction of all answers leaves it whole: the id of a
Spaces key, and the links between pages.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

APPS = "GET /v2/apps"
SPACES_KEYS = "GET /v2/spaces/keys"
COMPONENTS = ("services", "static_sites", "jobs", "workers", "functions")
DEPLOYMENTS = (
    "active_deployment",
    "in_progress_deployment",
    "pending_deployment",
    "pinned_deployment",
)


def arrived(api: str, answer: Any) -> Any:
    """The answer without the values of variables, and with ids and links that can be kept."""
    if not isinstance(answer, dict):
        return answer
    numbered(answer)
    if api == APPS:
        for app in entries(answer, "apps"):
            application(app)
    elif api == SPACES_KEYS:
        for key in entries(answer, "keys"):
            if key.get("access_key"):  # the public half, and all that tells keys apart
                key["key_id"] = key["access_key"]
    return answer


def entries(answer: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = answer.get(name)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def numbered(answer: dict[str, Any]) -> None:
    """The link to the next page by its number alone; the registry's also has a `page_token`.

    The token only saves the server time, and would be taken for a secret.
    """
    links = answer.get("links")
    pages = links.get("pages") if isinstance(links, dict) else None
    link = pages.get("next") if isinstance(pages, dict) else None
    if not isinstance(pages, dict) or not isinstance(link, str) or "page_token=" not in link:
        return
    place = urlsplit(link)
    query = dict(parse_qsl(place.query, keep_blank_values=True))
    if "page" in query:
        query.pop("page_token", None)
        pages["next"] = place._replace(query=urlencode(query)).geturl()


def application(app: dict[str, Any]) -> None:
    for name in DEPLOYMENTS:
        if isinstance(app.get(name), dict):
            app[name].pop("spec", None)  # the same again, of another day
    if isinstance(app.get("spec"), dict):
        specification(app["spec"])


def specification(spec: dict[str, Any]) -> None:
    variables(spec)
    for group in COMPONENTS:
        parts = spec.get(group)
        for part in parts if isinstance(parts, list) else ():
            if isinstance(part, dict):
                variables(part)
                part.pop("log_destinations", None)  # tokens of other services
                if isinstance(part.get("image"), dict):
                    part["image"].pop("registry_credentials", None)


def variables(place: dict[str, Any]) -> None:
    found = place.get("envs")
    if not isinstance(found, list):
        place.pop("envs", None)
        return
    for variable in found:
        if isinstance(variable, dict):
            value = variable.pop("value", None)
            variable["bound"] = isinstance(value, str) and value.startswith("${")
