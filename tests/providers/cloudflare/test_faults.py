"""Every call of the tables fails in every way, and what refusals mean."""

from __future__ import annotations

from typing import Any, cast

import pytest
from fixtures.estates.cloudflare_acme import ACCOUNT
from fixtures.estates.cloudflare_acme_zones import SHOP

from infrascan.collect.asking import Asker
from infrascan.collect.limits import Limits
from infrascan.collect.provider import Call
from infrascan.model import ReadError, Reason
from infrascan.providers.cloudflare import TABLES, Cloudflare
from infrascan.providers.cloudflare.errors import NOT_ENTITLED, refusal
from tests.providers import rest_faults
from tests.providers.cloudflare.reader import provider, ran, read
from tests.servers.cloudflare import BASE, Estate, refused
from tests.servers.proxy import Answer
from tests.servers.rest import Request, RestServer, json_answer

RECORDS = "cloudflare.dns.record"


def named(request: Request, api: str) -> bool:
    method, _, path = api.partition(" ")
    return request.match(f"{method} {BASE}{path}") is not None


@pytest.fixture
def opened(full: RestServer) -> Cloudflare:
    found = provider()
    found.accounts = {ACCOUNT: {"method": "API token"}}
    found.chosen = {ACCOUNT: {"acme-shop.com"}}  # one zone is enough, and twice as fast
    found.clients = {"": cast("Any", found.api)}  # which the matrix closes while trio runs
    return found


@pytest.mark.parametrize("fault", rest_faults.FAULTS)
@pytest.mark.parametrize("case", rest_faults.cases(TABLES), ids=str)
def test_a_failed_call_is_said(
    opened: Cloudflare, full: RestServer, case: rest_faults.Case, fault: str
) -> None:
    rest_faults.check(opened, full, case, fault, named)


@pytest.mark.parametrize(
    ("status", "code", "message", "reason"),
    [
        (403, 10000, "Authentication error", Reason.DENIED),
        (401, 10000, "Authentication error", Reason.UNAUTHENTICATED),
        (400, 10001, "Unable to authenticate request", Reason.UNAUTHENTICATED),
        (403, 10001, "Unable to authenticate request", Reason.DENIED),
        (403, 9109, "Unauthorized to access requested resource", Reason.DENIED),
        (403, 9109, "Invalid access token", Reason.UNAUTHENTICATED),
        (403, 9109, "Cannot use the access token from location: 198.51.100.7", Reason.UNAUTHENTICATED),
        (400, 6003, "Invalid request headers", Reason.UNAUTHENTICATED),
        (403, 9103, "Unknown X-Auth-Key or X-Auth-Email", Reason.UNAUTHENTICATED),
        (401, 1000, "Invalid API Token", Reason.UNAUTHENTICATED),
        (403, 1015, "Not entitled to use this feature", Reason.DISABLED),
        (403, 10042, "Please enable R2 through the Cloudflare Dashboard.", Reason.DISABLED),
        (403, 12130, "access.api.error.not_enabled: Access is not enabled.", Reason.DISABLED),
        (400, 1002, "this feature is not available on your plan", Reason.DISABLED),
        (404, 7003, "Could not route to /zones/x", Reason.DISABLED),
        (404, 1001, "Invalid zone identifier", Reason.DISABLED),
        (429, 971, "Please wait and consider throttling your request speed", Reason.THROTTLED),
        (400, 971, "Please wait and consider throttling your request speed", Reason.THROTTLED),
        (400, 1004, "Invalid parameter", Reason.MALFORMED),
        (403, 4711, "No", Reason.DENIED),
        (500, 10000, "Internal error", Reason.UNREACHABLE),
        (522, 0, "timed out", Reason.UNREACHABLE),
    ],
)  # fmt: skip
def test_what_a_refusal_means(
    server: RestServer, acme: Estate, status: int, code: int, message: str, reason: Reason
) -> None:
    acme.refuse(f"/zones/{SHOP}/dns_records", status, code, message)
    error = read(provider("acme-shop.com"), (RECORDS,)).errors[RECORDS]
    assert error.reason is reason
    if status < 500:
        assert message in error.detail
        assert f"code {code}" in error.detail


