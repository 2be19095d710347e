"""Scans to store: one that looks like an estate, of any size, and arbitrary ones for laws."""

from __future__ import annotations

import copy
import random
from dataclasses import asdict
from typing import Any

from hypothesis import strategies as st

from infrascan.model import (
    Category,
    Claim,
    Connection,
    Coverage,
    Cut,
    Edge,
    Evidence,
    Finding,
    Fix,
    Gap,
    Identity,
    Issue,
    Partition,
    Path,
    Price,
    Reason,
    Research,
    Resource,
    RuleSummary,
    Scan,
    Severity,
    State,
    Step,
    Unknown,
    Usage,
)

ACCOUNTS = ("111122223333", "444455556666")
REGIONS = ("eu-west-1", "us-east-1", "ap-south-1")
OPEN = "aws.ec2.security-group-open-to-internet"
IDLE = "aws.ec2.instance-idle"
PLAIN = "aws.ec2.volume-unencrypted"
KIND_OF = {
    OPEN: "aws.ec2.security_group",
    IDLE: "aws.ec2.instance",
    PLAIN: "aws.ec2.volume",
}
ABOUT = {
    OPEN: ("Security group open to the internet", Category.SECURITY, Severity.CRITICAL),
    IDLE: ("Instance does next to nothing", Category.COST, Severity.HIGH),
    PLAIN: ("Volume is not encrypted", Category.SECURITY, Severity.MEDIUM),
}


def instance(number: int, account: str, region: str, chance: random.Random) -> dict[str, Any]:
    return {
        "InstanceId": f"i-{number:017x}",
        "InstanceType": chance.choice(["t3.micro", "m5.large", "c6i.4xlarge"]),
        "LaunchTime": "2026-03-01T08:00:00Z",
        "State": {"Code": 16, "Name": "running"},
        "PrivateIpAddress": f"10.{number % 200}.{number // 200 % 200}.7",
        "SecurityGroups": [{"GroupId": f"sg-{number % 50:017x}", "GroupName": "web"}],
        "Placement": {"AvailabilityZone": f"{region}a", "Tenancy": "default"},
        "BlockDeviceMappings": [
            {"DeviceName": "/dev/sda1", "Ebs": {"VolumeId": f"vol-{number:017x}"}}
        ],
        "NetworkInterfaces": [
            {
                "NetworkInterfaceId": f"eni-{number:017x}",
                "MacAddress": f"0a:00:{number % 256:02x}:00:00:01",
                "OwnerId": account,
                "Attachment": {"AttachTime": "2026-03-01T08:00:00Z", "DeviceIndex": 0},
            }
        ],
        "MetadataOptions": {"HttpTokens": "optional", "HttpEndpoint": "enabled"},
        "Tags": [{"Key": "team", "Value": f"team-{number % 9}"}],
        "tags": {"team": f"team-{number % 9}"},
        "metrics": {
            "CPUUtilization": {"average": chance.random() * 9, "maximum": 40.0, "days": 14}
        },
        "monthly_cost": 30.5 + number % 7,
    }


