"""What was written to AWS: the management events that CloudTrail keeps for ninety days.

Read only when asked for: the newest of the last day, two calls a second for each region, as AWS
allows. Of the record that an event brings, which holds the whole request, only names are kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from infrascan import redact
from infrascan.providers.aws.tables import NEXT_TOKEN, Listing

EVENTS = Listing(
    kind="aws.cloudtrail.event",
    title="Write to AWS that CloudTrail saw",
    service="cloudtrail",
    operation="LookupEvents",
    items="Events[]",
    params={
        "LookupAttributes": [{"AttributeKey": "ReadOnly", "AttributeValue": "false"}],
        "StartTime": "{day_ago}",
        "EndTime": "{now}",
        "MaxResults": 50,
    },
    paging=NEXT_TOKEN,
    most=40,
    live=True,
    # Filled on arrival, from the record; the templates only say that they are there.
    adds={
        "error_code": "{error_code|}",
        "role": "{role|}",
        "invoked_by": "{invoked_by|}",
        "targets": ["{targets|}"],
    },
    id="{EventId}",
    name=("EventName", "EventId"),
)
TABLES = (EVENTS,)

NAMES = re.compile(
    r"(?i)(?:id|arn|name|identifier|cluster|service|taskdefinition|bucket|instanceclass"
    r"|desiredcount|image|imageuri|hostedzoneid)$"
)
LONGEST = 300  # characters of a name
DEEPEST = 4
MOST = 20


def reduce(answer: Any) -> None:
    """Replace each event's record by the names in it. In place, as answers arrive."""
    events = answer.get("Events") if isinstance(answer, dict) else None
    for event in events if isinstance(events, list) else ():
        if not isinstance(event, dict):
            continue
        event.pop("AccessKeyId", None)
        record = parsed(event.pop("CloudTrailEvent", None))
        identity = mapping(record.get("userIdentity"))
        issuer = mapping(mapping(identity.get("sessionContext")).get("sessionIssuer"))
        event["error_code"] = text(record.get("errorCode"))
        event["role"] = text(issuer.get("arn")) or text(identity.get("arn"))
        event["invoked_by"] = text(identity.get("invokedBy"))
        found = dict.fromkeys(names(record.get("requestParameters"), 0))
        event["targets"] = list(found)[:MOST]


def parsed(record: Any) -> dict[str, Any]:
    if not isinstance(record, str):
        return {}
    try:
        return mapping(json.loads(record))
    except (ValueError, RecursionError):
        return {}


def mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def text(value: Any) -> str:
    return redact.text(value[:LONGEST]) if isinstance(value, str) else ""


def names(value: Any, depth: int) -> Iterator[str]:
    """Values under keys that say they are names or ids, wherever they stand in a request."""
    if depth > DEEPEST:
        return
    if isinstance(value, list):
        for item in value:
            yield from names(item, depth + 1)
    for key, item in mapping(value).items():
        if isinstance(item, dict | list):
            yield from names(item, depth + 1)
        elif isinstance(item, str) and NAMES.search(key) and is_plain(key, item):
            yield item


def is_plain(key: str, item: str) -> bool:
    return 0 < len(item) <= LONGEST and not redact.secret_class(key, item)
