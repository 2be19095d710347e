"""Which process reads what."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from infrascan.providers import PROVIDERS
from infrascan.workers.sharing import MOST, WEIGHTS, WORTH, shared_out, weight

some = st.lists(st.sampled_from([*PROVIDERS, "moon"]), min_size=1, unique=True)


@given(some, st.integers(1, 9))
def test_each_provider_is_read_once_and_no_process_is_started_for_little(names, processes):
    groups = shared_out(names, processes)
    assert sorted(name for group in groups for name in group) == sorted(names)
    assert len(groups) <= min(processes, MOST)
    assert all(weight(group) >= WORTH for group in groups[1:])
    assert all(group == tuple(n for n in names if n in group) for group in groups)


def test_one_process_reads_one_provider_and_what_is_told_to():
    assert shared_out(("aws",), 4) == [("aws",)]
    assert shared_out(("aws", "gcp"), 1) == [("aws", "gcp")]


def test_two_processes_have_about_the_same_to_do():
    first, second = shared_out(tuple(PROVIDERS), 2)
    assert weight(first) < 1.2 * weight(second)


def test_every_provider_of_ours_has_a_weight():
    assert WEIGHTS.keys() == PROVIDERS.keys()
