"""How the collector of cycles is set while a scan runs, and after it."""

from __future__ import annotations

import gc

import pytest

from infrascan.cli import run


def test_the_collector_is_put_back() -> None:
    before, frozen = gc.get_threshold(), gc.get_freeze_count()
    with pytest.raises(ZeroDivisionError), run.seldom():
        assert gc.get_threshold() == run.GARBAGE
        assert gc.get_freeze_count() > frozen
        1 / 0  # noqa: B018
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0
