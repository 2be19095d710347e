"""Steps that the search takes besides those of the first estates: roles that take on roles, APIs,
networks that admit, images that are replaced, nodes that are broken into, roles on Azure."""

from __future__ import annotations

from typing import Any

import pytest

from infrascan.model import Gap, Path, Reason, Resource, Severity
from infrascan.reason.trust import admitted

from .estates import (
    ACCOUNT,
    allow,
    bucket,
    instance,
    open_machine,
    path_to,
    role,
    searched,
    security_group,
    thing,
)

OTHER = "444455556666"
ORDERS = "arn:aws:s3:::orders"
BALANCER = f"arn:aws:elasticloadbalancing:eu-west-1:{ACCOUNT}:loadbalancer/app/shop/1"


def moves(path: Path | None) -> list[str]:
    return [step.relation for step in path.steps] if path else []


def denied(provider: str, permission: str) -> Gap:
    return Gap(provider=provider, reason=Reason.DENIED, detail="no", permission=permission)


# --- a role that takes on a role


def trusting(name: str, principal: str, *, account: str = ACCOUNT, **condition: Any) -> Resource:
    """A role that reads everything in S3, and whom it lets take it on."""
    found = role(name, data=allow("s3:GetObject", "*"))
    arn = f"arn:aws:iam::{account}:role/{name}"
    row: dict[str, Any] = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": principal}}  # fmt: skip
    if condition:
        row["Condition"] = condition
    trust = {"Statement": [row]}
    return thing("aws.iam.role", arn, {**found.data, "Arn": arn, "AssumeRolePolicyDocument": trust}, account=account)  # fmt: skip


WEB = f"arn:aws:iam::{ACCOUNT}:role/web"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
MAY = allow("sts:AssumeRole", "*")
NEVER = {"Statement": {"Effect": "Deny", "Action": "sts:*", "Resource": "*"}}


@pytest.mark.parametrize(
    ("principal", "condition", "own", "account", "reaches"),
    [
        (WEB, {}, {}, ACCOUNT, True),  # named itself: no policy of its own is needed
        (WEB, {}, {"never": NEVER}, ACCOUNT, False),
        (ROOT, {}, {"may": MAY}, ACCOUNT, True),
        (ACCOUNT, {}, {"may": MAY}, ACCOUNT, True),
        (ROOT, {}, {}, ACCOUNT, False),  # left to the account's policies, which say nothing
        (ROOT, {}, {"may": allow("sts:AssumeRole", f"{ROOT[:-4]}role/other")}, ACCOUNT, False),
        (f"arn:aws:iam::{OTHER}:root", {}, {"may": MAY}, ACCOUNT, False),
        (WEB, {}, {"may": MAY}, OTHER, True),  # across accounts, both sides have to allow it
        (WEB, {}, {}, OTHER, False),
        (ROOT, {}, {"may": MAY}, OTHER, True),
        (ROOT, {"StringEquals": {"sts:ExternalId": "x"}}, {"may": MAY}, OTHER, True),
        (ROOT, {"ArnLike": {"aws:PrincipalArn": f"{ROOT[:-4]}role/w*"}}, {"may": MAY}, ACCOUNT, True),
        (ROOT, {"ArnLike": {"aws:PrincipalArn": f"{ROOT[:-4]}role/x*"}}, {"may": MAY}, ACCOUNT, False),
        (ROOT, {"Bool": {"aws:MultiFactorAuthPresent": "true"}}, {"may": MAY}, ACCOUNT, False),
    ],
)  # fmt: skip
def test_a_role_takes_on_a_role_where_both_sides_allow_it(
    principal: str, condition: dict[str, Any], own: dict[str, Any], account: str, reaches: bool
) -> None:
    resources = open_machine()
    resources[2] = role("web", **own)
    resources[3] = thing("aws.s3.bucket", ORDERS, {"Name": "orders"}, account=account, name="orders")  # fmt: skip
    resources.append(trusting("reader", principal, account=account, **condition))
    path = path_to(searched(resources), ORDERS)

    assert (path is not None) is reaches
    if path:
        assert moves(path)[-2:] == ["aws-role-role", "aws-role-bucket"]
        assert any(e.path == "AssumeRolePolicyDocument.Statement[0]" for e in path.steps[-2].evidence)  # fmt: skip
        holder = "web" if own else "reader"  # whoever has a policy to mend
        assert path.steps[-2].fix and path.steps[-2].fix.resource.endswith(f"role/{holder}")


