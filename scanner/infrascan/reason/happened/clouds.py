"""What Google Cloud, Azure, Cloudflare and DigitalOcean tell of writes, in logs of their own.

Each names who did what to which resource in fields of its own; here is one table for where. The
resource that an entry names is looked for among those that were read: by its whole name, by that
of what it lies in, or by its last part where only one resource of the same service has that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from infrascan.model import Evidence, Resource
from infrascan.reason.change import Change, What, at, cited, moment, quoted

Steps = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """Where the entries of one log say what."""

    kind: str
    when: Steps
    action: Steps
    target: Steps
    service: Steps = ()  # whose resource it is
    actors: tuple[Steps, ...] = ()
    outcome: Steps = ()
    failed: frozenset[str] = frozenset()  # outcomes of writes that did nothing
    also: tuple[Steps, ...] = ()  # fields that are evidence besides


LOGS: tuple[Log, ...] = (
    Log(
        kind="gcp.logging.activity",
        when=("timestamp",),
        action=("protoPayload", "methodName"),
        target=("protoPayload", "resourceName"),
        service=("protoPayload", "serviceName"),
        actors=(("protoPayload", "authenticationInfo", "principalEmail"),),
        also=(("protoPayload", "status", "code"), ("operation", "id")),
    ),
    Log(
        kind="azure.insights.activity",
        when=("eventTimestamp",),
        action=("operationName", "value"),
        target=("resourceId",),
        actors=(("caller",),),
        outcome=("status", "value"),
        failed=frozenset({"Failed", "Canceled", "Cancelled"}),
        also=(("correlationId",), ("category", "value")),
    ),
    Log(
        kind="cloudflare.audit_log",
        when=("action", "time"),
        action=("action", "type"),
        target=("resource", "id"),
        service=("resource", "product"),
        actors=(("actor", "email"), ("actor", "token_name"), ("actor", "type")),
        outcome=("action", "result"),
        failed=frozenset({"failure", "failed"}),
        also=(("action", "description"), ("resource", "type"), ("zone", "id"), ("zone", "name")),
    ),
    Log(
        kind="digitalocean.action",
        when=("started_at",),
        action=("type",),
        target=("resource_id",),
        service=("resource_type",),
        outcome=("status",),
        failed=frozenset({"errored"}),
    ),
)
# What is read besides to explain something: what these logs are about and workloads depend on.
KINDS = (
    *(log.kind for log in LOGS),
    *("gcp.compute.instance", "gcp.compute.instance_group_manager", "gcp.compute.network"),
    *("gcp.compute.subnetwork", "gcp.compute.firewall", "gcp.compute.route", "gcp.compute.router"),
    *("gcp.container.cluster", "gcp.container.node_pool", "gcp.run.service", "gcp.pubsub.topic"),
    *("gcp.cloudfunctions.function", "gcp.sqladmin.instance", "gcp.alloydb.instance"),
    *("gcp.redis.instance", "gcp.spanner.instance", "gcp.storage.bucket", "gcp.dns.managed_zone"),
    *("gcp.iam.service_account", "gcp.secretmanager.secret", "gcp.cloudresourcemanager.project"),
    *("azure.compute.virtual_machine", "azure.compute.virtual_machine_scale_set"),
    *("azure.network.network_interface", "azure.network.network_security_group"),
    *("azure.network.virtual_network", "azure.network.subnet", "azure.network.route_table"),
    *("azure.network.load_balancer", "azure.network.application_gateway"),
    *("azure.containerservice.managed_cluster", "azure.web.site", "azure.web.serverfarm"),
    *("azure.app.container_app", "azure.sql.server", "azure.sql.database", "azure.cache.redis"),
    *("azure.dbforpostgresql.flexible_server", "azure.dbformysql.flexible_server"),
    *("azure.documentdb.database_account", "azure.keyvault.vault", "azure.servicebus.namespace"),
    *("azure.storage.storage_account", "azure.network.dns_zone"),
    *("cloudflare.account", "cloudflare.zone", "cloudflare.dns.record", "cloudflare.tunnel"),
    *("cloudflare.load_balancing.balancer", "cloudflare.load_balancing.pool"),
    *("cloudflare.workers.script", "cloudflare.ruleset"),
    *("digitalocean.droplet", "digitalocean.volume", "digitalocean.load_balancer"),
    *("digitalocean.firewall", "digitalocean.database_cluster", "digitalocean.app"),
    "docker.container",
)
BY_KIND: Mapping[str, Log] = {log.kind: log for log in LOGS}
# What a write is, by what its name and the type of its resource hold, folded; the first that fits.
SORTS: tuple[tuple[tuple[str, ...], What], ...] = (
    (("setiampolicy", "roleassignment", "roledefinition", "serviceaccount", r"iam\.", "accesspolic",
      "member", "token", "identit", r"/keys?\b", r"access\."), What.ACCESS),
    (("firewall", "securityrule", "networksecuritygroup", "route", "forwardingrule",
      "backendservice", "urlmap", "load_?balanc", "dns", "subnet", "network", "healthcheck",
      "targetpool", "publicip", "ruleset", "waf", "tunnel", "gateway", "address", "assign_ip"),
     What.NETWORK),
    (("autoscal", "setsize", "resize", "scale"), What.SCALING),
    ((r"run\.", "cloudfunctions", r"microsoft\.web/sites", r"microsoft\.app/", "worker", "pages",
      "deployment"), What.ROLLOUT),
    (("cloudbuild", "registr"), What.RUN),
    ((r"instances?\.(?:insert|delete|stop|start|reset|suspend|resume|setmachinetype)",
      "virtualmachine", "nodepool", "managedcluster", "power_", "reboot", "shutdown", "droplet",
      "rebuild", "snapshot"), What.MACHINE),
    (("write", "update", "patch", "create", "insert", "delete", "set", "restart", "stop", "start",
      "failover", "modify", "change"), What.CONFIG),
)  # fmt: skip
SORTED = tuple((re.compile("|".join(words)), what) for words, what in SORTS)
# What the name of a service or the type of a resource says of what changed.
FACETS: Mapping[str, str] = {
    "sqladmin": "database", "cloudsql": "database", "alloydb": "database", "spanner": "database",
    "microsoft.sql": "database", "dbforpostgresql": "database", "dbformysql": "database",
    "documentdb": "database", "d1": "database", "redis": "cache", "memcache": "cache",
    "microsoft.cache": "cache", "secretmanager": "secret", "keyvault": "secret",
}  # fmt: skip
SHIPS = ("run.", "cloudfunctions", "microsoft.web/sites", "microsoft.app/", "worker", "pages")
CLOSING = re.compile(
    r"delete|remove|revoke|stop|disable|deallocate|suspend|power_off|shutdown|deny"
)
# Services whose kinds have another name with us.
SERVICES: Mapping[str, str] = {"cloudsql": "sqladmin", "cloudresourcemanager": "compute"}
# Who acts on its own: what it does answers to load or to failure.
ITSELF = re.compile(r"(?i)^system$|@(?:cloudservices|container-engine-robot)\.")
# What holds everything: a part that was not read is no change of all of it.
AROUND = frozenset(
    {
        *("gcp.cloudresourcemanager.project", "azure.resources.subscription"),
        *("azure.resources.resource_group", "gcp.compute.project"),
    }
)
UPWARD = 4  # steps from a part to what it lies in


@dataclass(eq=False)
class Named:
    """The resources of one provider, by the names that logs use."""

    whole: dict[str, Resource] = field(default_factory=dict)
    last: dict[tuple[str, str], list[Resource]] = field(default_factory=dict)  # account, last part

    @classmethod
    def of(cls, resources: Sequence[Resource]) -> Named:
        found = cls()
        for resource in resources:
            if resource.kind in BY_KIND:
                continue
            found.whole.setdefault(f"{resource.account}\0{resource.id}".lower(), resource)
            for part in {resource.id.rpartition("/")[2], resource.name}:
                place = (resource.account, part.lower())
                found.last.setdefault(place, []).append(resource)
        return found

    def find(self, account: str, name: str, service: str) -> Resource | None:
        """What an entry is about, or what that lies in; None where that was not read."""
        path = name.lower().strip("/")
        for step in range(UPWARD):
            for spelled in (path, f"/{path}"):
                one = self.whole.get(f"{account}\0{spelled}".lower())
                if one and not (step and one.kind in AROUND):
                    return one
            if step == 0 and (one := self.by_last(account, path, service)):
                return one
            if path.count("/") < 3:
                return None
            path = path.rpartition("/")[0].rpartition("/")[0]
        return None

    def by_last(self, account: str, path: str, service: str) -> Resource | None:
        word = SERVICES.get(service, service)
        ours = [
            one
            for one in self.last.get((account, path.rpartition("/")[2]), ())
            if not word or word in one.kind.split(".")[1:]
        ]
        return ours[0] if len({one.key for one in ours}) == 1 else None


def changes(
    by_kind: Mapping[str, Sequence[Resource]], resources: Sequence[Resource]
) -> Iterator[Change]:
    """What each log of the scan says. One operation that is logged several times is one change."""
    for log in LOGS:
        entries = by_kind.get(log.kind, ())
        if not entries:
            continue
        provider = log.kind.partition(".")[0]
        named = Named.of([r for r in resources if r.provider == provider])
        yield from once(log, entries, named)


def once(log: Log, entries: Sequence[Resource], named: Named) -> Iterator[Change]:
    """The earliest entry of each operation, without those that failed."""
    groups: dict[tuple[str, ...], list[Resource]] = {}
    for entry in entries:
        if moment(at(entry.data, log.when)):
            groups.setdefault(operation(log, entry), []).append(entry)
    for group in groups.values():
        if not any(did_nothing(log, entry) for entry in group):
            yield written(log, min(group, key=lambda e: str(at(e.data, log.when))), named)


def operation(log: Log, entry: Resource) -> tuple[str, ...]:
    """What tells one write from another: Google logs its begin and end, Azure each state of it."""
    own = at(entry.data, ("operation", "id")) or at(entry.data, ("correlationId",)) or entry.id
    return (entry.account, said(entry, log.action), said(entry, log.target).lower(), str(own))


def did_nothing(log: Log, entry: Resource) -> bool:
    if log.outcome and said(entry, log.outcome) in log.failed:
        return True
    return bool(at(entry.data, ("protoPayload", "status", "code")))


def said(entry: Resource, steps: Steps) -> str:
    found = at(entry.data, steps) if steps else None
    return "" if found is None or isinstance(found, dict | list) else str(found)


def written(log: Log, entry: Resource, named: Named) -> Change:
    action, target = said(entry, log.action), said(entry, log.target)
    service = said(entry, log.service).partition(".")[0].lower()
    found = named.find(entry.account, target, service) if target else None
    zone = at(entry.data, ("zone", "id"))
    if found is None and isinstance(zone, str):  # what is in a zone and was not read itself
        found = named.find(entry.account, zone, "")
    actor = next((word for steps in log.actors if (word := said(entry, steps))), "")
    label = found.name if found else target.rpartition("/")[2]
    about = f" on {quoted(label, 80)}" if label else ""
    where = "" if log.kind.startswith("azure.") else service
    kind = said(entry, ("resource", "type"))
    folded = f"{said(entry, log.service)} {action} {place(target)} {kind}".lower()
    return Change(
        time=said(entry, log.when),
        kind=sort(folded),
        resource=found.key if found else entry.key,
        name=label or action,
        what=f"{f'{where}: ' if where else ''}{quoted(action, 100)}{about}"
        + (f" by {quoted(actor, 80)}" if actor else ""),
        actor=actor,
        source=log.kind,
        touches=(entry.key,) if found else (),
        evidence=evidence(log, entry),
        facets=frozenset(facets(action, folded)),
        reaction=bool(ITSELF.search(actor)),
    )


def place(target: str) -> str:
    """The types in a name of several parts, without the names between them, which anyone gives."""
    return " ".join(target.strip("/").split("/")[::2]) if "/" in target else ""


def evidence(log: Log, entry: Resource) -> tuple[Evidence, ...]:
    places = (log.when, log.action, log.target, log.service, log.outcome, *log.actors, *log.also)
    return cited(entry, *(place for place in places if place))


def sort(folded: str) -> What:
    """The sort of a write, by the words of its service, action and target."""
    return next((what for pattern, what in SORTED if pattern.search(folded)), What.CALL)


def facets(action: str, folded: str) -> Iterator[str]:
    yield action
    for word, facet in FACETS.items():
        if word in folded:
            yield facet
    if any(word in folded for word in SHIPS):
        yield "image"
    if CLOSING.search(action.lower()):
        yield "closed"
