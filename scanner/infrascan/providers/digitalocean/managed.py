"""What DigitalOcean runs for its customers: databases, Kubernetes, apps, registries."""

from __future__ import annotations

from typing import Any

from infrascan.providers.digitalocean.reading import (
    FULL,
    PAGES,
    app,
    leads,
    secrets,
    sources,
)
from infrascan.providers.rest.tables import NULL, Detail, Listing, Parent

RULE: dict[str, Any] = {"uuid": {}, "cluster_uuid": {}, "type": {}, "value": {}, "created_at": {}}

DATABASES = Listing(
    kind="digitalocean.database_cluster",
    title="DigitalOcean database cluster",
    api="GET /v2/databases",
    items="databases[]",
    optional=NULL,
    id="{id}",
    name=("name",),
    region="{region|}",
    tags="tags",
    drop=secrets("databases[]"),
    permission="database:read",
    details=(
        Detail(
            field="trusted_sources",
            api="GET /v2/databases/{database_cluster_uuid}/firewall",
            params={"database_cluster_uuid": "{id}"},
            shape=sources,
            permission="database:read",
            fields={"[]": RULE},
        ),
        Detail(
            field="pools",
            api="GET /v2/databases/{database_cluster_uuid}/pools",
            params={"database_cluster_uuid": "{id}"},
            result="pools[]",
            optional=NULL,
            when="engine=pg",
            drop=secrets("pools[]"),
            permission="database:read",
            fields={"[]": {"name": {}, "mode": {}, "size": {}, "db": {}, "user": {}}},
        ),
        Detail(
            field="replicas",
            api="GET /v2/databases/{database_cluster_uuid}/replicas",
            params={"database_cluster_uuid": "{id}"},
            result="replicas[]",
            optional=NULL,
            when="engine=pg|mysql",
            drop=secrets("replicas[]"),
            permission="database:read",
            fields={"[]": {"id": {}, "name": {}, "region": {}, "size": {}, "status": {}}},
        ),
        Detail(
            field="backups",
            api="GET /v2/databases/{database_cluster_uuid}/backups",
            params={"database_cluster_uuid": "{id}"},
            result="backups[]",
            when="engine=pg|mysql|mongodb",
            permission="database:read",
            fields={"[]": {"created_at": {}, "size_gigabytes": {}}},
        ),
    ),
    relations=(leads("vpc", "private_network_uuid", "vpc", "databases"),),
)

CLUSTERS = Listing(
    kind="digitalocean.kubernetes_cluster",
    title="DigitalOcean Kubernetes cluster",
    api="GET /v2/kubernetes/clusters",
    items="kubernetes_clusters[]",
    params=FULL,
    paging=PAGES,
    id="{id}",
    name=("name",),
    region="{region|}",
    tags="tags",
    permission="kubernetes:read",
    details=(
        Detail(
            field="upgrades",
            api="GET /v2/kubernetes/clusters/{cluster_id}/upgrades",
            params={"cluster_id": "{id}"},
            result="available_upgrade_versions[]",
            optional=NULL,
            permission="kubernetes:read",
            fields={"[]": {"slug": {}, "kubernetes_version": {}}},
        ),
    ),
    relations=(
        leads("droplets", "node_pools[].nodes[].droplet_id", "droplet", "kubernetes_clusters"),
        leads("vpc", "vpc_uuid", "vpc", "kubernetes_clusters"),
        leads(
            "offered_version",
            "version",
            "kubernetes_version",
            "clusters",
            missing="missing_versions",
        ),
    ),
)

VERSIONS = Listing(
    kind="digitalocean.kubernetes_version",
    title="Kubernetes version that DigitalOcean offers",
    api="GET /v2/kubernetes/options",
    items="options.versions[]",
    id="{slug}",
    name=("slug",),
    permission="kubernetes:read",
)

APPS = Listing(
    kind="digitalocean.app",
    title="App Platform app",
    api="GET /v2/apps",
    items="apps[]",
    optional=True,
    params=FULL,
    paging=PAGES,
    id="{id}",
    name=("spec.name", "id"),
    region="{region.slug|}",
    shape=app,
    permission="app:read",
    relations=(
        leads("sizes", "spec.services[].instance_size_slug", "app_size", "apps"),
        leads("sizes", "spec.workers[].instance_size_slug", "app_size", "apps"),
    ),
)

APP_SIZES = Listing(
    kind="digitalocean.app_size",
    title="Instance size of App Platform",
    api="GET /v2/apps/tiers/instance_sizes",
    items="instance_sizes[]",
    id="{slug}",
    name=("slug",),
    permission="app:read",
)

REGISTRIES = Listing(
    kind="digitalocean.registry",
    title="DigitalOcean container registry",
    api="GET /v2/registries",
    items="registries[]",
    id="{name}",
    name=("name",),
    region="{region|}",
    permission="registry:read",
    details=(
        Detail(
            field="garbage_collections",
            api="GET /v2/registries/{registry_name}/garbage-collections",
            params={"registry_name": "{name}", "per_page": 200},
            result="garbage_collections[]",
            paging=PAGES,
            optional=True,
            permission="registry:read",
        ),
    ),
)

REPOSITORIES = Listing(
    kind="digitalocean.registry_repository",
    title="Repository of a DigitalOcean registry",
    parents=(
        Parent(
            api="GET /v2/registries",
            items="registries[]",
            gives={"registry_name": "name"},
            permission="registry:read",
        ),
    ),
    api="GET /v2/registries/{registry_name}/repositoriesV2",
    items="repositories[]",
    optional=True,
    params={"per_page": 100},
    paging=PAGES,
    id="{registry_name}/{name}",
    name=("{registry_name}/{name}", "name"),
    permission="registry:read",
    relations=(leads("registry", "registry_name", "registry", "repositories"),),
)

SUBSCRIPTION = Listing(
    kind="digitalocean.registry_subscription",
    title="Subscription of DigitalOcean's registry",
    api="GET /v2/registry/subscription",
    absent=("404", "412"),
    id="registry",
    name=("subscription.tier.name",),
    permission="registry:read",
)

MANAGED = (
    DATABASES,
    CLUSTERS,
    VERSIONS,
    APPS,
    APP_SIZES,
    REGISTRIES,
    REPOSITORIES,
    SUBSCRIPTION,
)
