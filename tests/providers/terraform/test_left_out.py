"""What is not read is said: locks, roles, folders, and states in Azure's storage."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from infrascan.model import Connection, Reason
from infrascan.providers.terraform import places
from tests.providers.terraform.conftest import collect, identities, of_kind, state, write
from tests.providers.terraform.test_places import backend, kept, service_account
from tests.servers.azure import AzureServer, Estate
from tests.servers.proxy import Answer
from tests.servers.rest import Request, RestServer, json_answer

CANARY = "c4n4ry-7e21b9"
ROLE = "arn:aws:iam::111122223333:role/states"
LOCK = {"Who": "ci@runner", "Created": "2026-11-14T09:30:00Z", "Path": CANARY}


def s3_error(status: int, code: str) -> Answer:
    body = f"<Error><Code>{code}</Code><Message>{code}</Message></Error>"
    return Answer(status, {"content-type": "application/xml"}, body.encode())


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[RestServer]:
    """S3 and STS on loopback: the bucket holds shop.tfstate and no lock."""

    def answer(request: Request) -> Answer:
        if request.method == "POST":
            return assumed(request)
        return (
            kept(state()) if request.path.endswith("/shop.tfstate") else s3_error(404, "NoSuchKey")
        )

    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "example",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/nonexistent",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
    }.items():
        monkeypatch.setenv(name, value)
    with RestServer(answer) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url.replace("localhost", "127.0.0.1"))
        yield server


def assumed(request: Request) -> Answer:
    """Keys of the role that was asked for: its name is the key's id."""
    asked = parse_qs(request.seen.body.decode())
    if asked["RoleArn"] != [ROLE] or asked["ExternalId"] != [CANARY]:
        return s3_error(403, "AccessDenied")
    keys = (
        "<AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
        "<SessionToken>t</SessionToken><Expiration>2030-01-01T00:00:00Z</Expiration>"
    )
    body = (
        "<AssumeRoleResponse><AssumeRoleResult><Credentials>"
        f"{keys}</Credentials></AssumeRoleResult></AssumeRoleResponse>"
    )
    return Answer(200, {"content-type": "text/xml"}, body.encode())


def the_state(*scopes: str) -> Any:
    (found,) = of_kind(collect(*scopes), "terraform.state").values()
    return found


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (s3_error(403, "AccessDenied"), Reason.DENIED),
        (s3_error(503, "SlowDown"), Reason.THROTTLED),
        (kept("no lock"), None),
        (Answer(200, kept(0).headers, b"{"), Reason.MALFORMED),
    ],
)
def test_a_lock_that_cannot_be_read_is_no_free_state(
    store: RestServer, answer: Answer, reason: Reason | None
) -> None:
    store.fault = lambda request: answer if request.path.endswith(".tflock") else None
    found = the_state("s3://acme/shop.tfstate")

    if reason is None:  # a lock, though of nobody that we can name
        assert found.data["lock"] == dict.fromkeys(("Operation", "Who", "Version", "Created"))
        return
    assert "lock" not in found.data
    assert found.unread["lock"].reason is reason
    assert found.unread["lock"].call == "s3.GetObject"
    assert ("ListBucket" in found.unread["lock"].permission) == (reason is Reason.DENIED)


def test_a_state_without_a_lock_file_is_free(store: RestServer) -> None:
    found = the_state("s3://acme/shop.tfstate")
    assert found.data["lock"] is None
    assert not found.unread


def test_a_lock_in_a_table_is_not_read(store: RestServer, here: Path) -> None:
    backend(here, "s3", bucket="acme", key="shop.tfstate", dynamodb_table="locks")
    found = the_state()
    assert found.unread["lock"].reason is Reason.OUT_OF_SCOPE
    assert "table locks" in found.unread["lock"].detail


def test_who_holds_a_state_at_an_address_is_not_told() -> None:
    with RestServer(lambda _: json_answer(state())) as server:
        found = the_state(f"{server.url}/state/shop")
    assert found.unread["lock"].reason is Reason.OUT_OF_SCOPE


