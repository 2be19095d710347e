"""EC2: instances, volumes, snapshots, images, launch templates and regional defaults."""

from __future__ import annotations

from infrascan.model import Relation
from infrascan.providers.aws.tables import NEXT_TOKEN, UNREAD, Batch, Detail, Listing, Metric

INSTANCES = Listing(
    kind="aws.ec2.instance",
    title="EC2 instance",
    service="ec2",
    operation="DescribeInstances",
    items="Reservations[].Instances[]",
    params={"MaxResults": 1000},
    id="arn:{partition}:ec2:{region}:{account}:instance/{InstanceId}",
    name=("tags.Name", "InstanceId"),
    tags="Tags",
    relations=(
        Relation(
            name="security_groups",
            path="SecurityGroups[].GroupId",
            to="aws.ec2.security_group",
            by="GroupId",
            reverse="instances",
        ),
        Relation(
            name="subnet",
            path="SubnetId",
            to="aws.ec2.subnet",
            by="SubnetId",
            reverse="instances",
        ),
        Relation(name="vpc", path="VpcId", to="aws.ec2.vpc", by="VpcId", reverse="instances"),
        Relation(
            name="volumes",
            path="BlockDeviceMappings[].Ebs.VolumeId",
            to="aws.ec2.volume",
            by="VolumeId",
            reverse="instances",
        ),
        Relation(
            name="image", path="ImageId", to="aws.ec2.image", by="ImageId", reverse="instances"
        ),
        Relation(
            name="role",
            path="IamInstanceProfile.Arn",
            to="aws.iam.role",
            by="InstanceProfileList[].Arn",
            reverse="instances",
            within="account",
        ),
    ),
    metrics=(
        Metric(
            name="cpu",
            namespace="AWS/EC2",
            metric="CPUUtilization",
            dimensions={"InstanceId": "{InstanceId}"},
        ),
        Metric(
            name="network_in",
            namespace="AWS/EC2",
            metric="NetworkIn",
            dimensions={"InstanceId": "{InstanceId}"},
            statistics=("Sum",),
        ),
        Metric(
            name="network_out",
            namespace="AWS/EC2",
            metric="NetworkOut",
            dimensions={"InstanceId": "{InstanceId}"},
            statistics=("Sum",),
        ),
    ),
)

VOLUMES = Listing(
    kind="aws.ec2.volume",
    title="EBS volume",
    service="ec2",
    operation="DescribeVolumes",
    items="Volumes[]",
    params={"MaxResults": 1000},
    id="arn:{partition}:ec2:{region}:{account}:volume/{VolumeId}",
    name=("tags.Name", "VolumeId"),
    tags="Tags",
    relations=(
        Relation(
            name="snapshot",
            path="SnapshotId",
            to="aws.ec2.snapshot",
            by="SnapshotId",
        ),
        Relation(name="kms_key", path="KmsKeyId", to="aws.kms.key", by="id", reverse="volumes"),
    ),
    metrics=(
        Metric(
            name="read_operations",
            namespace="AWS/EBS",
            metric="VolumeReadOps",
            dimensions={"VolumeId": "{VolumeId}"},
            statistics=("Sum",),
        ),
        Metric(
            name="write_operations",
            namespace="AWS/EBS",
            metric="VolumeWriteOps",
            dimensions={"VolumeId": "{VolumeId}"},
            statistics=("Sum",),
        ),
    ),
)

SNAPSHOTS = Listing(
    kind="aws.ec2.snapshot",
    title="EBS snapshot",
    service="ec2",
    operation="DescribeSnapshots",
    items="Snapshots[]",
    params={"OwnerIds": ["self"], "MaxResults": 1000},
    id="arn:{partition}:ec2:{region}::snapshot/{SnapshotId}",
    name=("tags.Name", "SnapshotId"),
    tags="Tags",
    details=(
        Batch(
            field="public",
            operation="DescribeSnapshots",
            params={"OwnerIds": ["self"], "RestorableByUserIds": ["all"], "MaxResults": 1000},
            result="Snapshots[]",
            by="SnapshotId",
            match="{SnapshotId}",
            flag=True,
            paging=NEXT_TOKEN,
        ),
    ),
    relations=(
        Relation(
            name="volume",
            path="VolumeId",
            to="aws.ec2.volume",
            by="VolumeId",
            reverse="snapshots",
        ),
        Relation(name="kms_key", path="KmsKeyId", to="aws.kms.key", by="id", reverse="snapshots"),
    ),
)

IMAGES = Listing(
    kind="aws.ec2.image",
    title="EC2 machine image",
    service="ec2",
    operation="DescribeImages",
    items="Images[]",
    params={"Owners": ["self"], "MaxResults": 1000},
    id="arn:{partition}:ec2:{region}::image/{ImageId}",
    name=("Name", "ImageId"),
    tags="Tags",
    relations=(
        Relation(
            name="snapshots",
            path="BlockDeviceMappings[].Ebs.SnapshotId",
            to="aws.ec2.snapshot",
            by="SnapshotId",
            reverse="images",
        ),
    ),
)

LAUNCH_TEMPLATES = Listing(
    kind="aws.ec2.launch_template",
    title="EC2 launch template",
    service="ec2",
    operation="DescribeLaunchTemplates",
    items="LaunchTemplates[]",
    params={"MaxResults": 200},
    id="arn:{partition}:ec2:{region}:{account}:launch-template/{LaunchTemplateId}",
    name=("LaunchTemplateName",),
    tags="Tags",
    details=(
        Batch(
            field="default_version",
            operation="DescribeLaunchTemplateVersions",
            params={"Versions": ["$Default"], "MaxResults": 200},
            result="LaunchTemplateVersions[]",
            by="LaunchTemplateId",
            match="{LaunchTemplateId}",
            value="LaunchTemplateData",
            otherwise=UNREAD,
            paging=NEXT_TOKEN,
        ),
        Batch(
            field="latest_version",
            operation="DescribeLaunchTemplateVersions",
            params={"Versions": ["$Latest"], "MaxResults": 200},
            result="LaunchTemplateVersions[]",
            by="LaunchTemplateId",
            match="{LaunchTemplateId}",
            value="LaunchTemplateData",
            otherwise=UNREAD,
            paging=NEXT_TOKEN,
        ),
    ),
)

REGION = Listing(
    kind="aws.region",
    title="AWS region",
    service="ec2",
    id="{region}",
    name=("RegionName",),
    adds={"RegionName": "{region}"},
    details=(
        Detail(
            field="ebs_encryption_by_default",
            operation="GetEbsEncryptionByDefault",
            result="EbsEncryptionByDefault",
        ),
        Detail(
            field="ebs_snapshot_public_access",
            operation="GetSnapshotBlockPublicAccessState",
            result="State",
        ),
        Detail(
            field="image_public_access",
            operation="GetImageBlockPublicAccessState",
            result="ImageBlockPublicAccessState",
        ),
        Detail(
            field="imds_defaults",
            operation="GetInstanceMetadataDefaults",
            result="AccountLevel",
            optional=True,
        ),
        Detail(
            field="serial_console_access",
            operation="GetSerialConsoleAccessStatus",
            result="SerialConsoleAccessEnabled",
        ),
    ),
)

TABLES = (INSTANCES, VOLUMES, SNAPSHOTS, IMAGES, LAUNCH_TEMPLATES, REGION)
