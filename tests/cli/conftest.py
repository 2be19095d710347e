"""Loopback clouds shared by the tests of a worker, and a command for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import Command
from tests.servers.aws import MotoServer, environment
from tests.servers.kubernetes import ApiServer
from tests.servers.proxy import Proxy

REGION = "eu-west-1"


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder that all workers share."""
    return tmp_path_factory.getbasetemp().parent / "infrascan-cache"


@pytest.fixture
def infrascan(tmp_path: Path, cache: Path) -> Command:
    return Command(tmp_path, cache)


@pytest.fixture(scope="session")
def moto() -> Iterator[MotoServer]:
    """An account with an open security group, an old volume and a bucket."""
    with MotoServer() as server:
        server.client("s3").create_bucket(
            Bucket="invoices-of-zuerich",
            CreateBucketConfiguration={"LocationConstraint": REGION},
        )
        ec2 = server.client("ec2")
        ec2.create_volume(
            AvailabilityZone=f"{REGION}a",
            Size=10,
            VolumeType="gp2",
            TagSpecifications=[
                {"ResourceType": "volume", "Tags": [{"Key": "Name", "Value": "Zürich 東京"}]}
            ],
        )
        for _ in range(2):  # the first answer, which is kept, is that the report is begun
            server.client("iam").generate_credential_report()
        yield server


@pytest.fixture(scope="session")
def answers() -> dict[Any, Any]:
    """What moto said before, so that most requests never reach it."""
    return {}


@pytest.fixture
def aws(
    infrascan: Command, moto: MotoServer, answers: dict[Any, Any]
) -> Iterator[Callable[..., Proxy]]:
    """Puts AWS, with faults, before the command: `aws(fault=..., latency=...)`."""
    opened: list[Proxy] = []

    def point(**options: Any) -> Proxy:
        proxy = Proxy(moto.url, remember=True, memory=answers, **options)
        opened.append(proxy.__enter__())
        infrascan.environment |= environment(infrascan.folder, proxy.url)
        return proxy

    yield point
    for proxy in opened:
        proxy.__exit__(None, None, None)


MANIFEST: list[dict[str, Any]] = [
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}},
    {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web", "namespace": "shop", "labels": {"owner": "Zürich 東京"}},
        "spec": {
            "hostNetwork": True,
            "containers": [
                {"name": "app", "image": "nginx:latest", "securityContext": {"privileged": True}}
            ],
        },
        "status": {"phase": "Running"},
    },
]


@pytest.fixture
def k8s(infrascan: Command) -> Iterator[Callable[..., ApiServer]]:
    """Puts a cluster before the command, as context `lab`: `k8s(faults=[...])`.

    With a latency, a proxy delays each answer; it is `server.proxy`.
    """
    opened: list[Any] = []

    def point(latency: float = 0.0, **options: Any) -> ApiServer:
        server = ApiServer(MANIFEST, **options)
        opened.append(server.__enter__())
        path = server.kubeconfig(infrascan.folder / "kubeconfig")
        if latency:
            proxy = Proxy(server.url, latency)
            opened.append(proxy.__enter__())
            path.write_text(path.read_text().replace(server.url, proxy.url))
        infrascan.environment["KUBECONFIG"] = str(path)
        return server

    yield point
    for server in reversed(opened):
        server.__exit__(None, None, None)