def test_a_boundary_keeps_a_role_from_being_taken_on() -> None:
    resources = open_machine()
    limit = f"arn:aws:iam::{ACCOUNT}:policy/limit"
    resources[2] = role("web")
    resources[2].data["PermissionsBoundary"] = {"PermissionsBoundaryArn": limit}
    resources += [
        trusting("reader", WEB),
        thing("aws.iam.policy", limit, {"Arn": limit, "PolicyVersionList": [{"IsDefaultVersion": True, "Document": allow("s3:*", "*")}]}),
    ]  # fmt: skip
    assert path_to(searched(resources), ORDERS) is None


def test_roles_that_trust_one_another_end_and_a_deny_in_the_trust_counts() -> None:
    resources = open_machine()
    resources[2] = trusting("web", f"arn:aws:iam::{ACCOUNT}:role/reader")
    resources[2].data["InstanceProfileList"] = [{"Arn": f"arn:aws:iam::{ACCOUNT}:instance-profile/web"}]  # fmt: skip
    resources.append(trusting("reader", WEB))
    for path in searched(resources).paths:
        assert len({step.target for step in path.steps}) == len(path.steps)
    rows = [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": ROOT}},
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": WEB}},
    ]
    assert admitted(rows, WEB, "sts:AssumeRole") == (1, True)
    rows.append({"Effect": "Deny", "Action": "*", "Principal": {"AWS": WEB}})
    assert admitted(rows, WEB, "sts:AssumeRole") is None


def test_where_every_role_takes_on_every_other_no_path_goes_round() -> None:
    """An account whose roles all trust the account: a path by each bucket, and not by each order
    of roles."""
    count = 25
    resources = [security_group("sg-open", "0.0.0.0/0"), instance("i-web", "sg-open", "r0")]
    for n in range(count):
        each = role(f"r{n}", may=MAY, own=allow("s3:GetObject", f"arn:aws:s3:::b{n}/*"))
        row = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": ROOT}}
        each.data["AssumeRolePolicyDocument"] = {"Statement": [row]}
        resources += [each, bucket(f"b{n}")]
    found = searched(resources)

    assert len(found.paths) == count
    assert max(len(path.steps) for path in found.paths) == 5
    assert found.notes == searched(open_machine()).notes


def test_a_trust_policy_that_was_not_read_is_noted() -> None:
    resources = open_machine()
    resources[2] = role("web", may=MAY)
    other = trusting("reader", WEB)
    del other.data["AssumeRolePolicyDocument"]
    other.unread["AssumeRolePolicyDocument"] = denied("aws", "iam:GetRole")
    found = searched([*resources, other])

    assert any("AssumeRolePolicyDocument" in note and "iam:GetRole" in note for note in found.notes)


# --- functions behind APIs and load balancers


def function(source: str = "") -> list[Resource]:
    arn = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:orders"
    row = {"Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"}, "Action": "lambda:InvokeFunction", "Condition": {"ArnLike": {"AWS:SourceArn": source}}}  # fmt: skip
    data: dict[str, Any] = {"FunctionArn": arn, "Role": WEB, "policy": {"Statement": [row]} if source else None}  # fmt: skip
    return [
        thing("aws.lambda.function", arn, data, region="eu-west-1", name="orders"),
        role("web", own=allow("s3:GetObject", "*")),
        bucket("orders"),
    ]


