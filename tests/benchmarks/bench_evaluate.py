"""What a rule costs: µs per (rule, resource), compiled and interpreted, and linking and loading.

Run: python tests/benchmarks/bench_evaluate.py [resources per kind]
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from infrascan.evaluate.compile import flags
from infrascan.evaluate.document import Document, root
from infrascan.evaluate.grammar import Grammar
from infrascan.evaluate.interpret import interpret
from infrascan.evaluate.path import relations
from infrascan.graph import link
from infrascan.model import Kind, Relation, Resource

NOW = datetime(2026, 6, 1, tzinfo=UTC).timestamp()
KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            name="aws.ec2.instance",
            title="EC2 instance",
            provider="aws",
            relations=(
                Relation(
                    name="security_groups",
                    path="SecurityGroups[].GroupId",
                    to="aws.ec2.security_group",
                    by="GroupId",
                    reverse="instances",
                ),
                Relation(
                    name="volumes",
                    path="BlockDeviceMappings[].Ebs.VolumeId",
                    to="aws.ec2.volume",
                    by="VolumeId",
                    reverse="instances",
                ),
            ),
        ),
        Kind(name="aws.ec2.security_group", title="Security group", provider="aws"),
        Kind(name="aws.ec2.volume", title="Volume", provider="aws"),
        Kind(name="k8s.deployment", title="Deployment", provider="k8s"),
    )
}
POD = "spec.template.spec"
PLAIN: dict[str, list[Any]] = {
    "aws.ec2.instance": [
        {"State.Name": "running", "MetadataOptions.HttpTokens": "optional"},
        {"State.Name": "running", "PublicIpAddress|exists": True},
        {"State.Name": "stopped", "LaunchTime|older_than": "90d"},
        {"State.Name": "running", "metrics.cpu.average|below": 2, "metrics.cpu.maximum|below": 10},
        {"not": {"Monitoring.State": "enabled"}},
        {"InstanceType|matches": "^(m1|m2|m3|t1|c1)\\."},
    ],
    "aws.ec2.security_group": [
        {"IpPermissions[]": {"FromPort|at_most": port, "ToPort|at_least": port, "IpRanges[].CidrIp": "0.0.0.0/0"}}
        for port in (22, 3389, 5432, 3306, 6379)
    ] + [{"GroupName": "default", "IpPermissions|count": {"above": 0}}],
    "aws.ec2.volume": [
        {"State": "available"},
        {"not": {"Encrypted": True}},
        {"VolumeType": ["gp2", "io1"]},
        {"VolumeType": "io1", "Iops|above": 16000},
        {"State": "available", "CreateTime|older_than": "30d"},
        {"tags.Owner|exists": False},
    ],
    "k8s.deployment": [
        {f"{POD}.containers[]": {"resources.limits.memory|exists": False}},
        {f"{POD}.containers[]": {"resources.requests.cpu|exists": False}},
        {f"{POD}.containers[].securityContext.privileged": True},
        {f"{POD}.hostNetwork": True},
        {f"{POD}.containers[]": {"image|ends_with": ":latest"}},
        {"spec.replicas|below": 2, "not": {'metadata.labels["tier"]': "batch"}},
    ],
}  # fmt: skip
JOINED: dict[str, list[Any]] = {
    "aws.ec2.instance": [
        {"PublicIpAddress|exists": True, "security_groups[]": {"IpPermissions[]": {"FromPort|at_most": port, "ToPort|at_least": port, "IpRanges[].CidrIp": "0.0.0.0/0"}}}
        for port in (22, 3389, 5432)
    ] + [
        {"State.Name": "stopped", "volumes[].VolumeType": ["io1", "io2"]},
        {"volumes[]": {"not": {"Encrypted": True}}},
        {"security_groups|count": {"above": 4}},
    ],
    "aws.ec2.security_group": [
        {"instances|count": 0, "not": {"GroupName": "default"}},
        {"instances[].State.Name": "stopped", "not": {"instances[].State.Name": "running"}},
    ],
    "aws.ec2.volume": [{"instances[].State.Name": "stopped"}],
}  # fmt: skip


def condition(data: Any, kind: str) -> Any:
    document = Document("bench", json.dumps(data))
    found = Grammar(document, KINDS, relations(KINDS)).condition(
        root(document, document.text), [KINDS[kind]]
    )
    assert found, [str(error) for error in document.errors]
    return found


def estate(size: int) -> list[Resource]:
    rnd = random.Random(7)
    makers: dict[str, Callable[[int], dict[str, Any]]] = {
        "aws.ec2.instance": lambda i: instance(rnd, i, size),
        "aws.ec2.security_group": lambda i: group(rnd, i),
        "aws.ec2.volume": lambda i: volume(rnd, i),
        "k8s.deployment": lambda i: deployment(rnd, i),
    }
    return [
        Resource(kind=kind, id=f"{kind}-{i}", name=f"{kind}-{i}", provider=kind[:3], account="1" * 12,
                 region="eu-west-1", data=make(i))
        for kind, make in makers.items()
        for i in range(size)
    ]  # fmt: skip


def tags(rnd: random.Random) -> dict[str, str]:
    return {f"tag-{n}": f"value-{rnd.randrange(99)}" for n in range(rnd.randrange(6))} | (
        {"Owner": "team"} if rnd.random() < 0.8 else {}
    )


def instance(rnd: random.Random, i: int, size: int) -> dict[str, Any]:
    return {
        "InstanceId": f"i-{i}",
        "InstanceType": rnd.choice(["t3.micro", "m5.large", "m3.large", "r6g.xlarge"]),
        "State": {"Code": 16, "Name": "running" if rnd.random() < 0.9 else "stopped"},
        "LaunchTime": f"2026-0{rnd.randrange(1, 6)}-11T08:00:00Z",
        "Monitoring": {"State": rnd.choice(["enabled", "enabled", "disabled"])},
        "MetadataOptions": {"HttpTokens": rnd.choice(["required", "required", "optional"])},
        "SecurityGroups": [{"GroupId": f"sg-{rnd.randrange(size)}"} for _ in range(2)],
        "BlockDeviceMappings": [{"Ebs": {"VolumeId": f"vol-{i}"}}],
        "metrics": {"cpu": {"average": rnd.uniform(1, 90), "maximum": rnd.uniform(5, 100)}},
        "tags": tags(rnd),
        **({"PublicIpAddress": "203.0.113.9"} if rnd.random() < 0.3 else {}),
        **{f"Other{n}": {"Value": "x" * 20} for n in range(25)},
    }


def group(rnd: random.Random, i: int) -> dict[str, Any]:
    return {
        "GroupId": f"sg-{i}",
        "GroupName": "default" if i % 50 == 0 else f"group-{i}",
        "IpPermissions": [
            {
                "IpProtocol": "tcp",
                "FromPort": (port := rnd.choice([22, 80, 443, 443, 8080, 5432])),
                "ToPort": port,
                "IpRanges": [{"CidrIp": rnd.choice(["10.0.0.0/8", "192.0.2.0/24", "0.0.0.0/0"])}],
            }
            for _ in range(rnd.randrange(1, 5))
        ],
        "tags": tags(rnd),
    }


def volume(rnd: random.Random, i: int) -> dict[str, Any]:
    return {
        "VolumeId": f"vol-{i}",
        "State": "in-use" if rnd.random() < 0.9 else "available",
        "Encrypted": rnd.random() < 0.9,
        "VolumeType": rnd.choice(["gp3", "gp3", "gp3", "gp2"]),
        "Iops": 3000,
        "CreateTime": f"2026-0{rnd.randrange(1, 6)}-11T08:00:00Z",
        "tags": tags(rnd),
    }


def deployment(rnd: random.Random, i: int) -> dict[str, Any]:
    containers = [
        {
            "name": f"c{n}",
            "image": f"registry.example/app-{i}:1.{n}",
            "resources": {
                "requests": {"cpu": "100m", "memory": "128Mi"},
                "limits": {"memory": "256Mi"} if rnd.random() < 0.9 else {},
            },
            "securityContext": {"runAsNonRoot": True, "privileged": False},
        }
        for n in range(rnd.randrange(1, 4))
    ]
    return {
        "metadata": {"name": f"app-{i}", "namespace": "shop", "labels": {"app": f"app-{i}"}},
        "spec": {
            "replicas": rnd.choice([1, 2, 3, 3]),
            "template": {"metadata": {"labels": {"app": f"app-{i}"}}, "spec": {"containers": containers}},
        },
    }  # fmt: skip


def cost(rules: dict[str, list[Any]], resources: list[Resource]) -> tuple[float, float, int, int]:
    """(compiled, interpreted) in µs per pair, the pairs, and how many of them were flagged."""
    compiled = interpreted = 0.0
    pairs = hits = 0
    for kind, bodies in rules.items():
        found = [resource for resource in resources if resource.kind == kind]
        parsed = [condition(body, kind) for body in bodies]
        run = flags(parsed, NOW)
        compiled += min(
            clock(lambda found=found, run=run: [run(r) for r in found]) for _ in range(5)
        )
        hits += sum(len(run(resource)) for resource in found)
        sample = found[:500]
        started = time.process_time()
        for resource in sample:
            for rule in parsed:
                interpret(rule, resource, NOW)
        interpreted += (time.process_time() - started) * len(found) / len(sample)
        pairs += len(found) * len(parsed)
    return compiled / pairs * 1e6, interpreted / pairs * 1e6, pairs, hits


def clock(work: Callable[[], Any]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    resources = estate(size)
    linking = clock(lambda: link(resources, KINDS, []))
    print(
        f"link {len(resources)} resources: {linking:.2f} s, {linking / len(resources) * 1e6:.1f} µs each"
    )
    compiling = clock(
        lambda: [flags([condition(b, k) for b in bodies], NOW) for k, bodies in PLAIN.items()]
    )
    print(f"read and compile {sum(map(len, PLAIN.values()))} conditions: {compiling * 1e3:.0f} ms")
    print(
        f"{'':24}{'compiled':>10}{'interpreted':>13}{'ratio':>7}{'pairs':>9}{'flagged':>9}   µs per (rule, resource)"
    )
    for name, rules in (("without relations", PLAIN), ("with relations", JOINED)):
        fast, slow, pairs, hits = cost(rules, resources)
        print(f"{name:24}{fast:10.2f}{slow:13.1f}{slow / fast:7.0f}{pairs:9}{hits / pairs:9.1%}")


if __name__ == "__main__":
    main()
