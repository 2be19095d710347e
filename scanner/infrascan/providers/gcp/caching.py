"""Caches, file servers and AlloyDB: what runs on machines of Google's that a project sizes."""

from __future__ import annotations

from infrascan.model import Relation
from infrascan.providers.gcp.asking import listed
from infrascan.providers.gcp.tables import Asset, Metric, address, key

REDIS = Asset(
    kind="gcp.redis.instance",
    title="Memorystore for Redis instance",
    types=("redis.googleapis.com/Instance",),
    schema="redis:v1:Instance",
    policy=False,
    rest=listed(
        "gcp.redis.instance",
        "Memorystore for Redis instance",
        "GET redis.googleapis.com/v1/projects/{project}/locations/-/instances",
        "instances[]",
        "redis.instances.list",
        region="{name!location}",
    ),
    relations=(
        key("customerManagedKey", "redis_instances"),
        address(
            "networks", "authorizedNetwork", "gcp.compute.network", "redis_instances", shared=True
        ),
    ),
    metrics=(
        Metric(
            name="memory",
            type="redis.googleapis.com/stats/memory/usage_ratio",
            resource="redis_instance",
            by="resource.instance_id",
            match="{name}",
            aligners=("ALIGN_MEAN", "ALIGN_MAX"),
        ),
        Metric(
            name="clients",
            type="redis.googleapis.com/clients/connected",
            resource="redis_instance",
            by="resource.instance_id",
            match="{name}",
            aligners=("ALIGN_MAX",),
        ),
    ),
)

REDIS_CLUSTERS = Asset(
    kind="gcp.redis.cluster",
    title="Memorystore for Redis cluster",
    types=("redis.googleapis.com/Cluster",),
    schema="redis:v1:Cluster",
    policy=False,
    rest=listed(
        "gcp.redis.cluster",
        "Memorystore for Redis cluster",
        "GET redis.googleapis.com/v1/projects/{project}/locations/-/clusters",
        "clusters[]",
        "redis.clusters.list",
        region="{name!location}",
    ),
)

MEMCACHE = Asset(
    kind="gcp.memcache.instance",
    title="Memorystore for Memcached instance",
    types=("memcache.googleapis.com/Instance",),
    schema="memcache:v1:Instance",
    policy=False,
    rest=listed(
        "gcp.memcache.instance",
        "Memorystore for Memcached instance",
        "GET memcache.googleapis.com/v1/projects/{project}/locations/-/instances",
        "instances[]",
        "memcache.instances.list",
        region="{name!location}",
    ),
)

FILES = Asset(
    kind="gcp.file.instance",
    title="Filestore instance",
    types=("file.googleapis.com/Instance",),
    schema="file:v1:Instance",
    policy=False,
    rest=listed(
        "gcp.file.instance",
        "Filestore instance",
        "GET file.googleapis.com/v1/projects/{project}/locations/-/instances",
        "instances[]",
        "file.instances.list",
        region="{name!location}",
    ),
    relations=(key("kmsKeyName", "file_instances"),),
    metrics=(
        Metric(
            name="used_percent",
            type="file.googleapis.com/nfs/server/used_bytes_percent",
            resource="filestore_instance",
            by="resource.instance_name",
            match="{name!base}",
            aligners=("ALIGN_MEAN", "ALIGN_MAX"),
        ),
    ),
)

ALLOYDB = Asset(
    kind="gcp.alloydb.cluster",
    title="AlloyDB cluster",
    types=("alloydb.googleapis.com/Cluster",),
    schema="alloydb:v1:Cluster",
    policy=False,
    drop=("initialUser.password",),
    rest=listed(
        "gcp.alloydb.cluster",
        "AlloyDB cluster",
        "GET alloydb.googleapis.com/v1/projects/{project}/locations/-/clusters",
        "clusters[]",
        "alloydb.clusters.list",
        region="{name!location}",
    ),
    relations=(key("encryptionConfig.kmsKeyName", "alloydb_clusters"),),
)

ALLOYDB_INSTANCES = Asset(
    kind="gcp.alloydb.instance",
    title="AlloyDB instance",
    types=("alloydb.googleapis.com/Instance",),
    schema="alloydb:v1:Instance",
    policy=False,
    rest=listed(
        "gcp.alloydb.instance",
        "AlloyDB instance",
        "GET alloydb.googleapis.com/v1/projects/{project}/locations/-/clusters/-/instances",
        "instances[]",
        "alloydb.instances.list",
        region="{name!location}",
    ),
    relations=(
        Relation(
            name="cluster",
            path="name",
            to="gcp.alloydb.cluster",
            by="id",
            reverse="instances",
            within="account",
            matching=r"^(projects/[^/]+/locations/[^/]+/clusters/[^/]+)",
        ),
    ),
)

TABLES = (REDIS, REDIS_CLUSTERS, MEMCACHE, FILES, ALLOYDB, ALLOYDB_INSTANCES)
