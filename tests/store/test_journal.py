"""A killed scan loses at most the partition it was writing down."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infrascan.model import Coverage, InputError, Partition
from infrascan.store import journal as journals
from infrascan.store.journal import Journal, Saved, resumable
from tests.store import estate

SCOPE = {"providers": ["aws"], "regions": ["eu-west-1"], "contexts": ()}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def parts(size: int = 240) -> Iterator[tuple[Partition, Saved]]:
    """The output of each partition of an estate."""
    scan = estate.estate(size)
    for entry in scan.coverage:
        partition = entry.partition
        inside = [
            resource
            for resource in scan.resources
            if (resource.account, resource.region, resource.kind)
            == (partition.account, partition.region, partition.kind)
        ]
        for resource in inside:
            resource.links = {}
        found = [gap for resource in inside for gap in resource.unread.values()]
        yield partition, Saved(resources=inside, gaps=found, coverage=entry)


def plain(found: dict[Partition, Any]) -> dict[Partition, Any]:
    return {
        partition: (
            [estate.described(resource) for resource in read.resources],
            [asdict(gap) for gap in read.gaps],
            read.coverage,
        )
        for partition, read in found.items()
    }


def test_an_interrupted_journal_gives_back_what_was_finished(home: Path) -> None:
    everything = dict(parts())
    journal = Journal.open(home, SCOPE, about={"started": "2026-11-21T09:30:00Z"})
    for partition, read in everything.items():
        journal.append(partition, read)
    journal.close()
    resumed = resumable(home, SCOPE)
    assert resumed
    assert resumed.about == {"started": "2026-11-21T09:30:00Z"}
    assert plain(resumed.finished()) == plain(everything)
    resumed.close()


def test_a_large_partition_in_parts_counts_once_its_last_part_is_there(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "PART", 3)
    partition, read = max(parts(), key=lambda pair: len(pair[1].resources))
    assert len(read.resources) > 6
    journal = Journal.open(home, SCOPE)
    journal.append(partition, read)
    last = journal.path.read_bytes()[-20:]
    os.ftruncate(journal.descriptor, journal.end - len(last))
    journal.close()
    resumed = resumable(home, SCOPE)
    assert resumed
    assert resumed.finished() == {}
    resumed.append(partition, read)
    resumed.close()
    again = resumable(home, SCOPE)
    assert again
    assert plain(again.finished()) == plain({partition: read})
    again.close()


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    resources=st.lists(estate.resources, max_size=4),
    gaps=st.lists(estate.gaps, max_size=3),
    coverage=estate.coverage,
)
def test_any_output_comes_back_exactly(
    home: Path, resources: Any, gaps: Any, coverage: Coverage
) -> None:
    shutil.rmtree(home, ignore_errors=True)
    given_ = {coverage.partition: Saved(resources=resources, gaps=gaps, coverage=coverage)}
    journal = Journal.open(home, SCOPE)
    journal.append(coverage.partition, given_[coverage.partition])
    assert plain(journal.finished()) == plain(given_)
    journal.close()


def test_a_journal_cut_anywhere_gives_a_prefix_and_can_be_continued(home: Path) -> None:
    everything = dict(parts(60))
    journal = Journal.open(home, SCOPE)
    ends = [journal.end]
    for partition, read in everything.items():
        journal.append(partition, read)
        ends.append(journal.end)
    journal.close()
    whole = journal.path.read_bytes()
    chance = random.Random(7)
    for cut in [*ends, *(chance.randrange(ends[0], len(whole)) for _ in range(60))]:
        journal.path.write_bytes(whole[:cut])
        resumed = resumable(home, SCOPE)
        assert resumed
        done = resumed.finished()
        assert len(done) == sum(end <= cut for end in ends) - 1
        for partition, read in everything.items():
            if partition not in done:
                resumed.append(partition, read)
        assert plain(resumed.finished()) == plain(everything)
        resumed.close()


def test_a_flipped_bit_or_zeros_end_the_journal_there(home: Path) -> None:
    everything = dict(parts(60))
    journal = Journal.open(home, SCOPE)
    ends = []
    for partition, read in everything.items():
        journal.append(partition, read)
        ends.append(journal.end)
    journal.close()
    whole = bytearray(journal.path.read_bytes())
    flipped = bytearray(whole)
    flipped[ends[2] + 40] ^= 1
    zeros = whole[: ends[2]] + bytes(len(whole) - ends[2])
    for damaged in (flipped, zeros):
        journal.path.write_bytes(damaged)
        resumed = resumable(home, SCOPE)
        assert resumed
        assert list(resumed.finished()) == list(everything)[:3]
        resumed.close()


def test_a_journal_that_lost_its_header_is_no_journal(home: Path) -> None:
    journal = Journal.open(home, SCOPE)
    journal.close()
    journal.path.write_bytes(journal.path.read_bytes()[:-1])
    assert resumable(home, SCOPE) is None
    Journal.open(home, SCOPE).close()
    assert not journal.path.exists()


def test_another_scope_or_version_is_not_resumed(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Journal.open(home, SCOPE).close()
    assert resumable(home, SCOPE | {"regions": ["us-east-1"]}) is None
    monkeypatch.setattr(journals, "__version__", "9.9")
    assert resumable(home, SCOPE) is None


def test_a_running_scan_is_not_resumed(home: Path) -> None:
    journal = Journal.open(home, SCOPE)
    assert resumable(home, SCOPE) is None
    journal.close()
    first = resumable(home, SCOPE)
    assert first
    assert resumable(home, SCOPE) is None
    first.close()


def test_the_newest_of_several_is_resumed(home: Path) -> None:
    older, newer = Journal.open(home, SCOPE), Journal.open(home, SCOPE)
    os.utime(older.path, (1, 1))
    older.close()
    newer.close()
    resumed = resumable(home, SCOPE)
    assert resumed
    assert resumed.path == newer.path
    resumed.close()


def test_resuming_nothing_begins_anew(home: Path) -> None:
    journal = Journal.begin(home, SCOPE, resume=True)
    assert journal.finished() == {}
    journal.close()
    again = Journal.begin(home, SCOPE, resume=True)
    assert again.path == journal.path
    again.close()
    other = Journal.begin(home, SCOPE)
    assert other.path != journal.path
    other.close()


def test_discarding_removes_it_and_what_it_supersedes(home: Path) -> None:
    older, other = Journal.open(home, SCOPE), Journal.open(home, {"providers": ["k8s"]})
    older.close()
    other.close()
    journal = Journal.open(home, SCOPE)
    journal.discard()
    assert list((home / "journals").iterdir()) == [other.path]


def test_a_journal_that_nobody_resumed_in_a_week_is_removed(home: Path) -> None:
    old = Journal.open(home, SCOPE)
    old.close()
    os.utime(old.path, (1, 1))
    kept = Journal.open(home, SCOPE)
    kept.close()
    assert list((home / "journals").iterdir()) == [kept.path]


WRITER = """
import sys
sys.path[:] = {path!r}
from pathlib import Path
from tests.store.test_journal import SCOPE, parts
from infrascan.store.journal import Journal
journal = Journal.begin(Path(sys.argv[1]), SCOPE, resume=True)
done = journal.finished()
print("begun", len(done), flush=True)
import time
for partition, read in parts():
    if partition not in done:
        journal.append(partition, read)
        time.sleep(0.004)
