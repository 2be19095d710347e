"""Buckets and databases."""

from __future__ import annotations

from infrascan.model import Relation
from infrascan.providers.gcp.asking import Detail, listed
from infrascan.providers.gcp.tables import Asset, Metric, address, key

SQL = "cloudsql.googleapis.com/database/"
BIGQUERY = "GET bigquery.googleapis.com/bigquery/v2/projects/{project}/datasets"


# What the list of datasets leaves out, and a dataset asked by itself says.
ONLY_IN_ONE = (
    "access",
    "creationTime",
    "defaultEncryptionConfiguration",
    "defaultPartitionExpirationMs",
    "defaultTableExpirationMs",
    "description",
    "lastModifiedTime",
    "maxTimeTravelHours",
    "storageBillingModel",
)


def sql(name: str, metric: str, *aligners: str) -> Metric:
    return Metric(
        name=name,
        type=SQL + metric,
        resource="cloudsql_database",
        by="resource.database_id",
        match="{project}:{name}",
        aligners=aligners or ("ALIGN_MEAN",),
    )


BUCKETS = Asset(
    kind="gcp.storage.bucket",
    title="Cloud Storage bucket",
    types=("storage.googleapis.com/Bucket",),
    schema="storage:v1:Bucket",
    id="{name}",
    rest=listed(
        "gcp.storage.bucket",
        "Cloud Storage bucket",
        "GET storage.googleapis.com/storage/v1/b",
        "items[]",
        "storage.buckets.list",
        params={"project": "{project}", "projection": "full"},
        region="{location!lower}",
        details=(
            Detail(
                field="iam_policy",
                api="GET storage.googleapis.com/storage/v1/b/{bucket}/iam",
                params={"bucket": "{name}", "optionsRequestedPolicyVersion": 3},
                permission="storage.buckets.getIamPolicy",
            ),
        ),
    ),
    relations=(
        key("encryption.defaultKmsKeyName", "buckets"),
        Relation(
            name="log_bucket",
            path="logging.logBucket",
            to="gcp.storage.bucket",
            by="id",
            reverse="logs_of",
            within="anywhere",
        ),
    ),
    metrics=(
        Metric(
            name="size",
            type="storage.googleapis.com/storage/total_bytes",
            resource="gcs_bucket",
            by="resource.bucket_name",
            match="{name}",
            reducer="REDUCE_SUM",
        ),
        Metric(
            name="requests",
            type="storage.googleapis.com/api/request_count",
            resource="gcs_bucket",
            by="resource.bucket_name",
            match="{name}",
            aligners=("ALIGN_DELTA",),
            reducer="REDUCE_SUM",
        ),
    ),
)

SQL_INSTANCES = Asset(
    kind="gcp.sqladmin.instance",
    title="Cloud SQL instance",
    types=("sqladmin.googleapis.com/Instance",),
    schema="sqladmin:v1:DatabaseInstance",
    labels="settings.userLabels",
    policy=False,
    drop=(
        "rootPassword",
        "serverCaCert.cert",
        "replicaConfiguration.mysqlReplicaConfiguration.password",
        "replicaConfiguration.mysqlReplicaConfiguration.clientKey",
        "onPremisesConfiguration.password",
        "onPremisesConfiguration.clientKey",
    ),
    rest=listed(
        "gcp.sqladmin.instance",
        "Cloud SQL instance",
        "GET sqladmin.googleapis.com/v1/projects/{project}/instances",
        "items[]",
        "cloudsql.instances.list",
        id="projects/{project}/instances/{name}",
        region="{region}",
    ),
    relations=(
        key("diskEncryptionConfiguration.kmsKeyName", "sql_instances"),
        Relation(
            name="primary",
            path="masterInstanceName",
            to="gcp.sqladmin.instance",
            by="name",
            reverse="replicas",
            within="account",
            matching=r"([^:/]+)$",
        ),
        address(
            "networks",
            "settings.ipConfiguration.privateNetwork",
            "gcp.compute.network",
            "sql_instances",
            shared=True,
        ),
    ),
    metrics=(
        sql("cpu", "cpu/utilization", "ALIGN_MEAN", "ALIGN_MAX"),
        sql("memory", "memory/utilization", "ALIGN_MEAN", "ALIGN_MAX"),
        sql("disk", "disk/utilization", "ALIGN_MEAN", "ALIGN_MAX"),
        sql("connections", "network/connections", "ALIGN_MAX"),
    ),
    recommenders=(
        "google.cloudsql.instance.IdleRecommender",
        "google.cloudsql.instance.OverprovisionedRecommender",
        "google.cloudsql.instance.OutOfDiskRecommender",
    ),
)

