"""What a workflow does, from its file."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from infrascan.providers.github import schedules, shipping
from infrascan.providers.github.workflows import facts


def flow(job: dict[str, Any], **more: Any) -> dict[str, Any]:
    text = yaml.safe_dump(
        {"on": "push", **more, "jobs": {"a": {"runs-on": "ubuntu-latest", **job}}}
    )
    return facts(text, "acme", "shop")


def step(**given: Any) -> dict[str, Any]:
    found: dict[str, Any] = flow({"steps": [given]})["workflow"]
    return found


@pytest.mark.parametrize(
    ("text", "triggers"),
    [
        ("on: push", ["push"]),
        ("on: [pull_request, push]", ["pull_request", "push"]),
        ("on: {issues: {types: [opened]}, push: }", ["issues", "push"]),
        ('"on": push', ["push"]),
        ("name: none", []),
    ],
)
def test_triggers(text: str, triggers: list[str]):
    found = facts(f"{text}\njobs: {{a: {{runs-on: x}}}}", "acme", "shop")
    assert found["workflow"]["triggers"] == triggers


@pytest.mark.parametrize(
    ("uses", "publisher", "kind", "pinned", "moving"),
    [
        ("actions/checkout@v5", "github", "action", False, False),
        ("github/codeql-action/init@v4", "github", "action", False, False),
        ("Acme/tool@main", "own", "action", False, True),
        ("vendor/tool@" + "a1" * 20, "other", "action", True, False),
        ("vendor/tool@a1b2c3d", "other", "action", False, False),
        ("vendor/tool", "other", "action", False, True),
        ("./.github/actions/x", "own", "local", True, False),
        ("docker://alpine:3", "other", "docker", False, True),
        ("docker://alpine@sha256:00", "other", "docker", True, False),
    ],
)
def test_uses(uses: str, publisher: str, kind: str, pinned: bool, moving: bool):
    (found,) = step(uses=uses)["uses"]
    assert (found["publisher"], found["kind"]) == (publisher, kind)
    assert (found["pinned"], found["moving"]) == (pinned, moving)


def test_reusable_workflows():
    found = flow({"uses": "vendor/flows/.github/workflows/x.yml@v1", "secrets": "inherit"})
    (used,) = found["workflow"]["uses"]
    assert (used["kind"], used["secrets_inherit"], used["repo"]) == (
        "workflow",
        True,
        "vendor/flows",
    )


@pytest.mark.parametrize(
    ("given", "expression"),
    [
        ({"run": "echo ${{ github.event.issue.title }}"}, "github.event.issue.title"),
        ({"run": "echo ${{github.head_ref}}"}, "github.head_ref"),
        (
            {"run": "echo ${{ format('{0}', github.event.comment.body) }}"},
            "github.event.comment.body",
        ),
        (
            {
                "uses": "actions/github-script@v8",
                "with": {"script": "x(`${{ github.event.pull_request.head.ref }}`)"},
            },
            "github.event.pull_request.head.ref",
        ),
        ({"run": "echo ${{ github.event.issue.number }}"}, None),
        ({"run": "echo $TITLE", "env": {"TITLE": "${{ github.event.issue.title }}"}}, None),
        ({"run": "echo github.event.issue.title"}, None),
        ({"uses": "x/y@v1", "with": {"title": "${{ github.event.issue.title }}"}}, None),
    ],
)
def test_strangers_text_in_programs(given: dict[str, Any], expression: str | None):
    assert [u["expression"] for u in step(**given)["untrusted"]] == (
        [expression] if expression else []
    )


@pytest.mark.parametrize(
    ("given", "fetched"),
    [
        (
            {
                "uses": "actions/checkout@v5",
                "with": {"ref": "${{ github.event.pull_request.head.sha }}"},
            },
            True,
        ),
        (
            {
                "uses": "actions/checkout@v5",
                "with": {"ref": "refs/pull/${{ github.event.number }}/merge"},
            },
            True,
        ),
        (
            {
                "uses": "actions/checkout@v5",
                "with": {"ref": "${{ github.event.workflow_run.head_sha }}"},
            },
            True,
        ),
        ({"run": "gh pr checkout 5"}, True),
        ({"run": "git fetch origin pull/5/head"}, True),
        ({"uses": "actions/checkout@v5"}, False),
        ({"uses": "actions/checkout@v5", "with": {"ref": "main"}}, False),
        ({"run": "git fetch origin main"}, False),
    ],
)
def test_checkouts_of_proposed_code(given: dict[str, Any], fetched: bool):
    assert bool(step(**given)["head_checkouts"]) == fetched


FETCH = {
    "uses": "actions/checkout@v5",
    "with": {"ref": "${{ github.event.pull_request.head.sha }}"},
}
SAME = "github.event.pull_request.head.repo.full_name == github.repository"


@pytest.mark.parametrize(
    ("on", "job", "guarded"),
    [
        ("pull_request_target", {}, False),
        ("pull_request_target", {"if": SAME}, True),
        ("pull_request_target", {"if": "always()"}, False),
        ("pull_request_target", {"if": "github.actor != 'dependabot[bot]'"}, False),
        ("pull_request_target", {"if": SAME.replace("==", "!=")}, False),
        (
            "pull_request_target",
            {"if": "!contains(github.event.pull_request.labels.*.name, 'wip')"},
            False,
        ),
        (
            "pull_request_target",
            {"if": "contains(github.event.pull_request.labels.*.name, 'ok')"},
            True,
        ),
        ("pull_request_target", {"if": "!github.event.pull_request.head.repo.fork"}, True),
        ("pull_request_target", {"steps": [{**FETCH, "if": SAME}]}, True),
        ({"pull_request_target": {"types": ["labeled"]}}, {}, True),
        ({"pull_request_target": {"types": ["opened", "labeled"]}}, {}, False),
        ({"pull_request_target": None}, {"if": "github.actor == 'dependabot[bot]'"}, True),
    ],
)
def test_jobs_that_ask_who_started_them(on: Any, job: dict[str, Any], guarded: bool):
    (found,) = flow({"steps": [FETCH], **job}, on=on)["workflow"]["head_checkouts"]
    assert found["guarded"] is guarded


@pytest.mark.parametrize(
    ("declared", "found"),
    [
        ("write-all", {"all": "write"}),
        ("read-all", {"all": "read"}),
        ({"contents": "read", "id-token": "write"}, {"contents": "read", "id-token": "write"}),
        ({}, {}),
    ],
)
def test_permissions(declared: Any, found: dict[str, str]):
    whole = flow({}, permissions=declared)["workflow"]
    assert whole["permissions"] == found
    assert whole["permissions_declared"]
    assert whole["id_token"] == ("write" in {found.get("all"), found.get("id-token")})
    assert not flow({})["workflow"]["permissions_declared"]


@pytest.mark.parametrize(
    ("job", "facts_of_job"),
    [
        ({"runs-on": ["self-hosted", "linux"]}, {"self_hosted": True}),
        ({"runs-on": {"group": "builds"}}, {"self_hosted": True}),
        ({"runs-on": "macos-15"}, {"macos": True, "larger_runner": False}),
        ({"runs-on": "macos-15-xlarge"}, {"macos": True, "larger_runner": True}),
        ({"runs-on": "ubuntu-latest-8-cores"}, {"larger_runner": True}),
        (
            {
                "runs-on": "${{ matrix.os }}",
                "strategy": {"matrix": {"os": ["macos-15", "ubuntu-latest"]}},
            },
            {"macos": True},
        ),
        (
            {
                "runs-on": "${{ matrix.os }}",
                "strategy": {"matrix": {"include": [{"os": "windows-2025"}]}},
            },
            {"windows": True},
        ),
        (
            {"runs-on": "${{ matrix.os }}", "strategy": {"matrix": "${{ fromJSON(x) }}"}},
            {"macos": False},
        ),
        ({"timeout-minutes": 5}, {"timeout_declared": True, "timeout_minutes": 5}),
        ({"timeout-minutes": "${{ vars.T }}"}, {"timeout_declared": True, "timeout_minutes": None}),
        ({}, {"timeout_declared": False}),
        ({"environment": "production"}, {"environment": "production"}),
        ({"environment": {"name": "production", "url": "x"}}, {"environment": "production"}),
        ({"concurrency": "x"}, {"concurrency": True}),
    ],
)
def test_jobs(job: dict[str, Any], facts_of_job: dict[str, Any]):
    (found,) = flow(job)["workflow"]["jobs"]
    assert {name: found[name] for name in facts_of_job} == facts_of_job


def test_environments_have_ids():
    assert flow({"environment": "production"})["environment_ids"] == ["acme/shop/production"]
    assert flow({"environment": "${{ inputs.to }}"})["environment_ids"] == []


def test_containers():
    job = {"container": {"image": "node:24"}, "services": {"db": {"image": "postgres@sha256:0"}}}
    assert [(c["image"], c["pinned"]) for c in flow(job)["workflow"]["containers"]] == [
        ("node:24", False),
        ("postgres@sha256:0", True),
    ]


def test_secrets_in_plain_text_are_named_not_kept():
    found = flow(
        {"env": {"DB_PASSWORD": "CANARY", "KEY": "AKIA" + "IOSFODNN7EXAMPLE"}},
        env={"TOKEN": "${{ secrets.T }}"},
    )
    assert found["workflow"]["plain_secrets"] == [
        {"name": "DB_PASSWORD", "class": "password", "job": "a"},
        {"name": "KEY", "class": "aws-access-key", "job": "a"},
    ]
    assert found["workflow"]["secrets"] == ["T"]
    assert "CANARY" not in repr(found)
    assert "AKIA" not in repr(found)


@pytest.mark.parametrize(
    ("cron", "runs", "every"),
    [
        ("*/5 * * * *", 288, 5),
        ("0 * * * *", 24, 60),
        ("0,7 9-17 * * 1-5", 18, 7),
        ("30 4 * * 1", 1, 1440),
        ("5/20 * * * *", 72, 20),
    ],
)
def test_schedules(cron: str, runs: int, every: int):
    (found,) = schedules.of({"schedule": [{"cron": cron}]})
    assert (found["runs_per_day"], found["every_minutes"]) == (runs, every)


@pytest.mark.parametrize("cron", ["@hourly", "61 * * * *", "x * * * *", "* * *", "*/0 99 * * *"])
def test_a_schedule_that_is_not_understood_is_kept(cron: str):
    assert schedules.of({"schedule": [{"cron": cron}]}) == [{"cron": cron}]


def test_identities_in_clouds():
    found = flow(
        {
            "steps": [
                {
                    "uses": "aws-actions/configure-aws-credentials@v5",
                    "with": {"role-to-assume": "arn:aws:iam::111122223333:role/ci/deploy"},
                },
                {
                    "uses": "google-github-actions/auth@v3",
                    "with": {"service_account": "ci-deploy@acme.iam.gserviceaccount.com"},
                },
                {
                    "uses": "azure/login@v2",
                    "with": {"client-id": "0a1b2c3d-0000-4000-8000-0a1b2c3d4e5f"},
                },
            ]
        }
    )
    assert found["aws_roles"] == ["arn:aws:iam::111122223333:role/ci/deploy"]
    assert found["gcp_service_accounts"] == ["ci-deploy@acme.iam.gserviceaccount.com"]
    assert found["azure_client_ids"] == ["0a1b2c3d-0000-4000-8000-0a1b2c3d4e5f"]


@pytest.mark.parametrize(
    ("given", "images"),
    [
        ({"run": "docker push ghcr.io/acme/shop:1"}, ["ghcr.io/acme/shop"]),
        ({"run": "docker push --all-tags ghcr.io/acme/shop"}, ["ghcr.io/acme/shop"]),
        (
            {"run": "docker push $IMAGE:$TAG", "env": {"IMAGE": "reg.example:5000/a"}},
            ["reg.example:5000/a"],
        ),
        ({"run": "docker push ghcr.io/${{ github.repository }}:x"}, ["ghcr.io/acme/shop"]),
        ({"run": "docker push ${{ steps.x.outputs.image }}"}, []),
        (
            {
                "uses": "docker/build-push-action@v6",
                "with": {"push": True, "tags": "ghcr.io/a/b:1\nghcr.io/a/c:1"},
            },
            ["ghcr.io/a/b", "ghcr.io/a/c"],
        ),
        (
            {
                "uses": "docker/build-push-action@v6",
                "with": {"push": False, "tags": "ghcr.io/a/b:1"},
            },
            [],
        ),
    ],
)
def test_images_that_are_pushed(given: dict[str, Any], images: list[str]):
    assert flow({"steps": [given]})["images"] == images


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "jobs: 3", "jobs:\n\t- x", "a: &a [*a]", "jobs: {a: !!python/object:os.x {}}"),
        *("x" * (2 << 20), "jobs: {" + ", ".join(f"j{n}: {{}}" for n in range(2100)) + "}"),
    ],
    ids=lambda text: text[:12],
)
def test_what_is_no_workflow(text: str):
    with pytest.raises(ValueError, match="it "):
        facts(text, "acme", "shop")


@pytest.mark.parametrize(
    "text",
    [
        "on: 3\njobs: {a: null, b: 3, c: {steps: 3}, d: {steps: [3, {uses: 3, with: 3, env: 3}]}}",
        "on: {schedule: [3, {cron: 3}]}\njobs: {a: {runs-on: {labels: 3}, strategy: {matrix: 3}}}",
        "permissions: none\nconcurrency: x\nenv: [3]\njobs: {a: {permissions: 3, services: [3]}}",
    ],
)
def test_odd_files_do_no_harm(text: str):
    assert facts(text, "acme", "shop")["workflow"]["jobs"]


def test_aliases_in_a_circle_end():
    document: dict[str, Any] = {"a": ["x"]}
    document["a"].append(document)
    assert list(shipping.strings(document)) == ["x"]
