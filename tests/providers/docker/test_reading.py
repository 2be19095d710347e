"""What is read of a real engine's answers, what is left out, and what failing calls leave."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import trio

from infrascan.collect.recording import Recorder, Replay
from infrascan.graph import link
from infrascan.model import Reason, Resource, State
from infrascan.providers.docker import Docker
from infrascan.providers.docker.tables import TABLES, disk_usage, engine, used
from tests.providers import rest_faults
from tests.providers.docker.conftest import Served, collect, selection
from tests.servers.rest import Request, json_answer

LIVE = os.environ.get("DOCKER_HOST", "") or (
    "unix:///var/run/docker.sock" if Path("/var/run/docker.sock").exists() else ""
)
CANARIES = ("canary", "hunter2", "SWMTKN", "BEGIN CERTIFICATE", "ghp_")


def named(resources: list[Resource], kind: str) -> dict[str, Resource]:
    return {r.name: r for r in resources if r.kind == kind}


def test_everything_is_read(served: Served):
    read = collect()

    assert not read.gaps
    assert {c.state for c in read.coverage} == {State.READ}
    counts = {table.kind: len(named(read.resources, table.kind)) for table in TABLES}
    assert counts == {
        "docker.engine": 1,
        "docker.container": 11,
        "docker.image": 5,
        "docker.volume": 2,
        "docker.network": 6,
        "docker.service": 1,
        "docker.node": 1,
        "docker.secret": 1,
    }


def test_what_a_real_engine_says_of_containers(served: Served):
    found = named(collect().resources, "docker.container")

    assert found["hog"].data["State"]["OOMKilled"] is True
    assert found["hog"].data["stats"] is None
    assert found["loop"].data["RestartCount"] >= 3
    assert found["sick"].data["State"]["Health"] == {
        "Status": "unhealthy",
        "FailingStreak": found["sick"].data["State"]["Health"]["FailingStreak"],
    }
    assert found["privileged"].data["HostConfig"]["Privileged"] is True
    assert found["privileged"].data["State"]["StartedAt"] is None
    assert found["host"].data["HostConfig"]["PidMode"] == "host"
    assert "/var/run/docker.sock" in [m["Destination"] for m in found["socket"].data["Mounts"]]
    assert {"IP": "0.0.0.0", "PrivatePort": 5432, "PublicPort": 15432, "Type": "tcp"} in found[
        "published"
    ].data["Ports"]
    assert 0 < found["good"].data["stats"]["memory_used_percent"] < 100
    assert found["good"].data["container_name"] == "good"


def test_secrets_of_programs_do_not_survive(served: Served):
    served.engine.nodes[0]["Description"]["TLSInfo"]["TrustRoot"] = "-----BEGIN CERTIFICATE-----"
    served.engine.services[0]["Spec"]["TaskTemplate"]["ContainerSpec"] |= {
        "Env": ["API_TOKEN=canary-1"],
        "Args": ["--password", "canary-2"],
        "Command": ["canary-3"],
    }
    served.engine.services[0]["PreviousSpec"] = {"Name": "canary-4"}
    served.engine.secrets[0]["Spec"]["Data"] = "canary-5"
    served.engine.volumes[0]["Options"] = {"type": "cifs", "o": "username=a,password=canary-6"}
    for inspected in served.engine.inspected.values():
        inspected["Config"]["Cmd"] = ["run", "--password", "canary-7"]
        inspected["Args"] = ["--password", "canary-7"]
        inspected["Config"]["Healthcheck"] = {"Test": ["CMD", "curl", "-u", "x:canary-8"]}
        inspected["State"]["Health"] = {"Status": "healthy", "Log": [{"Output": "canary-9"}]}
    for image in served.engine.image_details.values():
        image["Config"]["Env"] = ["KEY_TOKEN=canary-10"]
        image["Config"]["Cmd"] = ["canary-11"]
        image["ContainerConfig"] = {"Cmd": ["canary-12"]}
    served.engine.info["HttpProxy"] = "http://proxy:canary-13@192.0.2.1"
    authority = {"SigningCAKey": "canary-14", "ExternalCAs": [{"Options": {"a": "canary-15"}}]}
    served.engine.info["Swarm"] = {"Cluster": {"Spec": {"CAConfig": authority, "Name": "default"}}}

    everything = json.dumps([r.data for r in collect().resources])

    assert not [word for word in CANARIES if word in everything]
    assert "DB_PASSWORD=[redacted:password]" in everything
    assert "GITHUB_TOKEN=[redacted:github-token]" in everything
    assert "API_URL=[redacted]" in everything


def test_relations(served: Served):
    read = collect()
    provider = Docker(selection())
    link(read.resources, provider.kinds, read.gaps, read.coverage)
    containers, images = (
        named(read.resources, "docker.container"),
        named(read.resources, "docker.image"),
    )

    assert [i.name for i in containers["socket"].links["image"]] == ["acme/worker:latest"]
    assert [v.name for v in containers["good"].links["volumes"]] == ["shop-data"]
    assert [n.name for n in containers["published"].links["networks"]] == ["shop-net"]
    assert not images["acme/unused:0.1"].links.get("containers")
    assert named(read.resources, "docker.volume")["left-over"].links.get("containers", []) == []


def test_a_recording_gives_the_same(served: Served, tmp_path: Path):
    recorder = Recorder.create(tmp_path / "r", {})
    live = collect(recorder=recorder)
    recorder.close()
    calls = served.server.calls

    again = collect(replay=Replay.open(tmp_path / "r"))

    assert served.server.calls == calls
    assert [r.key for r in again.resources] == [r.key for r in live.resources]
    assert [r.data for r in again.resources] == [r.data for r in live.resources]
    assert again.identities == live.identities
    text = b"".join(p.read_bytes() for p in (tmp_path / "r").rglob("*") if p.suffix != ".gz")
    assert str(served.server.socket).encode() not in text


@pytest.mark.parametrize(("swarm", "reason"), [("none", None), ("worker", Reason.OUT_OF_SCOPE)])
def test_an_engine_outside_a_swarm_and_a_worker(served: Served, swarm: str, reason: Reason | None):
    served.engine.swarm = swarm

    read = collect()

    assert not named(read.resources, "docker.service")
    assert {gap.reason for gap in read.gaps} == ({reason} if reason else set())
    assert len(read.gaps) == (3 if reason else 0)


def test_a_proxy_that_lets_little_through(served: Served):
    one = served.engine.listed[0]["Id"]
    served.engine.denied = frozenset({"/system/df", "/secrets", f"/containers/{one}/json"})

    read = collect()

    assert {gap.call for gap in read.gaps if not gap.resource} == {"GET /secrets"}
    engine = next(r for r in read.resources if r.kind == "docker.engine")
    assert engine.unread["disk_usage"].reason is Reason.DENIED
    blind = next(r for r in read.resources if r.data.get("Id") == one)
    assert {"State", "HostConfig", "Config"} <= set(blind.unread)
    assert "State" not in blind.data


def test_no_volumes_and_no_containers(served: Served):
    served.engine.volumes = None
    served.engine.listed = []

    read = collect()

    assert not read.gaps
    assert not named(read.resources, "docker.volume") | named(read.resources, "docker.container")


def test_podman_leaves_fields_out_and_adds_others(served: Served):
    for inspected in served.engine.inspected.values():
        del inspected["NetworkSettings"]["Networks"], inspected["HostConfig"]["PidsLimit"]
        inspected["IsInfra"] = False
    served.engine.disk = {"LayersSize": 1, "Images": [], "Containers": [], "Volumes": []}

    read = collect()

    assert len(named(read.resources, "docker.container")) == 11
    assert not [g for g in read.gaps if g.reason is Reason.BUG]


def test_a_registry_of_which_nothing_is_said_is_not_insecure():
    indexes = {"one.example": None, "two.example": {"Secure": False}, "three.example": {}}

    found = engine({"RegistryConfig": {"IndexConfigs": indexes}})

    assert found["insecure_registries"] == ["two.example"]


@pytest.mark.parametrize(
    ("memory", "expected"),
    [
        ({"usage": 100, "limit": 1000, "stats": {"total_inactive_file": 40}}, (60, 6.0)),
        ({"usage": 100, "limit": 1000, "stats": {"inactive_file": 30}}, (70, 7.0)),
        ({"usage": 100, "limit": 1000, "stats": {"inactive_file": 300}}, (100, 10.0)),
        ({"usage": 100, "limit": 0}, (100, None)),
        ({}, (None, None)),
    ],
)
def test_memory_is_counted_as_docker_stats_does(memory: Any, expected: Any):
    found = used({"memory_stats": memory})

    assert (found["memory_used_bytes"], found["memory_used_percent"]) == expected


def test_disk_usage_adds_up():
    found = disk_usage(
        {
            "LayersSize": 1000,
            "Images": [
                {"Size": 600, "SharedSize": 100, "Containers": 0},
                {"Size": 300, "SharedSize": -1, "Containers": 2},
            ],
            "Containers": [{"State": "exited", "SizeRw": 7}, {"State": "running", "SizeRw": 9}],
            "Volumes": [
                {"UsageData": {"RefCount": 0, "Size": 50}},
                {"UsageData": {"RefCount": 1, "Size": 60}},
            ],
            "BuildCache": [
                {"Size": 11, "InUse": False, "Shared": False},
                {"Size": 13, "InUse": True, "Shared": False},
                {"Size": 17, "InUse": False, "Shared": True},
            ],
        }
    )

    assert found["images_unused_bytes"] == 500
    assert found["containers_stopped_bytes"] == 7
    assert found["volumes_unused_bytes"] == 50
    assert (found["build_cache_bytes"], found["build_cache_unused_bytes"]) == (24, 11)


def asked_for(request: Request, api: str) -> bool:
    """Whether a request is this call, under the agreed version of the API."""
    _, _, path = request.path.partition("/v1.41")
    pattern = api.partition(" ")[2].split("/")
    parts = path.split("/")
    return len(parts) == len(pattern) and all(
        want == got or want.startswith("{") for want, got in zip(pattern, parts, strict=True)
    )


@pytest.mark.parametrize("fault", rest_faults.FAULTS)
@pytest.mark.parametrize("case", rest_faults.cases(TABLES), ids=str)
def test_a_failed_call_is_said(served: Served, case: rest_faults.Case, fault: str):
    provider = Docker(selection())
    trio.run(provider.connect, provider.send)

    rest_faults.check(provider, served.server, case, fault, asked_for)


@pytest.mark.skipif(not shutil.which("dockerd"), reason="there is no dockerd on this machine")
@pytest.mark.skipif(
    not LIVE, reason="dockerd is here and no engine runs: start one, name it in DOCKER_HOST"
)
def test_a_real_engine_when_one_runs_here(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DOCKER_HOST", LIVE)

    read = collect()

    assert not [gap for gap in read.gaps if gap.reason is Reason.BUG]
    assert [r for r in read.resources if r.kind == "docker.engine"]


def test_volumes_of_a_driver_that_fails_are_not_absent(served: Served):
    said = "list nfs: Get http://plugin: connection refused"

    def warning(request: Request) -> Any:
        if not request.path.endswith("/volumes"):
            return None
        return json_answer({"Volumes": served.engine.volumes, "Warnings": [said]})

    served.server.fault = warning
    read = collect()
    assert len(named(read.resources, "docker.volume")) == 2
    (gap,) = [g for g in read.gaps if g.kind == "docker.volume"]
    assert gap.reason is Reason.TRUNCATED
    assert "leaves something out: list nfs" in gap.detail
