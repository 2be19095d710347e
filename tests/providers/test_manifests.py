"""What there is to apply lets infrascan read, and do nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import trio
import yaml

from infrascan.cli import main
from infrascan.collect.engine import Silent
from infrascan.collect.provider import Call, Selection
from infrascan.model import Kind, ReadError
from infrascan.pipeline import DEMO, Request, all_kinds, look, now
from infrascan.providers import load
from infrascan.providers.aws import TABLES
from infrascan.providers.aws.tables import Batch, permission
from infrascan.providers.manifests import COST, TOOL_KINDS, reads
from infrascan.shipped import shipped

WRITE_VERBS = {
    *("create", "update", "patch", "delete", "deletecollection", "bind", "escalate"),
    *("impersonate", "approve", "sign", "use", "*", "proxy", "connect"),
}
WRITES = re.compile(
    r"(?i)(?:^|[.:/_])(?:create|put|delete|update|patch|attach|detach|add|remove|set|start|stop|run|"
    r"terminate|reboot|modify|write|action|actAs|use|invoke|send|publish|assume|tag|untag|restore|"
    r"import|enable|disable|purge|grant|revoke|register|deregister|sign|decrypt|access)(?=[A-Z]|$)"
)
LARGEST = 6144  # characters of a managed policy of AWS, white space not counted


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(["manifests", *words])
    said = capsys.readouterr()
    assert (ended.value.code, said.err) == (0, "")
    return said.out


def documents(capsys: pytest.CaptureFixture[str], *words: str) -> list[Any]:
    """What is printed, the same as YAML and as JSON."""
    found = list(yaml.safe_load_all(printed(capsys, *words)))
    as_json = json.loads(printed(capsys, *words, "--format", "json"))
    assert as_json == (found[0] if len(found) == 1 else {**as_json, "items": found})
    return found


def rules(found: list[Any]) -> Iterator[tuple[str, str, str]]:
    """(group, resource or path, verb) of each permission in roles of Kubernetes."""
    for document in found:
        for rule in document.get("rules", ()):
            for group in rule.get("apiGroups", [""]):
                for name in [*rule.get("resources", ()), *rule.get("nonResourceURLs", ())]:
                    for verb in rule["verbs"]:
                        yield group, name, verb


def test_the_role_for_logs_reads_pods_and_their_logs_and_nothing_else(
    capsys: pytest.CaptureFixture[str],
):
    account, role, binding = documents(capsys, "rbac", "--scope", "logs", "--namespace", "shop")

    assert set(rules([role])) == {
        ("", "pods", "get"),
        ("", "pods", "list"),
        ("", "pods/log", "get"),
    }
    assert (role["kind"], role["metadata"]["namespace"]) == ("Role", "shop")
    assert account["kind"] == "ServiceAccount"
    assert binding["roleRef"] == {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "Role",
        "name": role["metadata"]["name"],
    }
    (subject,) = binding["subjects"]
    assert (subject["name"], subject["namespace"]) == (account["metadata"]["name"], "shop")


@pytest.mark.parametrize("scope", ["all", "scan", "tools", "logs"])
def test_no_role_of_a_cluster_has_a_verb_that_writes(
    capsys: pytest.CaptureFixture[str], scope: str
):
    found = set(rules(documents(capsys, "rbac", "--scope", scope)))

    assert found
    assert {verb for _, _, verb in found} <= {"get", "list"}
    assert not {verb for _, _, verb in found} & WRITE_VERBS
    assert not {name for _, name, _ in found} & {"secrets", "pods/exec", "pods/attach", "*"}


@pytest.mark.parametrize("scope", ["all", "scan", "tools"])
def test_no_action_of_aws_writes_or_gives_data(capsys: pytest.CaptureFixture[str], scope: str):
    (policy,) = documents(capsys, "iam", "--provider", "aws", "--scope", scope)
    (statement,) = policy["Statement"]

    assert len(statement["Action"]) > 10
    assert [action for action in statement["Action"] if not reads(action)] == []
    assert [action for action in statement["Action"] if WRITES.search(action)] == []
    assert len(re.sub(r"\s", "", json.dumps(policy))) <= LARGEST


@pytest.mark.parametrize(
    "action",
    [
        *("s3:PutObject", "ec2:TerminateInstances", "iam:PassRole", "s3:*", "*", "ec2:Describe*"),
        *("sts:AssumeRole", "secretsmanager:GetSecretValue", "s3:GetObject", "apigateway:POST"),
        *("ec2:GetPasswordData", "ecr:GetAuthorizationToken", "ssm:GetParameter"),
    ],
)
def test_what_writes_or_gives_data_is_told_from_what_reads(action: str):
    assert not reads(action)


def test_roles_of_google_and_azure_have_no_action_that_writes(capsys: pytest.CaptureFixture[str]):
    (google,) = documents(capsys, "iam", "--provider", "gcp")
    (azure,) = documents(capsys, "iam", "--provider", "azure")

    # To count calls against a project's quota, Google asks for `use`; it changes nothing.
    names = set(google["includedPermissions"]) - {"serviceusage.services.use"}
    last = {name.rpartition(".")[2] for name in names}
    assert {re.match("[a-z]+", word)[0] for word in last} <= {"get", "list"}  # type: ignore[index]
    assert {name.rpartition("/")[2].lower() for name in azure["Actions"]} == {"read"}
    assert azure["DataActions"] == []


class Recorded(Silent):
    """The calls that were made."""

    def __init__(self) -> None:
        self.apis: set[str] = set()

    def called(self, call: Call, seconds: float, error: ReadError | None) -> None:
        if not call.api.startswith("local."):
            self.apis.add(call.api)


def actions_by_call() -> dict[str, str]:
    """IAM action of each call that a table makes, by its name."""
    found = {"sts.GetCallerIdentity": "sts:GetCallerIdentity"}
    for table in TABLES:
        for each in (table, *table.parents, *table.details):
            service = each.service or table.service
            if each.operation:
                found[f"{service}.{each.operation}"] = permission(
                    service, each.operation, each.permission
                )
            if isinstance(each, Batch) and each.prepare:
                found[f"{service}.{each.prepare}"] = permission(service, each.prepare)
    return found | {
        "ec2.DescribeRegions": "ec2:DescribeRegions",
        "cloudwatch.GetMetricData": "cloudwatch:GetMetricData",
    }


def test_the_policy_for_tools_is_what_they_call_and_no_more(capsys: pytest.CaptureFixture[str]):
    """Spend, instances, alarms and buckets: against the calls that looking them up makes."""
    calls = Recorded()
    acme = Request(replay=shipped("estates") / DEMO, providers=("aws",))
    trio.run(partial(look, acme, TOOL_KINDS, calls))
    (policy,) = documents(capsys, "iam", "--provider", "aws", "--scope", "tools")
    allowed, known = set(policy["Statement"][0]["Action"]), actions_by_call()

    called = {known[api] for api in calls.apis}
    assert called - allowed == set()
    assert allowed - called == set(COST)


def test_the_policy_for_a_scan_covers_each_field_of_each_kind(capsys: pytest.CaptureFixture[str]):
    (policy,) = documents(capsys, "iam", "--scope", "scan")
    allowed = set(policy["Statement"][0]["Action"])

    kinds: dict[str, Kind] = all_kinds(("aws",))
    assert {p for kind in kinds.values() for p in kind.permissions.values()} <= allowed


def test_a_pod_runs_as_the_account_of_its_role_and_is_closed(capsys: pytest.CaptureFixture[str]):
    account, role, _, pod = documents(capsys, "pod", "--scope", "logs", "--namespace", "shop")

    assert (role["kind"], pod["spec"]["serviceAccountName"]) == (
        "Role",
        account["metadata"]["name"],
    )
    (container,) = pod["spec"]["containers"]
    assert container["args"][-1].startswith("127.0.0.1:")
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert pod["spec"]["securityContext"]["runAsNonRoot"]


@pytest.mark.parametrize("name", ["github", "cloudflare", "digitalocean", "hetzner", "docker"])
def test_what_a_token_needs_is_printed_as_permissions_has_it(
    capsys: pytest.CaptureFixture[str], name: str
):
    (found,) = documents(capsys, "token", "--provider", name)
    assert found == json.loads(json.dumps(load(name)(Selection(observed=now())).permissions()))


WRONG = {
    "iam --provider k8s": "k8s has no IAM",
    "iam --provider aws --scope logs": "--scope logs is of k8s",
    "iam --provider gcp --scope tools": "gcp has all and scan",
    "rbac --provider aws": "aws has no RBAC",
    "rbac --namespace A_b": "no name of a namespace",
    "pod --image a;b": "no name of an image",
    "token": "--provider says whose",
    "token --provider aws": "not read with a token",
    "iam --provider moon": "unknown provider",
}


@pytest.mark.parametrize(("words", "said"), WRONG.items())
def test_a_wrong_request_is_one_line(capsys: pytest.CaptureFixture[str], words: str, said: str):
    with pytest.raises(SystemExit) as ended:
        main(["manifests", *words.split()])
    shown = capsys.readouterr()

    assert (ended.value.code, shown.out) == (2, "")
    assert said in shown.err
    assert shown.err.count("\n") == 1
