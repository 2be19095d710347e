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
from infrascan.providers.http import Client
from infrascan.providers.terraform import places
from infrascan.providers.terraform.documents import parse

APIS: Mapping[str, str] = {
    "local": "local.Document",
    "file": "local.Document",
    "s3": "s3.GetObject",
    "gcs": "storage.objects.get",
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
    from infrascan.providers.aws.objects import fetch as fetch_object

    config = place.config
    where = {name: str(config.get(name) or "") for name in ("bucket", "key", "region", "profile")}
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
    return {**parse(body), **found, "size_bytes": len(body), "lock": s3_lock(where)}


def s3_lock(where: Mapping[str, str]) -> dict[str, Any] | None:
    """Who holds a state in S3 by a lock file. Without the right to ask, nobody is said to."""
    from infrascan.providers.aws.objects import fetch as fetch_object

    try:
        found = fetch_object(**{**where, "key": f"{where['key']}.tflock"})
        return places.held(json.loads(found["body"]))
    except (ReadError, ValueError):
        return None


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
    finally:
        client.close()
    text = str(answer.body or "").encode()
    return {**parse(text), "size_bytes": len(text), "lock": None}


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
    return {**parse(text), "size_bytes": len(text), "lock": lock}


async def gcs_object(client: Client, where: Mapping[str, str]) -> bytes:
    answer = await client.request(
        "GET /storage/v1/b/{bucket}/o/{object}", {**where, "alt": "media"}, text=True
    )
    return str(answer.body or "").encode()


async def gcs_lock(client: Client, where: Mapping[str, str]) -> dict[str, Any] | None:
    """Who holds the state. Without the right to ask, nobody is said to."""
    try:
        return places.held(json.loads(await gcs_object(client, where)))
    except (ReadError, ValueError):
        return None
