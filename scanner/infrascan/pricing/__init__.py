"""What resources cost a month, and what a change to them would save.

List prices in USD, on demand, 730 hours: no discounts, no commitments, no tax, no traffic. A price
that the tables do not have is said to be missing; it is never taken from another region or type.
Amounts of other currencies are converted (`exchange`) before anything adds them up.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from infrascan.model import Finding, Price, Resource
from infrascan.packing import repacked
from infrascan.pricing import (
    azure,
    cloudflare,
    databases,
    digitalocean,
    gcp,
    github,
    hetzner,
    machines,
    services,
)
from infrascan.pricing.exchange import dollars
from infrascan.pricing.prices import Prices, UnpricedError, shipped
from infrascan.pricing.quote import Quote

__all__ = ("Prices", "Quote", "count_once", "price_all", "quote", "saving", "shipped")

Entry: TypeAlias = Callable[[Resource, Prices], Price]

ENTRIES: Mapping[str, Entry] = {
    "aws.ec2.instance": machines.instance,
    "aws.ec2.volume": machines.volume,
    "aws.ec2.snapshot": machines.snapshot,
    "aws.ec2.address": machines.address,
    "aws.ec2.nat_gateway": machines.nat_gateway,
    "aws.elb.load_balancer": services.load_balancer,
    "aws.elbv2.load_balancer": services.load_balancer,
    "aws.rds.db_instance": databases.db_instance,
    "aws.rds.db_snapshot": databases.db_snapshot,
    "aws.elasticache.cluster": databases.cache_cluster,
    "aws.redshift.cluster": databases.redshift_cluster,
    "aws.dynamodb.table": databases.dynamodb_table,
    "aws.eks.cluster": services.eks_cluster,
    "aws.secretsmanager.secret": services.secret,
    "aws.kms.key": services.kms_key,
    "aws.cloudwatch.alarm": services.alarm,
    "aws.logs.log_group": services.log_group,
    "aws.efs.file_system": services.file_system,
    "aws.s3.bucket": services.bucket,
    "aws.route53.hosted_zone": services.hosted_zone,
    "gcp.cloudkms.crypto_key": gcp.crypto_key,
    "gcp.compute.instance": gcp.instance,
    "gcp.compute.disk": gcp.disk,
    "gcp.compute.snapshot": gcp.snapshot,
    "gcp.compute.image": gcp.image,
    "gcp.compute.address": gcp.address,
    "gcp.compute.vpn_tunnel": gcp.vpn_tunnel,
    "gcp.container.cluster": gcp.cluster,
    "gcp.dns.managed_zone": gcp.managed_zone,
    "gcp.redis.instance": gcp.redis_instance,
    "gcp.secretmanager.secret": gcp.secret,
    "gcp.sqladmin.instance": gcp.sql_instance,
    "gcp.storage.bucket": gcp.bucket,
    "azure.compute.virtual_machine": azure.virtual_machine,
    "azure.compute.virtual_machine_scale_set": azure.scale_set,
    "azure.compute.disk": azure.disk,
    "azure.compute.snapshot": azure.snapshot,
    "azure.network.public_ip_address": azure.address,
    "azure.network.nat_gateway": azure.nat_gateway,
    "azure.network.load_balancer": azure.load_balancer,
    "azure.network.application_gateway": azure.application_gateway,
    "azure.network.azure_firewall": azure.firewall,
    "azure.network.bastion_host": azure.bastion,
    "azure.network.virtual_network_gateway": azure.network_gateway,
    "azure.network.ddos_protection_plan": azure.ddos_plan,
    "azure.network.private_endpoint": azure.private_endpoint,
    "azure.network.dns_zone": azure.dns_zone,
    "azure.network.private_dns_zone": azure.dns_zone,
    "azure.containerservice.managed_cluster": azure.cluster,
    "azure.containerregistry.registry": azure.registry,
    "azure.web.serverfarm": azure.plan,
    "azure.cache.redis": azure.redis,
    "azure.sql.database": azure.sql_database,
    "azure.sql.elastic_pool": azure.elastic_pool,
    "azure.dbforpostgresql.flexible_server": azure.postgresql,
    "azure.dbformysql.flexible_server": azure.mysql,
    "azure.servicebus.namespace": azure.service_bus,
    "azure.search.search_service": azure.search,
    "hetzner.server": hetzner.server,
    "hetzner.volume": hetzner.volume,
    "hetzner.image": hetzner.image,
    "hetzner.primary_ip": hetzner.primary_ip,
    "hetzner.floating_ip": hetzner.floating_ip,
    "hetzner.load_balancer": hetzner.load_balancer,
    "hetzner.storage_box": hetzner.storage_box,
    "digitalocean.droplet": digitalocean.droplet,
    "digitalocean.volume": digitalocean.volume,
    "digitalocean.snapshot": digitalocean.snapshot,
    "digitalocean.load_balancer": digitalocean.load_balancer,
    "digitalocean.reserved_ip": digitalocean.reserved_ip,
    "digitalocean.database_cluster": digitalocean.database,
    "digitalocean.kubernetes_cluster": digitalocean.cluster,
    "digitalocean.app": digitalocean.app,
    "digitalocean.registry_subscription": digitalocean.subscription,
    "github.copilot_seat": github.copilot_seat,
    "github.usage": github.usage,
    "k8s.node": machines.node,
    "cloudflare.zone": cloudflare.zone,
    "cloudflare.subscription": cloudflare.subscription,
}

# Kinds whose bill depends on what is done with them, which a scan does not see.
BILLED_BY_USE = frozenset(
    {
        "cloudflare.r2.bucket",
        "aws.apigateway.rest_api",
        "aws.apigatewayv2.api",
        "aws.cloudfront.distribution",
        "aws.cloudtrail.trail",
        "aws.config.recorder",
        "aws.ecr.repository",
        "aws.guardduty.detector",
        "aws.lambda.function",
        "aws.rds.db_cluster",
        "aws.sns.topic",
        "aws.sqs.queue",
        "azure.app.container_app",
        "azure.cdn.profile",
        "azure.cognitiveservices.account",
        "azure.documentdb.database_account",
        "azure.eventhub.namespace",
        "azure.insights.component",
        "azure.logic.workflow",
        "azure.operationalinsights.workspace",
        "azure.recoveryservices.vault",
        "azure.storage.storage_account",
        "digitalocean.functions_namespace",
        "gcp.artifactregistry.repository",
        "gcp.bigquery.dataset",
        "gcp.cloudfunctions.cloud_function",
        "gcp.cloudfunctions.function",
        "gcp.compute.forwarding_rule",
        "gcp.compute.router",
        "gcp.pubsub.subscription",
        "gcp.pubsub.topic",
        "gcp.run.job",
        "gcp.run.service",
    }
)

# Kinds that cost what others cost: kind -> relation to those.
STANDS_FOR: Mapping[str, str] = {
    "aws.autoscaling.group": "instances",
    "aws.eks.nodegroup": "autoscaling_groups",
    "aws.elasticache.replication_group": "clusters",
    "gcp.compute.instance_group_manager": "instances",
    "gcp.container.node_pool": "instances",
}
# What code that expects one form raises at another.
MALFORMED = (ValueError, TypeError, AttributeError, LookupError)
# The same, where the scan also read the account in which those are.
RUNS_ON: Mapping[str, tuple[str, ...]] = {
    "k8s.node": ("instance",),
    "k8s.persistent_volume": ("volume",),
    "k8s.persistent_volume_claim": ("persistent_volume",),
    "k8s.service": ("load_balancer", "classic_load_balancer"),
}


def stands_for(resource: Resource) -> str:
    """The relation to the resources whose cost this one's is; "" when it has a cost of its own."""
    if resource.kind == "aws.ec2.instance":
        return "volumes" if word(resource.data, "State", "Name") in machines.STOPPED else ""
    if resource.kind == "gcp.compute.instance":
        return "attached_disks" if word(resource.data, "status") in gcp.STOPPED else ""
    if resource.kind == "azure.compute.virtual_machine":
        return "disks" if azure.power(resource) == azure.STOPPED else ""
    for relation in RUNS_ON.get(resource.kind, ()):
        if resource.links.get(relation):
            return relation
    return STANDS_FOR.get(resource.kind, "")