HTTP = {"ApiId": "a1b2", "Name": "orders", "ProtocolType": "HTTP", "routes": [{"RouteKey": "POST /", "AuthorizationType": "NONE"}]}  # fmt: skip
REST = {"id": "a1b2", "name": "orders", "endpointConfiguration": {"types": ["REGIONAL"]}, "resources": [{"resourceMethods": {"POST": {"httpMethod": "POST", "authorizationType": "NONE"}}}]}  # fmt: skip
API = f"arn:aws:execute-api:eu-west-1:{ACCOUNT}:a1b2/*/POST/"


@pytest.mark.parametrize(
    ("kind", "id", "data", "stage"),
    [
        ("aws.apigatewayv2.api", "arn:aws:apigateway:eu-west-1::/apis/a1b2", HTTP, {"ApiId": "a1b2", "StageName": "prod"}),
        ("aws.apigateway.rest_api", "arn:aws:apigateway:eu-west-1::/restapis/a1b2", REST, {"rest_api_arn": "arn:aws:apigateway:eu-west-1::/restapis/a1b2"}),
    ],
)  # fmt: skip
def test_an_api_without_sign_in_leads_over_its_function_to_data(
    kind: str, id: str, data: dict[str, Any], stage: dict[str, Any]
) -> None:
    api = thing(kind, id, data, region="eu-west-1", name="orders")
    of = thing(f"{kind.rpartition('.')[0]}.stage", f"{id}/stages/prod", stage, region="eu-west-1")
    path = path_to(searched([api, of, *function(API)]), ORDERS)

    assert moves(path)[1:] == ["functions", "role", "aws-role-bucket"]
    elsewhere = function(API.replace("a1b2", "other"))
    assert path_to(searched([api, of, *elsewhere]), ORDERS) is None
    assert path_to(searched([api, *function(API)]), ORDERS) is None, "it is not deployed"


def test_a_load_balancer_leads_to_the_function_behind_it() -> None:
    arn = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:orders"
    found = searched(
        [
            thing("aws.elbv2.load_balancer", BALANCER, {"Scheme": "internet-facing", "DNSName": "b.example"}, region="eu-west-1"),
            thing("aws.elbv2.listener", "l", {"LoadBalancerArn": BALANCER}, region="eu-west-1"),
            thing("aws.elbv2.target_group", "t", {"LoadBalancerArns": [BALANCER], "target_health": [{"Target": {"Id": arn}}]}, region="eu-west-1"),
            *function(),
        ]
    )  # fmt: skip
    assert moves(path_to(found, ORDERS))[1] == "target_groups.functions"


# --- databases that admit by their network


def inside(row: dict[str, Any] | None, *, vpc: str = "vpc-1", port: int = 5432) -> list[Resource]:
    """An open machine, and a database behind a security group with one row."""
    web = security_group("sg-open", "0.0.0.0/0")
    machine = instance("i-web", "sg-open", "none")
    machine.data["PrivateIpAddress"] = "10.0.3.7"
    guard = security_group("sg-db")
    web.data["VpcId"], guard.data["VpcId"] = "vpc-1", vpc
    guard.data["IpPermissions"] = [{"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, **row}] if row else []  # fmt: skip
    database = {"DBInstanceIdentifier": "orders", "Endpoint": {"Port": port}, "VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-db"}]}  # fmt: skip
    return [web, machine, guard, thing("aws.rds.db_instance", "db-1", database, region="eu-west-1")]


BY_GROUP: dict[str, Any] = {"UserIdGroupPairs": [{"GroupId": "sg-open"}]}


