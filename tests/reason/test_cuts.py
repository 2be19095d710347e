"""The changes that end paths: as few as there can be, and all paths end."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations, pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infrascan.model import Cut, Fix, Path, Severity, Step
from infrascan.reason import cuts as module
from infrascan.reason.cuts import cuts, greedy, smallest
from infrascan.reason.verify.cutting import cut_faults
from infrascan.reason.verify.lines import Document, Row

from .estates import open_machine, path_to, searched

OPTIONS = st.lists(
    st.frozensets(st.sampled_from("abcdefghij"), min_size=1, max_size=5), min_size=1, max_size=12
)


def path(name: str, *fixes: str) -> Path:
    """A path with a step for each fix, and a last one that nothing cuts."""
    steps = [
        Step(source=f"{name}{i}", target=f"{name}{i + 1}", relation="r", stage="reach", says="",
             fix=Fix(resource=fix, text=f"Mend {fix}."))
        for i, fix in enumerate(fixes)
    ]  # fmt: skip
    end = Step(source="x", target=name, relation="r", stage="data", says="")
    return Path(title=name, severity=Severity.HIGH, steps=(*steps, end))


def brute(options: Sequence[frozenset[str]]) -> int:
    """The size of a smallest hitting set, by trying all."""
    known = sorted(set().union(*options))
    for size in range(1, len(known) + 1):
        for chosen in combinations(known, size):
            if all(one & set(chosen) for one in options):
                return size
    raise AssertionError


@given(OPTIONS)
@settings(max_examples=300, deadline=None)
def test_a_smallest_set_is_as_small_as_brute_force_finds(options: list[frozenset[str]]) -> None:
    chosen, exact = smallest(options)

    assert exact
    assert all(one & chosen for one in options)
    assert len(chosen) == brute(options)


def graph_paths(seed: int) -> list[Path]:
    """Every path through a random layered graph whose edges can each be cut."""
    draw = random.Random(seed)
    layers = [[f"{layer}.{n}" for n in range(draw.randint(1, 3))] for layer in range(4)]
    edges = [
        (a, b)
        for here, there in pairwise(layers)
        for a in here
        for b in there
        if draw.random() < 0.7
    ]
    ways = [[node] for node in layers[0]]
    for _ in layers[1:]:
        ways = [[*way, b] for way in ways for a, b in edges if way[-1] == a]
    return [path("-".join(way), *(f"{a}>{b}" for a, b in pairwise(way))) for way in ways]


def test_on_a_hundred_random_graphs_the_cut_equals_brute_force() -> None:
    tried = 0
    for seed in range(120):
        paths = graph_paths(seed)
        if not paths:
            continue
        tried += 1
        found = cuts(paths)
        options = [frozenset(s.fix.id for s in p.steps if s.fix) for p in paths]
        assert sum(len(cut.fixes) for cut in found) == brute(options)
        assert all(cut.exact for cut in found)
        assert sorted(one for cut in found for one in cut.paths) == sorted(p.id for p in paths)
    assert tried >= 50


@given(OPTIONS)
@settings(max_examples=100, deadline=None)
def test_each_path_of_a_cut_has_one_of_its_changes(options: list[frozenset[str]]) -> None:
    paths = {f"p{i}": path(f"p{i}", *sorted(one)) for i, one in enumerate(options)}
    by_id = {p.id: p for p in paths.values()}
    for cut in cuts(list(paths.values())):
        chosen = {fix.id for fix in cut.fixes}
        assert all(chosen & {s.fix.id for s in by_id[p].steps if s.fix} for p in cut.paths)


@given(st.randoms(), OPTIONS)
@settings(max_examples=50, deadline=None)
def test_the_order_of_paths_changes_only_the_order(
    draw: random.Random, options: list[frozenset[str]]
) -> None:
    paths = [path(f"p{i}", *sorted(one)) for i, one in enumerate(options)]
    mixed = list(paths)
    draw.shuffle(mixed)

    assert {cut.fixes for cut in cuts(paths)} == {cut.fixes for cut in cuts(mixed)}


def test_one_change_that_many_paths_share_ends_them_all() -> None:
    paths = [path(f"p{n}", f"own-{n}", "shared") for n in range(17)]
    (cut,) = cuts([*paths, path("alone")])

    assert [fix.resource for fix in cut.fixes] == ["shared"]
    assert len(cut.paths) == 17


def test_paths_that_share_nothing_are_groups_and_the_largest_comes_first() -> None:
    found = cuts([path("a", "x"), path("b", "y"), path("c", "y"), path("d", "y", "z")])

    assert [(len(cut.paths), [f.resource for f in cut.fixes]) for cut in found] == [
        (3, ["y"]),
        (1, ["x"]),
    ]


def test_beyond_what_can_be_searched_a_small_set_is_called_small_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    draw = random.Random(7)
    options = [frozenset(draw.sample("abcdefghijklmnopqrstuvwxyz", 4)) for _ in range(60)]
    monkeypatch.setattr(module.Search.__init__, "__defaults__", (3,))
    chosen, exact = smallest(options)

    assert not exact
    assert all(one & chosen for one in options)
    assert len(chosen) <= len(greedy(options))


def test_two_hundred_paths_that_share_everything_are_settled_at_once() -> None:
    draw = random.Random(3)
    names = [f"fix-{n}" for n in range(60)]
    paths = [path(f"p{n}", *draw.sample(names, 4)) for n in range(200)]
    began = time.process_time()
    found = cuts(paths)

    assert time.process_time() - began < 4
    assert sum(len(cut.paths) for cut in found) == 200


def test_after_the_changes_of_a_cut_no_path_is_left() -> None:
    """The cut of a real estate: close the group that it names, and search again."""
    resources = open_machine()
    found = searched(resources)
    (cut,) = cuts(found.paths)
    assert path_to(found, "arn:aws:s3:::orders")
    assert len(cut.fixes) == 1

    changed = {fix.resource.partition("/")[0] for fix in cut.fixes}
    repaired = [r for r in open_machine() if r.kind not in changed]
    assert searched(repaired).paths == []


def written(paths: Sequence[Path], found: Sequence[Cut]) -> Document:
    """A report of these, as it is read back."""
    rows: dict[str, list[dict[str, Any]]] = {
        "paths": [{"id": p.id, "steps": [{"fix": said(s.fix)} for s in p.steps]} for p in paths],
        "cuts": [
            {"fixes": [said(f) for f in cut.fixes], "paths": list(cut.paths), "exact": cut.exact}
            for cut in found
        ],
    }
    return Document(
        rows={name: [Row(1, "", row, True) for row in own] for name, own in rows.items()}
    )


def said(fix: Fix | None) -> dict[str, str] | None:
    return {"id": fix.id, "resource": fix.resource, "text": fix.text, "rule": fix.rule} if fix else None  # fmt: skip


@given(OPTIONS, st.randoms())
@settings(max_examples=150, deadline=None)
def test_offline_a_cut_is_proven_again_and_no_changed_one_passes(
    options: list[frozenset[str]], draw: random.Random
) -> None:
    paths = list({p.id: p for p in (path(f"p{i}", *sorted(o)) for i, o in enumerate(options))}.values())  # fmt: skip
    found = cuts(paths)
    assert list(cut_faults(written(paths, found))) == []

    place = draw.randrange(len(found))
    cut = found[place]
    surplus = Fix(resource="none", text="Do nothing.")
    for wrong in (
        replace(cut, fixes=cut.fixes[1:]),
        replace(cut, fixes=(*cut.fixes, surplus)),
        replace(cut, fixes=(*cut.fixes[1:], surplus)),
        replace(cut, paths=cut.paths[1:]),
    ):
        assert list(cut_faults(written(paths, [*found[:place], wrong, *found[place + 1 :]])))
