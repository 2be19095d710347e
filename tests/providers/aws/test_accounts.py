"""Profiles, accounts and regions: what is connected, and what each failure says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import trio

from infrascan.model import Connection, Identity, InputError, Partition, ReadError, Reason
from infrascan.providers.aws import TABLES, Aws
from tests.providers.aws.reader import Reader, provider
from tests.servers.aws import MotoServer
from tests.servers.aws_protocols import error
from tests.servers.proxy import Answer, Proxy, Seen


def connect(aws: Aws) -> tuple[list[Identity], list[Partition]]:
    async def work() -> tuple[list[Identity], list[Partition]]:
        reader = Reader(aws)
        identities = list(await aws.connect(reader.ask))
        partitions = list(await aws.partitions(reader.ask))
        aws.close()
        return identities, partitions

    return trio.run(work)


def test_without_regions_every_region_that_is_switched_on_is_read(
    server: MotoServer, point: Callable[..., None]
) -> None:
    point(server.url)

    (identity,), partitions = connect(provider(regions=()))

    assert identity.state is Connection.CONNECTED
    assert identity.account == "123456789012"
    assert identity.who.startswith("arn:aws:")
    assert identity.source == "profile default (~/.aws/credentials)"
    regions = {p.region for p in partitions if p.kind == "aws.ec2.instance"}
    assert {"us-east-1", "eu-west-1", "ap-south-1"} <= regions
    assert [p.region for p in partitions if p.kind == "aws.iam.user"] == [""]


def test_the_plan_is_one_partition_for_each_kind_and_region(
    server: MotoServer, point: Callable[..., None]
) -> None:
    point(server.url)

    _, partitions = connect(provider(regions=("eu-west-1", "us-east-1")))

    regional = sum(listing.regional for listing in TABLES)
    assert len(partitions) == 2 * regional + (len(TABLES) - regional)
    assert len(set(partitions)) == len(partitions)


def test_two_profiles_of_one_account_are_read_once(
    server: MotoServer, point: Callable[..., None]
) -> None:
    point(server.url, prod="eu-west-1", audit="us-east-1")

    identities, partitions = connect(provider(profiles=("prod", "audit")))

    assert [identity.state for identity in identities] == [Connection.CONNECTED] * 2
    assert identities[1].detail == "the same account as profile prod, read once"
    assert len(set(partitions)) == len(partitions)


def test_two_accounts_are_read_each_with_its_profile(
    server: MotoServer, point: Callable[..., None]
) -> None:
    def two(seen: Seen) -> Answer | None:
        if b"GetCallerIdentity" not in seen.body:
            return None
        account = "222222222222" if "/us-east-1/" in seen.headers["authorization"] else "1" * 12
        return Answer(
            200,
            {"content-type": "text/xml"},
            (
                "<GetCallerIdentityResponse><GetCallerIdentityResult>"
                f"<Arn>arn:aws:iam::{account}:user/a</Arn><UserId>A</UserId>"
                f"<Account>{account}</Account></GetCallerIdentityResult>"
                "</GetCallerIdentityResponse>"
            ).encode(),
        )

    with Proxy(server.url, fault=two) as proxy:
        point(proxy.url, prod="eu-west-1", audit="us-east-1")
        aws = provider(profiles=("prod", "audit"))
        identities, partitions = connect(aws)

    assert [identity.account for identity in identities] == ["111111111111", "222222222222"]
    assert {p.account for p in partitions} == {"111111111111", "222222222222"}
    assert aws.accounts["222222222222"].profile == "audit"


def test_a_profile_that_does_not_exist_is_an_input_error_with_the_nearest(
    server: MotoServer, point: Callable[..., None]
) -> None:
    point(server.url, production="eu-west-1")
    with pytest.raises(
        InputError, match=r"unknown AWS profile 'prodution': did you mean production"
    ):
        connect(provider(profiles=("prodution",)))


def test_a_region_that_does_not_exist_is_an_input_error_with_the_nearest(
    server: MotoServer, point: Callable[..., None]
) -> None:
    point(server.url)
    with pytest.raises(
        InputError, match=r"unknown AWS region 'eu-west-11': did you mean eu-west-1"
    ):
        connect(provider(regions=("eu-west-11",)))


def test_a_region_that_is_not_switched_on_is_a_gap_without_a_call(
    server: MotoServer, point: Callable[..., None]
) -> None:
    body = (
        "<DescribeRegionsResponse><regionInfo><item><regionName>us-east-1</regionName></item>"
        "</regionInfo></DescribeRegionsResponse>"
    )

    def few(seen: Seen) -> Answer | None:
        return Answer(200, {}, body.encode()) if b"DescribeRegions" in seen.body else None

    with Proxy(server.url, fault=few) as proxy:
        point(proxy.url)

        async def work() -> tuple[ReadError | None, int]:
            reader = Reader(provider(regions=("me-south-1",)))
            await reader.connect()
            before = len(reader.calls)
            _, stopped = await reader.read("aws.ec2.volume", "me-south-1")
            return stopped, len(reader.calls) - before

        stopped, calls = trio.run(work)

    assert calls == 0
    assert stopped is not None
    assert stopped.reason is Reason.DISABLED


def test_no_credentials_is_not_configured_and_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    (identity,), partitions = connect(provider())

    assert identity.state is Connection.NOT_CONFIGURED
    assert "aws configure" in identity.remedy
    assert partitions == []


def test_an_sso_session_that_ended_says_how_to_begin_a_new_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    config.write_text(
        "[profile dev]\nsso_start_url = https://example.awsapps.com/start\nsso_region = eu-west-1\n"
        "sso_account_id = 123456789012\nsso_role_name = Reader\nregion = eu-west-1\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))

    (identity,), _ = connect(provider(profiles=("dev",)))

    assert identity.state is Connection.ERROR
    assert identity.reason is Reason.UNAUTHENTICATED
    assert identity.remedy == "run aws sso login --profile dev"


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("InvalidClientTokenId", "check the access key"),
        ("SignatureDoesNotMatch", "check the secret access key"),
        ("ExpiredToken", "aws sso login --profile default"),
        ("RequestExpired", "set the clock right"),
    ],
)
def test_keys_that_aws_refuses_say_what_is_wrong_with_them(
    server: MotoServer, point: Callable[..., None], code: str, remedy: str
) -> None:
    answer = Answer(*error("sts.GetCallerIdentity", 403, code, "No."))
    with Proxy(server.url, fault=lambda seen: answer) as proxy:
        point(proxy.url)
        (identity,), _ = connect(provider())

    assert identity.state is Connection.ERROR
    assert identity.reason is Reason.UNAUTHENTICATED
    assert remedy in identity.remedy
    assert code in identity.detail


def test_credentials_that_are_renewed_with_expired_ones_say_so(
    server: MotoServer, point: Callable[..., None], tmp_path: Path
) -> None:
    point(server.url, old="eu-west-1")
    keys = '{"Version": 1, "AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "SecretAccessKey": "secret"'
    script = tmp_path / "keys"
    script.write_text(f'#!/bin/sh\necho \'{keys}, "Expiration": "2020-01-01T00:00:00Z"}}\'\n')
    script.chmod(0o700)
    (tmp_path / "credentials").write_text("")
    with (tmp_path / "config").open("a") as config:
        config.write(f"credential_process = {script}\n")

    (identity,), _ = connect(provider(profiles=("old",)))

    assert identity.reason is Reason.UNAUTHENTICATED
    assert "still expired" in identity.detail
    assert "renew the session" in identity.remedy


def test_an_endpoint_that_nobody_listens_at_is_unreachable(point: Callable[..., None]) -> None:
    point("http://127.0.0.1:9")
    (identity,), _ = connect(provider())
    assert identity.state is Connection.ERROR
    assert identity.reason is Reason.UNREACHABLE
    assert "AWS_ENDPOINT_URL" in identity.remedy


def test_keys_in_the_environment_are_used_when_no_profile_is_named(
    server: MotoServer, point: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    point(server.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    (identity,), _ = connect(provider())
    assert identity.source == "environment variables"


def test_importing_and_building_the_provider_loads_no_sdk() -> None:
    import subprocess
    import sys

    code = (
        "import sys\n"
        "from datetime import UTC, datetime\n"
        "from infrascan.collect.provider import Selection\n"
        "from infrascan.providers import load\n"
        "aws = load('aws')(Selection(observed=datetime.now(UTC)))\n"
        "len(aws.kinds), aws.permissions(), aws.close()\n"
        "sys.exit('botocore' in sys.modules or 'boto3' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