@pytest.mark.parametrize(
    ("row", "place", "reaches"),
    [
        (BY_GROUP, {}, True),
        ({"IpRanges": [{"CidrIp": "10.0.0.0/16"}]}, {}, True),
        ({**BY_GROUP, "IpProtocol": "-1", "FromPort": None, "ToPort": None}, {}, True),
        ({"IpRanges": [{"CidrIp": "10.1.0.0/16"}]}, {}, False),
        ({"UserIdGroupPairs": [{"GroupId": "sg-app"}]}, {}, False),
        (BY_GROUP, {"port": 3306}, False),
        (BY_GROUP, {"vpc": "vpc-2"}, False),
        ({**BY_GROUP, "IpProtocol": "udp"}, {}, False),
        (None, {}, False),
    ],
)
def test_a_database_is_reached_from_where_its_security_group_admits(
    row: dict[str, Any] | None, place: dict[str, Any], reaches: bool
) -> None:
    path = path_to(searched(inside(row, **place)), "db-1")

    assert (path is not None) is reaches
    if path:
        facts = {(e.resource.rpartition("/")[2], e.path) for e in path.steps[-1].evidence}
        assert ("db-1", "Endpoint.Port") in facts
        assert any(who == "sg-db" and where.startswith("IpPermissions[0].") for who, where in facts)
        assert path.severity is Severity.MEDIUM, "a flaw and a login are still needed"


