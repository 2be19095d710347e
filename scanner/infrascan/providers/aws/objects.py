"""One object of S3, read with the credentials at hand: for providers whose data lies in a bucket."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import boto3.session
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from infrascan.model import ReadError, Reason
from infrascan.providers.aws.errors import translated
from infrascan.providers.aws.sending import AGENT, CONNECT_SECONDS, HOME, READ_SECONDS

LARGEST = 256 << 20  # bytes


def fetch(bucket: str, key: str, region: str = "", profile: str = "") -> dict[str, Any]:
    """The object's bytes under `body`, and how it is kept. Blocks. Raises `ReadError`.

    An object or bucket that is not there has the code NoSuchKey or NoSuchBucket.
    """
    try:
        inner = botocore.session.Session(profile=profile or None)
        session = boto3.session.Session(botocore_session=inner)
        client = session.client(
            "s3",
            region_name=region or session.region_name or HOME,
            config=Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                retries={"mode": "standard", "total_max_attempts": 1},
                user_agent=AGENT,
            ),
        )
        with closing(client):
            answer = client.get_object(Bucket=bucket, Key=key)
            if answer.get("ContentLength", 0) > LARGEST:
                detail = f"the object is larger than {LARGEST >> 20} MB"
                raise ReadError(Reason.TRUNCATED, detail, code="size")
            with closing(answer["Body"]) as body:
                text = body.read()
    except (BotoCoreError, ClientError) as error:
        raise translated(error) from error
    return {
        "body": text,
        "encryption": answer.get("ServerSideEncryption"),
        "kms_key": answer.get("SSEKMSKeyId"),
        "versioned": answer.get("VersionId") not in (None, "", "null"),
        "modified": answer["LastModified"].strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
