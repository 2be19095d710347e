"""Lambda and Auto Scaling."""

from __future__ import annotations

from infrascan.model import Relation
from infrascan.providers.aws.tables import NEXT_MARKER, NEXT_TOKEN, Detail, Listing, Metric

FUNCTIONS = Listing(
    kind="aws.lambda.function",
    title="Lambda function",
    service="lambda",
    operation="ListFunctions",
    items="Functions[]",
    paging=NEXT_MARKER,
    id="{FunctionArn}",
    name=("FunctionName",),
    details=(
        Detail(
            field="policy",
            operation="GetPolicy",
            params={"FunctionName": "{FunctionName}"},
            result="Policy",
            documents=("",),
            absent=("ResourceNotFoundException",),
        ),
        Detail(
            field="url_configs",
            operation="ListFunctionUrlConfigs",
            params={"FunctionName": "{FunctionName}"},
            result="FunctionUrlConfigs[]",
            paging=NEXT_MARKER,
        ),
        Detail(
            field="reserved_concurrency",
            operation="GetFunctionConcurrency",
            params={"FunctionName": "{FunctionName}"},
            result="ReservedConcurrentExecutions",
            optional=True,
        ),
        Detail(
            field="tags",
            operation="ListTags",
            params={"Resource": "{FunctionArn}"},
            result="Tags",
            optional=True,
        ),
    ),
    relations=(
        Relation(
            name="role",
            path="Role",
            to="aws.iam.role",
            by="id",
            reverse="functions",
            within="account",
        ),
        Relation(
            name="security_groups",
            path="VpcConfig.SecurityGroupIds[]",
            to="aws.ec2.security_group",
            by="GroupId",
            reverse="functions",
        ),
        Relation(
            name="subnets",
            path="VpcConfig.SubnetIds[]",
            to="aws.ec2.subnet",
            by="SubnetId",
            reverse="functions",
        ),
        Relation(name="kms_key", path="KMSKeyArn", to="aws.kms.key", by="id", reverse="functions"),
        # The APIs that its policy lets call it, which API Gateway does not say in its own lists.
        *(
            Relation(
                name=name,
                path='policy.Statement[].Condition.ArnLike.["AWS:SourceArn"]',
                to=kind,
                by=by,
                reverse="functions",
                matching=r"^arn:([a-z-]+):execute-api:([^:]+):\d+:([a-z0-9]+)/",
                key=key,
            )
            for name, kind, by, key in (
                (
                    *("rest_apis", "aws.apigateway.rest_api"),
                    *("id", r"arn:\1:apigateway:\2::/restapis/\3"),
                ),
                ("http_apis", "aws.apigatewayv2.api", "ApiId", r"\3"),
            )
        ),
    ),
    metrics=(
        Metric(
            name="invocations",
            namespace="AWS/Lambda",
            metric="Invocations",
            dimensions={"FunctionName": "{FunctionName}"},
            statistics=("Sum",),
            days=30,
        ),
        Metric(
            name="errors",
            namespace="AWS/Lambda",
            metric="Errors",
            dimensions={"FunctionName": "{FunctionName}"},
            statistics=("Sum",),
            days=30,
        ),
    ),
)

GROUPS = Listing(
    kind="aws.autoscaling.group",
    title="Auto Scaling group",
    service="autoscaling",
    operation="DescribeAutoScalingGroups",
    items="AutoScalingGroups[]",
    params={"MaxRecords": 100},
    paging=NEXT_TOKEN,
    id="{AutoScalingGroupARN}",
    name=("AutoScalingGroupName",),
    tags="Tags",
    relations=(
        Relation(
            name="instances",
            path="Instances[].InstanceId",
            to="aws.ec2.instance",
            by="InstanceId",
            reverse="autoscaling_groups",
        ),
        Relation(
            name="launch_template",
            path="LaunchTemplate.LaunchTemplateId",
            to="aws.ec2.launch_template",
            by="LaunchTemplateId",
            reverse="autoscaling_groups",
        ),
        Relation(
            name="target_groups",
            path="TargetGroupARNs[]",
            to="aws.elbv2.target_group",
            by="id",
            reverse="autoscaling_groups",
        ),
    ),
    metrics=(
        Metric(
            name="cpu",
            namespace="AWS/EC2",
            metric="CPUUtilization",  # over the instances of the group
            dimensions={"AutoScalingGroupName": "{AutoScalingGroupName}"},
        ),
    ),
)

TABLES = (FUNCTIONS, GROUPS)
