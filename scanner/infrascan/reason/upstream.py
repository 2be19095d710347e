"""What a resource depends on, and how far away it is: the cone in which a cause may lie.

Edges are those of the scan, followed towards what is needed, and two that texts give: the hosts
that settings name, and what an alarm measures. What many share (a namespace, a cluster, a network)
is reached and not passed: through it everything would depend on everything.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from infrascan.model import Evidence, Resource, Scan
from infrascan.paths import values
from infrascan.reason.change import cite, dicts
from infrascan.reason.happened import planes

FARTHEST = 6.0
# Reverse relations that lead to what a resource needs, with how far that is.
BACK: Mapping[tuple[str, str], float] = {
    ("k8s.pod", "network_policies"): 1.5,
    ("k8s.deployment", "network_policies"): 1.5,
    ("k8s.deployment", "replica_sets"): 0.5,
    ("k8s.deployment", "horizontal_pod_autoscalers"): 1.0,
    ("k8s.stateful_set", "horizontal_pod_autoscalers"): 1.0,
    ("k8s.stateful_set", "pods"): 0.5,
    ("k8s.daemon_set", "pods"): 0.5,
    ("k8s.service", "endpoint_slices"): 0.5,
    ("k8s.service", "ingresses"): 1.0,
    ("k8s.service_account", "role_bindings"): 1.5,
    ("k8s.service_account", "cluster_role_bindings"): 1.5,
    ("k8s.namespace", "resource_quotas"): 0.5,
    ("k8s.namespace", "limit_ranges"): 0.5,
    ("aws.elbv2.load_balancer", "listeners"): 0.5,
    ("aws.elbv2.load_balancer", "target_groups"): 0.5,
    ("aws.elbv2.load_balancer", "dns_records"): 1.5,
    ("aws.elb.load_balancer", "dns_records"): 1.5,
    ("aws.cloudfront.distribution", "dns_records"): 1.5,
    ("k8s.service", "dns_records"): 1.5,
    ("aws.elbv2.target_group", "autoscaling_groups"): 1.0,
    ("aws.elbv2.target_group", "ecs_services"): 0.5,
    ("aws.elbv2.target_group", "listeners"): 0.5,
    ("aws.ec2.instance", "autoscaling_groups"): 1.0,
    ("aws.ec2.subnet", "route_tables"): 1.0,
    ("aws.rds.db_cluster", "instances"): 0.5,
    ("aws.elasticache.replication_group", "clusters"): 0.5,
}
# Relations that lead to a neighbour and not to a need.
SIDEWAYS = frozenset(
    {
        ("aws.iam.role", "github_repositories"),
        ("github.workflow", "assumes"),
        ("github.workflow", "packages"),
        ("github.repository", "defaults"),
        ("github.repository", "organization_settings"),
        ("github.repository", "outside_admins"),
        ("github.repository", "outside_writers"),
        ("aws.cloudwatch.alarm", "topics"),
        ("aws.ec2.security_group", "allowed_groups"),
    }
)
# What many share, and the only ways on from it: none leads to another that shares it.
HUBS: Mapping[str, frozenset[str]] = {
    "k8s.namespace": frozenset({"resource_quotas", "limit_ranges"}),
    "k8s.cluster": frozenset({"managed_cluster"}),
    "k8s.storage_class": frozenset(),
    "k8s.network_policy": frozenset(),
    "k8s.ingress": frozenset(),
    "k8s.horizontal_pod_autoscaler": frozenset(),
    "k8s.role_binding": frozenset({"role", "cluster_role"}),
    "k8s.cluster_role_binding": frozenset({"cluster_role"}),
    "aws.autoscaling.group": frozenset({"launch_template"}),
    "aws.elbv2.listener": frozenset({"load_balancer", "certificates"}),
    "aws.elbv2.load_balancer": frozenset(
        {"listeners", "security_groups", "subnets", "dns_records"}
    ),
    "aws.elb.load_balancer": frozenset({"security_groups", "subnets", "dns_records"}),
    "aws.ec2.route_table": frozenset({"nat_gateways"}),
    "aws.account": frozenset(),
    "aws.region": frozenset(),
    "aws.ec2.vpc": frozenset(),
    "aws.ecs.cluster": frozenset(),
    "aws.eks.cluster": frozenset(),
    "aws.s3.bucket": frozenset(),
    "aws.iam.policy": frozenset(),
    "github.organization": frozenset(),
    "gcp.cloudresourcemanager.project": frozenset(),
    "gcp.compute.project": frozenset(),
    "gcp.compute.network": frozenset(),
    "azure.resources.subscription": frozenset(),
    "azure.resources.resource_group": frozenset(),
    "azure.network.virtual_network": frozenset(),
    "cloudflare.account": frozenset(),
    "digitalocean.account": frozenset(),
    "digitalocean.vpc": frozenset(),
}
NEAR: Mapping[str, float] = {
    "replica_set": 0.5,
    "stateful_set": 0.5,
    "daemon_set": 0.5,
    "deployment": 0.5,
    "pods": 0.5,
    "deployments": 0.5,
    "namespace": 1.5,
    "kms_key": 1.5,
    "registry": 1.5,
    "of_repository": 0.5,
    "task_definition": 0.5,
    "target_groups": 0.5,
}
# What a dimension of an alarm names: dimension -> kinds.
DIMENSIONS: Mapping[str, tuple[str, ...]] = {
    "AutoScalingGroupName": ("aws.autoscaling.group",),
    "CacheClusterId": ("aws.elasticache.cluster", "aws.elasticache.replication_group"),
    "DBClusterIdentifier": ("aws.rds.db_cluster",),
    "DBInstanceIdentifier": ("aws.rds.db_instance",),
    "FileSystemId": ("aws.efs.file_system",),
    "FunctionName": ("aws.lambda.function",),
    "InstanceId": ("aws.ec2.instance",),
    "LoadBalancer": ("aws.elbv2.load_balancer",),
    "LoadBalancerName": ("aws.elb.load_balancer",),
    "NodeName": ("k8s.node",),
    "PodName": ("k8s.deployment", "k8s.stateful_set", "k8s.pod"),
    "QueueName": ("aws.sqs.queue",),
    "ReplicationGroupId": ("aws.elasticache.replication_group",),
    "Service": ("k8s.service", "k8s.deployment", "aws.ecs.service"),
    "ServiceName": ("aws.ecs.service", "k8s.service", "k8s.deployment"),
    "TableName": ("aws.dynamodb.table",),
    "TargetGroup": ("aws.elbv2.target_group",),
}
NARROWER = ("Namespace", "ClusterName")  # dimensions that say which of several it is
ENDPOINTS: Mapping[str, str] = {  # kind -> path of the host by which it is reached
    "aws.rds.db_instance": "Endpoint.Address",
    "aws.rds.db_cluster": "Endpoint",
    "aws.elasticache.replication_group": "ConfigurationEndpoint.Address",
    "aws.elbv2.load_balancer": "DNSName",
    "gcp.sqladmin.instance": "dnsName",
    "azure.sql.server": "properties.fullyQualifiedDomainName",
    "azure.dbforpostgresql.flexible_server": "properties.fullyQualifiedDomainName",
    "azure.dbformysql.flexible_server": "properties.fullyQualifiedDomainName",
    "azure.cache.redis": "properties.hostName",
    "digitalocean.database_cluster": "private_connection.host",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One edge from what fails to what it needs; `evidence` where a text gave it."""

    source: str
    relation: str
    target: str
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    distance: float
    hops: tuple[Hop, ...] = ()


