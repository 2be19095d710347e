"""Questions about AWS, asked of moto on loopback: machines, CPU over a week, the bill."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

from infrascan.pipeline import Request
from infrascan.questions import Answer, Who, ask
from tests.questions.lab import backed
from tests.servers.aws import MotoServer, environment
from tests.servers.aws_protocols import error
from tests.servers.proxy import Answer as Wire
from tests.servers.proxy import Proxy, Seen

AWS = Request(providers=("aws",), regions=("eu-west-1",))
WEEK = "What instance type and node count is prod-cluster currently using, and what is its average CPU utilization over the last 7 days?"
ROLE = "arn:aws:iam::123456789012:role/nodes"


@pytest.fixture(scope="module")
def server() -> Iterator[MotoServer]:
    """A cluster of four m5.xlarge that were at 37.2 % on average, and a bill of 1,234.50 USD."""
    with MotoServer() as running:
        eks = running.client("eks")
        network = {"subnetIds": ["subnet-1"]}
        eks.create_cluster(name="prod-cluster", roleArn=ROLE, resourcesVpcConfig=network)
        sizes = {"minSize": 2, "maxSize": 6, "desiredSize": 4}
        group = eks.create_nodegroup(
            clusterName="prod-cluster",
            nodegroupName="main",
            scalingConfig=sizes,
            subnets=["subnet-1"],
            instanceTypes=["m5.xlarge"],
            nodeRole=ROLE,
        )["nodegroup"]
        (autoscaling,) = group["resources"]["autoScalingGroups"]
        measured(running, autoscaling["name"])
        bill(running, {"Amazon RDS": "1000.25", "Amazon EC2": "234.25"})
        yield running


def measured(server: MotoServer, group: str) -> None:
    """A point each hour of nine days: 37.2 within the week, 90 before it."""
    now = datetime.now(UTC).replace(minute=30, second=0, microsecond=0)
    dimensions = [{"Name": "AutoScalingGroupName", "Value": group}]
    points = [
        {
            "MetricName": "CPUUtilization",
            "Dimensions": dimensions,
            "Timestamp": now - timedelta(hours=hours),
            "Value": (36.2 if hours % 2 else 38.2) if hours <= 168 else 90.0,
        }
        for hours in range(1, 216)
    ]
    for at in range(0, len(points), 20):
        server.client("cloudwatch").put_metric_data(
            Namespace="AWS/EC2", MetricData=points[at : at + 20]
        )


def bill(server: MotoServer, services: dict[str, str]) -> None:
    groups = [
        {"Keys": [name], "Metrics": {"UnblendedCost": {"Amount": amount, "Unit": "USD"}}}
        for name, amount in services.items()
    ]
    day = {"Start": "2026-11-01", "End": "2026-11-02"}
    answer = {
        "ResultsByTime": [{"TimePeriod": day, "Estimated": False, "Total": {}, "Groups": groups}],
        "DimensionValueAttributes": [],
    }
    request = urllib.request.Request(
        f"{server.url}/moto-api/static/ce/cost-and-usage-results",
        data=json.dumps({"results": [answer] * 8}).encode(),
        headers={"Content-Type": "application/json"},
        method="POST",
    )
    urllib.request.urlopen(request, timeout=10).close()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("INFRASCAN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "kept"


def asked(home: Path, url: str, question: str, monkeypatch: pytest.MonkeyPatch) -> Answer:
    for name, value in environment(home.parent, url).items():
        monkeypatch.setenv(name, value)
    found: Answer = trio.run(partial(ask, home, question, request=AWS, who=Who(client="test")))
    return found


def test_type_count_and_a_week_of_cpu_are_exact(server, home, monkeypatch):
    answer = asked(home, server.url, WEEK, monkeypatch)
    (cluster,) = answer.data["clusters"]
    assert (cluster["instance_types"], cluster["nodes"]) == (["m5.xlarge"], 4)
    assert (cluster["cpu_percent"], cluster["cpu_window_days"]) == (37.2, 7)
    assert answer.status == "answered"
    assert answer.answer == "prod-cluster runs m5.xlarge, 4 nodes, 37.2 % average CPU over 7 days."
    backed(answer)


def refusing(*operations: str) -> Any:
    def fault(seen: Seen) -> Wire | None:
        said = f"{seen.headers.get('x-amz-target', '')} {seen.target} {seen.body[:200]!r}"
        for api in operations:
            if api.partition(".")[2] in said:
                return Wire(*error(api, 403, "AccessDenied", "You may not do this."))
        return None

    return fault


def test_without_cloudwatch_the_rest_is_still_answered(server, home, monkeypatch):
    with Proxy(server.url, fault=refusing("cloudwatch.GetMetricData")) as proxy:
        answer = asked(home, proxy.url, WEEK, monkeypatch)
    (cluster,) = answer.data["clusters"]
    assert (cluster["instance_types"], cluster["nodes"], cluster["cpu_percent"]) == (
        ["m5.xlarge"],
        4,
        None,
    )
    assert answer.status == "partial"
    assert "average CPU is unknown (permission denied)" in answer.answer
    assert "cloudwatch:GetMetricData" in answer.needs


def test_spend_is_what_the_bill_says(server, home, monkeypatch):
    answer = asked(
        home, server.url, "what did we spend in the last 30 days by service?", monkeypatch
    )
    assert [(r["name"], r["amount"]) for r in answer.data["rows"]] == [
        ("Amazon RDS", 1000.25),
        ("Amazon EC2", 234.25),
    ]
    assert (answer.data["total"], answer.status) == (1234.5, "answered")
    assert "1,234.50 USD were spent in 30 days" in answer.answer
    assert "charges for each request" in answer.notes[0]
    backed(answer)


def test_without_a_bill_list_prices_are_said_to_be_that(server, home, monkeypatch):
    with Proxy(server.url, fault=refusing("ce.GetCostAndUsage")) as proxy:
        answer = asked(home, proxy.url, "aws cost by service", monkeypatch)
    assert answer.status in ("partial", "unknown")
    assert "1,234" not in answer.answer
    assert "ce:GetCostAndUsage" in " ".join(answer.needs)
    assert any(gap["call"] == "ce.GetCostAndUsage" for gap in answer.gaps)


def test_a_provider_that_is_down_is_a_gap_and_no_answer(home, monkeypatch):
    answer = asked(home, "http://127.0.0.1:9", "list EC2 instances", monkeypatch)
    assert (answer.status, answer.ok) == ("unknown", None)
    assert answer.gaps
    assert "0 EC2" not in answer.answer
    assert "No EC2 instance" not in answer.answer
