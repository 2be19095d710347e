"""Which states are found, what they are called, and what is said of those that cannot be read."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from infrascan.model import Connection, InputError, Reason
from infrascan.providers.terraform.places import find
from tests.providers.terraform.conftest import (
    FIXTURES,
    collect,
    identities,
    of_kind,
    state,
    write,
)
from tests.servers.proxy import Answer
from tests.servers.rest import Request, RestServer, json_answer

CANARY = "c4n4ry-7e21b9"


def backend(folder: Path, kind: str, **config: Any) -> None:
    told = {"version": 3, "backend": {"type": kind, "config": config, "hash": 1}}
    write(folder / ".terraform/terraform.tfstate", told)


def names(*scopes: str) -> list[str]:
    return [i.account for i in identities(*scopes)]


def test_nothing_is_here():
    (found,) = identities()

    assert found.state is Connection.NOT_CONFIGURED
    assert "no state here" in found.detail


def test_an_empty_folder_that_was_named(here: Path):
    (here / "infra").mkdir()

    assert "no state and no plan in infra" in identities("infra")[0].detail


def test_a_folder_of_states(here: Path):
    write(here / "infra/prod/network/terraform.tfstate", state())
    write(here / "infra/prod/shop.tfstate", state())
    write(here / "infra/prod/shop.tfstate.backup", state())
    write(here / "infra/plan.json", (FIXTURES / "shop-plan.json").read_text())
    write(here / "infra/other-plan.json", {"no": "plan"})
    write(here / "infra/package.json", {"name": "x"})

    assert sorted(names("infra")) == ["plan", "prod/network", "prod/shop"]


def test_only_this_folder_without_a_name(here: Path):
    write(here / "terraform.tfstate", state())
    write(here / "deep/terraform.tfstate", state())

    assert names() == [here.name]


def test_the_same_file_once(here: Path):
    write(here / "a/terraform.tfstate", state())
    write(here / "b/a/terraform.tfstate", state())

    assert names("a", "a/terraform.tfstate", "b/a") == ["a", "a (2)"]


def test_a_path_that_is_not_there_is_a_mistake(here: Path):
    write(here / "prod.tfstate", state())

    with pytest.raises(
        InputError,
        match=r"there is no .* 'prd\.tfstate'; did you mean 'prod\.tfstate'",
    ):
        identities("prd.tfstate")


@pytest.mark.parametrize("place", ["ftp://x/y", "s3://bucket", "azurerm://a/b", "gs://bucket"])
def test_an_address_that_names_no_object_is_a_mistake(place: str):
    with pytest.raises(InputError, match=place):
        identities(place)


@pytest.mark.parametrize(
    ("kind", "config", "workspace", "expected"),
    [
        ("s3", {"bucket": "b", "key": "k", "encrypt": True}, "", {"key": "k"}),
        ("s3", {"bucket": "b", "key": "k"}, "eu", {"key": "env:/eu/k"}),
        ("s3", {"bucket": "b", "key": "k", "workspace_key_prefix": "w"}, "eu", {"key": "w/eu/k"}),
        ("gcs", {"bucket": "b", "prefix": "p/"}, "", {"object": "p/default.tfstate"}),
        ("gcs", {"bucket": "b"}, "eu", {"object": "eu.tfstate"}),
        ("azurerm", {"key": "k"}, "eu", {"key": "kenv:eu"}),
    ],
)
def test_backends_and_workspaces(
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    config: Any,
    workspace: str,
    expected: Any,
):
    backend(here, kind, **config, access_key=CANARY, secret_key=CANARY, sas_token=CANARY)
    if workspace:
        monkeypatch.setenv("TF_WORKSPACE", workspace)

    place = find(())[0][0]

    assert expected.items() <= place.config.items()
    assert CANARY not in json.dumps(place.told())
    assert place.name == here.name + (f":{workspace}" if workspace else "")


@pytest.mark.parametrize(
    ("kind", "config", "locking"),
    [
        ("s3", {"bucket": "b", "key": "k"}, False),
        ("s3", {"bucket": "b", "key": "k", "use_lockfile": True}, True),
        ("s3", {"bucket": "b", "key": "k", "dynamodb_table": "t"}, True),
        ("http", {"address": "http://x/s"}, False),
        ("http", {"address": "http://x/s", "lock_address": "http://x/l"}, True),
        ("gcs", {"bucket": "b"}, True),
        ("oss", {"bucket": "b"}, None),
    ],
)
def test_whether_runs_are_kept_apart(here: Path, kind: str, config: Any, locking: bool | None):
    backend(here, kind, **config)

    (place,), _ = find(())

    assert place.locking is locking


def test_a_local_copy_beside_a_backend_is_no_state_of_its_own(here: Path):
    backend(here, "remote", hostname="app.terraform.io", organization="acme")
    write(here / "terraform.tfstate", state())

    found = identities()

    assert [(i.source, i.state) for i in found] == [
        ("state (remote)", Connection.ERROR),
        ("state (file)", Connection.CONNECTED),
    ]
    assert "a pulled copy can be read" in found[0].detail
    assert "terraform state pull" in found[0].remedy


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_rights(here: Path):
    write(here / "terraform.tfstate", state()).chmod(0)

    assert {g.reason for g in collect().gaps} == {Reason.DENIED}


def test_a_state_over_http(monkeypatch: pytest.MonkeyPatch):
    def answer(request: Request) -> Answer:
        if request.headers.get("authorization") != "Basic Y2k6c2VjcmV0":
            return json_answer({"message": "no"}, 401)
        return json_answer(state()) if request.path == "/state/shop" else json_answer({}, 404)

    with RestServer(answer) as server:
        denied = collect(f"{server.url}/state/shop")
        monkeypatch.setenv("TF_HTTP_USERNAME", "ci")
        monkeypatch.setenv("TF_HTTP_PASSWORD", "secret")
        read = collect(f"{server.url}/state/shop")

    assert {g.reason for g in denied.gaps} == {Reason.UNAUTHENTICATED}
    assert [g.field for g in read.gaps] == ["lock"]
    assert [r.id for r in read.resources] == ["localhost/state/shop"]


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A bucket on loopback: key -> what GetObject answers."""
    objects: dict[str, Answer] = {}

    def error(status: int, code: str) -> Answer:
        body = f"<Error><Code>{code}</Code><Message>{code}</Message></Error>"
        return Answer(status, {"content-type": "application/xml"}, body.encode())

    def answer(request: Request) -> Answer:
        key = request.path.removeprefix("/acme-terraform/")
        return objects.get(key) or error(404, "NoSuchKey")

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    with RestServer(answer) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url.replace("localhost", "127.0.0.1"))
        objects["denied"] = error(403, "AccessDenied")
        objects["slow"] = error(503, "SlowDown")
        yield objects


