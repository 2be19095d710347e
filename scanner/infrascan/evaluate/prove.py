"""Proof that a rule does what it says: its own examples run, and its form is checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from infrascan.evaluate.condition import Needs
from infrascan.evaluate.interpret import interpret
from infrascan.evaluate.path import TRUNK, Relations, near, relations
from infrascan.evaluate.rule import Example, Rule
from infrascan.model import Gap, Kind, Reason, Resource

NOW = datetime(2026, 1, 1, tzinfo=UTC)  # for examples that do not say when they are
ACCOUNT = "123456789012"
WHY_LEAST = 60
VERDICTS = {True: "flag", False: "pass", None: "unknown"}


def prove(rule: Rule, kinds: Mapping[str, Kind]) -> list[str]:
    """One sentence for each example that does not come out as it says; empty when all do."""
    leads = relations(kinds)
    failures: list[str] = []
    for example in rule.examples:
        place = f"{rule.source}:{example.line}: example '{example.sentence}'"
        failures += [
            f"{place} leaves '{name}' unread, which the rule does not read"
            f"{near(name, rule.needs.names)}"
            for name in example.unread
            if name not in rule.needs.names
        ]
        resource = staged(example, rule, kinds, leads)
        answer = interpret(rule.condition, resource, (example.now or NOW).timestamp())
        if VERDICTS[answer.verdict] != example.outcome:
            facts = "; ".join(f"{f.path} is {f.value!r}" for f in answer.facts[:5])
            failures.append(
                f"{place} says {example.outcome}, the rule says {VERDICTS[answer.verdict]}"
                f" because {facts or 'nothing it reads was read'}"
            )
    return failures


def staged(example: Example, rule: Rule, kinds: Mapping[str, Kind], leads: Relations) -> Resource:
    """The resource that an example describes, with those it is related to.

    Of a rule's kinds it is the first that has all that the example gives.
    """
    kind = fitting(example.given, rule.kinds, kinds, leads)
    resource = placed(example.given, kind, kinds, leads, example.name or "example")
    for name in example.unread:
        resource.data.pop(name, None)
        resource.unread[name] = Gap(
            provider=kind.provider,
            account=resource.account,
            kind=kind.name,
            reason=Reason.DENIED,
            detail="denied in the example",
            permission=kind.permissions.get(name, ""),
            resource=resource.key,
            field=name,
        )
    return resource


def placed(
    given: Mapping[str, Any], kind: Kind, kinds: Mapping[str, Kind], leads: Relations, name: str
) -> Resource:
    names = leads[kind.name]
    data = {key: value for key, value in given.items() if key not in names and key != "links"}
    linked = {key: value for key, value in given.items() if key in names}
    further = given.get("links")
    if isinstance(further, dict):
        linked.update(further)
    metadata = data.get("metadata")
    namespace = metadata.get("namespace") if isinstance(metadata, dict) else None
    return Resource(
        kind=kind.name,
        id=f"{namespace}/{name}" if namespace else name,
        name=name,
        provider=kind.provider,
        account="example" if kind.provider == "k8s" else ACCOUNT,
        region="" if kind.provider == "k8s" else "eu-west-1",
        data=data,
        links={
            relation: [
                placed(
                    item,
                    fitting(item, names[relation], kinds, leads),
                    kinds,
                    leads,
                    f"{relation}-{i}",
                )
                for i, item in enumerate(items if isinstance(items, list) else [items])
                if isinstance(item, dict)
            ]
            for relation, items in linked.items()
            if relation in names
        },
    )


def fitting(
    item: Mapping[str, Any], names: Sequence[str], kinds: Mapping[str, Kind], leads: Relations
) -> Kind:
    """Of these kinds, the first that has all of the item's fields."""
    for name in names:
        fields = kinds[name].fields
        if fields is None or item.keys() <= fields.keys() | leads[name].keys() | TRUNK | {"links"}:
            return kinds[name]
    return kinds[names[0]]


def lint(rule: Rule, kinds: Mapping[str, Kind]) -> list[str]:
    """What a rule that loads still lacks, one sentence each."""
    return [f"{rule.source}: {complaint}" for complaint in complaints(rule, kinds)]


def complaints(rule: Rule, kinds: Mapping[str, Kind]) -> Iterator[str]:
    outcomes = {example.outcome for example in rule.examples}
    for outcome in ("flag", "pass"):
        if outcome not in outcomes:
            yield f"has no example that is a {outcome}"
    reads = [name for kind in rule.kinds for name in deniable(rule.needs, kinds[kind])]
    if reads and "unknown" not in outcomes:
        yield f"has no example that is unknown, though {reads[0]} can be denied"
    if len(rule.why) < WHY_LEAST:
        yield f"why has {len(rule.why)} characters; say who can do what in {WHY_LEAST} or more"
    if "best practice" in rule.why.lower() or "may potentially" in rule.why.lower():
        yield "why appeals to practice; say what happens"
    if rule.title.endswith("."):
        yield "title ends with a full stop"
    if rule.fix.lower() == rule.title.lower():
        yield "fix repeats the title"
    if rule.category == "cost" and rule.saving is None:
        yield "is a cost rule without a saving"
    trees = [kinds[kind].fields for kind in rule.kinds]
    leads = relations(kinds)
    known = TRUNK.union(["links"], *(leads[kind] for kind in rule.kinds))
    for number, example in enumerate(rule.examples):
        strange = sorted(
            set(example.given) - known - {name for tree in trees for name in tree or ()}
        )
        if strange and None not in trees:
            yield f"example {number + 1} gives '{strange[0]}', which {rule.kind} does not have"


def deniable(needs: Needs, kind: Kind) -> list[str]:
    """What the rule reads that has a read of its own, which can be denied by itself."""
    linked = {name for name, _ in needs.links}
    listing = kind.permissions.get("", "")
    return sorted(
        name
        for name in needs.names
        if name in linked or kind.permissions.get(name, listing) != listing
    )
