"""The catalogue of questions: what is in it, and how its mistakes are told."""

from __future__ import annotations

import pytest

from infrascan.evaluate.document import RuleErrors
from infrascan.pipeline import all_kinds
from infrascan.questions import load, shipped_catalogue
from infrascan.questions.functions import FUNCTIONS, function
from infrascan.questions.functions.flagged import reads_of, rules_of
from infrascan.shipped import shipped

QUESTIONS = shipped_catalogue().questions


def test_the_shipped_catalogue_loads_whole():
    found = load((shipped("rules") / "questions",), all_kinds(), FUNCTIONS)
    assert len(found.questions) >= 55
    assert [q.id for q in found.questions] == sorted(q.id for q in found.questions)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: q.id)
def test_each_question_can_be_asked_and_says_what_it_needs(question):
    assert len(set(question.examples)) >= 6
    assert question.needs
    assert question.answers[0].isupper()
    assert not question.answers.endswith(".")
    if question.function:
        assert callable(function(question.function))
    if question.rules:
        assert {rule.id for rule in rules_of(question.rules)} == set(question.rules)
        kinds = all_kinds()
        assert reads_of(question.rules)
        assert set(reads_of(question.rules)) <= set(kinds)


def test_every_function_is_asked_for():
    assert set(FUNCTIONS) == {q.function for q in QUESTIONS if q.function}


GOOD = """
- id: k8s.things
  answers: Things
  examples: [a thing, the thing, things, which things, list things, all things]
  reads: {k8s.pod: []}
  sql: SELECT key AS resource FROM resources
  evidence: [name]
  each: "{name}"
  says: {none: No thing., some: "{count} things: {each}."}
  needs: permission to list things
"""


def wrong(text: str, tmp_path) -> list[str]:
    folder = tmp_path / "questions"
    folder.mkdir()
    (folder / "x.yaml").write_text(text)
    with pytest.raises(RuleErrors) as caught:
        load((folder,), all_kinds(), FUNCTIONS)
    return str(caught.value).splitlines()


def test_a_sound_file_loads(tmp_path):
    (tmp_path / "x.yaml").write_text(GOOD)
    (question,) = load((tmp_path,), all_kinds(), FUNCTIONS).questions
    assert question.providers == ("k8s",)


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("answers:", "answer:", 3, "a question has no key 'answer'"),
        ("[a thing, the thing, things, which things, list things, all things]", "[a thing]", 4, "there are 1 examples, under 6"),
        ("k8s.pod", "k8s.moon", 5, "there is no kind 'k8s.moon'"),
        ("key AS resource", "key", 6, "sql gives no column `resource`"),
        ("  sql: SELECT key AS resource FROM resources\n", "", 2, "has one of sql, function and rules"),
        ("k8s.things", "things", 2, "an id is like k8s.failing-pods, not 'things'"),
        ("none: No thing., ", "", 9, "says needs 'none'"),
        ("  needs: permission to list things\n", "", 2, "a question needs 'needs'"),
        ("  sql: SELECT key AS resource FROM resources\n", "  function: moon\n", 6, "there is no function 'moon'"),
        ("  needs:", "  ok: maybe\n  needs:", 10, "ok is none or some, not 'maybe'"),
        ("  needs:", "  slots: {percent: much}\n  needs:", 10, "slot percent cannot be 'much'"),
        ("  needs:", "  scope: [moon]\n  needs:", 10, "scope cannot be 'moon'"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_with_its_place(tmp_path, old, new, line, said):
    assert old in GOOD
    (complaint, *_) = [c for c in wrong(GOOD.replace(old, new, 1), tmp_path) if said in c]
    assert complaint.startswith(f"questions/x.yaml:{line}:")


def test_two_of_one_name_are_refused(tmp_path):
    assert any("another question k8s.things" in c for c in wrong(GOOD + GOOD, tmp_path))
