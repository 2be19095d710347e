"""Does a finding follow? Its rule is asked again, about the resource that the bundle has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from infrascan.evaluate import Rule, RuleSet
from infrascan.evaluate.interpret import interpret
from infrascan.model import Evidence
from infrascan.proof import canonical, stands
from infrascan.reason.verify.lines import Document, strings
from infrascan.reason.verify.material import Material, finding_id
from infrascan.reason.verify.money import amount

CENT = 0.005


@dataclass(slots=True)
class Judge:
    """Asks the rules of a report again."""

    report: Document
    proof: Material
    rules: RuleSet
    now: float | None
    definitions: dict[str, str] = field(init=False)  # rule -> hash of it when the report was made

    def __post_init__(self) -> None:
        self.definitions = {
            str(row.get("rule")): str(row.get("definition") or "")
            for row in self.report.row_values("rules")
        }

    def faults(self, row: Mapping[str, Any]) -> Iterator[str]:
        """What is wrong with a finding, a sentence each."""
        if finding_id(row) != row.get("id"):
            yield "its id is not that of its rule and resource"
        cited, missing = self.cited(row)
        for fact in missing:
            yield f"it cites {fact}, which no sound line of the ledger has"
        yield from overpriced(row)
        rule = self.rule(row)
        if rule is not None and self.now is not None:
            yield from self.judged(row, rule, self.now, None if missing else cited)
        else:
            yield from self.unheld(cited)

    def unverifiable(self, row: Mapping[str, Any]) -> str:
        """Why a finding with which nothing is wrong cannot be judged again; "" when it was."""
        name = str(row.get("rule"))
        if self.now is None:
            return "the report does not say any more at what time it was judged"
        if self.rule(row) is not None:
            return ""
        if self.rules.get(name) is None:
            return f"there is no rule {name} here; --rules names a folder of rules"
        return f"made with another version of the rule {name}"

    def rule(self, row: Mapping[str, Any]) -> Rule | None:
        """The finding's rule, when it is the very one that the report was made with."""
        name = str(row.get("rule"))
        rule = self.rules.get(name)
        return rule if rule and rule.digest == self.definitions.get(name) else None

    def cited(self, row: Mapping[str, Any]) -> tuple[list[Evidence], list[str]]:
        """The facts that a finding cites, and the ids that lead to none."""
        ids = strings(row, "evidence")
        facts = self.proof.facts
        return [facts[one] for one in ids if one in facts], [one for one in ids if one not in facts]

    def judged(
        self, row: Mapping[str, Any], rule: Rule, now: float, cited: list[Evidence] | None
    ) -> Iterator[str]:
        for name in ("title", "category", "severity"):
            if str(getattr(rule, name)) != row.get(name):
                yield f"its {name} is {row.get(name)!r:.80}, that of its rule is '{getattr(rule, name)}'"
        key = str(row.get("resource"))
        if lacking := sorted(set(self.proof.lacking(key, rule.needs))):
            yield f"the bundle has no sound line of {lacking[0]}"
            return
        resource = self.proof.resources[key]
        if resource.kind not in rule.kinds:
            yield f"its rule is not about a {resource.kind}"
        for name in ("kind", "name", "provider", "account", "region"):
            if getattr(resource, name) != row.get(name):
                yield f"its {name} is not that of the resource"
        answer = interpret(rule.condition, resource, now)
        if answer.verdict is not True:
            said = "passes" if answer.verdict is False else "cannot be judged"
            yield f"by its rule the resource {said}"
        elif cited is not None and spelled(answer.facts) != spelled(cited):
            yield from differing(answer.facts, cited)

    def unheld(self, cited: list[Evidence]) -> Iterator[str]:
        """Facts that do not stand in the bundle: all that can be said without the rule."""
        for fact in cited:
            resource = self.proof.resources.get(fact.resource)
            if resource is None:
                yield f"the bundle has no sound line of {fact.resource}"
            elif not stands(fact, resource):
                yield f"the bundle has another value at {fact.path}"


def spelled(facts: Iterator[Evidence] | tuple[Evidence, ...] | list[Evidence]) -> list[str]:
    return [canonical([fact.resource, fact.path, fact.value]) for fact in facts]


def differing(found: tuple[Evidence, ...], cited: list[Evidence]) -> Iterator[str]:
    """Where what the rule finds and what is cited part."""
    there, here = set(spelled(found)), set(spelled(cited))
    for fact in found:
        if canonical([fact.resource, fact.path, fact.value]) not in here:
            yield f"it does not cite {fact.path}, on which its rule decides"
            return
    for fact in cited:
        if canonical([fact.resource, fact.path, fact.value]) not in there:
            yield f"it cites {fact.path}, on which its rule does not decide"
            return
    yield "its facts are not in the order in which its rule finds them"


def overpriced(row: Mapping[str, Any]) -> Iterator[str]:
    """A saving beyond the cost, or none but a negative one."""
    saving, cost = amount(row.get("saving")), amount(row.get("cost"))
    if saving is None:
        return
    if saving < 0:
        yield "its saving is below zero"
    elif cost is None:
        yield "it saves money on a resource whose cost is not known"
    elif saving > cost + CENT:
        yield f"it saves {saving:.2f} a month of a cost of {cost:.2f}"