print("finished", flush=True)
"""


def test_after_kill_nine_the_resumed_output_equals_the_uninterrupted_one(home: Path) -> None:
    chance = random.Random(3)
    begun = []
    for _ in range(12):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER.format(path=sys.path), str(home)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout
        begun.append(int(process.stdout.readline().split()[1]))
        time.sleep(chance.random() * 0.05)
        process.send_signal(signal.SIGKILL)
        said, _ = process.communicate()
        if "finished" in said:
            break
    resumed = resumable(home, SCOPE)
    assert resumed
    for partition, read in parts():
        if partition not in resumed.finished():
            resumed.append(partition, read)
    assert plain(resumed.finished()) == plain(dict(parts()))
    assert begun == sorted(begun)
    assert begun[-1] > 0, "nothing was ever resumed"
    resumed.close()


FULL = """
import sys
sys.path[:] = {path!r}
import resource
from pathlib import Path
from tests.store.test_journal import SCOPE, parts
from infrascan.model import InputError
from infrascan.store.journal import Journal
journal = Journal.open(Path(sys.argv[1]), SCOPE)
everything = list(parts())
journal.append(*everything[0])
resource.setrlimit(resource.RLIMIT_FSIZE, (journal.end + 100, resource.RLIM_INFINITY))
try:
    journal.append(*everything[1])
except InputError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
journal.append(*everything[2])
print(len(journal.finished()))
"""


def test_a_full_disk_is_one_line_and_the_journal_stays_usable(home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL.format(path=sys.path), str(home)],
        capture_output=True,
        text=True,
        check=True,
    )
    said, count = done.stdout.splitlines()
    assert said.startswith("cannot write to ")
    assert "free some space" in said
    assert count == "2"


def test_a_home_that_cannot_be_written_is_one_line() -> None:
    with pytest.raises(InputError, match="set INFRASCAN_HOME"):
        Journal.open(Path("/dev/null/x"), SCOPE)
