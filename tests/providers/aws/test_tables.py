"""What must hold of every table: that AWS has what it names, and that its paths exist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from botocore.exceptions import DataNotFoundError, UnknownServiceError
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from infrascan.providers.aws import LISTINGS, TABLES
from infrascan.providers.aws.fields import Tree, answer, tree
from infrascan.providers.aws.kinds import actions, kind, policy
from infrascan.providers.aws.tables import Batch, Detail, Listing, Paging
from infrascan.providers.templates import SLOT

LOADER = Loader()
MODELS: dict[str, ServiceModel] = {}
KINDS = [listing.kind for listing in TABLES]
# What botocore's paginators say less well than the API: a list without a paginator of its own.
UNPAGED_BY_BOTOCORE = {
    "apigateway.GetAuthorizers",
    "apigatewayv2.GetAuthorizers",
    "apigatewayv2.GetApis",
    "apigatewayv2.GetRoutes",
    "apigatewayv2.GetStages",
    "efs.DescribeMountTargets",
    "elbv2.DescribeListeners",
    "lambda.ListFunctionUrlConfigs",
}


def model(service: str) -> ServiceModel:
    if service not in MODELS:
        MODELS[service] = ServiceModel(LOADER.load_service_model(service, "service-2"), service)
    return MODELS[service]


def calls(listing: Listing) -> Iterator[tuple[str, str, Mapping[str, Any], str, Paging]]:
    """(service, operation, params, path of items, paging) of every call of a table."""
    if listing.operation:
        yield listing.service, listing.operation, listing.params, listing.items, listing.paging
    for parent in listing.parents:
        service = parent.service or listing.service
        yield service, parent.operation, parent.params, parent.items, parent.paging
    for detail in listing.details:
        service = detail.service or listing.service
        params = dict(detail.params)
        if isinstance(detail, Batch) and detail.ids:
            params[detail.ids] = [detail.match]
        yield service, detail.operation, params, detail.result, detail.paging


def has(place: Any, path: str) -> bool:
    """Whether a tree has a path."""
    for step in path.split(".") if path else ():
        if place is None:
            return True
        name = step.removesuffix("[]")
        inner = place.get(name, place.get("*", ...))
        if inner is ...:
            return False
        place = inner
        if step.endswith("[]"):
            if place is not None and "[]" not in place:
                return False
            place = None if place is None else place["[]"]
    return True


def slots(template: Any) -> Iterator[str]:
    if isinstance(template, str):
        for text in SLOT.findall(template):
            yield text.partition("!")[0]
    elif isinstance(template, Mapping):
        for value in template.values():
            yield from slots(value)
    elif isinstance(template, list | tuple):
        for value in template:
            yield from slots(value)


def names(listing: Listing) -> set[str]:
    given = {name for parent in listing.parents for name in parent.gives}
    return {"account", "region", "partition", "now", "day_ago", *given}


@pytest.mark.parametrize("name", KINDS)
def test_every_call_is_one_that_aws_has_with_parameters_it_takes(name: str) -> None:
    for service, operation, params, path, _ in calls(LISTINGS[name]):
        shape = model(service).operation_model(operation)
        answer(service, operation, path)  # raises KeyError for a path that is not there
        if params:
            example = filled(params)
            report = ParamValidator().validate(example, shape.input_shape)
            assert not report.has_errors(), report.generate_report()


def filled(template: Any) -> Any:
    if isinstance(template, str) and template in {"{now}", "{day_ago}"}:
        return "2026-11-20T06:00:00Z"
    if isinstance(template, str):
        return SLOT.sub("example-of-a-long-name", template)
    if isinstance(template, Mapping):
        return {key: filled(value) for key, value in template.items()}
    if isinstance(template, list | tuple):
        return [filled(value) for value in template]
    return template


@pytest.mark.parametrize("name", KINDS)
def test_pages_are_turned_as_botocore_turns_them(name: str) -> None:
    for service, operation, _, _, paging in calls(LISTINGS[name]):
        try:
            known = LOADER.load_service_model(service, "paginators-1")["pagination"]
        except (DataNotFoundError, UnknownServiceError):
            known = {}
        entry = known.get(operation)
        if entry is None:
            has_token = bool(paging)
            listed = f"{service}.{operation}" in UNPAGED_BY_BOTOCORE
            assert has_token == listed or not has_token, f"{service}.{operation}"
            continue
        taken, given = entry["input_token"], entry["output_token"]
        pairs = tuple(
            zip(
                [taken] if isinstance(taken, str) else taken,
                [given] if isinstance(given, str) else given,
                strict=True,
            )
        )
        assert paging == pairs, f"{service}.{operation}"


@pytest.mark.parametrize("name", KINDS)
def test_templates_name_what_there_is(name: str) -> None:
    listing = LISTINGS[name]
    paths = tree(listing)
    known = names(listing)
    parts = [
        listing.id,
        listing.params,
        listing.region,
        listing.newest,
        listing.name,
        dict(listing.adds),
    ]
    for detail in listing.details:
        parts += [detail.params, detail.match if isinstance(detail, Batch) else detail.region]
    parts += [metric.dimensions for metric in listing.metrics]
    for text in slots(parts):
        alternatives = [path for path in text.split("|") if path]
        assert any(path in known or has(paths, path) for path in alternatives), text
    for path in listing.name:
        assert "{" in path or has(paths, path), path
    for path in (listing.tags, *listing.documents):
        assert has(paths, path), path


@pytest.mark.parametrize("name", KINDS)
def test_whens_needs_and_batches_name_what_there_is(name: str) -> None:
    listing = LISTINGS[name]
    for detail in listing.details:
        service = detail.service or listing.service
        if isinstance(detail, Batch):
            if not detail.csv:
                element = answer(service, detail.operation, detail.result)
                assert has(element, detail.by.partition(".{")[0]), detail.by
                assert has(element, detail.value), detail.value
        else:
            assert has(tree(listing), detail.when.partition("=")[0]), detail.when
            assert has(answer(service, detail.operation, ""), detail.needs), detail.needs
            assert not detail.optional or not detail.needs


@pytest.mark.parametrize("name", KINDS)
def test_relations_lead_from_paths_there_are_to_paths_there_are(name: str) -> None:
    listing = LISTINGS[name]
    own = tree(listing)
    taken = set(own)
    for relation in listing.relations:
        assert has(own, relation.path), relation
        assert relation.to in LISTINGS, relation
        if relation.by not in {"id", "name"}:
            assert has(tree(LISTINGS[relation.to]), relation.by), relation
        assert relation.name not in taken, f"{relation.name} is also a field"
        taken.add(relation.name)


def test_names_seen_from_the_target_are_not_taken_twice_or_by_fields() -> None:
    seen: dict[tuple[str, str], str] = {}
    for listing in TABLES:
        for relation in listing.relations:
            if not relation.reverse:
                continue
            key = (relation.to, relation.reverse)
            assert relation.reverse not in tree(LISTINGS[relation.to]), key
            forward = {other.name for other in LISTINGS[relation.to].relations}
            assert relation.reverse not in forward, key
            # Two relations from one kind may share a name; from two kinds they may not.
            assert seen.setdefault(key, listing.kind) == listing.kind, key


def test_kinds_are_named_after_their_service_and_are_unique() -> None:
    assert len(KINDS) == len(set(KINDS))
    assert len(KINDS) >= 54
    assert all(name.startswith("aws.") for name in KINDS)


def test_a_field_tree_is_made_when_it_is_looked_into() -> None:
    fields = kind(LISTINGS["aws.s3.bucket"]).fields
    assert isinstance(fields, Tree)
    assert fields["policy"] is None  # no schema describes a policy
    assert (
        "SSEAlgorithm"
        in (fields["encryption"]["Rules"]["[]"]["ApplyServerSideEncryptionByDefault"])
    )
    assert fields["tags"] == {"*": {}}
    assert "ShieldTier" not in fields


@pytest.mark.parametrize(
    ("name", "field", "action"),
    [
        ("aws.s3.bucket", "", "s3:ListAllMyBuckets"),
        ("aws.s3.bucket", "acl", "s3:GetBucketAcl"),
        ("aws.s3.bucket", "encryption", "s3:GetEncryptionConfiguration"),
        ("aws.s3.bucket", "lifecycle", "s3:GetLifecycleConfiguration"),
        ("aws.s3.bucket", "replication", "s3:GetReplicationConfiguration"),
        ("aws.s3.bucket", "object_lock", "s3:GetBucketObjectLockConfiguration"),
        ("aws.s3.bucket", "public_access_block", "s3:GetBucketPublicAccessBlock"),
        ("aws.account", "public_access_block", "s3:GetAccountPublicAccessBlock"),
        ("aws.account", "root", "iam:GetCredentialReport"),
        ("aws.elbv2.load_balancer", "", "elasticloadbalancing:DescribeLoadBalancers"),
        ("aws.efs.file_system", "policy", "elasticfilesystem:DescribeFileSystemPolicy"),
        ("aws.apigatewayv2.stage", "", "apigateway:GET"),
        ("aws.ec2.instance", "metrics", "cloudwatch:GetMetricData"),
    ],
)
def test_the_permission_behind_a_field_is_the_one_iam_knows(
    name: str, field: str, action: str
) -> None:
    assert kind(LISTINGS[name]).permissions[field] == action


def test_the_policy_grants_reading_and_nothing_else() -> None:
    document = policy(TABLES)
    (statement,) = document["Statement"]
    assert statement["Action"] == actions(TABLES)
    assert "iam:GenerateCredentialReport" in statement["Action"]
    reads = ("BatchGet", "Describe", "Get", "List", "Lookup", "GET", "GenerateCredentialReport")
    for action in statement["Action"]:
        assert action.partition(":")[2].startswith(reads), action
    secret = {"secretsmanager:GetSecretValue", "s3:GetObject", "lambda:GetFunction", "kms:Decrypt"}
    assert not secret & set(statement["Action"])


def test_nothing_that_reads_user_data_or_code_is_called() -> None:
    operations = {operation for listing in TABLES for _, operation, *_ in calls(listing)}
    assert not operations & {"DescribeInstanceAttribute", "GetFunction", "GetSecretValue"}


def test_details_that_are_merged_come_from_a_call_of_their_own() -> None:
    for listing in TABLES:
        merged = [detail for detail in listing.details if not detail.field]
        assert len(merged) <= 1
        assert all(isinstance(detail, Detail | Batch) for detail in merged)
