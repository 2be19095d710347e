"""EC2 networking: VPCs, subnets, routes, security groups, addresses, gateways, flow logs."""

from __future__ import annotations

from infrascan.model import Relation
from infrascan.providers.aws.tables import ONE_PAGE, Listing, Metric

SECURITY_GROUPS = Listing(
    kind="aws.ec2.security_group",
    title="EC2 security group",
    service="ec2",
    operation="DescribeSecurityGroups",
    items="SecurityGroups[]",
    params={"MaxResults": 1000},
    id="arn:{partition}:ec2:{region}:{account}:security-group/{GroupId}",
    name=("GroupName", "GroupId"),
    tags="Tags",
    relations=(
        Relation(name="vpc", path="VpcId", to="aws.ec2.vpc", by="VpcId", reverse="security_groups"),
        Relation(
            name="allowed_groups",  # the groups that the inbound rules name as sources
            path="IpPermissions[].UserIdGroupPairs[].GroupId",
            to="aws.ec2.security_group",
            by="GroupId",
            reverse="allowed_by",
        ),
    ),
)

VPCS = Listing(
    kind="aws.ec2.vpc",
    title="VPC",
    service="ec2",
    operation="DescribeVpcs",
    items="Vpcs[]",
    params={"MaxResults": 1000},
    id="arn:{partition}:ec2:{region}:{account}:vpc/{VpcId}",
    name=("tags.Name", "VpcId"),
    tags="Tags",
)

SUBNETS = Listing(
    kind="aws.ec2.subnet",
    title="VPC subnet",
    service="ec2",
    operation="DescribeSubnets",
    items="Subnets[]",
    params={"MaxResults": 1000},
    id="{SubnetArn}",
    name=("tags.Name", "SubnetId"),
    tags="Tags",
    relations=(
        Relation(name="vpc", path="VpcId", to="aws.ec2.vpc", by="VpcId", reverse="subnets"),
    ),
)

ROUTE_TABLES = Listing(
    kind="aws.ec2.route_table",
    title="VPC route table",
    service="ec2",
    operation="DescribeRouteTables",
    items="RouteTables[]",
    params={"MaxResults": 100},
    id="arn:{partition}:ec2:{region}:{account}:route-table/{RouteTableId}",
    name=("tags.Name", "RouteTableId"),
    tags="Tags",
    relations=(
        Relation(name="vpc", path="VpcId", to="aws.ec2.vpc", by="VpcId", reverse="route_tables"),
        Relation(
            name="subnets",
            path="Associations[].SubnetId",
            to="aws.ec2.subnet",
            by="SubnetId",
            reverse="route_tables",
        ),
        Relation(
            name="nat_gateways",
            path="Routes[].NatGatewayId",
            to="aws.ec2.nat_gateway",
            by="NatGatewayId",
            reverse="route_tables",
        ),
    ),
)

NAT_GATEWAYS = Listing(
    kind="aws.ec2.nat_gateway",
    title="NAT gateway",
    service="ec2",
    operation="DescribeNatGateways",
    items="NatGateways[]",
    params={"MaxResults": 1000},
    id="arn:{partition}:ec2:{region}:{account}:natgateway/{NatGatewayId}",
    name=("tags.Name", "NatGatewayId"),
    tags="Tags",
    relations=(
        Relation(name="vpc", path="VpcId", to="aws.ec2.vpc", by="VpcId", reverse="nat_gateways"),
        Relation(
            name="subnet",
            path="SubnetId",
            to="aws.ec2.subnet",
            by="SubnetId",
            reverse="nat_gateways",
        ),
    ),
    metrics=(
        Metric(
            name="bytes_out",
            namespace="AWS/NATGateway",
            metric="BytesOutToDestination",
            dimensions={"NatGatewayId": "{NatGatewayId}"},
            statistics=("Sum",),
        ),
        Metric(
            name="active_connections",
            namespace="AWS/NATGateway",
            metric="ActiveConnectionCount",
            dimensions={"NatGatewayId": "{NatGatewayId}"},
            statistics=("Maximum",),
        ),
    ),
)

ADDRESSES = Listing(
    kind="aws.ec2.address",
    title="Elastic IP address",
    service="ec2",
    operation="DescribeAddresses",
    items="Addresses[]",
    paging=ONE_PAGE,
    id="arn:{partition}:ec2:{region}:{account}:elastic-ip/{AllocationId|PublicIp}",
    name=("tags.Name", "PublicIp"),
    tags="Tags",
    relations=(
        Relation(
            name="instance",
            path="InstanceId",
            to="aws.ec2.instance",
            by="InstanceId",
            reverse="addresses",
        ),
        Relation(
            name="network_interface",
            path="NetworkInterfaceId",
            to="aws.ec2.network_interface",
            by="NetworkInterfaceId",
            reverse="addresses",
        ),
    ),
)

NETWORK_INTERFACES = Listing(
    kind="aws.ec2.network_interface",
    title="EC2 network interface",
    service="ec2",
    operation="DescribeNetworkInterfaces",
    items="NetworkInterfaces[]",
    params={"MaxResults": 1000},
    id="arn:{partition}:ec2:{region}:{account}:network-interface/{NetworkInterfaceId}",
    name=("tags.Name", "NetworkInterfaceId"),
    tags="TagSet",
    relations=(
        Relation(
            name="security_groups",
            path="Groups[].GroupId",
            to="aws.ec2.security_group",
            by="GroupId",
            reverse="network_interfaces",
        ),
        Relation(
            name="subnet",
            path="SubnetId",
            to="aws.ec2.subnet",
            by="SubnetId",
            reverse="network_interfaces",
        ),
        Relation(
            name="instance",
            path="Attachment.InstanceId",
            to="aws.ec2.instance",
            by="InstanceId",
            reverse="network_interfaces",
        ),
    ),
)

FLOW_LOGS = Listing(
    kind="aws.ec2.flow_log",
    title="VPC flow log",
    service="ec2",
    operation="DescribeFlowLogs",
    items="FlowLogs[]",
    params={"MaxResults": 1000},
    id="arn:{partition}:ec2:{region}:{account}:vpc-flow-log/{FlowLogId}",
    name=("tags.Name", "FlowLogId"),
    tags="Tags",
    relations=(
        Relation(name="vpc", path="ResourceId", to="aws.ec2.vpc", by="VpcId", reverse="flow_logs"),
        Relation(
            name="subnet",
            path="ResourceId",
            to="aws.ec2.subnet",
            by="SubnetId",
            reverse="flow_logs",
        ),
        Relation(
            name="network_interface",
            path="ResourceId",
            to="aws.ec2.network_interface",
            by="NetworkInterfaceId",
            reverse="flow_logs",
        ),
    ),
)

TABLES = (
    SECURITY_GROUPS,
    VPCS,
    SUBNETS,
    ROUTE_TABLES,
    NAT_GATEWAYS,
    ADDRESSES,
    NETWORK_INTERFACES,
    FLOW_LOGS,
)
