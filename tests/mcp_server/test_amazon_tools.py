"""What the narrower AWS tools say of an account: exactly what is there, of every region, no more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from tests.mcp_server.conftest import called, in_process
from tests.providers.aws.test_faults import api_of, denied
from tests.servers.aws import MotoServer
from tests.servers.proxy import Proxy, Seen

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
AMI = "ami-12c6146b"


@pytest.fixture(scope="module")
def account() -> Iterator[MotoServer]:
    """Instances in two regions, alarms in three states, two buckets of which one has a size."""
    with MotoServer() as server:
        for region, name, type_ in (
            ("eu-west-1", "web", "t3.micro"),
            ("us-east-1", "batch", "m5.large"),
        ):
            ec2 = server.client("ec2", region)
            (made,) = ec2.run_instances(
                ImageId=AMI,
                InstanceType=type_,
                MinCount=1,
                MaxCount=1,
                TagSpecifications=[
                    {"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}]}
                ],
            )["Instances"]
            if name == "batch":
                ec2.stop_instances(InstanceIds=[made["InstanceId"]])
        cloudwatch = server.client("cloudwatch", "eu-west-1")
        for name, state in (
            ("api-slow", "ALARM"),
            ("queue-deep", "INSUFFICIENT_DATA"),
            ("disk-full", "OK"),
        ):
            cloudwatch.put_metric_alarm(
                AlarmName=name,
                MetricName="Latency",
                Namespace="Acme",
                Period=60,
                EvaluationPeriods=1,
                Threshold=0.5,
                ComparisonOperator="GreaterThanThreshold",
                Statistic="Average",
            )
            cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="measured")
        cloudwatch.put_composite_alarm(
            AlarmName="shop-down", AlarmRule="ALARM(api-slow) AND ALARM(queue-deep)"
        )
        cloudwatch.set_alarm_state(AlarmName="shop-down", StateValue="ALARM", StateReason="both")
        s3 = server.client("s3", "us-east-1")
        for name in ("acme-backups", "acme-empty"):
            s3.create_bucket(Bucket=name)
        midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        server.client("cloudwatch", "us-east-1").put_metric_data(
            Namespace="AWS/S3",
            MetricData=[
                {
                    "MetricName": "BucketSizeBytes",
                    "Dimensions": [
                        {"Name": "BucketName", "Value": "acme-backups"},
                        {"Name": "StorageType", "Value": "StandardStorage"},
                    ],
                    "Timestamp": midnight - timedelta(days=1),
                    "Value": 2_500_000_000,
                }
            ],
        )
        yield server


@pytest.fixture
def said(account: MotoServer, bare: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Calls a tool with the account's credentials; gives its data and its words."""
    for name, value in (
        ("AWS_ENDPOINT_URL", account.url),
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "none"),
        ("AWS_REGION", "eu-west-1"),
    ):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("infrascan.providers.aws.models.place", lambda: None)

    def call(tool: str, **arguments: Any) -> tuple[dict[str, Any], str]:
        found = called(bare, tool, **arguments)
        assert not found.is_error, found.content[0].text
        return found.structured_content, found.content[0].text

    return call


def test_instances_of_every_enabled_region_with_type_state_and_address(said: Any):
    data, words = said("list_ec2_instances")
    rows = {row["name"]: row for row in data["instances"]}
    assert data["total"] == len(data["instances"]) == 2
    web, batch = rows["web"], rows["batch"]
    assert (web["type"], web["state"], web["region"]) == ("t3.micro", "running", "eu-west-1")
    assert (batch["type"], batch["state"], batch["region"]) == ("m5.large", "stopped", "us-east-1")
    assert web["id"].startswith("i-")
    assert web["public_ip"]
    assert not batch["public_ip"]
    assert all(row["account"] == "123456789012" for row in rows.values())
    assert web["public_ip"] in words
    running, _ = said("list_ec2_instances", state="running", regions=["eu-west-1"])
    assert [row["name"] for row in running["instances"]] == ["web"]


