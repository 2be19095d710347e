"""The rules that ship: each proves itself, and the collection holds what was promised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest

from infrascan.collect.provider import Selection
from infrascan.evaluate import Rule, RuleSet, lint, load, prove
from infrascan.evaluate.condition import AllOf, AnyOf, Condition, Leaf, Not, Scope
from infrascan.model import Kind
from infrascan.providers import PROVIDERS
from infrascan.providers import load as provider
from infrascan.shipped import shipped

LEAST = {"aws": 60, "k8s": 40, "gcp": 75, "hetzner": 40, "digitalocean": 45}
VENDORS = (
    *("docs.aws.amazon.com", "kubernetes.io", "github.com/kubernetes"),
    *("gateway-api.sigs.k8s.io", "docs.docker.com", "cloud.google.com"),
    *("docs.hetzner.com", "docs.digitalocean.com"),
)
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


@pytest.fixture(scope="module")
def kinds() -> dict[str, Kind]:
    selection = Selection(observed=datetime(2026, 11, 21, tzinfo=UTC))
    return {
        name: kind
        for platform in PROVIDERS
        for name, kind in provider(platform)(selection).kinds.items()
    }


@pytest.fixture(scope="module")
def rules(kinds: Mapping[str, Kind]) -> RuleSet:
    return load([shipped("rules")], kinds)


def of(rules: RuleSet, platform: str) -> list[Rule]:
    return [rule for rule in rules if rule.id.startswith(f"{platform}.")]


def test_every_rule_proves_itself(rules: RuleSet, kinds: Mapping[str, Kind]):
    failures = [failure for rule in rules for failure in prove(rule, kinds)]
    assert not failures, "\n".join(failures)


def test_every_rule_is_in_good_form(rules: RuleSet, kinds: Mapping[str, Kind]):
    complaints = [complaint for rule in rules for complaint in lint(rule, kinds)]
    assert not complaints, "\n".join(complaints)


@pytest.mark.parametrize("platform", LEAST)
def test_there_are_as_many_rules_as_promised(rules: RuleSet, platform: str):
    assert len(of(rules, platform)) >= LEAST[platform]


@pytest.mark.parametrize("platform", LEAST)
def test_every_category_has_rules(rules: RuleSet, platform: str):
    assert {rule.category for rule in of(rules, platform)} == {"cost", "security", "reliability"}


@pytest.mark.parametrize(("id", "severity"), NAMED.items())
def test_the_findings_that_the_documents_name_are_there(rules: RuleSet, id: str, severity: str):
    assert {rule.id: rule.severity for rule in rules}.get(id) == severity


def test_titles_tell_rules_apart(rules: RuleSet):
    titles = Counter(rule.title for rule in rules)
    assert not [title for title, uses in titles.items() if uses > 1]


def test_references_lead_to_the_vendors_own_documents(rules: RuleSet):
    strange = [
        (rule.id, reference)
        for rule in rules
        for reference in rule.references or ("none",)
        if urlsplit(reference).scheme != "https"
        or not reference.removeprefix("https://").startswith(VENDORS)
    ]
    assert not strange


def test_names_state_the_fault(rules: RuleSet):
    faults = {rule.id.rpartition(".")[2] for rule in rules}
    assert not [f for f in faults if f.startswith(REMEDIES) or f.endswith("-enabled")]


def test_aws_rules_argue_their_severity_and_give_a_command(rules: RuleSet):
    silent = [
        rule.id
        for rule in of(rules, "aws")
        if rule.category != "cost" and (rule.severity not in rule.why or not rule.command)
    ]
    assert not silent


def test_no_read_that_is_taken_away_turns_a_verdict_round(
    rules: RuleSet, kinds: Mapping[str, Kind]
):
    """With one more field unread, each example keeps its verdict or loses it, never changes it."""
    turned = []
    for rule in rules:
        names = {*rule.needs.names, *(name for name, _ in rule.needs.links)}
        for example in rule.examples:
            for name in sorted(names - {*example.unread}):
                blinded = replace(example, unread=(*example.unread, name))
                verdicts = [
                    outcome
                    for outcome in (example.outcome, "unknown")
                    if not prove(
                        replace(rule, examples=(replace(blinded, outcome=outcome),)), kinds
                    )
                ]
                if not verdicts:
                    turned.append((rule.id, example.sentence, name))
    assert not turned


def mutants(condition: Condition) -> Iterator[tuple[str, Condition]]:
    """The condition with one part left out, or one `not` undone; and which it was."""
    if isinstance(condition, AllOf | AnyOf):
        for i, part in enumerate(condition.parts):
            before, after = condition.parts[:i], condition.parts[i + 1 :]
            if rest := (*before, *after):
                yield told(part), type(condition)(rest)
            for what, changed in mutants(part):
                yield what, type(condition)((*before, changed, *after))
    elif isinstance(condition, Not):
        yield f"not {told(condition.part)}", condition.part
        for what, changed in mutants(condition.part):
            yield what, Not(changed)
    elif isinstance(condition, Scope):
        for what, changed in mutants(condition.condition):
            yield what, replace(condition, condition=changed)


def told(condition: Condition) -> str:
    if isinstance(condition, AllOf | AnyOf):
        word = " and " if isinstance(condition, AllOf) else " or "
        return f"({word.join(map(told, condition.parts))})"
    if isinstance(condition, Not):
        return f"not {told(condition.part)}"
    if isinstance(condition, Leaf):
        return f"{condition.path.text}|{condition.operator.name}"
    return f"{condition.path.text}: {told(condition.condition)}"


def survivors(rules: list[Rule], kinds: Mapping[str, Kind]) -> tuple[list[str], int]:
    """Mutants that pass all examples of their rule, and how many mutants there were."""
    found, total = [], 0
    for rule in rules:
        for what, changed in mutants(rule.condition):
            total += 1
            if not prove(replace(rule, condition=changed), kinds):
                found.append(f"{rule.id}: {what}")
    return found, total


def test_every_part_of_an_aws_security_or_reliability_rule_matters_to_an_example(
    rules: RuleSet, kinds: Mapping[str, Kind]
):
    judged = [rule for rule in of(rules, "aws") if rule.category != "cost"]
    found, total = survivors(judged, kinds)
    assert total > 400
    assert not found, "\n".join(found)
