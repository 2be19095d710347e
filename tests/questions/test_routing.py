"""Which question is meant: phrasings that are in no example, and what is not understood."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infrascan.questions import shipped_catalogue, shipped_router
from infrascan.questions.ranking import Index
from infrascan.questions.slots import read_slots

HERE = Path(__file__).parent
FEWEST_RIGHT = 0.95


def phrasings(name: str) -> list[tuple[str, str]]:
    with (HERE / name).open(encoding="utf-8") as file:
        return [(row["route"], row["question"]) for row in csv.DictReader(file)]


def examples() -> list[tuple[str, str]]:
    return [
        (q.id, e.replace("{", "").replace("}", ""))
        for q in shipped_catalogue().questions
        for e in q.examples
    ]


def right(rows: list[tuple[str, str]]) -> tuple[float, list[str]]:
    router = shipped_router()
    wrong = []
    for route, question in rows:
        found = router.route(question).question
        if found is None or found.id != route:
            wrong.append(f"{question!r}: {found.id if found else 'nothing'}, not {route}")
    return 1 - len(wrong) / len(rows), wrong


@pytest.mark.parametrize("name", ["phrasings.csv", "paraphrases.csv"])
def test_phrasings_that_are_no_examples_find_their_question(name):
    """`phrasings.csv` is what the ranking was tuned on; `paraphrases.csv` was written after that."""
    rows = phrasings(name)
    known = {question for _, question in examples()}
    assert not known & {question for _, question in rows}
    assert len({route for route, _ in rows}) == len(shipped_catalogue().questions)
    share, wrong = right(rows)
    assert share >= FEWEST_RIGHT, wrong


def test_every_example_finds_its_own_question():
    share, wrong = right(examples())
    assert share == 1, wrong


@pytest.mark.parametrize(
    "question",
    [
        "what is the meaning of life",
        "tell me a joke",
        "what's the weather in Berlin",
        "how do I cook rice",
        "best restaurants nearby",
        "how tall is the eiffel tower",
        "recommend a movie",
        "asdf qwer zxcv",
        "?",
    ],
)
def test_what_is_not_about_the_estate_is_not_understood(question):
    routed = shipped_router().route(question)
    assert routed.question is None
    assert routed.write == ""


def test_questions_need_no_words_of_providers():
    """Those of the documents name no API: the router knows where to look."""
    words = {"eks", "cloudwatch", "kubectl", "describe", "api", "endpointslice", "boto"}
    asked = [question for _, question in phrasings("paraphrases.csv")]
    plain = [question for question in asked if not words & set(question.lower().split())]
    assert len(plain) > 70
    share, wrong = right([row for row in phrasings("paraphrases.csv") if row[1] in plain])
    assert share >= FEWEST_RIGHT, wrong


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("pods above 82.5% memory in namespace shop", {"percent": 82.5, "namespace": "shop"}),
        ("pods above 90 percent in the shop namespace", {"percent": 90, "namespace": "shop"}),
        ("what changed in the last 30 minutes?", {"window_seconds": 1800}),
        ("what changed in the past hour", {"window_seconds": 3600}),
        ("changes within half an hour", {"window_seconds": 1800}),
        ("average CPU over the last 7 days of prod-cluster", {"window_seconds": 604800, "cluster": "prod-cluster"}),
        ("certificates expiring in the next two weeks", {"window_seconds": 1209600}),
        ("last 50 lines of logs from the nginx pod", {"lines": 50}),
        ("top 5 pods by memory", {"limit": 5}),
        ("is everything ok in prod?", {"environment": "production"}),
        ("instances in eu-west-1 on aws", {"region": "eu-west-1", "providers": ["aws"]}),
        ('why is "Check out" slow', {"names": ["check out"]}),
        ("what changed since yesterday", {"window_seconds": 172800}),
        ("list pods -n kube-system", {"namespace": "kube-system"}),
        ("are services in all namespaces healthy", {}),
        ("what namespaces are in the cluster", {}),
    ],
)  # fmt: skip
def test_slots_are_read(question, expected):
    slots, _ = read_slots(question)
    said = slots.said()
    assert {name: said.get(name) for name in expected} == expected
    if not expected:
        assert "namespace" not in said
        assert "cluster" not in said


@given(st.text(max_size=300))
@settings(max_examples=300, deadline=None)
def test_any_text_is_read_without_a_fault(text):
    routed = shipped_router().route(text)
    assert routed.question is None or routed.confidence > 0
    for match in routed.nearest:
        assert 0 <= match.confidence <= 1.0001


@given(st.lists(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=8), min_size=1, max_size=12), st.lists(st.sampled_from("abcdefg"), max_size=6))  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_bm25_scores_only_what_shares_a_word(documents, query):
    """Scores are positive exactly for documents that share a word; more shared words never score
    less, all else equal; the score is the formula's, computed here the plain way."""
    import math

    index = Index(documents)
    scores = index.scores(query)
    mean = sum(map(len, documents)) / len(documents)
    for place, document in enumerate(documents):
        expected = 0.0
        for word in set(query):
            holding = sum(word in other for other in documents)
            often = document.count(word)
            if often:
                weight = math.log(1 + (len(documents) - holding + 0.5) / (holding + 0.5))
                norm = often + 1.2 * (0.25 + 0.75 * len(document) / mean)
                expected += weight * often * 2.2 / norm
        assert math.isclose(scores.get(place, 0.0), expected, abs_tol=1e-9)
        assert (place in scores) == bool(set(query) & set(document))
