"""What is kept of GitHub's answers: without its hypermedia, without secrets, with the next page."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from infrascan.collect.provider import Call
from infrascan.model import ReadError, Reason
from infrascan.providers.github import workflows
from infrascan.providers.http import Answer

NEXT = re.compile(r'<([^<>]*)>\s*;[^,]*\brel="next"')
# Of a list: what single sign-on keeps from the token is left out of it.
HIDDEN = re.compile(r"partial-results;\s*organizations=([0-9,]+)")
# Links to other API calls, which nobody reads, and tokens that GitHub puts into plain answers.
NOISE = frozenset({"node_id", "gravatar_id", "_links", "temp_clone_token", "body_html"})
KEPT_URLS = frozenset({"html_url", "target_url"})
WORKFLOW_FILE = "GET /repos/{owner}/{repo}/contents/.github/workflows/{file}"
USAGE = "GET /organizations/{org}/settings/billing/usage"


def received(call: Call, answer: Answer) -> Any:
    """A list becomes {"items": list}; `next` is the path of the following page."""
    body = lean(answer.body)
    if call.api in SHAPES:
        body = SHAPES[call.api](call, body)
    kept: dict[str, Any]
    if isinstance(body, list):
        kept = {"items": body}
    elif isinstance(body, dict):
        kept = body
    elif body is None:  # 204: yes
        kept = {}
    else:
        return body
    if hidden := HIDDEN.fullmatch(answer.headers.get("x-github-sso", "")):
        kept["hidden_organizations"] = hidden[1].split(",")
    if found := NEXT.search(answer.headers.get("link", "")):
        place = urlsplit(found[1])
        kept["next"] = f"{place.path}?{place.query}"
    return kept


def lean(value: Any) -> Any:
    """The answer without what only a client that follows links needs."""
    if isinstance(value, list):
        return [lean(item) for item in value]
    if isinstance(value, dict):
        return {key: lean(item) for key, item in value.items() if not noise(key)}
    return value


def noise(key: str) -> bool:
    return key in NOISE or (key.endswith("_url") and key not in KEPT_URLS)


COUNTS = ("public_repos", "owned_private_repos")


def user(call: Call, body: Any) -> Any:  # noqa: ARG001
    """Only who it is: the answer holds private facts of a person."""
    if not isinstance(body, dict):
        return body
    kept = {name: body.get(name) for name in ("login", "id", "type")}
    return kept | {name: body[name] for name in COUNTS if name in body}


# Queries carry keys, and of chat services so do paths: whoever has the URL may write there.
KEY_IN_PATH = re.compile(r"(?<!/)/[^/?#]{20,}")


def hooks(call: Call, body: Any) -> Any:  # noqa: ARG001
    """Webhooks, whose secret GitHub masks: whether there is one is kept, and no mask."""
    if not isinstance(body, list):
        return body
    for hook in body:
        config = hook.get("config") if isinstance(hook, dict) else None
        if isinstance(config, dict):
            config["has_secret"] = bool(config.pop("secret", ""))
            config.pop("token", None)
            if isinstance(config.get("url"), str):
                config["url"] = KEY_IN_PATH.sub("/[redacted]", config["url"].partition("?")[0])
    return body


def secrets(call: Call, body: Any) -> Any:  # noqa: ARG001
    """Alerts of leaked secrets, without the secret and without where a person wrote of it."""
    return (
        [
            {name: value for name, value in alert.items() if not written(name)}
            if isinstance(alert, dict)
            else alert
            for alert in body
        ]
        if isinstance(body, list)
        else body
    )


def written(name: str) -> bool:
    return name == "secret" or name.endswith("_comment")


def workflow_list(call: Call, body: Any) -> Any:  # noqa: ARG001
    """The workflows that are files of the repository; GitHub's own ("dynamic/…") are none."""
    if isinstance(body, dict) and isinstance(body.get("workflows"), list):
        body["workflows"] = [
            flow
            for flow in body["workflows"]
            if not isinstance(flow, dict)
            or str(flow.get("path", "")).startswith(".github/workflows/")
        ]
    return body


def workflow(call: Call, body: Any) -> Any:
    """The facts of a workflow's file. Its text is not kept: people write passwords into it."""
    text = decoded(call, body)
    try:
        return workflows.facts(
            text, str(call.params.get("owner", "")), str(call.params.get("repo", ""))
        )
    except ValueError as error:
        raise ReadError(Reason.MALFORMED, f"the workflow is unreadable: {error}") from error


def decoded(call: Call, body: Any) -> str:
    """The text of a file. Raises `ReadError`."""
    content = body.get("content") if isinstance(body, dict) else None
    if not isinstance(content, str) or body.get("encoding") != "base64":
        raise ReadError(Reason.MALFORMED, "the answer has no content", call=call.api)
    try:
        return base64.b64decode(content).decode("utf-8-sig")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ReadError(Reason.MALFORMED, "the content is no text", call=call.api) from error


