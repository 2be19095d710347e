"""`rules/README.md` says what is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from infrascan.evaluate import RuleErrors, lint, load, prove
from infrascan.evaluate.keys import EXAMPLE, KEYS, OUTCOMES
from infrascan.evaluate.operators import OPERATORS
from tests.evaluate.test_rule import KINDS, write

TEXT = (Path(__file__).parents[2] / "rules" / "README.md").read_text()


def test_the_reference_lists_every_operator() -> None:
    for operator in OPERATORS:
        assert f"| `{operator.name}` | {operator.doc} | {operator.operand} |\n" in TEXT


def test_the_reference_lists_every_key() -> None:
    for key in KEYS:
        assert f"| `{key.name}` |" in TEXT or f"| `{key.name}.text` |" in TEXT
    for key in EXAMPLE:
        assert f"`{key.name}`" in TEXT
    assert all(f"`{outcome}`" in TEXT for outcome in OUTCOMES)


def test_the_complete_example_loads_and_proves_itself(tmp_path: Path) -> None:
    example = re.search(r"```yaml\n(id: .*?)```", TEXT, re.DOTALL)
    assert example
    write(tmp_path, example[1].replace("      ToPort|at_least: 5432\n", ""))
    (rule,) = load([tmp_path], KINDS)
    assert prove(rule, KINDS) == []
    assert lint(rule, KINDS) == []


@pytest.mark.parametrize("word", ["yes", "no", "on", "off"])
def test_what_the_reference_says_is_refused_is_refused(tmp_path: Path, word: str) -> None:
    write(tmp_path, f"id: {word}")
    with pytest.raises(RuleErrors):
        load([tmp_path], KINDS)
