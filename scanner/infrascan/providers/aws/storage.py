"""EFS, ElastiCache and Redshift."""

from __future__ import annotations

from infrascan.model import Relation
from infrascan.providers.aws.tables import (
    MARKER,
    NEXT_MARKER,
    Detail,
    Listing,
    Metric,
)

FILE_SYSTEMS = Listing(
    kind="aws.efs.file_system",
    title="EFS file system",
    service="efs",
    operation="DescribeFileSystems",
    items="FileSystems[]",
    params={"MaxItems": 100},
    paging=NEXT_MARKER,
    id="arn:{partition}:elasticfilesystem:{region}:{account}:file-system/{FileSystemId}",
    name=("Name", "FileSystemId"),
    tags="Tags",
    details=(
        Detail(
            field="policy",
            operation="DescribeFileSystemPolicy",
            params={"FileSystemId": "{FileSystemId}"},
            result="Policy",
            documents=("",),
            absent=("PolicyNotFound",),
        ),
        Detail(
            field="backup_policy",
            operation="DescribeBackupPolicy",
            params={"FileSystemId": "{FileSystemId}"},
            result="BackupPolicy",
            absent=("PolicyNotFound",),
        ),
        Detail(
            field="lifecycle",
            operation="DescribeLifecycleConfiguration",
            params={"FileSystemId": "{FileSystemId}"},
            result="LifecyclePolicies",
        ),
        Detail(
            field="mount_targets",
            operation="DescribeMountTargets",
            params={"FileSystemId": "{FileSystemId}"},
            result="MountTargets[]",
            paging=NEXT_MARKER,
        ),
    ),
    relations=(
        Relation(
            name="kms_key",
            path="KmsKeyId",
            to="aws.kms.key",
            by="id",
            reverse="file_systems",
        ),
        Relation(
            name="subnets",
            path="mount_targets[].SubnetId",
            to="aws.ec2.subnet",
            by="SubnetId",
            reverse="file_systems",
        ),
    ),
    metrics=(
        Metric(
            name="connections",
            namespace="AWS/EFS",
            metric="ClientConnections",
            dimensions={"FileSystemId": "{FileSystemId}"},
            statistics=("Sum",),
        ),
    ),
)

CACHE_CLUSTERS = Listing(
    kind="aws.elasticache.cluster",
    title="ElastiCache cluster",
    service="elasticache",
    operation="DescribeCacheClusters",
    items="CacheClusters[]",
    params={"ShowCacheNodeInfo": True, "MaxRecords": 100},
    paging=MARKER,
    id="arn:{partition}:elasticache:{region}:{account}:cluster:{CacheClusterId}",
    name=("CacheClusterId",),
    details=(
        Detail(
            field="tags",
            operation="ListTagsForResource",
            params={
                "ResourceName": "arn:{partition}:elasticache:{region}:{account}:cluster:{CacheClusterId}"
            },
            result="TagList",
        ),
    ),
    relations=(
        Relation(
            name="security_groups",
            path="SecurityGroups[].SecurityGroupId",
            to="aws.ec2.security_group",
            by="GroupId",
            reverse="cache_clusters",
        ),
        Relation(
            name="replication_group",
            path="ReplicationGroupId",
            to="aws.elasticache.replication_group",
            by="name",
            reverse="clusters",
        ),
    ),
    metrics=(
        Metric(
            name="cpu",
            namespace="AWS/ElastiCache",
            metric="CPUUtilization",
            dimensions={"CacheClusterId": "{CacheClusterId}"},
        ),
        Metric(
            name="connections",
            namespace="AWS/ElastiCache",
            metric="CurrConnections",
            dimensions={"CacheClusterId": "{CacheClusterId}"},
        ),
    ),
)

REPLICATION_GROUPS = Listing(
    kind="aws.elasticache.replication_group",
    title="ElastiCache replication group",
    service="elasticache",
    operation="DescribeReplicationGroups",
    items="ReplicationGroups[]",
    params={"MaxRecords": 100},
    paging=MARKER,
    id="arn:{partition}:elasticache:{region}:{account}:replicationgroup:{ReplicationGroupId}",
    name=("ReplicationGroupId",),
    details=(
        Detail(
            field="tags",
            operation="ListTagsForResource",
            params={
                "ResourceName": "arn:{partition}:elasticache:{region}:{account}:replicationgroup:{ReplicationGroupId}"
            },
            result="TagList",
        ),
    ),
    relations=(
        Relation(
            name="kms_key",
            path="KmsKeyId",
            to="aws.kms.key",
            by="id",
            reverse="replication_groups",
        ),
    ),
)

REDSHIFT = Listing(
    kind="aws.redshift.cluster",
    title="Redshift cluster",
    service="redshift",
    operation="DescribeClusters",
    items="Clusters[]",
    params={"MaxRecords": 100},
    paging=MARKER,
    id="arn:{partition}:redshift:{region}:{account}:cluster:{ClusterIdentifier}",
    name=("ClusterIdentifier",),
    tags="Tags",
    details=(
        Detail(
            field="logging",
            operation="DescribeLoggingStatus",
            needs="LoggingEnabled",
            params={"ClusterIdentifier": "{ClusterIdentifier}"},
        ),
    ),
    relations=(
        Relation(
            name="security_groups",
            path="VpcSecurityGroups[].VpcSecurityGroupId",
            to="aws.ec2.security_group",
            by="GroupId",
            reverse="redshift_clusters",
        ),
        Relation(
            name="vpc",
            path="VpcId",
            to="aws.ec2.vpc",
            by="VpcId",
            reverse="redshift_clusters",
        ),
        Relation(
            name="kms_key",
            path="KmsKeyId",
            to="aws.kms.key",
            by="id",
            reverse="redshift_clusters",
        ),
    ),
    metrics=(
        Metric(
            name="cpu",
            namespace="AWS/Redshift",
            metric="CPUUtilization",
            dimensions={"ClusterIdentifier": "{ClusterIdentifier}"},
        ),
        Metric(
            name="connections",
            namespace="AWS/Redshift",
            metric="DatabaseConnections",
            dimensions={"ClusterIdentifier": "{ClusterIdentifier}"},
        ),
    ),
)

TABLES = (FILE_SYSTEMS, CACHE_CLUSTERS, REPLICATION_GROUPS, REDSHIFT)
