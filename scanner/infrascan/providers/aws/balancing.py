"""Elastic Load Balancing, both generations."""

from __future__ import annotations

from infrascan.model import Relation
from infrascan.providers.aws.tables import NEXT_MARKER, Batch, Detail, Listing, Metric, Parent

CLASSIC = Listing(
    kind="aws.elb.load_balancer",
    title="Classic load balancer",
    service="elb",
    operation="DescribeLoadBalancers",
    items="LoadBalancerDescriptions[]",
    params={"PageSize": 400},
    paging=NEXT_MARKER,
    id="arn:{partition}:elasticloadbalancing:{region}:{account}:loadbalancer/{LoadBalancerName}",
    name=("LoadBalancerName",),
    adds={"host": "{DNSName!host}"},
    details=(
        Detail(
            field="attributes",
            operation="DescribeLoadBalancerAttributes",
            params={"LoadBalancerName": "{LoadBalancerName}"},
            result="LoadBalancerAttributes",
        ),
        Detail(
            field="instance_health",
            operation="DescribeInstanceHealth",
            params={"LoadBalancerName": "{LoadBalancerName}"},
            result="InstanceStates",
        ),
        Batch(
            field="tags",
            operation="DescribeTags",
            ids="LoadBalancerNames",
            size=20,
            match="{LoadBalancerName}",
            result="TagDescriptions[]",
            by="LoadBalancerName",
            value="Tags",
            otherwise=[],
        ),
    ),
    relations=(
        Relation(
            name="security_groups",
            path="SecurityGroups[]",
            to="aws.ec2.security_group",
            by="GroupId",
            reverse="classic_load_balancers",
        ),
        Relation(
            name="instances",
            path="Instances[].InstanceId",
            to="aws.ec2.instance",
            by="InstanceId",
            reverse="classic_load_balancers",
        ),
        Relation(
            name="subnets",
            path="Subnets[]",
            to="aws.ec2.subnet",
            by="SubnetId",
            reverse="classic_load_balancers",
        ),
    ),
    metrics=(
        Metric(
            name="requests",
            namespace="AWS/ELB",
            metric="RequestCount",
            dimensions={"LoadBalancerName": "{LoadBalancerName}"},
            statistics=("Sum",),
        ),
    ),
)

LOAD_BALANCERS = Listing(
    kind="aws.elbv2.load_balancer",
    title="Load balancer",
    service="elbv2",
    operation="DescribeLoadBalancers",
    items="LoadBalancers[]",
    params={"PageSize": 400},
    paging=NEXT_MARKER,
    id="{LoadBalancerArn}",
    name=("LoadBalancerName",),
    adds={"host": "{DNSName!host}"},
    details=(
        Detail(
            field="attributes",
            operation="DescribeLoadBalancerAttributes",
            params={"LoadBalancerArn": "{LoadBalancerArn}"},
            result="Attributes",
            pairs=True,
        ),
        Batch(
            field="tags",
            operation="DescribeTags",
            ids="ResourceArns",
            size=20,
            match="{LoadBalancerArn}",
            result="TagDescriptions[]",
            by="ResourceArn",
            value="Tags",
            otherwise=[],
        ),
    ),
    relations=(
        Relation(
            name="security_groups",
            path="SecurityGroups[]",
            to="aws.ec2.security_group",
            by="GroupId",
            reverse="load_balancers",
        ),
        Relation(
            name="subnets",
            path="AvailabilityZones[].SubnetId",
            to="aws.ec2.subnet",
            by="SubnetId",
            reverse="load_balancers",
        ),
        Relation(name="vpc", path="VpcId", to="aws.ec2.vpc", by="VpcId", reverse="load_balancers"),
    ),
    metrics=(
        Metric(
            name="requests",
            namespace="AWS/ApplicationELB",
            metric="RequestCount",
            dimensions={"LoadBalancer": "{LoadBalancerArn!after loadbalancer/}"},
            statistics=("Sum",),
            when="Type=application",
        ),
        Metric(
            name="processed_bytes",
            namespace="AWS/NetworkELB",
            metric="ProcessedBytes",
            dimensions={"LoadBalancer": "{LoadBalancerArn!after loadbalancer/}"},
            statistics=("Sum",),
            when="Type=network",
        ),
    ),
)

LISTENERS = Listing(
    kind="aws.elbv2.listener",
    title="Load balancer listener",
    service="elbv2",
    parents=(
        Parent(
            operation="DescribeLoadBalancers",
            items="LoadBalancers[]",
            params={"PageSize": 400},
            paging=NEXT_MARKER,
            gives={"LoadBalancerArn": "LoadBalancerArn"},
        ),
    ),
    operation="DescribeListeners",
    items="Listeners[]",
    params={"LoadBalancerArn": "{LoadBalancerArn}", "PageSize": 400},
    paging=NEXT_MARKER,
    id="{ListenerArn}",
    name=("{LoadBalancerArn!parent} {Protocol}:{Port}", "ListenerArn"),
    relations=(
        Relation(
            name="load_balancer",
            path="LoadBalancerArn",
            to="aws.elbv2.load_balancer",
            by="id",
            reverse="listeners",
        ),
        Relation(
            name="target_groups",
            path="DefaultActions[].TargetGroupArn",
            to="aws.elbv2.target_group",
            by="id",
            reverse="listeners",
        ),
        Relation(
            name="certificates",
            path="Certificates[].CertificateArn",
            to="aws.acm.certificate",
            by="id",
            reverse="listeners",
        ),
    ),
)

TARGET_GROUPS = Listing(
    kind="aws.elbv2.target_group",
    title="Load balancer target group",
    service="elbv2",
    operation="DescribeTargetGroups",
    items="TargetGroups[]",
    params={"PageSize": 400},
    paging=NEXT_MARKER,
    id="{TargetGroupArn}",
    name=("TargetGroupName",),
    details=(
        Detail(
            field="target_health",
            operation="DescribeTargetHealth",
            params={"TargetGroupArn": "{TargetGroupArn}"},
            result="TargetHealthDescriptions",
        ),
        Detail(
            field="attributes",
            operation="DescribeTargetGroupAttributes",
            params={"TargetGroupArn": "{TargetGroupArn}"},
            result="Attributes",
            pairs=True,
        ),
    ),
    relations=(
        Relation(
            name="load_balancers",
            path="LoadBalancerArns[]",
            to="aws.elbv2.load_balancer",
            by="id",
            reverse="target_groups",
        ),
        Relation(
            name="instances",
            path="target_health[].Target.Id",
            to="aws.ec2.instance",
            by="InstanceId",
            reverse="target_groups",
        ),
        Relation(
            name="functions",
            path="target_health[].Target.Id",
            to="aws.lambda.function",
            by="id",
            reverse="target_groups",
            matching=r"^(arn:[a-z-]+:lambda:[^:]+:\d+:function:[^:]+)",
        ),
        Relation(name="vpc", path="VpcId", to="aws.ec2.vpc", by="VpcId", reverse="target_groups"),
    ),
)

TABLES = (CLASSIC, LOAD_BALANCERS, LISTENERS, TARGET_GROUPS)
