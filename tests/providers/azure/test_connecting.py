"""Signing in, and choosing subscriptions."""

from __future__ import annotations

from pathlib import Path

import pytest

from infrascan.model import Connection, Identity, InputError, Reason
from infrascan.providers import at_hand
from infrascan.providers.azure import signing
from tests.providers.azure.estate import ONE, TWO, scanned
from tests.servers.azure import SECRET, AzureServer, refused, token
from tests.servers.proxy import PAGE, RESET
from tests.servers.rest import Request


def identities(*scopes: str) -> list[Identity]:
    return list(scanned(*scopes).identities)


def test_nothing_is_asked_of_a_network_without_credentials(
    server: AzureServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("AZURE_CLIENT_ID")
    (found,) = identities()
    assert found.state is Connection.NOT_CONFIGURED
    assert "az login" in found.remedy
    for way in signing.WAYS:
        assert way.title in found.detail.partition("not set up here: ")[2]
    assert not server.requests


def test_a_client_secret_opens_every_subscription(server: AzureServer):
    found = identities()
    assert [identity.account for identity in found] == [ONE, TWO]
    assert {identity.state for identity in found} == {Connection.CONNECTED}
    assert found[0].who.startswith("application c11e47aa")
    assert "client secret" in found[0].source


def test_a_wrong_secret_is_an_error_in_one_line(
    server: AzureServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "wrong")
    (found,) = identities()
    assert found.state is Connection.ERROR
    assert found.reason is Reason.UNAUTHENTICATED
    assert "AADSTS7000215" in found.detail
    assert "Trace ID" not in found.detail and "\n" not in found.detail
    assert "client secret" in found.remedy


def test_a_token_that_ended_is_said(server: AzureServer):
    server.lifetime = 1
    server.fault = lambda request: (
        refused(401, "ExpiredAuthenticationToken", "The access token expiry UTC time has passed.")
        if request.path == "/subscriptions"
        else None
    )
    (found,) = identities()
    assert found.state is Connection.ERROR
    assert found.reason is Reason.UNAUTHENTICATED
    assert "ExpiredAuthenticationToken" in found.detail


def test_an_authority_that_does_not_answer_is_said(
    server: AzureServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", "https://localhost:9")
    (found,) = identities()
    assert found.state is Connection.ERROR
    assert "localhost:9" in found.detail
    assert "AZURE_AUTHORITY_HOST" in found.remedy


def test_an_identity_without_any_role_is_told_what_to_grant(server: AzureServer):
    server.estate.subscriptions = {}
    (found,) = identities()
    assert found.state is Connection.ERROR
    assert found.reason is Reason.DENIED
    assert "sees no subscription" in found.detail
    assert "Reader" in found.remedy


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (refused(403, "AuthorizationFailed"), Reason.DENIED),
        (PAGE, Reason.MALFORMED),
        (RESET, Reason.UNREACHABLE),
        (refused(500, "InternalServerError"), Reason.UNREACHABLE),
    ],
    ids=["denied", "page", "reset", "500"],
)
def test_a_failed_list_of_subscriptions_is_an_error(server: AzureServer, answer, reason, autojump):
    server.fault = lambda request: answer if request.path == "/subscriptions" else None
    (found,) = identities()
    assert found.state is Connection.ERROR
    assert found.reason is reason


