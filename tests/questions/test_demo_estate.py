"""The golden set: questions on the demo estate, against what plain Python finds in the same recording.

The oracles read the vendors' documents as they are, with no code of the questions, so that the
recording may be made anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
import trio

from infrascan.model import Resource
from infrascan.pipeline import DEMO, Request, look
from infrascan.questions import Answer, Who, ask, shipped_catalogue
from infrascan.shipped import shipped
from tests.questions.lab import backed

ACME = Request(replay=shipped("estates") / DEMO)


@cache
def estate(*kinds: str) -> tuple[Resource, ...]:
    return tuple(trio.run(look, ACME, kinds).resources)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept")


def asked(home: Path, question: str, request: Request = ACME) -> Answer:
    found: Answer = trio.run(partial(ask, home, question, request=request, who=Who(client="test")))
    return found


def containers(pod: Resource) -> list[dict[str, Any]]:
    return pod.data.get("status", {}).get("containerStatuses") or []


def mib(quantity: str) -> float:
    units = {"Ki": 2**-10, "Mi": 1, "Gi": 2**10}
    return float(quantity[:-2]) * units[quantity[-2:]]


def above(percent: float, namespace: str = "") -> set[str]:
    found = set()
    for pod in estate("k8s.pod"):
        limits = [
            c.get("resources", {}).get("limits", {}).get("memory") for c in pod.data["spec"]["containers"]
        ]  # fmt: skip
        usage = pod.data.get("usage")
        if pod.data["status"]["phase"] != "Running" or not usage or not all(limits):
            continue
        share = 100 * usage["memory"] / 2**20 / sum(map(mib, limits))
        if share > percent and namespace in ("", pod.data["metadata"]["namespace"]):
            found.add(pod.key)
    return found


def keys(answer: Answer) -> set[str]:
    return {row["resource"] for row in answer.data["rows"]}


def of(kind: str, holds: Callable[[dict[str, Any]], bool] = lambda _: True) -> set[str]:
    return {r.key for r in estate(kind) if holds(r.data)}


def pods_in(namespace: str) -> set[str]:
    return of("k8s.pod", lambda data: data["metadata"]["namespace"] == namespace)


def waiting(reason: str) -> set[str]:
    return {
        pod.key
        for pod in estate("k8s.pod")
        if any(c.get("state", {}).get("waiting", {}).get("reason") == reason for c in containers(pod))
    }  # fmt: skip


def expiring(days: int) -> set[str]:
    kinds = {
        "aws.acm.certificate": lambda d: d.get("NotAfter"),
        "cloudflare.tls.custom_certificate": lambda d: d.get("expires_on"),
        "cloudflare.tls.origin_certificate": lambda d: d.get("expires_on"),
        "cloudflare.tls.certificate_pack": lambda d: (d.get("certificates") or [{}])[0].get("expires_on"),
        "hetzner.certificate": lambda d: d.get("not_valid_after"),
        "digitalocean.certificate": lambda d: d.get("not_after"),
    }  # fmt: skip
    from datetime import date, timedelta

    last = date(2026, 11, 20) + timedelta(days=days)
    return {
        r.key
        for kind, end in kinds.items()
        for r in estate(kind)
        if end(r.data) and date.fromisoformat(end(r.data)[:10]) <= last
    }


@dataclass(frozen=True)
class Golden:
    questions: tuple[str, ...]
    route: str
    expected: Callable[[], set[str]]
    given: Callable[[Answer], set[str]] = keys
    ok: Callable[[set[str]], bool | None] = lambda _: None


def anyone(bucket: dict[str, Any]) -> bool:
    """Whether a policy or an ACL of S3 lets anyone in, and nothing blocks it."""
    grants = (bucket.get("acl") or {}).get("Grants") or []
    by_list = any("global/AllUsers" in g["Grantee"].get("URI", "") for g in grants)
    return (bucket.get("policy_status") or {}).get("IsPublic") is True or by_list


def is_none(expected: set[str]) -> bool:
    return not expected


GOLDEN = (
    Golden(("which pods are using more than 80% of their memory limit right now?", "pods above 80 % of memory limit", "show me pods hitting 80% or more of their RAM limit"), "k8s.memory-above-limit", lambda: above(80)),
    Golden(("pods above 20 % of their memory limit in namespace shop", "which pods in the shop namespace use over 20% of the memory limit"), "k8s.memory-above-limit", lambda: above(20, "shop")),
    Golden(("is any pod in CrashLoopBackOff?", "are there any pods in CrashLoopBackOff?", "list crashlooping pods"), "k8s.crash-loops", lambda: waiting("CrashLoopBackOff"), ok=is_none),
    Golden(("which pods are pending?", "is any pod pending?"), "k8s.pending-pods", lambda: of("k8s.pod", lambda d: d["status"]["phase"] == "Pending"), ok=is_none),
    Golden(("list pods in namespace payments", "what pods run in the payments namespace?"), "k8s.pods", lambda: pods_in("payments")),
    Golden(("list deployments across clusters", "show every deployment in all clusters"), "k8s.deployments", lambda: of("k8s.deployment")),
    Golden(("deployments of cluster acme-staging", "list deployments in cluster acme-staging"), "k8s.deployments", lambda: {r.key for r in estate("k8s.deployment") if r.account == "acme-staging"}),
    Golden(("list namespaces", "what namespaces exist?"), "k8s.namespaces", lambda: of("k8s.namespace")),
    Golden(("list cron jobs", "when did the cron jobs last succeed?"), "k8s.jobs", lambda: of("k8s.cron_job")),
    Golden(("services of type LoadBalancer", "which kubernetes services are exposed to the internet?"), "k8s.exposed-services", lambda: of("k8s.service", lambda d: d["spec"].get("type") in ("LoadBalancer", "NodePort"))),
    Golden(("list EC2 instances", "show my ec2 instances", "ec2 inventory"), "aws.instances", lambda: of("aws.ec2.instance")),
    Golden(("ec2 instances in eu-west-1", "which EC2 instances run in region eu-west-1?"), "aws.instances", lambda: {r.key for r in estate("aws.ec2.instance") if r.region == "eu-west-1"}),
    Golden(("list S3 buckets", "how big are my s3 buckets?"), "aws.buckets", lambda: of("aws.s3.bucket")),
    Golden(("any alarms right now?", "which cloudwatch alarms are firing?", "current alarms"), "aws.alarms", lambda: of("aws.cloudwatch.alarm", lambda d: d["StateValue"] != "OK"), ok=is_none),
    Golden(("list hetzner servers", "show hetzner servers"), "estate.machines", lambda: of("hetzner.server")),
    Golden(("list droplets on digitalocean", "how many droplets are on digitalocean?"), "estate.machines", lambda: of("digitalocean.droplet")),
    Golden(("list docker containers", "docker ps", "containers and their ports"), "docker.containers", lambda: of("docker.container")),
    Golden(("list lambda functions", "lambda runtimes in use"), "aws.functions", lambda: of("aws.lambda.function")),
    Golden(("is there terraform drift?", "what would terraform change"), "terraform.drift", lambda: of("terraform.change")),
    Golden(("which certificates expire soon?", "certificates expiring in the next 30 days"), "estate.certificates", lambda: expiring(30), ok=is_none),
    Golden(("certificates expiring within 90 days", "cert expiry within 90 days"), "estate.certificates", lambda: expiring(90), ok=is_none),
    Golden(("which repositories have no branch protection?", "unprotected repositories on github"), "github.unprotected-repositories", lambda: {r.key for r in estate("github.repository") if not r.data.get("branch_protection") and not r.data.get("archived") and "branch_protection" not in r.unread and not r.data.get("branch_rules")}, ok=is_none),
    Golden(("open dependabot alerts", "github security alerts"), "github.alerts", lambda: of("github.dependabot_alert") | of("github.secret_scanning_alert") | of("github.code_scanning_alert"), ok=is_none),
    Golden(("which volumes are unattached?", "unused disks"), "estate.unused", lambda: of("aws.ec2.volume", lambda d: d["State"] == "available" and d["CreateTime"] < "2026-11-13"), given=lambda a: {k for k in keys(a) if k.startswith("aws.ec2.volume/")}),
    Golden(("which buckets are public?", "any world-readable buckets?"), "estate.public-buckets", lambda: of("aws.s3.bucket", anyone), given=lambda a: {k for k in keys(a) if k.startswith("aws.s3.bucket/")}, ok=is_none),
    Golden(("what databases do we run?", "list databases"), "estate.databases", lambda: of("aws.rds.db_instance"), given=lambda a: {k for k in keys(a) if k.startswith("aws.rds")}),
    Golden(("which DNS records point at 203.0.113.10?", "which records resolve to 203.0.113.10"), "estate.dns-to", lambda: {r.key for kind, values in (("cloudflare.dns.record", lambda d: [d.get("content")]), ("aws.route53.record_set", lambda d: [v["Value"] for v in d.get("ResourceRecords") or ()]), ("gcp.dns.resource_record_set", lambda d: d.get("rrdatas") or [])) for r in estate(kind) if "203.0.113.10" in values(r.data)}),
    Golden(("is memory utilization above 85% on any node?", "are there nodes above 85 percent memory?"), "k8s.node-memory", lambda: {n.key for n in estate("k8s.node") if n.data.get("usage") and n.data["usage"]["memory"] / n.data["allocatable"]["memory"] > 0.85}, given=lambda a: {r["resource"] for r in a.data["rows"] if r["above"]}),
    Golden(("list load balancers", "what load balancers do we have"), "estate.load-balancers", lambda: of("aws.elbv2.load_balancer"), given=lambda a: {k for k in keys(a) if k.startswith("aws.elbv2")}),
    Golden(("which images are used in cluster acme-prod?", "what images are in use in cluster acme-prod"), "k8s.images", lambda: {c["image"] for p in estate("k8s.pod") if p.account == "acme-prod" for c in p.data["spec"]["containers"]}, given=lambda a: {r["image"] for r in a.data["rows"] if "acme-prod" in r["clusters"]}),
    Golden(("list my clusters", "versions of clusters"), "estate.clusters", lambda: {r.name for r in estate("k8s.cluster")}, given=lambda a: {r["name"] for r in a.data["rows"] if r["kind"] == "k8s.cluster"}),
    Golden(("what is connected to cart?", "topology of cart"), "estate.topology", lambda: {t.key for r in estate("k8s.deployment", "k8s.service", "k8s.pod", "k8s.replica_set", "k8s.namespace") if r.kind == "k8s.deployment" and r.id == "shop/cart" and r.account == "acme-prod" for name in ("pods", "services") for t in r.links.get(name, ())}, given=lambda a: {r["resource"] for r in a.data["rows"] if r["relation"] in ("pods", "deployments") and r["kind"] in ("k8s.pod", "k8s.service")}),
    Golden(("who can assume role build-server?", "trust policy of role build-server"), "aws.who-can-assume", lambda: {"ec2.amazonaws.com"}, given=lambda a: {r["principal"] for r in a.data["rows"]}),
    Golden(("show the configuration of catalog", "how is the catalog database configured?"), "estate.configuration", lambda: {"catalog"}, given=lambda a: {a.data["rows"][0]["resource"].rpartition("/")[2].rpartition(":")[2]}),
    Golden(("did the last github actions run succeed?", "github actions failures"), "github.workflow-runs", lambda: {run["conclusion"] for r in estate("github.repository") for run in r.data.get("latest_runs") or () if run.get("conclusion")}, given=lambda a: {r["conclusion"] for r in a.data["rows"] if r["conclusion"]}),
)  # fmt: skip

PAIRS = [(golden, question) for golden in GOLDEN for question in golden.questions]


@pytest.mark.parametrize(("golden", "question"), PAIRS, ids=[q for _, q in PAIRS])
def test_the_answer_is_what_the_recording_holds(home, golden, question):
    answer = asked(home, question)
    expected = golden.expected()
    assert answer.route == golden.route
    assert expected
    assert golden.given(answer) == expected
    assert answer.status in ("answered", "partial")
    if (ok := golden.ok(expected)) is not None:
        assert answer.ok is (ok if ok is False or answer.status == "answered" else None)
    backed(answer)


def test_the_golden_set_is_as_large_as_it_should_be():
    assert len(PAIRS) >= 60
    assert len({golden.route for golden in GOLDEN}) >= 30


@pytest.mark.parametrize("question", shipped_catalogue().questions, ids=lambda q: q.id)
def test_each_question_is_answered_with_evidence_or_says_what_it_needs(home, question):
    """On the demo estate: no defect, every number backed, a time on every row."""
    text = question.examples[0].replace("{", "").replace("}", "")
    answer = asked(home, text)
    expected = "deep_research" if question.function == "deep_research" else question.id
    assert answer.route == expected
    assert answer.status in ("answered", "partial", "unknown")
    backed(answer)
    if answer.status == "unknown":
        assert answer.needs
        assert answer.ok is None
    else:
        assert answer.evidence
        assert all(row["observed_at"] for row in answer.data["rows"] if row["resource"])
        assert answer.observed_at
    if answer.gaps:
        assert answer.status in ("partial", "unknown")
        assert answer.ok is not True


def test_one_question_reaches_several_platforms_at_once(home):
    answer = asked(home, "Give me a health report of my infrastructure")
    assert {"aws", "k8s", "docker", "azure", "gcp"} <= set(answer.providers)
    assert set(answer.data["sections"]) == {"services", "pods", "nodes", "alarms", "databases", "containers", "cost"}  # fmt: skip
    assert answer.ok is False
    assert {i["resource"].partition(".")[0] for i in answer.evidence if i["resource"]} >= {"k8s", "aws", "docker"}  # fmt: skip


def test_a_broad_prompt_is_researched(home):
    prompt = (
        "Scan my production infrastructure for cost waste, security gaps, and reliability issues."
    )
    answer = asked(home, prompt)
    assert answer.route == "deep_research"
    assert answer.data["categories"] == ["cost", "reliability", "security"]
    assert {row["category"] for row in answer.data["rows"]} == {"cost", "reliability", "security"}
    ranks = ["critical", "high", "medium", "low", "info"]
    order = [ranks.index(row["severity"]) for row in answer.data["rows"]]
    assert order == sorted(order)
    assert answer.data["scan"]


def test_providers_that_are_left_out_are_not_read(home):
    answer = asked(home, "list my clusters", replace(ACME, providers=("aws",)))
    assert answer.providers == ["aws"]
    assert {row["provider"] for row in answer.data["rows"]} == {"aws"}
