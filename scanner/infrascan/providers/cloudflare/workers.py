"""What runs and is kept at Cloudflare: Workers, Pages, R2, queues and databases."""

from __future__ import annotations

from typing import Any

from infrascan.model import Relation
from infrascan.providers.cloudflare.errors import NOT_ENTITLED
from infrascan.providers.cloudflare.sending import DEFAULT_JURISDICTION, JURISDICTION
from infrascan.providers.cloudflare.tables import (
    CURSOR,
    OF_ACCOUNT,
    OF_ZONE,
    PAGES,
    ZONES,
    in_zone,
)
from infrascan.providers.rest.tables import Detail, Listing

SCRIPTS_READ = "Workers Scripts Read"
R2 = "Workers R2 Storage Read"
NO_CORS = ("10059",)  # R2: the bucket has no CORS configuration


def reached(name: str, path: str, to: str, by: str, reverse: str) -> Relation:
    return Relation(name=name, path=path, to=to, by=by, reverse=reverse, within="account")


def with_databases(settings: dict[str, Any]) -> dict[str, Any]:
    """A script's settings with the D1 databases it is bound to, whichever field names them."""
    found = [
        binding.get("database_id") or binding.get("id")
        for binding in settings.get("bindings") or ()
        if binding.get("type") == "d1"
    ]
    return {**settings, "d1_ids": [one for one in found if one]}


def with_bindings(project: dict[str, Any]) -> dict[str, Any]:
    """A Pages project with what its two environments are bound to, as plain lists."""
    configs = [config for config in (project.get("deployment_configs") or {}).values() if config]

    def named(place: str, key: str) -> list[str]:
        found = (one for config in configs for one in (config.get(place) or {}).values() if one)
        return sorted({one[key] for one in found if one.get(key)})

    subdomain = project.get("subdomain")
    return {
        **project,
        "kv_ids": named("kv_namespaces", "namespace_id"),
        "d1_ids": named("d1_databases", "id"),
        "r2_names": named("r2_buckets", "name"),
        "preview_hosts": [f"*.{subdomain}"] if subdomain else [],
    }


SCRIPTS = Listing(
    kind="cloudflare.workers.script",
    title="Worker",
    api="GET /accounts/{account}/workers/scripts",
    items="result[]",
    permission=SCRIPTS_READ,
    id="{id}",
    name=("id",),
    adds=OF_ACCOUNT,
    details=(
        Detail(
            field="settings",
            api="GET /accounts/{account}/workers/scripts/{script}/settings",
            params={"script": "{id}"},
            result="result",
            shape=with_databases,
            permission=SCRIPTS_READ,
        ),
        Detail(
            field="schedules",
            api="GET /accounts/{account}/workers/scripts/{script}/schedules",
            params={"script": "{id}"},
            result="result.schedules",
            permission=SCRIPTS_READ,
        ),
        Detail(
            field="subdomain",
            api="GET /accounts/{account}/workers/scripts/{script}/subdomain",
            params={"script": "{id}"},
            result="result",
            permission=SCRIPTS_READ,
        ),
    ),
    relations=(
        reached("kv_namespaces", "settings.bindings[].namespace_id", "cloudflare.kv.namespace", "id", "scripts"),
        reached("databases", "settings.d1_ids[]", "cloudflare.d1.database", "uuid", "scripts"),
        reached("buckets", "settings.bindings[].bucket_name", "cloudflare.r2.bucket", "name", "scripts"),
        reached("queues", "settings.bindings[].queue_name", "cloudflare.queue", "queue_name", "scripts"),
        reached("services", "settings.bindings[].service", "cloudflare.workers.script", "id", "callers"),
    ),
)  # fmt: skip

ROUTES = Listing(
    kind="cloudflare.workers.route",
    title="Worker route",
    parents=(ZONES,),
    api="GET /zones/{zone}/workers/routes",
    items="result[]",
    permission="Workers Routes Read",
    id="{id}",
    name=("pattern", "id"),
    adds=OF_ZONE,
    relations=(
        in_zone("worker_routes"),
        reached("worker", "script", "cloudflare.workers.script", "id", "routes"),
    ),
)

DOMAINS = Listing(
    kind="cloudflare.workers.domain",
    title="Worker custom domain",
    api="GET /accounts/{account}/workers/domains",
    items="result[]",
    permission=SCRIPTS_READ,
    id="{id}",
    name=("hostname", "id"),
    adds=OF_ACCOUNT,
    relations=(
        in_zone("worker_domains"),
        reached("worker", "service", "cloudflare.workers.script", "id", "custom_domains"),
    ),
)