@pytest.fixture
def autojump(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits between attempts take no time."""
    monkeypatch.setattr("infrascan.collect.asking.backoff", lambda *_: 0.0)


@pytest.mark.parametrize("scope", [f"subscriptions/{ONE}", ONE.upper(), "shop-prod", "SHOP-prod"])
def test_a_subscription_is_chosen_by_id_or_name(server: AzureServer, scope: str):
    (found,) = identities(scope)
    assert (found.account, found.state) == (ONE, Connection.CONNECTED)


def test_an_unknown_name_is_wrong_input_with_the_nearest(server: AzureServer):
    with pytest.raises(InputError, match="'shop-pord': did you mean shop-prod"):
        identities("shop-pord")


def test_an_unknown_sort_of_scope_is_wrong_input(server: AzureServer):
    with pytest.raises(InputError, match="management-groups/NAME"):
        identities("folders/1")


def test_a_subscription_that_is_not_visible_is_an_error_and_the_others_are_read(
    server: AzureServer,
):
    hidden = "99999999-0000-4000-8000-000000000009"
    found = {one.account: one for one in identities(f"subscriptions/{hidden}", ONE)}
    assert found[ONE].state is Connection.CONNECTED
    assert found[hidden].state is Connection.ERROR
    assert found[hidden].reason is Reason.DENIED
    assert "not visible" in found[hidden].detail


def test_a_management_group_opens_its_subscriptions(server: AzureServer):
    assert [one.account for one in identities("management-groups/shop")] == [ONE, TWO]


def test_a_management_group_that_is_denied_is_an_error(server: AzureServer):
    (found,) = identities("management-groups/other")
    assert found.state is Connection.ERROR
    assert found.account == "management-groups/other"
    assert found.reason is Reason.DENIED


def test_many_subscriptions_come_in_pages(server: AzureServer):
    server.page = 1
    assert len(identities()) == 2


@pytest.mark.parametrize(
    ("host", "endpoint"),
    [
        ("login.microsoftonline.us", "https://management.usgovcloudapi.net"),
        ("https://login.chinacloudapi.cn/", "https://management.chinacloudapi.cn"),
        ("", "https://management.azure.com"),
    ],
)
def test_each_cloud_has_its_own_endpoint(monkeypatch: pytest.MonkeyPatch, host, endpoint):
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", host)
    assert signing.endpoint() == endpoint


@pytest.mark.parametrize(
    ("wanted", "ways"),
    [
        ("", [way.name for way in signing.WAYS]),
        ("dev", ["cli", "developer_cli"]),
        ("prod", ["environment", "workload_identity", "managed_identity"]),
        ("AzureCliCredential", ["cli"]),
    ],
)
def test_the_ways_can_be_narrowed(monkeypatch: pytest.MonkeyPatch, wanted, ways):
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", wanted)
    assert [way.name for way in signing.chosen()] == ways


def script(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.fixture
def logged_in(server: AzureServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine on which the Azure CLI has been used, and nothing else."""
    for name in ("AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_TENANT_ID"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    (tmp_path / ".azure").mkdir()
    (tmp_path / ".azure" / "azureProfile.json").write_text("{}")
    return tmp_path


def test_the_azure_cli_signs_in(logged_in: Path):
    given = f'{{"accessToken": "{token(upn="ann@acme.example")}", "expiresOn": "2036-01-01 00:00:00.000000", "expires_on": 2082758400}}'
    script(logged_in, "az", f"cat <<'END'\n{given}\nEND")
    found = identities(ONE)
    assert [one.state for one in found] == [Connection.CONNECTED]
    assert found[0].who == "ann@acme.example"
    assert "az login" in found[0].source


def test_an_azure_cli_that_is_logged_out_is_not_configured(logged_in: Path):
    script(logged_in, "az", "echo \"ERROR: Please run 'az login' to setup account.\" >&2; exit 1")
    (found,) = identities()
    assert found.state is Connection.NOT_CONFIGURED
    assert "az login" in found.detail


def test_an_azure_cli_whose_session_ended_is_an_error(logged_in: Path):
    script(
        logged_in, "az", "echo 'ERROR: AADSTS700082: The refresh token has expired.' >&2; exit 1"
    )
    (found,) = identities()
    assert found.state is Connection.ERROR
    assert "AADSTS700082" in found.detail


def test_a_certificate_that_is_not_there_is_an_error(
    server: AzureServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("AZURE_CLIENT_SECRET")
    monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE_PATH", "/nowhere/client.pem")
    (found,) = identities()
    assert found.state is Connection.ERROR
    assert found.reason is Reason.UNAUTHENTICATED


def test_a_managed_identity_signs_in(server: AzureServer, monkeypatch: pytest.MonkeyPatch):
    """The endpoint of App Service, on the same loopback server."""
    for name in ("AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_TENANT_ID"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{server.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "header-of-the-sandbox")

    def identity(request: Request):
        if request.path != "/msi/token":
            return None
        from tests.servers.rest import json_answer

        return json_answer(
            {
                "access_token": token(),
                "expires_on": "4102444800",
                "resource": "r",
                "token_type": "B",
            }
        )

    server.fault = identity
    found = identities(ONE)
    assert [one.state for one in found] == [Connection.CONNECTED]
    assert found[0].source == "managed identity"


def test_a_workload_identity_signs_in(
    server: AzureServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("AZURE_CLIENT_SECRET")
    file = tmp_path / "token"
    file.write_text("token-of-the-pod")
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(file))

    def exchange(request: Request):
        if not request.path.endswith("/oauth2/v2.0/token"):
            return None
        assert b"client_assertion=token-of-the-pod" in request.seen.body
        from tests.servers.rest import json_answer

        return json_answer({"token_type": "Bearer", "expires_in": 3600, "access_token": token()})

    server.fault = exchange
    found = identities(ONE)
    assert "workload identity" in found[0].source


def test_the_token_and_the_secret_are_in_no_answer(server: AzureServer):
    found = scanned()
    told = repr(found.identities) + repr(found.gaps)
    assert SECRET not in told
    assert "eyJ" not in told


@pytest.mark.parametrize(
    "name", ["AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE", "IDENTITY_ENDPOINT", "MSI_ENDPOINT"]
)
def test_credentials_are_seen_without_looking_at_them(monkeypatch: pytest.MonkeyPatch, name: str):
    assert not at_hand.azure()
    monkeypatch.setenv(name, "x")
    assert at_hand.azure()
