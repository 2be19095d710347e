"""Deployments and runs: what was shipped, and nothing that whoever deploys wrote beside it."""

from __future__ import annotations

import json
from typing import Any

from infrascan.model import Reason
from infrascan.providers.github import Github, deploying
from tests.providers.github.estate import NOW, ORG, collected, opened
from tests.providers.github.test_reading import routes
from tests.servers.github import counted, denied
from tests.servers.rest import RestServer

BASE = f"/repos/{ORG}/shop"


def shipped(kind: str) -> Any:
    found = collected(opened(ORG), live=True, only=frozenset({kind}))
    return found, [r for r in found.resources if r.kind == kind]


def test_a_deployment_has_its_commit_state_and_author(running: RestServer):
    _, (one,) = shipped("github.deployment")
    assert one.data["sha"] == "a84f3e1c0d"
    assert one.data["state"] == "success"  # the newest, not the first
    assert one.data["creator"]["login"] == "anna"
    assert one.data["repository"] == f"{ORG}/shop"
    assert "CANARY" not in json.dumps(one.data)


def test_only_the_newest_deployments_of_each_repository_are_read(running: RestServer):
    many = [
        {"id": n, "sha": f"{n:040x}", "created_at": "2026-11-20T05:00:00Z", "environment": "p"}
        for n in range(50)
    ]
    routes(running)[f"{BASE}/deployments"] = many
    for one in many:
        routes(running)[f"{BASE}/deployments/{one['id']}/statuses"] = []
    found, resources = shipped("github.deployment")
    assert len(resources) == deploying.NEWEST
    assert {r.data["state"] for r in resources} == {None}
    assert not found.gaps


def test_runs_of_the_last_day_are_asked_for_and_their_titles_are_short(running: RestServer):
    run = {"id": 9, "path": ".github/workflows/ci.yml", "status": "completed", "event": "push",
           "head_sha": "abc", "display_title": "x" * 900, "actor": {"login": "anna", "email": "CANARY"},
           "head_commit": {"message": "CANARY"}}  # fmt: skip
    routes(running)[f"{BASE}/actions/runs"] = counted("workflow_runs", [run])
    _, (one,) = shipped("github.workflow_run")
    assert len(one.data["display_title"]) == 200
    assert "CANARY" not in json.dumps(one.data)
    asked = [r.query for r in running.requests if r.path == f"{BASE}/actions/runs"]
    assert {q["created"] for q in asked} == {">=2026-11-19T06:00:00Z"}
    assert NOW.isoformat().startswith("2026-11-20T06:00")


def test_a_refusal_names_what_to_grant(running: RestServer):
    routes(running)[f"{BASE}/deployments"] = denied("deployments=read")
    found, resources = shipped("github.deployment")
    assert not resources
    (gap,) = found.gaps
    assert gap.reason is Reason.DENIED
    assert "deployments" in gap.permission


def test_they_are_read_only_when_asked_for(running: RestServer):
    kinds = {"github.deployment", "github.workflow_run"}
    assert {name for name, kind in opened(ORG).kinds.items() if kind.live} == kinds
    found = collected(opened(ORG))
    assert not kinds & {c.partition.kind for c in found.coverage}
    assert len(Github.tables) - len(kinds) == len({c.partition.kind for c in found.coverage})
