"""Credentials that are missing, wrong or expired: one line, exit 3, and the report says the gap."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from infrascan.providers import PROVIDERS
from tests.cli.command import CLEAN, COVERAGE, USAGE, Command, Done
from tests.servers.aws import environment
from tests.servers.aws_protocols import Request, error
from tests.servers.kubernetes import ApiServer
from tests.servers.proxy import Answer, Proxy, Seen


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address where nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def expired(seen: Seen) -> Answer:
    request = Request(seen.method, seen.target, seen.headers, seen.body)
    return Answer(*error(request.api, 403, "ExpiredToken", "The security token has expired"))


def gaps(infrascan: Command) -> list[dict[str, Any]]:
    report = infrascan.report()
    assert not report["findings"]
    assert report["unknowns"]
    return report["gaps"]


@pytest.mark.parametrize(
    ("provider", "said"),
    [
        (
            "aws",
            "infrascan: aws could not be read: Unable to locate credentials; run aws configure",
        ),
        ("k8s", "infrascan: k8s could not be read: no kubeconfig with a context"),
    ],
)
def test_a_provider_without_credentials_is_exit_3_and_a_gap(
    infrascan: Command, provider: str, said: str
):
    done = infrascan("run", "--providers", provider, "--format", "json", "--quiet")
    assert (done.code, done.out) == (COVERAGE, "")
    assert done.complaint.startswith(said)
    assert [gap["reason"] for gap in gaps(infrascan)] == ["unauthenticated"]


def test_an_expired_session_says_how_to_renew_it(infrascan: Command, aws: Callable[..., Proxy]):
    aws(fault=expired)
    done = infrascan("run", "--providers", "aws", "--format", "json")
    assert done.code == COVERAGE
    assert "ExpiredToken" in done.complaint
    assert "aws sso login --profile default" in done.complaint
    assert [gap["reason"] for gap in gaps(infrascan)] == ["unauthenticated"]


def test_a_session_that_expires_on_the_way_leaves_gaps_and_no_pass(
    infrascan: Command, aws: Callable[..., Proxy]
):
    aws(fault=lambda seen: None if b"GetCallerIdentity" in seen.body else expired(seen))
    done = infrascan("run", "--providers", "aws", "--region", "eu-west-1", "--format", "json")
    assert done.code == COVERAGE
    assert "ExpiredToken" in done.complaint
    assert {gap["reason"] for gap in gaps(infrascan)} == {"unauthenticated"}
    assert not any(rule["passed"] for rule in infrascan.report()["rules"])


def test_half_a_key_is_said(infrascan: Command):
    infrascan.environment["AWS_ACCESS_KEY_ID"] = "AKIAIOSFODNN7EXAMPLE"
    done = infrascan("run", "--format", "json")
    assert done.code == COVERAGE
    assert "AWS_SECRET_ACCESS_KEY" in done.complaint or "secret" in done.complaint


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--profile prdo", "unknown AWS profile 'prdo': did you mean prod?"),
        (
            "--profile prod --region eu-wst-1",
            "unknown AWS region 'eu-wst-1': did you mean eu-west-1?",
        ),
    ],
)
def test_a_profile_or_region_that_is_not_there_is_one_line(
    infrascan: Command, aws: Callable[..., Proxy], words: str, said: str
):
    server = aws()
    infrascan.environment |= environment(infrascan.folder, server.url, prod="eu-west-1")
    done = infrascan("run", "--providers", "aws", *words.split())
    assert (done.code, done.complaint) == (USAGE, f"infrascan: {said}")
    assert not list((infrascan.kept / "journals").iterdir())


def test_a_context_that_is_not_there_is_one_line(infrascan: Command, k8s: Callable[..., ApiServer]):
    k8s()
    done = infrascan("run", "--providers", "k8s", "--context", "lba")
    said = "infrascan: unknown Kubernetes context 'lba'; did you mean 'lab'?"
    assert (done.code, done.complaint) == (USAGE, said)


KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: old
clusters: [{{name: c, cluster: {{server: "{server}"}}}}]
contexts: [{{name: old, context: {{cluster: c, user: u}}}}]
users: [{{name: u, user: {{}}}}]
"""


def with_kubeconfig(infrascan: Command, text: str | bytes) -> Path:
    path = infrascan.folder / "kubeconfig"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    infrascan.environment["KUBECONFIG"] = str(path)
    return path


