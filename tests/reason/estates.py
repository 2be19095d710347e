"""Small estates, made by hand and linked by the real tables, for what connects findings."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from datetime import UTC, datetime
from functools import cache
from typing import Any

from infrascan.graph import link
from infrascan.model import Coverage, Finding, Gap, Partition, Path, Resource, State
from infrascan.pipeline import all_kinds
from infrascan.reason.path_rules import PathRules, load
from infrascan.reason.paths import Found, find
from infrascan.shipped import shipped

NOW = datetime(2026, 11, 21, tzinfo=UTC).timestamp()
ACCOUNT = "111122223333"
KINDS = all_kinds()
ISSUER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/0A"
GITHUB = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"


@cache
def rules() -> PathRules:
    return load([shipped("rules") / "paths"], KINDS)


def thing(
    kind: str, id: str, data: dict[str, Any], *, account: str = "", region: str = "", name: str = ""
) -> Resource:
    provider = kind.partition(".")[0]
    place = account or {"aws": ACCOUNT, "k8s": "prod"}.get(provider, "acme")
    return Resource(
        kind=kind,
        id=id,
        name=name or id.rpartition("/")[2],
        provider=provider,
        account=place,
        region=region,
        data=deepcopy(data),
    )


def linked(
    resources: Iterable[Resource], gaps: Iterable[Gap] = (), unread: Iterable[str] = ()
) -> list[Resource]:
    """The resources joined as a scan joins them; every kind was read but those in `unread`."""
    found = list(resources)
    places = {(r.provider, r.account, r.region) for r in found}
    coverage = [
        Coverage(
            partition=Partition(provider=provider, account=account, region=region, kind=kind.name),
            state=State.READ,
            resources=1,
            calls=1,
            failed=0,
        )
        for provider, account, region in sorted(places)
        for kind in KINDS.values()
        if kind.provider == provider and kind.name not in unread
    ]
    link(found, KINDS, list(gaps), coverage)
    return found


def searched(
    resources: Iterable[Resource],
    *,
    gaps: Iterable[Gap] = (),
    unread: Iterable[str] = (),
    findings: Iterable[Finding] = (),
) -> Found:
    return find(rules(), linked(resources, gaps, unread), KINDS, list(findings), NOW)


def path_to(found: Found, target: str) -> Path | None:
    """The longest path that ends at a resource of this name."""
    ways = [p for p in found.paths if p.target.endswith(f"/{target}")]
    return max(ways, key=lambda p: len(p.steps), default=None)


def allow(action: str, resource: str) -> dict[str, Any]:
    return {"Statement": [{"Effect": "Allow", "Action": action, "Resource": resource}]}


def role(name: str, *, trust: str = "", **policies: dict[str, Any]) -> Resource:
    arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
    principal: dict[str, Any] = {"Service": "ec2.amazonaws.com"}
    action = "sts:AssumeRole"
    if trust:
        principal, action = {"Federated": trust}, "sts:AssumeRoleWithWebIdentity"
    return thing(
        "aws.iam.role",
        arn,
        {
            "Arn": arn,
            "RoleName": name,
            "AssumeRolePolicyDocument": {
                "Statement": [{"Effect": "Allow", "Action": action, "Principal": principal}]
            },
            "InstanceProfileList": [{"Arn": f"arn:aws:iam::{ACCOUNT}:instance-profile/{name}"}],
            "RolePolicyList": [
                {"PolicyName": title, "PolicyDocument": document}
                for title, document in policies.items()
            ],
        },
    )


def bucket(name: str, **data: Any) -> Resource:
    return thing("aws.s3.bucket", f"arn:aws:s3:::{name}", {"Name": name, **data}, name=name)


def security_group(name: str, *sources: str) -> Resource:
    return thing(
        "aws.ec2.security_group",
        name,
        {
            "GroupId": name,
            "IpPermissions": [
                {"FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": s} for s in sources]}
            ],
        },
        region="eu-west-1",
    )


def instance(name: str, group: str, profile: str, *, public: bool = True) -> Resource:
    data: dict[str, Any] = {
        "InstanceId": name,
        "State": {"Name": "running"},
        "SecurityGroups": [{"GroupId": group}],
        "IamInstanceProfile": {"Arn": f"arn:aws:iam::{ACCOUNT}:instance-profile/{profile}"},
    }
    if public:
        data["PublicIpAddress"] = "203.0.113.9"
    return thing("aws.ec2.instance", name, data, region="eu-west-1")


def open_machine() -> list[Resource]:
    """The internet → a security group → a machine → its role → a bucket."""
    return [
        security_group("sg-open", "0.0.0.0/0"),
        instance("i-web", "sg-open", "web"),
        role("web", orders=allow("s3:GetObject", "arn:aws:s3:::orders/*")),
        bucket("orders"),
        bucket("unrelated"),
    ]


def five_providers() -> list[Resource]:
    """A name at Cloudflare → a load balancer in AWS → a service and its pods in Kubernetes → their
    role → the bucket of a Terraform state → the database at DigitalOcean whose password is in it."""
    host = "shop-1.eu-west-1.elb.amazonaws.com"
    balancer = f"arn:aws:elasticloadbalancing:eu-west-1:{ACCOUNT}:loadbalancer/net/shop/1"
    meta = {"namespace": "shop"}
    pod = {"serviceAccountName": "web", "containers": [{"name": "web", "image": "web:1"}]}
    return [
        thing("cloudflare.dns.record", "r1", {"type": "CNAME", "name": "shop.acme.example", "content": host, "proxied": True}, name="shop.acme.example CNAME"),
        thing("aws.elbv2.load_balancer", balancer, {"LoadBalancerArn": balancer, "Scheme": "internet-facing", "DNSName": host, "host": host}, region="eu-west-1", name="shop"),
        thing("aws.elbv2.listener", f"{balancer}/l", {"LoadBalancerArn": balancer, "Port": 443}, region="eu-west-1"),
        thing("k8s.service", "shop/web", {"metadata": {**meta, "name": "web"}, "spec": {"type": "LoadBalancer", "selector": {"app": "web"}}, "status": {"loadBalancer": {"ingress": [{"hostname": host}]}}}),
        thing("k8s.deployment", "shop/web", {"metadata": {**meta, "name": "web"}, "spec": {"template": {"metadata": {"labels": {"app": "web"}}, "spec": pod}}, "refs": {"service_account": ["shop/web"]}}),
        thing("k8s.service_account", "shop/web", {"metadata": {**meta, "name": "web", "annotations": {"eks.amazonaws.com/role-arn": f"arn:aws:iam::{ACCOUNT}:role/web"}}}),
        role("web", trust=ISSUER, state=allow("s3:*", "*")),
        bucket("acme-state"),
        thing("terraform.state", "prod", {"backend": {"type": "s3", "bucket": "acme-state"}}, account="prod"),
        thing("terraform.resource", "db", {"address": "digitalocean_database_cluster.orders", "live_key": "digitalocean.database_cluster orders-db", "secrets": [{"path": "password", "class": "password"}]}, account="prod"),
        thing("digitalocean.database_cluster", "orders-db", {"id": "orders-db", "name": "orders", "trusted_sources": [{"type": "ip_addr", "value": "192.0.2.7"}]}),
    ]  # fmt: skip