def word(data: Any, *path: str) -> str:
    """The string at a path of keys; "" where there is none."""
    for key in path:
        data = data.get(key) if isinstance(data, Mapping) else None
    return data if isinstance(data, str) else ""


def payers(resource: Resource) -> tuple[Resource, ...]:
    """The resources whose cost this one's price is: itself, or those that it stands for."""
    relation = stands_for(resource)
    if not relation:
        return (resource,)
    found = {
        payer.key: payer for member in resource.links.get(relation, ()) for payer in payers(member)
    }
    return tuple(found[key] for key in sorted(found))


def quote(resource: Resource, prices: Prices | None = None) -> Quote:
    """What a resource costs a month, or why that is not known."""
    of = payers(resource)
    try:
        return Quote(price=priced(resource, of, prices or shipped()), of=of)
    except UnpricedError as error:
        return Quote(reason=str(error), of=of)


def priced(resource: Resource, of: Sequence[Resource], prices: Prices) -> Price:
    """The price of a resource, or of what it stands for. Raises `UnpricedError`."""
    relation = stands_for(resource)
    if relation:
        return together(resource, relation, of, prices)
    if resource.kind in BILLED_BY_USE:
        raise UnpricedError("billed by use")
    if resource.kind in RUNS_ON and resource.kind not in ENTRIES:
        missing = RUNS_ON[resource.kind][0].replace("_", " ")
        raise UnpricedError(f"its {missing} is not in this scan")
    if resource.kind not in ENTRIES:
        raise UnpricedError(f"no prices for {resource.kind}")
    try:
        found = dollars(ENTRIES[resource.kind](resource, prices), prices)
    except (*MALFORMED, ArithmeticError, StopIteration) as error:
        # A figure that is none must not cost a whole scan.
        raise UnpricedError("its answer has another form than a price needs") from error
    if not math.isfinite(found.monthly) or found.monthly < 0:
        raise UnpricedError("its answer holds a figure that cannot be a price")
    return found


