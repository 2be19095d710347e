"""Resource Graph: its pages, its quota, and what it leaves out without a word."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from infrascan.collect.provider import Call
from infrascan.model import ReadError, Reason
from infrascan.providers.azure import IN_GRAPH
from infrascan.providers.azure.inventory import APART, PAGE, Right, packed
from infrascan.providers.azure.tables import GRAPH
from tests.providers.azure.estate import GROUP, ONE, item, opened, read, scanned
from tests.servers.azure import AzureServer, refused
from tests.servers.rest import Request, json_answer

DISKS = "Microsoft.Compute/disks"


def graphed(request: Request) -> bool:
    return request.path == "/providers/Microsoft.ResourceGraph/resources"


def test_a_throttled_query_is_made_again(server: AzureServer):
    refusals = iter([refused(429, "RateLimiting", **{"x-ms-user-quota-resets-after": "00:00:00"})])
    server.fault = lambda request: next(refusals, None) if graphed(request) else None
    found = scanned(ONE)
    assert not found.gaps
    assert sum(map(graphed, server.requests)) == 2


def test_a_throttled_query_that_asks_for_too_long_is_a_gap_of_every_kind(server: AzureServer):
    server.fault = lambda request: (
        refused(429, "RateLimiting", **{"retry-after": "900"}) if graphed(request) else None
    )
    found = scanned(ONE)
    assert {gap.kind for gap in found.gaps} == {listing.kind for listing in IN_GRAPH}
    assert {gap.reason for gap in found.gaps} == {Reason.THROTTLED}
    assert sum(map(graphed, server.requests)) == 1


def test_fewer_rows_than_promised_are_a_gap(server: AzureServer):
    def short(request: Request):
        if not graphed(request):
            return None
        rows = [item(DISKS)]
        return json_answer({"totalRecords": 3, "count": 1, "data": rows, "resultTruncated": "true"})

    server.fault = short
    found, error = read("azure.compute.disk")
    assert len(found) == 1
    assert error and error.reason is Reason.TRUNCATED
    assert "1 of 3" in error.detail
    assert error.permission == "Microsoft.Compute/disks/read"


def test_a_truncated_answer_is_a_gap_even_if_the_numbers_agree(server: AzureServer):
    server.fault = lambda request: (
        json_answer({"totalRecords": 0, "data": [], "resultTruncated": "true"})
        if graphed(request)
        else None
    )
    assert read("azure.compute.disk")[1].reason is Reason.TRUNCATED


def test_pages_that_go_round_are_a_gap(server: AzureServer):
    server.fault = lambda request: (
        json_answer({"totalRecords": 9, "data": [item(DISKS)], "$skipToken": "again"})
        if graphed(request)
        else None
    )
    _, error = read("azure.compute.disk")
    assert error and error.reason is Reason.TRUNCATED
    assert "led back" in error.detail


def test_an_answer_without_a_total_is_a_gap(server: AzureServer):
    server.fault = lambda request: json_answer({"data": []}) if graphed(request) else None
    assert read("azure.compute.disk")[1].reason is Reason.MALFORMED


def test_rows_that_the_role_hides_are_a_gap_of_their_kind_alone(server: AzureServer):
    """Resource Graph leaves out what the identity may not read, and says nothing."""
    server.estate.rights[ONE] = [
        {"actions": ["*/read"], "notActions": ["Microsoft.Compute/disks/*"]}
    ]
    found = scanned(ONE)
    (gap,) = found.gaps
    assert gap.kind == "azure.compute.disk"
    assert gap.reason is Reason.DENIED
    assert gap.permission == "Microsoft.Compute/disks/read"


def test_a_role_on_one_group_only_hides_every_kind(server: AzureServer):
    server.estate.rights[ONE] = []
    found = scanned(ONE)
    hidden = {gap.kind for gap in found.gaps if gap.reason is Reason.DENIED}
    assert hidden == {listing.kind for listing in IN_GRAPH}
    assert found.resources  # what can be seen is kept


def test_rights_that_cannot_be_read_leave_every_kind_open(server: AzureServer):
    server.estate.denied["/permissions"] = "Microsoft.Authorization/permissions/read"
    _, error = read("azure.compute.disk")
    assert error and error.reason is Reason.DENIED
    assert error.permission == "Microsoft.Authorization/permissions/read"


@pytest.mark.parametrize(
    ("actions", "excluded", "allowed"),
    [
        (["*"], [], True),
        (["*/read"], [], True),
        (["Microsoft.Compute/*"], [], True),
        (["microsoft.compute/DISKS/read"], [], True),
        (["Microsoft.Compute/disks/write"], [], False),
        (["*"], ["Microsoft.Compute/*/read"], False),
        ([], [], False),
    ],
)
def test_wildcards_of_roles(actions, excluded, allowed):
    assert Right(actions, excluded).allows("Microsoft.Compute/disks/read") is allowed


def test_small_subscriptions_share_a_query(server: AzureServer):
    ids = [f"{n:08d}-0000-4000-8000-000000000000" for n in range(20)]
    server.estate.subscriptions = {one: f"s{one}" for one in ids}
    server.estate.resources = [item(DISKS, f"d{n}", one) for one in ids for n in range(3)]
    found = scanned()
    assert not found.gaps
    assert sum(r.kind == "azure.compute.disk" for r in found.resources) == 60
    assert sum(map(graphed, server.requests)) == 2  # how many, and all of them


def test_when_counting_fails_each_subscription_is_asked_for_itself(server: AzureServer):
    ids = [f"{n:08d}-0000-4000-8000-000000000000" for n in range(6)]
    server.estate.subscriptions = {one: f"s{one}" for one in ids}
    server.estate.resources = [item(DISKS, "d", one) for one in ids]
    server.fault = lambda request: (
        refused(400, "BadRequest")
        if graphed(request) and b"summarize" in request.seen.body
        else None
    )
    found = scanned()
    assert not found.gaps
    assert sum(map(graphed, server.requests)) == 1 + len(ids) > APART


@pytest.mark.parametrize(
    ("rows", "groups"),
    [
        ({}, [["a"], ["b"], ["c"]]),
        ({"a": 400, "b": 600, "c": 1}, [["a", "b"], ["c"]]),
        ({"a": 5 * PAGE, "b": 1, "c": 1}, [["a"], ["b", "c"]]),
    ],
)
def test_groups_of_subscriptions(rows, groups):
    assert packed(["a", "b", "c"], rows) == groups


def test_a_used_up_quota_is_waited_for(server: AzureServer):
    server.quota = ("0", "00:00:03")
    server.page = 40
    provider = opened()

    async def work() -> float:
        call = Call(
            provider="azure",
            account="",
            region="",
            api=GRAPH,
            params={"subscriptions": [ONE], "query": "x", "options": {"$top": 1}},
        )
        with pytest.raises(ReadError):  # the query is none that the server knows
            await provider.send(call)
        provider.quota_from = trio.current_time() + 3
        began = trio.current_time()
        with pytest.raises(ReadError):
            await provider.send(call)
        provider.close()
        return trio.current_time() - began

    assert trio.run(work, clock=trio.testing.MockClock(autojump_threshold=0.2)) >= 3


def test_the_quota_header_is_noted(server: AzureServer):
    server.quota = ("0", "00:00:00.2")
    provider = opened()
    found, error = read("azure.compute.disk", provider)
    assert error is None and found
    assert provider.quota_from > 0


def test_answers_with_odd_rows_are_no_crash(server: AzureServer):
    rows = [
        {"type": "microsoft.compute/disks", "id": f"{GROUP}/providers/{DISKS}/a", "odd": [1]},
        {"type": "microsoft.compute/disks"},
        {"id": 7, "type": 8},
        {"id": f"{GROUP}/providers/{DISKS}/b", "type": "Microsoft.Compute/Disks", "tags": None},
    ]
    server.fault = lambda request: (
        json_answer({"totalRecords": 4, "data": rows}) if graphed(request) else None
    )
    found, error = read("azure.compute.disk")
    assert sorted(one.name for one in found) == [
        f"{GROUP}/providers/{DISKS}/a",
        f"{GROUP}/providers/{DISKS}/b",
    ]
    assert error and (error.reason, error.detail) == (Reason.MALFORMED, "a row has no id")


def bared(server: AzureServer, kind: str) -> None:
    """Take the properties out of the estate's resources of a type, as the graph does."""
    for one in server.estate.resources:
        if one["type"] == kind:
            one["properties"] = None


def test_properties_that_the_graph_keeps_back_are_unread(server: AzureServer):
    bared(server, DISKS)
    found, error = read("azure.compute.disk")
    assert error is None
    assert "properties" not in found[0].data
    gap = found[0].unread["properties"]
    assert (gap.reason, gap.permission) == (Reason.DENIED, "Microsoft.Compute/disks/read")


def test_what_lies_inside_of_properties_kept_back_is_not_absent(server: AzureServer):
    bared(server, "Microsoft.Network/virtualNetworks")
    found, error = read("azure.network.subnet")
    assert not found
    assert error and error.reason is Reason.DENIED
    assert "without what is inside" in error.detail


def test_no_row_without_properties_passes_for_whole(server: AzureServer):
    """Not even one whose fields we make of them."""
    for one in server.estate.resources:
        one["properties"] = None
    found = scanned(ONE)
    told = {gap.kind for gap in found.gaps}
    assert told == {listing.kind for listing in IN_GRAPH}
    assert not [gap for gap in found.gaps if gap.reason is Reason.BUG]
