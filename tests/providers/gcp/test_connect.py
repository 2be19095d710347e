"""As whom projects are read, and what is said when they cannot be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import trio

from infrascan.model import Connection, Identity, InputError, Reason
from infrascan.providers.gcp.sending import endpoint
from tests.providers.gcp.conftest import Start
from tests.providers.gcp.estate import ORGANIZATION, PROJECT, Reader, everything, project
from tests.servers.gcp import GcpServer
from tests.servers.rest import json_answer


def identities(*scopes: str) -> list[Identity]:
    return trio.run(Reader(*scopes).connect)


def only(*scopes: str) -> Identity:
    (found,) = identities(*scopes)
    return found


def test_nothing_is_asked_without_credentials():
    reader = Reader()
    (found,) = trio.run(reader.connect)
    assert found.state is Connection.NOT_CONFIGURED
    assert "gcloud auth application-default login" in found.remedy
    assert [call.api for call in reader.calls] == ["local.Credentials"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        ("not json", "not JSON"),
        ("[]", "of type ''"),
        ('{"type": "made_up"}', "of type 'made_up'"),
        ('{"type": "service_account"}', "Failed to load"),
        ('{"type": "service_account", "client_email": "a@b", "token_uri": "x", "private_key": "y"}', "Failed to load"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_key(
    content: str | None, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    place = tmp_path / "key.json"
    if content is not None:
        place.write_text(content)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(place))
    found = only("projects/acme-analytics")
    assert found.state is Connection.ERROR
    assert found.reason is Reason.UNAUTHENTICATED
    assert said in found.detail
    assert found.remedy
    assert str(tmp_path) not in f"{found}"


def test_a_service_accounts_key(server: GcpServer):
    found = only()
    assert found.state is Connection.CONNECTED
    assert found.account == f"projects/{PROJECT}"
    assert found.who == f"infrascan@{PROJECT}.iam.gserviceaccount.com"
    assert "GOOGLE_APPLICATION_CREDENTIALS" in found.source
    assert server.tokens == 1


def test_an_expired_key(server: GcpServer):
    server.grant = json_answer({"error": "invalid_grant", "error_description": "Invalid JWT"}, 400)
    found = only()
    assert found.state is Connection.ERROR
    assert found.reason is Reason.UNAUTHENTICATED
    assert "expired, revoked" in found.detail
    assert "new key" in found.remedy
    assert not server.listed


def test_a_token_that_is_not_taken_is_forgotten(server: GcpServer):
    reader = Reader()
    server.valid = "first"
    trio.run(reader.connect)
    server.valid = "second"
    (found,) = trio.run(reader.connect)
    assert found.reason is Reason.UNAUTHENTICATED
    (found,) = trio.run(reader.connect)
    assert found.state is Connection.CONNECTED


def test_a_token_endpoint_that_is_not_there(
    server: GcpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    key = server.key(tmp_path, token_uri="http://localhost:1/token")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key))
    found = only()
    assert found.state is Connection.ERROR
    assert found.reason is Reason.UNREACHABLE


def test_a_users_login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "gcloud"))
    home = tmp_path / "gcloud"
    home.mkdir()
    (home / "application_default_credentials.json").write_text(
        json.dumps(
            {
                "type": "authorized_user",
                "client_id": "a",
                "client_secret": "b",
                "refresh_token": "c",
                "quota_project_id": PROJECT,
            }
        )
    )
    reader = Reader()
    found = trio.run(reader.ask_local)
    assert "gcloud" in found["source"]
    assert (found["who"], found["project"]) == ("a Google user", PROJECT)


def test_the_project_that_pays_is_named_in_both_forms(
    server: GcpServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("GOOGLE_CLOUD_QUOTA_PROJECT", "acme-billing")
    trio.run(Reader().kind, "gcp.dns.resource_record_set")
    assert server.listed[-1]["metadata"]["x-goog-user-project"] == "acme-billing"
    asked = [r for r in server.rest.requests if "/at-dns/" in r.path]
    assert {request.headers["x-goog-user-project"] for request in asked} == {"acme-billing"}


def test_workload_identity_federation(
    server: GcpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "oidc").write_text("header.claims.signature")
    place = tmp_path / "federation.json"
    place.write_text(
        json.dumps(
            {
                "type": "external_account",
                "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/ci/providers/github",
                "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
                "token_url": f"{server.rest.url}/oauth2/token",
                "credential_source": {"file": str(tmp_path / "oidc")},
            }
        )
    )
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(place))
    found = only(f"projects/{PROJECT}")
    assert found.state is Connection.CONNECTED, found
    assert "workload identity federation" in found.source
    assert "workloadIdentityPools/ci" in found.who


def test_impersonation_is_said(server: GcpServer, monkeypatch: pytest.MonkeyPatch):
    robot = "audit@acme.iam.gserviceaccount.com"
    monkeypatch.setenv("CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT", robot)
    reader = Reader()
    trio.run(reader.ask_local)
    assert reader.answers[0]["who"] == robot
    assert "impersonating" in reader.answers[0]["source"]


@pytest.mark.parametrize(
    ("scope", "said"),
    [
        ("acme-analytics", "did you mean projects/acme-analytics"),
        ("folder/1", "name projects/ID"),
        ("organizations/acme", "name projects/ID"),
    ],
)
def test_a_scope_of_another_form(server: GcpServer, scope: str, said: str):
    with pytest.raises(InputError, match=said):
        identities(scope)


def test_a_project_that_is_not_there(server: GcpServer):
    with pytest.raises(InputError, match="did you mean projects/acme-analytics"):
        identities("projects/acme-analytic")


def test_a_project_that_is_not_there_beside_one_that_is(server: GcpServer):
    server.estate.blind.add("projects/zzz")
    with pytest.raises(InputError, match="visible are acme-analytics"):
        identities(f"projects/{PROJECT}", "projects/qqqq-unlike")


def test_every_project_that_is_seen(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    estate = everything()
    estate.assets.append(project("acme-ml-sandbox", "200000000002"))
    server = start(estate)
    key = server.key(tmp_path, project_id="")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key))
    assert [found.account for found in identities()] == [
        f"projects/{PROJECT}",
        "projects/acme-ml-sandbox",
    ]


@pytest.mark.parametrize("way", ["off", "denied"])
def test_an_inventory_that_does_not_answer(server: GcpServer, way: str):
    if way == "off":
        server.estate.off.add("cloudasset.googleapis.com")
    else:
        server.estate.blind.add(f"projects/{PROJECT}")
    found = only()
    assert found.state is Connection.CONNECTED
    assert "read one by one" in found.detail
    remedy = "gcloud services enable cloudasset" if way == "off" else "roles/cloudasset.viewer"
    assert remedy in found.remedy


def test_an_organization_without_an_inventory(start: Start):
    estate = everything()
    estate.assets.append(project("acme-ml-sandbox", "200000000002"))
    estate.blind.add(ORGANIZATION)
    start(estate)
    reader = Reader(ORGANIZATION)
    (found,) = trio.run(reader.connect)
    assert found.state is Connection.CONNECTED
    assert reader.gcp.scopes[0].projects == [PROJECT, "acme-ml-sandbox"]


def test_credentials_that_may_nothing(server: GcpServer):
    server.estate.blind.add(f"projects/{PROJECT}")
    server.estate.assets = []
    found = only()
    assert found.state is Connection.ERROR
    assert found.reason is Reason.DENIED
    assert "roles/cloudasset.viewer" in found.remedy


@pytest.mark.parametrize(
    ("host", "given", "expected"),
    [
        ("compute", "", "https://compute.googleapis.com"),
        ("compute", "https://compute.example/compute/v1/", "https://compute.example/compute/v1"),
        ("cloudasset", "localhost:50051", "http://localhost:50051"),
        ("cloudasset", "cloudasset.example:443", "https://cloudasset.example:443"),
        ("sqladmin", "http://127.0.0.1:1/", "http://127.0.0.1:1"),
    ],
)
def test_where_a_service_is_asked(
    host: str, given: str, expected: str, monkeypatch: pytest.MonkeyPatch
):
    name = "SQL" if host == "sqladmin" else host.upper()
    if given:
        monkeypatch.setenv(f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{name}", given)
    assert endpoint(f"{host}.googleapis.com") == expected