DATASETS = Asset(
    kind="gcp.bigquery.dataset",
    title="BigQuery dataset",
    types=("bigquery.googleapis.com/Dataset",),
    schema="bigquery:v2:Dataset",
    id="projects/{datasetReference.projectId}/datasets/{datasetReference.datasetId}",
    name=("datasetReference.datasetId",),
    rest=listed(
        "gcp.bigquery.dataset",
        "BigQuery dataset",
        BIGQUERY,
        "datasets[]",
        "bigquery.datasets.get",
        id="projects/{datasetReference.projectId}/datasets/{datasetReference.datasetId}",
        region="{location!lower}",
        details=(
            Detail(
                field="",
                api=f"{BIGQUERY}/{{dataset}}",
                params={"dataset": "{datasetReference.datasetId}"},
                permission="bigquery.datasets.get",
                fields=dict.fromkeys(ONLY_IN_ONE),
            ),
        ),
    ),
    relations=(key("defaultEncryptionConfiguration.kmsKeyName", "datasets"),),
)

TABLE = Asset(
    kind="gcp.bigquery.table",
    title="BigQuery table",
    types=("bigquery.googleapis.com/Table",),
    schema="bigquery:v2:Table",
    name=("tableReference.tableId",),
    rest=None,
    relations=(key("encryptionConfiguration.kmsKeyName", "tables"),),
)

SPANNER = Asset(
    kind="gcp.spanner.instance",
    title="Spanner instance",
    types=("spanner.googleapis.com/Instance",),
    schema="spanner:v1:Instance",
    rest=listed(
        "gcp.spanner.instance",
        "Spanner instance",
        "GET spanner.googleapis.com/v1/projects/{project}/instances",
        "instances[]",
        "spanner.instances.list",
    ),
    metrics=(
        Metric(
            name="cpu",
            type="spanner.googleapis.com/instance/cpu/utilization",
            resource="spanner_instance",
            by="resource.instance_id",
            match="{name!base}",
            aligners=("ALIGN_MEAN", "ALIGN_MAX"),
        ),
    ),
)

SPANNER_DATABASES = Asset(
    kind="gcp.spanner.database",
    title="Spanner database",
    types=("spanner.googleapis.com/Database",),
    schema="spanner:v1:Database",
    relations=(
        Relation(
            name="instance",
            path="name",
            to="gcp.spanner.instance",
            by="id",
            reverse="databases",
            within="account",
            matching=r"^(projects/[^/]+/instances/[^/]+)",
        ),
        key("encryptionConfig.kmsKeyName", "spanner_databases"),
    ),
)

BIGTABLE = Asset(
    kind="gcp.bigtableadmin.instance",
    title="Bigtable instance",
    types=("bigtableadmin.googleapis.com/Instance",),
    schema="bigtableadmin:v2:Instance",
    rest=listed(
        "gcp.bigtableadmin.instance",
        "Bigtable instance",
        "GET bigtableadmin.googleapis.com/v2/projects/{project}/instances",
        "instances[]",
        "bigtable.instances.list",
    ),
)

BIGTABLE_CLUSTERS = Asset(
    kind="gcp.bigtableadmin.cluster",
    title="Bigtable cluster",
    types=("bigtableadmin.googleapis.com/Cluster",),
    schema="bigtableadmin:v2:Cluster",
    policy=False,
    relations=(
        Relation(
            name="instance",
            path="name",
            to="gcp.bigtableadmin.instance",
            by="id",
            reverse="clusters",
            within="account",
            matching=r"^(projects/[^/]+/instances/[^/]+)",
        ),
        key("encryptionConfig.kmsKeyName", "bigtable_clusters"),
    ),
)

FIRESTORE = Asset(
    kind="gcp.firestore.database",
    title="Firestore database",
    types=("firestore.googleapis.com/Database",),
    schema="firestore:v1:GoogleFirestoreAdminV1Database",
    policy=False,
    rest=listed(
        "gcp.firestore.database",
        "Firestore database",
        "GET firestore.googleapis.com/v1/projects/{project}/databases",
        "databases[]",
        "datastore.databases.list",
        region="{locationId}",
    ),
    relations=(key("cmekConfig.kmsKeyName", "firestore_databases"),),
)

TABLES = (
    BUCKETS,
    SQL_INSTANCES,
    DATASETS,
    TABLE,
    SPANNER,
    SPANNER_DATABASES,
    BIGTABLE,
    BIGTABLE_CLUSTERS,
    FIRESTORE,
)