def test_a_function_is_admitted_where_the_whole_network_is() -> None:
    for cidr, reaches in (("10.0.0.0/8", True), ("10.0.3.0/24", False)):
        guard = inside({"IpRanges": [{"CidrIp": cidr}]})
        own = function()
        own[0].data |= {"VpcConfig": {"SecurityGroupIds": ["sg-open"]}, "url_configs": [{"AuthType": "NONE"}], "policy": {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunctionUrl", "Condition": {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}}}]}}  # fmt: skip
        vpc = thing("aws.ec2.vpc", "vpc-1", {"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16"}, region="eu-west-1")  # fmt: skip
        resources = [guard[0], guard[2], guard[3], vpc, *own]
        assert (path_to(searched(resources), "db-1") is not None) is reaches


def test_security_groups_that_were_not_read_are_noted() -> None:
    resources = [r for r in inside(BY_GROUP) if r.kind != "aws.ec2.security_group"]
    own = function()
    own[0].data["url_configs"] = [{"AuthType": "NONE"}]
    own[0].data["policy"] = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunctionUrl"}]}  # fmt: skip
    own[0].data["VpcConfig"] = {"SecurityGroupIds": ["sg-open"]}
    gap = Gap(provider="aws", account=ACCOUNT, kind="aws.ec2.security_group", call="ec2.DescribeSecurityGroups", reason=Reason.DENIED, detail="no", permission="ec2:DescribeSecurityGroups")  # fmt: skip
    found = searched([*resources, *own], gaps=[gap], unread=["aws.ec2.security_group"])

    assert any("security_groups" in n and "ec2:DescribeSecurityGroups" in n for n in found.notes)


# --- Kubernetes: images, nodes, secrets, load balancers of other vendors


def shop(image: str = "web:1", **pod: Any) -> list[Resource]:
    """A deployment with one pod on a node, which is a machine with a role."""
    meta = {"namespace": "shop"}
    labels = {"app": "web"}
    spec = {"containers": [{"name": "web", "image": image, **pod}], "nodeName": "n-1"}
    return [
        thing("k8s.deployment", "shop/web", {"metadata": {**meta, "name": "web"}, "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}}}, "pod_spec": spec, "refs": {"secrets": ["shop/db"], "service_account": ["shop/web"]}}),
        thing("k8s.pod", "shop/web-1", {"metadata": {**meta, "name": "web-1", "labels": labels}, "spec": spec, "refs": {"replica_set": ["shop/web-r"]}}),
        thing("k8s.node", "n-1", {"metadata": {"name": "n-1"}, "refs": {"instance": ["i-node"]}}, name="n-1"),
        instance("i-node", "sg-none", "node", public=False),
        role("node", own=allow("s3:GetObject", "*")),
        bucket("orders"),
    ]  # fmt: skip


def served(ip: str = "203.0.113.9") -> Resource:
    return thing("k8s.service", "shop/web", {"metadata": {"namespace": "shop", "name": "web"}, "spec": {"type": "LoadBalancer", "selector": {"app": "web"}}, "status": {"loadBalancer": {"ingress": [{"ip": ip}]}}})  # fmt: skip


def test_from_a_privileged_pod_one_becomes_the_machine_beneath_it() -> None:
    privileged = shop(securityContext={"privileged": True})
    path = path_to(searched([served(), *privileged]), ORDERS)

    assert moves(path)[2:] == ["pods.node", "instance", "role", "aws-role-bucket"]
    assert path_to(searched([served(), *shop()]), ORDERS) is None


@pytest.mark.parametrize("port", [5432, 3306])
def test_a_pod_connects_to_what_admits_the_machine_beneath_it(port: int) -> None:
    guard, machine, *database = inside(BY_GROUP, port=port)
    node = [r for r in shop() if r.kind != "aws.ec2.instance"]
    machine.id = "i-node"
    machine.data |= {"InstanceId": "i-node", "PublicIpAddress": None}
    guard.data["IpPermissions"] = []
    path = path_to(searched([served(), *node, machine, guard, *database]), "db-1")

    assert (path is not None) is (port == 5432)
    if path:
        assert moves(path)[-1] == "k8s-workload-database"
        assert {e.resource.partition("/")[0] for e in path.steps[-1].evidence} >= {"k8s.pod", "aws.ec2.security_group", "aws.rds.db_instance"}  # fmt: skip


def test_a_pod_holds_the_secrets_it_mounts() -> None:
    secret = thing("k8s.secret", "shop/db", {"metadata": {"namespace": "shop", "name": "db"}})
    path = path_to(searched([served(), *shop(), secret]), "shop/db")

    assert moves(path)[-1] == "secrets"
    unread = searched([served(), *shop()], unread=["k8s.secret"])
    assert any("k8s.deployment leads by secrets" in note for note in unread.notes)


@pytest.mark.parametrize("mutable", ["MUTABLE", "IMMUTABLE"])
def test_who_may_push_an_image_is_in_the_pods_that_run_it(mutable: str) -> None:
    uri = f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/web"
    arn = f"arn:aws:ecr:eu-west-1:{ACCOUNT}:repository/web"
    secret = thing("k8s.secret", "shop/db", {"metadata": {"namespace": "shop", "name": "db"}})
    found = searched(
        [
            *open_machine()[:2],
            role("web", push=allow("ecr:PutImage", arn)),
            thing("aws.ecr.repository", arn, {"repositoryName": "web", "repositoryUri": uri, "repositoryArn": arn, "imageTagMutability": mutable}, region="eu-west-1"),
            secret,
            *shop(f"{uri}:1"),
        ]
    )  # fmt: skip
    path = path_to(found, "shop/db")

    assert (path is not None) is (mutable == "MUTABLE")
    if path:
        assert moves(path)[-2:] == ["aws-role-workload-image", "secrets"]
        assert any(e.path.startswith("spec.containers") for e in path.steps[-2].evidence)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("hetzner.load_balancer", {"public_net": {"enabled": True, "ipv4": {"ip": "203.0.113.9"}}, "services": [{"listen_port": 443}]}),
        ("digitalocean.load_balancer", {"ip": "203.0.113.9", "forwarding_rules": [{"entry_port": 443}]}),
    ],
)  # fmt: skip
def test_a_load_balancer_of_another_vendor_is_a_way_in_without_a_name(
    kind: str, data: dict[str, Any]
) -> None:
    privileged = shop(securityContext={"privileged": True})
    path = path_to(searched([thing(kind, "lb-1", data), served(), *privileged]), ORDERS)

    assert path is not None
    assert [step.target.partition("/")[0] for step in path.steps][:2] == [kind, "k8s.service"]


# --- Azure and Google Cloud

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000001"
STORE = f"{SUBSCRIPTION}/resourceGroups/shop/providers/Microsoft.Storage/storageAccounts/orders"
APP = {"identity": {"principalId": "p-1"}, "properties": {"state": "Running", "defaultHostName": "a.azurewebsites.net"}}  # fmt: skip


def assigned(role_name: str, scope: str, principal: str = "p-1") -> list[Resource]:
    definition = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{role_name}"
    return [
        thing("azure.authorization.role_assignment", f"{scope}/{role_name}", {"properties": {"principalId": principal, "scope": scope, "roleDefinitionId": definition}}),
        thing("azure.authorization.role_definition", definition, {"role_id": role_name, "properties": {"roleName": role_name}}),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("assignments", "reaches"),
    [
        (assigned("Storage Blob Data Reader", STORE), True),
        (assigned("Storage Blob Data Owner", f"{SUBSCRIPTION}/resourceGroups/shop"), True),
        (assigned("Reader", STORE), False),
        (assigned("Storage Blob Data Owner", STORE, "someone-else"), False),
        # Each by itself: the role that reads blobs is on another group than the one of the store.
        (
            assigned("Reader", STORE)
            + assigned("Storage Blob Data Owner", f"{SUBSCRIPTION}/resourceGroups/other"),
            False,
        ),
    ],
)
def test_a_data_role_opens_what_it_is_assigned_on(
    assignments: list[Resource], reaches: bool
) -> None:
    groups = [thing("azure.resources.resource_group", f"{SUBSCRIPTION}/resourceGroups/{n}", {}) for n in ("shop", "other")]  # fmt: skip
    app = thing("azure.web.site", f"{SUBSCRIPTION}/resourceGroups/shop/providers/Microsoft.Web/sites/a", APP)  # fmt: skip
    store = thing("azure.storage.storage_account", STORE, {"id": STORE})
    found = searched([app, store, *groups, *assignments])

    assert (path_to(found, "orders") is not None) is reaches


def test_what_a_role_on_azure_is_and_was_not_read_leaves_the_path_unsure() -> None:
    assignment, _ = assigned("Storage Blob Data Reader", STORE)
    app = thing("azure.web.site", f"{SUBSCRIPTION}/resourceGroups/shop/providers/Microsoft.Web/sites/a", APP)  # fmt: skip
    gap = Gap(provider="azure", account="acme", kind="azure.authorization.role_definition", reason=Reason.DENIED, detail="no", permission="Microsoft.Authorization/roleDefinitions/read")  # fmt: skip
    store = thing("azure.storage.storage_account", STORE, {"id": STORE})
    found = searched([app, store, assignment], gaps=[gap], unread=[gap.kind])
    path = path_to(found, "orders")

    assert path is not None
    assert "Microsoft.Authorization/roleDefinitions/read" in path.unsure


def test_a_machine_reaches_the_database_in_its_network_on_google_cloud() -> None:
    network = "projects/acme/global/networks/main"
    nic = {"network": network, "accessConfigs": [{"natIP": "203.0.113.9"}]}
    resources = [
        thing("cloudflare.dns.record", "r1", {"type": "A", "name": "lab.acme.example", "content": "203.0.113.9"}),
        thing("gcp.compute.instance", "projects/acme/zones/z/instances/lab", {"status": "RUNNING", "networkInterfaces": [nic]}),
        thing("gcp.compute.network", network, {"name": "main"}),
        thing("gcp.sqladmin.instance", "projects/acme/instances/orders", {"settings": {"ipConfiguration": {"privateNetwork": network}}}),
    ]  # fmt: skip
    assert moves(path_to(searched(resources), "orders"))[-1] == "networks.sql_instances"
    resources[3].data["settings"]["ipConfiguration"]["privateNetwork"] = f"{network}-2"
    assert path_to(searched(resources), "orders") is None
