"""Each feature that was asked for is shown by a test, or the table says what is left of it.

`mission.csv` has a row for each: the number of the document that asks for it, the feature, the tests
that show it, and what they do not show. A test that is renamed or deleted fails here.
"""

from __future__ import annotations

import ast
import csv
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ASKED = {"000": 87, "001": 64, "002": 44, "004": 36}  # features, by document
SHOWN_AT_LEAST = 231


def rows() -> list[dict[str, str]]:
    with (ROOT / "tests" / "mission.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def names_in(path: str) -> frozenset[str]:
    """The names of a file's tests, read and not run."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    )


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row['document']}-{row['feature'][:50]}")
def test_a_feature_is_shown_or_said_to_be_left(row: dict[str, str]):
    assert row["tests"] or row["rest"], "neither a test nor a word on why there is none"
    for named in row["tests"].split():
        path, _, name = named.partition("::")
        assert (ROOT / path).is_file(), f"{path} is not there"
        assert name in names_in(path), f"{path} has no {name}"


def test_no_feature_is_left_out_or_told_twice():
    table = rows()

    assert Counter(row["document"] for row in table) == ASKED
    assert len({(row["document"], row["feature"]) for row in table}) == len(table)


def test_what_is_shown_does_not_grow_less():
    assert sum(bool(row["tests"]) for row in rows()) >= SHOWN_AT_LEAST
