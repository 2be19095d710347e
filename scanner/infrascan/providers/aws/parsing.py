"""Parsers that refuse what botocore's would take for an empty answer.

Given an HTML page or half a JSON document under status 200, botocore's parsers find none of the
keys they look for and say nothing. These raise. They also keep times as strings.
"""

from __future__ import annotations

import base64
import http.client
import json
import re
import struct
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from botocore import parsers

ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
FAULTS = (AttributeError, KeyError, IndexError, TypeError, ValueError, struct.error)


def moment(value: Any) -> str | None:
    """A timestamp, in whatever form AWS gives it, as "2026-11-21T09:30:00Z"."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        if ISO.match(value):
            if value.endswith("Z"):
                return value[:19] + "Z"
            return zulu(datetime.fromisoformat(value))
        try:
            value = float(value)
        except ValueError:
            return zulu(parsedate_to_datetime(value))
    if isinstance(value, datetime):
        return zulu(value)
    return zulu(datetime.fromtimestamp(value, UTC))


def zulu(when: datetime) -> str:
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def text_of(blob: Any) -> str:
    """A blob of JSON and XML, which is base64, as the text that the ones we read hold."""
    return base64.b64decode(blob).decode("utf-8", "replace")


class Strict:
    """Mixed into a parser of botocore's: an answer of the wrong form is an error."""

    refusing = False

    def parse(self, response: Any, shape: Any) -> Any:
        self.refusing = response["status_code"] < 300
        if self.refusing:
            refuse_html(response)
            if not response["body"] and shape is not None and shape.members:
                raise parsers.ResponseParserError("the answer is empty")
        try:
            return super().parse(response, shape)  # type: ignore[misc]
        except (*FAULTS, parsers.ResponseParserError) as error:
            if not self.refusing:  # a page of a proxy instead of an error in the service's form
                return generic(response)
            raise parsers.ResponseParserError(f"an answer of the wrong form: {error}") from error

    def _parse_body_as_json(self, body: bytes) -> Any:
        if not self.refusing:
            return super()._parse_body_as_json(body)  # type: ignore[misc]
        found = json.loads(body) if body else {}
        if not isinstance(found, dict):
            raise parsers.ResponseParserError("the answer is not a JSON object")
        return found


def generic(response: Any) -> dict[str, Any]:
    """What is left to say of an error that is not in the service's form: its status."""
    status = response["status_code"]
    headers = {str(name).lower(): value for name, value in response["headers"].items()}
    return {
        "Error": {"Code": str(status), "Message": http.client.responses.get(status, "")},
        "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": headers},
    }


def refuse_html(response: Any) -> None:
    body = response["body"]
    start = bytes(body[:256]).lstrip().lower() if isinstance(body, bytes | bytearray) else b""
    if start.startswith((b"<!doctype html", b"<html")):
        raise parsers.ResponseParserError("the answer is an HTML page")


class Ec2(Strict, parsers.EC2QueryParser): ...  # type: ignore[misc]


class Query(Strict, parsers.QueryParser): ...  # type: ignore[misc]


class Json(Strict, parsers.JSONParser): ...  # type: ignore[misc]


class RestJson(Strict, parsers.RestJSONParser): ...  # type: ignore[misc]


class RestXml(Strict, parsers.RestXMLParser): ...  # type: ignore[misc]


class Cbor(Strict, parsers.RpcV2CBORParser): ...  # type: ignore[misc]


PARSERS = {
    "ec2": Ec2,
    "query": Query,
    "json": Json,
    "rest-json": RestJson,
    "rest-xml": RestXml,
    "smithy-rpc-v2-cbor": Cbor,
}


class Factory(parsers.ResponseParserFactory):  # type: ignore[misc]
    """Makes strict parsers."""

    def create_parser(self, protocol_name: str) -> Any:
        return PARSERS[protocol_name](timestamp_parser=moment, blob_parser=text_of)
