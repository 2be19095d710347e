"""Each call fails in turn, in each way: nothing crashes, nothing passes for absent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import trio

from infrascan import redact
from infrascan.collect.provider import Call, Selection
from infrascan.model import Partition, ReadError, Reason, Resource
from infrascan.providers.gcp import Gcp
from infrascan.providers.gcp.errors import meaning, rest, seconds
from infrascan.providers.gcp.kinds import ASSETS
from infrascan.providers.http import Answer as HttpAnswer
from tests.providers.gcp.conftest import Start
from tests.providers.gcp.estate import OBSERVED, PROJECT, Reader, everything
from tests.providers.rest_faults import FAULTS
from tests.servers.gcp import GcpServer, Refusal, error, matched
from tests.servers.rest import Request

STATUSES = {
    "PERMISSION_DENIED": Reason.DENIED,
    "UNAUTHENTICATED": Reason.UNAUTHENTICATED,
    "RESOURCE_EXHAUSTED": Reason.THROTTLED,
    "DEADLINE_EXCEEDED": Reason.TIMED_OUT,
    "UNAVAILABLE": Reason.UNREACHABLE,
    "INTERNAL": Reason.UNREACHABLE,
    "NOT_FOUND": Reason.DISABLED,
    "UNIMPLEMENTED": Reason.DISABLED,
    "FAILED_PRECONDITION": Reason.MALFORMED,
    "INVALID_ARGUMENT": Reason.DISABLED,  # each type by itself is not listed
}


@pytest.mark.parametrize("content", ["RESOURCE", "IAM_POLICY", "ORG_POLICY"])
@pytest.mark.parametrize("status", STATUSES)
def test_an_inventory_that_fails(start: Start, status: str, content: str):
    server = start()
    reader = Reader()
    trio.run(reader.connect)

    def fault(asked: Any) -> Refusal | None:
        return Refusal(status, "no") if asked["content"] == content else None

    server.fault = fault
    found: list[Resource] = []
    errors: list[ReadError] = []

    async def main() -> None:
        for partition in await reader.gcp.partitions(reader.ask):
            if not ASSETS[partition.kind].types or ASSETS[partition.kind].recommenders:
                continue
            try:
                await reader.gcp.read(partition, reader.ask, found.append)
            except ReadError as failure:
                errors.append(failure)
        await reader.hang_up()
        reader.gcp.close()

    trio.run(main)
    if content == "RESOURCE" and status == "INVALID_ARGUMENT":
        assert found  # the services were asked instead
        return
    if content == "RESOURCE":
        assert not found
        assert {failure.reason for failure in errors} == {STATUSES[status]}
        assert {failure.call for failure in errors} == {"cloudasset.ListAssets"}
        return
    assert not errors
    field = "iam_policy" if content == "IAM_POLICY" else "org_policies"
    for resource in found:
        if field in resource.unread:
            assert resource.unread[field].reason is STATUSES[status]
            assert field not in resource.data
    if field == "iam_policy":
        assert len([r for r in found if field in r.unread]) > 5


def served() -> list[str]:
    """The lists of services that the small estate leads to, and what is asked beside them."""
    found: dict[str, None] = {}
    for table in ASSETS.values():
        if table.rest:
            calls = (*table.rest.parents, table.rest, *table.rest.details)
            found.update((f"{table.kind} {call.api}", None) for call in calls)
    return list(found)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[GcpServer, Gcp]]:
    """The server, and a provider that has connected without the inventory: once for all cases."""
    estate = everything()
    estate.off.add("cloudasset.googleapis.com")
    reader = Reader()

    async def main() -> None:
        await reader.connect()
        await reader.gcp.partitions(reader.ask)

    with GcpServer(estate) as server, pytest.MonkeyPatch.context() as patch:
        for name, value in server.environment(tmp_path_factory.mktemp("key")).items():
            patch.setenv(name, value)
        trio.run(main)
        yield server, reader.gcp


@pytest.fixture
def opened(
    shared: tuple[GcpServer, Gcp], outside: None, monkeypatch: pytest.MonkeyPatch
) -> tuple[GcpServer, Gcp]:
    server, gcp = shared
    for name, value in server.endpoints().items():
        monkeypatch.setenv(name, value)
    server.rest.fault = None
    return server, gcp


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("case", served())
def test_a_service_that_fails(opened: tuple[GcpServer, Gcp], case: str, fault: str):
    server, gcp = opened
    kind, _, api = case.partition(" ")
    answer, reasons = FAULTS[fault]
    calls: list[str] = []

    def failing(request: Request) -> Any:
        service, _, path = request.path.removeprefix("/at-").partition("/")
        if matched(api, request.method, f"{service}.googleapis.com/{path}") is None:
            return None
        calls.append(request.path)
        return answer

    server.rest.fault = failing
    found: list[Resource] = []
    failure: ReadError | None = None

    async def ask(call: Call) -> Any:
        try:
            return redact.scrub(await gcp.send(call))
        except ReadError as refused:
            refused.call = refused.call or call.api
            raise

    async def main() -> None:
        nonlocal failure
        place = Partition(provider="gcp", account=PROJECT, region="", kind=kind)
        try:
            await gcp.read(place, ask, found.append)
        except ReadError as refused:
            failure = refused
        finally:
            for client in gcp.sender.clients.values() if gcp.sender else ():
                if client.opened:
                    await client.opened.aclose()
                    client.opened = None

    trio.run(main)
    if not calls:
        return  # nothing of this kind leads to it
    if fault in {"other", "null"}:
        return  # Google leaves lists out when there is nothing in them
    gaps = [gap for resource in found for gap in resource.unread.values() if gap.call == api]
    assert failure or gaps, "it failed without a word"
    if failure and failure.call == api:
        assert failure.reason in reasons
    assert {gap.reason for gap in gaps} <= reasons


def test_the_older_form_of_an_error():
    slow = error(Refusal("", "Rate Limit Exceeded", old="rateLimitExceeded"), 403)
    import json

    found = rest(HttpAnswer(403, {}, json.loads(slow.body)))
    assert found is not None
    assert found.reason is Reason.THROTTLED
    off = error(Refusal("", "Access Not Configured", old="accessNotConfigured"), 403)
    found = rest(HttpAnswer(403, {}, json.loads(off.body)))
    assert found is not None
    assert found.reason is Reason.DISABLED
    assert rest(HttpAnswer(502, {}, "<html>")) is None
    assert rest(HttpAnswer(403, {}, {"message": "a proxy's"})) is None


@pytest.mark.parametrize(
    ("message", "permission"),
    [
        ("Permission 'pubsub.topics.list' denied on resource 'x'", "pubsub.topics.list"),
        ("Required 'compute.disks.list' permission for 'projects/p'", "compute.disks.list"),
        ("a@b does not have storage.buckets.list access to the project.", "storage.buckets.list"),
        ("The caller does not have permission", ""),
    ],
)
def test_the_missing_permission_is_named(message: str, permission: str):
    found = meaning("PERMISSION_DENIED", message)
    assert (found.reason, found.permission) == (Reason.DENIED, permission)


def test_reasons():
    off = meaning("PERMISSION_DENIED", "Cloud DNS API has not been used in project 7 before or it is disabled. Visit x dns.googleapis.com")  # fmt: skip
    assert off.reason is Reason.DISABLED
    assert "gcloud services enable dns.googleapis.com --project 7" in off.detail
    assert meaning("PERMISSION_DENIED", "This API method requires billing to be enabled.").reason is Reason.DISABLED  # fmt: skip
    wait = meaning("RESOURCE_EXHAUSTED", "Quota", [{"retryDelay": "3.5s"}])
    assert (wait.reason, wait.retry_after) == (Reason.THROTTLED, 3.5)
    assert seconds("soon") is None
    info = {"reason": "IAM_PERMISSION_DENIED", "metadata": {"permission": "a.b.list"}}
    assert meaning("PERMISSION_DENIED", "no", [info]).permission == "a.b.list"


def test_a_server_that_is_not_there(server: GcpServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDASSET", "localhost:1")
    (found,) = trio.run(Reader().connect)
    assert found.reason is Reason.UNREACHABLE


def test_a_stop_leaves_nothing_behind(server: GcpServer):
    gcp = Gcp(Selection(observed=OBSERVED))

    async def main() -> None:
        with trio.move_on_after(0):
            await gcp.connect(gcp.send)
        gcp.close()
        with pytest.raises(ReadError) as caught:
            call = Call(
                provider="gcp", account="", region="", api="cloudasset.ListAssets",
                params={"parent": "projects/x", "contentType": "RESOURCE", "assetTypes": [], "pageSize": 1},
            )  # fmt: skip
            await gcp.send(call)
        assert caught.value.reason is Reason.INTERRUPTED

    trio.run(main)
