"""Each call of a REST provider's tables fails in turn, in each way; nothing crashes or goes missing.

    @pytest.mark.parametrize("fault", FAULTS)
    @pytest.mark.parametrize("case", cases(TABLES), ids=str)
    def test_a_failed_call_is_said(case, fault):
        check(opened(), server, case, fault)

`opened()` is a provider that has connected to `server`, a `RestServer`. Calls are made once, without the
engine's retries, so that a thousand cases take seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import trio

from infrascan import redact
from infrascan.collect.provider import Call
from infrascan.model import Partition, ReadError, Reason, Resource
from infrascan.providers.rest.platform import Platform
from infrascan.providers.rest.tables import Batch, Detail, Listing
from tests.servers.proxy import PAGE, RESET, Answer
from tests.servers.rest import Request, RestServer, json_answer


@dataclass(frozen=True)
class Case:
    """A call of a table, and what is unread when it fails: these fields, or with () the list."""

    listing: Listing
    api: str
    fields: tuple[str, ...]
    absent: tuple[str, ...]
    loose: bool  # any JSON object is a good answer

    def __str__(self) -> str:
        return f"{self.listing.kind}-{self.api}"


def cases(tables: Sequence[Listing]) -> list[Case]:
    return [case for listing in tables for case in cases_of(listing)]


def cases_of(listing: Listing) -> Iterator[Case]:
    whole = {parent.api for parent in listing.parents} | {listing.api}
    for parent in listing.parents:
        yield Case(listing, parent.api, (), (), False)
    yield Case(listing, listing.api, (), listing.absent, loose(listing))
    for api in dict.fromkeys(d.api for d in listing.details if d.api not in whole):
        details = [d for d in listing.details if d.api == api]
        fields = [f for d in details for f in ((d.field,) if d.field else d.fields or ())]
        absent = [code for d in details if not isinstance(d, Batch) for code in d.absent]
        any_answer = any(not isinstance(d, Batch) and loose(d) for d in details)
        yield Case(listing, api, tuple(fields), tuple(absent), any_answer)


def loose(table: Listing | Detail) -> bool:
    """Whether any JSON object is a good answer, because the vendor leaves out what is empty."""
    if isinstance(table, Detail) and not table.result.endswith("[]"):
        return not table.result or (table.optional is True and "." not in table.result)
    path = table.items if isinstance(table, Listing) else table.result
    return not path or (table.optional is True and not table.paging.total)


FAULTS: Mapping[str, tuple[Answer, frozenset[Reason]]] = {
    "denied": (
        json_answer({"message": "no"}, 403),
        frozenset({Reason.DENIED, Reason.DISABLED}),
    ),
    "expired": (json_answer({"message": "no"}, 401), frozenset({Reason.UNAUTHENTICATED})),
    "throttled": (
        json_answer({"message": "slow"}, 429, {"retry-after": "7"}),
        frozenset({Reason.THROTTLED}),
    ),
    "failed": (json_answer({"message": "oh"}, 500), frozenset({Reason.UNREACHABLE})),
    "reset": (RESET, frozenset({Reason.UNREACHABLE})),
    "page": (PAGE, frozenset({Reason.MALFORMED})),
    "half": (
        Answer(200, {"content-type": "application/json"}, b'{"a": [1, '),
        frozenset({Reason.MALFORMED}),
    ),
    "cut": (
        Answer(200, {"content-type": "application/json"}, b'{"a": [1, 2]}', cut=0.5),
        frozenset({Reason.MALFORMED, Reason.UNREACHABLE}),
    ),
    "other": (json_answer({"ok": True}), frozenset({Reason.MALFORMED})),
    "null": (json_answer(None), frozenset({Reason.MALFORMED})),
}


@dataclass
class Outcome:
    resources: list[Resource] = field(default_factory=list)
    error: ReadError | None = None
    failed: int = 0  # calls of the case that were answered with the fault


def check(
    provider: Platform,
    server: RestServer,
    case: Case,
    fault: str,
    is_call: Callable[[Request, str], bool] | None = None,
) -> Outcome:
    """Read the case's kind while its call fails, and hold the outcome to the promise."""
    answer, reasons = FAULTS[fault]
    outcome = Outcome()
    matches = is_call or (lambda request, api: request.match(api) is not None)

    def failing(request: Request) -> Answer | None:
        if not matches(request, case.api):
            return None
        outcome.failed += 1
        return answer

    server.fault = failing
    try:
        trio.run(read, provider, case.listing.kind, outcome)
    finally:
        server.fault = None
    if not outcome.failed:  # nothing in the estate leads to this call
        raise AssertionError(f"{case.api} was never called: the test estate lacks what leads to it")
    if fault in {"other", "null"} and case.loose:
        return outcome
    if not case.fields:
        if outcome.error is None:
            assert str(answer.status) in case.absent, f"{case} failed without a word"
            return outcome
        assert outcome.error.call == case.api
        assert outcome.error.reason in reasons, outcome.error
        return outcome
    told = [r for r in outcome.resources if any(name in r.unread for name in case.fields)]
    if str(answer.status) in case.absent:
        return outcome
    assert told or outcome.error, f"{case} failed without a word"
    for resource in told:
        for name in case.fields:
            if gap := resource.unread.get(name):
                assert gap.call == case.api
                assert gap.reason in reasons, gap
                assert name not in resource.data
    return outcome


async def read(provider: Platform, kind: str, outcome: Outcome) -> None:
    async def ask(call: Call) -> Any:
        try:
            return redact.scrub(await provider.send(call))
        except ReadError as error:
            error.call = error.call or call.api
            raise

    for account in sorted(provider.accounts):
        place = Partition(provider=provider.name, account=account, region="", kind=kind)
        try:
            await provider.read(place, ask, outcome.resources.append)
        except ReadError as error:
            outcome.error = error
    for client in provider.clients.values():
        client.close()
