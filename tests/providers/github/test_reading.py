"""Pages, refusals, rate limits, and what is left of an answer."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from infrascan.collect.provider import Call
from infrascan.collect.recording import Recorder, Replay
from infrascan.model import Gap, ReadError, Reason, Resource, State
from infrascan.providers.github import Github, alerts, answers, refusals
from infrascan.providers.github.repositories import access
from infrascan.providers.http import Answer as Received
from tests.providers.github.estate import (
    ORG,
    alone,
    collected,
    file,
    of_repository,
    opened,
    repository,
)
from tests.servers.github import NO_ALERTS, NOT_FOUND, UNPROTECTED, Refusal, counted, denied
from tests.servers.proxy import Answer
from tests.servers.rest import Request, RestServer, json_answer

OPERATIONS = Path(__file__).parents[3] / "fixtures" / "github" / "operations.txt"


def routes(running: RestServer) -> dict[str, Any]:
    found: dict[str, Any] = running.answer.routes  # type: ignore[attr-defined]
    return found


def one(found: Any, kind: str) -> Resource:
    return next(r for r in found.resources if r.kind == kind)


def gap(found: Any, kind: str) -> Gap:
    return next(g for g in found.gaps if g.kind == kind)


def of(api: str) -> Call:
    return Call(provider="github", account=ORG, region="", api=api)


def test_every_call_is_one_of_githubs():
    known = set(OPERATIONS.read_text().split("\n"))
    used = {
        call.api
        for listing in (*Github.tables, *alerts.OF_REPOSITORIES.values())
        for call in (listing, *listing.parents, *listing.details)
    }
    assert used <= known


def test_a_whole_organisation_is_read(running: RestServer):
    found = collected(opened(ORG), live=True)
    assert not found.gaps
    assert {r.kind for r in found.resources} == {table.kind for table in Github.tables}
    assert {c.state for c in found.coverage} == {State.READ}
    assert not [r.key for r in found.resources if r.unread]


def test_repositories_are_listed_once_for_all_kinds(running: RestServer):
    collected(opened(ORG))
    assert [r.path for r in running.requests].count(f"/orgs/{ORG}/repos") == 1


def test_only_questions_are_asked(running: RestServer):
    collected(opened(ORG))
    assert {r.method for r in running.requests} == {"GET"}
    assert {r.headers["x-github-api-version"] for r in running.requests} == {"2022-11-28"}


def test_pages_are_followed_to_the_end(running: RestServer):
    running.answer.page = 2  # type: ignore[attr-defined]
    routes(running)[f"/orgs/{ORG}/members"] = [{"login": f"m{n}", "id": n} for n in range(5)]
    routes(running)[f"/orgs/{ORG}/actions/secrets"] = counted(
        "secrets", [{"name": f"S{n}", "visibility": "all"} for n in range(5)]
    )
    found = collected(opened(ORG))
    assert sum(r.kind == "github.member" for r in found.resources) == 5
    assert sum(r.kind == "github.organization_secret" for r in found.resources) == 5


def test_a_list_that_ends_early_is_a_gap(running: RestServer):
    routes(running)[f"/orgs/{ORG}/actions/secrets"] = {"total_count": 9, "secrets": [{"name": "A"}]}
    found = collected(opened(ORG))
    assert gap(found, "github.organization_secret").reason is Reason.TRUNCATED


@pytest.mark.parametrize("page", ["1", "7"])
def test_pages_that_go_round_are_cut(running: RestServer, page: str):
    def fault(request: Request) -> Answer | None:
        if request.path != f"/orgs/{ORG}/teams":
            return None
        link = f'<https://api.github.com/x?per_page=100&page={page}>; rel="next"'
        return json_answer([{"slug": "a", "name": "a", "id": 1}], headers={"Link": link})

    running.fault = fault
    found = collected(opened(ORG))
    assert gap(found, "github.team").reason is Reason.TRUNCATED


def test_a_link_to_another_host_is_not_followed(running: RestServer):
    def fault(request: Request) -> Answer | None:
        if request.path != f"/orgs/{ORG}/hooks" or request.query.get("page"):
            return None
        link = '<https://evil.example/steal?page=2>; rel="next"'
        return json_answer([{"id": 1, "config": {}}], headers={"Link": link})

    running.fault = fault
    found = collected(opened(ORG))
    assert not [g for g in found.gaps if g.kind == "github.organization_webhook"]
    assert any(
        r.path == f"/orgs/{ORG}/hooks" and r.query == {"page": "2"} for r in running.requests
    )


def test_one_repository_of_several_is_denied(running: RestServer):
    routes(running)[f"/orgs/{ORG}/repos"].append(repository("closed"))
    routes(running).update(of_repository("closed"))
    routes(running)[f"/repos/{ORG}/closed/hooks"] = denied("repository_hooks=read")
    found = collected(opened(ORG))
    told = gap(found, "github.webhook")
    assert told.reason is Reason.DENIED
    assert told.permission == "repository_hooks: read"
    assert told.detail.startswith("1 of 2 lists failed, the first for closed:")
    assert [r.id for r in found.resources if r.kind == "github.webhook"] == [f"{ORG}/shop/4"]


def test_an_archived_repository_is_spared(running: RestServer):
    routes(running)[f"/orgs/{ORG}/repos"] = [repository(archived=True)]
    routes(running)[f"/repos/{ORG}/shop"] = repository(archived=True)
    found = collected(opened(ORG))
    assert not found.gaps
    below = {r.path for r in running.requests if r.path.startswith(f"/repos/{ORG}/shop/")}
    assert below == {f"/repos/{ORG}/shop/pages"}  # the site is still served


NO_PLAN = Refusal(
    403, "Upgrade to GitHub Pro or make this repository public to enable this feature."
)
ABSENT = [
    ("branches/main/protection", UNPROTECTED, "branch_protection"),
    ("branches/main/protection", NO_PLAN, "branch_protection"),
    ("rules/branches/main", NO_PLAN, "branch_rules"),
    ("branches/main/protection", Refusal(message="Branch not found"), "branch_protection"),
    ("vulnerability-alerts", NO_ALERTS, "vulnerability_alerts"),
    ("codeowners/errors", NOT_FOUND, "codeowners"),
    ("contents/.github", NOT_FOUND, "github_files"),
    ("contents/", Refusal(message="This repository is empty."), "root_files"),
    (
        "code-scanning/default-setup",
        Refusal(403, "Code Security must be enabled for this repository to use code scanning."),
        "code_scanning",
    ),
]


@pytest.mark.parametrize(("path", "refusal", "field"), ABSENT, ids=lambda v: str(v)[:20])
def test_what_is_surely_not_there_is_none(
    running: RestServer, path: str, refusal: Refusal, field: str
):
    routes(running)[f"/repos/{ORG}/shop/{path}"] = refusal
    shop = one(collected(opened(ORG)), "github.repository")
    assert field not in shop.unread
    assert shop.data[field] is None


HIDDEN = [
    ("branches/main/protection", NOT_FOUND, "branch_protection", Reason.DENIED),
    ("vulnerability-alerts", NOT_FOUND, "vulnerability_alerts", Reason.DENIED),
    ("actions/permissions", NOT_FOUND, "actions_permissions", Reason.DENIED),
    ("pages", NOT_FOUND, "pages", Reason.DENIED),
    ("collaborators", denied("metadata=read"), "direct_access", Reason.DENIED),
]


@pytest.mark.parametrize(("path", "refusal", "field", "reason"), HIDDEN)
def test_what_may_be_hidden_is_unread(
    running: RestServer, path: str, refusal: Refusal, field: str, reason: Reason
):
    routes(running)[f"/repos/{ORG}/shop/{path}"] = refusal
    shop = one(collected(opened(ORG)), "github.repository")
    assert field not in shop.data
    assert shop.unread[field].reason is reason
    assert shop.unread[field].permission


def test_alerts_that_are_off_are_no_empty_list(running: RestServer):
    off = Refusal(404, "Secret scanning is disabled on this repository.")
    routes(running)[f"/repos/{ORG}/shop/secret-scanning/alerts"] = off
    found = collected(opened(f"{ORG}/shop"))
    assert gap(found, "github.secret_scanning_alert").reason is Reason.DISABLED


def test_code_that_was_never_analysed_has_no_alerts(running: RestServer):
    never = Refusal(404, "no analysis found")
    routes(running)[f"/repos/{ORG}/shop/code-scanning/alerts"] = never
    assert not collected(opened(f"{ORG}/shop")).gaps


def limited(**headers: str) -> Answer:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return json_answer({"message": "API rate limit exceeded for user ID 1."}, 403, names)


SLOW = [
    (json_answer({"message": "slow down"}, 429, {"Retry-After": "2"}), (2, 2)),
    (json_answer({"message": "You have exceeded a secondary rate limit."}, 403), (60, 60)),
    (limited(Retry_After="90"), (90, 90)),
    (
        # Far enough away that a slow machine, which comes here minutes after, is still before it.
        limited(X_RateLimit_Remaining="0", X_RateLimit_Reset=str(int(time.time()) + 90_000)),
        (80_000, 90_000),
    ),
    (limited(X_RateLimit_Remaining="0", X_RateLimit_Reset="5"), (1, 1)),
]


@pytest.mark.parametrize(("answer", "wait"), SLOW)
def test_a_rate_limit_says_how_long_to_wait(
    running: RestServer, answer: Answer, wait: tuple[float, float]
):
    running.fault = lambda _: answer
    error = refused(opened(ORG))
    assert error.reason is Reason.THROTTLED
    assert wait[0] <= (error.retry_after or 0) <= wait[1]


def test_a_rate_limit_without_a_time_is_one_too(running: RestServer):
    running.fault = lambda _: json_answer({"message": "slow down"}, 429)
    error = refused(opened(ORG))
    assert (error.reason, error.retry_after) == (Reason.THROTTLED, None)


def refused(provider: Github) -> ReadError:
    """The error of one call."""
    call = Call(
        provider="github", account=ORG, region="", api="GET /orgs/{org}", params={"org": ORG}
    )

    with pytest.raises(ReadError) as told:
        alone(provider, lambda: provider.send(call))
    return told.value


def test_no_more_than_twenty_calls_are_in_flight(running: RestServer):
    assert opened().places.total_tokens == 20


def test_single_sign_on_is_named():
    answer = Received(403, {"x-github-sso": "required; url=x"}, {"message": "Forbidden"})
    error = refusals.refusal(answer)
    assert error is not None
    assert "single sign-on" in error.detail


def test_secrets_and_links_are_left_out(running: RestServer):
    found = collected(opened(ORG))
    text = repr([r.data for r in found.resources])
    assert "CANARY" not in text
    assert "hooks_url" not in text
    hook = one(found, "github.webhook").data["config"]
    assert hook == {"url": "https://x.example", "has_secret": True}
    assert one(found, "github.organization_webhook").data["config"]["url"] == "https://x.example/"


def test_keys_in_the_path_of_a_webhook_do_not_arrive():
    urls = {
        "https://discord.com/api/webhooks/1141/aB3-canary_canary_canary/github": (
            "https://discord.com/api/webhooks/1141/[redacted]/github"
        ),
        "https://very-long-name-of-a-host.example/github-webhook/": (
            "https://very-long-name-of-a-host.example/github-webhook/"
        ),
        "http://ci.example:8080/hook?key=canary": "http://ci.example:8080/hook",
    }
    body = [{"id": 1, "config": {"url": url}} for url in urls]

    found = answers.received(of("GET /orgs/{org}/hooks"), Received(200, {}, body))

    assert [hook["config"]["url"] for hook in found["items"]] == list(urls.values())


def test_of_an_alert_no_words_of_people_are_kept():
    names = ("secret", "resolution_comment", "closure_request_comment")
    more = ("closure_request_reviewer_comment", "push_protection_bypass_request_reviewer_comment")
    body = [{"number": 1, **dict.fromkeys((*names, *more), "canary")}]

    found = answers.received(of("GET /orgs/{org}/secret-scanning/alerts"), Received(200, {}, body))

    assert found == {"items": [{"number": 1}]}


def test_people_without_permissions_are_sorted_by_their_role():
    people = [
        {"login": "a", "role_name": "admin"},
        {"login": "b", "role_name": "maintain"},
        {"login": "c", "role_name": "triage"},
        {"login": "d", "role_name": "own", "permissions": {"admin": False, "push": True}},
    ]

    assert access(people) == {"admins": ["a"], "writers": ["b", "d"], "readers": ["c"]}
    with pytest.raises(KeyError):  # a role of the organisation's own may hold anything
        access([{"login": "e", "role_name": "own"}])


def test_a_seat_of_nobody_is_a_seat(running: RestServer):
    seats = {
        "seats": [
            {"created_at": "2026-01-02T00:00:00Z", "assignee": None},
            {"created_at": "2026-01-03T00:00:00Z", "assignee": {"login": "anna"}},
        ]
    }
    routes(running)[f"/orgs/{ORG}/copilot/billing/seats"] = seats

    found = collected(opened(ORG))

    ids = [seat.id for seat in found.resources if seat.kind == "github.copilot_seat"]
    assert sorted(ids) == ["2026-01-02T00:00:00Z", "anna"]


def test_a_bill_is_added_up(running: RestServer):
    found = collected(opened(ORG))
    line = one(found, "github.usage").data
    assert (line["quantity"], line["netAmount"], line["month"]) == (3.0, 0.75, "2026-10")
    asked = next(r for r in running.requests if r.path.endswith("/billing/usage"))
    assert asked.query == {"year": "2026", "month": "10"}


def test_a_deleted_workflow_has_no_facts(running: RestServer):
    routes(running)[f"/repos/{ORG}/shop/contents/.github/workflows/ci.yml"] = NOT_FOUND
    flow = one(collected(opened(ORG)), "github.workflow")
    assert "workflow" not in flow.data
    assert not flow.unread


@pytest.mark.parametrize(
    "body",
    [
        {"encoding": "none", "content": ""},
        {"type": "file"},
        {"encoding": "base64", "content": "*"},
        {"encoding": "base64", "content": "//79"},
        file("jobs: ["),
        file("just text"),
        file("a: " + "[" * 5000),
    ],
)
def test_a_workflow_that_cannot_be_read_is_unread(running: RestServer, body: dict[str, Any]):
    routes(running)[f"/repos/{ORG}/shop/contents/.github/workflows/ci.yml"] = body
    flow = one(collected(opened(ORG)), "github.workflow")
    assert flow.unread["workflow"].reason is Reason.MALFORMED
    assert "workflow" not in flow.data


def test_fields_that_nobody_knows_are_kept(running: RestServer):
    routes(running)[f"/repos/{ORG}/shop"] = repository(new_field={"a": 1})
    assert one(collected(opened(ORG)), "github.repository").data["new_field"] == {"a": 1}


def test_an_item_without_a_name_is_a_gap(running: RestServer):
    routes(running)[f"/orgs/{ORG}/teams"] = [{"id": 1}]
    assert gap(collected(opened(ORG)), "github.team").reason is Reason.MALFORMED


def test_a_replay_reads_the_same(running: RestServer, tmp_path: Path):
    recorder = Recorder.create(tmp_path / "kept", {})
    live = collected(opened(), recorder=recorder)
    recorder.close()
    asked = running.calls
    again = collected(opened(), replay=Replay.open(tmp_path / "kept"))
    assert running.calls == asked
    assert [(r.key, r.data, r.unread) for r in again.resources] == [
        (r.key, r.data, r.unread) for r in live.resources
    ]
    assert again.identities == live.identities


def test_the_least_privilege_is_told():
    found = opened().permissions()
    assert found["fine_grained"]["repository"]["administration"] == "read"
    assert found["fine_grained"]["organization"]["members"] == "read"
    assert set(found["fine_grained"]["repository"].values()) == {"read"}
