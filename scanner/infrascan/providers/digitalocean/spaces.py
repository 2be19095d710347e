"""Spaces: buckets with S3's interface, which takes keys of its own.

The API gives a key's secret out once, so it is taken from the variables that the vendor's Terraform
provider reads. Without them the buckets are a gap, and no empty list. They are asked of each region,
for none knows those of another.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from infrascan.collect.provider import Call
from infrascan.model import ReadError, Reason
from infrascan.providers import sdk
from infrascan.providers.digitalocean.reading import leads
from infrascan.providers.rest.tables import Detail, Listing

KEY, SECRET = "SPACES_ACCESS_KEY_ID", "SPACES_SECRET_ACCESS_KEY"
ENDPOINT = "SPACES_ENDPOINT_URL"
DEFAULT = "https://{{.Region}}.digitaloceanspaces.com"
REGION = "{{.Region}}"
# docs.digitalocean.com/products/spaces/details/availability, of 23 March 2026
REGIONS = (
    *("ams3", "atl1", "blr1", "fra1", "lon1", "nyc3", "sfo2", "sfo3", "sgp1", "syd1", "tor1"),
)
LOCAL = "local.SpacesKeys"
PERMISSION = "a Spaces key with full access: others may not list buckets"
# operation of S3 -> method of botocore's client
METHODS: Mapping[str, str] = {
    "s3.ListBuckets": "list_buckets",
    "s3.GetBucketAcl": "get_bucket_acl",
    "s3.GetBucketPolicy": "get_bucket_policy",
    "s3.GetBucketVersioning": "get_bucket_versioning",
    "s3.GetBucketLifecycleConfiguration": "get_bucket_lifecycle_configuration",
    "s3.GetBucketCors": "get_bucket_cors",
}
RULE: dict[str, Any] = {
    "ID": {},
    "Status": {},
    "Prefix": {},
    "Filter": {"Prefix": {}},
    "Expiration": {"Days": {}, "Date": {}},
    "NoncurrentVersionExpiration": {"NoncurrentDays": {}},
    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": {}},
}


def of_bucket(name: str, api: str, fields: Any, **more: Any) -> Detail:
    params = {"Bucket": "{Name}", "region": "{place}"}
    return Detail(
        field=name, api=f"s3.{api}", params=params, fields=fields, permission=PERMISSION, **more
    )


BUCKETS = Listing(
    kind="digitalocean.spaces_bucket",
    title="Spaces bucket",
    api="s3.ListBuckets",
    items="Buckets[]",
    each=tuple({"place": region} for region in REGIONS),
    params={"region": "{place}"},
    id="{Name}",
    name=("Name",),
    region="{place}",
    adds={"host": "{Name}.{place}.digitaloceanspaces.com"},
    permission=PERMISSION,
    fields={"Name": {}, "CreationDate": {}, "host": {}},
    details=(
        of_bucket(
            "acl",
            "GetBucketAcl",
            {
                "Owner": {"ID": {}},
                "Grants": {"[]": {"Grantee": {"Type": {}, "URI": {}, "ID": {}}, "Permission": {}}},
            },
        ),
        of_bucket(
            "policy", "GetBucketPolicy", None, result="Policy", absent=("NoSuchBucketPolicy",)
        ),
        of_bucket("versioning", "GetBucketVersioning", {"Status": {}}),
        of_bucket(
            "lifecycle",
            "GetBucketLifecycleConfiguration",
            {"[]": RULE},
            result="Rules",
            absent=("NoSuchLifecycleConfiguration",),
        ),
        of_bucket(
            "cors",
            "GetBucketCors",
            {
                "[]": {
                    "ID": {},
                    "AllowedOrigins": {"[]": {}},
                    "AllowedMethods": {"[]": {}},
                    "AllowedHeaders": {"[]": {}},
                    "MaxAgeSeconds": {},
                }
            },
            result="CORSRules",
            absent=("NoSuchCORSConfiguration",),
        ),
    ),
    relations=(leads("cdn_endpoints", "host", "cdn_endpoint", "buckets", by="origin"),),
)
SPACES = (BUCKETS,)


@dataclass(eq=False)
class Spaces:
    """The clients of the regions, made when first needed; they may be used from any thread."""

    store: Any = None
    clients: dict[str, Any] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def client(self, region: str) -> Any:
        sdk.imported("infrascan.providers.aws.objects")
        from infrascan.providers.aws.objects import Store

        with self.lock:
            if self.store is None:
                self.store = Store(os.environ.get(KEY, ""), os.environ.get(SECRET, ""))
            if region not in self.clients:
                where = (os.environ.get(ENDPOINT) or DEFAULT).replace(REGION, region)
                self.clients[region] = self.store.client(where, region)
            return self.clients[region]

    def send(self, call: Call) -> Any:
        """Make one call. Blocks. Raises `ReadError`."""
        from infrascan.providers.aws.objects import refusals

        params = dict(call.params)
        client = self.client(str(params.pop("region")))
        with refusals():
            answer = getattr(client, METHODS[call.api])(**params)
        answer.pop("ResponseMetadata", None)
        return plain(answer)

    def close(self) -> None:
        for client in self.clients.values():
            with suppress(RuntimeError), closing(client):
                pass
        self.clients.clear()


def keys() -> dict[str, Any]:
    """Whether there are keys; never what they are."""
    missing = [name for name in (KEY, SECRET) if not os.environ.get(name)]
    return {"missing": missing}


def unopened(missing: list[str], accounts: int) -> ReadError | None:
    """Why no bucket can be read; None where the keys are there, and of the one team that is read."""
    if missing:
        return ReadError(
            Reason.OUT_OF_SCOPE,
            f"Spaces buckets are read with keys of their own: set {' and '.join(missing)}",
            permission=f"Set {' and '.join(missing)}.",
            call=BUCKETS.api,
        )
    if accounts > 1:
        return ReadError(
            Reason.OUT_OF_SCOPE,
            f"{KEY} is of one team, and {accounts} are read: choose one",
            permission="Choose one team with --doctl-context.",
            call=BUCKETS.api,
        )
    return None


def plain(value: Any) -> Any:
    """Times as text, the rest as it is."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value
