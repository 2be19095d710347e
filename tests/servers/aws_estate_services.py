"""The part of the AWS estate that is functions, queues, containers, balancers and APIs."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from tests.servers.aws import MotoServer


def allow(action: str, resource: str = "*", **principal: Any) -> str:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource, **principal}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("main.py", "def handler(event, context): return event\n")
    return buffer.getvalue()


def services(server: MotoServer, region: str, made: dict[str, str]) -> None:
    functions = server.client("lambda", region)
    function = functions.create_function(
        FunctionName="resize",
        Runtime="python3.12",
        Role=made["role"],
        Handler="main.handler",
        Code={"ZipFile": archive()},
        Environment={"Variables": {"DB_PASSWORD": "hunter2hunter2", "STAGE": "prod"}},
        Tags={"team": "web"},
    )["FunctionArn"]
    functions.add_permission(
        FunctionName="resize",
        StatementId="open",
        Action="lambda:InvokeFunction",
        Principal="*",
    )
    functions.create_function_url_config(FunctionName="resize", AuthType="NONE")
    sqs = server.client("sqs", region)
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    sqs.create_queue(
        QueueName="jobs",
        Attributes={
            "Policy": allow("sqs:SendMessage", Principal="*"),
            "RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 3}),
        },
        tags={"team": "core"},
    )
    topic = server.client("sns", region).create_topic(
        Name="alerts", Tags=[{"Key": "team", "Value": "core"}]
    )["TopicArn"]
    ecr = server.client("ecr", region)
    ecr.create_repository(repositoryName="app", tags=[{"Key": "team", "Value": "web"}])
    ecr.set_repository_policy(repositoryName="app", policyText=allow("ecr:*", Principal="*"))
    ecr.put_lifecycle_policy(
        repositoryName="app",
        lifecyclePolicyText=json.dumps(
            {
                "rules": [
                    {
                        "rulePriority": 1,
                        "selection": {
                            "tagStatus": "untagged",
                            "countType": "imageCountMoreThan",
                            "countNumber": 5,
                        },
                        "action": {"type": "expire"},
                    }
                ]
            }
        ),
    )
    ecs = server.client("ecs", region)
    ecs.create_cluster(clusterName="main", tags=[{"key": "team", "value": "web"}])
    for image in ("app:1", "app:2"):
        task = ecs.register_task_definition(
            family="app",
            tags=[{"key": "team", "value": "web"}],
            containerDefinitions=[
                {
                    "name": "app",
                    "image": image,
                    "memory": 128,
                    "privileged": True,
                    "environment": [{"name": "API_TOKEN", "value": "hunter2hunter2"}],
                }
            ],
        )["taskDefinition"]["taskDefinitionArn"]
    ecs.create_service(
        cluster="main", serviceName="app", taskDefinition=f"{task[:-1]}1", desiredCount=1
    )
    eks = server.client("eks", region)
    eks.create_cluster(
        name="k8s",
        roleArn=made["role"],
        resourcesVpcConfig={"subnetIds": [made["subnet"], made["subnet_b"]]},
        tags={"team": "core"},
    )
    eks.create_nodegroup(
        clusterName="k8s",
        nodegroupName="nodes",
        subnets=[made["subnet"]],
        nodeRole=made["role"],
    )
    trail = server.client("cloudtrail", region)
    trail.create_trail(Name="audit", S3BucketName="backups", IsMultiRegionTrail=True)
    trail.start_logging(Name="audit")
    server.client("guardduty", region).create_detector(Enable=True, Tags={"team": "core"})
    config = server.client("config", region)
    config.put_configuration_recorder(
        ConfigurationRecorder={"name": "default", "roleARN": made["role"]}
    )
    server.client("acm", region).request_certificate(
        DomainName="example.com", Tags=[{"Key": "team", "Value": "web"}]
    )
    made.update(function=function, topic=topic, task=task)


def edge(server: MotoServer, region: str, made: dict[str, str]) -> None:
    elb = server.client("elb", region)
    elb.create_load_balancer(
        LoadBalancerName="old",
        Listeners=[{"Protocol": "HTTP", "LoadBalancerPort": 80, "InstancePort": 80}],
        Subnets=[made["subnet"]],
        Tags=[{"Key": "team", "Value": "web"}],
    )
    elbv2 = server.client("elbv2", region)
    balancer = elbv2.create_load_balancer(
        Name="Front",
        Subnets=[made["subnet"], made["subnet_b"]],
        SecurityGroups=[made["security_group"]],
        Tags=[{"Key": "team", "Value": "web"}],
    )["LoadBalancers"][0]
    group = elbv2.create_target_group(Name="web", Protocol="HTTP", Port=80, VpcId=made["vpc"])[
        "TargetGroups"
    ][0]["TargetGroupArn"]
    elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": made["instance"]}])
    elbv2.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    api = server.client("apigateway", region)
    rest = api.create_rest_api(name="shop", policy=allow("execute-api:Invoke", Principal="*"))["id"]
    root = api.get_resources(restApiId=rest)["items"][0]["id"]
    api.put_method(restApiId=rest, resourceId=root, httpMethod="GET", authorizationType="NONE")
    api.put_integration(restApiId=rest, resourceId=root, httpMethod="GET", type="MOCK")
    api.create_deployment(restApiId=rest, stageName="prod")
    api.create_usage_plan(name="basic", apiStages=[{"apiId": rest, "stage": "prod"}])
    v2 = server.client("apigatewayv2", region)
    http = v2.create_api(Name="web", ProtocolType="HTTP")["ApiId"]
    v2.create_stage(ApiId=http, StageName="live", StageVariables={"token": "hunter2hunter2"})
    cloudfront = server.client("cloudfront", "us-east-1")
    distribution = cloudfront.create_distribution(
        DistributionConfig={
            "CallerReference": "1",
            "Comment": "",
            "Enabled": True,
            "Origins": {
                "Quantity": 1,
                "Items": [
                    {
                        "Id": "s3",
                        "DomainName": "assets.s3.amazonaws.com",
                        "S3OriginConfig": {"OriginAccessIdentity": ""},
                        "CustomHeaders": {
                            "Quantity": 1,
                            "Items": [{"HeaderName": "x-auth", "HeaderValue": "hunter2hunter2"}],
                        },
                    }
                ],
            },
            "DefaultCacheBehavior": {
                "TargetOriginId": "s3",
                "ViewerProtocolPolicy": "allow-all",
                "MinTTL": 0,
                "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}},
            },
        }
    )["Distribution"]
    route53 = server.client("route53", "us-east-1")
    zone = route53.create_hosted_zone(Name="example.com", CallerReference="1")["HostedZone"]["Id"]
    route53.change_resource_record_sets(
        HostedZoneId=zone,
        ChangeBatch={
            "Changes": [
                {
                    "Action": "CREATE",
                    "ResourceRecordSet": {
                        "Name": "www.example.com",
                        "Type": "A",
                        "AliasTarget": {
                            "HostedZoneId": "Z2FDTNDATAQYW2",
                            "DNSName": f"dualstack.{balancer['DNSName']}.",
                            "EvaluateTargetHealth": False,
                        },
                    },
                }
            ]
        },
    )
    made.update(
        balancer=balancer["LoadBalancerArn"],
        target_group=group,
        rest_api=rest,
        http_api=http,
        distribution=distribution["ARN"],
        zone=zone,
    )
