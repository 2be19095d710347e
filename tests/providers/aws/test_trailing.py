"""CloudTrail: the newest writes of the last day, without what their requests held."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import trio

from infrascan.model import ReadError, Reason, Resource
from infrascan.providers.aws import LISTINGS, trailing
from infrascan.providers.aws.kinds import kind
from tests.providers.aws.reader import Reader
from tests.providers.aws.test_paging import Pages, json_token
from tests.servers.proxy import Answer, Proxy, Seen

KIND = "aws.cloudtrail.event"
CANARY = "canary-Passw0rd-in-a-request"


def event(number: int, **record: Any) -> dict[str, Any]:
    whole = {
        "eventSource": "rds.amazonaws.com",
        "userIdentity": {
            "arn": "arn:aws:sts::123456789012:assumed-role/deploy/run-7",
            "sessionContext": {
                "sessionIssuer": {"arn": "arn:aws:iam::123456789012:role/deploy"},
                "attributes": {"mfaAuthenticated": "false"},
            },
        },
        "requestParameters": {
            "dBInstanceIdentifier": "orders-postgres",
            "dBInstanceClass": "db.r6g.xlarge",
            "masterUserPassword": CANARY,
            "nested": [{"groupId": "sg-1", "note": CANARY}],
        },
        "responseElements": {"credentials": {"secretAccessKey": CANARY}},
        **record,
    }
    return {
        "EventId": f"e-{number}",
        "EventName": "ModifyDBInstance",
        "EventSource": "rds.amazonaws.com",
        "EventTime": 1763616600 + number,
        "ReadOnly": "false",
        "Username": "run-7",
        "AccessKeyId": "ASIAIOSFODNN7EXAMPLE",
        "Resources": [{"ResourceType": "AWS::RDS::DBInstance", "ResourceName": "orders-postgres"}],
        "CloudTrailEvent": json.dumps(whole),
    }


def pages(endless: bool = False) -> Pages:
    def page(token: str) -> Answer:
        number = int(token or 0)
        body: dict[str, Any] = {"Events": [event(number)]}
        if endless or number < 2:
            body["NextToken"] = str(number + 1)
        content = {"content-type": "application/x-amz-json-1.1"}
        return Answer(200, content, json.dumps(body).encode())

    return Pages("cloudtrail.LookupEvents", json_token("NextToken"), page)


def read(
    answering: Callable[[Seen], Answer], point: Callable[..., None]
) -> tuple[list[Resource], ReadError | None]:
    async def run() -> tuple[list[Resource], ReadError | None]:
        reader = Reader()
        await reader.connect()
        return await reader.read(KIND)

    with Proxy("http://127.0.0.1:9") as running:
        point(running.url)
        running.fault = answering
        return trio.run(run)


def test_every_page_of_writes_is_read_and_only_writes_are_asked_for(
    point: Callable[..., None],
) -> None:
    bodies: list[dict[str, Any]] = []
    answering = pages()

    def noted(seen: Seen) -> Answer:
        if b"LookupAttributes" in seen.body:
            bodies.append(json.loads(seen.body))
        return answering(seen)

    found, error = read(noted, point)
    assert error is None
    assert [r.id for r in found] == ["e-0", "e-1", "e-2"]
    attribute = {"AttributeKey": "ReadOnly", "AttributeValue": "false"}
    assert {json.dumps(body["LookupAttributes"]) for body in bodies} == {json.dumps([attribute])}
    assert {body["EndTime"] - body["StartTime"] for body in bodies} == {86_400}


def test_of_a_request_only_names_are_kept(point: Callable[..., None]) -> None:
    found, _ = read(pages(), point)
    data = found[0].data
    assert data["targets"] == ["orders-postgres", "db.r6g.xlarge", "sg-1"]
    assert data["role"] == "arn:aws:iam::123456789012:role/deploy"
    assert data["error_code"] == ""
    text = json.dumps([r.data for r in found])
    assert CANARY not in text
    assert "ASIAIOSFODNN7EXAMPLE" not in text
    assert "CloudTrailEvent" not in text


def test_a_list_that_goes_on_is_said_to_be_cut(point: Callable[..., None]) -> None:
    found, error = read(pages(endless=True), point)
    assert len(found) == LISTINGS[KIND].most == 40
    assert error is not None
    assert error.reason is Reason.TRUNCATED
    assert "40 newest pages" in error.detail


def test_it_is_read_only_when_asked_for() -> None:
    assert kind(LISTINGS[KIND]).live
    assert kind(LISTINGS[KIND]).permissions == {"": "cloudtrail:LookupEvents"}


@pytest.mark.parametrize(
    "record", ["", "[]", "{", "null", "[" * 100_000, None, 7, '{"userIdentity": 3}']
)
def test_a_record_of_any_form_is_dropped_without_a_fault(record: Any) -> None:
    answer = {"Events": [{"EventId": "e", "CloudTrailEvent": record}, "text", None]}
    trailing.reduce(answer)
    assert answer["Events"][0] == {
        "EventId": "e", "error_code": "", "role": "", "invoked_by": "", "targets": [],
    }  # fmt: skip
