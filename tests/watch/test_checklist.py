"""Checks come from a checklist, a YAML file, or words."""

from __future__ import annotations

from pathlib import Path

import pytest

from infrascan.model import InputError, Severity
from infrascan.watch.checklist import checks
from infrascan.watch.news import Check

HEARTBEAT = """\
# What must hold
Some prose. - [ ] not a box
- [ ] Are all services in the production namespace healthy?
  * [x] Is any pod in CrashLoopBackOff?
- [] Is memory utilization above 85% on any node?
- a list item
"""


def test_each_box_of_a_markdown_checklist_is_a_check(tmp_path: Path):
    (tmp_path / "HEARTBEAT.md").write_text(HEARTBEAT)

    assert [check.question for check in checks([str(tmp_path / "HEARTBEAT.md")])] == [
        "Are all services in the production namespace healthy?",
        "Is any pod in CrashLoopBackOff?",
        "Is memory utilization above 85% on any node?",
    ]


def test_yaml_names_checks_and_says_how_bad_they_are(tmp_path: Path):
    file = tmp_path / "heartbeat.yaml"
    file.write_text(
        "checks:\n  - Is any pod in CrashLoopBackOff?\n"
        "  - name: services\n    question: Are all services healthy?\n    severity: critical\n"
    )

    assert checks([str(file), "Is anything down?"]) == (
        Check(question="Is any pod in CrashLoopBackOff?", name="Is any pod in CrashLoopBackOff?"),
        Check(question="Are all services healthy?", name="services", severity=Severity.CRITICAL),
        Check(question="Is anything down?", name="Is anything down?"),
    )


@pytest.mark.parametrize(
    ("content", "said"),
    {
        "checks: [": "line 1:",
        "checks: no": "has no list",
        "checks: []": "holds no check",
        "- {name: x}": "check 1 is neither",
        "- {question: x, severty: high}": "unknown 'severty'",
        "- {question: x, severity: bad}": "severity 'bad'",
        "- {question: x, name: n}\n- {question: y, name: n}": "two checks are named 'n'",
        "- [1, 2]": "check 1 is neither",
    }.items(),
)
def test_a_wrong_file_is_one_line_that_says_what_is_wrong(tmp_path: Path, content: str, said: str):
    file = tmp_path / "heartbeat.yaml"
    file.write_text(content)
    with pytest.raises(InputError) as wrong:
        checks([str(file)])
    assert said in str(wrong.value)
    assert "\n" not in str(wrong.value)


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path):
    with pytest.raises(InputError, match="No such file"):
        checks([str(tmp_path / "none.yaml")])
