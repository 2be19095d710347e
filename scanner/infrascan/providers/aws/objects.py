"""S3 for other providers: one object with the credentials at hand, or another vendor's buckets."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3.session
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from infrascan.model import ReadError, Reason
from infrascan.providers.aws.errors import translated
from infrascan.providers.aws.models import loader
from infrascan.providers.aws.sending import AGENT, CONNECT_SECONDS, HOME, READ_SECONDS

LARGEST = 256 << 20  # bytes
SESSION = "infrascan"  # the name under which a role is taken: it shows in CloudTrail
SHORTEST = 900  # seconds, the least that a role is given for


def fetch(
    bucket: str,
    key: str,
    region: str = "",
    profile: str = "",
    endpoint: str = "",
    roles: Sequence[Mapping[str, str]] = (),
) -> dict[str, Any]:
    """The object's bytes under `body`, and how it is kept. Blocks. Raises `ReadError`.

    `endpoint` is that of another store with S3's interface. `roles` are taken one after another,
    each a mapping of AssumeRole's parameters. An object or bucket that is not there has the code
    NoSuchKey or NoSuchBucket.
    """
    with refusals():
        inner = botocore.session.Session(profile=profile or None)
        inner.register_component("data_loader", loader())
        session = boto3.session.Session(botocore_session=inner)
        place = region or session.region_name or HOME
        for role in roles:
            session = assumed(session, place, role)
        client = session.client(
            "s3", region_name=place, endpoint_url=endpoint or None, config=settings()
        )
        with closing(client):
            answer = client.get_object(Bucket=bucket, Key=key)
            if answer.get("ContentLength", 0) > LARGEST:
                detail = f"the object is larger than {LARGEST >> 20} MB"
                raise ReadError(Reason.TRUNCATED, detail, code="size")
            with closing(answer["Body"]) as body:
                text = body.read()
    return {
        "body": text,
        "encryption": answer.get("ServerSideEncryption"),
        "kms_key": answer.get("SSEKMSKeyId"),
        "versioned": answer.get("VersionId") not in (None, "", "null"),
        "modified": answer["LastModified"].strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def settings(**more: Any) -> Config:
    return Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": 1},
        user_agent=AGENT,
        **more,
    )


def assumed(
    session: boto3.session.Session, region: str, role: Mapping[str, str]
) -> boto3.session.Session:
    """A session in a role that the given one may take."""
    with closing(session.client("sts", region_name=region, config=settings())) as client:
        given: dict[str, Any] = {
            "RoleSessionName": SESSION,
            "DurationSeconds": SHORTEST,
            **role,
        }
        try:
            taken = client.assume_role(**given)["Credentials"]
        except ParamValidationError as error:
            detail = f"{role.get('RoleArn')} cannot be taken: its settings are of another form"
            raise ReadError(Reason.MALFORMED, detail, call="sts.AssumeRole") from error
        except ClientError as error:
            refused = translated(error)
            refused.detail = f"{role.get('RoleArn')} cannot be taken: {refused.detail}"
            refused.permission = "sts:AssumeRole"
            raise refused from error
    return boto3.session.Session(
        aws_access_key_id=taken["AccessKeyId"],
        aws_secret_access_key=taken["SecretAccessKey"],
        aws_session_token=taken["SessionToken"],
    )


@dataclass(eq=False)
class Store:
    """The buckets of another vendor with S3's interface. Nothing of AWS's own credentials goes there.

    Regions share the model of S3 and one pool of connections: a model parsed for each took more
    time and memory than all else in a scan.
    """

    key: str
    secret: str
    session: Any = field(init=False)
    transport: Any = None

    def __post_init__(self) -> None:
        # It is not the profile's: what variables and files of AWS say must not count.
        self.session = botocore.session.Session(
            session_vars={
                "profile": (None, None, None, None),
                "config_file": (None, None, os.devnull, None),
                "credentials_file": (None, None, os.devnull, None),
            }
        )
        self.session.register_component("data_loader", loader())

    def client(self, endpoint: str, region: str) -> Any:
        """A client for one region."""
        client = self.session.create_client(
            "s3",
            region_name=region,
            endpoint_url=endpoint,
            aws_access_key_id=self.key,
            aws_secret_access_key=self.secret,
            config=settings(s3={"addressing_style": "path"}),
        )
        inner = client._endpoint
        if self.transport is None:
            self.transport = inner.http_session
        else:
            inner.http_session.close()
            inner.http_session = self.transport
        return client


@contextmanager
def refusals() -> Iterator[None]:
    """Turn botocore's errors into `ReadError`."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise translated(error) from error
