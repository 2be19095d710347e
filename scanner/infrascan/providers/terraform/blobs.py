"""States in Azure's blob storage, with the sign-in that Azure is read with.

Terraform itself may go by the account's key, which takes the right to ask for it. Here nothing but
the identity's own right to read the blob counts: Storage Blob Data Reader.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import trio

from infrascan.model import ReadError, Reason
from infrascan.providers.http import Answer, Client
from infrascan.providers.http import refused as plainly
from infrascan.providers.terraform import places
from infrascan.providers.terraform.documents import parse

MOVED = "AZURE_STORAGE_SERVICE_ENDPOINT"  # the Azure CLI's variable for the blob endpoint
VERSION = "2023-11-03"
SCOPE = "https://storage.azure.com/.default"
RIGHT = "Storage Blob Data Reader on the container"
PUBLIC = "core.windows.net"
SUFFIXES: Mapping[str, str] = {
    # authority -> where its cloud keeps storage accounts
    "login.microsoftonline.us": "core.usgovcloudapi.net",
    "login.chinacloudapi.cn": "core.chinacloudapi.cn",
    "login.partner.microsoftonline.cn": "core.chinacloudapi.cn",
}
MISSING = frozenset({"BlobNotFound", "ContainerNotFound", "ResourceNotFound"})
CODE = "x-ms-error-code"
LOCK = "x-ms-meta-terraformlockid"  # what Terraform writes beside its lease


async def fetch(place: places.Place) -> dict[str, Any]:
    """The document at a place, how it is kept, and who holds it. Raises `ReadError`."""
    token = await trio.to_thread.run_sync(signed_in, abandon_on_cancel=True)
    account = str(place.config["storage_account_name"])
    headers = {"Authorization": f"Bearer {token}", "x-ms-version": VERSION}
    client = Client(endpoint(account), headers, refusal)
    container, key = str(place.config["container_name"]), str(place.config["key"])
    # A name may hold slashes, which are part of the path here.
    path = f"/{quote(container, safe='')}/{quote(key, safe='/')}"
    try:
        answer = await client.request(f"GET {path}", {}, text=True)
    finally:
        client.close()
    text = str(answer.body or "").encode()
    return {**parse(text), "size_bytes": len(text), **kept(answer.headers)}


def signed_in() -> str:
    from infrascan.providers.azure.signing import Session

    return Session(scope=SCOPE).renew()


def endpoint(account: str) -> str:
    from infrascan.providers.azure.signing import host

    moved = os.environ.get(MOVED, "").rstrip("/")
    return moved or f"https://{account}.blob.{SUFFIXES.get(host(), PUBLIC)}"


def refusal(answer: Answer) -> ReadError:
    """What storage says no with: its code is in a header, the body is XML."""
    code = answer.headers.get(CODE, "")
    if code in MISSING:
        detail = "there is no such blob: nothing was applied yet, or the key is another"
        return ReadError(Reason.DISABLED, detail, code=code)
    error = plainly(answer)
    error.detail = f"HTTP {answer.status}: {code or 'without a code'}"
    error.permission = RIGHT if error.reason is Reason.DENIED else ""
    return error


def kept(headers: Mapping[str, str]) -> dict[str, Any]:
    """What the headers say of a blob: when it was written, and who has leased it."""
    found: dict[str, Any] = {"versioned": "x-ms-version-id" in headers}
    if moment := headers.get("last-modified"):
        with suppress(ValueError):
            found["modified"] = f"{parsedate_to_datetime(moment):%Y-%m-%dT%H:%M:%SZ}"
    if headers.get("x-ms-lease-status") == "locked":
        found["lock"] = lock(headers.get(LOCK, ""))
    elif "x-ms-lease-status" in headers:
        found["lock"] = None
    else:
        why = {
            "reason": Reason.MALFORMED.value,
            "detail": "the answer does not say whether the blob is leased",
            "permission": "",
            "call": "blob.GetBlob",
        }
        found["unread"] = {"lock": why}
    return found


def lock(encoded: str) -> dict[str, Any]:
    """Who holds the lease, as far as Terraform wrote it down."""
    try:
        return places.held(json.loads(base64.b64decode(encoded)))
    except ValueError:
        return places.held(None)
