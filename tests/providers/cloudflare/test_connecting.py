"""As whom Cloudflare is read: credentials of every kind, and scopes."""

from __future__ import annotations

import pytest
from fixtures.estates.cloudflare_acme import ACCOUNT, A
from fixtures.estates.cloudflare_acme_zones import OUTLET, SHOP

from infrascan.model import Connection, InputError, Reason
from tests.providers.cloudflare.reader import provider, read
from tests.servers.cloudflare import BASE, EMAIL, KEY, TOKEN, Estate, refused
from tests.servers.rest import RestServer

NOTHING = ("cloudflare.alerting.webhook",)  # a kind that is read with one call


def test_without_credentials_nothing_is_asked(
    running: RestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUDFLARE_BASE_URL", running.url + BASE)
    running.requests.clear()
    found = read(provider())
    assert [one.state for one in found.identities] == [Connection.NOT_CONFIGURED]
    assert "CLOUDFLARE_API_TOKEN" in found.identities[0].remedy
    assert not found.partitions
    assert not running.requests


def test_a_token_is_named_by_its_id_and_never_shown(server: RestServer) -> None:
    found = read(provider(), NOTHING)
    (identity,) = found.identities
    assert identity.state is Connection.CONNECTED
    assert (identity.account, identity.source) == (ACCOUNT, "CLOUDFLARE_API_TOKEN")
    assert identity.who == "API token 5d41402abc4b2a76b9719d911017c592 (Acme)"
    assert TOKEN not in repr(found)
    assert all(one.headers["authorization"] == f"Bearer {TOKEN}" for one in server.requests)


def test_a_wrong_token_is_an_error_with_a_remedy(
    server: RestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "another-token-that-is-not-known-there")
    (identity,) = read(provider()).identities
    assert identity.state is Connection.ERROR
    assert identity.reason is Reason.UNAUTHENTICATED
    assert "Invalid access token (code 9109)" in identity.detail
    assert "new API token" in identity.remedy


@pytest.mark.parametrize("status", ["expired", "disabled"])
def test_a_token_past_its_time_is_said(server: RestServer, acme: Estate, status: str) -> None:
    acme.verified = {"id": "t1", "status": status}
    (identity,) = read(provider()).identities
    assert (identity.state, identity.detail) == (Connection.ERROR, f"the token is {status}")


def test_a_token_of_an_account_is_asked_for_there(server: RestServer, acme: Estate) -> None:
    acme.refuse("/user/tokens/verify", 401, 1000, "Invalid API Token")
    acme.put(f"{A}/tokens/verify", {"id": "owned1", "status": "active"})
    (identity,) = read(provider(), NOTHING).identities
    assert identity.who == "API token owned1 (Acme)"


def test_a_token_that_may_not_know_itself_still_connects(server: RestServer, acme: Estate) -> None:
    acme.refuse("/user/tokens/verify", 401, 1000, "Invalid API Token")
    (identity,) = read(provider(), NOTHING).identities
    assert (identity.state, identity.who) == (Connection.CONNECTED, "API token (Acme)")


def test_a_token_for_zones_alone_finds_their_account(server: RestServer, acme: Estate) -> None:
    acme.refuse("/accounts", 403, 9109, "Unauthorized to access requested resource")
    (identity,) = read(provider(), NOTHING).identities
    assert (identity.state, identity.account) == (Connection.CONNECTED, ACCOUNT)


def test_a_token_that_opens_nothing_is_an_error(server: RestServer, acme: Estate) -> None:
    acme.put("/accounts", [])
    acme.put("/zones", [])
    (identity,) = read(provider()).identities
    assert (identity.state, identity.reason) == (Connection.ERROR, Reason.DENIED)
    assert "Zone Read" in identity.remedy


def test_the_global_key_is_used_with_its_mail(
    server: RestServer, acme: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CLOUDFLARE_API_TOKEN")
    monkeypatch.setenv("CLOUDFLARE_API_KEY", KEY)
    monkeypatch.setenv("CLOUDFLARE_EMAIL", EMAIL)
    acme.put("/user", {"id": "u1", "email": EMAIL})
    found = read(provider(), ("cloudflare.account",))
    (identity,) = found.identities
    assert identity.who == f"{EMAIL} with the Global API Key (Acme)"
    assert found.resources[0].data["scanned_with"] == "Global API Key"
    assert not any("authorization" in one.headers for one in server.requests)
    monkeypatch.setenv("CLOUDFLARE_API_KEY", "wrong")
    (identity,) = read(provider()).identities
    assert "Unknown X-Auth-Key" in identity.detail


def test_a_token_wins_over_a_key(server: RestServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDFLARE_API_KEY", KEY)
    monkeypatch.setenv("CLOUDFLARE_EMAIL", EMAIL)
    monkeypatch.setenv("CLOUDFLARE_API_USER_SERVICE_KEY", "v1.0-made-up")
    (identity,) = read(provider(), NOTHING).identities
    assert identity.source == "CLOUDFLARE_API_TOKEN"
    assert not any(
        "x-auth-key" in one.headers or "x-auth-user-service-key" in one.headers
        for one in server.requests
    )


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"CLOUDFLARE_API_KEY": KEY}, "CLOUDFLARE_EMAIL is not set"),
        ({"CLOUDFLARE_API_TOKEN": "two\nlines"}, "CLOUDFLARE_API_TOKEN holds spaces"),
        ({"CLOUDFLARE_API_TOKEN": "schlüssel"}, "CLOUDFLARE_API_TOKEN holds spaces"),
        ({"CLOUDFLARE_API_KEY": KEY, "CLOUDFLARE_EMAIL": "a b"}, "CLOUDFLARE_EMAIL holds spaces"),
    ],
)
def test_credentials_that_cannot_be_sent_are_said(
    server: RestServer, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], said: str
) -> None:
    monkeypatch.delenv("CLOUDFLARE_API_TOKEN")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    (identity,) = read(provider()).identities
    assert identity.state is Connection.ERROR
    assert said in identity.detail
    assert not server.requests


