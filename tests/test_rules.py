"""The rules that ship: each proves itself, and the collection holds what was promised."""

from __future__ import annotations

from collections import Counter
from urllib.parse import urlsplit

import pytest

from infrascan.evaluate import Rule, lint, prove
from tests.corpus import KINDS, RULES, platform

# What is promised of each platform: rules in all, then for security, reliability and cost.
LEAST = {
    "aws": (155, 85, 30, 30),
    "gcp": (145, 80, 32, 28),
    "azure": (160, 90, 38, 28),
    "k8s": (135, 60, 60, 10),
    "cloudflare": (80, 45, 24, 7),
    "hetzner": (40, 14, 16, 9),
    "digitalocean": (45, 20, 18, 7),
    "github": (75, 55, 11, 9),
    "docker": (38, 20, 12, 6),
    "terraform": (17, 7, 9, 1),
}
# Whose documents a rule may refer to; "*" for every platform.
VENDORS = {
    "*": ("owasp.org/",),
    "aws": ("docs.aws.amazon.com", "docs.github.com"),
    "gcp": ("cloud.google.com",),
    "azure": ("learn.microsoft.com", "www.postgresql.org/support/"),
    "k8s": ("kubernetes.io", "github.com/kubernetes", "gateway-api.sigs.k8s.io", "docs.docker.com", "docs.aws.amazon.com"),
    "cloudflare": ("developers.cloudflare.com", "www.cloudflare.com", "docs.aws.amazon.com", "www.rfc-editor.org", "datatracker.ietf.org"),
    "hetzner": ("docs.hetzner.com",),
    "digitalocean": ("docs.digitalocean.com", "developer.hashicorp.com/terraform"),
    "github": ("docs.github.com", "github.com", "securitylab.github.com", "github.blog"),
    "docker": ("docs.docker.com",),
    "terraform": ("developer.hashicorp.com", "opentofu.org/docs/"),
    "prometheus": ("prometheus.io/docs/", "docs.ollama.com", "kubernetes.io"),
    "alertmanager": ("prometheus.io/docs/",),
    "grafana": ("grafana.com/docs/",),
    "ollama": ("docs.ollama.com",),
    "pagerduty": ("support.pagerduty.com",),
    "estate": ("learn.microsoft.com", "developer.hashicorp.com"),
}  # fmt: skip
# The part of their rules that gives a command; elsewhere much is set in consoles and files alone.
COMMANDS = {
    "aws": 1.0,
    "gcp": 1.0,
    "hetzner": 1.0,
    "digitalocean": 1.0,
    "terraform": 1.0,
    "k8s": 0.95,
    "azure": 0.8,
    "docker": 0.7,
    "github": 0.6,
}
REMEDIES = ("ensure-", "avoid-", "use-", "no-", "should-", "check-")
# What the project's documents name, with the severity they give it.
NAMED = {
    "aws.rds.instance-open-to-internet": "critical",
    "aws.autoscaling.worker-pool-idle": "high",
    "aws.elasticache.replication-group-without-failover": "high",
    "aws.elasticache.cluster-in-one-zone": "high",
    "aws.s3.backups-grow-unbounded": "medium",
    "aws.apigateway.stage-without-rate-limit": "medium",
    "aws.apigatewayv2.stage-without-rate-limit": "medium",
}


def of(name: str) -> list[Rule]:
    return [rule for rule in RULES if platform(rule) == name]


def test_every_rule_proves_itself() -> None:
    failures = [failure for rule in RULES for failure in prove(rule, KINDS)]
    assert not failures, "\n".join(failures)


def test_every_rule_is_in_good_form() -> None:
    complaints = [complaint for rule in RULES for complaint in lint(rule, KINDS)]
    assert not complaints, "\n".join(complaints)


@pytest.mark.parametrize("name", LEAST)
def test_there_are_as_many_rules_as_promised(name: str) -> None:
    found = Counter(str(rule.category) for rule in of(name))
    each = tuple(found[category] for category in ("security", "reliability", "cost"))
    missing = [m - n for n, m in zip((found.total(), *each), LEAST[name], strict=True) if n < m]
    assert not missing, (found, LEAST[name])


@pytest.mark.parametrize(("id", "severity"), NAMED.items())
def test_the_findings_that_the_documents_name_are_there(id: str, severity: str) -> None:
    assert {rule.id: rule.severity for rule in RULES}.get(id) == severity


def test_titles_tell_rules_apart() -> None:
    titles = Counter((platform(rule), rule.title) for rule in RULES)
    assert not [title for title, uses in titles.items() if uses > 1]


def test_references_lead_to_the_vendors_own_documents() -> None:
    strange = [
        (rule.id, reference)
        for rule in RULES
        for reference in rule.references or ("none",)
        if urlsplit(reference).scheme != "https"
        or not reference.removeprefix("https://").startswith(
            (*VENDORS["*"], *VENDORS[platform(rule)])
        )
    ]
    assert not strange


def test_names_state_the_fault() -> None:
    faults = {rule.id.rpartition(".")[2] for rule in RULES}
    assert not [f for f in faults if f.startswith(REMEDIES) or f.endswith("-enabled")]


def test_rules_argue_their_severity() -> None:
    silent = [r.id for r in RULES if r.category != "cost" and r.severity not in r.why.lower()]
    assert not silent


@pytest.mark.parametrize("name", COMMANDS)
def test_rules_give_a_command(name: str) -> None:
    silent = [rule.id for rule in of(name) if rule.category != "cost" and not rule.command]
    assert len(silent) <= (1 - COMMANDS[name]) * len(of(name)), silent
