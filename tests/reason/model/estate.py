"""Scans made up for tests of the model's part: connected findings, and text of strangers in them."""

from __future__ import annotations

from collections.abc import Callable

from infrascan.model import (
    Category,
    Edge,
    Evidence,
    Finding,
    Price,
    Resource,
    Scan,
    Severity,
)

PLACES = ("name", "tag", "log", "annotation", "txt", "title")
PATHS = {
    "name": "Name",
    "tag": 'tags["note"]',
    "log": "lastState.terminated.message",
    "annotation": 'metadata.annotations["example.com/note"]',
    "txt": "content",
    "title": "title",
}
KINDS = {
    "name": "aws.s3.bucket",
    "tag": "aws.ec2.instance",
    "log": "k8s.pod",
    "annotation": "k8s.service",
    "txt": "cloudflare.dns.record",
    "title": "github.pull_request",
}


def finding(
    rule: str, resource: Resource, evidence: list[Evidence], severity: str, **more: object
) -> Finding:
    return Finding(
        rule=rule,
        title=f"The {resource.kind.rsplit('.', 1)[1]} has the fault of {rule.rsplit('.', 1)[1]}",
        category=Category.SECURITY,
        severity=Severity(severity),
        kind=resource.kind,
        resource=resource.key,
        resource_id=resource.id,
        name=resource.name,
        provider=resource.provider,
        account=resource.account,
        region=resource.region,
        evidence=tuple(evidence),
        why="Anyone can reach it.",
        fix="Close it.",
        **more,  # type: ignore[arg-type]
    )


def estate(text: Callable[[str, int], str], count: int = 100) -> Scan:
    """`count` resources in pairs, each with a text of a stranger in one place; `text` gives it.

    Of each pair the first leads to the second; both have a finding that quotes the text and one
    that does not.
    """
    resources: list[Resource] = []
    findings: list[Finding] = []
    edges: list[Edge] = []
    for i in range(count):
        place = PLACES[i % len(PLACES)] if i % 2 else PLACES[(i + i // 6) % len(PLACES)]
        said = text(place, i)
        kind = KINDS[place]
        resource = Resource(
            kind=kind,
            id=f"id-{i:04}",
            name=said if place == "name" else f"thing-{i:04}",
            provider=kind.split(".")[0],
            account="111122223333",
            region="eu-west-1" if kind.startswith("aws") else "",
            data={},
        )
        resources.append(resource)
        key = resource.key
        quoted = Evidence(resource=key, path=PATHS[place], value=said)
        port = Evidence(resource=key, path="opens[0].from", value=1000 + i)
        public = Evidence(resource=key, path="public", value=True)
        cost = Price(monthly=40.0, source="a list", date="2026-11-01")
        saving = Price(monthly=10.0, source="a list", date="2026-11-01")
        findings.append(finding(f"{kind}.quoted", resource, [quoted, port], "high"))
        findings.append(
            finding(f"{kind}.public", resource, [public, port], "medium", cost=cost, saving=saving)
        )
        if i % 2:
            edges.append(Edge(source=resources[i - 1].key, name="leads_to", target=key))
    return Scan(
        id="20261121T093000Z-aaaa",
        version="0",
        started="2026-11-21T09:30:00Z",
        finished="2026-11-21T09:31:00Z",
        observed="2026-11-21T09:30:00Z",
        scope={"providers": ["aws"]},
        identities=[],
        resources=resources,
        edges=edges,
        findings=findings,
        unknowns=[],
        gaps=[],
        coverage=[],
        rules=[],
        monthly_cost=40.0 * count,
    )


def clean(place: str, number: int) -> str:
    return (
        f"thing-{number:04}"
        if place == "name"
        else f"back-off restarting the failed container {number}"
    )
