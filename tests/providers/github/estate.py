"""A small organisation with one of everything, from which every call of the tables is made."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import trio

from infrascan.collect.engine import Collected, Collection
from infrascan.collect.provider import Selection
from infrascan.providers.github import Github
from tests.servers.github import YES, Estate, counted

NOW = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)
ORG = "acme"
PERSON = {"login": "anna", "id": 1, "type": "User"}
FLOW = """\
name: ci
on: [push]
permissions: {contents: read}
jobs:
  test:
    runs-on: ubuntu-latest
    steps: [{run: make}]
"""


def file(text: str) -> dict[str, Any]:
    return {
        "type": "file",
        "encoding": "base64",
        "content": base64.encodebytes(text.encode()).decode(),
    }


def repository(name: str = "shop", **more: Any) -> dict[str, Any]:
    return {
        "id": 9,
        "name": name,
        "full_name": f"{ORG}/{name}",
        "owner": {"login": ORG, "id": 5, "type": "Organization"},
        "private": False,
        "visibility": "public",
        "archived": False,
        "fork": False,
        "size": 10,
        "default_branch": "main",
        "has_pages": True,
        "topics": ["shop"],
        "temp_clone_token": "CANARY",
        "html_url": f"https://github.com/{ORG}/{name}",
        "hooks_url": f"https://api.github.com/repos/{ORG}/{name}/hooks",
        **more,
    }


def alert(**more: Any) -> dict[str, Any]:
    return {"number": 1, "state": "open", "repository": {"full_name": f"{ORG}/shop"}, **more}


def organization() -> dict[str, Any]:
    org = f"/orgs/{ORG}"
    setting = f"{org}/actions/permissions"
    secret = {"name": "KEY", "visibility": "all", "updated_at": "2026-01-01T00:00:00Z"}
    runner = {"id": 3, "name": "r", "status": "online", "runner_group_id": 2}
    hook = {
        "id": 4,
        "active": True,
        "config": {"url": "https://x.example/?k=CANARY", "secret": "CANARY"},
    }
    return {
        "/user": {"login": "anna", "id": 1, "type": "User", "email": "CANARY"},
        "/user/orgs": [{"login": ORG, "id": 5}],
        "/user/repos": [],
        f"/users/{ORG}": {"login": ORG, "id": 5, "type": "Organization"},
        "/users/anna": PERSON,
        org: {
            "login": ORG,
            "id": 5,
            "two_factor_requirement_enabled": True,
            "public_repos": 1,
            "total_private_repos": 0,
        },
        f"{org}/members": [PERSON],
        f"{org}/members?filter=2fa_disabled": [],
        f"{org}/outside_collaborators": [{"login": "guest", "id": 2}],
        setting: {"enabled_repositories": "all", "allowed_actions": "selected"},
        f"{setting}/selected-actions": {"github_owned_allowed": True},
        f"{setting}/workflow": {"default_workflow_permissions": "read"},
        f"{setting}/fork-pr-contributor-approval": {"approval_policy": "first_time_contributors"},
        f"{setting}/fork-pr-workflows-private-repos": {
            "run_workflows_from_fork_pull_requests": False
        },
        f"{setting}/artifact-and-log-retention": {"days": 90},
        f"{setting}/self-hosted-runners": {"enabled_repositories": "all"},
        f"{org}/actions/oidc/customization/sub": {"include_claim_keys": ["repo", "context"]},
        f"{org}/actions/cache/usage": {"total_active_caches_count": 1},
        f"{org}/actions/cache/usage-by-repository": counted(
            "repository_cache_usages",
            [{"full_name": f"{ORG}/shop", "active_caches_size_in_bytes": 5}],
        ),
        f"{org}/teams": [{"id": 6, "slug": "web", "name": "Web"}],
        f"{org}/teams/web/repos": [repository(role_name="push")],
        f"{org}/teams/web/members": [PERSON],
        f"{org}/installations": counted("installations", [{"id": 7, "app_slug": "bot"}]),
        f"{org}/hooks": [hook],
        f"{org}/rulesets": [{"id": 8, "name": "tags"}],
        f"{org}/rulesets/8": {"id": 8, "rules": [], "conditions": {}, "bypass_actors": []},
        f"{org}/copilot/billing/seats": {
            "total_seats": 1,
            "seats": [{"assignee": PERSON, "plan_type": "business"}],
        },
        f"{org}/packages": [{"name": "shop", "repository": repository()}],
        f"/organizations/{ORG}/settings/billing/usage": {
            "usageItems": [
                {"product": "actions", "sku": "Linux", "quantity": 2, "netAmount": 0.5},
                {"product": "actions", "sku": "Linux", "quantity": 1, "netAmount": 0.25},
            ]
        },
        f"{org}/actions/secrets": counted("secrets", [secret]),
        f"{org}/actions/variables": counted("variables", [{**secret, "value": "CANARY"}]),
        f"{org}/actions/runners": counted("runners", [runner]),
        f"{org}/actions/runner-groups": counted("runner_groups", [{"id": 2, "name": "builds"}]),
        f"{org}/dependabot/alerts": [alert(security_advisory={"summary": "hole"})],
        f"{org}/code-scanning/alerts": [alert(rule={"description": "injection"})],
        f"{org}/secret-scanning/alerts": [alert(secret="CANARY", secret_type="key")],
        f"{org}/repos": [repository()],
    }


def of_repository(name: str = "shop", **more: Any) -> dict[str, Any]:
    """Everything below one repository."""
    base = f"/repos/{ORG}/{name}"
    whole = repository(name, **more)
    run = {
        "id": 5,
        "path": ".github/workflows/ci.yml",
        "status": "completed",
        "conclusion": "success",
    }
    person = {**PERSON, "permissions": {"admin": True, "push": True}}
    environment = {
        "id": 1,
        "name": "production",
        "deployment_branch_policy": {"custom_branch_policies": True},
    }
    secret = {"name": "KEY", "updated_at": "2026-01-01T00:00:00Z"}
    return {
        base: whole,
        f"{base}/branches/main/protection": {"enforce_admins": {"enabled": True}},
        f"{base}/rules/branches/main": [{"type": "deletion"}],
        f"{base}/actions/permissions": {"enabled": True},
        f"{base}/actions/permissions/workflow": {"default_workflow_permissions": "read"},
        f"{base}/actions/permissions/fork-pr-contributor-approval": {"approval_policy": "x"},
        f"{base}/vulnerability-alerts": YES,
        f"{base}/code-scanning/default-setup": {"state": "configured"},
        f"{base}/collaborators": [person],
        f"{base}/actions/oidc/customization/sub": {"use_default": True},
        f"{base}/pages": {"cname": "x.example", "https_enforced": True},
        f"{base}/codeowners/errors": {"errors": []},
        f"{base}/contents/": [{"name": "README.md", "type": "file", "size": 1}],
        f"{base}/contents/.github": [{"name": "workflows", "type": "dir"}],
        f"{base}/contents/docs": [{"name": "SECURITY.md", "type": "file"}],
        f"{base}/actions/runs": counted("workflow_runs", [{**run, "head_commit": "CANARY"}]),
        f"{base}/deployments": [
            {
                "id": 71,
                "sha": "a84f3e1c0d",
                "ref": "main",
                "environment": "production",
                "payload": {"token": "CANARY"},
                "creator": {**PERSON, "email": "CANARY"},
                "created_at": "2026-11-20T05:32:00Z",
            }
        ],
        f"{base}/deployments/71/statuses": [
            {"state": "success", "log_url": "https://x.example/?CANARY"},
            {"state": "in_progress"},
        ],
        f"{base}/actions/cache/usage": {"active_caches_size_in_bytes": 5},
        f"{base}/keys": [{"id": 1, "title": "ci", "read_only": True}],
        f"{base}/hooks": [
            {"id": 4, "active": True, "config": {"url": "https://x.example", "secret": "CANARY"}}
        ],
        f"{base}/environments": counted("environments", [environment]),
        f"{base}/environments/production/deployment-branch-policies": counted(
            "branch_policies", [{"name": "main"}]
        ),
        f"{base}/actions/secrets": counted("secrets", [secret]),
        f"{base}/actions/variables": counted("variables", [{**secret, "value": "CANARY"}]),
        f"{base}/actions/runners": counted("runners", [{"id": 1, "name": "r"}]),
        f"{base}/actions/workflows": counted(
            "workflows",
            [
                {"id": 1, "path": ".github/workflows/ci.yml", "state": "active"},
                {"id": 2, "path": "dynamic/dependabot/updates", "state": "active"},
            ],
        ),
        f"{base}/contents/.github/workflows/ci.yml": file(FLOW),
        f"{base}/dependabot/alerts": [alert(security_advisory={"summary": "hole"})],
        f"{base}/code-scanning/alerts": [alert(rule={"description": "injection"})],
        f"{base}/secret-scanning/alerts": [alert(secret="CANARY")],
    }


def estate(**more: Any) -> Estate:
    return Estate({**organization(), **of_repository()}, **more)


def opened(*scopes: str) -> Github:
    return Github(Selection(observed=NOW, scopes={"github": scopes} if scopes else {}))


def collected(provider: Github, **more: Any) -> Collected:
    """What a scan reads, without waiting for anything."""
    return trio.run(Collection(providers=[provider], **more).run)


def alone(provider: Github, work: Callable[[], Awaitable[Any]]) -> Any:
    """What one piece of work gives, without the engine and so without its patience."""

    async def main() -> Any:
        try:
            return await work()
        finally:
            provider.close()

    return trio.run(main)
