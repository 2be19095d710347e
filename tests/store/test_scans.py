"""Scans are stored whole or not at all, and come back as they were."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from infrascan.model import InputError, Resource
from infrascan.store import parquet
from infrascan.store.manifest import NAME, CorruptError, hash_of
from infrascan.store.scans import latest, prune, read, resolve, scans, sweep, write
from tests.store.estate import arbitrary, clone, estate, plain


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def script(home: Path, body: str) -> list[str]:
    """A Python process of its own that can store scans."""
    lines = (
        "import sys",
        "from pathlib import Path",
        f"sys.path[:] = {sys.path!r}",
        f"home = Path({str(home)!r})",
        "from infrascan.store.scans import write",
        "from tests.store.estate import clone, estate",
        body,
    )
    return [sys.executable, "-c", "\n".join(lines)]


def names(home: Path) -> list[str]:
    """All that lies where scans are kept, hidden names included."""
    return sorted(path.name for path in (home / "scans").iterdir())


def one_line(error: pytest.ExceptionInfo[InputError]) -> str:
    said = str(error.value)
    assert said
    assert "\n" not in said
    return said


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(scan=arbitrary())
def test_any_scan_comes_back_exactly(home: Path, scan: object) -> None:
    shutil.rmtree(home, ignore_errors=True)
    write(scan, home)
    assert plain(read(home)) == plain(scan)


def test_a_scan_of_several_row_groups_comes_back_exactly(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "ROWS", 37)
    scan = estate(300)
    scan.resources[40].name = "half a pair \udc00"
    write(scan, home)
    assert plain(read(home)) == plain(scan)


def test_large_documents_end_a_row_group_early(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow.parquet as pq

    monkeypatch.setattr(parquet, "CHARACTERS", 10_000)
    folder = write(estate(100), home)
    assert pq.ParquetFile(folder / "resources.parquet").num_row_groups > 5


def test_without_resources_everything_that_reports_need_is_there(home: Path) -> None:
    scan = estate()
    write(scan, home)
    found = read(home, with_resources=False)
    assert found.resources == []
    assert found.edges == []
    assert plain(clone(found, edges=scan.edges))["findings"] == scan.findings
    assert (found.unknowns, found.gaps, found.coverage) == (
        scan.unknowns,
        scan.gaps,
        scan.coverage,
    )


def test_a_link_out_of_the_scan_is_left_out(home: Path) -> None:
    scan = estate(10)
    elsewhere = Resource(kind="x", id="x", name="", provider="aws", account="1", data={})
    scan.resources[0].links["peers"] = [scan.resources[1], elsewhere]
    write(scan, home)
    assert [r.key for r in read(home).resources[0].links["peers"]] == [scan.resources[1].key]


def test_scans_are_listed_the_latest_first_with_their_counts(home: Path) -> None:
    first, second = estate(20, id="20261121T093000Z-aaaa"), estate(40, id="20250101T000000Z-bbbb")
    write(first, home)
    write(second, home)
    listed = scans(home)
    assert [scan.id for scan in listed] == [second.id, first.id]
    assert listed[0].resources == len(second.resources)
    assert listed[0].findings == len(second.findings)
    assert listed[0].unknowns == len(second.unknowns)
    assert listed[0].severities["critical"] == sum(
        finding.severity == "critical" for finding in second.findings
    )
    assert listed[0].coverage_percent == second.coverage_percent
    assert listed[0].monthly_saving == second.monthly_saving
    assert latest(home) == listed[0]


def test_a_home_without_scans_lists_none(home: Path) -> None:
    assert scans(home) == []
    assert latest(home) is None
    assert not home.exists()


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("latest", "20261123T000000Z-cccc"),
        ("latest~0", "20261123T000000Z-cccc"),
        ("latest~2", "20261121T000000Z-aaaa"),
        ("20261122T000000Z-bbbb", "20261122T000000Z-bbbb"),
        ("20261122", "20261122T000000Z-bbbb"),
    ],
)
def test_a_scan_is_found_by_id_prefix_or_age(home: Path, wanted: str, expected: str) -> None:
    for name in ("20261121T000000Z-aaaa", "20261122T000000Z-bbbb", "20261123T000000Z-cccc"):
        write(estate(4, id=name), home)
    assert resolve(home, wanted).id == expected
    assert read(home, wanted).id == expected


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("20261122T000000Z-bbbc", "did you mean 20261122T000000Z-bbbb?"),
        ("zebra", "`infrascan scans` lists all"),
        ("2026112", "several scans: 20261122T000000Z-bbbb, 20261121T000000Z-aaaa"),
        ("latest~2", "2 scans can be used"),
        ("", "no scan ''"),
        ("../../etc", "no scan"),
        (".", "no scan"),
        ("latest~99999999999", "no scan"),
        ("a\nb\x1b[2J", "no scan 'a\\nb\\x1b[2J'"),
    ],
)
def test_an_unknown_scan_is_one_line_that_helps(home: Path, wanted: str, said: str) -> None:
    for name in ("20261121T000000Z-aaaa", "20261122T000000Z-bbbb"):
        write(estate(4, id=name), home)
    with pytest.raises(InputError) as error:
        read(home, wanted)
    assert said in one_line(error)


def test_an_empty_home_says_how_to_make_a_scan(home: Path) -> None:
    with pytest.raises(InputError, match="`infrascan run` makes one"):
        read(home)


@pytest.mark.parametrize("id", ["", "../x", ".x", "a/b", "latest", "latest~1", "a" * 300, "x\n"])
def test_an_id_that_is_no_name_is_refused(home: Path, id: str) -> None:
    with pytest.raises(InputError):
        write(estate(4, id=id), home)
    assert scans(home) == []


def test_the_same_scan_stored_again_becomes_the_latest(home: Path) -> None:
    first, second = estate(8, id="a"), estate(12, id="b")
    write(first, home)
    write(second, home)
    write(first, home)
    assert [scan.id for scan in scans(home)] == ["a", "b"]
    assert plain(read(home, "a")) == plain(first)


def test_another_scan_never_replaces_one_that_is_stored(home: Path) -> None:
    first = estate(8, id="a")
    write(first, home)
    with pytest.raises(InputError, match="another scan is stored as a"):
        write(estate(12, id="a"), home)
    assert plain(read(home, "a")) == plain(first)
    assert names(home) == ["a"]


def truncate(folder: Path) -> None:
    path = folder / "findings.parquet"
    path.write_bytes(path.read_bytes()[:-40])


def flip(folder: Path) -> None:
    path = folder / "findings.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def reseal(folder: Path, **changes: object) -> None:
    content = json.loads((folder / NAME).read_text()) | changes
    (folder / NAME).write_text(json.dumps({**content, "sha256": hash_of(content)}))


DAMAGE = {
    "a missing table": (lambda f: (f / "gaps.parquet").unlink(), "gaps.parquet cannot be read"),
    "a truncated table": (truncate, "findings.parquet has"),
    "a flipped bit": (flip, "findings.parquet was changed"),
    "no manifest": (lambda f: (f / NAME).unlink(), "manifest.json cannot be read"),
    "garbage": (lambda f: (f / NAME).write_bytes(b"\x00\xff{"), "not JSON"),
    "deep nesting": (lambda f: (f / NAME).write_text("[" * 100_000), "not JSON"),
    "other JSON": (lambda f: (f / NAME).write_text("[1]"), "not one of infrascan's"),
    "half a manifest": (lambda f: (f / NAME).write_text('{"format": 2}'), "was changed"),
    "an older form": (lambda f: reseal(f, format=1), "written by an older infrascan"),
    "an edited manifest": (
        lambda f: (f / NAME).write_text((f / NAME).read_text().replace("0.1.0", "0.1.1")),
        "was changed",
    ),
    "a manifest of another shape": (lambda f: reseal(f, tables=[]), "not one of infrascan's"),
    "a manifest without its rules": (lambda f: reseal(f, rules=7), "not one of infrascan's"),
    "a newer version": (lambda f: reseal(f, format=99, version="9.9"), "written by infrascan 9.9"),
    "a table of another shape": (
        lambda f: (shutil.copy(f / "gaps.parquet", f / "coverage.parquet"), reseal_files(f)),
        "does not hold what a coverage table holds",
    ),
}


def reseal_files(folder: Path) -> None:
    from infrascan.store.manifest import digest

    tables = {
        path.stem: {"rows": 1, "bytes": path.stat().st_size, "sha256": digest(path)}
        for path in folder.glob("*.parquet")
    }
    reseal(folder, tables=tables)


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_scan_is_one_clear_line_and_hurts_no_other(home: Path, damage: str) -> None:
    whole = estate(20, id="whole")
    write(whole, home)
    hurt, said = DAMAGE[damage]
    hurt(write(estate(20, id="hurt"), home))
    with pytest.raises(CorruptError) as error:
        read(home, "hurt")
    assert said in one_line(error)
    assert "scan hurt cannot be used" in str(error.value)
    assert {scan.id for scan in scans(home)} == {"whole", "hurt"}
    assert plain(read(home, "whole")) == plain(whole)


def test_damage_seen_from_the_manifest_is_marked_and_skipped_by_latest(home: Path) -> None:
    write(estate(20, id="whole"), home)
    truncate(write(estate(20, id="hurt"), home))
    listed = {scan.id: scan for scan in scans(home)}
    assert "instead of" in listed["hurt"].problem
    assert listed["whole"].problem == ""
    assert read(home).id == "whole"


def test_pruning_keeps_the_latest_and_drops_damaged_ones_that_are_older(home: Path) -> None:
    for name in ("a", "b", "c", "d"):
        write(estate(6, id=name), home)
    (home / "scans" / "b" / "gaps.parquet").unlink()
    os.utime(home / "scans" / "b", (1, 1))
    assert prune(home, keep=2) == ["a", "b"]
    assert [scan.id for scan in scans(home)] == ["d", "c"]
    assert prune(home, keep=2) == []
    assert names(home) == ["c", "d"]
    with pytest.raises(InputError):
        prune(home, keep=0)


def test_processes_that_write_at_once_all_succeed(home: Path) -> None:
    body = "for n in range(4): write(estate(60, id=f'{sys.argv[1]}-{n}'), home)"
    running = [subprocess.Popen([*script(home, body), f"writer{n}"]) for n in range(4)]
    while any(process.poll() is None for process in running):
        assert not [scan for scan in scans(home) if scan.problem]
        time.sleep(0.01)
    assert [process.returncode for process in running] == [0] * 4
    assert len(scans(home)) == 16
    assert not [name for name in names(home) if name.startswith(".")]


def test_kill_nine_leaves_no_half_scan_and_the_next_writer_sweeps(home: Path) -> None:
    body = (
        "scan = estate(3000)\n"
        "print('ready', flush=True)\n"
        "for n in range(1000): write(clone(scan, id=f'killed-{sys.argv[1]}-{n}'), home)"
    )
    for attempt in range(5):
        process = subprocess.Popen([*script(home, body), str(attempt)], stdout=subprocess.PIPE)
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        time.sleep(0.05 + 0.067 * attempt)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        listed = scans(home)
        assert not [scan.problem for scan in listed if scan.problem]
        for scan in listed:
            assert len(read(home, scan.id).resources) == 3000
    write(estate(4, id="next"), home)
    assert not [name for name in names(home) if name.startswith(".")]


def test_a_writer_at_work_is_not_swept(home: Path) -> None:
    body = (
        "from infrascan.store import scans\n"
        "with scans.aside(home / 'scans', 'x') as folder:\n"
        "    (folder / 'half').write_text('x')\n"
        "    print(folder, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    (home / "scans").mkdir(parents=True)
    process = subprocess.Popen(script(home, body), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout
    folder = Path(process.stdout.readline().decode().strip())
    assert sweep(home) == 0
    assert (folder / "half").exists()
    process.kill()
    process.communicate()
    assert sweep(home) == 1
    assert not folder.exists()


FULL = """
import resource
from infrascan.model import InputError
scan = estate(3000)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    write(scan, home)
except InputError as error:
    print(error)
"""


def test_a_full_disk_is_one_line_and_nothing_is_left_behind(home: Path) -> None:
    write(estate(4, id="before"), home)
    done = subprocess.run(script(home, FULL), capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert "cannot store the scan" in done.stdout
    assert "free some space" in done.stdout
    assert done.stdout.count("\n") == 1
    assert names(home) == ["before"]
    assert read(home).id == "before"


def test_importing_the_store_loads_nothing_heavy() -> None:
    code = (
        f"import sys; sys.path[:] = {sys.path!r}; before = set(sys.modules)\n"
        "import infrascan.store.scans, infrascan.store.journal, infrascan.queries\n"
        "import infrascan.store.diff, infrascan.store.sql\n"
        "print({'pyarrow', 'duckdb', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
