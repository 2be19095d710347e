"""One question over several platforms at once, and one of them down."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import trio

from infrascan.pipeline import Request
from infrascan.questions import Answer, Who, ask
from tests.providers.github.estate import estate as organization
from tests.questions.lab import Lab, backed, deployment, event, lab, namespace, pod
from tests.servers.aws import MotoServer, environment
from tests.servers.github import TOKEN
from tests.servers.github import server as github

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
