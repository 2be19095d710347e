"""Edges between providers start and end at fields that are there, and read names as vendors write them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from infrascan.graph import link
from infrascan.model import Coverage, Kind, Partition, Relation, Resource, State
from infrascan.pipeline import all_kinds
from infrascan.providers.estate import crossing

KINDS = all_kinds()
EDGES = [
    pytest.param(kind, relation, id=f"{kind}-{relation.name}-{relation.to}-{n}")
    for kind, relations in crossing().items()
    for n, relation in enumerate(relations)
]


def leads_somewhere(kind: Kind, path: str) -> bool:
    """Whether the field tree has the path; where the tree ends, anything may follow."""
    if path.startswith("@"):
        return True
    tree: Any = kind.fields
    for step in re.findall(r'\["[^"]+"\]|[^.\[\]]+|\[\]', path):
        if tree is None:
            return True
        step = step.removeprefix('["').removesuffix('"]') if step[:2] == '["' else step
        if step not in tree and "*" not in tree:
            return False
        tree = tree.get(step, tree.get("*"))
    return True


@pytest.mark.parametrize(("kind", "relation"), EDGES)
def test_an_edge_starts_and_ends_at_fields_that_are_there(kind: str, relation: Relation):
    assert leads_somewhere(KINDS[kind], relation.path), relation.path
    assert leads_somewhere(KINDS[relation.to], relation.by), relation.by


def thing(kind: str, id: str, data: dict[str, Any]) -> Resource:
    return Resource(
        kind=kind, id=id, name=id, provider=kind.partition(".")[0], account="a", data=data
    )  # fmt: skip


def read(*kinds: str) -> list[Coverage]:
    return [
        Coverage(
            partition=Partition(provider=kind.partition(".")[0], account="a", region="", kind=kind),
            state=State.READ,
            resources=1,
            calls=1,
            failed=0,
        )
        for kind in kinds
    ]


@pytest.mark.parametrize(
    ("source", "held", "name", "target", "id", "data"),
    [
        ("cloudflare.dns.record", {"content": "logos.s3-website-us-east-1.amazonaws.com"}, "points_to", "aws.s3.bucket", "b", {"Name": "logos"}),
        ("cloudflare.dns.record", {"content": "static.acme.com.s3.eu-west-1.amazonaws.com"}, "points_to", "aws.s3.bucket", "b", {"Name": "static.acme.com"}),
        ("cloudflare.dns.record", {"content": "Shop-77.eu-west-1.elb.amazonaws.com"}, "points_to", "aws.elbv2.load_balancer", "b", {"host": "shop-77.eu-west-1.elb.amazonaws.com"}),
        ("hetzner.rrset", {"records": [{"value": "shop-77.elb.eu-west-1.amazonaws.com."}]}, "points_to", "aws.elbv2.load_balancer", "b", {"host": "shop-77.elb.eu-west-1.amazonaws.com"}),
        ("aws.route53.record_set", {"ResourceRecords": [{"Value": "203.0.113.50"}]}, "points_to", "hetzner.server", "7", {"public_net": {"ipv4": {"ip": "203.0.113.50"}}}),
        ("gcp.dns.resource_record_set", {"rrdatas": ["erp.azurewebsites.net."]}, "points_to", "azure.web.site", "w", {"properties": {"defaultHostName": "erp.azurewebsites.net"}}),
        ("azure.network.dns_record_set", {"properties": {"CNAMERecord": {"cname": "acme.z6.web.core.windows.net"}}}, "points_to", "azure.storage.storage_account", "acme", {}),
        ("cloudflare.dns.record", {"content": "6fd10c4e-1111-4222-8333-abcdefabcdef.cfargotunnel.com"}, "points_to", "cloudflare.tunnel", "6fd10c4e-1111-4222-8333-abcdefabcdef", {}),
        ("k8s.pod", {"spec": {"containers": [{"image": "europe-west1-docker.pkg.dev/acme/apps/web:1"}]}}, "registry", "gcp.artifactregistry.repository", "projects/acme/locations/europe-west1/repositories/apps", {}),
        ("docker.container", {"Config": {"Image": "ghcr.io/acme-shop/storefront:2"}}, "registry", "github.repository", "r", {"full_name": "acme-shop/Storefront"}),
        ("k8s.pod", {"spec": {"containers": [{"image": "1234.dkr.ecr.eu-west-1.amazonaws.com/Checkout:v1.4.2"}]}}, "built_by", "github.workflow", "w", {"images": ["1234.dkr.ecr.eu-west-1.amazonaws.com/checkout"]}),
        ("k8s.pod", {"spec": {"containers": [{"image": "localhost:5000/shop@sha256:00ff"}]}}, "built_by", "github.workflow", "w", {"images": ["localhost:5000/shop"]}),
        ("k8s.node", {"spec": {"providerID": "gce://acme/europe-west1-b/gke-1"}}, "instance", "gcp.compute.instance", "projects/acme/zones/europe-west1-b/instances/gke-1", {}),
        ("k8s.node", {"spec": {"providerID": "hcloud://42"}}, "instance", "hetzner.server", "42", {}),
        ("k8s.service", {"status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.52"}]}}}, "load_balancer", "hetzner.load_balancer", "9", {"public_net": {"ipv4": {"ip": "203.0.113.52"}}}),
        ("k8s.ingress", {"status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.52"}]}}}, "load_balancer", "digitalocean.load_balancer", "9", {"ip": "203.0.113.52"}),
        ("k8s.service_account", {"metadata": {"annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/web"}}}, "cloud_identity", "aws.iam.role", "r", {"Arn": "arn:aws:iam::1:role/web"}),
        ("k8s.service_account", {"metadata": {"annotations": {"iam.gke.io/gcp-service-account": "web@acme.iam.gserviceaccount.com"}}}, "cloud_identity", "gcp.iam.service_account", "s", {"email": "web@acme.iam.gserviceaccount.com"}),
        ("k8s.service_account", {"metadata": {"annotations": {"azure.workload.identity/client-id": "C1"}}}, "cloud_identity", "azure.managedidentity.user_assigned_identity", "i", {"properties": {"clientId": "c1"}}),
        ("terraform.state", {"backend": {"type": "s3", "bucket": "acme-state"}}, "kept_in", "aws.s3.bucket", "b", {"Name": "acme-state"}),
        ("terraform.state", {"backend": {"type": "azurerm", "storage_account_name": "acmestate"}}, "kept_in", "azure.storage.storage_account", "acmestate", {}),
        ("k8s.cluster", {"server": "https://34.76.1.2"}, "managed_cluster", "gcp.container.cluster", "c", {"endpoint": "34.76.1.2"}),
        ("aws.iam.role", {"AssumeRolePolicyDocument": {"Statement": [{"Condition": {"StringLike": {"token.actions.githubusercontent.com:sub": ["repo:acme-shop/infra:*"]}}}]}}, "github_repositories", "github.repository", "r", {"full_name": "acme-shop/infra", "owner": {"login": "acme-shop"}}),
        ("aws.iam.role", {"AssumeRolePolicyDocument": {"Statement": [{"Condition": {"StringLike": {"token.actions.githubusercontent.com:sub": "repo:acme-shop/*"}}}]}}, "github_repositories", "github.repository", "r", {"full_name": "acme-shop/site", "owner": {"login": "acme-shop"}}),
        ("terraform.resource", {"live_key": "hetzner.server 42"}, "live", "hetzner.server", "42", {}),
        ("terraform.resource", {"live_key": "aws.s3.bucket arn:aws:s3:::logos"}, "live", "aws.s3.bucket", "arn:aws:s3:::logos", {}),
        ("github.workflow", {"aws_roles": ["arn:aws:iam::111122223333:role/deploy"]}, "assumes", "aws.iam.role", "r", {"Arn": "arn:aws:iam::111122223333:role/deploy"}),
        ("aws.acm.certificate", {"SubjectAlternativeNames": ["shop.acme.com"]}, "records", "cloudflare.dns.record", "x", {"name": "shop.acme.com"}),
    ],
)  # fmt: skip
def test_a_name_leads_to_what_it_names(
    source: str, held: dict[str, Any], name: str, target: str, id: str, data: dict[str, Any]
):
    start, end = thing(source, "s", held), thing(target, id, data)

    link([start, end], KINDS, [], read(source, target))

    assert [end] == start.links.get(name)


def test_a_host_of_a_platform_that_was_read_and_has_it_not_is_dangling():
    record = thing("cloudflare.dns.record", "s", {"content": "gone.azurewebsites.net"})

    link([record], KINDS, [], read("cloudflare.dns.record", "azure.web.site"))

    assert ["gone.azurewebsites.net"] == record.data["dangling"]
    assert "dangling" not in record.unread


def test_a_host_of_a_platform_that_was_not_read_is_not_known_to_dangle():
    record = thing("cloudflare.dns.record", "s", {"content": "gone.azurewebsites.net"})

    link([record], KINDS, [], read("cloudflare.dns.record"))

    assert "dangling" not in record.data
    assert "dangling" in record.unread


def test_a_host_of_nobody_we_read_says_nothing():
    record = thing("cloudflare.dns.record", "s", {"content": "www.example.com"})

    link([record], KINDS, [], read("cloudflare.dns.record"))

    assert record.unread.keys().isdisjoint({"points_to", "dangling"})
    assert "dangling" not in record.data


@pytest.mark.parametrize(
    ("key", "gone"),
    [
        ("hetzner.server 42", True),  # its id says of no account where it would be
        ("aws.s3.bucket arn:aws:s3:::logos", True),
        ("gcp.compute.instance projects/a/zones/z/instances/n", True),
        ("gcp.compute.instance projects/elsewhere/zones/z/instances/n", False),
        ("aws.sqs.queue arn:aws:sqs:eu-west-1:999999999999:orders", False),
    ],
)
def test_a_managed_resource_is_gone_only_where_its_account_was_read(key: str, gone: bool):
    resource = thing("terraform.resource", "s", {"live_key": key})

    link([resource], KINDS, [], read("terraform.resource", key.partition(" ")[0]))

    assert gone == ("gone" in resource.data)
    assert gone != ("gone" in resource.unread)