def kept(data: Any) -> Answer:
    headers = {
        "content-type": "application/json",
        "last-modified": "Sat, 14 Nov 2026 09:30:00 GMT",
        "x-amz-server-side-encryption": "aws:kms",
        "x-amz-version-id": "v7",
    }
    return Answer(200, headers, json.dumps(data).encode())


def test_a_state_in_s3(bucket: dict[str, Answer]):
    bucket["prod/shop.tfstate"] = kept(state())
    bucket["prod/shop.tfstate.tflock"] = kept(
        {"Who": "ci@runner", "Created": "2026-11-14T09:30:00Z", "Path": CANARY}
    )

    read = collect("s3://acme-terraform/prod/shop.tfstate?region=eu-west-1")
    (found,) = of_kind(read, "terraform.state").values()

    assert not read.gaps
    assert found.id == "s3://acme-terraform/prod/shop.tfstate"
    assert (found.data["encryption"], found.data["versioned"]) == ("aws:kms", True)
    assert found.data["modified"] == "2026-11-14T09:30:00Z"
    assert found.data["lock"]["Who"] == "ci@runner"
    assert CANARY not in json.dumps(found.data)


@pytest.mark.parametrize(
    ("key", "reason"),
    [("denied", Reason.DENIED), ("gone", Reason.DISABLED)],
)
def test_a_state_in_s3_that_cannot_be_read(bucket: dict[str, Answer], key: str, reason: Reason):
    read = collect(f"s3://acme-terraform/{key}")

    assert not read.resources
    assert {(g.reason, g.call) for g in read.gaps} == {(reason, "s3.GetObject")}


def test_half_a_state_in_s3(bucket: dict[str, Answer]):
    whole = kept(state())
    bucket["half"] = Answer(200, whole.headers, whole.body[:40])

    assert {g.reason for g in collect("s3://acme-terraform/half").gaps} == {Reason.MALFORMED}


def service_account(folder: Path, server: RestServer) -> Path:
    """The key file of a service account whose tokens a loopback server gives."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    told = {
        "type": "service_account",
        "project_id": "p",
        "private_key": key.decode(),
        "client_email": "reader@p.iam.gserviceaccount.com",
        "private_key_id": "k",
        "token_uri": f"{server.url}/token",
    }
    return write(folder / "key.json", told)


@pytest.mark.parametrize(
    ("name", "reason"),
    [("shop", None), ("gone", Reason.DISABLED), ("denied", Reason.DENIED)],
)
def test_a_state_in_cloud_storage(
    here: Path, monkeypatch: pytest.MonkeyPatch, name: str, reason: Reason | None
):
    def answer(request: Request) -> Answer:
        if request.path == "/token":
            return json_answer({"access_token": "t", "expires_in": 3600, "token_type": "Bearer"})
        if request.headers.get("authorization") != "Bearer t":
            return json_answer({"error": {"message": "no"}}, 401)
        found = request.match("GET /storage/v1/b/{bucket}/o/{object}") or {}
        if found.get("object") == "prod/shop.tfstate" and request.query == {"alt": "media"}:
            return json_answer(state())
        if found.get("object") == "prod/shop.tflock":
            return json_answer({"Who": "ci@runner", "Created": "2026-11-14T09:30:00Z"})
        status = 403 if "denied" in request.path else 404
        return json_answer({"error": {"message": "no"}}, status)

    with RestServer(answer) as server:
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(service_account(here, server)))
        monkeypatch.setenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE", f"{server.url}/")
        read = collect(f"gs://acme-terraform/prod/{name}.tfstate")

    assert {(g.reason, g.call) for g in read.gaps} == (
        {(reason, "storage.objects.get")} if reason else set()
    )
    if not reason:
        (found,) = of_kind(read, "terraform.state").values()
        assert found.data["lock"]["Who"] == "ci@runner"
