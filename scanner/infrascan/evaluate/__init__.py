"""The rule language: rules from YAML files, and what they say of resources.

`load` reads and checks rule files, `evaluate` runs them, `prove` runs their own examples.
"""

from infrascan.evaluate.document import RuleError, RuleErrors
from infrascan.evaluate.loading import ESTATE, load
from infrascan.evaluate.prove import lint, prove
from infrascan.evaluate.rule import Example, Rule, RuleSet
from infrascan.evaluate.run import Evaluation, evaluate
from infrascan.evaluate.schema import schema

__all__ = [
    "ESTATE",
    "Evaluation",
    "Example",
    "Rule",
    "RuleError",
    "RuleErrors",
    "RuleSet",
    "evaluate",
    "lint",
    "load",
    "prove",
    "schema",
]
