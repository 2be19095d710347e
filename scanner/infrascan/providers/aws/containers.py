"""ECR, ECS and EKS."""

from __future__ import annotations

from infrascan.model import Relation
from infrascan.providers.aws.tables import (
    NEXT_TOKEN_LOWER,
    UNREAD,
    Batch,
    Detail,
    Listing,
    Metric,
    Parent,
)

REPOSITORIES = Listing(
    kind="aws.ecr.repository",
    title="ECR repository",
    service="ecr",
    operation="DescribeRepositories",
    items="repositories[]",
    params={"maxResults": 1000},
    paging=NEXT_TOKEN_LOWER,
    id="{repositoryArn}",
    name=("repositoryName",),
    details=(
        Detail(
            field="policy",
            operation="GetRepositoryPolicy",
            params={"repositoryName": "{repositoryName}"},
            result="policyText",
            documents=("",),
            absent=("RepositoryPolicyNotFoundException",),
        ),
        Detail(
            field="lifecycle_policy",
            operation="GetLifecyclePolicy",
            params={"repositoryName": "{repositoryName}"},
            result="lifecyclePolicyText",
            documents=("",),
            absent=("LifecyclePolicyNotFoundException",),
        ),
        Batch(
            field="scanning",  # what holds for it: its own setting and the registry's together
            operation="BatchGetRepositoryScanningConfiguration",
            ids="repositoryNames",
            size=25,
            match="{repositoryName}",
            result="scanningConfigurations[]",
            by="repositoryName",
            otherwise=UNREAD,
        ),
        Detail(
            field="tags",
            operation="ListTagsForResource",
            params={"resourceArn": "{repositoryArn}"},
            result="tags",
        ),
    ),
)

CLUSTER_ARNS = Parent(
    operation="ListClusters",
    items="clusterArns[]",
    paging=NEXT_TOKEN_LOWER,
    gives={"cluster": ""},
)

CLUSTERS = Listing(
    kind="aws.ecs.cluster",
    title="ECS cluster",
    service="ecs",
    operation="ListClusters",
    items="clusterArns[]",
    params={"maxResults": 100},
    paging=NEXT_TOKEN_LOWER,
    wrap="clusterArn",
    id="{clusterArn}",
    name=("clusterName", "clusterArn"),
    tags="tags",
    details=(
        Batch(
            field="",
            operation="DescribeClusters",
            ids="clusters",
            size=100,
            match="{clusterArn}",
            params={"include": ["SETTINGS", "CONFIGURATIONS", "TAGS"]},
            result="clusters[]",
            by="clusterArn",
            otherwise=UNREAD,
        ),
    ),
)

SERVICES = Listing(
    kind="aws.ecs.service",
    title="ECS service",
    service="ecs",
    parents=(CLUSTER_ARNS,),
    operation="ListServices",
    items="serviceArns[]",
    params={"cluster": "{cluster}", "maxResults": 100},
    paging=NEXT_TOKEN_LOWER,
    wrap="serviceArn",
    id="{serviceArn}",
    name=("serviceName", "serviceArn"),
    tags="tags",
    details=(
        Batch(
            field="",
            operation="DescribeServices",
            ids="services",
            size=10,
            match="{serviceArn}",
            params={"cluster": "{cluster}", "include": ["TAGS"]},
            result="services[]",
            by="serviceArn",
            otherwise=UNREAD,
        ),
        Detail(
            field="definition",  # the revision in use, which need not be the newest
            operation="DescribeTaskDefinition",
            params={"taskDefinition": "{taskDefinition}"},
            result="taskDefinition",
            when="taskDefinition",
        ),
    ),
    relations=(
        Relation(
            name="cluster",
            path="clusterArn",
            to="aws.ecs.cluster",
            by="id",
            reverse="services",
        ),
        Relation(
            name="task_definition",
            path="taskDefinition",
            to="aws.ecs.task_definition",
            by="id",
            reverse="services",
        ),
        Relation(
            name="target_groups",
            path="loadBalancers[].targetGroupArn",
            to="aws.elbv2.target_group",
            by="id",
            reverse="ecs_services",
        ),
        Relation(
            name="security_groups",
            path="networkConfiguration.awsvpcConfiguration.securityGroups[]",
            to="aws.ec2.security_group",
            by="GroupId",
            reverse="ecs_services",
        ),
    ),
    metrics=(
        Metric(
            name="cpu",
            namespace="AWS/ECS",
            metric="CPUUtilization",
            dimensions={
                "ClusterName": "{clusterArn!base}",
                "ServiceName": "{serviceName}",
            },
        ),
    ),
)

