"""A small AWS estate with at least one resource of each kind that moto knows."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from tests.servers.aws import MotoServer
from tests.servers.aws_estate_services import allow, edge, services

OBSERVED = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)  # metrics lie in the days before
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)


def build(server: MotoServer, region: str = "eu-west-1") -> dict[str, str]:
    """Make the estate; returns the names of what tests look for."""
    made: dict[str, str] = {}
    identities(server, made)
    network(server, region, made)
    machines(server, region, made)
    data(server, region, made)
    services(server, region, made)
    edge(server, region, made)
    return made


def identities(server: MotoServer, made: dict[str, str]) -> None:
    iam = server.client("iam", "us-east-1")
    policy = iam.create_policy(PolicyName="reader", PolicyDocument=allow("s3:GetObject"))
    made["policy"] = policy["Policy"]["Arn"]
    iam.create_group(GroupName="team")
    iam.create_user(UserName="alice", Tags=[{"Key": "team", "Value": "core"}])
    iam.add_user_to_group(GroupName="team", UserName="alice")
    iam.attach_user_policy(UserName="alice", PolicyArn=made["policy"])
    iam.create_access_key(UserName="alice")
    iam.put_user_policy(UserName="alice", PolicyName="all", PolicyDocument=allow("*"))
    role = iam.create_role(RoleName="worker", AssumeRolePolicyDocument=TRUST)
    made["role"] = role["Role"]["Arn"]
    iam.create_instance_profile(InstanceProfileName="worker")
    iam.add_role_to_instance_profile(InstanceProfileName="worker", RoleName="worker")
    server.client("account", "us-east-1").put_alternate_contact(
        AlternateContactType="SECURITY",
        EmailAddress="security@example.com",
        Name="Security",
        PhoneNumber="+15550100",
        Title="Security",
    )
    iam.update_account_password_policy(MinimumPasswordLength=8)
    while iam.generate_credential_report()["State"] != "COMPLETE":
        pass  # so that it is the same answer from the first read on


def network(server: MotoServer, region: str, made: dict[str, str]) -> None:
    ec2 = server.client("ec2", region)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"10.0.{i}.0/24", AvailabilityZone=f"{region}{zone}"
        )["Subnet"]["SubnetId"]
        for i, zone in enumerate("ab")
    ]
    group = ec2.create_security_group(GroupName="web", Description="web", VpcId=vpc)["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": 22,
                "ToPort": 22,
                "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
            }
        ],
    )
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnets[0])
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    ec2.create_nat_gateway(SubnetId=subnets[0], AllocationId=address)
    server.client("logs", region).create_log_group(logGroupName="/flow")
    ec2.create_flow_logs(
        ResourceIds=[vpc],
        ResourceType="VPC",
        TrafficType="ALL",
        LogGroupName="/flow",
        DeliverLogsPermissionArn=made["role"],
    )
    made.update(vpc=vpc, subnet=subnets[0], subnet_b=subnets[1], security_group=group)


def machines(server: MotoServer, region: str, made: dict[str, str]) -> None:
    ec2 = server.client("ec2", region)
    instance = ec2.run_instances(
        ImageId="ami-0aaaaaaaaaaaaaaaa",
        MinCount=1,
        MaxCount=1,
        InstanceType="m5.large",
        SubnetId=made["subnet"],
        SecurityGroupIds=[made["security_group"]],
        IamInstanceProfile={"Name": "worker"},
        UserData="export PASSWORD=hunter2hunter2",
        TagSpecifications=[
            {"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "web-1"}]}
        ],
    )["Instances"][0]["InstanceId"]
    volume = ec2.create_volume(AvailabilityZone=f"{region}a", Size=10, VolumeType="gp2")["VolumeId"]
    snapshots = [
        ec2.create_snapshot(VolumeId=volume, Description=text)["SnapshotId"]
        for text in ("kept", "shared")
    ]
    ec2.modify_snapshot_attribute(
        SnapshotId=snapshots[1],
        Attribute="createVolumePermission",
        OperationType="add",
        GroupNames=["all"],
    )
    image = ec2.create_image(InstanceId=instance, Name="golden")["ImageId"]
    template = ec2.create_launch_template(
        LaunchTemplateName="workers",
        LaunchTemplateData={
            "ImageId": "ami-0aaaaaaaaaaaaaaaa",
            "InstanceType": "t3.micro",
            "UserData": "ZXhwb3J0IFRPS0VOPWh1bnRlcjI=",
        },
    )["LaunchTemplate"]["LaunchTemplateId"]
    server.client("autoscaling", region).create_auto_scaling_group(
        AutoScalingGroupName="workers",
        LaunchTemplate={"LaunchTemplateId": template},
        MinSize=0,
        MaxSize=2,
        VPCZoneIdentifier=made["subnet"],
    )
    made.update(
        instance=instance,
        volume=volume,
        snapshot=snapshots[0],
        public_snapshot=snapshots[1],
        image=image,
        template=template,
    )
    server.client("cloudwatch", region).put_metric_data(
        Namespace="AWS/EC2",
        MetricData=[
            {
                "MetricName": "CPUUtilization",
                "Dimensions": [{"Name": "InstanceId", "Value": instance}],
                "Value": value,
                "Unit": "Percent",
                "Timestamp": OBSERVED - timedelta(days=day),
            }
            for day, value in ((3, 2.0), (2, 4.0), (1, 3.0))
        ],
    )
    server.client("cloudwatch", region).put_metric_alarm(
        AlarmName="busy",
        Namespace="AWS/EC2",
        MetricName="CPUUtilization",
        Statistic="Average",
        Period=300,
        EvaluationPeriods=1,
        Threshold=90,
        ComparisonOperator="GreaterThanThreshold",
    )


def data(server: MotoServer, region: str, made: dict[str, str]) -> None:
    key = server.client("kms", region).create_key(Description="data")["KeyMetadata"]
    made["key"] = key["Arn"]
    s3 = server.client("s3", region)
    place = {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket="assets", **({} if region == "us-east-1" else place))
    s3.create_bucket(Bucket="backups", **({} if region == "us-east-1" else place))
    s3.put_bucket_policy(
        Bucket="assets", Policy=allow("s3:GetObject", "arn:aws:s3:::assets/*", Principal="*")
    )
    s3.put_bucket_tagging(Bucket="assets", Tagging={"TagSet": [{"Key": "team", "Value": "web"}]})
    s3.put_public_access_block(
        Bucket="backups",
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": True,
            "RestrictPublicBuckets": True,
        },
    )
    s3.put_bucket_lifecycle_configuration(
        Bucket="backups",
        LifecycleConfiguration={
            "Rules": [
                {
                    "ID": "old",
                    "Status": "Enabled",
                    "Filter": {"Prefix": ""},
                    "Expiration": {"Days": 90},
                }
            ]
        },
    )
    s3.put_bucket_website(
        Bucket="assets", WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}}
    )
    s3.put_bucket_ownership_controls(
        Bucket="assets", OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}
    )
    s3.create_bucket(
        Bucket="ledgers",
        ObjectLockEnabledForBucket=True,
        **({} if region == "us-east-1" else place),
    )
    s3.put_object_lock_configuration(
        Bucket="ledgers",
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 30}},
        },
    )
    s3.put_bucket_versioning(Bucket="backups", VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_versioning(Bucket="assets", VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_replication(
        Bucket="assets",
        ReplicationConfiguration={
            "Role": made["role"],
            "Rules": [
                {
                    "Status": "Enabled",
                    "Priority": 1,
                    "Filter": {"Prefix": ""},
                    "Destination": {"Bucket": "arn:aws:s3:::backups"},
                    "DeleteMarkerReplication": {"Status": "Disabled"},
                }
            ],
        },
    )
    s3.put_bucket_encryption(
        Bucket="backups",
        ServerSideEncryptionConfiguration={
            "Rules": [
                {
                    "ApplyServerSideEncryptionByDefault": {
                        "SSEAlgorithm": "aws:kms",
                        "KMSMasterKeyID": key["Arn"],
                    }
                }
            ]
        },
    )
    server.client("s3control", region).put_public_access_block(
        AccountId="123456789012",
        PublicAccessBlockConfiguration={"BlockPublicAcls": True, "BlockPublicPolicy": False},
    )
    rds = server.client("rds", region)
    rds.create_db_subnet_group(
        DBSubnetGroupName="db",
        DBSubnetGroupDescription="db",
        SubnetIds=[made["subnet"], made["subnet_b"]],
    )
    rds.create_db_instance(
        DBInstanceIdentifier="orders",
        DBInstanceClass="db.m5.large",
        Engine="postgres",
        AllocatedStorage=20,
        MasterUsername="root",
        MasterUserPassword="hunter2hunter2",
        PubliclyAccessible=True,
        DBSubnetGroupName="db",
        VpcSecurityGroupIds=[made["security_group"]],
        Tags=[{"Key": "team", "Value": "orders"}],
    )
    rds.create_db_snapshot(DBSnapshotIdentifier="before", DBInstanceIdentifier="orders")
    rds.modify_db_snapshot_attribute(
        DBSnapshotIdentifier="before", AttributeName="restore", ValuesToAdd=["all"]
    )
    rds.create_db_cluster(
        DBClusterIdentifier="ledger",
        Engine="aurora-postgresql",
        MasterUsername="root",
        MasterUserPassword="hunter2hunter2",
    )
    dynamodb = server.client("dynamodb", region)
    dynamodb.create_table(
        TableName="sessions",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        Tags=[{"Key": "team", "Value": "web"}],
    )
    efs = server.client("efs", region)
    system = efs.create_file_system(
        Encrypted=False, Backup=True, Tags=[{"Key": "Name", "Value": "share"}]
    )
    efs.put_file_system_policy(
        FileSystemId=system["FileSystemId"],
        Policy=allow("elasticfilesystem:ClientMount", Principal={"AWS": "*"}),
    )
    efs.create_mount_target(FileSystemId=system["FileSystemId"], SubnetId=made["subnet"])
    cache = server.client("elasticache", region)
    cache.create_cache_cluster(
        CacheClusterId="cache", CacheNodeType="cache.t3.micro", Engine="redis", NumCacheNodes=1
    )
    cache.create_replication_group(
        ReplicationGroupId="group", ReplicationGroupDescription="group", NumCacheClusters=1
    )
    server.client("redshift", region).create_cluster(
        ClusterIdentifier="warehouse",
        NodeType="dc2.large",
        MasterUsername="root",
        MasterUserPassword="Hunter2hunter2",
        PubliclyAccessible=True,
    )
    server.client("secretsmanager", region).create_secret(
        Name="token", SecretString="hunter2hunter2", Tags=[{"Key": "team", "Value": "core"}]
    )