@pytest.mark.parametrize("base", ["http://127.0.0.1:9", "http://[bad", "no-url"])
def test_an_address_that_leads_nowhere_is_said(
    server: RestServer, monkeypatch: pytest.MonkeyPatch, base: str
) -> None:
    monkeypatch.setenv("CLOUDFLARE_BASE_URL", base)
    (identity,) = read(provider()).identities
    assert (identity.state, identity.reason) == (Connection.ERROR, Reason.UNREACHABLE)
    assert "CLOUDFLARE_BASE_URL" in identity.remedy


@pytest.mark.parametrize("name", [ACCOUNT, "Acme", "acme"])
def test_a_scope_is_the_id_or_name_of_an_account(server: RestServer, name: str) -> None:
    kinds = {one.kind for one in read(provider(name), NOTHING).partitions}
    assert {"cloudflare.zone", "cloudflare.tunnel", "cloudflare.user_token"} <= kinds


def test_a_chosen_zone_is_read_alone(server: RestServer) -> None:
    found = read(provider("acme-outlet.com"))
    assert {one.id for one in found.of("cloudflare.zone")} == {OUTLET}
    assert {one.data["zone_id"] for one in found.of("cloudflare.dns.record")} == {OUTLET}
    assert not found.of("cloudflare.tunnel")
    assert "cloudflare.tunnel" not in {one.kind for one in found.partitions}
    assert not any(SHOP in one.path for one in server.requests)


@pytest.mark.parametrize(("wrong", "near"), [("acme-shop.con", "acme-shop.com"), ("Acne", "Acme")])
def test_a_scope_that_does_not_exist_is_an_input_error(
    server: RestServer, wrong: str, near: str
) -> None:
    with pytest.raises(BaseException) as caught:
        read(provider(wrong))
    error = caught.value
    assert isinstance(error, InputError)
    assert f"did you mean {near}?" in str(error)


def test_a_second_account_is_an_identity_of_its_own(server: RestServer, acme: Estate) -> None:
    acme.results["/accounts"].append({"id": "b" * 32, "name": "Beta"})
    found = read(provider(), NOTHING)
    assert [one.account for one in found.identities] == [ACCOUNT, "b" * 32]
    assert {one.account for one in found.partitions} == {ACCOUNT, "b" * 32, "user"}
    assert [one.account for one in read(provider("Beta"), NOTHING).identities] == ["b" * 32]


def test_throttled_while_connecting_is_an_error_that_says_so(
    server: RestServer, acme: Estate
) -> None:
    acme.refusals["/accounts"] = refused(429, 971, "Please wait", {"retry-after": "3"})
    (identity,) = read(provider()).identities
    assert (identity.state, identity.reason) == (Connection.ERROR, Reason.THROTTLED)


def test_zones_that_a_token_may_hide_are_no_proof_of_absence(
    server: RestServer, acme: Estate
) -> None:
    acme.refuse("/accounts", 403, 9109, "Unauthorized to access requested resource")
    found = read(provider(), ("cloudflare.zone",))
    assert found.of("cloudflare.zone")
    error = found.errors["cloudflare.zone"]
    assert (error.reason, error.call) == (Reason.OUT_OF_SCOPE, "GET /zones")
    assert "may have zones that it hides" in error.detail
    chosen = read(provider("acme-shop.com"), ("cloudflare.zone",))
    assert not chosen.errors
