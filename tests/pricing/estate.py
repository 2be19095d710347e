"""Resources as the APIs describe them, for the tests of prices."""

from __future__ import annotations

from typing import Any

from infrascan.model import Resource

REGION = "us-east-1"


def resource(kind: str, data: dict[str, Any], *, id: str = "a", region: str = REGION) -> Resource:
    return Resource(
        kind=kind,
        id=id,
        name=id,
        provider=kind.partition(".")[0],
        account="123456789012",
        region=region,
        data=data,
    )


def instance(
    type: str = "t3.medium",
    *,
    id: str = "i-1",
    state: str = "running",
    region: str = REGION,
    **data: Any,
) -> Resource:
    fields = {"InstanceId": id, "InstanceType": type, "State": {"Name": state}, **data}
    return resource("aws.ec2.instance", fields, id=id, region=region)


def volume(
    type: str = "gp2", size: int = 100, *, id: str = "vol-1", region: str = REGION, **data: Any
) -> Resource:
    return resource(
        "aws.ec2.volume", {"VolumeType": type, "Size": size, **data}, id=id, region=region
    )


def database(
    type: str = "db.t3.large", engine: str = "mysql", *, region: str = REGION, **data: Any
) -> Resource:
    fields = {
        "DBInstanceClass": type,
        "Engine": engine,
        "DBInstanceStatus": "available",
        "MultiAZ": False,
        "StorageType": "gp2",
        "AllocatedStorage": 20,
        **data,
    }
    return resource("aws.rds.db_instance", fields, region=region)


def cache(type: str = "cache.m4.large", engine: str = "redis", nodes: int = 1) -> Resource:
    return resource(
        "aws.elasticache.cluster",
        {"CacheNodeType": type, "Engine": engine, "NumCacheNodes": nodes},
    )


def node(type: str, region: str, provider: str, **labels: str) -> Resource:
    known = {
        "node.kubernetes.io/instance-type": type,
        "topology.kubernetes.io/region": region,
        "kubernetes.io/os": "linux",
    }
    data = {
        "metadata": {"name": "worker", "labels": {**known, **labels}},
        "spec": {"providerID": provider},
    }
    return resource("k8s.node", data, id="worker", region="")


def group(*instances: Resource) -> Resource:
    found = resource("aws.autoscaling.group", {"AutoScalingGroupName": "workers"}, id="workers")
    found.links["instances"] = list(instances)
    return found
