"""What stands in the way of requests: firewall and page rules, load balancers, health checks."""

from __future__ import annotations

from typing import Any

from infrascan.model import Relation
from infrascan.providers.cloudflare.tables import (
    AFTER,
    OF_ACCOUNT,
    OF_ZONE,
    PAGES,
    ZONES,
    in_account,
    in_zone,
)
from infrascan.providers.rest.tables import Detail, Listing

POOLS_READ = "Load Balancing: Monitors and Pools Read"


def with_pools(balancer: dict[str, Any]) -> dict[str, Any]:
    """A load balancer with the pools it can send to, from wherever it names them."""
    found: dict[str, None] = {}
    for place in (balancer, *(rule.get("overrides") or {} for rule in balancer.get("rules") or ())):
        found |= dict.fromkeys(place.get("default_pools") or ())
        if place.get("fallback_pool"):
            found[place["fallback_pool"]] = None
        for name in ("region_pools", "country_pools", "pop_pools"):
            for pools in (place.get(name) or {}).values():
                found |= dict.fromkeys(pools)
    return {**balancer, "pool_ids": list(found)}


def by_region(health: dict[str, Any]) -> dict[str, Any]:
    """A pool's health as a list, with the places it is looked at from."""
    found = health.get("pop_health") or {}
    seen = [
        {"region": name, "healthy": one.get("healthy")}
        for name, one in found.items()
        if isinstance(one, dict)
    ]
    if not seen and "healthy" in found:  # documented so, though not seen so
        seen = [{"region": "", "healthy": found["healthy"]}]
    return {"pool_id": health.get("pool_id"), "regions": seen}


RULESETS = Listing(
    kind="cloudflare.ruleset",
    title="Account ruleset",
    api="GET /accounts/{account}/rulesets",
    items="result[]",
    params={"per_page": 50},
    paging=AFTER,
    only="kind=root",  # the account's own entry points; the others are what these may deploy
    permission="Account WAF Read",
    id="{id}",
    name=("{name} ({phase})", "id"),
    adds=OF_ACCOUNT,
    details=(
        Detail(
            field="rules",
            api="GET /accounts/{account}/rulesets/{ruleset}",
            params={"ruleset": "{id}"},
            result="result.rules",
            optional=True,
            permission="Account WAF Read",
        ),
    ),
    relations=(in_account("rulesets"),),
)

ACCESS_RULES = Listing(
    kind="cloudflare.firewall.access_rule",
    title="IP access rule of a zone",
    parents=(ZONES,),
    api="GET /zones/{zone}/firewall/access_rules/rules",
    items="result[]",
    params={"per_page": 100},
    paging=PAGES,
    permission="Firewall Services Read",
    id="{zone}/{id}",  # those of the account are listed in each of its zones
    name=("{mode} {configuration.value}", "id"),
    adds={**OF_ZONE, "rule_id": "{id}"},
    relations=(in_zone("access_rules"),),
)

ACCOUNT_ACCESS_RULES = Listing(
    kind="cloudflare.firewall.account_access_rule",
    title="IP access rule of an account",
    api="GET /accounts/{account}/firewall/access_rules/rules",
    items="result[]",
    params={"per_page": 100},
    paging=PAGES,
    permission="Account Firewall Access Rules Read",
    id="{id}",
    name=("{mode} {configuration.value}", "id"),
    adds=OF_ACCOUNT,
    relations=(in_account("access_rules"),),
)

PAGE_RULES = Listing(
    kind="cloudflare.page_rule",
    title="Page rule",
    parents=(ZONES,),
    api="GET /zones/{zone}/pagerules",
    items="result[]",
    permission="Page Rules Read",
    id="{id}",
    name=("targets[].constraint.value", "id"),
    adds=OF_ZONE,
    relations=(in_zone("page_rules"),),
)

BALANCERS = Listing(
    kind="cloudflare.load_balancing.balancer",
    title="Load balancer",
    parents=(ZONES,),
    api="GET /zones/{zone}/load_balancers",
    items="result[]",
    shape=with_pools,
    permission="Load Balancers Read",
    id="{id}",
    name=("name", "id"),
    adds=OF_ZONE,
    relations=(
        in_zone("load_balancers"),
        Relation(
            name="pools",
            path="pool_ids[]",
            to="cloudflare.load_balancing.pool",
            by="id",
            reverse="load_balancers",
            within="account",
            missing="dangling_pools",
        ),
        Relation(
            name="default_targets",
            path="default_pools[]",
            to="cloudflare.load_balancing.pool",
            by="id",
            within="account",
        ),
    ),
)

POOLS = Listing(
    kind="cloudflare.load_balancing.pool",
    title="Load balancer pool",
    api="GET /accounts/{account}/load_balancers/pools",
    items="result[]",
    permission=POOLS_READ,
    id="{id}",
    name=("name", "id"),
    adds=OF_ACCOUNT,
    details=(
        Detail(
            field="health",
            api="GET /accounts/{account}/load_balancers/pools/{pool}/health",
            params={"pool": "{id}"},
            result="result",
            when="monitor",  # without a monitor nobody looks
            shape=by_region,
            fields={"pool_id": {}, "regions": {"[]": {"region": {}, "healthy": {}}}},
            permission=POOLS_READ,
        ),
    ),
    relations=(
        in_account("pools"),
        Relation(
            name="health_monitor",
            path="monitor",
            to="cloudflare.load_balancing.monitor",
            by="id",
            reverse="pools",
            within="account",
        ),
    ),
)

MONITORS = Listing(
    kind="cloudflare.load_balancing.monitor",
    title="Load balancer monitor",
    api="GET /accounts/{account}/load_balancers/monitors",
    items="result[]",
    permission=POOLS_READ,
    id="{id}",
    name=("description", "{type} {path}", "id"),
    adds=OF_ACCOUNT,
    drop=("result[].header",),  # it may carry a key
)

HEALTH_CHECKS = Listing(
    kind="cloudflare.health_check",
    title="Standalone health check",
    parents=(ZONES,),
    api="GET /zones/{zone}/healthchecks",
    items="result[]",
    params={"per_page": 100},
    paging=PAGES,
    permission="Health Checks Read",
    id="{id}",
    name=("name", "address"),
    adds=OF_ZONE,
    drop=("result[].http_config.header",),
    relations=(in_zone("health_checks"),),
)

TABLES = (
    RULESETS,
    ACCESS_RULES,
    ACCOUNT_ACCESS_RULES,
    PAGE_RULES,
    BALANCERS,
    POOLS,
    MONITORS,
    HEALTH_CHECKS,
)