TASK_DEFINITIONS = Listing(
    kind="aws.ecs.task_definition",
    title="ECS task definition",
    service="ecs",
    operation="ListTaskDefinitions",
    items="taskDefinitionArns[]",
    params={"status": "ACTIVE", "sort": "DESC", "maxResults": 100},
    paging=NEXT_TOKEN_LOWER,
    wrap="taskDefinitionArn",
    newest="{taskDefinitionArn!family}",
    id="{taskDefinitionArn}",
    name=("family", "taskDefinitionArn"),
    details=(
        Detail(
            field="",
            operation="DescribeTaskDefinition",
            params={"taskDefinition": "{taskDefinitionArn}", "include": ["TAGS"]},
            result="taskDefinition",
            beside={"tags": "tags"},
        ),
    ),
    relations=(
        Relation(
            name="task_role",
            path="taskRoleArn",
            to="aws.iam.role",
            by="id",
            reverse="task_definitions",
            within="account",
        ),
        Relation(
            name="execution_role",
            path="executionRoleArn",
            to="aws.iam.role",
            by="id",
            reverse="executed_task_definitions",
            within="account",
        ),
    ),
)

EKS_CLUSTERS = Listing(
    kind="aws.eks.cluster",
    title="EKS cluster",
    service="eks",
    operation="ListClusters",
    items="clusters[]",
    params={"maxResults": 100},
    paging=NEXT_TOKEN_LOWER,
    wrap="name",
    id="arn:{partition}:eks:{region}:{account}:cluster/{name}",
    name=("name",),
    tags="tags",
    details=(
        Detail(
            field="",
            operation="DescribeCluster",
            params={"name": "{name}"},
            result="cluster",
        ),
    ),
    relations=(
        Relation(
            name="role",
            path="roleArn",
            to="aws.iam.role",
            by="id",
            reverse="eks_clusters",
            within="account",
        ),
        Relation(
            name="security_groups",
            path="resourcesVpcConfig.securityGroupIds[]",
            to="aws.ec2.security_group",
            by="GroupId",
            reverse="eks_clusters",
        ),
        Relation(
            name="subnets",
            path="resourcesVpcConfig.subnetIds[]",
            to="aws.ec2.subnet",
            by="SubnetId",
            reverse="eks_clusters",
        ),
        Relation(
            name="kms_key",
            path="encryptionConfig[].provider.keyArn",
            to="aws.kms.key",
            by="id",
            reverse="eks_clusters",
        ),
    ),
)

NODEGROUPS = Listing(
    kind="aws.eks.nodegroup",
    title="EKS node group",
    service="eks",
    parents=(
        Parent(
            operation="ListClusters",
            items="clusters[]",
            paging=NEXT_TOKEN_LOWER,
            gives={"clusterName": ""},
        ),
    ),
    operation="ListNodegroups",
    items="nodegroups[]",
    params={"clusterName": "{clusterName}", "maxResults": 100},
    paging=NEXT_TOKEN_LOWER,
    wrap="nodegroupName",
    adds={"clusterName": "{clusterName}"},
    id="arn:{partition}:eks:{region}:{account}:nodegroup/{clusterName}/{nodegroupName}",
    name=("nodegroupName",),
    tags="tags",
    details=(
        Detail(
            field="",
            operation="DescribeNodegroup",
            params={"clusterName": "{clusterName}", "nodegroupName": "{nodegroupName}"},
            result="nodegroup",
        ),
    ),
    relations=(
        Relation(
            name="cluster",
            path="clusterName",
            to="aws.eks.cluster",
            by="name",
            reverse="nodegroups",
        ),
        Relation(
            name="autoscaling_groups",
            path="resources.autoScalingGroups[].name",
            to="aws.autoscaling.group",
            by="name",
            reverse="nodegroups",
        ),
        Relation(
            name="role",
            path="nodeRole",
            to="aws.iam.role",
            by="id",
            reverse="nodegroups",
            within="account",
        ),
    ),
)

TABLES = (REPOSITORIES, CLUSTERS, SERVICES, TASK_DEFINITIONS, EKS_CLUSTERS, NODEGROUPS)
