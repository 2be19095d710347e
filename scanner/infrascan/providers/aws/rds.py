"""RDS: instances, clusters and snapshots."""

from __future__ import annotations

from infrascan.model import Relation
from infrascan.providers.aws.tables import MARKER, Detail, Listing, Metric

INSTANCES = Listing(
    kind="aws.rds.db_instance",
    title="RDS instance",
    service="rds",
    operation="DescribeDBInstances",
    items="DBInstances[]",
    params={"MaxRecords": 100},
    paging=MARKER,
    id="{DBInstanceArn}",
    name=("DBInstanceIdentifier",),
    tags="TagList",
    relations=(
        Relation(
            name="security_groups",
            path="VpcSecurityGroups[].VpcSecurityGroupId",
            to="aws.ec2.security_group",
            by="GroupId",
            reverse="db_instances",
        ),
        Relation(
            name="subnets",
            path="DBSubnetGroup.Subnets[].SubnetIdentifier",
            to="aws.ec2.subnet",
            by="SubnetId",
            reverse="db_instances",
        ),
        Relation(
            name="vpc",
            path="DBSubnetGroup.VpcId",
            to="aws.ec2.vpc",
            by="VpcId",
            reverse="db_instances",
        ),
        Relation(
            name="cluster",
            path="DBClusterIdentifier",
            to="aws.rds.db_cluster",
            by="DBClusterIdentifier",
            reverse="instances",
        ),
        Relation(
            name="kms_key", path="KmsKeyId", to="aws.kms.key", by="id", reverse="db_instances"
        ),
    ),
    metrics=(
        Metric(
            name="cpu",
            namespace="AWS/RDS",
            metric="CPUUtilization",
            dimensions={"DBInstanceIdentifier": "{DBInstanceIdentifier}"},
        ),
        Metric(
            name="connections",
            namespace="AWS/RDS",
            metric="DatabaseConnections",
            dimensions={"DBInstanceIdentifier": "{DBInstanceIdentifier}"},
        ),
        Metric(
            name="free_storage",
            namespace="AWS/RDS",
            metric="FreeStorageSpace",
            dimensions={"DBInstanceIdentifier": "{DBInstanceIdentifier}"},
            statistics=("Minimum",),
        ),
    ),
)

CLUSTERS = Listing(
    kind="aws.rds.db_cluster",
    title="RDS cluster",
    service="rds",
    operation="DescribeDBClusters",
    items="DBClusters[]",
    params={"MaxRecords": 100},
    paging=MARKER,
    id="{DBClusterArn}",
    name=("DBClusterIdentifier",),
    tags="TagList",
    relations=(
        Relation(
            name="security_groups",
            path="VpcSecurityGroups[].VpcSecurityGroupId",
            to="aws.ec2.security_group",
            by="GroupId",
            reverse="db_clusters",
        ),
        Relation(name="kms_key", path="KmsKeyId", to="aws.kms.key", by="id", reverse="db_clusters"),
    ),
)

SNAPSHOTS = Listing(
    kind="aws.rds.db_snapshot",
    title="RDS snapshot",
    service="rds",
    operation="DescribeDBSnapshots",
    items="DBSnapshots[]",
    params={"MaxRecords": 100},
    paging=MARKER,
    id="{DBSnapshotArn}",
    name=("DBSnapshotIdentifier",),
    tags="TagList",
    details=(
        Detail(
            field="attributes",
            operation="DescribeDBSnapshotAttributes",
            params={"DBSnapshotIdentifier": "{DBSnapshotIdentifier}"},
            result="DBSnapshotAttributesResult.DBSnapshotAttributes",
            when="SnapshotType=manual",  # only a manual snapshot can be shared
        ),
    ),
    relations=(
        Relation(
            name="db_instance",
            path="DBInstanceIdentifier",
            to="aws.rds.db_instance",
            by="DBInstanceIdentifier",
            reverse="snapshots",
        ),
        Relation(name="kms_key", path="KmsKeyId", to="aws.kms.key", by="id"),
    ),
)

TABLES = (INSTANCES, CLUSTERS, SNAPSHOTS)
