"""Lists of many pages, from a server that behaves as AWS does and moto does not."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qs

import pytest
import trio

from infrascan.model import ReadError, Reason, Resource
from infrascan.providers.aws import completing
from tests.providers.aws.reader import Reader
from tests.servers.aws_protocols import Request
from tests.servers.proxy import Answer, Proxy, Seen

IDENTITY = (
    "<GetCallerIdentityResponse><GetCallerIdentityResult>"
    "<Arn>arn:aws:iam::123456789012:user/a</Arn><UserId>A</UserId>"
    "<Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
)
REGIONS = (
    "<DescribeRegionsResponse><regionInfo><item><regionName>eu-west-1</regionName></item>"
    "</regionInfo></DescribeRegionsResponse>"
)


def xml(text: str) -> Answer:
    return Answer(200, {"content-type": "text/xml"}, text.encode())


def form_token(name: str) -> Callable[[Seen], str]:
    return lambda seen: parse_qs(seen.body.decode()).get(name, [""])[0]


def query_token(name: str) -> Callable[[Seen], str]:
    return lambda seen: parse_qs(seen.target.partition("?")[2]).get(name, [""])[0]


def json_token(name: str) -> Callable[[Seen], str]:
    return lambda seen: json.loads(seen.body).get(name, "")


@dataclass
class Pages:
    """Answers each page of a list; `asked` keeps the tokens that came."""

    api: str
    token: Callable[[Seen], str]
    page: Callable[[str], Answer]
    asked: list[str] = field(default_factory=list)

    def __call__(self, seen: Seen) -> Answer:
        api = Request(seen.method, seen.target, seen.headers, seen.body).api
        if api == "sts.GetCallerIdentity":
            return xml(IDENTITY)
        if api == "ec2.DescribeRegions":
            return xml(REGIONS)
        if api == self.api:
            self.asked.append(self.token(seen))
            return self.page(self.asked[-1])
        return Answer(403, {}, b"")


@pytest.fixture
def proxy(point: Callable[..., None]) -> Iterator[Proxy]:
    with Proxy("http://127.0.0.1:9") as running:
        point(running.url)
        yield running


def read(kind: str) -> tuple[list[Resource], ReadError | None]:
    async def work() -> tuple[list[Resource], ReadError | None]:
        reader = Reader()
        await reader.connect()
        with trio.fail_after(20):
            result = await reader.read(kind)
        reader.aws.close()
        return result

    return trio.run(work)


def volumes(token: str) -> Answer:
    """Three pages of volumes: the form of EC2."""
    number = int(token or 0)
    more = f"<nextToken>{number + 1}</nextToken>" if number < 2 else ""
    items = "".join(f"<item><volumeId>vol-{number}{i}</volumeId></item>" for i in range(2))
    return xml(
        f"<DescribeVolumesResponse><volumeSet>{items}</volumeSet>{more}</DescribeVolumesResponse>"
    )


def databases(token: str) -> Answer:
    """Four pages of instances: the form of RDS."""
    number = int(token or 0)
    more = f"<Marker>{number + 1}</Marker>" if number < 3 else ""
    item = f"<DBInstanceArn>arn:aws:rds:::db:{number}</DBInstanceArn>"
    return xml(
        f"<DescribeDBInstancesResponse><DescribeDBInstancesResult>{more}<DBInstances>"
        f"<DBInstance>{item}</DBInstance></DBInstances></DescribeDBInstancesResult>"
        "</DescribeDBInstancesResponse>"
    )


def groups(token: str) -> Answer:
    """Three pages of log groups: JSON. The middle one is empty, which is not the end."""
    number = int(token or 0)
    found = [{"logGroupName": f"/g{number}"}] if number != 1 else []
    body = {"logGroups": found} | ({"nextToken": str(number + 1)} if number < 2 else {})
    return Answer(200, {"content-type": "application/x-amz-json-1.1"}, json.dumps(body).encode())


def policies(token: str) -> Answer:
    """Pages of IAM, which say that they are truncated."""
    number = int(token or 0)
    more = f"<IsTruncated>true</IsTruncated><Marker>{number + 1}</Marker>"
    if number == 2:
        more = "<IsTruncated>false</IsTruncated>"
    name = f"<PolicyName>p{number}</PolicyName><Arn>arn:aws:iam::1:policy/p{number}</Arn>"
    return xml(
        "<GetAccountAuthorizationDetailsResponse><GetAccountAuthorizationDetailsResult>"
        f"{more}<Policies><member>{name}</member></Policies>"
        "</GetAccountAuthorizationDetailsResult></GetAccountAuthorizationDetailsResponse>"
    )


@pytest.mark.parametrize(
    ("kind", "pages", "names"),
    [
        (
            "aws.ec2.volume",
            Pages("ec2.DescribeVolumes", form_token("NextToken"), volumes),
            ["vol-00", "vol-01", "vol-10", "vol-11", "vol-20", "vol-21"],
        ),
        (
            "aws.rds.db_instance",
            Pages("rds.DescribeDBInstances", form_token("Marker"), databases),
            [f"arn:aws:rds:::db:{n}" for n in range(4)],
        ),
        (
            "aws.logs.log_group",
            Pages("logs.DescribeLogGroups", json_token("nextToken"), groups),
            ["/g0", "/g2"],
        ),
        (
            "aws.iam.policy",
            Pages("iam.GetAccountAuthorizationDetails", form_token("Marker"), policies),
            ["p0", "p1", "p2"],
        ),
    ],
)
def test_all_pages_are_read_each_with_the_token_of_the_one_before(
    proxy: Proxy, kind: str, pages: Pages, names: list[str]
) -> None:
    proxy.fault = pages

    found, error = read(kind)

    assert error is None
    assert names == sorted(resource.name for resource in found)
    assert pages.asked == ["", *map(str, range(1, len(pages.asked)))]
    assert len(pages.asked) >= 3


def test_records_of_a_zone_go_on_at_a_name_a_type_and_an_identifier(proxy: Proxy) -> None:
    def records(seen: Seen) -> Answer:
        if "hostedzone/Z1/rrset" not in seen.target:
            return xml(
                "<ListHostedZonesResponse><HostedZones><HostedZone><Id>/hostedzone/Z1</Id>"
                "<Name>example.com.</Name></HostedZone></HostedZones><IsTruncated>false"
                "</IsTruncated></ListHostedZonesResponse>"
            )
        start = query_token("name")(seen)
        asked.append((start, query_token("type")(seen), query_token("identifier")(seen)))
        number = int(start[1:2] or 0) if start else 0
        more = (
            f"<IsTruncated>true</IsTruncated><NextRecordName>r{number + 1}.</NextRecordName>"
            "<NextRecordType>A</NextRecordType>"
            + ("<NextRecordIdentifier>blue</NextRecordIdentifier>" if number else "")
            if number < 2
            else "<IsTruncated>false</IsTruncated>"
        )
        return xml(
            f"<ListResourceRecordSetsResponse><ResourceRecordSets><ResourceRecordSet><Name>r{number}."
            f"</Name><Type>A</Type></ResourceRecordSet></ResourceRecordSets>{more}"
            "</ListResourceRecordSetsResponse>"
        )

    asked: list[tuple[str, str, str]] = []
    known = Pages("", form_token(""), volumes)
    proxy.fault = lambda seen: records(seen) if "/2013-04-01/" in seen.target else known(seen)

    found, error = read("aws.route53.record_set")

    assert error is None
    assert [r.name for r in found] == ["r0.", "r1.", "r2."]
    assert asked == [("", "", ""), ("r1.", "A", ""), ("r2.", "A", "blue")]


def test_a_page_token_that_repeats_ends_the_list_as_truncated(proxy: Proxy) -> None:
    def forever(token: str) -> Answer:
        return xml(
            "<DescribeVolumesResponse><volumeSet/><nextToken>same</nextToken>"
            "</DescribeVolumesResponse>"
        )

    proxy.fault = Pages("ec2.DescribeVolumes", form_token("NextToken"), forever)

    found, error = read("aws.ec2.volume")

    assert found == []
    assert error is not None
    assert error.reason is Reason.TRUNCATED
    assert error.call == "ec2.DescribeVolumes"


def test_a_list_that_says_there_is_more_without_a_token_is_truncated(proxy: Proxy) -> None:
    def cut(token: str) -> Answer:
        return xml(
            "<GetAccountAuthorizationDetailsResponse><GetAccountAuthorizationDetailsResult>"
            "<IsTruncated>true</IsTruncated><Policies/>"
            "</GetAccountAuthorizationDetailsResult></GetAccountAuthorizationDetailsResponse>"
        )

    proxy.fault = Pages("iam.GetAccountAuthorizationDetails", form_token("Marker"), cut)

    _, error = read("aws.iam.policy")

    assert error is not None
    assert error.reason is Reason.TRUNCATED


def test_what_came_before_a_page_that_fails_still_counts(proxy: Proxy) -> None:
    def breaking(token: str) -> Answer:
        return Answer(403, {}, b"<Response/>") if token == "2" else volumes(token)

    proxy.fault = Pages("ec2.DescribeVolumes", form_token("NextToken"), breaking)

    found, error = read("aws.ec2.volume")

    assert error is not None
    assert error.reason is Reason.DENIED
    assert len(found) == 4


def test_queues_may_be_left_out_of_an_answer_and_others_may_not(proxy: Proxy) -> None:
    empty = Answer(200, {"content-type": "application/x-amz-json-1.0"}, b"{}")
    proxy.fault = Pages("sqs.ListQueues", json_token("NextToken"), lambda token: empty)
    assert read("aws.sqs.queue") == ([], None)

    proxy.fault = Pages("logs.DescribeLogGroups", json_token("nextToken"), lambda token: empty)
    _, error = read("aws.logs.log_group")
    assert error is not None
    assert error.reason is Reason.MALFORMED


def test_a_credential_report_is_waited_for(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completing, "REPORT_SECONDS", 0.01)
    states = iter(("STARTED", "INPROGRESS", "COMPLETE"))
    report = b64encode(b"user,mfa_active\na,true\n").decode()

    def iam(seen: Seen) -> Answer | None:
        action = form_token("Action")(seen)
        if action == "GenerateCredentialReport":
            return xml(
                f"<{action}Response><{action}Result><State>{next(states)}</State></{action}Result></{action}Response>"
            )
        if action == "GetCredentialReport":
            return xml(
                f"<{action}Response><{action}Result><Content>{report}</Content></{action}Result></{action}Response>"
            )
        if action == "GetAccountAuthorizationDetails":
            users = "".join(
                f"<member><UserName>{n}</UserName><Arn>{n}</Arn></member>" for n in "ab"
            )
            return xml(
                f"<{action}Response><{action}Result><UserDetailList>{users}</UserDetailList></{action}Result></{action}Response>"
            )
        return known(seen)

    known = Pages("", form_token(""), volumes)
    proxy.fault = iam

    (a, b), error = read("aws.iam.user")

    assert error is None
    assert next(states, None) is None
    assert a.data["credentials"] == {"user": "a", "mfa_active": True}
    # The report is older than user b: that is not the same as having nothing to say of b.
    assert "credentials" not in b.data
    assert b.unread["credentials"].reason is Reason.TRUNCATED
    assert b.unread["credentials"].call == "iam.GetCredentialReport"
