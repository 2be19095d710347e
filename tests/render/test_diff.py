"""A diff reads well, and no name in it can do more than be read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infrascan.model import InputError
from infrascan.render.diff import FORMS, render
from infrascan.store.changes import as_dict
from infrascan.store.diff import diff
from tests.store.estate import PLAIN, clone, estate, judged
from tests.store.test_diff import deny, flagged

HOSTILE = "<script>alert(1)</script>|`x`\n\x1b[2J\u202egnp"


def changes(name: str = "disk") -> dict[str, Any]:
    before = estate(40)
    target = flagged(before, PLAIN).key
    resources = clone(before).resources
    for resource in resources:
        resource.links = {}
        if resource.key == target:
            resource.data["Encrypted"] = True
            resource.data["Note"] = name
        elif resource.kind == "aws.ec2.volume":
            resource.name = name
            deny(resource, "Encrypted")
    return as_dict(diff(None, before, judged(resources, name)))


def test_the_text_counts_and_names_each_finding() -> None:
    said = render(changes(), "text")
    first = said.splitlines()[0]
    assert first.startswith("20261121T093000Z-5f3a → disk: ")
    assert "1 fixed" in first
    assert "became unknown" in first
    assert "Fixed (1)" in said
    assert "this is not a fix" in said
    assert "Encrypted: false → true" in said
    assert "Read less than before" in said


def test_the_markdown_is_tables_that_hold_together() -> None:
    for line in render(changes(), "markdown").splitlines():
        if line.startswith("|"):
            assert line.count("|") in (5, 6), line


def test_the_json_is_the_shape_itself() -> None:
    assert json.loads(render(changes(), "json")) == changes()


@pytest.mark.parametrize("form", FORMS)
def test_hostile_names_are_inert(form: str) -> None:
    said = render(changes(HOSTILE), form)
    assert "\x1b" not in said
    assert "\u202e" not in said
    if form == "markdown":
        assert "<script>" not in said
        for line in said.splitlines():
            if line.startswith("|"):
                assert line.count("|") in (5, 6), line


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(InputError, match="formats: text, markdown, json"):
        render(changes(), "yaml")
