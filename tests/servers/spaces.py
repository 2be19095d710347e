"""Spaces on loopback: S3's answers for the buckets of each region, which the signature names.

with RestServer(Store({"fra1": {"acme-media": Bucket(...)}}).answer) as server:
    ...  # SPACES_ENDPOINT_URL is server.url
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

from tests.servers.proxy import Answer
from tests.servers.rest import Request

KEY, SECRET = "DO00MADEUPFORTESTS", "made-up-spaces-secret"
SIGNED = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/s3/aws4_request")
ALL = "http://acs.amazonaws.com/groups/global/AllUsers"


def error(status: int, code: str) -> Answer:
    body = f"<Error><Code>{code}</Code><Message>{code}</Message></Error>"
    return Answer(status, {"content-type": "application/xml"}, body.encode())


def xml(body: str) -> Answer:
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    return Answer(200, {"content-type": "application/xml"}, (head + body).encode())


@dataclass
class Bucket:
    public: tuple[str, ...] = ()  # what anyone may do: "READ"
    policy: Mapping[str, Any] | None = None
    versioned: bool = True
    expire: int = 7  # days that unfinished uploads stay; 0 for no lifecycle
    origins: tuple[tuple[str, str], ...] = ()  # (origin, method)


@dataclass
class Store:
    regions: Mapping[str, Mapping[str, Bucket]] = field(default_factory=dict)
    denied: frozenset[str] = frozenset()  # regions

    def answer(self, request: Request) -> Answer:
        signed = SIGNED.search(request.headers.get("authorization", ""))
        if not signed or signed[1] != KEY:
            return error(403, "InvalidAccessKeyId")
        if signed[2] in self.denied:
            return error(403, "AccessDenied")
        buckets = self.regions.get(signed[2], {})
        name = request.path.strip("/")
        if not name:
            held = "".join(
                f"<Bucket><Name>{escape(one)}</Name><CreationDate>2025-01-01T00:00:00.000Z"
                "</CreationDate></Bucket>"
                for one in buckets
            )
            return xml(
                f"<ListAllMyBucketsResult><Buckets>{held}</Buckets></ListAllMyBucketsResult>"
            )
        if name not in buckets:
            return error(404, "NoSuchBucket")
        return part(buckets[name], next(iter(request.query), ""))


def part(bucket: Bucket, what: str) -> Answer:
    if what == "acl":
        grants = "".join(
            '<Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
            f'xsi:type="Group"><URI>{ALL}</URI></Grantee><Permission>{may}</Permission></Grant>'
            for may in bucket.public
        )
        return xml(
            "<AccessControlPolicy><Owner><ID>1</ID></Owner><AccessControlList>"
            f"{grants}</AccessControlList></AccessControlPolicy>"
        )
    if what == "policy":
        if bucket.policy is None:
            return error(404, "NoSuchBucketPolicy")
        return Answer(200, {"content-type": "application/json"}, json.dumps(bucket.policy).encode())
    if what == "versioning":
        status = "<Status>Enabled</Status>" if bucket.versioned else ""
        return xml(f"<VersioningConfiguration>{status}</VersioningConfiguration>")
    if what == "lifecycle":
        if not bucket.expire:
            return error(404, "NoSuchLifecycleConfiguration")
        days = f"<DaysAfterInitiation>{bucket.expire}</DaysAfterInitiation>"
        return xml(
            "<LifecycleConfiguration><Rule><ID>a</ID><Prefix></Prefix><Status>Enabled</Status>"
            f"<AbortIncompleteMultipartUpload>{days}</AbortIncompleteMultipartUpload>"
            "</Rule></LifecycleConfiguration>"
        )
    if not bucket.origins:
        return error(404, "NoSuchCORSConfiguration")
    rules = "".join(
        f"<CORSRule><AllowedOrigin>{origin}</AllowedOrigin>"
        f"<AllowedMethod>{method}</AllowedMethod></CORSRule>"
        for origin, method in bucket.origins
    )
    return xml(f"<CORSConfiguration>{rules}</CORSConfiguration>")