def test_alarms_that_ring_or_lack_data_and_none_that_is_well(said: Any):
    data, words = said("list_cloudwatch_alarms", regions=["eu-west-1"])
    found = [(row["name"], row["state"]) for row in data["alarms"]]
    assert sorted(found) == [
        ("api-slow", "ALARM"),
        ("queue-deep", "INSUFFICIENT_DATA"),
        ("shop-down", "ALARM"),
    ]
    assert data["total"] == 4
    rows = {row["name"]: row for row in data["alarms"]}
    made = rows.pop("shop-down")
    assert (made["rule"], made["reason"]) == ("ALARM(api-slow) AND ALARM(queue-deep)", "both")
    assert all(row["since"] and row["reason"] == "measured" for row in rows.values())
    assert {(row["metric"], row["threshold"], row["rule"]) for row in rows.values()} == {
        ("Latency", 0.5, "")
    }
    assert "disk-full" not in words


def test_buckets_have_their_date_and_a_size_only_where_there_is_a_figure(said: Any):
    data, words = said(
        "list_s3_buckets",
    )
    rows = {row["name"]: row for row in data["buckets"]}
    assert rows.keys() == {"acme-backups", "acme-empty"}
    assert rows["acme-backups"]["size_bytes"] == 2_500_000_000
    assert rows["acme-empty"]["size_bytes"] is None
    assert all(row["created"] for row in rows.values())
    assert "2.5 GB" in words
    assert "no figure" in words


def test_nobody_signs_in_again_for_the_next_question(
    account: MotoServer, said: Any, bare: Path, monkeypatch: pytest.MonkeyPatch
):
    """Who we are is asked once for each choice of regions, however often these are asked about."""
    who: list[bytes] = []

    def seen(request: Seen) -> None:
        if b"GetCallerIdentity" in request.body:
            who.append(request.body)

    some = {"regions": ["eu-west-1"]}
    calls = (
        ("list_ec2_instances", some),
        ("list_cloudwatch_alarms", some),
        ("route_question", {"question": "list EC2 instances in eu-west-1", "providers": ["aws"]}),
    )

    async def work(client: Client) -> list[Any]:
        return [await client.call_tool(*call) for call in (*calls, *calls)]

    with Proxy(account.url, fault=seen) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        found = in_process(bare, work)
    assert not [answer for answer in found if answer.is_error]
    assert "web" in found[2].structured_content["answer"]
    assert len(who) <= 2


@pytest.mark.parametrize(
    ("tool", "refused", "permission"),
    [
        ("list_ec2_instances", "ec2.DescribeInstances", "ec2:DescribeInstances"),
        ("list_cloudwatch_alarms", "cloudwatch.DescribeAlarms", "cloudwatch:DescribeAlarms"),
        ("list_s3_buckets", "s3.ListBuckets", "s3:ListAllMyBuckets"),
    ],
)
def test_what_may_not_be_read_is_incomplete_and_names_the_permission(
    account: MotoServer,
    said: Any,
    monkeypatch: pytest.MonkeyPatch,
    tool: str,
    refused: str,
    permission: str,
):
    with Proxy(account.url) as proxy:
        proxy.fault = lambda seen: denied(refused) if api_of(seen) == refused else None
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        data, words = said(
            tool, **({} if tool == "list_s3_buckets" else {"regions": ["eu-west-1"]})
        )
    assert data["total"] == 0
    assert not data["complete"]
    assert permission in {gap["permission"] for gap in data["gaps"]}
    assert {gap["reason"] for gap in data["gaps"]} == {"denied"}
    assert "INCOMPLETE" in words


def test_of_alarms_one_sort_that_may_not_be_read_leaves_the_other(
    account: MotoServer, said: Any, monkeypatch: pytest.MonkeyPatch
):
    """Both come from one operation; a policy may still tell them apart by their names."""
    with Proxy(account.url) as proxy:
        proxy.fault = lambda seen: (
            denied("cloudwatch.DescribeAlarms") if b"CompositeAlarm" in seen.body else None
        )
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        data, words = said("list_cloudwatch_alarms", regions=["eu-west-1"])
    assert {row["name"] for row in data["alarms"]} == {"api-slow", "queue-deep"}
    assert not data["complete"]
    assert "INCOMPLETE" in words
