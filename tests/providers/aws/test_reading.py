"""A whole estate, read from moto."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import trio

from infrascan.model import Resource
from infrascan.paths import values
from infrascan.providers.aws import LISTINGS, TABLES
from infrascan.providers.aws.fields import tree
from tests.providers.aws.reader import Reader, provider
from tests.servers.aws import MotoServer, environment


@pytest.fixture(scope="session")
def everything(server: MotoServer, estate: dict[str, str], tmp_path_factory: Any) -> Any:
    """Each resource of the estate, read once, and the calls it took."""
    patch = pytest.MonkeyPatch()
    folder = tmp_path_factory.mktemp("aws")
    for name, value in environment(folder, server.url).items():
        patch.setenv(name, value)
    patch.setenv("INFRASCAN_CACHE", str(folder))

    async def work() -> tuple[list[Resource], Reader]:
        reader = Reader()
        await reader.connect()
        found: list[Resource] = []

        async def one(kind: str) -> None:
            resources, error = await reader.read(kind)
            assert error is None, (kind, error)
            found.extend(resources)

        async with trio.open_nursery() as nursery:
            for listing in TABLES:
                if not listing.live:
                    nursery.start_soon(one, listing.kind)
        reader.aws.close()
        return found, reader

    result = trio.run(work)
    patch.undo()
    return result


@pytest.fixture
def resources(everything: tuple[list[Resource], Reader]) -> list[Resource]:
    return everything[0]


def one(resources: list[Resource], kind: str, name: str = "") -> Resource:
    (found,) = [r for r in resources if r.kind == kind and name in {"", r.name}]
    return found


def test_every_kind_is_read_without_a_gap(resources: list[Resource]) -> None:
    assert {r.kind for r in resources} == {k for k, each in LISTINGS.items() if not each.live}
    gaps = {(r.kind, field, gap.detail) for r in resources for field, gap in r.unread.items()}
    assert gaps == set()


def test_ids_are_unique_within_kind_and_region(resources: list[Resource]) -> None:
    keys = [resource.key for resource in resources]
    assert sorted(keys) == sorted(set(keys))


def test_everything_read_has_a_place_in_the_field_tree(resources: list[Resource]) -> None:
    strange = {
        (resource.kind, path)
        for resource in resources
        for path in unknown(resource.data, tree(LISTINGS[resource.kind]), "")
    }
    assert strange == set()


def unknown(data: Any, place: Any, path: str) -> list[str]:
    """Paths of the data that a tree does not have."""
    if place is None:
        return []
    if isinstance(data, dict):
        found = []
        for name, value in data.items():
            inner = place.get(name, place.get("*", ...))
            if inner is ...:
                found.append(f"{path}.{name}")
            else:
                found += unknown(value, inner, f"{path}.{name}")
        return found
    if isinstance(data, list):
        if "[]" not in place:
            return [f"{path}[]"]
        return [bad for value in data for bad in unknown(value, place["[]"], f"{path}[]")]
    return []


def test_everything_read_is_json(resources: list[Resource]) -> None:
    for resource in resources:
        assert json.loads(json.dumps(resource.data)) == resource.data


def test_no_secret_of_the_estate_is_kept(resources: list[Resource]) -> None:
    text = json.dumps([resource.data for resource in resources])
    assert "hunter2" not in text
    assert "aHVudGVyMg" not in text
    function = one(resources, "aws.lambda.function").data
    assert function["Environment"]["Variables"] == {
        "DB_PASSWORD": "[redacted:password]",
        "STAGE": "[redacted]",
    }
    template = one(resources, "aws.ec2.launch_template").data
    assert template["latest_version"]["UserData"] == "[redacted]"


def test_times_are_strings_in_utc(resources: list[Resource]) -> None:
    volume = next(r for r in resources if r.kind == "aws.ec2.volume")
    assert len(volume.data["CreateTime"]) == len("2026-11-21T09:30:00Z")
    assert volume.data["CreateTime"].endswith("Z")


def test_relations_can_be_followed(resources: list[Resource], estate: dict[str, str]) -> None:
    """Each relation that has a value in the estate reaches what it names."""
    by_kind: dict[str, list[Resource]] = {}
    for resource in resources:
        by_kind.setdefault(resource.kind, []).append(resource)
    followed = set()
    for listing in TABLES:
        for relation in listing.relations:
            for source in by_kind[listing.kind]:
                wanted = set(map(str, values(source.data, relation.path)))
                for target in by_kind[relation.to]:
                    if relation.by in {"id", "name"}:
                        have = {getattr(target, relation.by)}
                    else:
                        have = set(map(str, values(target.data, relation.by)))
                    if wanted & have:
                        followed.add((listing.kind, relation.name))
    expected = {
        ("aws.ec2.instance", "security_groups"),
        ("aws.ec2.instance", "subnet"),
        ("aws.ec2.instance", "volumes"),
        ("aws.ec2.instance", "role"),
        ("aws.ec2.network_interface", "security_groups"),
        ("aws.ec2.route_table", "subnets"),
        ("aws.ec2.flow_log", "vpc"),
        ("aws.ec2.snapshot", "volume"),
        ("aws.s3.bucket", "kms_key"),
        ("aws.rds.db_instance", "security_groups"),
        ("aws.rds.db_instance", "subnets"),
        ("aws.rds.db_snapshot", "db_instance"),
        ("aws.iam.user", "policies"),
        ("aws.iam.user", "groups"),
        ("aws.lambda.function", "role"),
        ("aws.elbv2.listener", "load_balancer"),
        ("aws.elbv2.listener", "target_groups"),
        ("aws.elbv2.target_group", "instances"),
        ("aws.ecs.service", "cluster"),
        ("aws.eks.nodegroup", "cluster"),
        ("aws.cloudtrail.trail", "bucket"),
        ("aws.guardduty.detector", "region"),
        ("aws.config.recorder", "region"),
        ("aws.apigateway.stage", "rest_api"),
        ("aws.apigatewayv2.stage", "api"),
        ("aws.cloudfront.distribution", "buckets"),
        ("aws.route53.record_set", "hosted_zone"),
        ("aws.route53.record_set", "load_balancer"),
        ("aws.sqs.queue", "dead_letter_queue"),
        ("aws.autoscaling.group", "launch_template"),
        ("aws.efs.file_system", "subnets"),
    }
    assert expected - followed == set()


def test_details_say_what_is_configured_and_what_is_not(resources: list[Resource]) -> None:
    backups = one(resources, "aws.s3.bucket", "backups").data
    assert backups["versioning"] == {"Status": "Enabled"}
    assert backups["lifecycle"][0]["Expiration"] == {"Days": 90}
    assert backups["policy"] is None
    assets = one(resources, "aws.s3.bucket", "assets").data
    assert assets["policy"]["Statement"][0]["Principal"] == "*"
    assert assets["policy_status"] == {"IsPublic": True}
    assert assets["lifecycle"] is None
    assert assets["tags"] == {"team": "web"}
    assert one(resources, "aws.s3.bucket", "ledgers").data["tags"] == {}


def test_batches_reach_the_resource_they_are_about(
    resources: list[Resource], estate: dict[str, str]
) -> None:
    public = {
        r.data["SnapshotId"] for r in resources if r.kind == "aws.ec2.snapshot" and r.data["public"]
    }
    assert public == {estate["public_snapshot"]}
    assert one(resources, "aws.ecs.cluster").data["status"] == "ACTIVE"
    assert one(resources, "aws.elb.load_balancer").data["tags"] == {"team": "web"}
    stage = one(resources, "aws.apigateway.stage").data
    assert [plan["name"] for plan in stage["usage_plans"]] == ["basic"]
    assert one(resources, "aws.config.recorder").data["status"]["recording"] is False


def test_the_credential_report_gives_each_user_a_row_and_the_account_its_root(
    resources: list[Resource],
) -> None:
    alice = one(resources, "aws.iam.user", "alice").data["credentials"]
    assert alice["access_key_1_active"] is True
    assert alice["password_enabled"] is False
    assert alice["access_key_1_last_used_date"] is None
    root = one(resources, "aws.account").data["root"]
    assert root["mfa_active"] is False
    assert root["user_creation_time"] == "2020-01-01T00:00:00Z"


def test_policy_documents_are_read_as_json(resources: list[Resource]) -> None:
    for kind, path in {
        "aws.iam.role": "AssumeRolePolicyDocument",
        "aws.lambda.function": "policy",
        "aws.ecr.repository": "policy",
        "aws.kms.key": "policy",
        "aws.efs.file_system": "policy",
        "aws.apigateway.rest_api": "policy",
    }.items():
        (document,) = values(next(r for r in resources if r.kind == kind).data, path)
        assert document["Statement"], kind


def test_a_service_shows_the_task_definition_it_runs_and_the_newest_is_listed(
    resources: list[Resource],
) -> None:
    service = one(resources, "aws.ecs.service").data
    assert service["definition"]["containerDefinitions"][0]["image"] == "app:1"
    newest = one(resources, "aws.ecs.task_definition").data
    assert newest["containerDefinitions"][0]["image"] == "app:2"
    assert newest["containerDefinitions"][0]["privileged"] is True
    assert newest["tags"] == {"team": "web"}


def test_metrics_are_summed_up_over_days(resources: list[Resource]) -> None:
    cpu = one(resources, "aws.ec2.instance").data["metrics"]["cpu"]
    assert cpu["datapoints"] == 3
    assert cpu["days"] == 14
    assert cpu["average"] == pytest.approx(3.0)
    assert (cpu["minimum"], cpu["maximum"]) == (2.0, 4.0)
    volume = next(r for r in resources if r.kind == "aws.ec2.volume")
    assert volume.data["metrics"]["read_operations"] == {"days": 14, "datapoints": 0}


def test_metrics_are_asked_in_batches(everything: tuple[list[Resource], Reader]) -> None:
    calls = [call for call in everything[1].calls if call.api == "cloudwatch.GetMetricData"]
    assert len(calls) <= len([listing for listing in TABLES if listing.metrics])


def test_a_bucket_is_asked_in_its_own_region(
    server: MotoServer, estate: dict[str, str], point: Callable[..., None]
) -> None:
    server.client("s3", "ap-south-1").create_bucket(
        Bucket="afar", CreateBucketConfiguration={"LocationConstraint": "ap-south-1"}
    )
    point(server.url)
    try:

        async def work() -> set[str]:
            reader = Reader()
            await reader.connect()
            await reader.read("aws.s3.bucket")
            reader.aws.close()
            return {call.region for call in reader.calls if call.params.get("Bucket") == "afar"}

        assert trio.run(work) == {"ap-south-1"}
    finally:
        server.client("s3", "ap-south-1").delete_bucket(Bucket="afar")


def test_a_kind_that_has_none_reads_as_none(server: MotoServer, point: Callable[..., None]) -> None:
    point(server.url, default="us-west-2")

    async def chosen() -> list[tuple[str, int]]:
        reader = Reader(provider(regions=("sa-east-1",)))
        await reader.connect()
        counts = []
        for listing in TABLES:
            if listing.regional and not listing.live and listing.kind != "aws.region":
                found, error = await reader.read(listing.kind, "sa-east-1")
                assert error is None, (listing.kind, error)
                counts.append((listing.kind, len(found)))
        reader.aws.close()
        return counts

    counts = dict(trio.run(chosen))
    # moto gives each account a default network.
    given = {"aws.ec2.vpc", "aws.ec2.subnet", "aws.ec2.security_group", "aws.ec2.route_table"}
    assert {kind for kind, count in counts.items() if count} <= given


def test_one_partition_alone_connects_by_itself(
    server: MotoServer, estate: dict[str, str], point: Callable[..., None]
) -> None:
    point(server.url)

    async def work() -> list[Resource]:
        reader = Reader()
        found, error = await reader.read("aws.guardduty.detector")
        reader.aws.close()
        assert error is None
        return found

    (detector,) = trio.run(work)
    assert detector.data["Status"] == "ENABLED"
