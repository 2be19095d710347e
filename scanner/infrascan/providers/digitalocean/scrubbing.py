"""What is dropped from DigitalOcean's answers ahead of the tables' own `drop`: values of variables.

App Platform gives the variables of an app with their values. Whether one is written out or bound
to another component (`${db.DATABASE_URL}`) is kept as `bound`; the value is not.
"""

from __future__ import annotations

from typing import Any

APPS = "GET /v2/apps"
COMPONENTS = ("services", "static_sites", "jobs", "workers", "functions")
DEPLOYMENTS = (
    "active_deployment",
    "in_progress_deployment",
    "pending_deployment",
    "pinned_deployment",
)


def arrived(api: str, answer: Any) -> Any:
    """The answer without the values of variables, where it is one that has them."""
    if api != APPS or not isinstance(answer, dict):
        return answer
    for app in answer.get("apps") or ():
        if not isinstance(app, dict):
            continue
        for name in DEPLOYMENTS:
            if isinstance(app.get(name), dict):
                app[name].pop("spec", None)  # the same again, of another day
        if isinstance(app.get("spec"), dict):
            specification(app["spec"])
    return answer


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
