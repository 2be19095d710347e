"""What to apply, so that infrascan may read and nothing else: policies, roles, bindings.

Made from the same tables that make the calls. `scan` is what a scan reads; `tools` what is looked
up outside one: spend, instances, alarms and buckets, or a pod's log; `all` is both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from infrascan.collect.provider import Provider
from infrascan.model import InputError

SCOPES = ("all", "scan", "tools", "logs")
WHO = "infrascan"
RBAC = "rbac.authorization.k8s.io"
CORE = {"apiVersion": f"{RBAC}/v1"}
# What is looked up outside a scan besides what tables read.
COST = ("ce:GetCostAndUsage",)
TOOL_KINDS = ("aws.ec2.instance", "aws.cloudwatch.alarm", "aws.s3.bucket")
POD_LOGS: tuple[Mapping[str, Any], ...] = (
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]},
    {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
)
NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
# AWS spells what an action does in its first word; these read. The apigateway service has methods.
READS = re.compile(
    r"[a-z0-9-]+:(?:Get|List|Describe|Lookup|BatchGet)[A-Z]\w*|apigateway:GET|iam:GenerateCredentialReport"
)
# They begin like the others, and give what is inside: data and secrets, not configuration.
INSIDE = frozenset(
    {
        *("s3:GetObject", "secretsmanager:GetSecretValue", "ssm:GetParameter", "ssm:GetParameters"),
        *("ecr:GetAuthorizationToken", "lambda:GetFunction", "dynamodb:BatchGetItem"),
        *("dynamodb:GetItem", "kinesis:GetRecords", "sts:GetSessionToken", "kms:GetParametersForImport"),
        *("sts:GetFederationToken", "ec2:GetPasswordData", "logs:GetLogEvents", "rds:ListData"),
    }
)  # fmt: skip


def reads(action: str) -> bool:
    """Whether an action of AWS reads configuration, and neither writes nor gives data."""
    return bool(READS.fullmatch(action)) and action not in INSIDE


def iam(provider: Provider, scope: str) -> Mapping[str, Any]:
    """A policy or custom role of a cloud. Raises `InputError` for another provider or scope."""
    if provider.name == "aws":
        return aws(scope)
    if provider.name in {"gcp", "azure"}:
        if scope not in {"all", "scan"}:
            raise InputError(f"--scope {scope} is of aws and k8s; {provider.name} has all and scan")
        return provider.permissions()
    raise InputError(f"{provider.name} has no IAM; there are aws, gcp, azure")


def aws(scope: str) -> Mapping[str, Any]:
    from infrascan.providers.aws import TABLES
    from infrascan.providers.aws.kinds import policy

    if scope == "logs":
        raise InputError("--scope logs is of k8s; aws has all, scan and tools")
    whole = policy(TABLES if scope != "tools" else [t for t in TABLES if t.kind in TOOL_KINDS])
    if scope == "scan":
        return whole
    statement = whole["Statement"][0]
    return {**whole, "Statement": [{**statement, "Action": sorted({*statement["Action"], *COST})}]}


def rbac(provider: Provider, scope: str, namespace: str) -> list[Mapping[str, Any]]:
    """A service account, its role and the binding of the two, for `kubectl apply -f -`.

    The logs of one namespace are a Role there; everything else is read in all of a cluster. RBAC
    has no role that only watches: `get` and `list` are all verbs there are in it.
    """
    if provider.name != "k8s":
        raise InputError(f"{provider.name} has no RBAC; it is of k8s")
    if not NAME.fullmatch(namespace):
        raise InputError(f"--namespace {namespace!r} is no name of a namespace")
    role = provider.permissions()
    if scope == "logs":
        return bound("Role", list(POD_LOGS), namespace, f"{WHO}-logs")
    if scope == "tools":
        return bound("ClusterRole", list(POD_LOGS), namespace, f"{WHO}-tools")
    rules = [*role["rules"], *(POD_LOGS if scope == "all" else ())]
    return bound("ClusterRole", rules, namespace, WHO)


def bound(
    kind: str, rules: Sequence[Mapping[str, Any]], namespace: str, name: str
) -> list[Mapping[str, Any]]:
    inside = {"namespace": namespace} if kind == "Role" else {}
    return [
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": name, "namespace": namespace},
        },
        {**CORE, "kind": kind, "metadata": {"name": name, **inside}, "rules": list(rules)},
        {
            **CORE,
            "kind": f"{kind}Binding",
            "metadata": {"name": name, **inside},
            "roleRef": {"apiGroup": RBAC, "kind": kind, "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace}],
        },
    ]


def pod(namespace: str, image: str, role: str) -> list[Mapping[str, Any]]:
    """A pod that serves agents beside it, as the service account of `rbac`: nothing else may reach
    it, it runs as nobody, and writes only where its scans are."""
    if not NAME.fullmatch(namespace):
        raise InputError(f"--namespace {namespace!r} is no name of a namespace")
    if not re.fullmatch(r"[\w./:@-]{1,255}", image):
        raise InputError(f"--image {image!r} is no name of an image")
    return [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": WHO, "namespace": namespace, "labels": {"app": WHO}},
            "spec": {
                "serviceAccountName": role,
                "securityContext": {
                    "runAsNonRoot": True,
                    "runAsUser": 65532,
                    "fsGroup": 65532,
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
                "containers": [
                    {
                        "name": WHO,
                        "image": image,
                        "args": ["mcp", "--transport", "http", "--listen", "127.0.0.1:39393"],
                        "env": [{"name": "INFRASCAN_HOME", "value": "/data"}],
                        "securityContext": {
                            "allowPrivilegeEscalation": False,
                            "readOnlyRootFilesystem": True,
                            "capabilities": {"drop": ["ALL"]},
                        },
                        "resources": {
                            "requests": {"cpu": "100m", "memory": "256Mi"},
                            "limits": {"memory": "1Gi"},
                        },
                        "volumeMounts": [
                            {"name": "data", "mountPath": "/data"},
                            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 (in the pod)
                        ],
                    }
                ],
                "volumes": [
                    {"name": "data", "emptyDir": {}},
                    {"name": "tmp", "emptyDir": {}},
                ],
            },
        }
    ]