def test_a_kubeconfig_that_points_nowhere_is_a_quick_exit_3(infrascan: Command, nobody: str):
    with_kubeconfig(infrascan, KUBECONFIG.format(server=nobody))
    began = time.monotonic()
    done = infrascan("run", "--format", "json")
    assert time.monotonic() - began < 15
    assert done.code == COVERAGE
    assert nobody in done.complaint
    assert "can be reached from here" in done.complaint
    assert [(gap["account"], gap["reason"]) for gap in gaps(infrascan)] == [("old", "unreachable")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("clusters: [\n", "line 2"),
        ("clusters: 3\n", "'clusters' is not a list"),
        ("- a\n- b\n", "is not a mapping"),
        (b"\xff\xfe\x00", "cannot be read"),
        (KUBECONFIG.format(server="x").replace("current-context: old", ""), "no current context"),
        (KUBECONFIG.format(server="x").replace("context: old", "context: new"), "'new' is not in"),
        (KUBECONFIG.format(server="x").replace("cluster: c,", "cluster: d,"), "'d' has no server"),
        (KUBECONFIG.format(server="127.0.0.1:99999"), ""),
    ],
)
def test_a_malformed_kubeconfig_is_one_line(infrascan: Command, text: str | bytes, said: str):
    with_kubeconfig(infrascan, text)
    done = infrascan("run", "--providers", "k8s", "--format", "json")
    assert done.code == COVERAGE
    assert "k8s could not be read" in done.complaint
    assert said in done.complaint
    assert len(gaps(infrascan)) == 1


def test_a_kubeconfig_that_is_named_and_missing_is_one_line(infrascan: Command):
    infrascan.environment["KUBECONFIG"] = str(infrascan.folder / "nothing")
    done = infrascan("run", "--providers", "k8s", "--format", "json")
    assert done.code == COVERAGE
    assert "which does not exist" in done.complaint


def test_a_broken_provider_does_not_cost_the_other(
    infrascan: Command, k8s: Callable[..., ApiServer], nobody: str
):
    k8s()
    infrascan.environment |= environment(infrascan.folder, nobody)
    done = infrascan("run", "--format", "json")
    assert done.code == COVERAGE
    assert done.complaint.startswith("infrascan: aws could not be read: ")
    report = infrascan.report()
    assert {resource["provider"] for resource in report["resources"]} == {"k8s"}
    assert {finding["provider"] for finding in report["findings"]} == {"k8s"}
    assert {gap["provider"] for gap in report["gaps"]} >= {"aws"}


def set_up(done: Done) -> list[dict[str, Any]]:
    return [identity for identity in done.json if identity["state"] != "not configured"]


def test_each_provider_says_its_state(
    infrascan: Command, k8s: Callable[..., ApiServer], aws: Callable[..., Proxy], nobody: str
):
    none = infrascan("providers", "--json")
    assert (none.code, none.err) == (CLEAN, "")
    assert {(i["provider"], i["state"]) for i in none.json} == {
        (name, "not configured") for name in PROVIDERS
    }
    assert all(identity["remedy"] for identity in none.json)
    k8s()
    aws()
    both = infrascan("providers", "--json")
    assert both.code == CLEAN
    assert {(i["provider"], i["state"], i["account"]) for i in set_up(both)} == {
        ("aws", "connected", "123456789012"),
        ("k8s", "connected", "lab"),
    }
    with_kubeconfig(infrascan, KUBECONFIG.format(server=nobody))
    one = infrascan("providers", "--json")
    assert one.code == COVERAGE
    assert {(i["provider"], i["state"]) for i in set_up(one)} == {
        ("aws", "connected"),
        ("k8s", "error"),
    }
    table = infrascan("providers")
    assert table.code == COVERAGE
    assert "arn:aws:" in table.out
    assert nobody.removeprefix("http://") in "".join(table.out.split())


def test_the_least_privilege_is_a_policy_and_a_role(infrascan: Command):
    policy = infrascan("permissions", "aws").json
    actions = {a for statement in policy["Statement"] for a in statement["Action"]}
    assert "ec2:DescribeVolumes" in actions
    assert not any(action.endswith("*") for action in actions)
    role = infrascan("permissions", "k8s").json
    assert role["kind"] == "ClusterRole"
    assert {verb for rule in role["rules"] for verb in rule["verbs"]} <= {"get", "list"}


def test_the_profiles_of_the_home_are_listed_one_is_picked_and_the_files_stay_as_they_are(
    infrascan: Command, aws: Callable[..., Proxy]
):
    aws()
    folder = infrascan.folder / "home" / ".aws"
    folder.mkdir()
    environment(folder, infrascan.environment["AWS_ENDPOINT_URL"], default="eu-west-1", audit="us-east-1")  # fmt: skip
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        del infrascan.environment[name]
    for path in folder.iterdir():
        path.chmod(0o400)
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()}

    (both,) = set_up(infrascan("providers", "--json"))
    assert both["source"] == "profile default (~/.aws/credentials)"
    assert both["detail"] == "not read: profile audit; name one with --profile"
    assert "profile audit" in infrascan("providers").out
    (picked,) = set_up(infrascan("providers", "--json", "--profile", "audit"))
    assert (picked["source"], picked["detail"]) == ("profile audit (~/.aws/credentials)", "")

    assert {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in folder.iterdir()} == before
    keys = b"AKIAIOSFODNN7EXAMPLE"
    held = [path for path in infrascan.folder.rglob("*") if path.is_file() and keys in path.read_bytes()]  # fmt: skip
    assert {path.parent for path in held} <= {folder, infrascan.folder}  # what the test wrote
