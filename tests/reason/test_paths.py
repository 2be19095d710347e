"""Paths exist with evidence for every step, go when a step goes, and say what was not read."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path as File
from typing import Any

import pytest

from infrascan.evaluate.document import RuleErrors
from infrascan.evaluate.mutate import mutants
from infrascan.model import Gap, Path, Reason, Resource, Severity
from infrascan.reason.path_proof import conditions, lint, prove, staged, verdict
from infrascan.reason.path_rules import Example, load
from infrascan.reason.paths import DEPTH, KEPT, find
from infrascan.shipped import shipped

from .estates import (
    ACCOUNT,
    GITHUB,
    KINDS,
    NOW,
    allow,
    bucket,
    five_providers,
    instance,
    linked,
    open_machine,
    path_to,
    role,
    rules,
    searched,
    security_group,
    thing,
)


def targets(path: Path | None) -> list[str]:
    return [step.target.rpartition("/")[2] for step in path.steps] if path else []


def providers(path: Path) -> set[str]:
    return {e.resource.partition(".")[0] for step in path.steps for e in step.evidence}


def test_a_stranger_gets_over_an_open_machine_and_its_role_to_a_bucket() -> None:
    found = searched(open_machine())
    path = path_to(found, "arn:aws:s3:::orders")

    assert path is not None
    assert targets(path) == ["sg-open", "i-web", "web", "arn:aws:s3:::orders"]
    assert [step.stage for step in path.steps] == ["reach", "reach", "identity", "data"]
    assert path.severity is Severity.HIGH  # a flaw or a password is still needed
    assert path.steps[0].source == "internet"
    assert not path.unsure
    assert path_to(found, "arn:aws:s3:::unrelated") is None


@pytest.mark.parametrize("make", [open_machine, five_providers])
def test_every_step_has_evidence_that_stands_in_the_data(
    make: Callable[[], list[Resource]],
) -> None:
    resources = {r.key: r for r in linked(make())}
    found = searched(make())

    assert found.paths
    for path in found.paths:
        here = "internet"
        for step in path.steps:
            assert step.source == here, "each step begins where the one before it ended"
            here = step.target
            assert step.evidence
            for fact in step.evidence:
                if not fact.path.startswith("count("):
                    assert held(resources[fact.resource], fact.path) == fact.value, fact


def held(resource: Resource, path: str) -> Any:
    """The value at a path of evidence; None where there is none."""
    if path in ("id", "account") and path not in resource.data:
        return getattr(resource, path)
    here: Any = resource.data
    for quoted, name, index in re.findall(r'\["([^"]+)"\]|([^.\[\]]+)|\[(\d+)\]', path):
        if here is not None:
            here = here[int(index)] if index else here.get(quoted or name)
    return here


def test_the_path_over_five_providers_is_found_step_by_step() -> None:
    path = path_to(searched(five_providers()), "orders-db")

    assert path is not None
    assert [step.target.partition("/")[0] for step in path.steps] == [
        "cloudflare.dns.record",
        "aws.elbv2.load_balancer",
        "k8s.service",
        "k8s.deployment",
        "k8s.service_account",
        "aws.iam.role",
        "aws.s3.bucket",
        "digitalocean.database_cluster",
    ]
    assert len(path.steps) == 8
    assert providers(path) == {"cloudflare", "aws", "k8s", "terraform", "digitalocean"}
    assert path.title.startswith("From the internet through DNS record “shop.acme.example CNAME”")


@cache
def whole() -> Path:
    found = path_to(searched(five_providers()), "orders-db")
    assert found
    return found


def without(data: dict[str, Any], path: str) -> None:
    *way, last = path.split(".")
    for step in way:
        data = data[step]
    del data[last]


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("cloudflare.dns.record", "content"),
        ("aws.elbv2.load_balancer", "host"),
        ("aws.elbv2.load_balancer", "Scheme"),
        ("aws.elbv2.listener", "LoadBalancerArn"),
        ("k8s.service", "status.loadBalancer"),
        ("k8s.service", "spec.selector"),
        ("k8s.deployment", "spec.template.metadata.labels"),
        ("k8s.deployment", "refs.service_account"),
        ("k8s.service_account", "metadata.annotations"),
        ("aws.iam.role", "AssumeRolePolicyDocument"),
        ("aws.iam.role", "RolePolicyList"),
        ("aws.s3.bucket", "Name"),
        ("terraform.state", "backend.bucket"),
        ("terraform.state", "backend.type"),
        ("terraform.resource", "live_key"),
        ("terraform.resource", "secrets"),
    ],
)
def test_without_any_edge_of_it_the_path_is_gone(kind: str, path: str) -> None:
    resources = five_providers()
    (changed,) = (r for r in resources if r.kind == kind)
    without(changed.data, path)
    assert whole().id not in {path.id for path in searched(resources).paths}


@pytest.mark.parametrize("kind", sorted({r.kind for r in five_providers()}))
def test_without_any_resource_of_it_the_path_is_gone(kind: str) -> None:
    resources = [r for r in five_providers() if r.kind != kind]
    assert whole().id not in {path.id for path in searched(resources).paths}


def test_a_workflow_open_to_strangers_leads_over_its_role_to_a_bucket() -> None:
    workflow = thing(
        "github.workflow",
        "acme/sdk/.github/workflows/preview.yml",
        {
            "is_private": False,
            "state": "active",
            "repository": "acme/sdk",
            "aws_roles": [f"arn:aws:iam::{ACCOUNT}:role/preview"],
            "workflow": {
                "triggers": ["pull_request_target"],
                "head_checkouts": [{"guarded": False}],
            },
        },
    )
    preview = role("preview", trust=GITHUB, docs=allow("s3:*", "arn:aws:s3:::docs/*"))
    path = path_to(searched([workflow, preview, bucket("docs")]), "arn:aws:s3:::docs")

    assert path is not None
    assert targets(path) == ["preview.yml", "preview", "arn:aws:s3:::docs"]
    assert path.severity is Severity.CRITICAL, "nobody has to approve, nothing has to be broken"
    assert path.steps[0].fix and path.steps[0].fix.rule.startswith("github.workflow.")


def test_a_role_that_trusts_another_issuer_is_not_taken_on() -> None:
    resources = five_providers()
    resources[6] = role("web", trust="arn:aws:iam::1:oidc-provider/gitlab.com", state=allow("s3:*", "*"))  # fmt: skip

    assert path_to(searched(resources), "orders-db") is None


# --- permissions


@pytest.mark.parametrize(
    ("policies", "reaches"),
    [
        ({"own": allow("s3:GetObject", "arn:aws:s3:::orders/*")}, True),
        ({"wide": allow("s3:Get*", "arn:aws:s3:::ord*")}, True),
        ({"other": allow("s3:GetObject", "arn:aws:s3:::invoices/*")}, False),
        ({"listing": allow("s3:ListBucket", "*")}, False),
        (
            {
                "own": allow("s3:GetObject", "*"),
                "never": {"Statement": {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::orders/*"}},
            },
            False,
        ),
    ],
)  # fmt: skip
def test_a_role_reaches_what_its_statements_together_allow(
    policies: dict[str, Any], reaches: bool
) -> None:
    resources = open_machine()
    resources[2] = role("web", **policies)

    assert (path_to(searched(resources), "arn:aws:s3:::orders") is not None) is reaches


def test_a_boundary_takes_back_what_a_policy_allows() -> None:
    resources = open_machine()
    arn = f"arn:aws:iam::{ACCOUNT}:policy/limit"
    resources[2].data["PermissionsBoundary"] = {"PermissionsBoundaryArn": arn}
    limit = thing("aws.iam.policy", arn, {"Arn": arn, "PolicyVersionList": [{"IsDefaultVersion": True, "Document": allow("logs:*", "*")}]})  # fmt: skip

    assert path_to(searched([*resources, limit]), "arn:aws:s3:::orders") is None


def test_a_boundary_that_was_not_read_leaves_the_path_unsure() -> None:
    resources = open_machine()
    arn = f"arn:aws:iam::{ACCOUNT}:policy/limit"
    resources[2].data["PermissionsBoundary"] = {"PermissionsBoundaryArn": arn}
    gap = Gap(provider="aws", account=ACCOUNT, kind="aws.iam.policy", call="iam.ListPolicies", reason=Reason.DENIED, detail="no", permission="iam:ListPolicies")  # fmt: skip
    path = path_to(searched(resources, gaps=[gap]), "arn:aws:s3:::orders")

    assert path is not None
    assert "iam:ListPolicies" in path.unsure
    assert path.severity is Severity.MEDIUM, "one less than were it certain"


def test_a_policy_of_aws_that_is_known_counts_and_one_that_is_not_is_told() -> None:
    resources = open_machine()
    resources[2] = role("web")
    resources[2].data["AttachedManagedPolicies"] = [
        {"PolicyArn": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"},
        {"PolicyArn": "arn:aws:iam::aws:policy/NewThing"},
    ]
    found = searched(resources)

    assert path_to(found, "arn:aws:s3:::orders") is not None
    assert any("NewThing" in note for note in found.notes)


def test_an_administrator_is_a_target_and_all_in_reach_is_its_blast_radius() -> None:
    resources = open_machine()
    resources[2] = role("web", everything=allow("*", "*"))
    found = searched(resources)
    path = path_to(found, "web")

    assert path is not None
    assert path.severity is Severity.CRITICAL
    assert {key.rpartition(":")[2] for key in path.blast} == {"orders", "unrelated"}
    assert path_to(found, "arn:aws:s3:::orders") is None, "one path to the role says it all"


# --- what was not read


def test_a_condition_that_was_not_read_keeps_the_path_and_says_so() -> None:
    resources = open_machine()
    gap = Gap(provider="aws", account=ACCOUNT, kind="aws.s3.bucket", call="s3.GetBucketWebsite", reason=Reason.DENIED, detail="no", permission="s3:GetBucketWebsite", resource=resources[3].key, field="website")  # fmt: skip
    resources[3].unread["website"] = gap
    path = path_to(searched(resources, gaps=[gap]), "arn:aws:s3:::orders")

    assert path is not None
    assert path.unsure == "s3.GetBucketWebsite was not read (denied); grant s3:GetBucketWebsite"
    assert path.severity is Severity.MEDIUM


def test_where_an_edge_was_not_read_a_note_says_that_paths_are_missing() -> None:
    resources = [r for r in open_machine() if r.kind != "aws.iam.role"]
    gap = Gap(provider="aws", account=ACCOUNT, kind="aws.iam.role", call="iam.GetAccountAuthorizationDetails", reason=Reason.DENIED, detail="no", permission="iam:GetAccountAuthorizationDetails")  # fmt: skip
    found = searched(resources, gaps=[gap], unread=["aws.iam.role"])

    assert found.paths == []
    assert any("iam:GetAccountAuthorizationDetails" in note for note in found.notes)


def gcp_program(**policy: Any) -> list[Resource]:
    """A program that anyone may call, its account, and a bucket with a policy or without one."""
    email = "web@acme.iam.gserviceaccount.com"
    called = {"bindings": [{"role": "roles/run.invoker", "members": ["allUsers"]}]}
    return [
        thing("gcp.run.service", "web", {"iam_policy": called, "template": {"serviceAccount": email}, "spec": {"template": {"spec": {"serviceAccountName": email}}}}),
        thing("gcp.iam.service_account", f"projects/acme/serviceAccounts/{email}", {"email": email, "projectId": "acme"}),
        thing("gcp.storage.bucket", "orders", {"name": "orders", **policy}),
    ]  # fmt: skip


def test_a_service_account_reaches_the_bucket_that_binds_it() -> None:
    member = "serviceAccount:web@acme.iam.gserviceaccount.com"
    bound = {"bindings": [{"role": "roles/storage.objectViewer", "members": [member]}]}
    path = path_to(searched(gcp_program(iam_policy=bound)), "orders")

    assert path is not None
    assert [step.stage for step in path.steps] == ["reach", "identity", "data"]
    assert any(e.value == member for e in path.steps[-1].evidence)


def test_a_role_that_does_not_read_or_binds_another_leads_nowhere() -> None:
    for role_name, member in (
        ("roles/storage.objectCreator", "serviceAccount:web@acme.iam.gserviceaccount.com"),
        ("roles/storage.objectViewer", "serviceAccount:other@acme.iam.gserviceaccount.com"),
    ):
        bound = {"bindings": [{"role": role_name, "members": [member]}]}
        assert path_to(searched(gcp_program(iam_policy=bound)), "orders") is None


def test_a_policy_of_bindings_that_was_not_read_is_noted() -> None:
    resources = gcp_program()
    resources[2].unread["iam_policy"] = Gap(provider="gcp", reason=Reason.DENIED, detail="", permission="storage.buckets.getIamPolicy")  # fmt: skip
    found = searched(resources)

    doubtful = path_to(found, "orders")  # anyone may be bound there, or nobody
    assert doubtful is not None
    assert "storage.buckets.getIamPolicy" in doubtful.unsure
    assert len(doubtful.steps) == 1
    assert any("storage.buckets.getIamPolicy" in note for note in found.notes)


def test_a_policy_of_ones_own_that_was_not_read_is_noted() -> None:
    resources = open_machine()
    resources[2] = role("web")
    resources[2].data["AttachedManagedPolicies"] = [{"PolicyArn": f"arn:aws:iam::{ACCOUNT}:policy/app"}]  # fmt: skip
    gap = Gap(provider="aws", account=ACCOUNT, kind="aws.iam.policy", call="iam.X", reason=Reason.DENIED, detail="", permission="iam:ListPolicies")  # fmt: skip
    found = searched(resources, gaps=[gap], unread=["aws.iam.policy"])

    assert any("iam:ListPolicies" in note for note in found.notes)


# --- the search


def test_machines_that_lead_to_the_same_are_told_once_and_counted() -> None:
    resources = [r for r in open_machine() if r.kind != "aws.ec2.instance"]
    balancer = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/b/1"
    names = [f"i-{n:02}" for n in range(20)]
    resources += [instance(name, "sg-inside", "web", public=False) for name in names]
    resources += [
        security_group("sg-inside", "10.0.0.0/8"),
        thing("aws.elbv2.load_balancer", balancer, {"Scheme": "internet-facing", "DNSName": "b.example"}, region="eu-west-1"),
        thing("aws.elbv2.listener", "l", {"LoadBalancerArn": balancer}, region="eu-west-1"),
        thing("aws.elbv2.target_group", "t", {"LoadBalancerArns": [balancer], "target_health": [{"Target": {"Id": name}} for name in names]}, region="eu-west-1"),
    ]  # fmt: skip
    found = searched(resources)

    assert [targets(p) for p in found.paths] == [["1", "i-00", "web", "arn:aws:s3:::orders"]]


def test_no_path_visits_a_resource_twice_and_none_is_too_long() -> None:
    """Security groups that admit one another in a ring, with a machine in each."""
    ring = 12
    resources = [bucket("orders"), role("web", own=allow("s3:GetObject", "*"))]
    for n in range(ring):
        group = security_group(f"sg-{n:02}", "0.0.0.0/0")
        resources += [group, instance(f"i-{n:02}", f"sg-{n:02}", "web")]
    for path in searched(resources).paths:
        assert len(path.steps) <= DEPTH
        keys = [step.target for step in path.steps]
        assert len(keys) == len(set(keys))


def test_more_paths_than_are_told_are_counted() -> None:
    resources = [bucket("orders")]
    for n in range(KEPT + 7):
        resources += [
            security_group(f"sg-{n:03}", "0.0.0.0/0"),
            instance(f"i-{n:03}", f"sg-{n:03}", f"role-{n:03}"),
            role(f"role-{n:03}", own=allow("s3:GetObject", "arn:aws:s3:::orders/*")),
        ]
    found = searched(resources)

    assert len(found.paths) == KEPT
    assert any(note.startswith("7 more paths") for note in found.notes)


def test_the_order_of_resources_does_not_matter() -> None:
    forward = searched(open_machine() + five_providers()).paths
    backward = searched(list(reversed(open_machine() + five_providers()))).paths

    assert [p.id for p in forward] == [p.id for p in backward]
    assert forward == backward


def test_packed_resources_give_the_same_and_stay_packed() -> None:
    plain = searched(open_machine()).paths
    resources = linked(open_machine())
    for resource in resources:
        resource.pack()
    found = find(rules(), resources, KINDS, [], NOW)

    assert found.paths == plain
    assert all(resource.packed for resource in resources)


def test_hostile_names_are_quoted_and_cleaned_in_what_is_said() -> None:
    resources = open_machine()
    resources[1].name = "i\u202e\x1b[31m ignore all rules"
    path = path_to(searched(resources), "arn:aws:s3:::orders")

    assert path is not None
    said = path.title + "".join(step.says for step in path.steps)
    assert "\u202e" not in said
    assert "\x1b" not in said


# --- the files

CONDITIONS = conditions(rules())
EACH = pytest.mark.parametrize(
    ("id", "end"), sorted(CONDITIONS), ids=[f"{i}-{e}" for i, e in sorted(CONDITIONS)]
)


def scenes(id: str, end: str) -> list[tuple[Example, Resource]]:
    _, about = CONDITIONS[id, end]
    own = [e for e in rules().examples if (e.of, e.end) == (id, end)]
    return [(example, staged(example, about, KINDS)) for example in own]


@EACH
def test_the_examples_of_a_condition_come_out_as_they_say(id: str, end: str) -> None:
    condition, _ = CONDITIONS[id, end]
    played = scenes(id, end)

    assert {"flag", "pass"} <= {example.outcome for example, _ in played}
    for example, resource in played:
        assert verdict(condition, resource) == example.outcome, example.source


@EACH
def test_no_part_of_a_condition_can_be_left_out_unnoticed(id: str, end: str) -> None:
    condition, _ = CONDITIONS[id, end]
    played = scenes(id, end)
    survivors = [
        done
        for done, mutant in mutants(condition)
        if all(verdict(mutant, resource) == example.outcome for example, resource in played)
    ]
    assert survivors == []


def test_the_shipped_files_have_examples_of_every_condition_and_of_nothing_else() -> None:
    assert list(lint(rules())) == []
    assert list(prove(rules(), KINDS)) == []


def test_what_is_wrong_with_a_file_is_told_with_its_place(tmp_path: File) -> None:
    (tmp_path / "wrong.yaml").write_text(
        "entries:\n"
        "  - {id: a, kind: aws.ec2.instanc, when: {PublicIpAddress|exists: true}, says: x}\n"
        "  - {id: a, kind: aws.ec2.instance, rules: [aws.ec2.no-such-rule], says: x}\n"
        "steps:\n"
        "  - {id: b, from: aws.ec2.instance, along: rol, to: aws.iam.role, stage: away, says: x}\n"
        "  - {id: c, from: aws.ec2.instance, along: role, to: aws.s3.bucket, stage: data, says: x}\n"
        "  - {id: d, from: aws.ec2.instance, along: role, to: aws.iam.role, when: {Publc: 1}, stage: data, says: x}\n"
    )
    with pytest.raises(RuleErrors) as raised:
        load([tmp_path], KINDS)

    said = str(raised.value)
    for part in (
        "wrong.yaml:2:",
        "did you mean 'aws.ec2.instance'?",
        "id 'a' is also in",
        "there is no rule 'aws.ec2.no-such-rule'",
        "no relation 'rol' leads on from there",
        "stage is one of reach, identity, data",
        "that does not lead to aws.s3.bucket",
        "'Publc'",
    ):
        assert part in said


def test_partial_kinds_leave_out_what_others_say() -> None:
    aws = {n: replace(k, fields=None) for n, k in KINDS.items() if k.provider == "aws"}
    found = load([shipped("rules") / "paths"], aws, partial=True)

    assert found.moves
    assert all(kind in aws for move in found.moves for kind in (*move.sources, *move.targets))
    assert found.examples == []
