"""One question over several platforms at once, and one of them down."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pytest
import trio

from infrascan.pipeline import DEMO, Request
from infrascan.questions import Answer, Who, ask, shipped_catalogue
from infrascan.shipped import shipped
from tests.cli.platforms import served
from tests.providers.github.estate import estate as organization
from tests.questions.lab import (
    ONLY_K8S,
    Lab,
    backed,
    deployment,
    event,
    lab,
    namespace,
    pod,
    service,
)
from tests.servers.aws import MotoServer, environment
from tests.servers.github import TOKEN
from tests.servers.github import server as github
from tests.servers.kubernetes_http import Fault
from tests.servers.proxy import Proxy

THREE = Request(providers=("aws", "k8s", "github"), regions=("eu-west-1",))
QUESTION = "what changed in the last 30 minutes?"


@pytest.fixture(scope="module")
def aws() -> Iterator[MotoServer]:
    with MotoServer() as running:
        cloudwatch = running.client("cloudwatch")
        cloudwatch.put_metric_alarm(
            AlarmName="api-slow",
            MetricName="Latency",
            Namespace="Acme",
            Period=60,
            EvaluationPeriods=1,
            Threshold=0.5,
            ComparisonOperator="GreaterThanThreshold",
            Statistic="Average",
        )
        cloudwatch.set_alarm_state(AlarmName="api-slow", StateValue="ALARM", StateReason="slow")
        yield running


@pytest.fixture
def platforms(
    aws: MotoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Lab, list[str]]]:
    """A cluster, an account and an organisation on loopback."""
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "GH_TOKEN", "GH_HOST"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    for name, value in environment(tmp_path, aws.url).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("INFRASCAN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("GH_CONFIG_DIR", str(tmp_path / "gh"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    objects = [namespace("production"), deployment("api"), pod("api-1", app="api")]
    objects.append(
        event("api.1", 5, reason="ScalingReplicaSet", object_kind="Deployment", object_name="api", message="Scaled up replica set api-1 from 0 to 1")
    )  # fmt: skip
    with lab(objects, tmp_path, monkeypatch) as found, github(organization()) as hub:
        monkeypatch.setenv("GITHUB_API_URL", hub.url)
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        yield found, [hub.url]


def asked(found: Lab, question: str, request: Request = THREE) -> Answer:
    answer: Answer = trio.run(
        partial(ask, found.home, question, request=request, who=Who(client="test"))
    )
    return answer


def test_one_question_reads_cluster_cloud_and_repositories(platforms):
    found, _ = platforms
    answer = asked(found, "what changed in the last 400 days?")
    assert set(answer.providers) >= {"aws", "k8s", "github"}
    assert found.server.paths("/api")
    told = {item["resource"].partition(".")[0] for item in answer.evidence if item["resource"]}
    assert {"aws", "k8s", "github"} <= told
    assert answer.route == "estate.changes"
    backed(answer)


def test_one_platform_down_leaves_the_others_and_says_so(platforms, monkeypatch):
    found, _ = platforms
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:9")
    answer = asked(found, QUESTION)
    assert answer.status == "partial"
    assert "k8s" in answer.providers
    assert any(gap["provider"] == "github" for gap in answer.gaps)
    assert answer.ok is not True


def test_nothing_to_read_is_unknown(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    for question in ("are all services in the production namespace healthy?", "is any pod in CrashLoopBackOff?", "list my deployments"):  # fmt: skip
        answer = trio.run(
            partial(
                ask, tmp_path / "kept", question, request=Request(providers=("k8s",)), who=Who()
            )
        )
        assert (answer.status, answer.ok) == ("unknown", None), question
        assert answer.needs
        assert answer.data["rows"] == []


EIGHT = ("aws", "azure", "digitalocean", "docker", "gcp", "github", "hetzner", "k8s")
REPORT = "give me a health report of my infrastructure"


REACHED: list[object] = []
WATCHING: list[bool] = []


def watch(event: str, given: tuple[object, ...]) -> None:
    """Note where this process connects to, while somebody wants to know."""
    if WATCHING and event in {"socket.connect", "socket.getaddrinfo"}:
        REACHED.append(given[1] if event == "socket.connect" else given[0])


sys.addaudithook(watch)  # for good: a hook cannot be taken away


@dataclass
class Late:
    """Holds up the first request of each platform until all are asked, and a second longer."""

    seconds: float = 1.0
    meeting: threading.Barrier = field(default_factory=lambda: threading.Barrier(len(EIGHT)))
    held: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def at(self, name: str) -> None:
        with self.lock:
            if name in self.held:
                return
            self.held.add(name)
        self.meeting.wait(20)  # broken, where one is asked only after another has answered
        time.sleep(self.seconds)


@pytest.fixture
def eight(
    aws: MotoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Lab, Late]]:
    """A platform of each provider that a health report reads, all of them late."""
    late = Late()
    names = [name for name in EIGHT if name not in ("aws", "k8s")]
    objects = [namespace("production"), *service("session-cache", ready=0)]
    objects.append(pod("session-cache-0", app="session-cache", waiting="CrashLoopBackOff"))
    with (
        served(tmp_path) as others,
        Proxy(aws.url, fault=lambda _: late.at("aws")) as proxy,
        lab(objects, tmp_path, monkeypatch) as found,
    ):
        for name, value in (environment(tmp_path, proxy.url) | others.only(*names)).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("INFRASCAN_CACHE", str(tmp_path / "cache"))
        for name in ("AWS_PROFILE", "GH_TOKEN", "GH_HOST"):
            monkeypatch.delenv(name, raising=False)
        for name in names:
            others.servers[name].fault = partial(held_up, late, name)
        monkeypatch.setattr(found.server, "fault", partial(held_up, late, "k8s"))
        yield found, late


def held_up(late: Late, name: str, _: object) -> None:
    late.at(name)


def test_eight_platforms_a_second_late_each_are_asked_at_once(eight):
    found, late = eight
    request = Request(providers=EIGHT, regions=("eu-west-1",))
    REACHED.clear()
    WATCHING.append(True)
    answer = asked(found, REPORT, request)
    WATCHING.clear()
    assert late.held == set(EIGHT)
    assert not late.meeting.broken  # all eight were on their way at the same moment
    assert answer.route == "estate.health-report"
    assert set(answer.providers) == set(EIGHT)
    assert answer.ok is False
    assert set(answer.data["sections"]) >= {"services", "pods", "alarms", "containers", "cost"}
    assert "session-cache" in answer.answer
    assert "api-slow" in answer.answer
    backed(answer)
    # Straight to the platforms, which are all on loopback here: nobody stands between.
    assert REACHED
    hosts = {place[0] if isinstance(place, tuple) else place for place in REACHED}
    docker = os.environ["DOCKER_HOST"].removeprefix("unix://")
    assert hosts <= {"127.0.0.1", "localhost", b"localhost", "::1", docker}


def test_a_health_report_is_given_in_time_with_what_was_read(platforms):
    """Eight seconds after the question at the latest; what has not answered by then is a gap."""
    assert shipped_catalogue()["estate.health-report"].within == 8
    found, _ = platforms
    found.server.faults.append(Fault("^/api/v1/pods", "hang"))
    began = time.perf_counter()
    answer = asked(found, REPORT, replace(ONLY_K8S, deadline_seconds=1.0))
    assert time.perf_counter() - began < 8
    assert answer.status == "partial"
    assert answer.ok is not True
    assert any(gap["reason"] == "timed_out" for gap in answer.gaps)
    assert "pods: not read" in answer.answer
    assert answer.data["sections"]["pods"]["ok"] is None


def test_a_health_report_on_the_demo_takes_seconds(tmp_path):
    request = Request(replay=shipped("estates") / DEMO)
    busy = time.process_time()
    answer = trio.run(partial(ask, tmp_path, REPORT, request=request, who=Who()))
    assert time.process_time() - busy < 3
    assert len(answer.data["sections"]) == 7