def group(number: int) -> dict[str, Any]:
    return {
        "GroupId": f"sg-{number:017x}",
        "IpPermissions": [
            {"FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
            {"FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]},
        ],
    }


def volume(number: int) -> dict[str, Any]:
    return {
        "VolumeId": f"vol-{number:017x}",
        "Encrypted": number % 3 != 0,
        "Size": 100 + number % 400,
        "monthly_cost": 8.0 + number % 40,
    }


def estate(size: int = 120, seed: int = 1, id: str = "20261121T093000Z-5f3a") -> Scan:
    """A scan of about `size` resources in two accounts, with every kind of verdict and gap."""
    chance = random.Random(seed)
    resources: list[Resource] = []
    for number in range(size // 2):
        account, region = ACCOUNTS[number % 2], REGIONS[number % 3]
        place = {"provider": "aws", "account": account, "region": region}
        resources.append(
            Resource(
                kind="aws.ec2.instance",
                id=f"i-{number:017x}",
                name=f"web-{number}",
                data=instance(number, account, region, chance),
                **place,
            )
        )
        if number % 4:
            data = volume(number)
            resource = Resource(
                kind="aws.ec2.volume", id=data["VolumeId"], name="", data=data, **place
            )
        else:
            data = group(number)
            resource = Resource(
                kind="aws.ec2.security_group", id=data["GroupId"], name="web", data=data, **place
            )
        if number % 11 == 5:
            resource.unread["attributes"] = Gap(
                call="ec2.DescribeVolumeAttribute",
                kind=resource.kind,
                reason=Reason.DENIED,
                detail="not authorized",
                permission="ec2:DescribeVolumeAttribute",
                resource=resource.key,
                field="attributes",
                **place,
            )
        resources.append(resource)
    resources.sort(key=lambda resource: resource.key)
    return judged(resources, id=id)


def judged(resources: list[Resource], id: str, **more: Any) -> Scan:
    """A scan of these resources: links, findings, gaps and coverage follow from them."""
    gaps = [gap for resource in resources for gap in resource.unread.values()]
    edges, findings, unknowns = [], [], []
    groups = {r.id: r for r in resources if r.kind == "aws.ec2.security_group"}
    for resource in resources:
        for one in resource.data.get("SecurityGroups", ()):
            if to := groups.get(one["GroupId"]):
                edges.append(Edge(source=resource.key, name="security_groups", target=to.key))
                resource.links.setdefault("security_groups", []).append(to)
                to.links.setdefault("instances", []).append(resource)
        for rule in KIND_OF:
            verdict(rule, resource, findings, unknowns)
    places = sorted({(r.provider, r.account, r.region, r.kind) for r in resources})
    coverage = [ledger(place, resources) for place in places]
    return Scan(
        id=id,
        version="0.1.0",
        started="2026-11-21T09:30:00Z",
        finished="2026-11-21T09:30:41Z",
        observed="2026-11-21T09:30:00Z",
        scope={"providers": ["aws"], "regions": list(REGIONS), "secrets": False},
        identities=[
            Identity(
                provider="aws", state=Connection.CONNECTED, account=account, who="arn:aws:iam::x"
            )
            for account in ACCOUNTS
        ],
        resources=resources,
        edges=edges,
        findings=findings,
        unknowns=unknowns,
        gaps=gaps,
        coverage=coverage,
        rules=[
            RuleSummary(
                rule=rule,
                title=ABOUT[rule][0],
                category=ABOUT[rule][1],
                severity=ABOUT[rule][2],
                kind=kind,
                flagged=sum(finding.rule == rule for finding in findings),
                passed=1,
                unknown=sum(unknown.rule == rule for unknown in unknowns),
                definition=f"hash of {rule}",
            )
            for rule, kind in KIND_OF.items()
        ],
        monthly_cost=sum(r.data.get("monthly_cost", 0) for r in resources),
        unpriced={"aws.ec2.security_group": len(groups)},
        **more,
    )


def verdict(
    rule: str, resource: Resource, findings: list[Finding], unknowns: list[Unknown]
) -> None:
    data = resource.data
    if resource.kind != KIND_OF[rule]:
        return
    common = {
        "kind": resource.kind,
        "name": resource.name,
        "provider": resource.provider,
        "account": resource.account,
        "region": resource.region,
    }
    needs = {OPEN: "IpPermissions", IDLE: "metrics", PLAIN: "Encrypted"}[rule]
    if gap := resource.unread.get(needs):
        unknowns.append(Unknown(rule=rule, resource=resource.key, gap=gap, **common))
        return
    saving = None
    if rule == OPEN:
        flagged = bool(data.get("IpPermissions")) and (
            data["IpPermissions"][0]["IpRanges"][0]["CidrIp"] == "0.0.0.0/0"
        )
        path, value = "IpPermissions[0].IpRanges[0].CidrIp", "0.0.0.0/0"
    elif rule == IDLE:
        value = data["metrics"]["CPUUtilization"]["average"]
        flagged, path = value < 5, "metrics.CPUUtilization.average"
        saving = Price(monthly=data["monthly_cost"], source="AWS price list", date="2026-10-01")
    else:
        flagged, path, value = data.get("Encrypted") is False, "Encrypted", False
    if flagged:
        title, category, severity = ABOUT[rule]
        findings.append(
            Finding(
                rule=rule,
                title=title,
                category=category,
                severity=severity,
                resource=resource.key,
                resource_id=resource.id,
                evidence=(Evidence(resource=resource.key, path=path, value=value),),
                why="Anyone who finds it can read what is on it. " * 4,
                fix="Change the setting.",
                command=f"aws ec2 fix {resource.id}",
                references=("https://example.com/a",),
                controls={"cis-aws-5.0": ("2.2.3",), "soc2": ("CC6.6",)},
                cost=saving,
                saving=saving,
                **common,
            )
        )


def ledger(place: tuple[str, str, str, str], resources: list[Resource]) -> Coverage:
    provider, account, region, kind = place
    inside = [
        r
        for r in resources
        if (r.provider, r.account, r.region, r.kind) == (provider, account, region, kind)
    ]
    failed = sum(len(resource.unread) for resource in inside)
    return Coverage(
        partition=Partition(provider=provider, account=account, region=region, kind=kind),
        state=State.PARTIAL if failed else State.READ,
        resources=len(inside),
        calls=len(inside) + 1,
        failed=failed,
    )


def clone(scan: Scan, **changes: Any) -> Scan:
    """A deep copy with other values in some fields."""
    copied = copy.deepcopy(scan)
    for name, value in changes.items():
        setattr(copied, name, value)
    return copied


def plain(scan: Scan) -> dict[str, Any]:
    """All that a scan says, comparable with `==`; links by key, in order."""
    said = {name: getattr(scan, name) for name in Scan.__dataclass_fields__ if name != "resources"}
    said["resources"] = [described(resource) for resource in scan.resources]
    return said


def described(resource: Resource) -> dict[str, Any]:
    return {
        name: getattr(resource, name) for name in Resource.__dataclass_fields__ if name != "links"
    } | {
        "unread": {name: asdict(gap) for name, gap in resource.unread.items()},
        "links": {name: [to.key for to in targets] for name, targets in resource.links.items()},
    }


text = st.text(st.characters(exclude_categories=()), max_size=8)  # lone surrogates, NUL, controls
number = st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | number | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)
data = st.dictionaries(
    st.sampled_from(["Name", "Policy", "tags", "metrics", "monthly_cost", "State"])
    | st.text(max_size=6),
    json_values,
    max_size=5,
)
regions = st.sampled_from(["", "eu-west-1", "us-east-1"])
kinds = st.sampled_from(sorted(KIND_OF.values()))
gaps = st.builds(
    Gap,
    provider=text,
    account=text,
    region=regions,
    kind=kinds,
    call=text,
    reason=st.sampled_from(Reason),
    detail=text,
    permission=text,
    resource=text,
    field=text,
)
resources = st.builds(
    Resource,
    kind=kinds,
    id=text,
    name=text,
    provider=st.sampled_from(["aws", "k8s"]),
    account=text,
    region=regions,
    data=data,
    unread=st.dictionaries(text, gaps, max_size=2),
)
prices = st.builds(
    Price, monthly=number, source=text, date=text, currency=st.just("USD"), basis=text
)
findings = st.builds(
    Finding,
    rule=text,
    title=text,
    category=st.sampled_from(Category),
    severity=st.sampled_from(Severity),
    kind=kinds,
    resource=text,
    resource_id=text,
    name=text,
    provider=text,
    account=text,
    region=regions,
    evidence=st.lists(
        st.builds(Evidence, resource=text, path=text, value=json_values), max_size=2
    ).map(tuple),
    why=text,
    fix=text,
    command=text,
    references=st.lists(text, max_size=2).map(tuple),
    controls=st.dictionaries(text, st.lists(text, max_size=2).map(tuple), max_size=2),
    cost=st.none() | prices,
    saving=st.none() | prices,
    saving_note=text,
    saving_counted=st.booleans(),
)
unknowns = st.builds(
    Unknown,
    rule=text,
    kind=kinds,
    resource=text,
    name=text,
    provider=text,
    account=text,
    region=regions,
    gap=gaps,
)
counts = st.integers(0, 10**9)
coverage = st.builds(
    Coverage,
    partition=st.builds(Partition, provider=text, account=text, region=regions, kind=kinds),
    state=st.sampled_from(State),
    resources=counts,
    calls=counts,
    failed=counts,
)
identities = st.builds(
    Identity,
    provider=text,
    state=st.sampled_from(Connection),
    source=text,
    account=text,
    who=text,
    detail=text,
    remedy=text,
)
rules = st.builds(
    RuleSummary,
    rule=text,
    title=text,
    category=st.sampled_from(Category),
    severity=st.sampled_from(Severity),
    kind=kinds,
    flagged=counts,
    passed=counts,
    unknown=counts,
    definition=text,
)


texts = st.lists(text, max_size=2).map(tuple)
severities = st.sampled_from(Severity)
facts = st.lists(
    st.builds(Evidence, resource=text, path=text, value=st.one_of(text, st.booleans(), data)),
    max_size=2,
).map(tuple)
fixes = st.builds(Fix, resource=text, text=text, command=text, rule=text)
steps = st.builds(
    Step,
    source=text,
    target=text,
    relation=text,
    stage=text,
    says=text,
    evidence=facts,
    fix=st.none() | fixes,
)
paths = st.builds(
    Path,
    title=text,
    severity=severities,
    steps=st.lists(steps, min_size=1, max_size=3).map(tuple),
    findings=texts,
    blast=texts,
    unsure=text,
)
cuts = st.builds(
    Cut, fixes=st.lists(fixes, max_size=2).map(tuple), paths=texts, exact=st.booleans()
)
issues = st.builds(
    Issue,
    title=text,
    category=st.sampled_from(Category),
    severity=severities,
    resource=text,
    why=text,
    findings=texts,
    paths=texts,
    saving=number,
)
claims = st.builds(
    Claim,
    title=text,
    severity=severities,
    confirmed=st.booleans(),
    resources=texts,
    evidence=facts,
    findings=texts,
    says=text,
    next_check=text,
)
usages = st.builds(
    Usage,
    step=text,
    model=text,
    calls=counts,
    input_tokens=counts,
    output_tokens=counts,
    usd=st.none() | number,
    cached=counts,
)
research = st.builds(
    Research,
    model=text,
    banner=text,
    summary=text,
    claims=st.lists(claims, max_size=2).map(tuple),
    usage=st.lists(usages, max_size=2).map(tuple),
    accepted=counts,
    repaired=counts,
    dropped=st.dictionaries(text, counts, max_size=2),
)


@st.composite
def arbitrary(draw: Any) -> Scan:
    """Any scan at all, links among its resources included."""
    drawn = draw(st.lists(resources, max_size=5))
    for resource in drawn:
        resource.links = draw(
            st.dictionaries(text, st.lists(st.sampled_from(drawn), max_size=2), max_size=2)
        )
    return Scan(
        id="20261121T093000Z-5f3a",
        version=draw(text),
        started=draw(text),
        finished=draw(text),
        observed=draw(text),
        scope=draw(data),
        identities=draw(st.lists(identities, max_size=2)),
        resources=drawn,
        edges=draw(st.lists(st.builds(Edge, source=text, name=text, target=text), max_size=3)),
        findings=draw(st.lists(findings, max_size=3)),
        unknowns=draw(st.lists(unknowns, max_size=3)),
        gaps=draw(st.lists(gaps, max_size=3)),
        coverage=draw(st.lists(coverage, max_size=3)),
        rules=draw(st.lists(rules, max_size=2)),
        monthly_cost=draw(number),
        unpriced=draw(st.dictionaries(kinds, counts, max_size=2)),
        interrupted=draw(st.booleans()),
        question=draw(text),
        paths=draw(st.lists(paths, max_size=2)),
        cuts=draw(st.lists(cuts, max_size=2)),
        issues=draw(st.lists(issues, max_size=2)),
        research=draw(research),
    )