def together(resource: Resource, relation: str, of: Sequence[Resource], prices: Prices) -> Price:
    """The sum over what a resource stands for; one without a price leaves the whole without."""
    if gap := resource.unread.get(relation):
        raise UnpricedError(f"not all of its {relation} were read: {gap.detail}")
    each = [priced(payer, (payer,), prices) for payer in of]
    return Price(
        monthly=round(sum(price.monthly for price in each), 2),
        source=", ".join(sorted({price.source for price in each if price.source})),
        date=min((price.date for price in each if price.date), default=""),
        basis="; ".join(price.basis for price in each)
        if len(each) < 5
        else f"{len(each)} × {of[0].kind}",
    )


def price_all(
    resources: Iterable[Resource], prices: Prices | None = None
) -> tuple[float, dict[str, int]]:
    """Set `monthly_cost` on every resource that has a price of its own.

    One that stands for others (an Auto Scaling group for its instances) has none, so that adding
    up any selection of resources counts nothing twice; its findings still carry the cost.
    Returns the total, and the kinds that cost money with the number of resources of them that
    have no price.
    """
    prices = prices or shipped()
    cents, unpriced = 0, dict[str, int]()
    for resource in repacked(resources):
        found = quote(resource, prices)
        if found.of != (resource,):
            continue
        if found.price is not None:
            resource.data["monthly_cost"] = found.price.monthly
            cents += round(found.price.monthly * 100)
        elif resource.kind in (ENTRIES.keys() | BILLED_BY_USE):
            unpriced[resource.kind] = unpriced.get(resource.kind, 0) + 1
    return cents / 100, dict(sorted(unpriced.items()))


def saving(
    resource: Resource, spec: Any, prices: Prices | None = None
) -> tuple[Price | None, Price | None, str]:
    """(cost, saving, note) of a rule's `saving` for a resource; the note says why one is missing.

    `spec` is "all", {"share": 0.5}, or {"to": {"VolumeType": "gp3"}}: the same resource with these
    fields changed; None asks for the cost alone. A saving is between nothing and the cost.
    """
    prices = prices or shipped()
    found = quote(resource, prices)
    cost = found.price
    if spec is None:
        return cost, None, ""
    if cost is None:
        return None, None, found.reason
    if spec == "all":
        return cost, replace(cost, basis=f"all of it: {cost.basis}"), ""
    if "share" in spec:
        share = min(max(float(spec["share"]), 0.0), 1.0)
        part = replace(
            cost, monthly=round(cost.monthly * share, 2), basis=f"{share:.0%} of: {cost.basis}"
        )
        return cost, part, ""
    after = quote(changed(resource, spec["to"]), prices)
    if after.price is None:
        return cost, None, after.reason
    left = round(cost.monthly - after.price.monthly, 2)
    if left <= 0:
        return cost, None, f"it would cost no less: {after.price.basis}"
    basis = f"{cost.basis}, against {after.price.basis}"
    return cost, replace(cost, monthly=min(left, cost.monthly), basis=basis), ""


def changed(resource: Resource, fields: Mapping[str, Any]) -> Resource:
    """A copy with other values at some paths ("Placement.Tenancy")."""
    data = dict(resource.data)
    for path, value in fields.items():
        *steps, last = path.split(".")
        inner = data
        for step in steps:
            inner[step] = dict(inner.get(step) or {})
            inner = inner[step]
        inner[last] = value
    return replace(resource, data=data)


def count_once(findings: Iterable[Finding], resources: Iterable[Resource]) -> list[Finding]:
    """The findings, with `saving_counted` only on savings that exclude no larger one.

    Savings compete for the resources that pay: two on one volume, or one on an Auto Scaling group
    and one on an instance in it. So the sum of those counted never exceeds the cost.
    """
    by_key = {resource.key: resource for resource in resources}
    findings = list(findings)
    taken: set[str] = set()
    counted: set[int] = set()
    order = sorted(
        (-f.saving.monthly, f.resource, f.rule, place)
        for place, f in enumerate(findings)
        if f.saving and f.saving.monthly > 0
    )
    for _, key, _, place in order:
        resource = by_key.get(key)
        wanted = {payer.key for payer in payers(resource)} if resource else {key}
        if wanted.isdisjoint(taken):
            taken |= wanted
            counted.add(place)
    return [
        f if f.saving_counted == (place in counted) else replace(f, saving_counted=place in counted)
        for place, f in enumerate(findings)
    ]
