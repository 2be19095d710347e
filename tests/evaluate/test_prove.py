"""A rule's own examples can fail, and its form is checked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from infrascan.evaluate import Rule, lint, load, prove, schema
from infrascan.evaluate.document import RuleErrors
from infrascan.evaluate.loading import OTHERS
from infrascan.shipped import shipped
from tests.evaluate.test_rule import BODY, KINDS, write

EXAMPLES = """\
examples:
  - flag: open to everyone
    given:
      PubliclyAccessible: true
      security_groups: [{IpPermissions: [{FromPort: 0, IpRanges: [{CidrIp: 0.0.0.0/0}]}]}]
  - pass: private
    given: {PubliclyAccessible: false}
  - pass: closed group, given under links
    given:
      PubliclyAccessible: true
      links: {security_groups: [{IpPermissions: []}]}
  - unknown: the group was not read
    given: {PubliclyAccessible: true}
    unread: [security_groups]
"""
LONG = "Anyone on the internet can try passwords against the database, and read it once one fits."


def rule(folder: Path, examples: str = EXAMPLES, **changes: str) -> Rule:
    text = BODY[: BODY.index("examples:")] + examples
    text = text.replace("Anyone on the internet can try passwords against the database.", LONG)
    for old, new in changes.items():
        text = text.replace(f"{old}:", f"{new}:") if not new else text
    write(folder, text)
    (found,) = load([folder], KINDS)
    return found


def test_examples_that_hold_are_silent(tmp_path: Path) -> None:
    one = rule(tmp_path)
    assert prove(one, KINDS) == []
    assert lint(one, KINDS) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("flag: open", "pass: open", "says pass, the rule says flag because PubliclyAccessible is True; "),
        ("pass: private", "flag: private", "says flag, the rule says pass because PubliclyAccessible is False"),
        ("pass: private", "unknown: private", "says unknown, the rule says pass"),
        ("unread: [security_groups]", "unread: []", "says unknown, the rule says pass because security_groups is []"),
        ("unread: [security_groups]", "unread: [security_group]", "leaves 'security_group' unread, which the rule does not read; did you mean 'security_groups'?"),
    ],
)  # fmt: skip
def test_an_example_that_does_not_hold_says_why(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in EXAMPLES
    failures = prove(rule(tmp_path, EXAMPLES.replace(old, new)), KINDS)
    assert any(message in failure for failure in failures), failures
    assert all("instance-open-to-internet.yaml:" in failure for failure in failures)


def parts(kept: tuple[str, ...]) -> str:
    found = yaml.safe_load(EXAMPLES)["examples"]
    return yaml.safe_dump({"examples": [e for e in found if set(e) & set(kept)]})


@pytest.mark.parametrize(
    ("kept", "message"),
    [
        (("flag", "unknown"), "has no example that is a pass"),
        (("pass", "unknown"), "has no example that is a flag"),
        (("flag", "pass"), "has no example that is unknown, though security_groups can be denied"),
    ],
)
def test_a_rule_needs_an_example_of_each_verdict(
    tmp_path: Path, kept: tuple[str, ...], message: str
) -> None:
    (complaint,) = lint(rule(tmp_path, parts(kept)), KINDS)
    assert message in complaint


def test_a_rule_on_the_listing_alone_needs_no_unknown(tmp_path: Path) -> None:
    text = BODY[: BODY.index("flag_when")] + "flag_when: {PubliclyAccessible: true}\n"
    text += f"why: {LONG}\nfix: {{text: Turn it off}}\n" + parts(("flag", "pass"))
    write(tmp_path, text)
    (one,) = load([tmp_path], KINDS)
    assert lint(one, KINDS) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("why: Anyone on the internet can try passwords against the database.", "why: It is bad.", "why has 10 characters"),
        ("why: Anyone", "why: It is a best practice. Anyone", "why appeals to practice"),
        ("from the internet\n", "from the internet.\n", "title ends with a full stop"),
        ("category: security", "category: cost", "is a cost rule without a saving"),
        ("given: {PubliclyAccessible: true}", "given: {Public: true}", "example 1 gives 'Public', which aws.rds.db_instance does not have"),
    ],
)  # fmt: skip
def test_form_is_checked(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in BODY
    write(tmp_path, BODY.replace(old, new))
    (one,) = load([tmp_path], KINDS)
    assert any(message in complaint for complaint in lint(one, KINDS))


def test_examples_can_say_what_time_it_is(tmp_path: Path) -> None:
    text = BODY[: BODY.index("flag_when")] + "flag_when: {Parameters|older_than: 90d}\n"
    text += f"why: {LONG}\nfix: {{text: Turn it off}}\n"
    text += 'examples:\n- {flag: old, now: "2026-06-01T00:00:00Z", given: {Parameters: "2026-01-01T00:00:00Z"}}\n'
    text += (
        '- {pass: new, now: "2026-02-01T00:00:00Z", given: {Parameters: "2026-01-01T00:00:00Z"}}\n'
    )
    write(tmp_path, text)
    (one,) = load([tmp_path], KINDS)
    assert prove(one, KINDS) == []


def shipped_files() -> Iterator[Path]:
    files = sorted(shipped("rules").rglob("*.yaml"))
    return (file for file in files if file.relative_to(shipped("rules")).parts[0] not in OTHERS)


def test_the_schema_accepts_every_shipped_rule() -> None:
    validator = jsonschema.Draft202012Validator(schema())
    validator.check_schema(schema())
    for file in shipped_files():
        errors = [e.message for e in validator.iter_errors(yaml.safe_load(file.read_text()))]
        assert not errors, (file.name, errors)


@pytest.mark.parametrize(
    "change",
    [
        {"severity": "severe"},
        {"titel": "x"},
        {"flag_when": {}},
        {"flag_when": []},
        {"flag_when": {"a|exists": "yes"}},
        {"flag_when": {"a": None}},
        {"flag_when": {"not": {"a|count": -1}}},
        {"saving": {"share": 2}},
        {"examples": [{"given": {}}]},
        {"examples": [{"flag": "x", "pass": "y", "given": {}}]},
        {"fix": {"command": "x"}},
    ],
)
def test_the_schema_refuses_what_the_loader_refuses(tmp_path: Path, change: dict[str, Any]) -> None:
    data = yaml.safe_load(BODY) | change
    validator: Any = jsonschema.Draft202012Validator(schema())
    assert validator.is_valid(yaml.safe_load(BODY))
    assert not validator.is_valid(data)
    write(tmp_path, yaml.safe_dump(data))
    with pytest.raises(RuleErrors):
        load([tmp_path], KINDS)