PROJECTS = Listing(
    kind="cloudflare.pages.project",
    title="Pages project",
    api="GET /accounts/{account}/pages/projects",
    items="result[]",
    params={"page": 1},  # Pages refuses larger pages than its own
    paging=PAGES,
    shape=with_bindings,
    permission="Pages Read",
    id="{name}",
    name=("name",),
    adds=OF_ACCOUNT,
    drop=(
        "result[].build_config.web_analytics_token",
        "result[].latest_deployment.build_config",
        "result[].canonical_deployment.build_config",
    ),
    relations=(
        reached("kv_namespaces", "kv_ids[]", "cloudflare.kv.namespace", "id", "pages_projects"),
        reached("databases", "d1_ids[]", "cloudflare.d1.database", "uuid", "pages_projects"),
        reached("buckets", "r2_names[]", "cloudflare.r2.bucket", "name", "pages_projects"),
        reached("preview_applications", "preview_hosts[]", "cloudflare.access.application", "hosts[]", "previews"),
    ),
)  # fmt: skip

# A bucket of one jurisdiction is in no list of another, and its name may be there as well. As of
# November 2026: developers.cloudflare.com/r2/reference/data-location
JURISDICTIONS = (
    {"jurisdiction": DEFAULT_JURISDICTION, "place": ""},
    *({"jurisdiction": name, "place": name} for name in ("eu", "us", "fedramp")),
)
WITHIN = {JURISDICTION: "{jurisdiction}"}

BUCKETS = Listing(
    kind="cloudflare.r2.bucket",
    title="R2 bucket",
    api="GET /accounts/{account}/r2/buckets",
    items="result.buckets[]",
    each=JURISDICTIONS,
    absent=(NOT_ENTITLED,),  # without R2, or without the jurisdiction, there is no bucket in it
    params={"per_page": 1000, **WITHIN},
    paging=CURSOR,
    permission=R2,
    id="{name}",
    name=("name",),
    region="{place}",
    adds=OF_ACCOUNT,
    details=(
        Detail(
            field="managed_domain",
            api="GET /accounts/{account}/r2/buckets/{bucket}/domains/managed",
            params={"bucket": "{name}", **WITHIN},
            result="result",
            permission=R2,
        ),
        Detail(
            field="custom_domains",
            api="GET /accounts/{account}/r2/buckets/{bucket}/domains/custom",
            params={"bucket": "{name}", **WITHIN},
            result="result.domains",
            permission=R2,
        ),
        Detail(
            field="cors",
            api="GET /accounts/{account}/r2/buckets/{bucket}/cors",
            params={"bucket": "{name}", **WITHIN},
            result="result.rules",
            optional=True,
            absent=NO_CORS,
            permission=R2,
        ),
        Detail(
            field="lifecycle",
            api="GET /accounts/{account}/r2/buckets/{bucket}/lifecycle",
            params={"bucket": "{name}", **WITHIN},
            result="result.rules",
            optional=True,
            permission=R2,
        ),
    ),
    relations=(
        reached("public_records", "custom_domains[].domain", "cloudflare.dns.record", "name", "buckets"),
    ),
)  # fmt: skip

QUEUES = Listing(
    kind="cloudflare.queue",
    title="Queue",
    api="GET /accounts/{account}/queues",
    items="result[]",
    params={"page": 1},
    paging=PAGES,
    permission="Queues Read",
    id="{queue_id}",
    name=("queue_name", "queue_id"),
    adds=OF_ACCOUNT,
    relations=(
        reached("dead_letter_queues", "consumers[].dead_letter_queue", "cloudflare.queue", "queue_name", "dead_letters_of"),
        reached("consuming_scripts", "consumers[].script", "cloudflare.workers.script", "id", "consumed_queues"),
    ),
)  # fmt: skip

NAMESPACES = Listing(
    kind="cloudflare.kv.namespace",
    title="Workers KV namespace",
    api="GET /accounts/{account}/storage/kv/namespaces",
    items="result[]",
    params={"per_page": 100},
    paging=PAGES,
    permission="Workers KV Storage Read",
    id="{id}",
    name=("title", "id"),
    adds=OF_ACCOUNT,
)

DATABASES = Listing(
    kind="cloudflare.d1.database",
    title="D1 database",
    api="GET /accounts/{account}/d1/database",
    items="result[]",
    params={"per_page": 100},
    paging=PAGES,
    permission="D1 Read",
    id="{uuid}",
    name=("name", "uuid"),
    adds=OF_ACCOUNT,
)

TABLES = (SCRIPTS, ROUTES, DOMAINS, PROJECTS, BUCKETS, QUEUES, NAMESPACES, DATABASES)
