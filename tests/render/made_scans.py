"""Scans made up for the tests of reports: the same arguments give the same scan."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from infrascan.model import (
    Category,
    Connection,
    Coverage,
    Evidence,
    Finding,
    Gap,
    Identity,
    Partition,
    Price,
    Reason,
    Resource,
    RuleSummary,
    Scan,
    Severity,
    State,
    Unknown,
)
from infrascan.reason.spending import spending

from . import made_paths

SECURITY, COST, RELIABILITY = Category.SECURITY, Category.COST, Category.RELIABILITY
CRITICAL, HIGH, MEDIUM, LOW, INFO = tuple(Severity)

ACCOUNTS = ("210987654321", "310987654321")
CLUSTERS = ("prod-eu", "staging")
REGIONS = ("eu-west-1", "eu-central-1", "us-east-1")
SERVICES = ("orders", "crm", "search", "billing", "media", "auth", "mail", "ledger", "edge", "ml")
ROLES = ("db", "worker", "cache", "api", "web", "backup", "logs", "queue", "batch", "proxy")
OLD_PRICE = {"source": "AWS price list, eu-west-1", "date": "2026-10-01"}


@dataclass(frozen=True, slots=True)
class Made:
    rule: str
    title: str
    category: Category
    severity: Severity
    kind: str
    evidence: tuple[tuple[str, Any], ...]
    why: str
    fix: str
    command: str = ""
    cost: float = 0.0
    share: float = 0.0
    controls: dict[str, tuple[str, ...]] | None = None


MADE = (
    Made(
        "aws.rds.instance-open-to-internet",
        "RDS instance accepts connections from the internet",
        SECURITY,
        CRITICAL,
        "aws.rds.db_instance",
        (
            ("PubliclyAccessible", True),
            ("Endpoint.Port", 5432),
            ("security_groups[0].IpPermissions[1].IpRanges[0].CidrIp", "0.0.0.0/0"),
        ),
        "Anyone on the internet can reach the login prompt of this database. One weak or leaked"
        " password, or one flaw in the engine, is then enough to read and change the data.",
        "Turn off public accessibility and reach the database through the VPC.",
        "aws rds modify-db-instance --db-instance-identifier {name} --no-publicly-accessible"
        " --region {region}",
        210.24,
        0.0,
        {"cis-aws-5.0": ("2.2.3",), "soc2": ("CC6.6",)},
    ),
    Made(
        "aws.s3.bucket-readable-by-anyone",
        "S3 bucket can be read by anyone",
        SECURITY,
        CRITICAL,
        "aws.s3.bucket",
        (("policy.Statement[0].Principal", {"AWS": "*"}), ("public_access_block", None)),
        "The policy of the bucket lets anyone on the internet list it and download what is in it.",
        "Block public access for the bucket, or name who may read it.",
        "aws s3api put-public-access-block --bucket {name} --public-access-block-configuration"
        " BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true",
        0.0,
        0.0,
        {"cis-aws-5.0": ("2.1.4",)},
    ),
    Made(
        "k8s.pod.privileged-container",
        "Container runs privileged",
        SECURITY,
        HIGH,
        "k8s.pod",
        (("spec.containers[0].securityContext.privileged", True),),
        "A privileged container can take over its node, and with it every pod that runs there.",
        "Remove privileged from the container's security context; add the capabilities it needs.",
        "",
        0.0,
        0.0,
        {"cis-kubernetes-1.10": ("5.2.2",)},
    ),
    Made(
        "aws.autoscaling.group-idle",
        "Worker pool is idle",
        COST,
        HIGH,
        "aws.autoscaling.group",
        (("metrics.CPUUtilization.average", 2.4), ("DesiredCapacity", 4)),
        "Four instances have used under three percent of their processors for two weeks.",
        "Scale the group to what it uses, or let it scale to nothing at night.",
        "aws autoscaling set-desired-capacity --auto-scaling-group-name {name}"
        " --desired-capacity 1 --region {region}",
        840.96,
        0.75,
    ),
    Made(
        "aws.elasticache.single-zone",
        "Cache has one node and no failover",
        RELIABILITY,
        MEDIUM,
        "aws.elasticache.replication_group",
        (("AutomaticFailover", "disabled"), ("MemberClusters", ["orders-cache-001"])),
        "When the node or its zone fails the cache is gone, and the services behind it get every"
        " request that it used to answer.",
        "Add a replica in another zone and turn on automatic failover.",
        "aws elasticache increase-replica-count --replication-group-id {name}"
        " --new-replica-count 1 --apply-immediately --region {region}",
        99.28,
    ),
    Made(
        "aws.ec2.volume-unattached",
        "EBS volume is attached to nothing",
        COST,
        MEDIUM,
        "aws.ec2.volume",
        (("State", "available"), ("Size", 500), ("VolumeType", "gp2")),
        "The volume costs the same as when it was in use, and nothing reads or writes it.",
        "Keep a snapshot if the data may matter, then delete the volume.",
        "aws ec2 delete-volume --volume-id {name} --region {region}",
        55.0,
        1.0,
    ),
    Made(
        "k8s.deployment.one-replica",
        "Deployment runs a single replica",
        RELIABILITY,
        LOW,
        "k8s.deployment",
        (("spec.replicas", 1),),
        "Each restart, upgrade or lost node is an outage until the only pod is up again.",
        "Run two replicas or more, spread over nodes.",
        "kubectl scale deployment {name} --replicas 2",
    ),
    Made(
        "aws.logs.log-group-kept-forever",
        "Log group is kept forever",
        COST,
        LOW,
        "aws.logs.log_group",
        (("retentionInDays", None), ("storedBytes", 48318382080)),
        "Logs without an end date grow every month and are rarely read after the first.",
        "Set a retention that suits your audits.",
        "aws logs put-retention-policy --log-group-name {name} --retention-in-days 90"
        " --region {region}",
        1.35,
        0.5,
    ),
    Made(
        "k8s.namespace.without-quota",
        "Namespace has no resource quota",
        RELIABILITY,
        INFO,
        "k8s.namespace",
        (("quotas", []),),
        "One workload that asks for too much can take the room of all others in the cluster.",
        "Add a ResourceQuota to the namespace.",
    ),
)


def estate(findings: int = 60, seed: int = 7) -> Scan:
    """A scan of two AWS accounts and two clusters with this many findings."""
    dice = random.Random(seed)
    made: list[Finding] = []
    resources: list[Resource] = []
    for place in range(findings):
        rule = MADE[place % len(MADE)] if place < 2 * len(MADE) else choose(dice)
        name = f"{dice.choice(SERVICES)}-{dice.choice(ROLES)}-{place:x}"
        provider = rule.kind.partition(".")[0]
        account = dice.choice(ACCOUNTS if provider == "aws" else CLUSTERS)
        region = dice.choice(REGIONS) if provider == "aws" else ""
        identity = name if provider == "aws" else f"{dice.choice(SERVICES)}/{name}"
        data: dict[str, Any] = {"tags": {"team": dice.choice(SERVICES)}}
        cost = round(rule.cost * dice.uniform(0.5, 2), 2)
        if cost:
            data["monthly_cost"] = cost
        resource = Resource(
            kind=rule.kind,
            id=identity,
            name=name,
            provider=provider,
            account=account,
            region=region,
            data=data,
        )
        resources.append(resource)
        made.append(finding(rule, resource, cost))
    made_scan = Scan(
        id="20261121T093000Z-5f3a",
        version="0.1.0",
        started="2026-11-21T09:30:00Z",
        finished="2026-11-21T09:30:27Z",
        observed="2026-11-21T09:30:00Z",
        scope={"providers": ["aws", "k8s"], "regions": list(REGIONS)},
        identities=identities(),
        resources=resources,
        edges=[],
        findings=made,
        unknowns=unknowns(),
        gaps=gaps(),
        coverage=coverage(),
        rules=summaries(made),
        monthly_cost=round(sum(r.data.get("monthly_cost", 0.0) for r in resources), 2),
        unpriced={"aws.redshift.cluster": 2} if findings else {},
    )
    made_scan.spending = spending(made_scan)
    made_paths.connect(made_scan)
    return made_scan


def choose(dice: random.Random) -> Made:
    weights = [{CRITICAL: 1, HIGH: 3, MEDIUM: 8, LOW: 12, INFO: 6}[rule.severity] for rule in MADE]
    return dice.choices(MADE, weights)[0]


def finding(rule: Made, resource: Resource, cost: float) -> Finding:
    saving = None
    if rule.share and cost:
        amount = round(cost * rule.share, 2)
        saving = Price(monthly=amount, basis=f"{rule.share:.0%} of {cost} USD", **OLD_PRICE)
    return Finding(
        rule=rule.rule,
        title=rule.title,
        category=rule.category,
        severity=rule.severity,
        kind=rule.kind,
        resource=resource.key,
        resource_id=resource.id,
        name=resource.name,
        provider=resource.provider,
        account=resource.account,
        region=resource.region,
        evidence=tuple(
            Evidence(resource=resource.key, path=path, value=value)
            for path, value in (*rule.evidence, unique(resource))
        ),
        why=rule.why,
        fix=rule.fix,
        command=rule.command.replace("{name}", resource.name).replace("{region}", resource.region),
        references=(f"https://docs.example.org/{rule.rule}",),
        controls=rule.controls or {},
        cost=Price(monthly=cost, basis=f"730 h × {cost / 730:.4f} USD", **OLD_PRICE)
        if cost
        else None,
        saving=saving,
    )


def unique(resource: Resource) -> tuple[str, str]:
    """A field that no other resource has the value of, as every API gives."""
    digest = hashlib.sha256(resource.key.encode()).hexdigest()
    if resource.provider == "k8s":
        return (
            "metadata.uid",
            f"{digest[:8]}-{digest[8:12]}-4{digest[12:15]}-a{digest[15:18]}-{digest[18:30]}",
        )
    return "Arn", f"arn:aws:any:{resource.region}:{resource.account}:{digest[:17]}"


def identities() -> list[Identity]:
    return [
        Identity(
            provider="aws",
            state=Connection.CONNECTED,
            source="profile prod (~/.aws/credentials)",
            account=ACCOUNTS[0],
            who=f"arn:aws:iam::{ACCOUNTS[0]}:role/scanner",
        ),
        Identity(
            provider="aws",
            state=Connection.CONNECTED,
            source="profile data (~/.aws/credentials)",
            account=ACCOUNTS[1],
            who=f"arn:aws:iam::{ACCOUNTS[1]}:role/scanner",
        ),
        *(
            Identity(
                provider="k8s",
                state=Connection.CONNECTED,
                source="~/.kube/config",
                account=cluster,
                who="scanner",
            )
            for cluster in CLUSTERS
        ),
        Identity(
            provider="aws",
            state=Connection.ERROR,
            source="profile old (~/.aws/config)",
            detail="The SSO session has expired.",
            remedy="Run aws sso login --profile old.",
        ),
    ]


def gaps() -> list[Gap]:
    buckets = [
        Gap(
            provider="aws",
            account=ACCOUNTS[1],
            region="",
            kind="aws.s3.bucket",
            call="s3.GetBucketPolicy",
            reason=Reason.DENIED,
            detail="AccessDenied: not authorized to perform s3:GetBucketPolicy",
            permission="s3:GetBucketPolicy",
            resource=f"aws.s3.bucket/{ACCOUNTS[1]}/global/archive-{n}",
            field="policy",
        )
        for n in range(4)
    ]
    return [
        *buckets,
        *(
            Gap(
                provider="aws",
                account=ACCOUNTS[0],
                region=region,
                kind="aws.guardduty.detector",
                call="guardduty.ListDetectors",
                reason=Reason.DENIED,
                detail="AccessDeniedException: guardduty:ListDetectors",
                permission="guardduty:ListDetectors",
            )
            for region in REGIONS
        ),
        Gap(
            provider="k8s",
            account="staging",
            kind="k8s.secret",
            call="GET /api/v1/secrets",
            reason=Reason.DENIED,
            detail='secrets is forbidden: User "scanner" cannot list resource "secrets"',
            permission="list secrets",
        ),
        Gap(
            provider="aws",
            account=ACCOUNTS[0],
            region="eu-central-1",
            kind="aws.ec2.volume",
            call="ec2.DescribeVolumes",
            reason=Reason.THROTTLED,
            detail="RequestLimitExceeded after 7 attempts",
        ),
    ]


def unknowns() -> list[Unknown]:
    policy = [
        Unknown(
            rule="aws.s3.bucket-readable-by-anyone",
            kind="aws.s3.bucket",
            resource=gap.resource,
            name=gap.resource.rpartition("/")[2],
            provider="aws",
            account=gap.account,
            region="",
            gap=gap,
        )
        for gap in gaps()[:4]
    ]
    volumes = gaps()[-1]
    return [
        *policy,
        Unknown(
            rule="aws.ec2.volume-unattached",
            kind="aws.ec2.volume",
            resource="",
            name="",
            provider="aws",
            account=volumes.account,
            region=volumes.region,
            gap=volumes,
        ),
    ]


def coverage() -> list[Coverage]:
    entries: list[Coverage] = []
    kinds = sorted({rule.kind for rule in MADE} | {"aws.guardduty.detector", "k8s.secret"})
    missed = {(gap.account, gap.region, gap.kind) for gap in gaps() if not gap.resource}
    for kind in kinds:
        provider = kind.partition(".")[0]
        for account in ACCOUNTS if provider == "aws" else CLUSTERS:
            regional = provider == "aws" and kind != "aws.s3.bucket"
            for region in REGIONS if regional else ("",):
                state = State.UNREAD if (account, region, kind) in missed else State.READ
                if kind == "aws.s3.bucket" and account == ACCOUNTS[1]:
                    state = State.PARTIAL
                entries.append(
                    Coverage(
                        partition=Partition(
                            provider=provider, account=account, region=region, kind=kind
                        ),
                        state=state,
                        resources=0 if state is State.UNREAD else 9,
                        calls=10,
                        failed={State.READ: 0, State.PARTIAL: 4, State.UNREAD: 10}[state],
                    )
                )
    return entries


def summaries(findings: list[Finding]) -> list[RuleSummary]:
    flagged = Counter(f.rule for f in findings)
    unknown = Counter(u.rule for u in unknowns())
    return [
        RuleSummary(
            rule=rule.rule,
            title=rule.title,
            category=rule.category,
            severity=rule.severity,
            kind=rule.kind,
            flagged=flagged[rule.rule],
            passed=31,
            unknown=unknown[rule.rule],
        )
        for rule in MADE
    ]


def clean() -> Scan:
    """A scan that read everything and found nothing."""
    scan = estate(0)
    scan.gaps, scan.unknowns = [], []
    scan.identities = scan.identities[:-1]
    scan.coverage = [replace(e, state=State.READ, failed=0, resources=9) for e in scan.coverage]
    scan.rules = [replace(rule, unknown=0) for rule in scan.rules]
    return scan


def nothing() -> Scan:
    """A scan that could not read anything."""
    scan = clean()
    scan.coverage, scan.rules, scan.identities = [], [], []
    return scan


def stained(text: str, findings: int = 9) -> Scan:
    """A scan in which every string that comes from outside is this one."""
    scan = estate(findings)
    scan.question = text
    scan.scope = {"providers": [text], text: text}
    scan.findings = [
        replace(
            f,
            resource=f"{f.kind}/{text}/{number}",
            resource_id=text,
            name=text,
            account=text,
            region=text,
            evidence=(
                Evidence(resource=f"{f.kind}/{text}/{number}", path=text, value=text),
                Evidence(resource=text, path=f"tags.{text}", value={text: [text, 1, None]}),
            ),
            title=text,
            why=text,
            fix=text,
            command=text,
            references=(text, f"javascript:{text}", f"https://a.example/{text}"),
            controls={text: (text,)},
            saving_note=text,
            saving=f.saving and replace(f.saving, source=text, basis=text, date=text),
            cost=f.cost and replace(f.cost, source=text, basis=text, date=text),
        )
        for number, f in enumerate(scan.findings)
    ]
    scan.gaps = [
        replace(g, account=text, region=text, call=text, detail=text, permission=text, field=text)
        for g in scan.gaps
    ]
    scan.unknowns = [
        replace(u, name=text, resource=text, account=text, region=text, gap=scan.gaps[0])
        for u in scan.unknowns
    ]
    scan.identities = [
        replace(i, source=text, account=text, who=text, detail=text, remedy=text)
        for i in scan.identities
    ]
    scan.coverage = [
        replace(e, partition=replace(e.partition, account=text, region=text)) for e in scan.coverage
    ]
    scan.rules = [replace(r, title=text) for r in scan.rules]
    scan.unpriced = {text: 3}
    made_paths.stain(scan, text)
    for resource in scan.resources:
        resource.kind = resource.name = resource.id = resource.account = text
        resource.provider = text
    return scan
