"""S3: buckets."""

from __future__ import annotations

from typing import Any

from infrascan.model import Relation
from infrascan.providers.aws.tables import Detail, Listing, Metric


def of_bucket(field: str, operation: str, **rest: Any) -> Detail:
    """A detail that is asked of the bucket, in the bucket's own region."""
    return Detail(
        field=field,
        operation=operation,
        params={"Bucket": "{Name}"},
        region="{BucketRegion}",
        **rest,
    )


BUCKETS = Listing(
    kind="aws.s3.bucket",
    title="S3 bucket",
    service="s3",
    operation="ListBuckets",
    items="Buckets[]",
    params={"MaxBuckets": 1000},  # without a parameter the answer does not name the region
    paging=(("ContinuationToken", "ContinuationToken"),),
    permission="s3:ListAllMyBuckets",
    id="arn:{partition}:s3:::{Name}",
    name=("Name",),
    adds={
        "AccountId": "{account}",
        "hosts": ["{Name}.s3.amazonaws.com", "{Name}.s3.{BucketRegion|}.amazonaws.com"],
    },
    regional=False,
    region="{BucketRegion}",
    details=(
        of_bucket("acl", "GetBucketAcl", needs="Grants"),
        of_bucket(
            "policy",
            "GetBucketPolicy",
            result="Policy",
            documents=("",),
            absent=("NoSuchBucketPolicy",),
        ),
        of_bucket(
            "policy_status",
            "GetBucketPolicyStatus",
            result="PolicyStatus",
            needs="PolicyStatus.IsPublic",
            absent=("NoSuchBucketPolicy",),
        ),
        of_bucket(
            "public_access_block",
            "GetPublicAccessBlock",
            result="PublicAccessBlockConfiguration",
            needs="PublicAccessBlockConfiguration.BlockPublicAcls",
            absent=("NoSuchPublicAccessBlockConfiguration",),
            permission="s3:GetBucketPublicAccessBlock",
        ),
        of_bucket(
            "encryption",
            "GetBucketEncryption",
            result="ServerSideEncryptionConfiguration",
            needs="ServerSideEncryptionConfiguration.Rules",
            absent=("ServerSideEncryptionConfigurationNotFoundError",),
            permission="s3:GetEncryptionConfiguration",
        ),
        of_bucket("versioning", "GetBucketVersioning"),
        of_bucket(
            "lifecycle",
            "GetBucketLifecycleConfiguration",
            result="Rules",
            absent=("NoSuchLifecycleConfiguration",),
            permission="s3:GetLifecycleConfiguration",
        ),
        of_bucket("logging", "GetBucketLogging", result="LoggingEnabled", optional=True),
        of_bucket("website", "GetBucketWebsite", absent=("NoSuchWebsiteConfiguration",)),
        of_bucket(
            "replication",
            "GetBucketReplication",
            result="ReplicationConfiguration",
            needs="ReplicationConfiguration.Rules",
            absent=("ReplicationConfigurationNotFoundError",),
            permission="s3:GetReplicationConfiguration",
        ),
        of_bucket(
            "object_lock",
            "GetObjectLockConfiguration",
            result="ObjectLockConfiguration",
            needs="ObjectLockConfiguration.ObjectLockEnabled",
            absent=("ObjectLockConfigurationNotFoundError",),
            permission="s3:GetBucketObjectLockConfiguration",
        ),
        of_bucket(
            "ownership",
            "GetBucketOwnershipControls",
            result="OwnershipControls",
            needs="OwnershipControls.Rules",
            absent=("OwnershipControlsNotFoundError",),
        ),
        of_bucket("tags", "GetBucketTagging", result="TagSet", absent=("NoSuchTagSet",)),
        of_bucket("location", "GetBucketLocation", result="LocationConstraint", optional=True),
    ),
    relations=(
        Relation(
            name="account",  # its public access block holds for every bucket
            path="AccountId",
            to="aws.account",
            by="AccountId",
            reverse="buckets",
            within="account",
        ),
        Relation(
            name="kms_key",
            path="encryption.Rules[].ApplyServerSideEncryptionByDefault.KMSMasterKeyID",
            to="aws.kms.key",
            by="id",
            reverse="buckets",
            within="account",
        ),
        Relation(
            name="log_bucket",
            path="logging.TargetBucket",
            to="aws.s3.bucket",
            by="Name",
            reverse="logs_of",
            within="account",
        ),
    ),
    metrics=(
        Metric(
            name="size_standard",
            namespace="AWS/S3",
            metric="BucketSizeBytes",
            dimensions={"BucketName": "{Name}", "StorageType": "StandardStorage"},
            statistics=("Average",),
            days=30,
        ),
        Metric(
            name="objects",
            namespace="AWS/S3",
            metric="NumberOfObjects",
            dimensions={"BucketName": "{Name}", "StorageType": "AllStorageTypes"},
            statistics=("Average",),
            days=30,
        ),
    ),
)

TABLES = (BUCKETS,)
