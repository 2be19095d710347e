"""Getting the text of a state or plan from where it is."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import trio

from infrascan.model import ReadError, Reason
from infrascan.providers import sdk
from infrascan.providers.http import Client
from infrascan.providers.terraform import blobs, places
from infrascan.providers.terraform.documents import parse

APIS: Mapping[str, str] = {
    "local": "local.Document",
    "file": "local.Document",
    "s3": "s3.GetObject",
    "gcs": "storage.objects.get",
    "azurerm": "blob.GetBlob",
    "http": "http.GetState",
}


def api_of(backend: str) -> str:
    return APIS.get(backend, f"{backend}.Get")


def refusal(backend: str) -> str:
    """Why states of this backend are not fetched; "" for those that are."""
    if backend in APIS:
        return ""
    return f"states in the backend '{backend}' are not fetched; a pulled copy can be read"


async def fetch(place: places.Place) -> dict[str, Any]:
    """The document at a place, without its secrets, and how it is kept. Raises `ReadError`."""
    if place.backend == "http":
        return await over_http(place)
    if place.backend == "gcs":
        return await from_gcs(place)
    if place.backend == "azurerm":
        return await blobs.fetch(place)
    work = from_s3 if place.backend == "s3" else from_file
    return await trio.to_thread.run_sync(work, place, abandon_on_cancel=True)


def from_file(place: places.Place) -> dict[str, Any]:
    if place.path is None:
        raise ReadError(Reason.MALFORMED, "the place has no file")
    try:
        text = place.path.read_bytes()
    except PermissionError as error:
        detail = "this user may not read the file"
        raise ReadError(Reason.DENIED, detail, permission="read access to the file") from error
    except OSError as error:
        raise ReadError(Reason.UNREACHABLE, f"{error.strerror}", code="file") from error
    lock = places.lock_of(place.path) if place.form == "state" else None
    return {**parse(text), "size_bytes": len(text), "lock": lock}


def from_s3(place: places.Place) -> dict[str, Any]:
    sdk.imported("infrascan.providers.aws.objects")
    from infrascan.providers.aws.objects import fetch as fetch_object

    config = place.config
    if place.way.get("web"):
        detail = "the backend takes a role by web identity, which is not followed: pull the state"
        raise ReadError(Reason.OUT_OF_SCOPE, detail)
    where: dict[str, Any] = {
        name: str(config.get(name) or "") for name in ("bucket", "key", "region", "profile")
    }
    where |= {name: place.way[name] for name in ("endpoint", "roles") if place.way.get(name)}
    try:
        found = fetch_object(**where)
    except ReadError as error:
        if error.code in {"NoSuchKey", "NoSuchBucket", "404"}:
            detail = "there is no such object: nothing was applied yet, or the key is another"
            raise ReadError(Reason.DISABLED, detail, code=error.code) from error
        if error.reason is Reason.DENIED:
            error.permission = error.permission or "s3:GetObject"
        raise
    body = found.pop("body")
    return {**parse(body), **found, "size_bytes": len(body), **s3_lock(where, config)}


def s3_lock(where: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """Who holds a state in S3, by a lock file; or why that cannot be told."""
    from infrascan.providers.aws.objects import fetch as fetch_object

    if (table := config.get("dynamodb_table")) and not config.get("use_lockfile"):
        detail = f"the lock is in the DynamoDB table {table}, which is not read"
        return untold(ReadError(Reason.OUT_OF_SCOPE, detail, call="dynamodb.GetItem"))
    try:
        found = fetch_object(**{**where, "key": f"{where['key']}.tflock"})
    except ReadError as error:
        if error.code in {"NoSuchKey", "404"}:
            return {"lock": None}
        error.call = "s3.GetObject"
        if error.reason is Reason.DENIED:  # S3 forbids what is not there to who may not list
            error.permission = "s3:ListBucket on the bucket and s3:GetObject on KEY.tflock"
        return untold(error)
    return told(found["body"], "s3.GetObject")


def told(body: bytes, call: str) -> dict[str, Any]:
    """The lock that a lock file holds."""
    try:
        return {"lock": places.held(json.loads(body))}
    except ValueError:
        return untold(ReadError(Reason.MALFORMED, "the lock file is not JSON", call=call))


def untold(error: ReadError) -> dict[str, Any]:
    """That it is not known who holds a state: a part of the document, which is plain data."""
    why = {
        "reason": error.reason.value,
        "detail": error.detail,
        "permission": error.permission,
        "call": error.call,
    }
    return {"unread": {"lock": why}}


async def over_http(place: places.Place) -> dict[str, Any]:
    parts = urlsplit(place.url)
    user, password = os.environ.get("TF_HTTP_USERNAME"), os.environ.get("TF_HTTP_PASSWORD")
    headers = {}
    if user or password:
        pair = base64.b64encode(f"{user or ''}:{password or ''}".encode()).decode()
        headers["Authorization"] = f"Basic {pair}"
    client = Client(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}", headers=headers)
    query = f"?{parts.query}" if parts.query else ""
    try:
        answer = await client.request(f"GET {parts.path or '/'}{query}", {}, text=True)
    except ReadError as error:
        if error.reason in {Reason.UNAUTHENTICATED, Reason.DENIED}:
            error.permission = (
                "Set TF_HTTP_USERNAME and TF_HTTP_PASSWORD as this address wants them."
            )
        raise
    finally:
        client.close()
    text = str(answer.body or "").encode()
    unknown = ReadError(
        Reason.OUT_OF_SCOPE,
        "who holds the state is told only to who tries to lock it",
        call=APIS["http"],
    )
    return {**parse(text), "size_bytes": len(text), **untold(unknown)}


async def from_gcs(place: places.Place) -> dict[str, Any]:
    """A state in Cloud Storage, with the credentials that Google Cloud is read with."""
    from infrascan.providers.gcp.credentials import Credentials

    headers = await trio.to_thread.run_sync(Credentials().headers, abandon_on_cancel=True)
    moved = os.environ.get("CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE", "")
    client = Client((moved or "https://storage.googleapis.com").rstrip("/"), headers=headers)
    where = {"bucket": place.config["bucket"], "object": place.config["object"]}
    try:
        text = await gcs_object(client, where)
        beside = where["object"].removesuffix(".tfstate") + ".tflock"
        lock = await gcs_lock(client, {**where, "object": beside})
    except ReadError as error:
        if error.reason is Reason.DENIED:
            error.permission = error.permission or "storage.objects.get"
        raise
    finally:
        client.close()
    return {**parse(text), "size_bytes": len(text), **lock}


async def gcs_object(client: Client, where: Mapping[str, str]) -> bytes:
    answer = await client.request(
        "GET /storage/v1/b/{bucket}/o/{object}", {**where, "alt": "media"}, text=True
    )
    return str(answer.body or "").encode()


async def gcs_lock(client: Client, where: Mapping[str, str]) -> dict[str, Any]:
    """Who holds the state; or why that cannot be told."""
    try:
        body = await gcs_object(client, where)
    except ReadError as error:
        if error.code == "404":
            return {"lock": None}
        error.call = APIS["gcs"]
        if error.reason is Reason.DENIED:  # Cloud Storage forbids what is not there likewise
            error.permission = "storage.objects.list and storage.objects.get"
        return untold(error)
    return told(body, APIS["gcs"])
