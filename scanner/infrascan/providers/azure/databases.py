"""Databases, caches, and what analyses their data."""

from __future__ import annotations

from typing import Any

from infrascan.model import Relation
from infrascan.providers.azure.tables import (
    ABSENT,
    child_of,
    detail,
    diagnostics,
    leads,
    metrics,
    row,
)
from infrascan.providers.rest.tables import Detail

SERVER = "Microsoft.Sql/servers"
DATABASE = "Microsoft.Sql/servers/databases"
POSTGRES = "Microsoft.DBforPostgreSQL/flexibleServers"
MYSQL = "Microsoft.DBforMySQL/flexibleServers"
SQL_VERSION = "2021-11-01"

SERVERS = row(
    "sql.server",
    "SQL server",
    SERVER,
    details=(
        detail(
            "firewall_rules",
            SERVER,
            "firewallRules",
            SQL_VERSION,
            permission="Microsoft.Sql/servers/firewallRules/read",
            many=True,
        ),
        detail(
            "auditing",
            SERVER,
            "auditingSettings/default",
            SQL_VERSION,
            permission="Microsoft.Sql/servers/auditingSettings/read",
            drop=("properties.storageAccountAccessKey",),
        ),
        detail(
            "security_alert_policy",
            SERVER,
            "securityAlertPolicies/Default",
            SQL_VERSION,
            permission="Microsoft.Sql/servers/securityAlertPolicies/read",
            drop=("properties.storageAccountAccessKey",),
        ),
        detail(
            "vulnerability_assessment",
            SERVER,
            "vulnerabilityAssessments/default",
            SQL_VERSION,
            permission="Microsoft.Sql/servers/vulnerabilityAssessments/read",
            absent=ABSENT,
            drop=("properties.storageAccountAccessKey", "properties.storageContainerSasKey"),
        ),
        detail(
            "encryption_protector",
            SERVER,
            "encryptionProtector/current",
            SQL_VERSION,
            permission="Microsoft.Sql/servers/encryptionProtector/read",
        ),
        detail(
            "administrators",
            SERVER,
            "administrators",
            SQL_VERSION,
            permission="Microsoft.Sql/servers/administrators/read",
            many=True,
        ),
    ),
    drop=("properties.administratorLoginPassword",),
)


def not_master(database: dict[str, Any]) -> dict[str, Any]:
    """Say whether this is a database of the user's: `master` has no settings to read."""
    own = str(database.get("name", "")).rpartition("/")[2].lower() != "master"
    return {**database, "user_database": True if own else None}


DATABASES = row(
    "sql.database",
    "SQL database",
    DATABASE,
    shape=not_master,
    details=(
        detail(
            "transparent_data_encryption",
            DATABASE,
            "transparentDataEncryption/current",
            SQL_VERSION,
            permission="Microsoft.Sql/servers/databases/transparentDataEncryption/read",
            when="user_database",
        ),
        detail(
            "short_term_retention",
            DATABASE,
            "backupShortTermRetentionPolicies/default",
            SQL_VERSION,
            permission="Microsoft.Sql/servers/databases/backupShortTermRetentionPolicies/read",
            when="user_database",
        ),
        detail(
            "long_term_retention",
            DATABASE,
            "backupLongTermRetentionPolicies/default",
            SQL_VERSION,
            permission="Microsoft.Sql/servers/databases/backupLongTermRetentionPolicies/read",
            when="user_database",
            absent=ABSENT,
        ),
        metrics(
            DATABASE,
            {
                "cpu": "cpu_percent",
                "storage": "storage_percent",
                "connections": "connection_successful",
            },
            aggregation="Average,Maximum,Total",
            when="user_database",
        ),
    ),
    relations=(
        child_of("server", "sql.server", "databases"),
        leads("elastic_pool", "properties.elasticPoolId", "sql.elastic_pool", reverse="databases"),
    ),
)

POOLS = row(
    "sql.elastic_pool",
    "SQL elastic pool",
    "Microsoft.Sql/servers/elasticPools",
    details=(
        metrics(
            "Microsoft.Sql/servers/elasticPools",
            {"cpu": "cpu_percent", "storage": "storage_percent"},
            aggregation="Average,Maximum",
        ),
    ),
    relations=(child_of("server", "sql.server", "elastic_pools"),),
)