@pytest.mark.parametrize("listed", [True, False])
def test_the_role_of_a_backend_is_taken(store: RestServer, here: Path, listed: bool) -> None:
    role = {"role_arn": ROLE, "external_id": CANARY, "session_name": None}
    more = {"assume_role": [role]} if listed else role
    backend(here, "s3", bucket="acme", key="shop.tfstate", region="eu-west-1", **more)

    read = collect()

    assert not read.gaps
    taken = [r for r in store.requests if r.method == "GET"]
    assert len(taken) == 2
    assert all("ASIAROLE" in r.headers["authorization"] for r in taken)
    (found,) = of_kind(read, "terraform.state").values()
    assert CANARY not in json.dumps(found.data)


@pytest.mark.parametrize(
    ("external", "reason"), [("other", Reason.DENIED), ("x", Reason.MALFORMED)]
)
def test_a_role_that_may_not_be_taken(
    store: RestServer, here: Path, external: str, reason: Reason
) -> None:
    role = {"role_arn": ROLE, "external_id": external}
    backend(here, "s3", bucket="acme", key="shop.tfstate", assume_role=role)
    gaps = collect().gaps
    assert {g.reason for g in gaps} == {reason}
    assert f"{ROLE} cannot be taken" in gaps[0].detail
    assert (gaps[0].permission == "sts:AssumeRole") is (reason is Reason.DENIED)


def test_a_role_by_web_identity_is_not_followed(store: RestServer, here: Path) -> None:
    web = {"role_arn": ROLE, "web_identity_token_file": "/token"}
    backend(here, "s3", bucket="acme", key="k", assume_role_with_web_identity=[web])
    gaps = collect().gaps
    assert {g.reason for g in gaps} == {Reason.OUT_OF_SCOPE}
    assert "web identity" in gaps[0].detail
    assert not store.requests


def test_a_bucket_at_another_endpoint_is_not_looked_for_at_amazon(
    store: RestServer, here: Path
) -> None:
    with RestServer(lambda _: kept(state())) as other:
        place = other.url.replace("localhost", "127.0.0.1")
        backend(here, "s3", bucket="acme", key="shop.tfstate", endpoints={"s3": place})
        assert of_kind(collect(), "terraform.state")
    assert not store.requests


@pytest.mark.parametrize(("status", "reason"), [(404, None), (403, Reason.DENIED)])
def test_a_lock_in_cloud_storage(
    here: Path, monkeypatch: pytest.MonkeyPatch, status: int, reason: Reason | None
) -> None:
    def answer(request: Request) -> Answer:
        if request.path == "/token":
            return json_answer({"access_token": "t", "expires_in": 3600, "token_type": "Bearer"})
        if request.path.endswith(".tfstate"):
            return json_answer(state())
        return json_answer({"error": {"message": "no"}}, status)

    with RestServer(answer) as server:
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(service_account(here, server)))
        monkeypatch.setenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE", f"{server.url}/")
        found = the_state("gs://acme/shop.tfstate")
    if reason is None:
        assert found.data["lock"] is None
    else:
        assert found.unread["lock"].reason is reason
        assert "storage.objects.list" in found.unread["lock"].permission


@pytest.fixture
def azure(monkeypatch: pytest.MonkeyPatch) -> Iterator[AzureServer]:
    for name in list(os.environ):
        if name.startswith(("AZURE_", "IDENTITY_", "MSI_", "SSL_CERT")):
            monkeypatch.delenv(name)
    with AzureServer(Estate({})) as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AZURE_STORAGE_SERVICE_ENDPOINT", server.url)
        yield server


def blob(lease: str, lock: Any = None) -> Answer:
    headers = {
        "content-type": "application/octet-stream",
        "last-modified": "Sat, 14 Nov 2026 09:30:00 GMT",
        "x-ms-lease-status": lease,
    }
    if lock is not None:
        headers["x-ms-meta-terraformlockid"] = base64.b64encode(json.dumps(lock).encode()).decode()
    return Answer(200, {k: v for k, v in headers.items() if v}, json.dumps(state()).encode())


def served(azure: AzureServer, answer: Answer) -> list[Request]:
    """Give the answer for the blob; the requests for it are in the list."""
    seen: list[Request] = []

    def fault(request: Request) -> Answer | None:
        if not request.path.startswith("/states/"):
            return None
        seen.append(request)
        return answer

    azure.rest.fault = fault
    return seen


