"""Every call fails in every way, and is said."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from functools import cache

import pytest

from infrascan.providers.github import Github, alerts
from infrascan.providers.github.answers import WORKFLOW_FILE
from infrascan.providers.github.reading import Owner
from infrascan.providers.rest.tables import Listing
from tests.providers.github.estate import ORG, alone, estate, opened
from tests.providers.rest_faults import FAULTS, Case, cases, check
from tests.servers.github import TOKEN, server
from tests.servers.rest import Request, RestServer

LISTED = "GET /orgs/{org}/repos"


@pytest.fixture(scope="module")
def shared() -> Iterator[RestServer]:
    with server(estate()) as found:
        yield found


@cache
def owners(url: str, *scopes: str) -> Github:
    """A provider that has looked around, once for all cases."""
    provider = opened(*scopes)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GITHUB_API_URL", url)
        patch.setenv("GITHUB_TOKEN", TOKEN)
        alone(provider, lambda: provider.connect(provider.send))
    return provider


def connected(url: str, case: Case, *scopes: str) -> Github:
    """A fresh provider that knows whom to read; of the details it only asks for the case's."""
    before, provider = owners(url, *scopes), opened(*scopes)
    provider.credentials = before.credentials
    provider.accounts = before.accounts
    provider.owners = {
        login: Owner(login, type=owner.type, only=owner.only)
        for login, owner in before.owners.items()
    }
    listing = provider.listings[case.listing.kind]
    asked = tuple(d for d in listing.details if d.api in {case.api, WORKFLOW_FILE})
    narrow = dataclasses.replace(listing, details=asked)
    provider.__dict__["listings"] = {listing.kind: narrow}  # in the place of the cached property
    return provider


def same() -> Callable[[Request, str], bool]:
    """Whether a request is a call: files of workflows have names of their own."""

    def matches(request: Request, api: str) -> bool:
        return request.match(api.replace("{file}", "ci.yml")) is not None

    return matches


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("case", cases(Github.tables), ids=str)
def test_a_failed_call_is_said(shared: RestServer, case: Case, fault: str):
    provider = connected(shared.url, case, ORG)
    check(provider, shared, case, fault, same())


REPEATED = [case for case in cases(list(alerts.OF_REPOSITORIES.values())) if case.api != LISTED]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("case", REPEATED, ids=str)
def test_a_failed_list_of_one_repository_is_said(shared: RestServer, case: Case, fault: str):
    provider = connected(shared.url, case, f"{ORG}/shop")
    check(provider, shared, case, fault, same())


def test_every_table_is_in_the_small_organisation(shared: RestServer):
    tables: tuple[Listing, ...] = Github.tables
    assert len({listing.kind for listing in tables}) == len(tables) == 27
