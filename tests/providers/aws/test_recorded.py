"""The tables on answers that AWS itself gave (`fixtures/aws/README.md`)."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import trio

from infrascan.collect.provider import Call
from infrascan.model import Partition, ReadError, Reason, Resource
from infrascan.providers.aws import LISTINGS, TABLES
from infrascan.providers.aws.calling import Caller, Place
from infrascan.providers.aws.fields import tree
from infrascan.providers.aws.reading import Reading
from infrascan.providers.aws.tables import Detail, Listing
from tests.providers.aws.reader import REGION
from tests.providers.aws.test_tables import has
from tests.servers.aws_estate import OBSERVED

FILE = Path(__file__).parents[3] / "fixtures/aws/recorded.jsonl"
ANSWERS: dict[str, list[Any]] = defaultdict(list)
for line in FILE.read_text(encoding="utf-8").splitlines():
    entry = json.loads(line)
    ANSWERS[entry["api"]].append(entry["answer"])
LISTED = [
    (listing.kind, number)
    for listing in TABLES
    # Of alarms, the recorded answers were asked for those on a metric.
    if listing.kind != "aws.cloudwatch.composite_alarm"
    for number in range(len(ANSWERS.get(f"{listing.service}.{listing.operation}", ())))
]


def read(listing: Listing, number: int) -> tuple[list[Resource], ReadError | None]:
    """Read a partition whose every call is answered from the recordings, or denied."""

    async def ask(call: Call) -> Any:
        answers = ANSWERS.get(call.api)
        if not answers:
            raise ReadError(Reason.DENIED, "not recorded")
        answer = json.loads(json.dumps(answers[number % len(answers)]))
        for name, path in listing.paging:
            if call.params.get(name):
                answer.pop(path.partition(".")[0], None)  # the recording holds one page
        return answer

    found: list[Resource] = []
    partition = Partition(
        provider="aws",
        account="644160558196",
        region=REGION if listing.regional else "",
        kind=listing.kind,
    )
    place = Place(profile="default", partition="aws", home="us-east-1", observed=OBSERVED)

    async def work() -> ReadError | None:
        try:
            await Reading(listing, Caller(partition, place, ask), found.append).run()
        except ReadError as error:
            return error
        return None

    return found, trio.run(work)


def test_most_lists_have_a_recorded_answer() -> None:
    assert len({kind for kind, _ in LISTED}) >= 36


@pytest.mark.parametrize(("kind", "number"), LISTED)
def test_each_recorded_item_has_an_id_a_name_and_tags_as_a_map(kind: str, number: int) -> None:
    listing = LISTINGS[kind]
    found, error = read(listing, number)
    if listing.parents and f"{listing.service}.{listing.parents[0].operation}" not in ANSWERS:
        assert error is not None
        return
    assert error is None or error.reason is Reason.TRUNCATED, error
    for resource in found:
        assert "{" not in resource.id
        assert resource.id.startswith(("arn:", "/hostedzone/")), resource.id
        assert resource.name
        if "tags" in resource.data:
            assert all(isinstance(value, str) for value in resource.data["tags"].values())
        for field in resource.data:
            assert has(tree(listing), field), field


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        (listing.kind, detail.field)
        for listing in TABLES
        for detail in listing.details
        if isinstance(detail, Detail)
        and detail.field
        and not detail.when
        and ANSWERS.get(f"{detail.service or listing.service}.{detail.operation}")
        and ANSWERS.get(f"{listing.service}.{listing.operation}", [0])
        and not listing.parents
    ],
)
def test_each_recorded_detail_is_read(kind: str, field: str) -> None:
    listing = LISTINGS[kind]
    for number in range(2):
        found, _ = read(listing, number)
        for resource in found:
            assert field in resource.data, resource.unread.get(field)
