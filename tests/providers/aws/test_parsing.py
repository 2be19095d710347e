"""What the strict parsers take and refuse, and how errors are read."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, NoCredentialsError, ReadTimeoutError
from botocore.model import ShapeResolver, StructureShape
from botocore.parsers import ResponseParserError

from infrascan.model import Reason
from infrascan.providers.aws.errors import DENIED, DISABLED, THROTTLED, UNAUTHENTICATED, translated
from infrascan.providers.aws.parsing import PARSERS, Factory, moment
from tests.servers.proxy import HTML

SHAPE = StructureShape(
    "Out",
    {"type": "structure", "members": {"a": {"shape": "N"}}},
    ShapeResolver({"N": {"type": "integer"}}),
)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("2026-11-21T09:30:00Z", "2026-11-21T09:30:00Z"),
        ("2026-11-21T09:30:00.123Z", "2026-11-21T09:30:00Z"),
        ("2026-11-21T11:30:00+02:00", "2026-11-21T09:30:00Z"),
        ("2026-11-21T09:30:00", "2026-11-21T09:30:00Z"),
        (1795253400, "2026-11-21T09:30:00Z"),
        (1795253400.5, "2026-11-21T09:30:00Z"),
        ("1795253400", "2026-11-21T09:30:00Z"),
        ("Sat, 21 Nov 2026 09:30:00 GMT", "2026-11-21T09:30:00Z"),
        ("", None),
        (None, None),
    ],
)
def test_times_in_every_form_become_one(given: object, expected: str | None) -> None:
    assert moment(given) == expected


@pytest.mark.parametrize("protocol", PARSERS)
def test_an_html_page_with_status_200_is_refused(protocol: str) -> None:
    answer = {"status_code": 200, "headers": {}, "body": HTML, "context": {}}
    with pytest.raises(ResponseParserError):
        Factory().create_parser(protocol).parse(answer, None)


@pytest.mark.parametrize("protocol", PARSERS)
def test_an_html_page_with_an_error_status_keeps_the_status(protocol: str) -> None:
    answer = {"status_code": 502, "headers": {"Retry-After": "3"}, "body": HTML, "context": {}}
    parsed = Factory().create_parser(protocol).parse(answer, None)
    error = translated(ClientError(parsed, "Anything"))
    assert error.reason is Reason.UNREACHABLE
    assert error.code == "502"
    assert error.retry_after == 3


@pytest.mark.parametrize("body", [b"[]", b'{"a": 1', b'"text"', b"null"])
def test_json_that_is_no_object_is_refused(body: bytes) -> None:
    answer = {"status_code": 200, "headers": {}, "body": body, "context": {}}
    with pytest.raises(ResponseParserError):
        Factory().create_parser("json").parse(answer, SHAPE)


def refused(code: str, status: int, message: str = "") -> ClientError:
    return ClientError(
        {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": {}},
        },
        "Anything",
    )


@pytest.mark.parametrize(
    ("codes", "reason"),
    [
        (DENIED, Reason.DENIED),
        (THROTTLED, Reason.THROTTLED),
        (UNAUTHENTICATED, Reason.UNAUTHENTICATED),
        (DISABLED, Reason.DISABLED),
    ],
)
def test_each_error_code_has_one_reason(codes: frozenset[str], reason: Reason) -> None:
    for code in codes:
        assert translated(refused(code, 400)).reason is reason
    assert len(DENIED | THROTTLED | UNAUTHENTICATED | DISABLED) == sum(
        map(len, (DENIED, THROTTLED, UNAUTHENTICATED, DISABLED))
    )


def test_a_forbidden_answer_without_a_known_code_is_denied() -> None:
    assert translated(refused("SomethingNew", 403)).reason is Reason.DENIED


def test_a_server_error_has_a_code_that_reads_as_passing() -> None:
    assert translated(refused("InternalError", 500)).code == "500 InternalError"


def test_a_refusal_with_another_code_keeps_the_code() -> None:
    error = translated(refused("NoSuchBucketPolicy", 404))
    assert error.code == "NoSuchBucketPolicy"


@pytest.mark.parametrize(
    ("message", "action"),
    [
        ("User: x is not authorized to perform: s3:ListAllMyBuckets", "s3:ListAllMyBuckets"),
        ("User: x is not authorized to perform: kms:Decrypt on resource: y because", "kms:Decrypt"),
        (
            "x is not authorized to perform: access-analyzer:ListAnalyzers.",
            "access-analyzer:ListAnalyzers",
        ),
        ("Access Denied", ""),
    ],
)
def test_the_permission_is_taken_from_the_message(message: str, action: str) -> None:
    assert translated(refused("AccessDenied", 403, message)).permission == action


def test_what_the_sdk_raises_itself_has_a_reason() -> None:
    assert translated(NoCredentialsError()).reason is Reason.UNAUTHENTICATED
    slow = ReadTimeoutError(endpoint_url="https://x")
    assert translated(slow).reason is Reason.TIMED_OUT