@pytest.mark.parametrize(
    ("answer", "who"),
    [(blob("unlocked"), None), (blob("locked", LOCK), "ci@runner")],
)
def test_a_state_in_azure_storage(azure: AzureServer, answer: Answer, who: str | None) -> None:
    seen = served(azure, answer)
    found = the_state("azurerm://acmestates/states/prod/shop tf.tfstate")

    assert seen[0].path == "/states/prod/shop%20tf.tfstate"
    assert seen[0].headers["authorization"].startswith("Bearer ")
    assert seen[0].headers["x-ms-version"]
    assert found.data["modified"] == "2026-11-14T09:30:00Z"
    assert (found.data["lock"] or {}).get("Who") == who
    assert CANARY not in json.dumps(found.data)


def test_a_lease_that_is_not_told_is_unread(azure: AzureServer) -> None:
    served(azure, blob(""))
    assert the_state("azurerm://acmestates/states/k").unread["lock"].reason is Reason.MALFORMED


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (404, "BlobNotFound", Reason.DISABLED),
        (403, "AuthorizationPermissionMismatch", Reason.DENIED),
        (503, "ServerBusy", Reason.UNREACHABLE),
    ],
)
def test_a_state_in_azure_storage_that_cannot_be_read(
    azure: AzureServer, status: int, code: str, reason: Reason
) -> None:
    body = f'<?xml version="1.0"?><Error><Code>{code}</Code></Error>'.encode()
    served(
        azure, Answer(status, {"content-type": "application/xml", "x-ms-error-code": code}, body)
    )
    gap = collect("azurerm://acmestates/states/k").gaps[0]
    assert (gap.reason, gap.call) == (reason, "blob.GetBlob")
    assert ("Storage Blob Data Reader" in gap.permission) == (reason is Reason.DENIED)


def test_nobody_is_signed_in_to_azure(azure: AzureServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "wrong")
    gaps = collect("azurerm://acmestates/states/k").gaps
    assert {g.reason for g in gaps} == {Reason.UNAUTHENTICATED}


def test_more_states_than_are_read_are_said(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "MOST", 2)
    for name in "abc":
        write(here / f"infra/{name}.tfstate", state())
    found = identities("infra")
    assert [i.state for i in found] == [Connection.CONNECTED] * 2 + [Connection.ERROR]
    assert found[-1].reason is Reason.TRUNCATED


def test_folders_that_lie_too_deep_are_said(here: Path) -> None:
    write(here / "infra" / "/".join("abcdefghijkl") / "m/terraform.tfstate", state())
    (found,) = identities("infra")
    assert found.account == "infra/a/b/c/d/e/f/g/h/i/j/k/l"
    assert (found.state, found.reason) == (Connection.ERROR, Reason.OUT_OF_SCOPE)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_folder_without_rights_is_said(here: Path) -> None:
    write(here / "infra/a.tfstate", state())
    (here / "infra/closed").mkdir(mode=0)
    found = {i.account: i for i in identities("infra")}
    assert found["infra/closed"].reason is Reason.DENIED


def test_a_backend_that_cannot_be_told_is_said(here: Path) -> None:
    write(here / ".terraform/terraform.tfstate", "{")
    write(here / "terraform.tfstate", state())
    found = identities()
    assert [i.reason for i in found if i.state is Connection.ERROR] == [Reason.MALFORMED]
    assert [i.source for i in found if i.state is Connection.CONNECTED] == ["state (file)"]


def test_other_workspaces_of_a_backend_are_said(store: RestServer, here: Path) -> None:
    backend(here / "shop", "s3", bucket="acme", key="shop.tfstate")
    write(here / "shop/.terraform/environment", "eu")
    found = {i.account: i for i in identities("shop")}
    assert found.keys() == {"shop:eu", "shop:eu (other workspaces)"}
    assert found["shop:eu (other workspaces)"].reason is Reason.OUT_OF_SCOPE
    assert "only 'eu' is read" in found["shop:eu (other workspaces)"].detail