INSTANCES = row(
    "sql.managed_instance",
    "SQL managed instance",
    "Microsoft.Sql/managedInstances",
    relations=(
        leads("subnet", "properties.subnetId", "network.subnet", reverse="managed_instances"),
    ),
    drop=("properties.administratorLoginPassword",),
)


def settings(found: Any) -> list[dict[str, Any]]:
    """Parameters by name and value, without the manual page that comes with each."""
    kept = ("value", "defaultValue", "source")
    return [
        {
            "name": one["name"],
            "properties": {
                name: one["properties"][name] for name in kept if name in one["properties"]
            },
        }
        for one in found
    ]


def flexible(type: str, version: str) -> tuple[Detail, ...]:
    return (
        detail(
            "firewall_rules",
            type,
            "firewallRules",
            version,
            permission=f"{type}/firewallRules/read",
            many=True,
        ),
        detail(
            "configurations",
            type,
            "configurations",
            version,
            permission=f"{type}/configurations/read",
            many=True,
            shape=settings,
        ),
        metrics(
            type,
            {
                "cpu": "cpu_percent",
                "connections": "active_connections",
                "storage": "storage_percent",
            },
            aggregation="Average,Maximum",
            when="properties.state=Ready",
        ),
    )


def inside_network() -> tuple[Relation, ...]:
    return (
        leads(
            "subnet",
            "properties.network.delegatedSubnetResourceId",
            "network.subnet",
            reverse="database_servers",
        ),
    )


POSTGRES_SERVERS = row(
    "dbforpostgresql.flexible_server",
    "PostgreSQL flexible server",
    POSTGRES,
    details=flexible(POSTGRES, "2024-08-01"),
    relations=inside_network(),
    drop=("properties.administratorLoginPassword",),
)

MYSQL_SERVERS = row(
    "dbformysql.flexible_server",
    "MySQL flexible server",
    MYSQL,
    details=flexible(MYSQL, "2023-12-30"),
    relations=inside_network(),
    drop=("properties.administratorLoginPassword",),
)

COSMOS = row(
    "documentdb.database_account",
    "Cosmos DB account",
    "Microsoft.DocumentDB/databaseAccounts",
    details=(
        diagnostics("Microsoft.DocumentDB/databaseAccounts"),
        metrics(
            "Microsoft.DocumentDB/databaseAccounts",
            {"requests": "TotalRequests"},
            aggregation="Count,Total",
        ),
    ),
)

CACHES = row(
    "cache.redis",
    "Redis cache",
    "Microsoft.Cache/Redis",
    details=(
        detail(
            "firewall_rules",
            "Microsoft.Cache/Redis",
            "firewallRules",
            "2024-11-01",
            permission="Microsoft.Cache/redis/firewallRules/read",
            many=True,
        ),
        metrics(
            "Microsoft.Cache/Redis",
            {"connected_clients": "connectedclients", "memory": "usedmemorypercentage"},
            aggregation="Average,Maximum",
        ),
    ),
    relations=(leads("subnet", "properties.subnetId", "network.subnet", reverse="caches"),),
    drop=(
        "properties.accessKeys",
        "properties.redisConfiguration.rdb-storage-connection-string",
        "properties.redisConfiguration.aof-storage-connection-string-0",
        "properties.redisConfiguration.aof-storage-connection-string-1",
    ),
)

ENTERPRISE_CACHES = row(
    "cache.redis_enterprise", "Managed Redis cluster", "Microsoft.Cache/redisEnterprise"
)

SYNAPSE = row(
    "synapse.workspace",
    "Synapse workspace",
    "Microsoft.Synapse/workspaces",
    drop=("properties.sqlAdministratorLoginPassword",),
)

DATABRICKS = row(
    "databricks.workspace",
    "Databricks workspace",
    "Microsoft.Databricks/workspaces",
    details=(diagnostics("Microsoft.Databricks/workspaces"),),
)

FACTORIES = row("datafactory.factory", "Data factory", "Microsoft.DataFactory/factories")

KUSTO = row("kusto.cluster", "Data Explorer cluster", "Microsoft.Kusto/clusters")

TABLES = (
    SERVERS,
    DATABASES,
    POOLS,
    INSTANCES,
    POSTGRES_SERVERS,
    MYSQL_SERVERS,
    COSMOS,
    CACHES,
    ENTERPRISE_CACHES,
    SYNAPSE,
    DATABRICKS,
    FACTORIES,
    KUSTO,
)
