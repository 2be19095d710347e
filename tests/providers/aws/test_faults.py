"""Each call of the tables fails in turn, in each way; nothing crashes, nothing goes missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import trio

from infrascan.model import Connection, ReadError, Reason, Resource
from infrascan.providers.aws import TABLES
from infrascan.providers.aws.fields import answer, members
from infrascan.providers.aws.tables import Batch, Detail, Listing, permission
from tests.providers.aws.reader import Reader, provider
from tests.servers.aws import MotoServer
from tests.servers.aws_protocols import Request, error, protocol
from tests.servers.proxy import PAGE, RESET, Answer, Proxy, Seen


@dataclass(frozen=True)
class Target:
    """A call of a table, and what fails with it."""

    kind: str
    api: str
    fields: tuple[str, ...]  # what is unread then; () when the partition is
    permission: str
    optional: bool  # an answer without the usual key is a good one


def targets() -> Iterator[Target]:
    for listing in TABLES:
        yield from targets_of(listing)


def targets_of(listing: Listing) -> Iterator[Target]:
    listed = set()
    if listing.operation:
        listed.add(listing.operation)
        action = permission(listing.service, listing.operation, listing.permission)
        yield Target(
            listing.kind,
            f"{listing.service}.{listing.operation}",
            (),
            action,
            listing.omitted_when_empty and not listing.needs,
        )
    for parent in listing.parents:
        service = parent.service or listing.service
        action = permission(service, parent.operation, parent.permission)
        yield Target(listing.kind, f"{service}.{parent.operation}", (), action, False)
    whole = {detail.operation for detail in listing.details if not detail.field}
    for operation in dict.fromkeys(detail.operation for detail in listing.details):
        if operation not in listed:
            yield detail_target(listing, operation, merged=operation in whole)
    for detail in listing.details:
        if isinstance(detail, Batch) and detail.prepare:
            service = detail.service or listing.service
            yield Target(
                listing.kind,
                f"{service}.{detail.prepare}",
                (detail.field,),
                permission(service, detail.prepare),
                True,
            )
    if listing.metrics:
        api = "cloudwatch.GetMetricData"
        yield Target(listing.kind, api, ("metrics",), "cloudwatch:GetMetricData", False)


def detail_target(listing: Listing, operation: str, *, merged: bool) -> Target:
    details = [detail for detail in listing.details if detail.operation == operation]
    service = details[0].service or listing.service
    fields = [detail.field for detail in details if detail.field]
    if merged:
        first = next(detail for detail in details if not detail.field)
        item = {listing.wrap, *listing.adds}
        if not listing.wrap:
            item |= set(answer(listing.service, listing.operation, listing.items))
        fields += [name for name in members(service, first) if name not in item]
    loose = all(
        detail.optional
        or (isinstance(detail, Detail) and not detail.result and not detail.needs)
        or operation == "GetBucketPolicy"  # its body is the policy, whatever that is
        for detail in details
    )
    return Target(
        listing.kind,
        f"{service}.{operation}",
        tuple(fields),
        permission(service, operation, details[0].permission),
        loose,
    )


def api_of(seen: Seen) -> str:
    return Request(seen.method, seen.target, seen.headers, seen.body).api


def denied(api: str) -> Answer:
    code = "UnauthorizedOperation" if protocol(api.partition(".")[0]) == "ec2" else "AccessDenied"
    return Answer(*error(api, 403, code, "You may not do this."))


def failed(api: str) -> Answer:
    return Answer(*error(api, 500, "InternalFailure", "Something went wrong."))


def throttled(api: str) -> Answer:
    return Answer(*error(api, 400, "Throttling", "Rate exceeded."))


def reset(api: str) -> Answer:
    return RESET


def page(api: str) -> Answer:
    return PAGE


def cut(answer: Answer) -> Answer:
    return Answer(answer.status, answer.headers, answer.body, cut=0.5)


def half(answer: Answer) -> Answer:
    return Answer(answer.status, answer.headers, answer.body[: len(answer.body) // 2])


def other(answer: Answer) -> Answer:
    """A well-formed answer of somebody else."""
    if answer.body.lstrip().startswith(b"<"):
        return Answer(answer.status, answer.headers, b"<ok/>")
    if answer.headers.get("smithy-protocol"):
        return Answer(answer.status, answer.headers, b"\xa1\x62ok\xf5")
    return Answer(answer.status, answer.headers, b'{"ok": true}')


BROKEN = {Reason.UNREACHABLE, Reason.MALFORMED}
FAULTS: dict[str, tuple[Callable[[str], Answer] | None, Any, set[Reason]]] = {
    "denied": (denied, None, {Reason.DENIED}),
    "failed": (failed, None, {Reason.UNREACHABLE}),
    "throttled": (throttled, None, {Reason.THROTTLED}),
    "reset": (reset, None, {Reason.UNREACHABLE}),
    "html": (page, None, {Reason.MALFORMED}),
    "cut": (None, cut, BROKEN),
    "half": (None, half, BROKEN),
    # botocore takes XML of S3 that it cannot read for a fault of the server.
    "other": (None, other, BROKEN),
}


@pytest.fixture(scope="session")
def proxy(server: MotoServer, estate: dict[str, str]) -> Iterator[Proxy]:
    with Proxy(server.url, remember=True) as running:
        yield running


@pytest.mark.parametrize("fault", FAULTS)
def test_each_call_that_fails_is_a_gap_that_names_it(
    fault: str, proxy: Proxy, point: Callable[..., None]
) -> None:
    point(proxy.url)
    instead, change, reasons = FAULTS[fault]
    wrong: list[str] = []
    untouched: set[str] = set()
    applied: list[Answer] = []  # the good answers that a fault was put in

    async def work() -> None:
        proxy.fault = proxy.change = None
        reader = Reader()
        await reader.connect()

        def changed(answer: Answer) -> Answer:
            applied.append(answer)
            return change(answer)

        for target in targets():
            applied.clear()
            if fault == "other" and target.optional:
                continue
            if instead:
                proxy.fault = lambda seen, api=target.api: (
                    instead(api) if api_of(seen) == api else None
                )
            else:
                proxy.change = lambda seen, answer, api=target.api: (
                    changed(answer) if answer.status < 300 and api_of(seen) == api else answer
                )
            with trio.fail_after(20):
                found, stopped = await reader.read(target.kind)
            if instead or applied:
                wrong.extend(
                    faults_of(
                        target,
                        found,
                        stopped,
                        reasons,
                        named=fault == "denied",
                        instead=instead is not None,
                    )
                )
            else:
                untouched.add(target.api)
        reader.aws.close()

    try:
        trio.run(work)
    finally:
        proxy.fault = proxy.change = None

    assert "\n".join(wrong) == ""
    assert untouched <= {"cloudtrail.LookupEvents"}  # which moto lacks; else the estate does


def faults_of(
    target: Target,
    found: list[Resource],
    stopped: ReadError | None,
    reasons: set[Reason],
    *,
    named: bool,
    instead: bool,
) -> Iterator[str]:
    """What is wrong with how a failed call was taken."""
    where = f"{target.kind} {target.api}"
    if not target.fields:
        if stopped is None:
            yield f"{where}: the partition reads as complete, with {len(found)} resources"
            return
        gaps = [(stopped.call, stopped.reason, stopped.permission)]
    else:
        if stopped is not None:
            yield f"{where}: the partition stopped: {stopped.detail}"
        gaps = []
        for resource in found:
            for field in target.fields:
                gap = resource.unread.get(field)
                if gap is not None:
                    gaps.append((gap.call, gap.reason, gap.permission))
                elif resource.data.get(field) is not None and (instead or resource.data[field]):
                    yield f"{where}: {field} of {resource.name} was read"
                elif field not in resource.data:
                    yield f"{where}: {field} of {resource.name} is neither read nor a gap"
        if not gaps:
            yield f"{where}: no resource has a gap"
    for call, reason, action in gaps:
        if call != target.api:
            yield f"{where}: the gap names {call}"
        if reason not in reasons:
            yield f"{where}: the reason is {reason}"
        if named and action != target.permission:
            yield f"{where}: the permission is {action!r}, not {target.permission!r}"


@pytest.mark.parametrize("fault", [name for name in FAULTS if FAULTS[name][0]])
def test_without_an_identity_nothing_is_connected(
    fault: str, proxy: Proxy, point: Callable[..., None]
) -> None:
    point(proxy.url)
    instead = FAULTS[fault][0]
    proxy.fault = lambda seen: instead(api_of(seen)) if instead else None

    async def work() -> None:
        reader = Reader()
        (identity,) = await reader.aws.connect(reader.ask)
        assert identity.state is Connection.ERROR
        assert identity.detail
        assert identity.remedy
        assert await reader.aws.partitions(reader.ask) == []

    try:
        trio.run(work)
    finally:
        proxy.fault = None


def test_when_the_regions_cannot_be_listed_the_usual_ones_are_read_and_a_gap_says_so(
    proxy: Proxy, point: Callable[..., None]
) -> None:
    point(proxy.url)
    proxy.fault = lambda seen: (
        denied(api) if (api := api_of(seen)) == "ec2.DescribeRegions" else None
    )

    async def work() -> None:
        reader = Reader(provider(regions=()))
        await reader.aws.connect(reader.ask)
        partitions = await reader.aws.partitions(reader.ask)
        assert {"us-east-1", "eu-west-1"} <= {p.region for p in partitions}
        (odd,) = [p for p in partitions if p.kind == "aws.region" and not p.region]
        with pytest.raises(ReadError) as caught:
            await reader.aws.read(odd, reader.ask, lambda resource: None)
        assert caught.value.permission == "ec2:DescribeRegions"

    try:
        trio.run(work)
    finally:
        proxy.fault = None


def test_the_permission_that_aws_names_is_the_one_in_the_gap(
    proxy: Proxy, point: Callable[..., None]
) -> None:
    point(proxy.url)
    message = "User: arn:aws:iam::1:user/x is not authorized to perform: kms:Decrypt on resource: *"
    proxy.fault = lambda seen: (
        Answer(*error("s3.ListBuckets", 403, "AccessDenied", message))
        if api_of(seen) == "s3.ListBuckets"
        else None
    )

    async def work() -> ReadError | None:
        reader = Reader()
        await reader.connect()
        return (await reader.read("aws.s3.bucket"))[1]

    try:
        stopped = trio.run(work)
    finally:
        proxy.fault = None
    assert stopped is not None
    assert stopped.permission == "kms:Decrypt"