@dataclass(eq=False)
class Graph:
    """A scan's resources with the ways from each to what it needs."""

    resources: dict[str, Resource] = field(default_factory=dict)
    forward: dict[str, set[str]] = field(default_factory=dict)  # key -> names of relations
    hosts: dict[str, list[Resource]] = field(default_factory=dict)
    named: dict[tuple[str, str], list[Resource]] = field(default_factory=dict)
    alarms: dict[str, list[tuple[Resource, Evidence]]] = field(default_factory=dict)
    observed: str = ""  # when the scan looked

    @classmethod
    def of(cls, scan: Scan) -> Graph:
        graph = cls({r.key: r for r in scan.resources}, observed=scan.observed)
        for edge in scan.edges:
            graph.forward.setdefault(edge.source, set()).add(edge.name)
        wanted = {kind for kinds in DIMENSIONS.values() for kind in kinds}
        for resource in scan.resources:
            if resource.kind in wanted:
                graph.named.setdefault((resource.kind, resource.name), []).append(resource)
            if path := ENDPOINTS.get(resource.kind):
                for host in values(resource.data, path):
                    if isinstance(host, str) and host:
                        graph.hosts.setdefault(host.lower().rstrip("."), []).append(resource)
        for resource in scan.resources:
            if resource.kind == "aws.cloudwatch.alarm" or resource.kind in planes.STATES:
                for about, fact in graph.measured(resource):
                    graph.alarms.setdefault(about.key, []).append((resource, fact))
        return graph

    def measured(self, alarm: Resource) -> Iterator[tuple[Resource, Evidence]]:
        """What an alarm is about, by its dimensions; an alert or incident, by what it names."""
        if alarm.kind in planes.STATES:
            yield from self.alerted(alarm)
            return
        dimensions = dicts(alarm.data.get("Dimensions"))
        given = {str(item.get("Name")): str(item.get("Value")) for _, item in dimensions}
        for place, item in dimensions:
            name, value = str(item.get("Name")), str(item.get("Value"))
            parts = value.split("/")
            plain = parts[1] if name in {"LoadBalancer", "TargetGroup"} and parts[1:] else value
            for kind in DIMENSIONS.get(name, ()):
                found = [
                    resource
                    for resource in self.named.get((kind, plain), ())
                    if (not kind.startswith("aws.") or resource.account == alarm.account)
                    and within(resource, given)
                ]
                fact = cite(alarm, "Dimensions", place, "Value")
                if len(found) == 1 and fact:
                    yield found[0], fact
                    break

    def alerted(self, alert: Resource) -> Iterator[tuple[Resource, Evidence]]:
        """The one resource that the narrowest label names, where it is only one."""
        given = planes.place(alert)
        for name, kinds, fact in planes.names(alert):
            for kind in kinds:
                found = [one for one in self.named.get((kind, name), ()) if within(one, given)]
                if len(found) == 1:
                    yield found[0], fact
                    return

    def parts(self, key: str) -> list[str]:
        """The resource and what it consists of: a service's workloads, a workload's pods."""
        found = dict.fromkeys([key])
        for one in found.copy():
            ahead = [one]
            while ahead:
                resource = self.resources.get(ahead.pop())
                for name in CONSISTS.get(resource.kind, ()) if resource else ():
                    for target in resource.links.get(name, ()) if resource else ():
                        if target.key not in found:
                            found[target.key] = None
                            ahead.append(target.key)
        return list(found)

    def cone(self, start: Sequence[str], farthest: float = FARTHEST) -> dict[str, Reached]:
        """Everything the start depends on, with the shortest way to it."""
        found: dict[str, Reached] = {}
        queue: list[tuple[float, int, str, tuple[Hop, ...]]] = []
        for number, key in enumerate(start):
            heapq.heappush(queue, (0.0, number, key, ()))
        number = len(queue)
        while queue:
            distance, _, key, hops = heapq.heappop(queue)
            if key in found:
                continue
            found[key] = Reached(distance=distance, hops=hops)
            resource = self.resources.get(key)
            if resource is None:
                continue
            for hop, cost in self.needs(resource):
                if hop.target not in found and distance + cost <= farthest:
                    number += 1
                    heapq.heappush(queue, (distance + cost, number, hop.target, (*hops, hop)))
        return found

    def needs(self, resource: Resource) -> Iterator[tuple[Hop, float]]:
        """What one resource depends on directly."""
        only = HUBS.get(resource.kind)
        own = self.forward.get(resource.key, set())
        for name, targets in resource.links.items():
            cost = BACK.get((resource.kind, name))
            if cost is None:
                if name not in own or (resource.kind, name) in SIDEWAYS:
                    continue
                cost = NEAR.get(name, 1.0)
            if only is not None and name not in only:
                continue
            for target in targets:
                yield Hop(source=resource.key, relation=name, target=target.key), cost
        yield from self.called(resource)
        if resource.kind == "aws.cloudwatch.alarm" or resource.kind in planes.STATES:
            for about, fact in self.measured(resource):
                hop = Hop(
                    source=resource.key, relation="measures", target=about.key, evidence=(fact,)
                )
                yield hop, 0.0

    def called(self, resource: Resource) -> Iterator[tuple[Hop, float]]:
        """What the hosts in its containers' variables lead to."""
        for place, call in dicts(resource.data.get("calls")):
            host = str(call.get("host") or "")
            fact = cite(resource, "calls", place, "host")
            for target in self.hosted(host, resource):
                hop = Hop(
                    source=resource.key,
                    relation="calls",
                    target=target.key,
                    evidence=(fact,) if fact else (),
                )
                yield hop, 1.0

    def hosted(self, host: str, resource: Resource) -> Iterator[Resource]:
        """Who answers under a host: an endpoint of a cloud, or a service of the same cluster."""
        yield from self.hosts.get(host.lower().rstrip("."), ())
        name, *rest = host.split(".")
        if rest[1:2] not in ([], ["svc"]):
            return
        namespace = rest[0] if rest else resource.id.partition("/")[0]
        if found := self.resources.get(f"k8s.service/{resource.account}/global/{namespace}/{name}"):
            yield found


CONSISTS: Mapping[str, tuple[str, ...]] = {
    "k8s.service": ("deployments", "stateful_sets", "pods"),
    "k8s.deployment": ("replica_sets", "pods", "services"),
    "k8s.replica_set": ("pods",),
    "k8s.stateful_set": ("pods", "services"),
    "k8s.daemon_set": ("pods",),
    "k8s.job": ("pods",),
    "k8s.ingress": ("services",),
    "aws.elbv2.load_balancer": ("listeners", "target_groups"),
    "aws.autoscaling.group": ("instances",),
    "aws.rds.db_cluster": ("instances",),
}


def within(resource: Resource, given: Mapping[str, Any]) -> bool:
    """Whether a resource of Kubernetes lies where the other dimensions say."""
    if not resource.kind.startswith("k8s."):
        return True
    namespace, cluster = (given.get(name) for name in NARROWER)
    if namespace and "/" in resource.id and resource.id.partition("/")[0] != namespace:
        return False
    return not cluster or cluster in resource.account