def test_the_cause_in_a_chain_is_told() -> None:
    chain = [{"code": 6111, "message": "Invalid format for Authorization header"}]
    errors = [{"code": 6003, "message": "Invalid request headers", "error_chain": chain}]
    from infrascan.providers.http import Answer as Received

    error = refusal(Received(400, {}, {"success": False, "errors": errors}))
    assert error is not None
    assert "Invalid format for Authorization header" in error.detail


@pytest.mark.parametrize(
    "body", [None, [], "text", {"errors": None}, {"errors": ["no"]}, {"errors": [{"code": "x"}]}]
)
def test_odd_refusals_are_left_to_the_status(body: object) -> None:
    from infrascan.providers.http import Answer as Received

    assert refusal(Received(403, {}, body)) is None


@pytest.mark.parametrize(
    ("answer", "reason", "said"),
    [
        (Answer(302, {"location": "https://elsewhere.example/"}), Reason.MALFORMED, "302"),
        pytest.param(
            Answer(200, {"content-type": "application/json", "content-encoding": "gzip"}, b"no gzip"),
            *(Reason.MALFORMED, "garbled"),
            marks=pytest.mark.filterwarnings(  # httpx leaves its inner generators when decoding fails
                "ignore::pytest.PytestUnraisableExceptionWarning"
            ),
        ),
        (Answer(502, {"content-type": "text/html"}, b"<html>bad gateway</html>"), Reason.UNREACHABLE, "502"),
        (Answer(200, {}, b""), Reason.MALFORMED, "no result"),
    ],
)  # fmt: skip
def test_what_no_api_answers(server: RestServer, answer: Answer, reason: Reason, said: str) -> None:
    server.fault = lambda request: answer if request.path.endswith("/dns_records") else None
    error = read(provider("acme-shop.com"), (RECORDS,)).errors[RECORDS]
    assert error.reason is reason
    assert said in error.detail


class Quiet:
    def called(self, call: Call, seconds: float, error: ReadError | None) -> None:
        """Nobody watches."""


def asked(found: Cloudflare, call: Call) -> object:
    async def work() -> object:
        try:
            return await Asker(found, Limits(), Quiet())(call)
        except ReadError as error:
            return error
        finally:
            found.close()

    return ran(work)


CALL = Call(provider="cloudflare", account="a", region="", api="GET /accounts", params={"per_page": 50}, family="api")  # fmt: skip


@pytest.mark.parametrize("headers", [{}, {"retry-after": "2"}, {"retry-after": "280"}])
def test_the_engine_waits_until_cloudflare_lets_us_in_again(
    server: RestServer, headers: dict[str, str]
) -> None:
    turns = iter([refused(429, 971, "Please wait", headers)] * 3)
    server.fault = lambda request: next(turns, None)
    answer = asked(provider(), CALL)
    assert isinstance(answer, dict)
    assert answer["result"][0]["name"] == "Acme"
    assert len(server.requests) == 4


def test_a_server_that_stumbles_is_asked_again(server: RestServer) -> None:
    turns = iter([json_answer({}, 503), Answer(reset=True)])
    server.fault = lambda request: next(turns, None)
    assert isinstance(asked(provider(), CALL), dict)
    assert len(server.requests) == 3


def test_a_plan_that_lacks_a_feature_is_told_apart_by_its_code(
    server: RestServer, acme: Estate
) -> None:
    acme.refuse(f"/zones/{SHOP}/dns_records", 403, 1015, "not entitled")
    error = read(provider("acme-shop.com"), (RECORDS,)).errors[RECORDS]
    assert error.code == NOT_ENTITLED
