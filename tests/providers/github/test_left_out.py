"""What GitHub leaves out of its answers without a refusal is said."""

from __future__ import annotations

from typing import Any

import pytest

from infrascan.collect.engine import Collected
from infrascan.model import Connection, Gap, Reason, State
from tests.providers.github.estate import (
    ORG,
    collected,
    of_repository,
    opened,
    organization,
    repository,
)
from tests.servers.github import TOKEN, Estate, Refusal, counted, denied, server
from tests.servers.proxy import Answer
from tests.servers.rest import Request, RestServer, json_answer

SIGN_ON = "required; url=https://github.com/orgs/acme/sso?authorization_request=CANARY"
INSTALLED = "/installation/repositories"


def routes(running: RestServer) -> dict[str, Any]:
    found: dict[str, Any] = running.answer.routes  # type: ignore[attr-defined]
    return found


def of(found: Collected, kind: str) -> list[Gap]:
    return [g for g in found.gaps if g.kind == kind]


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"public_repos": 1, "total_private_repos": 0}, ""),
        ({"public_repos": 1, "total_private_repos": 4}, "5 repositories, and the token sees 1"),
        ({"public_repos": 1}, "does not tell this token how many private"),
    ],
)
def test_repositories_that_the_token_does_not_see(
    running: RestServer, counts: dict[str, int], said: str
) -> None:
    routes(running)[f"/orgs/{ORG}"] = {"login": ORG, "id": 5, **counts}
    found = collected(opened(ORG))
    assert [r.id for r in found.resources if r.kind == "github.repository"] == [f"{ORG}/shop"]
    gaps = of(found, "github.repository")
    assert [(g.reason, g.call) for g in gaps] == (
        [(Reason.OUT_OF_SCOPE, "GET /orgs/{org}/repos")] if said else []
    )
    assert not said or said in gaps[0].detail
    assert not of(found, "github.organization")
    states = {c.partition.kind: c.state for c in found.coverage}
    assert states["github.webhook"] is (State.PARTIAL if said else State.READ)
    assert [r.path for r in running.requests].count(f"/orgs/{ORG}") == 2  # itself, and the count


def test_a_repository_that_was_named_is_all_that_was_wanted(running: RestServer) -> None:
    routes(running)[f"/orgs/{ORG}"] = {"login": ORG, "public_repos": 9, "total_private_repos": 9}
    assert not collected(opened(f"{ORG}/shop")).gaps


@pytest.mark.parametrize(
    ("selection", "whole"), [("all", True), ("selected", False), (None, False)]
)
def test_an_app_is_told_whether_it_was_given_all(
    monkeypatch: pytest.MonkeyPatch, selection: str | None, whole: bool
) -> None:
    made = {**organization(), **of_repository()}
    made["/user"] = Refusal(403, "Resource not accessible by integration")
    told = {"repository_selection": selection} if selection else {}
    made[INSTALLED] = {**counted("repositories", [repository()]), **told}
    with server(Estate(made, scopes=None)) as running:
        monkeypatch.setenv("GITHUB_API_URL", running.url)
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        found = collected(opened())
    gaps = of(found, "github.repository")
    assert bool(gaps) is not whole
    assert all(g.reason is Reason.OUT_OF_SCOPE for g in gaps)
    assert all("was given 1 chosen repositories" in g.detail for g in gaps)


@pytest.mark.parametrize(
    ("user", "scopes", "whole"),
    [
        ({}, "repo", True),
        ({}, "gist", False),
        ({}, None, False),
        ({"public_repos": 0, "owned_private_repos": 0}, None, True),
        ({"public_repos": 0, "owned_private_repos": 2}, None, False),
    ],
)
def test_the_own_repositories_of_a_user(
    monkeypatch: pytest.MonkeyPatch, user: dict[str, int], scopes: str | None, whole: bool
) -> None:
    made = {**organization(), **of_repository()}
    made["/user"] = {"login": "anna", "id": 1, "type": "User", **user}
    made["/user/orgs"] = []
    with server(Estate(made, scopes=scopes)) as running:
        monkeypatch.setenv("GITHUB_API_URL", running.url)
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        found = collected(opened())
    assert any(g.kind == "github.deploy_key" and g.reason is Reason.OUT_OF_SCOPE for g in found.gaps) is not whole  # fmt: skip


def test_another_user_shows_no_private_repository(running: RestServer) -> None:
    routes(running)["/users/berta"] = {"login": "berta", "id": 2, "type": "User"}
    routes(running)["/users/berta/repos"] = []
    gaps = of(collected(opened("berta")), "github.repository")
    assert "berta, who is another user" in gaps[0].detail


def test_public_members_alone_are_no_list_of_members(running: RestServer) -> None:
    """Without the right to see members, GitHub lists those who chose to be public, with 200."""
    routes(running)[f"/orgs/{ORG}/teams"] = denied("members=read")
    found = collected(opened(ORG))
    assert not [r for r in found.resources if r.kind == "github.member"]
    (gap,) = of(found, "github.member")
    assert (gap.reason, gap.permission) == (Reason.DENIED, "members: read")
    assert "only public members may be listed" in gap.detail
    organisation = next(r for r in found.resources if r.kind == "github.organization")
    assert organisation.unread["owners"].reason is Reason.DENIED
    assert organisation.unread["members_without_2fa"].reason is Reason.DENIED


def test_organisations_behind_single_sign_on_are_said(running: RestServer) -> None:
    def partial(request: Request) -> Answer | None:
        if request.path != "/user/orgs":
            return None
        header = "partial-results; organizations=21955855,20582480"
        return json_answer([{"login": ORG, "id": 5}], headers={"X-GitHub-SSO": header})

    running.fault = partial
    found = collected(opened())
    hidden = [i for i in found.identities if i.state is Connection.ERROR]
    assert [i.account for i in hidden] == ["organisation 20582480", "organisation 21955855"]
    assert {i.reason for i in hidden} == {Reason.DENIED}
    assert "Authorize" in hidden[0].remedy
    assert [g.account for g in found.gaps if g.account.startswith("organisation ")]


@pytest.mark.parametrize("status", [403, 404])
def test_single_sign_on_names_what_to_do(running: RestServer, status: int) -> None:
    refusal = Refusal(status, "Resource protected by organization SAML enforcement.", {"X-GitHub-SSO": SIGN_ON})  # fmt: skip
    routes(running)[f"/orgs/{ORG}/hooks"] = refusal
    (gap,) = of(collected(opened(ORG)), "github.organization_webhook")
    assert gap.reason is Reason.DENIED
    assert "Authorize" in gap.permission
    assert "CANARY" not in repr(gap)


def test_an_address_that_is_not_let_in_names_what_to_do(running: RestServer) -> None:
    routes(running)[f"/orgs/{ORG}/hooks"] = Refusal(
        403,
        "Although you appear to have the correct authorization credentials, the `acme` organization"
        " has an IP allow list enabled, and your IP address is not permitted to access this resource.",
    )
    (gap,) = of(collected(opened(ORG)), "github.organization_webhook")
    assert gap.reason is Reason.DENIED
    assert "scan from an address" in gap.detail