def listing(call: Call, body: Any) -> Any:  # noqa: ARG001
    """The files of a folder, by name."""
    if not isinstance(body, list):
        return body
    return [
        {name: entry.get(name) for name in ("name", "type", "size")}
        if isinstance(entry, dict)
        else entry
        for entry in body
    ]


RUN = ("id", "name", "path", "event", "status", "conclusion", "head_branch", "created_at")
# Of the runs of a span of time, which are read for what they shipped.
SHIPPED = (*RUN, "head_sha", "run_started_at", "updated_at", "display_title")
LONGEST = 200  # characters of a title


def runs(call: Call, body: Any) -> Any:
    """Runs, without the copy of the repository and the commit that each brings."""
    found = body.get("workflow_runs") if isinstance(body, dict) else None
    if isinstance(found, list):
        kept = shipped if "created" in call.params else plain_run
        body["workflow_runs"] = [kept(run) if isinstance(run, dict) else run for run in found]
    return body


def plain_run(run: dict[str, Any]) -> dict[str, Any]:
    return {name: run.get(name) for name in RUN}


def shipped(run: dict[str, Any]) -> dict[str, Any]:
    """A run with its commit and who started it; its title is text of anyone, and cut short."""
    kept = {name: run.get(name) for name in SHIPPED}
    if isinstance(kept["display_title"], str):
        kept["display_title"] = kept["display_title"][:LONGEST]
    kept["actor"] = acting(run.get("actor"))
    return kept


def acting(person: Any) -> Any:
    if not isinstance(person, dict):
        return None
    return {name: person.get(name) for name in ("login", "id", "type")}


DEPLOYED = ("id", "sha", "ref", "task", "environment", "original_environment")
DEPLOYED_TOO = ("description", "created_at", "updated_at", "production_environment")


def deployments(call: Call, body: Any) -> Any:  # noqa: ARG001
    """Deployments, without their payload: whoever deploys puts into it what they like."""
    if not isinstance(body, list):
        return body
    return [
        {
            **{name: found.get(name) for name in (*DEPLOYED, *DEPLOYED_TOO)},
            "creator": acting(found.get("creator")),
        }
        if isinstance(found, dict)
        else found
        for found in body
    ]


def statuses(call: Call, body: Any) -> Any:  # noqa: ARG001
    """The states of a deployment; the addresses and texts beside them are dropped."""
    if not isinstance(body, list):
        return body
    return [
        {name: found.get(name) for name in ("state", "created_at")}
        if isinstance(found, dict)
        else found
        for found in body
    ]


def usage(call: Call, body: Any) -> Any:  # noqa: ARG001
    """The bill, added up from days to one line for each product and unit."""
    items = body.get("usageItems") if isinstance(body, dict) else None
    if not isinstance(items, list):
        return body
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for item in items:
        if not isinstance(item, dict) or not item.get("product") or not item.get("sku"):
            raise ReadError(Reason.MALFORMED, "a line of the bill has no product", call=USAGE)
        line = found.setdefault(
            (str(item["product"]), str(item["sku"])),
            {
                "product": item["product"],
                "sku": item["sku"],
                "unitType": item.get("unitType"),
                "quantity": 0.0,
                "grossAmount": 0.0,
                "discountAmount": 0.0,
                "netAmount": 0.0,
                "repositories": {},
            },
        )
        for name in ("quantity", "grossAmount", "discountAmount", "netAmount"):
            line[name] = round(line[name] + float(item.get(name) or 0), 4)
        if whose := item.get("repositoryName"):
            amount = line["repositories"].get(whose, 0.0) + float(item.get("netAmount") or 0)
            line["repositories"][whose] = round(amount, 4)
    body["usageItems"] = [found[key] for key in sorted(found)]
    return body


REPO = "GET /repos/{owner}/{repo}"
SHAPES: Mapping[str, Callable[[Call, Any], Any]] = {
    "GET /user": user,
    "GET /users/{username}": user,
    "GET /orgs/{org}/hooks": hooks,
    f"{REPO}/hooks": hooks,
    "GET /orgs/{org}/secret-scanning/alerts": secrets,
    f"{REPO}/secret-scanning/alerts": secrets,
    f"{REPO}/actions/workflows": workflow_list,
    f"{REPO}/actions/runs": runs,
    f"{REPO}/deployments": deployments,
    f"{REPO}/deployments/{{deployment_id}}/statuses": statuses,
    WORKFLOW_FILE: workflow,
    f"{REPO}/contents/": listing,
    f"{REPO}/contents/.github": listing,
    f"{REPO}/contents/docs": listing,
    USAGE: usage,
}
