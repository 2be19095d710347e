"""Edges from one provider to another: what a name, an address or an id in one leads to in the others.

They belong to no single provider's tables. A target is looked for in every account that the scan
read; where its kind was not read, the relation is unread, never empty. `dangling` lists the host
names that belong to a platform which was read, and that none of its accounts has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from infrascan.model import Kind, Relation
from infrascan.providers.terraform import types

V4 = r"^(\d{1,3}(?:\.\d{1,3}){3})$"
LABEL = r"[a-z0-9_-]+"

# Whoever holds a public address: kind -> path of it.
ADDRESSES: Mapping[str, str] = {
    "aws.ec2.address": "PublicIp",
    "aws.ec2.instance": "PublicIpAddress",
    "gcp.compute.address": "address",
    "gcp.compute.instance": "networkInterfaces[].accessConfigs[].natIP",
    "gcp.compute.forwarding_rule": "IPAddress",
    "azure.network.public_ip_address": "properties.ipAddress",
    "hetzner.server": "public_net.ipv4.ip",
    "hetzner.load_balancer": "public_net.ipv4.ip",
    "hetzner.floating_ip": "ip",
    "digitalocean.droplet": "networks.v4[].ip_address",
    "digitalocean.load_balancer": "ip",
    "digitalocean.reserved_ip": "ip",
    "k8s.service": "status.loadBalancer.ingress[].ip",
}

# Whoever answers under a platform's host name: kind, path of the key, pattern of the host name.
HOSTS: tuple[tuple[str, str, str], ...] = (
    ("aws.s3.bucket", "Name", r"([a-z0-9.-]+?)\.s3(?:-website)?(?:[.-][a-z0-9-]+)*\.amazonaws\.com"),
    ("aws.elbv2.load_balancer", "host", rf"(?:dualstack\.)?({LABEL}\.(?:[a-z0-9-]+\.elb|elb\.[a-z0-9-]+)\.amazonaws\.com)"),
    ("aws.elb.load_balancer", "host", rf"(?:dualstack\.)?({LABEL}\.[a-z0-9-]+\.elb\.amazonaws\.com)"),
    ("aws.cloudfront.distribution", "DomainName", r"([a-z0-9]+\.cloudfront\.net)"),
    ("aws.rds.db_instance", "Endpoint.Address", rf"({LABEL}\.[a-z0-9]+\.[a-z0-9-]+\.rds\.amazonaws\.com)"),
    ("azure.web.site", "properties.defaultHostName", rf"({LABEL}(?:\.[a-z0-9-]+)?\.azurewebsites\.net)"),
    ("azure.network.traffic_manager_profile", "properties.dnsConfig.fqdn", rf"({LABEL}\.trafficmanager\.net)"),
    ("azure.cdn.endpoint", "properties.hostName", rf"({LABEL}\.azureedge\.net)"),
    ("azure.cdn.afd_endpoint", "properties.hostName", rf"({LABEL}(?:\.z\d+)?\.azurefd\.net)"),
    ("azure.storage.storage_account", "name", r"([a-z0-9]+)\.(?:blob|web|z\d+\.web)\.core\.windows\.net"),
    ("azure.network.public_ip_address", "properties.dnsSettings.fqdn", rf"({LABEL}\.[a-z0-9]+\.cloudapp\.azure\.com)"),
    ("gcp.appengine.application", "defaultHostname", rf"({LABEL}(?:\.[a-z]+\.r)?\.appspot\.com)"),
    ("cloudflare.tunnel", "@id", r"([0-9a-f-]{36})\.cfargotunnel\.com"),
    ("cloudflare.pages.project", "subdomain", rf"({LABEL}\.pages\.dev)"),
    ("digitalocean.app", "default_host", rf"({LABEL}\.ondigitalocean\.app)"),
    ("digitalocean.spaces_bucket", "host", r"([a-z0-9-]+\.[a-z0-9]+\.digitaloceanspaces\.com)"),
    ("digitalocean.cdn_endpoint", "endpoint", rf"({LABEL}\.[a-z0-9]+\.cdn\.digitaloceanspaces\.com)"),
)  # fmt: skip

# DNS records of every provider: kind -> paths of what they hold.
RECORDS: Mapping[str, tuple[str, ...]] = {
    "aws.route53.record_set": ("ResourceRecords[].Value", "alias_target"),
    "cloudflare.dns.record": ("content",),
    "digitalocean.domain_record": ("data",),
    "hetzner.rrset": ("records[].value",),
    "gcp.dns.resource_record_set": ("rrdatas[]",),
    "azure.network.dns_record_set": ("properties.CNAMERecord.cname", "properties.ARecords[].ipv4Address"),
}  # fmt: skip

# Container registries: kind, path of the key, pattern of the image, key.
REGISTRIES: tuple[tuple[str, str, str, str], ...] = (
    ("aws.ecr.repository", "repositoryUri", r"^(\d+\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com/[^:@]+)", r"\1"),
    ("gcp.artifactregistry.repository", "@id", r"^([a-z0-9-]+)-docker\.pkg\.dev/([^/]+)/([^/]+)/", r"projects/\2/locations/\1/repositories/\3"),
    ("azure.containerregistry.registry", "properties.loginServer", r"(?i)^([a-z0-9]+\.azurecr\.io)/", r"\1"),
    ("digitalocean.registry", "@id", r"^registry\.digitalocean\.com/([^/]+)/", r"\1"),
    ("github.repository", "full_name", r"^ghcr\.io/([^/]+/[^/:@]+)", r"\1"),
)  # fmt: skip
# Whatever runs images: kind -> paths of them.
RUNS: Mapping[str, tuple[str, ...]] = {
    "k8s.pod": ("spec.containers[].image", "spec.initContainers[].image"),
    "docker.container": ("Config.Image",),
    "aws.ecs.task_definition": ("containerDefinitions[].image",),
}

# Machines behind nodes: kind, pattern of spec.providerID, key.
MACHINES: tuple[tuple[str, str, str], ...] = (
    ("gcp.compute.instance", r"^gce://([^/]+)/([^/]+)/([^/]+)$", r"projects/\1/zones/\2/instances/\3"),
    ("azure.compute.virtual_machine", r"(?i)^azure://(/subscriptions/.+/providers/Microsoft\.Compute/virtualMachines/[^/]+)$", r"\1"),
    ("azure.compute.virtual_machine_scale_set", r"(?i)^azure://(/subscriptions/.+/virtualMachineScaleSets/[^/]+)/virtualMachines/\d+$", r"\1"),
    ("hetzner.server", r"^hcloud://(\d+)$", r"\1"),
    ("digitalocean.droplet", r"^digitalocean://(\d+)$", r"\1"),
)  # fmt: skip

# Volumes behind persistent volumes: kind, CSI driver's handle, key.
VOLUMES: tuple[tuple[str, str, str], ...] = (
    ("gcp.compute.disk", r"^(projects/[^/]+/(?:zones|regions)/[^/]+/disks/[^/]+)$", r"\1"),
    ("azure.compute.disk", r"(?i)^(/subscriptions/.+/disks/[^/]+)$", r"\1"),
)  # fmt: skip

# API servers of managed clusters: kind, path of the key, pattern of the server's URL.
CLUSTERS: tuple[tuple[str, str, str], ...] = (
    ("aws.eks.cluster", "endpoint", r"^(https://[^/]+\.eks\.amazonaws\.com)"),
    ("gcp.container.cluster", "endpoint", r"^https://(\d+\.\d+\.\d+\.\d+)(?::443)?/?$"),
    ("azure.containerservice.managed_cluster", "properties.fqdn", r"^https://([^:/]+\.azmk8s\.io)"),
    ("digitalocean.kubernetes_cluster", "endpoint", r"^(https://[^/]+\.k8s\.ondigitalocean\.com)"),
)

SUBJECT = '["token.actions.githubusercontent.com:sub"]'
SUBJECTS = tuple(
    f"AssumeRolePolicyDocument.Statement[].Condition.{operator}.{SUBJECT}{each}"
    for operator in ("StringLike", "StringEquals")
    for each in ("", ".[]")
)


def leads(name: str, path: str, to: str, by: str, reverse: str, **more: Any) -> Relation:
    """An edge into another provider, or into another account of the same."""
    return Relation(
        name=name, path=path, to=to, by=by, reverse=reverse, within="estate", folded=True, **more
    )


def of_records() -> Iterator[tuple[str, Relation]]:
    """From each DNS record to what it points at."""
    for kind, paths in RECORDS.items():
        for path in paths:
            for to, by in ADDRESSES.items():
                yield kind, leads("points_to", path, to, by, "dns_records", matching=V4)
            for to, by, host in HOSTS:
                pattern = rf"(?i)^{host}\.?$"
                yield (
                    kind,
                    leads(
                        *("points_to", path, to, by, "dns_records"),
                        matching=pattern,
                        missing="dangling",
                    ),
                )


def of_images() -> Iterator[tuple[str, Relation]]:
    """From whatever runs an image to the registry it was pulled from."""
    for kind, paths in RUNS.items():
        for path in paths:
            for to, by, pattern, key in REGISTRIES:
                reverse = kind.rpartition(".")[2] + "s"
                yield kind, leads("registry", path, to, by, reverse, matching=pattern, key=key)


# An image without its tag and digest, as workflows name what they push.
UNTAGGED = r"^([^@\s]+?)(?::[^:/@]+)?(?:@sha256:[0-9a-f]+)?$"


def of_builds() -> Iterator[tuple[str, Relation]]:
    """From whatever runs an image to the workflow on GitHub that pushes it."""
    for kind, paths in RUNS.items():
        for path in paths:
            reverse = kind.rpartition(".")[2] + "s"
            yield kind, leads("built_by", path, "github.workflow", "images[]", reverse, matching=UNTAGGED)  # fmt: skip


def of_clusters() -> Iterator[tuple[str, Relation]]:
    """From Kubernetes to the machines, disks, balancers and managed clusters beneath it."""
    for to, pattern, key in MACHINES:
        yield "k8s.node", leads("instance", "spec.providerID", to, "@id", "nodes", matching=pattern, key=key)  # fmt: skip
    for to, pattern, key in VOLUMES:
        yield "k8s.persistent_volume", leads("volume", "spec.csi.volumeHandle", to, "@id", "persistent_volumes", matching=pattern, key=key)  # fmt: skip
    for to in ("gcp.compute.forwarding_rule", "azure.network.public_ip_address", "hetzner.load_balancer", "digitalocean.load_balancer"):  # fmt: skip
        path = "status.loadBalancer.ingress[].ip"
        yield (
            "k8s.service",
            leads("load_balancer", path, to, ADDRESSES[to], "kubernetes_services", matching=V4),
        )
        yield "k8s.ingress", leads("load_balancer", path, to, ADDRESSES[to], "kubernetes_ingresses", matching=V4)  # fmt: skip
    for to, by, pattern in CLUSTERS:
        yield "k8s.cluster", leads("managed_cluster", "server", to, by, "clusters", matching=pattern)  # fmt: skip


# Who a Kubernetes service account is in a cloud: annotation, kind, path of the key.
BECOMES: tuple[tuple[str, str, str], ...] = (
    ("eks.amazonaws.com/role-arn", "aws.iam.role", "Arn"),
    ("iam.gke.io/gcp-service-account", "gcp.iam.service_account", "email"),
    ("azure.workload.identity/client-id", "azure.managedidentity.user_assigned_identity", "properties.clientId"),
)  # fmt: skip


def of_accounts() -> Iterator[tuple[str, Relation]]:
    """From a service account in a cluster to the identity in a cloud that its pods have."""
    for annotation, to, by in BECOMES:
        path = f'metadata.annotations.["{annotation}"]'
        yield "k8s.service_account", leads("cloud_identity", path, to, by, "kubernetes_service_accounts")  # fmt: skip


def of_backends() -> Iterator[tuple[str, Relation]]:
    """From a Terraform state to the bucket or storage account that it is kept in."""
    for path, to, by in (
        ("backend.bucket", "aws.s3.bucket", "Name"),
        ("backend.bucket", "gcp.storage.bucket", "@name"),
        ("backend.storage_account_name", "azure.storage.storage_account", "@name"),
    ):
        yield "terraform.state", leads("kept_in", path, to, by, "terraform_states")


def of_subjects() -> Iterator[tuple[str, Relation]]:
    """From a role to the repositories on GitHub whose workflows may become it, and back."""
    for path in SUBJECTS:
        one, all_of_owner = r"^repo:([^:*/]+/[^:*]+):", r"^repo:([^:*/]+)/\*"
        yield "aws.iam.role", leads("github_repositories", path, "github.repository", "full_name", "aws_roles", matching=one)  # fmt: skip
        yield "aws.iam.role", leads("github_repositories", path, "github.repository", "owner.login", "aws_roles", matching=all_of_owner)  # fmt: skip


def of_workflows() -> Iterator[tuple[str, Relation]]:
    """From a workflow to the roles that it names."""
    yield "github.workflow", leads("assumes", "aws_roles[]", "aws.iam.role", "Arn", "github_workflows")  # fmt: skip


# Where our id is not what Terraform knows a resource by.
KNOWN_BY: Mapping[str, str] = {
    "aws.ec2.nat_gateway": "NatGatewayId",
    "aws.eks.nodegroup": "nodegroupArn",
    "github.repository": "full_name",
}


def of_states() -> Iterator[tuple[str, Relation]]:
    """From a resource in a Terraform state to the live one, and back. `gone` lists the ids that no
    account which was read has. Names within a cluster or a Docker host are not unique: no edge."""
    for kind in dict.fromkeys(ours for ours, _ in types.TYPES.values()):
        if kind.startswith(types.WORLDWIDE):
            pattern = rf"^{re.escape(kind)} (.+)$"
            by = KNOWN_BY.get(kind, "@id")
            yield "terraform.resource", leads("live", "live_key", kind, by, "managed_by", matching=pattern, missing="gone")  # fmt: skip


def of_certificates() -> Iterator[tuple[str, Relation]]:
    """From a certificate to the records of the names it is for."""
    names = {"aws.route53.record_set": "host", "cloudflare.dns.record": '["name"]'}
    for to, by in names.items():
        yield "aws.acm.certificate", leads("records", "SubjectAlternativeNames[]", to, by, "certificates")  # fmt: skip


def crossing() -> dict[str, tuple[Relation, ...]]:
    """Every edge between providers, by the kind it starts from."""
    found: dict[str, list[Relation]] = {}
    for edges in (
        of_records,
        of_images,
        of_builds,
        of_clusters,
        of_accounts,
        of_backends,
        of_subjects,
        of_workflows,
        of_states,
        of_certificates,
    ):
        for kind, relation in edges():
            found.setdefault(kind, []).append(relation)
    return {kind: tuple(relations) for kind, relations in found.items()}


class Extended(Mapping[str, Any]):
    """A field tree with the names that relations add; the tree itself is still made when needed."""

    __slots__ = ("added", "tree")

    def __init__(self, tree: Mapping[str, Any], added: Mapping[str, Any]) -> None:
        self.tree = tree
        self.added = added

    def __getitem__(self, name: str) -> Any:
        return self.added[name] if name in self.added else self.tree[name]

    def __iter__(self) -> Iterator[str]:
        yield from dict.fromkeys((*self.tree, *self.added))

    def __len__(self) -> int:
        return len({*self.tree, *self.added})


def joined(kinds: Mapping[str, Kind]) -> dict[str, Kind]:
    """The kinds with the edges between providers, as far as they start from one of them."""
    found = dict(kinds)
    for name, relations in crossing().items():
        if kind := kinds.get(name):
            added: dict[str, Any] = {r.missing: {"[]": {}} for r in relations if r.missing}
            fields = kind.fields
            if fields is not None and added:
                fields = Extended(fields, added)
            found[name] = replace(kind, relations=(*kind.relations, *relations), fields=fields)
    return found
